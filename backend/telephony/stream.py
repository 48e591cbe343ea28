"""Twilio's media stream: the messages on its WebSocket (pure), and a phone call's `Line` over that socket."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.models import Digit, Ended, LineEvent, Mark, ProviderError, Sound
from backend.telephony.socket import DIRECT, MediaSocket
from backend.telephony.twiml import NOBODY_THERE

_LOG = logging.getLogger(__name__)

_LONGEST = 64 * 1024
"""Characters in a message. Twilio's have some 300, so this is room for half a minute of sound, not for an attack."""
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_WRITE = 5.0
"""Seconds a message may wait for room in the socket; longer, and the carrier has stopped reading."""
_SILENCE = 20.0
"""Seconds without any message. Twilio sends 50 a second, also while nobody speaks, so the line is dead by then."""
_END_CALL = 25.0
"""Seconds for ending the call by REST: a farewell that fails and a plain hang-up after it."""
_CLOSE = 1.0

_LOST = "The connection to the carrier was lost."


@dataclass(frozen=True, slots=True)
class Start:
    """The stream has begun: which call it belongs to."""

    stream_sid: str
    call_sid: str
    parameters: dict[str, str]
    """What our TwiML gave to the stream, such as its one-time token."""


# --- the messages: JSON text both ways, https://www.twilio.com/docs/voice/media-streams/websocket-messages ---------


def parse(text: str) -> Start | LineEvent | None:
    """One message from Twilio; None for what says nothing to us: unknown, malformed, oversized, or our own track.

    A stranger who found the URL can send anything, so nothing in here may raise.
    """
    if len(text) > _LONGEST:
        return None
    if (sound := _heard(text)) is not None:
        return sound
    try:
        message = json.loads(text)
        return _READERS[message["event"]](message)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _heard(text: str) -> Sound | None:
    """The sound of a message that is written as Twilio writes them, which 99 in 100 are; None to read it as JSON.

    No string inside of JSON can hold what is looked for here: its quotation marks would have backslashes.
    """
    head, found, rest = text.partition('"payload":"')
    if not (found and rest.endswith('"}}') and head.startswith('{"event":"media",') and '"track":"inbound"' in head):
        return None
    try:
        sound = a2b_base64(rest[:-3], strict_mode=True)
    except ValueError:
        return None
    return Sound(sound) if sound else None


def _start(message: dict[str, dict[str, object]]) -> Start | None:
    start = message["start"]
    stream_sid, call_sid = str(start["streamSid"]), str(start["callSid"])
    given = start.get("customParameters")
    parameters = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    fit = _SID.fullmatch(stream_sid) and _SID.fullmatch(call_sid)
    return Start(stream_sid, call_sid, parameters) if fit else None


def _media(message: dict[str, dict[str, str]]) -> Sound | None:
    media = message["media"]
    if media.get("track", "inbound") != "inbound":
        return None
    sound = a2b_base64(media["payload"], strict_mode=True)
    return Sound(sound) if sound else None


def _mark(message: dict[str, dict[str, str]]) -> Mark | None:
    name = message["mark"]["name"]
    return Mark(name) if isinstance(name, str) else None


def _dtmf(message: dict[str, dict[str, str]]) -> Digit | None:
    digit = message["dtmf"]["digit"]
    return Digit(digit) if len(digit) == 1 and digit in "0123456789*#ABCD" else None


def _stop(message: object) -> Ended:
    return Ended("They hung up.")


_READERS: dict[str, Callable[..., Start | LineEvent | None]] = {
    "media": _media,
    "mark": _mark,
    "dtmf": _dtmf,
    "start": _start,
    "stop": _stop,
}


def media(sid: str, sound: bytes) -> str:
    """Append mu-law to what Twilio plays in stream `sid`."""
    payload = b2a_base64(sound, newline=False).decode("ascii")
    # Neither a stream's SID, as `parse` lets it in, nor base64 has a character that JSON would write in another way.
    return f'{{"event": "media", "streamSid": "{sid}", "media": {{"payload": "{payload}"}}}}'


def marked(sid: str, name: str) -> str:
    """Ask Twilio to send this name back once everything before it was played or cleared."""
    return f'{{"event": "mark", "streamSid": "{sid}", "mark": {{"name": {json.dumps(name)}}}}}'


def clear(sid: str) -> str:
    """Drop what Twilio has not played yet; the marks in it come back at once."""
    return json.dumps({"event": "clear", "streamSid": sid})


# --- the line ------------------------------------------------------------------------------------------------


async def opened(websocket: WebSocket, within: float = 5.0) -> Start | None:
    """The `start` of a stream whose socket was just accepted; None when none comes within these seconds.

    A socket that stays mute belongs to no call: without the deadline strangers could hold sockets open for free.
    """
    try:
        async with asyncio.timeout(within):
            while (message := await websocket.receive())["type"] == "websocket.receive":
                if isinstance(start := parse(message.get("text") or ""), Start):
                    return start
    except TimeoutError:
        _LOG.warning("A media stream sent no start within %g seconds", within)
    return None


class MediaStream:
    """A `Line` over an accepted WebSocket, a `MediaSocket`, whose `start` was read.

    Reading has one owner, who calls `pour`. Writing has many, and a lock: messages leave whole and in the order
    of the calls, so that nothing sent before a `clear` can arrive after it. Once the socket is gone, or takes nothing
    for five seconds, what is sent is dropped without a word: `pour` is where a line reports its end.
    """

    def __init__(
        self,
        websocket: WebSocket,
        start: Start,
        end_call: Callable[[str], Awaitable[None]],
        transfer_call: Callable[[], Awaitable[None]],
    ) -> None:
        """`end_call(farewell)` ends the phone call itself and `transfer_call()` hands it over, which no message on this
        socket can do."""
        self._websocket = websocket
        self._sid = start.stream_sid
        self._end_call = end_call
        self._transfer_call = transfer_call
        self._writing = asyncio.Lock()
        self._waiting = 0
        """How many wait for room in the socket. From one to the next the lock is free for a moment, and nothing must
        overtake them then."""
        self._socket: MediaSocket = websocket.scope["extensions"][DIRECT]["socket"]
        self._gone = False
        self._hung_up = False
        self._lost = _LOST
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        """When the last message came."""

    async def pour(self, take: Callable[[LineEvent], None]) -> None:
        def hear(text: str | None) -> bool:
            event = self._event(text)
            if event is not None:
                take(event)
            return not isinstance(event, Ended)

        watching = asyncio.create_task(self._watch(), name="line-silence")
        try:
            await self._socket.pour(hear)
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        """End a line that has fallen silent, by closing its socket: a deadline for each message would be dearer."""
        quiet = 0.0
        while quiet < _SILENCE:
            await asyncio.sleep(_SILENCE - quiet)
            quiet = self._loop.time() - self._heard
        self._lost = f"The carrier sent nothing for {_SILENCE:g} seconds."
        await self._close()

    def _event(self, text: str | None) -> LineEvent | None:
        """What a message with this text tells, None where it tells nothing; no text is the socket's end."""
        if text is None or self._gone:
            return self._ended(self._lost, lost=True)
        self._heard = self._loop.time()
        event = parse(text)
        if isinstance(event, Ended):
            return self._ended(event.why)
        # One call per socket: a second start is a mistake or a trick.
        return None if isinstance(event, Start) else event

    def _ended(self, why: str, lost: bool = False) -> Ended:
        self._gone = True
        return Ended("The call was hung up from here.") if self._hung_up else Ended(why, lost)

    async def play(self, sound: bytes, mark: str = "") -> None:
        texts = [media(self._sid, sound)] if sound else []
        if mark:
            texts.append(marked(self._sid, mark))
        await self._send(*texts)

    async def clear(self) -> None:
        await self._send(clear(self._sid))

    async def _send(self, *texts: str) -> None:
        if self._gone:
            return
        try:
            if not self._waiting and self._socket.write(*texts):
                return
            await self._send_in_turn(texts)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # Gone on their side, gone on ours, or not reading (a TimeoutError is an OSError).
            self._gone = True

    async def _send_in_turn(self, texts: Sequence[str]) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(_WRITE), self._writing:
                for text in texts:
                    await self._websocket.send_text(text)
        finally:
            self._waiting -= 1

    async def hang_up(self, farewell: str = "") -> None:
        """End the call by REST, then close the socket: should REST fail, that makes Twilio go on to `<Hangup/>`."""
        if self._hung_up:
            return
        self._hung_up = True
        try:
            async with asyncio.timeout(_END_CALL):
                await self._end_call(farewell)
        except (ProviderError, TimeoutError) as error:
            _LOG.warning("Hanging up failed, so closing the stream must end the call: %s", error or "no answer")
        except Exception:
            # A bug, but whoever hangs up is leaving already: what is left to do is to close the socket.
            _LOG.exception("Hanging up failed, so closing the stream must end the call")
        finally:
            await self._close()

    async def transfer(self) -> None:
        """Hand over by REST, which makes Twilio end the stream; where that fails the callee is said goodbye to."""
        if self._hung_up:
            return
        try:
            async with asyncio.timeout(_END_CALL):
                await self._transfer_call()
        except (ProviderError, TimeoutError) as error:
            _LOG.warning("Handing over failed: %s", error or "no answer")
            await self.hang_up(NOBODY_THERE)
        else:
            self._hung_up = True
            await self._close()

    async def _close(self) -> None:
        self._gone = True
        try:
            async with asyncio.timeout(_CLOSE):
                await self._websocket.close()
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # it was closed already, or nobody is there to read the goodbye
