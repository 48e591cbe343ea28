"""The carrier's end of one media stream: a call's sound both ways over a WebSocket, in Twilio's JSON messages."""

from __future__ import annotations

import asyncio
import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from backend.audio import FRAME, SILENCE
from backend.practice.call_record import CallRecord
from backend.practice.playback import Overflow, Playback
from backend.practice.race import first
from backend.practice.twiml import Stream

OUTBOX = 1000
"""Messages that may wait for the server to read."""
CONGESTED = 100
"""With this many waiting, 2 s, the caller's sound is dropped (31930)."""
CONNECTING, STALLED, CLOSING = 5.0, 10.0, 1.0
"""Seconds the server has to accept, to read on, and to close."""


@dataclass(frozen=True, slots=True)
class Media:
    sound: bytes


@dataclass(frozen=True, slots=True)
class MarkHere:
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    pass


class BadMessage(Exception):
    """The server sent something that Twilio does not take; the message begins with Twilio's error code."""


def read(message: str | bytes, stream_sid: str) -> Media | MarkHere | Clear:
    """Read one message of the server.

    Raises:
        BadMessage: it is not one of the three that Twilio takes, or is meant for another stream.
    """
    if isinstance(message, bytes):
        raise BadMessage("31950: a binary message; Twilio takes JSON text only")
    try:
        fields = json.loads(message)
        event, sid = fields["event"], fields["streamSid"]
        if sid != stream_sid:
            raise BadMessage(f"31951: a message for stream {sid!r}, expected {stream_sid!r}")
        if event == "media":
            return Media(b64decode(fields["media"]["payload"], validate=True))
        if event == "mark":
            return MarkHere(str(fields["mark"]["name"]))
        if event == "clear":
            return Clear()
    except (json.JSONDecodeError, binascii.Error, KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"31950: a malformed message ({type(error).__name__}: {error})") from None
    raise BadMessage(f"31951: a message with event {event!r}, expected media, mark or clear")


class MediaStream:
    """One stream. The call's clock moves it on with `tick`; `run` is its life."""

    def __init__(
        self, verb: Stream, record: CallRecord, account_sid: str, stalls: Sequence[tuple[float, float]] = ()
    ) -> None:
        """`stalls`: from when until when the network brings nothing, in seconds after the call's first sound."""
        self._stalls = stalls
        self.sid = f"MZ{token_hex(16)}"
        self._verb = verb
        self._record = record
        self._ids = {"accountSid": account_sid, "callSid": record.sid}
        self._playback = Playback()
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX)
        self._sequence = 0
        self._chunk = 0
        self._open = False

    async def run(self, signature: str) -> None:
        """Carry the call until the server closes the socket. Being cancelled ends the stream: `stop`, then close."""
        try:
            async with connect(
                self._verb.url,
                additional_headers={"x-twilio-signature": signature},
                user_agent_header="Twilio.TmeWs/1.0",
                proxy=None,
                compression=None,
                open_timeout=CONNECTING,
                close_timeout=CLOSING,
                ping_interval=None,
            ) as socket:
                await self._converse(socket)
        except (InvalidHandshake, InvalidURI) as error:
            self._record.fault(f"31920: {self._verb.url} refused the stream ({error})")
        except (OSError, TimeoutError) as error:
            self._record.fault(f"31902: {self._verb.url} cannot be reached ({type(error).__name__})")

    def tick(self, microphone: bytes, pressed: list[str]) -> bytes:
        """20 ms pass: the far end's sound and keys go out; returns what the far end hears meanwhile."""
        if not self._open:
            return SILENCE * FRAME
        for digit in pressed:
            self._send("dtmf", {"track": "inbound_track", "digit": digit})
        self._send_sound(microphone)
        frame = self._playback.next_frame()
        self._echo(frame.marks)
        self._record.heard(frame.sound[: frame.spoken])
        return frame.sound

    async def _converse(self, socket: ClientConnection) -> None:
        self._outbox.put_nowait(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        self._send("start", self._start())
        self._record.stream_started = self._record.stream_started or _now()
        self._open = True
        try:
            await first(self._write(socket), self._read(socket))
        finally:
            self._open = False
            await self._stop(socket)
        if socket.close_code not in {None, 1000, 1001}:
            self._record.fault(f"31903: the server broke the stream (WebSocket close code {socket.close_code})")

    def _start(self) -> dict[str, object]:
        return {
            "streamSid": self.sid,
            **self._ids,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._verb.parameters,
        }

    async def _write(self, socket: ClientConnection) -> None:
        try:
            while True:
                message = await self._outbox.get()
                async with asyncio.timeout(STALLED):
                    await socket.send(message)
        except ConnectionClosed:
            return
        except TimeoutError:
            self._record.fault(f"31901: the server read nothing for {STALLED:.0f} s")

    async def _read(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in socket:
                await asyncio.sleep(self._held_up())
                self._obey(message)

    def _held_up(self) -> float:
        """Seconds that the network still stands still."""
        since = _now() - (self._record.first_media or _now())
        return max([0.0, *(until - since for begun, until in self._stalls if begun <= since < until)])

    async def _stop(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(CLOSING):
                await socket.send(self._message("stop", self._ids))

    def _obey(self, message: str | bytes) -> None:
        try:
            match read(message, self.sid):
                case Media(sound):
                    self._record.first_media = self._record.first_media or _now()
                    self._record.arrivals.append((_now(), len(sound)))
                    self._playback.add(sound)
                case MarkHere(name):
                    self._echo(self._playback.mark(name))
                case Clear():
                    self._record.clears.append(_now())
                    self._echo(self._playback.clear())
        except BadMessage as error:
            self._record.fault(str(error))
        except Overflow as error:
            self._record.fault(f"31931: {error}")

    def _echo(self, marks: tuple[str, ...]) -> None:
        for name in marks:
            self._record.marks.append((name, _now()))
            self._send("mark", {"name": name})

    def _send_sound(self, sound: bytes) -> None:
        # Counted also when dropped: the server sees the gap in `chunk` and `timestamp`.
        self._chunk += 1
        if self._outbox.qsize() >= CONGESTED:
            self._record.fault("31930: the server reads too slowly, the caller's sound was dropped")
            return
        payload = b64encode(sound).decode()
        timestamp = str(self._chunk * 20)
        self._send("media", {"track": "inbound", "chunk": str(self._chunk), "timestamp": timestamp, "payload": payload})

    def _send(self, event: str, body: object) -> None:
        if self._outbox.full():
            self._record.fault(f"31930: the server reads too slowly, a {event} was dropped")
            return
        self._outbox.put_nowait(self._message(event, body))

    def _message(self, event: str, body: object) -> str:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.sid, event: body}
        return json.dumps(message, separators=(",", ":"))


def _now() -> float:
    return asyncio.get_running_loop().time()
