"""Speech to text with Deepgram over one websocket a call, in either of its dialects; a socket that breaks is replaced,
and the sound of the unfinished turn replayed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from backend import audio
from backend.models import Heard, ProviderError, Trouble
from backend.money.tally import Tally, Unit
from backend.money.tally import key as counted_as
from backend.proxy import proxy_to
from backend.seams import Pouring
from backend.stt import deepgram_wire as wire
from backend.stt.link import Link
from backend.stt.tape import Tape

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the client waits for what. Everything in seconds."""

    opening: float = 10.0
    """For the first socket, Flux's `Connected` included: a refused parameter may be answered by nothing at all."""
    reopening: float = 5.0
    """For a new socket in the middle of a call, where every second is dead air."""
    pauses: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    """Before each try to open one; after the last, recognition is lost."""
    steady: float = 10.0
    """A socket that served this long was good: its loss does not count as a failed try."""
    gap: float = 0.5
    """Without sound from the line, until silence is sent instead."""
    mute: float = 8.0
    """Without a message in the middle of a turn, until a socket counts as broken. Above Flux's `eot_timeout_ms`."""
    farewell: float = 1.0
    """For the last words after the sound has ended."""


class Deepgram:
    """`SpeechToText`. Entering opens the socket; silence keeps it open until `listen` brings the line's sound.

    Silence, not KeepAlive, in both dialects: Flux knows no KeepAlive, v1 closes a fresh socket that gets nothing else,
    and in both a turn ends only when the server hears that nothing more is said.

    Raises:
        ProviderError: on entering or from `listen`, when Deepgram refuses or cannot be reached.
    """

    MOST_UNREAD = 500
    """Events kept for a listener that does not listen; beyond that the oldest is forgotten."""

    def __init__(
        self,
        url: str,
        key: str,
        model: str,
        keyterms: Sequence[str] = (),
        patience: Patience | None = None,
        tally: Tally | None = None,
    ) -> None:
        """`tally`: where the call counts what it uses."""
        self._counts, self._counted = (tally or Tally()).used, counted_as(Unit.SOUND, model)
        self._dialect = wire.dialect(model)
        self._url, self._key, self._model = url, key, model
        self._terms = tuple(keyterms) if wire.takes_keyterms(model) else ()
        self._patience = patience or Patience()
        self._tape = Tape()
        self._fresh = asyncio.Event()
        """Set when there is a chunk to send that has to wait for the network, or no more sound will come."""
        self._fed = 0.0
        """When the tape last got sound."""
        self._events: asyncio.Queue[Heard | None] = asyncio.Queue(self.MOST_UNREAD)
        self._tries = 0
        self.trouble = ""
        """What was refused of the call though the socket is open."""

    async def __aenter__(self) -> Self:
        socket = await self._connect(self._patience.opening, "no try was made")
        self._tries = 0
        self._clock = asyncio.get_running_loop().time
        self._fed = self._clock()
        self._link = Link(socket, self._clock(), 0, 0, self._count)
        self._life = asyncio.create_task(self._live(), name="deepgram")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await _stop(self._life)
        await self._link.socket.close()

    async def listen(self, sound: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
        """See `SpeechToText.listen`. Once per call. What was said when `sound` ends is yielded as a last turn."""
        feeding = asyncio.create_task(self._feed(sound), name="deepgram-sound")
        try:
            while (event := await self._events.get()) is not None:
                yield event
            await asyncio.wait([self._life])
            if not self._life.cancelled():
                self._life.result()
            await feeding
        finally:
            await _stop(feeding)

    async def _feed(self, sound: AsyncIterator[bytes]) -> None:
        try:
            if isinstance(sound, Pouring):
                await sound.pour(self._add)
            else:
                async for piece in sound:
                    self._add(piece)
            self._tape.ended = True
            self._fresh.set()
            # Flux answers CloseStream with nothing that could be waited for.
            await asyncio.wait([self._life], timeout=self._patience.farewell)
        finally:
            self._life.cancel()

    def _add(self, sound: bytes) -> None:
        self._tape.add(sound)
        self._fed = self._clock()
        # The sender is only for what has to wait: waking it for each of a call's chunks would be dear.
        link = self._link
        while self._has_chunk(link):
            if not link.send_now(self._tape):
                self._fresh.set()
                return

    def _count(self, sent: int) -> None:
        self._counts[self._counted] += sent * 1000 // audio.RATE

    def _has_chunk(self, link: Link) -> bool:
        return self._tape.end - link.cursor >= self._dialect.chunk

    async def _live(self) -> None:
        """Serve the call on one socket after another until its sound has ended."""
        try:
            while lost := await self._serve(self._link):
                self._link = await self._reconnect(self._link, lost)
        finally:
            self._tell(*self._dialect.finish(), None)

    async def _serve(self, link: Link) -> str:
        """Until the sound has ended, or the socket is lost: the answer is why."""
        try:
            async with asyncio.TaskGroup() as both:
                sending = both.create_task(self._send(link), name="deepgram-send")
                bridging = both.create_task(self._bridge(), name="deepgram-silence")
                lost = await self._receive(link)
                sending.cancel()
                bridging.cancel()
            return lost
        finally:
            await link.socket.close()

    async def _receive(self, link: Link) -> str:
        try:
            while True:
                async with asyncio.timeout(self._patience.mute if self._dialect.in_turn else None):
                    message = wire.parsed(await link.socket.recv())
                if message.get("type") == "Error":
                    return wire.complaint(message)
                link.answered = True
                self._tell(*self._dialect.hear(message))
        except TimeoutError:
            return "it fell silent in the middle of a turn"
        except ConnectionClosed as closed:
            return "" if self._tape.ended else wire.reason(closed)

    async def _send(self, link: Link) -> None:
        # A closed socket is reported by the receiving side, which also knows why.
        with suppress(ConnectionClosed):
            while await self._more(link):
                if not link.send_now(self._tape):
                    await link.send(self._tape)
            await link.socket.send('{"type":"CloseStream"}')

    async def _more(self, link: Link) -> bool:
        """Wait for a chunk of sound; False when everything was sent."""
        while not self._has_chunk(link) and not self._tape.ended:
            self._fresh.clear()
            await self._fresh.wait()
        return link.cursor < self._tape.end

    async def _bridge(self) -> None:
        """Add silence where the line brings no sound."""
        gap = self._patience.gap
        while not self._tape.ended:
            if (left := self._fed + gap - self._clock()) > 0:
                await asyncio.sleep(left)
            else:
                self._add(audio.SILENCE * int(gap * audio.RATE))

    async def _reconnect(self, lost: Link, why: str) -> Link:
        if lost.answered and self._clock() - lost.opened >= self._patience.steady:
            self._tries = 0
        socket = await self._connect(self._patience.reopening, why)
        place = lost.origin + round(self._dialect.resume() * audio.RATE)
        place = min(max(place, self._tape.start), self._tape.end)
        replayed = audio.seconds(self._tape.end - place)
        self._tell(Trouble(f"Deepgram's connection broke ({why}); a new one heard the last {replayed:.1f} s again."))
        return Link(socket, self._clock(), place, place, self._count)

    async def _connect(self, within: float, why: str) -> ClientConnection:
        """Open a socket, trying again after short pauses; `why` is what is known so far of the failure."""
        last: Exception | None = None
        try:
            async with asyncio.timeout(within):
                for pause in self._patience.pauses[self._tries :]:
                    self._tries += 1
                    await asyncio.sleep(pause)
                    try:
                        return await self._open()
                    except (OSError, WebSocketException, ImportError) as error:
                        last, why = error, wire.reason(error)
                        _LOG.info("Deepgram could not be opened: %s", why)
        except TimeoutError:
            why = f"no answer within {within:g} s"
        raise wire.given_up(self._url, why, last)

    async def _open(self) -> ClientConnection:
        """One try, and another one without keyterms where it may be these that are refused.

        Raises:
            Denied: Deepgram refuses and would do so again.
            OSError, WebSocketException, ImportError: another try may succeed.
        """
        try:
            return await self._upgraded()
        except InvalidStatus as refused:
            if refused.response.status_code == 400 and self._terms:
                self._terms = ()
                socket = await self._open()
                self.trouble = f"Deepgram refused the names of this call as keyterms ({wire.reason(refused)})."
                self._tell(Trouble(self.trouble))
                return socket
            if denied := wire.denied(refused, self._model):
                raise denied from None
            raise

    async def _upgraded(self) -> ClientConnection:
        socket = await connect(
            wire.address(self._url, self._dialect, self._model, self._terms),
            additional_headers={"Authorization": f"Token {self._key}"},
            proxy=proxy_to(self._url),
            compression=None,
            open_timeout=None,
            ping_interval=5,
            ping_timeout=5,
            close_timeout=0.5,
        )
        try:
            if self._dialect.greets:
                wire.welcomed(wire.parsed(await socket.recv()))
        except BaseException:
            await socket.close()
            raise
        return socket

    def _tell(self, *events: Heard | None) -> None:
        for event in events:
            if self._events.full():
                self._events.get_nowait()
            self._events.put_nowait(event)


async def check(url: str, key: str, model: str) -> None:
    """Open a socket as a call would, with a name to listen for, and close it.

    Raises:
        ProviderError: key, model or keyterms were refused, or Deepgram cannot be reached.
    """
    async with Deepgram(url, key, model, ["Alex"]) as deepgram:
        if deepgram.trouble:
            raise ProviderError(
                f"{deepgram.trouble} Calls work, but mishear names: check DEEPGRAM_MODEL ({model}) in .env."
            )


async def _stop(task: asyncio.Task[None]) -> None:
    """Cancel and wait. Asking for the exception marks it as seen: whoever it concerns was told by `listen`."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
