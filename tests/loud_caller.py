"""A callee that can be measured: it makes the sound of speech by plan, and notes when its earpiece was loud."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from backend import audio
from backend.bench.delays import FRAME
from backend.practice.clock import Clock
from backend.practice.handset import Handset

LOUD = -45.0
"""dBFS. Quieter than the loopback voice's blanks, so that all its speech counts."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How one turn is taken. Seconds."""

    speaks: float = 1.2
    after: float = 0.6
    """The agent must have been quiet for so long."""
    interrupts: float = 0.0
    """Instead of waiting for quiet, begin after so much of the agent's speech."""


@dataclass
class Caller:
    """A `FarEnd` for one call. All times are in `loop.time()`."""

    plan: Sequence[Turn] = ()
    leaves: float | None = None
    """After its turns, hang up when the agent has spoken for so many seconds; None: wait to be hung up on."""
    rings: float = 0.4
    patience: float = 90.0
    """Seconds after which it hangs up, whatever the agent does."""
    spoke: list[tuple[float, float]] = field(default_factory=list)
    """When the sound of each turn began and ended."""
    frames: list[tuple[float, bool]] = field(default_factory=list)
    """What the earpiece played, as `figures.Frames`."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _spoken: float = 0.0
    """Seconds of the agent's speech since our last turn, or since we began to wait for some."""
    _quiet: float = 0.0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ring(self, clock: Clock) -> bool:
        await clock.sleep(self.rings)
        return True

    async def answer(self, handset: Handset) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.patience), asyncio.TaskGroup() as group:
                    listening = group.create_task(self._listen(handset))
                    await self._take_turns(handset)
                    if self.leaves is not None:
                        await self._moment(Turn(interrupts=self.leaves))
                        listening.cancel()
        finally:
            self.over.set()

    async def _take_turns(self, handset: Handset) -> None:
        for turn in self.plan:
            await self._moment(turn)
            began = _now()
            await handset.speak(noise(turn.speaks, seed=len(self.spoke)))
            self.spoke.append((began, _now()))
            self._spoken = 0.0

    async def _listen(self, handset: Handset) -> None:
        async for frame in handset.hear():
            loud = audio.level(frame) > LOUD
            self.frames.append((_now(), loud))
            self._spoken += FRAME * loud
            self._quiet = 0.0 if loud else self._quiet + FRAME
            self._news.set()

    async def _moment(self, turn: Turn) -> None:
        """Until it is this turn's moment."""
        if turn.interrupts:
            self._spoken = 0.0
        while not (self._spoken >= turn.interrupts if turn.interrupts else self._spoken and self._quiet >= turn.after):
            self._news.clear()
            await self._news.wait()


def noise(seconds: float, seed: int) -> bytes:
    """Sound as loud as speech that never repeats, in whole frames."""
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds / FRAME) * audio.FRAME)
    return audio.encode(samples.astype(np.float32))


def _now() -> float:
    return asyncio.get_running_loop().time()
