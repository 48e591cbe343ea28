"""The bell: no ring is missed, none is heard twice, and a wait ends at its moment."""

from __future__ import annotations

import asyncio

import pytest

from backend.bell import Bell
from backend.bench.virtual_time import in_virtual_time


@in_virtual_time
async def test_a_wait_ends_when_it_rings_and_not_before() -> None:
    bell, now = Bell(), asyncio.get_running_loop().time
    asyncio.get_running_loop().call_later(3, bell.ring)
    began = now()
    await bell.wait()
    assert now() - began == pytest.approx(3)


@in_virtual_time
async def test_a_ring_that_nobody_waited_for_ends_the_next_wait_and_only_that() -> None:
    bell, now = Bell(), asyncio.get_running_loop().time
    bell.ring()
    bell.ring()
    began = now()
    await bell.wait(began + 1)
    assert now() == began
    await bell.wait(began + 1)
    assert now() - began == pytest.approx(1)


@in_virtual_time
async def test_a_wait_that_was_cancelled_or_has_rung_leaves_no_timer_behind() -> None:
    bell, loop = Bell(), asyncio.get_running_loop()
    waiting = asyncio.create_task(bell.wait(loop.time() + 5))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    loop.call_later(1, bell.ring)
    await bell.wait(loop.time() + 5)
    began = loop.time()
    await bell.wait(began + 100)
    assert loop.time() - began == pytest.approx(100)
