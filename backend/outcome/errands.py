"""What is still to be done for calls that are over: one after the other, and again later where it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

_LOG = logging.getLogger(__name__)

_MOST_WAITING = 500
"""Calls; whoever needs longer than these take to end will not catch up."""


class Errands:
    """Enter it to have them run; leaving stops at once, and what is not done by then is dropped."""

    def __init__(self, name: str, run: Callable[[str], Awaitable[None]], again: Sequence[float]) -> None:
        """
        Args:
            name: what is done, for the log.
            run: does it for the call with this id; it must end by itself.
            again: seconds after its first, second, ... failure until it is asked for again.
        """
        self._name, self._run, self._again = name, run, again
        self._waiting: asyncio.Queue[str] = asyncio.Queue(_MOST_WAITING)
        self._failures: dict[str, int] = {}
        """By call, how often it has failed; those under way only."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work(), name=self._name)
        return self

    async def __aexit__(self, *error: object) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def add(self, call_id: str) -> bool:
        """Have it done for this call, soon; False: too many others wait."""
        self._timers.pop(call_id, None)
        if self._waiting.full():
            return False
        self._waiting.put_nowait(call_id)
        return True

    def failed(self, call_id: str, ask: Callable[[str], object]) -> bool:
        """It failed: `ask` for it again later; False where that was done as often as makes sense."""
        failures = self._failures.pop(call_id, 0)
        if failures >= len(self._again):
            return False
        self._failures[call_id] = failures + 1
        self._timers[call_id] = asyncio.get_running_loop().call_later(self._again[failures], ask, call_id)
        return True

    def settled(self, call_id: str) -> None:
        """It is done, or given up."""
        self._failures.pop(call_id, None)

    async def done(self) -> None:
        """Wait until nothing is to be done, apart from what failed and is asked for again later."""
        await self._waiting.join()

    async def _work(self) -> None:
        while True:
            call_id = await self._waiting.get()
            try:
                await self._run(call_id)
            except Exception:
                # Those of all other calls go on.
                _LOG.exception("%s of call %s failed", self._name, call_id)
            finally:
                self._waiting.task_done()
