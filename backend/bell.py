"""What wakes the one task that waits for something: sound that has come, a gate that has moved."""

from __future__ import annotations

import asyncio


class Bell:
    """Made inside the running loop.

    An `asyncio.Event` does the same for any number of tasks, but looks for its loop, by a system call, at each wait.
    And one that is to end by itself needs a timeout around it, which cancels the task and catches that again.
    """

    __slots__ = ("_loop", "_rung", "_waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        self._rung = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, until: float | None = None) -> None:
        """Until it rings, if it has not since the last wait, or until this moment of the loop's clock."""
        if not self._rung:
            self._waiter = self._loop.create_future()
            timer = None if until is None else self._loop.call_at(until, self.ring)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer:
                    timer.cancel()
        self._rung = False
