"""The feed: frames reach the listener in order, and the oldest are dropped when nobody listens."""

from __future__ import annotations

import asyncio

from backend.bench.virtual_time import in_virtual_time
from backend.call.feed import Feed


@in_virtual_time
async def test_frames_come_out_in_order_whether_they_were_waited_for_or_not() -> None:
    feed = Feed()
    feed.put(b"1")
    heard = [await anext(feed)]
    waiting = asyncio.create_task(anext(feed))
    await asyncio.sleep(0)
    feed.put(b"2")
    feed.put(b"3")
    assert [*heard, await waiting, await anext(feed)] == [b"1", b"2", b"3"]


@in_virtual_time
async def test_without_a_listener_the_newest_ten_seconds_are_kept() -> None:
    feed = Feed()
    for number in range(600):
        feed.put(str(number).encode())
    assert await anext(feed) == b"100"


@in_virtual_time
async def test_a_listener_that_was_cancelled_costs_no_frame() -> None:
    feed = Feed()
    waiting = asyncio.create_task(anext(feed))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    feed.put(b"1")
    assert await anext(feed) == b"1"


@in_virtual_time
async def test_frames_are_poured_in_order_until_the_end_and_no_later() -> None:
    feed, poured = Feed(), list[bytes]()
    feed.put(b"1")
    pouring = asyncio.create_task(feed.pour(poured.append))
    await asyncio.sleep(0)
    feed.put(b"2")
    assert poured == [b"1", b"2"]
    feed.end()
    await pouring
    feed.put(b"3")
    assert poured == [b"1", b"2"]


@in_virtual_time
async def test_frames_of_a_pouring_that_was_cancelled_wait_for_the_next_listener() -> None:
    feed, poured = Feed(), list[bytes]()
    pouring = asyncio.create_task(feed.pour(poured.append))
    await asyncio.sleep(0)
    pouring.cancel()
    await asyncio.wait([pouring])
    feed.put(b"1")
    assert (poured, await anext(feed)) == ([], b"1")
