"""The carrier's time: real, or a multiple of it so that tests of long calls are short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from backend.audio import FRAME, RATE


@dataclass(frozen=True, slots=True)
class Clock:
    speed: float = 1.0
    """Seconds of a call that pass in one second."""

    async def sleep(self, seconds: float | None) -> None:
        """None: until cancelled."""
        if seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(seconds / self.speed)

    async def each_frame(self, tick: Callable[[], None]) -> NoReturn:
        """Call `tick` every 20 ms. Late ticks are made up for, so that sound never drifts behind the clock."""
        loop = asyncio.get_running_loop()
        length = FRAME / RATE / self.speed
        due = loop.time()
        while True:
            tick()
            due += length
            await asyncio.sleep(max(0.0, due - loop.time()))
