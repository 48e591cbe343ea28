"""Text to speech with ElevenLabs: one warm multi-context websocket for a whole call, one context for each clause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from itertools import chain, count, repeat
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from backend.models import Denied, ProviderError, Spoken, Trouble, Voiced
from backend.money.tally import Tally, Unit
from backend.proxy import proxy_to
from backend.tts import elevenlabs_wire as wire
from backend.tts.alignment import Alignment


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    opening: float = 5.0
    """For a websocket's handshake."""
    first_sound: float = 2.5
    """From asking for a clause to its first sound, a reopening of the socket included."""
    stall: float = 2.5
    """Between two pieces of a clause; also for the vendor to take a message."""
    keepalive: float = 10.0
    """Of our silence before a keepalive is sent; the vendor allows 180."""
    pauses: tuple[float, ...] = (0, 0.25, 0.5, 1, 2)
    """Before each attempt to reopen a socket that voiced nothing; the last one repeats."""


class ElevenLabs:
    """A voice for one call. Implements `seams.TextToSpeech`.

    Opening goes on in the background from entering to leaving: the call does not wait for it and does not fail with
    it. Only `say` finds out, and says so.
    """

    def __init__(
        self,
        url: str,
        key: str,
        voice: str,
        model: str,
        patience: Patience = Patience(),
        tally: Tally | None = None,
    ) -> None:
        """`tally`: where the call counts what it uses."""
        self._model, self._tally = model, tally or Tally()
        self._address = wire.address(url, voice, model)
        self._key = key
        self._patience = patience
        self._numbers = count(1)
        self._tasks = asyncio.TaskGroup()
        self._socket: _Socket | None = None
        self._trouble = ProviderError("ElevenLabs has not answered yet")
        """Why there is no socket, while there is none."""
        self._changed = asyncio.Event()
        """Set when somebody who waits for a socket should look again."""

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._opening = self._tasks.create_task(self._stay_open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._opening.cancel()
        # The group is not told of `error`: it would come out wrapped in an ExceptionGroup.
        await self._tasks.__aexit__(None, None, None)

    async def say(self, text: str) -> AsyncGenerator[Voiced, None]:
        """Voice one clause. A socket that fails on the way is replaced once; only words not yet voiced are sent again.

        Raises:
            ProviderError: see `seams.TextToSpeech`.
        """
        clause, failed = Alignment(text), None
        while clause.rest.strip():
            if failed:
                yield Trouble(f"{failed}; the rest of the sentence was asked for again")
            deadline = asyncio.get_running_loop().time() + self._patience.first_sound
            socket = await self._with_room(deadline)
            self._tally.use(Unit.CHARACTERS, self._model, len(clause.rest.strip()))
            try:
                with socket.context(str(next(self._numbers)), clause.rest) as inbox:
                    while message := await inbox.get(deadline):
                        if piece := clause.take(message.sound, message.letters):
                            yield piece
                        deadline = asyncio.get_running_loop().time() + self._patience.stall
                break
            except Denied:
                raise
            except ProviderError as error:
                clause.restart()
                if failed and clause.rest.strip():
                    raise
                failed = error
        if piece := clause.finish():
            yield piece

    async def _with_room(self, deadline: float) -> _Socket:
        """The open socket, once it has room for another context."""
        try:
            async with asyncio.timeout_at(deadline):
                while not (self._socket and self._socket.has_room):
                    if self._opening.done():
                        raise self._trouble
                    self._changed.clear()
                    await self._changed.wait()
                return self._socket
        except TimeoutError:
            if not self._socket:
                raise self._trouble from None
            # Contexts given up on never got their final message: this socket will have no room again.
            self._socket.abort()
            raise ProviderError("ElevenLabs does not finish earlier sentences, so no new one can begin") from None

    async def _stay_open(self) -> None:
        """Hold a socket open, one after the other, until cancelled or refused."""
        pauses = self._pauses()
        while True:
            self._trouble, useful = await self._hold_one()
            self._changed.set()
            if isinstance(self._trouble, Denied):
                return
            if useful:
                pauses = self._pauses()
            await asyncio.sleep(next(pauses))

    def _pauses(self) -> Iterator[float]:
        return chain(self._patience.pauses, repeat(self._patience.pauses[-1]))

    async def _hold_one(self) -> tuple[ProviderError, bool]:
        """Open a socket and serve it to its end: why it ended, and whether it voiced anything."""
        try:
            async with connect(
                self._address,
                additional_headers={"xi-api-key": self._key},
                compression=None,
                proxy=proxy_to(self._address),
                open_timeout=self._patience.opening,
                close_timeout=1,
                max_size=4 * 2**20,
            ) as connection:
                socket = self._socket = _Socket(connection, self._patience, self._changed.set)
                self._changed.set()
                try:
                    return await socket.serve(), socket.useful
                finally:
                    self._socket = None
        except (OSError, TimeoutError, WebSocketException, ImportError) as error:
            return wire.unreachable(error), False


class _Inbox:
    """What has come for one context. The reader never waits for a consumer: one that takes nothing (a reply prepared
    and held behind a gate) must not stop the sound of another. A clause's sound fits with room to spare; a context
    that gets more than that fails alone, without a gap in what it was given.
    """

    LIMIT = 4096
    """Messages; each is some 100 ms of sound."""

    def __init__(self) -> None:
        self.used = False
        """Whether anything was put in."""
        self._queue: asyncio.Queue[wire.Message | ProviderError | None] = asyncio.Queue(self.LIMIT + 1)

    def put(self, message: wire.Message) -> bool:
        """Whether there was room."""
        self.used = True
        if self._queue.qsize() < self.LIMIT:
            self._queue.put_nowait(message)
            return True
        self.end(ProviderError("ElevenLabs sent more sound than a sentence can have"))
        return False

    def end(self, why: ProviderError | None) -> None:
        """The last entry, for which there is always room: nothing, or what went wrong."""
        self._queue.put_nowait(why)

    async def get(self, deadline: float) -> wire.Message | None:
        """The next message, or nothing after the final one.

        Raises:
            ProviderError: the context failed.
            TimeoutError: the deadline has passed.
        """
        async with asyncio.timeout_at(deadline):
            entry = await self._queue.get()
        if isinstance(entry, ProviderError):
            raise entry
        return entry


class _Socket:
    """One open websocket: a reader that sorts messages by context, and a writer that is the only one to send."""

    def __init__(self, connection: ClientConnection, patience: Patience, changed: Callable[[], None]) -> None:
        self.useful = False
        """Whether it has voiced anything."""
        self._connection = connection
        self._patience = patience
        self._changed = changed
        self._ended = False
        self._outbox: asyncio.Queue[str] = asyncio.Queue(64)
        self._live: dict[str, _Inbox | None] = {}
        """Contexts without a final message yet; without an inbox once given up on, and still counted by the vendor."""

    @property
    def has_room(self) -> bool:
        return not self._ended and len(self._live) < wire.CONTEXTS

    @contextmanager
    def context(self, name: str, text: str) -> Iterator[_Inbox]:
        """Have this text voiced. Left early, what still comes is dropped: the vendor voices flushed text to its end
        whatever is sent, and the context's one close went out with the text.

        A deadline missed inside ends the socket: one that has gone quiet is not worth another sentence.
        """
        inbox = self._live[name] = _Inbox()
        for message in wire.clause(name, text):
            self._send(message)
        try:
            yield inbox
        except TimeoutError:
            self.abort()
            raise ProviderError("ElevenLabs sent no sound in time") from None
        finally:
            if name in self._live:
                self._live[name] = None

    def abort(self) -> None:
        """End it without a closing handshake, which a vendor that no longer answers would not give."""
        self._ended = True
        self._connection.transport.abort()

    async def serve(self) -> ProviderError:
        """Read and write until the socket ends, then fail every context on it: why it ended."""
        why = ProviderError("ElevenLabs was left, so no more sound will come")
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write())
                why = await self._read()
                writing.cancel()
            self.abort()
        finally:
            self._end(why)
        return why

    def _end(self, why: ProviderError) -> None:
        self._ended = True
        for inbox in filter(None, self._live.values()):
            inbox.end(why)
        self._live.clear()

    async def _read(self) -> ProviderError:
        try:
            async for raw in self._connection:
                self._sort(wire.read(raw))
        except ProviderError as error:
            # The vendor closes the socket after an error, whichever context it was for.
            return error
        except ConnectionClosed:
            pass
        return wire.closed(self._connection.close_code, self._connection.close_reason)

    def _sort(self, message: wire.Message) -> None:
        """Give a message to the context it names; sound for no one, or for one given up on, is dropped."""
        name = message.context or ""
        inbox = self._live.get(name)
        self.useful = self.useful or bool(message.sound)
        if inbox and (message.sound or message.letters) and not inbox.put(message):
            self._live[name] = inbox = None
        if message.final and name in self._live:
            del self._live[name]
            self._changed()
            if inbox:
                inbox.end(None if inbox.used else ProviderError("ElevenLabs ended a sentence without any sound"))

    def _send(self, message: str) -> None:
        """Never waits, so that an interruption does not either."""
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            self.abort()

    async def _write(self) -> None:
        while True:
            message = await self._next_to_send()
            try:
                async with asyncio.timeout(self._patience.stall):
                    await self._connection.send(message)
            except (TimeoutError, ConnectionClosed):
                self.abort()
                return

    async def _next_to_send(self) -> str:
        try:
            async with asyncio.timeout(self._patience.keepalive):
                return await self._outbox.get()
        except TimeoutError:
            return wire.KEEPALIVE


async def check(url: str, key: str, voice: str, model: str) -> None:
    """Have one word voiced: the only sure proof that key, voice, model and quota will do. Costs a few characters.

    Raises:
        ProviderError: what is wrong and what to do about it.
    """
    async with ElevenLabs(url, key, voice, model) as voiced, aclosing(voiced.say("Hello.")) as pieces:
        async for piece in pieces:
            if isinstance(piece, Spoken):
                return
