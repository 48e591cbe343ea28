"""The phone of a practice call in somebody's browser: it rings there, and they talk with the agent themselves.

The carrier has it as the call's `FarEnd`; a page's websocket shows it and works it (`routes/softphone.py`). Either may
come first, and pages may come and go while it rings.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from enum import StrEnum
from weakref import WeakValueDictionary

from backend.audio import FRAME, level, seconds
from backend.practice.clock import Clock
from backend.practice.handset import Handset
from backend.practice.race import first

READY = 3
"""Frames of the browser's that are waited for, 60 ms, so that one that comes late leaves no gap."""
MOUTH = 25
"""Frames of the browser's that may wait to be spoken, half a second; then the oldest go."""
QUIET = -50.0
"""dB below full scale; frames below it are left out where many wait, so that a delay does not last."""
EAR = 25
"""Frames that may wait for the browser, half a second; then it misses the oldest."""

PATIENCE = 30.0
"""Seconds a browser waits for the phone to ring."""


class State(StrEnum):
    """What the browser is to show."""

    WAITING = "waiting"
    """It has not rung yet."""
    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"


class Softphone:
    """One call's phone. A `FarEnd`; the other methods are for whoever has it on a screen."""

    def __init__(self) -> None:
        self.state = State.WAITING
        self._taken = False
        self._choice: bool | None = None
        self._chosen = asyncio.Event()
        self._put_down = asyncio.Event()
        self._handset: Handset | None = None
        self._spoken: asyncio.Queue[bytes] = asyncio.Queue(MOUTH)
        self._heard: deque[bytes] = deque(maxlen=EAR)
        self._news = asyncio.Event()

    # --- for the carrier --------------------------------------------------------------------------------------

    async def ring(self, clock: Clock) -> bool:
        self._enter(State.RINGING)
        picked_up = False
        try:
            await self._chosen.wait()
            picked_up = self._choice is True
        finally:
            if not picked_up:
                self._enter(State.OVER)
        return picked_up

    async def answer(self, handset: Handset) -> None:
        self._handset = handset
        self._enter(State.TALKING)
        try:
            await first(self._put_down.wait(), self._listen(handset), self._speak(handset))
        finally:
            self._enter(State.OVER)

    async def _listen(self, handset: Handset) -> bool:
        async for frame in handset.hear():
            self._heard.append(frame)
            self._news.set()
        return True

    async def _speak(self, handset: Handset) -> bool:
        """Frames come unevenly: a few are gathered, and again whenever one came too late."""
        while True:
            sound = b"".join([await self._spoken.get() for _ in range(READY)])
            while sound:
                await handset.speak(sound)
                sound = await self._next()

    async def _next(self) -> bytes:
        """The next frame, if it comes while the one before is being spoken."""
        if not self._spoken.empty():
            frame = self._spoken.get_nowait()
            while self._spoken.qsize() >= READY and level(frame) < QUIET:
                frame = self._spoken.get_nowait()
            return frame
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds(FRAME)):
                return await self._spoken.get()
        return b""

    def _enter(self, state: State) -> None:
        self.state = state
        self._news.set()

    # --- for the browser --------------------------------------------------------------------------------------

    def take(self) -> bool:
        """Hold the phone; False while another browser does."""
        taken, self._taken = self._taken, True
        return not taken

    def leave(self) -> None:
        """The browser is gone: whoever was talking has hung up; what rings rings on."""
        self._taken = False
        self.hang_up()

    async def shown(self) -> AsyncIterator[State | bytes]:
        """What to show and, 20 ms at a time, to play: from how things stand now until the call is over.

        Raises:
            TimeoutError: it does not begin to ring; perhaps there is no such call any more.
        """
        shown: State | None = None
        while shown is not State.OVER:
            if shown is not self.state:
                shown = self.state
                yield shown
            elif self._heard:
                yield self._heard.popleft()
            else:
                self._news.clear()
                async with asyncio.timeout(PATIENCE if shown is State.WAITING else None):
                    await self._news.wait()

    def pick_up(self) -> None:
        self._choose(True)

    def decline(self) -> None:
        self._choose(False)

    def hang_up(self) -> None:
        if self._choice:
            self._put_down.set()

    async def press(self, key: str) -> None:
        """Press a key while talking.

        Raises:
            ValueError: no phone has this key.
        """
        if self._handset and self.state is State.TALKING:
            await self._handset.press(key)

    def speak(self, sound: bytes) -> None:
        """20 ms from the microphone."""
        if self.state is not State.TALKING or len(sound) != FRAME:
            return
        if self._spoken.full():
            self._spoken.get_nowait()
        self._spoken.put_nowait(sound)

    def _choose(self, picked_up: bool) -> None:
        if self.state is State.RINGING and self._choice is None:
            self._choice = picked_up
            self._chosen.set()


class Softphones:
    """The softphones of all calls, each for as long as the carrier or a browser has it."""

    def __init__(self) -> None:
        self._phones: WeakValueDictionary[str, Softphone] = WeakValueDictionary()

    def of(self, call_id: str) -> Softphone:
        return self._phones.setdefault(call_id, Softphone())
