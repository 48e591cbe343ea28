"""A small ElevenLabs on this machine, for demos, tests and benchmarks: both text-to-speech websockets as documented.

It refuses what the vendor refuses, and its speech is a tone for each character, so that the sound tells what was said.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from backend import audio
from backend.loopback.elevenlabs_rules import Context, Json, Refused, Rules, parsed
from backend.loopback.elevenlabs_speech import Reader, Speech, sound_of, toned

__all__ = ["Complain", "Connection", "Die", "LoopbackElevenLabs", "Stall", "sound_of"]


@dataclass(frozen=True, slots=True)
class Die:
    """The connection breaks off once this many bytes of sound were sent on it."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Stall:
    """The connection stays open and sends no more sound after this many bytes."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Complain:
    """The vendor reports this error after this many bytes of sound, and closes."""

    error: str
    after: int = 0


Fault = Die | Stall | Complain


@dataclass(frozen=True, slots=True)
class Voiced:
    """A text that was voiced. Times are in `loop.time()`."""

    text: str
    asked: float
    """When its turn to be voiced came."""
    sent: float
    """When its sound began to be sent."""
    speech: Speech


class LoopbackElevenLabs:
    """Serves while entered. `connections` and `spoken` stay readable afterwards."""

    def __init__(
        self,
        *,
        key: str = "loopback-key",
        voice: str = "loopbackvoice",
        first_byte: float = 0.13,
        speed: float = 6.0,
        chunks: Sequence[int] = (1601, 799, 2403),
        snake: bool = False,
        second: float = 1.0,
        faults: Iterable[Fault | None] = (),
        read: Reader = toned,
        port: int = 0,
    ) -> None:
        """
        Args:
            first_byte: seconds from text to the first sound of a context.
            speed: times real time; `math.inf` sends all at once.
            chunks: bytes of sound in a message, over and over.
            snake: spell keys `context_id` instead of `contextId`; the vendor has been seen to do both.
            second: length of the vendor's second, to make its inactivity timeout short in tests.
            faults: what goes wrong on the first, second, ... connection.
            read: what its voice sounds like.
            port: 0 for any that is free.
        """
        self.key, self.voice = key, voice
        self.first_byte, self.speed, self.chunks, self.snake, self.second = first_byte, speed, chunks, snake, second
        self.connections: list[Connection] = []
        self.open_sockets = 0
        self.spoken = 0
        """Bytes of sound made and sent."""
        self.voiced: list[Voiced] = []
        self.read = read
        self._faults = iter(faults)
        self._port = port
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._server: Server = await serve(
            self._serve, "127.0.0.1", self._port, compression=None, process_request=_not_found, close_timeout=1
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def until(self, true: Callable[[], bool], within: float = 5) -> None:
        """Wait until this holds; looked at whenever a message came, sound went, or a connection opened or closed.

        Raises:
            TimeoutError: it did not hold within so many seconds.
        """
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(true)

    async def changed(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, socket: ServerConnection) -> None:
        connection = Connection(self, socket, next(self._faults, None))
        self.connections.append(connection)
        self.open_sockets += 1
        await self.changed()
        try:
            await connection.serve()
        finally:
            self.open_sockets -= 1
            await self.changed()


def _not_found(socket: ServerConnection, request: Request) -> Response | None:
    match urlsplit(request.path).path.split("/"):
        case ["", "v1", "text-to-speech", _, "stream-input" | "multi-stream-input"]:
            return None
    return socket.respond(HTTPStatus.NOT_FOUND, "Not Found\n")


class Connection:
    """One connection: what the client asked for and sent, for tests to read."""

    def __init__(self, server: LoopbackElevenLabs, socket: ServerConnection, fault: Fault | None) -> None:
        assert socket.request is not None
        parts = urlsplit(socket.request.path)
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query))
        self.headers = {name.lower(): value for name, value in socket.request.headers.raw_items()}
        """Names in lower case."""
        self.messages: list[Json] = []
        self.sent = 0
        """Bytes of sound."""
        self.most_contexts = 0
        """The most that were ever live at a time."""
        self._server, self._socket, self._fault = server, socket, fault
        self._sizes = cycle(server.chunks)
        self._due: dict[Context, asyncio.Queue[str | None]] = {}

    async def serve(self) -> None:
        """Until either side ends it. The vendor upgrades first and only then says what it refuses."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._listen(tasks)
            await self._socket.close()
        except* ConnectionClosed:
            pass
        except* Refused as refused:
            await self._complain(*refused.exceptions[0].args)

    async def _complain(self, error: str, said: str) -> None:
        with suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"message": said, "error": error, "code": 1008}))
        await self._socket.close(1008, said[:120])

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        """Take messages until the client ends its input; its going raises ConnectionClosed and stops all speech."""
        server = self._server
        rules = Rules(server.key, server.voice, self.path, self.query, self.headers)
        while not rules.over:
            message = await self._receive(rules)
            for context, text in rules.take(message):
                if context not in self._due:
                    self._due[context] = asyncio.Queue(64)
                    tasks.create_task(self._speak(context, rules))
                await self._due[context].put(text)
            self.most_contexts = max(self.most_contexts, len(rules.live))
            await server.changed()

    async def _receive(self, rules: Rules) -> Json:
        try:
            async with asyncio.timeout(rules.timeout * self._server.second):
                message = parsed(await self._socket.recv())
        except TimeoutError:
            raise rules.silent() from None
        self.messages.append(message)
        return message

    async def _speak(self, context: Context, rules: Rules) -> None:
        """Voice what is due until the end, or until nothing has come for too long."""
        clock, delay = asyncio.get_running_loop(), self._server.first_byte
        while (text := await self._next_due(context, rules)) is not None:
            if text:
                asked = clock.time()
                speech = await self._server.read(text)
                await asyncio.sleep(max(0, asked + delay - clock.time()))
                self._server.voiced.append(Voiced(text, asked, clock.time(), speech))
                await self._utter(context, speech)
                delay = 0
        await self._strike()
        rules.finish(context)
        del self._due[context]
        await self._send(context, audio=None, isFinal=True)

    async def _next_due(self, context: Context, rules: Rules) -> str | None:
        try:
            async with asyncio.timeout(rules.timeout * self._server.second):
                return await self._due[context].get()
        except TimeoutError:
            context.ended = True
            return None

    async def _utter(self, context: Context, speech: Speech) -> None:
        clock, server = asyncio.get_running_loop(), self._server
        sound, at, begun = speech.sound, 0, clock.time()
        while at < len(sound):
            left = await self._strike()
            piece = sound[at : at + min(next(self._sizes), left)]
            timing = self._spelt(**speech.timing(at, at + len(piece)))
            spoken = base64.b64encode(piece).decode()
            await self._send(context, audio=spoken, isFinal=None, alignment=timing, normalizedAlignment=timing)
            at += len(piece)
            self.sent += len(piece)
            server.spoken += len(piece)
            await server.changed()
            await asyncio.sleep(max(0, begun + audio.seconds(at) / server.speed - clock.time()))

    async def _strike(self) -> int:
        """Let the fault happen if its time has come; else how many bytes of sound are left until then."""
        if self._fault is None or self.sent < self._fault.after:
            return self._fault.after - self.sent if self._fault else sys.maxsize
        match self._fault:
            case Complain(error):
                raise Refused(error, "This error was asked for.")
            case Die():
                self._socket.transport.abort()
        await self._socket.wait_closed()
        return 0

    async def _send(self, context: Context, **message: Any) -> None:
        if context.name is not None:
            message["contextId"] = context.name
        await self._socket.send(json.dumps(self._spelt(**message)))

    def _spelt(self, **message: Any) -> Json:
        if not self._server.snake:
            return message
        return {re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), key): message[key] for key in message}
