"""Virtual time: an event loop whose clock jumps to the next timer whenever nothing else is left to do.

`run(coroutine)` is `asyncio.run` without the waiting, so that a ten-minute call takes milliseconds and its timing is
exact. It holds for code that reads time through `loop.time()` and asyncio's own sleeps and timeouts. Work given to
`asyncio.to_thread` or `loop.run_in_executor` is waited for in real time while the clock stands still. Sockets,
processes and other threads are not waited for: test those on the ordinary loop.
"""

from __future__ import annotations

import asyncio
import functools
import math
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
P = ParamSpec("P")

_THREADS_MAY_TAKE = 30.0
"""Real seconds; a thread that needs longer counts as stuck."""
_ROUNDS_AT_ONCE = 100_000
"""Rounds of the loop at one virtual moment; whoever needs more is going round in circles."""


class Deadlock(Exception):
    """Nothing is ready, nothing is timed, no thread is working: what is awaited can never happen.

    Or the opposite: something is always ready at once, so that the clock can never move on.
    """


class LeftRunning(Exception):
    """The coroutine returned, but tasks it started are still alive."""


def run(main: Coroutine[Any, Any, T], limit: float = 1800.0) -> T:
    """Run `main` in virtual time, from clock 0.

    Args:
        limit: virtual seconds, so that what ticks for ever fails instead of running until the test's own timeout.

    Raises:
        Deadlock: every task waits for something that no task, timer or thread can bring about.
        LeftRunning: `main` left tasks behind.
        TimeoutError: `main` was not done within `limit`.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(limit)) as runner:
        return runner.run(_tidy(main))


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make an `async def test_...` run in virtual time; fixtures are passed on."""

    @functools.wraps(test)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs))

    return wrapped


async def _tidy(main: Coroutine[Any, Any, T]) -> T:
    result = await main
    # Cancelled tasks and dropped async generators get a moment to finish unwinding.
    await asyncio.sleep(0.001)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        raise LeftRunning(_listed(left))
    return result


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self, limit: float = math.inf) -> None:
        self._clock = _Clock()
        self._clock.limit = limit
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._clock.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, *timeout: Any) -> None:
        self._clock.threads += 1
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self._clock.threads -= 1

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self._clock.threads -= 1


class _Clock(selectors.DefaultSelector):
    """Where an event loop would sleep until its next timer, the clock is moved there instead."""

    now = 0.0
    limit = math.inf
    threads = 0
    """How many pieces of work in threads are awaited."""
    rounds = 0
    """How often the loop went round since the clock last moved."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            self._go_round()
            return ready
        self.rounds = 0
        if self.threads:
            return self._thread_report()
        if timeout is None:
            raise Deadlock(_listed(asyncio.all_tasks()))
        self.now += timeout
        if self.now > self.limit:
            # Only once: unwinding may take time of its own.
            over, self.limit = self.limit, math.inf
            raise TimeoutError(f"not over after {over:.0f} virtual seconds; {_listed(asyncio.all_tasks())}")
        return ready

    def _go_round(self) -> None:
        self.rounds += 1
        if self.rounds > _ROUNDS_AT_ONCE:
            # Only once: unwinding may take rounds of its own.
            self.rounds = -_ROUNDS_AT_ONCE
            raise Deadlock(f"the clock stands still at {self.now:g} s; {_listed(asyncio.all_tasks())}")

    def _thread_report(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(_THREADS_MAY_TAKE)
        if not ready:
            raise Deadlock(f"a thread has been working for {_THREADS_MAY_TAKE:.0f} s")
        return ready


def _listed(tasks: set[asyncio.Task[Any]] | set[asyncio.Task[Any] | None]) -> str:
    return "these tasks wait: " + "; ".join(sorted(map(repr, tasks)))
