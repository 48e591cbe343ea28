"""One operator's browser at one call: it hears both sides, and talks to the callee while it has taken the call over.

To the browser go a text message for each change, and binary ones of sound: half of the bytes are the callee's side, the
other half what the callee hears. From it come commands as words, and its microphone's sound as binary messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.answers import Running
from backend.call.tap import Tap
from backend.models import Hands
from backend.practice.race import first
from backend.switchboard.switchboard import CallOver, NoSuchCall

_LOOK = 0.25
"""Seconds between two looks at whose hands the call is in."""
_STALLED = 5.0
"""Seconds the browser has to take what is sent."""
_MUTE = 2.0
"""Seconds without a sound of the microphone, which sends silence too, after which nobody is there."""
_TAKES_EFFECT = 2.0
"""Seconds until an order shows in whose hands the call is."""
_LARGEST = 4096
"""Bytes in one message of the microphone: half a second, where 20 ms are usual."""

LOST_VOICE = "Your microphone fell silent, so the agent was given the call back."
TAKEN = "{} is talking to them already."


class Board(Protocol):
    """What a headset needs of the switchboard."""

    def tap(self, call_id: str) -> Tap: ...
    def running(self) -> list[Running]: ...
    async def take_over(self, call_id: str, by: str = "") -> None: ...
    async def hand_back(self, call_id: str, by: str = "") -> None: ...
    def speak(self, call_id: str, mulaw: bytes) -> bool: ...


class Headsets:
    """Which of them talks in which call: one at most, since two voices would be mixed up."""

    def __init__(self) -> None:
        self.talking: dict[str, Headset] = {}


class Headset:
    """`serve` is its life, from the accepted websocket until the call is over or the browser gone."""

    def __init__(self, socket: WebSocket, board: Board, headsets: Headsets, call_id: str, by: str) -> None:
        self._socket, self._board, self._headsets = socket, board, headsets
        self._call_id = call_id
        self.by = by
        """The operator's name; empty where nobody signs in."""
        self._listens = asyncio.Event()
        self._changed = asyncio.Event()
        self._told: dict[str, object] = {}
        self._settled = 0.0
        """From then on the call must be in the operator's hands, else somebody has taken it out of them."""

    async def serve(self) -> None:
        try:
            tap = self._board.tap(self._call_id)
        except (NoSuchCall, CallOver):
            await self._bid_farewell()
            return
        try:
            await first(self._tell(tap), self._give(tap), self._obey())
        finally:
            await self._let_go()
        if tap.closed:
            await self._bid_farewell()

    @property
    def talks(self) -> bool:
        """Whether its microphone reaches the callee."""
        return self._headsets.talking.get(self._call_id) is self

    # --- to the browser ---------------------------------------------------------------------------------------

    async def _tell(self, tap: Tap) -> None:
        """Say what has changed, until the call is over."""
        with _gone():
            while not tap.closed:
                await self._send(self._news())
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK):
                        await self._changed.wait()

    def _news(self) -> dict[str, object]:
        found = next((running for running in self._board.running() if running.call_id == self._call_id), None)
        hands = found.hands if found else Hands.AGENT
        if self.talks and hands is not Hands.OPERATOR and asyncio.get_running_loop().time() > self._settled:
            # Given back from somewhere else, such as the live page.
            del self._headsets.talking[self._call_id]
        ringing = found is None or found.phase == "ringing"
        return {"state": "ringing" if ringing else "talking", "hands": hands, "yours": self.talks}

    async def _send(self, news: dict[str, object]) -> None:
        if news == self._told:
            return
        self._told = news
        async with asyncio.timeout(_STALLED):
            await self._socket.send_json(news)

    async def _trouble(self, what: str) -> None:
        async with asyncio.timeout(_STALLED):
            await self._socket.send_json({"trouble": what})

    async def _give(self, tap: Tap) -> None:
        """Both sides' sound, whenever the operator listens."""
        with _gone():
            while not tap.closed:
                await self._listens.wait()
                with tap.listener() as pairs:
                    async for pair in pairs:
                        if not self._listens.is_set():
                            break
                        async with asyncio.timeout(_STALLED):
                            await self._socket.send_bytes(pair.callee + pair.agent)

    async def _bid_farewell(self) -> None:
        with _gone():
            await self._send({"state": "over"})
            async with asyncio.timeout(_STALLED):
                await self._socket.close()

    # --- from the browser -------------------------------------------------------------------------------------

    async def _obey(self) -> None:
        """Follow commands and pass the microphone on until the browser leaves, or says what no page of ours says."""
        with _gone(), suppress(ValueError):
            while message := await self._next():
                if sound := message.get("bytes"):
                    self._speak(sound)
                else:
                    await self._do(message.get("text") or "")

    async def _next(self) -> MutableMapping[str, Any] | None:
        """The next message; None once the browser has left."""
        while True:
            try:
                async with asyncio.timeout(_MUTE if self.talks else None):
                    message = await self._socket.receive()
                    return message if message["type"] == "websocket.receive" else None
            except TimeoutError:
                await self._let_go()
                await self._trouble(LOST_VOICE)

    def _speak(self, sound: bytes) -> None:
        if len(sound) > _LARGEST:
            raise ValueError(f"{len(sound)} bytes of sound at once")
        if self.talks:
            self._board.speak(self._call_id, sound)

    async def _do(self, command: str) -> None:
        match command:
            case "listen":
                self._listens.set()
            case "stop":
                self._listens.clear()
            case "take-over":
                await self._take_over()
            case "hand-back":
                await self._let_go()
            case _:
                raise ValueError(f"no command: {command[:40]!r}")

    async def _take_over(self) -> None:
        other = self._headsets.talking.setdefault(self._call_id, self)
        if other is not self:
            await self._trouble(TAKEN.format(other.by or "Somebody else"))
            return
        self._settled = asyncio.get_running_loop().time() + _TAKES_EFFECT
        try:
            await self._board.take_over(self._call_id, self.by)
        except (NoSuchCall, CallOver) as error:
            self._headsets.talking.pop(self._call_id, None)
            await self._trouble(str(error))
        self._changed.set()

    async def _let_go(self) -> None:
        """The callee must never be left with nobody: where this one talked, the agent goes on."""
        if self.talks:
            del self._headsets.talking[self._call_id]
            with suppress(NoSuchCall, CallOver):
                await self._board.hand_back(self._call_id, self.by)
        self._changed.set()


@contextmanager
def _gone() -> Iterator[None]:
    """A browser that has left, or takes nothing any more, is the end of its headset and no fault."""
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        yield
