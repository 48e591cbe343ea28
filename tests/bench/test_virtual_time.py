"""The virtual clock keeps asyncio's order, and fails loudly where real time would only hang."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator

import pytest

from backend.bench.virtual_time import Deadlock, LeftRunning, in_virtual_time, run


def test_an_hour_passes_in_no_time_and_exactly() -> None:
    async def sleep() -> float:
        await asyncio.sleep(1799.5)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run(sleep()) == 1799.5
    assert time.monotonic() - began < 1


def test_timers_fire_in_order_of_time_whatever_order_they_were_set_in() -> None:
    async def race() -> list[tuple[str, float]]:
        loop, seen = asyncio.get_running_loop(), []

        async def after(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            seen.append((name, loop.time()))

        async with asyncio.TaskGroup() as tasks:
            for seconds, name in ((3.0, "last"), (1.0, "first"), (2.0, "middle")):
                tasks.create_task(after(seconds, name))
        return seen

    assert run(race()) == [("first", 1.0), ("middle", 2.0), ("last", 3.0)]


def test_a_thousand_frames_of_20_ms_take_20_seconds() -> None:
    async def ticks() -> float:
        for _ in range(1000):
            await asyncio.sleep(0.02)
        return asyncio.get_running_loop().time()

    assert run(ticks()) == pytest.approx(20, abs=1e-6)


@in_virtual_time
async def test_a_timeout_fires_at_its_virtual_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(45):
            await asyncio.sleep(60)
    assert asyncio.get_running_loop().time() == 45


@in_virtual_time
async def test_a_decorated_test_still_gets_its_fixtures(tmp_path: object) -> None:
    assert tmp_path
    assert asyncio.get_running_loop().time() == 0


def test_a_wait_that_nothing_can_end_is_a_deadlock_naming_the_task() -> None:
    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    async def in_a_task() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wait_for_ever())

    with pytest.raises(Deadlock, match="wait_for_ever"):
        run(in_a_task())


def test_tasks_unwind_after_a_deadlock() -> None:
    unwound = []

    async def guarded() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            unwound.append(True)

    with pytest.raises(Deadlock):
        run(guarded())
    assert unwound == [True]


def test_going_round_in_circles_without_time_passing_is_a_deadlock_too() -> None:
    unwound = []

    async def spin() -> None:
        try:
            while True:
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(1)
            unwound.append(True)

    with pytest.raises(Deadlock, match=r"stands still at 0 s.*tidy"):
        run(spin())
    assert unwound == [True]


def test_the_clock_stands_still_while_a_thread_works() -> None:
    async def with_a_thread() -> tuple[bool, float]:
        on_a_thread = threading.Event()

        def work() -> bool:
            time.sleep(0.05)
            on_a_thread.set()
            return threading.current_thread() is not threading.main_thread()

        async with asyncio.timeout(0.01):
            elsewhere = await asyncio.to_thread(work)
        assert on_a_thread.is_set()
        return elsewhere, asyncio.get_running_loop().time()

    assert run(with_a_thread()) == (True, 0.0)


def test_what_ticks_for_ever_meets_the_limit() -> None:
    async def tick() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0.02)

    with pytest.raises(TimeoutError, match="not over after 10 virtual seconds"):
        run(tick(), limit=10)


def test_a_task_left_behind_is_reported_and_cancelled() -> None:
    cancelled, kept = [], []

    async def forgotten() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def careless() -> None:
        kept.append(asyncio.create_task(forgotten()))
        await asyncio.sleep(1)

    with pytest.raises(LeftRunning, match="forgotten"):
        run(careless())
    assert cancelled == [True]


def test_an_async_generator_that_was_dropped_is_not_taken_for_a_task_left_behind() -> None:
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def first() -> int:
        async for number in numbers():
            return number
        return 0

    assert run(first()) == 1
    assert closed == [True]


def test_what_the_coroutine_raises_comes_out() -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        run(fail())
