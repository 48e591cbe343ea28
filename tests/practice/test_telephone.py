"""The far end's phone on the carrier's clock, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backend.audio import FRAME, SILENCE
from backend.bench.virtual_time import run
from backend.practice.clock import Clock
from backend.practice.race import first
from backend.practice.telephone import EAR, Telephone


class Exchange:
    """A telephone that is moved on every 20 ms, and what it spoke."""

    def __init__(self) -> None:
        self.phone = Telephone()
        self.spoken = b""
        self.pressed: list[str] = []
        self.ticks = 0

    def tick(self) -> None:
        sound, pressed = self.phone.take()
        self.spoken += sound
        self.pressed += pressed
        self.phone.give(bytes([self.ticks % 256]) * FRAME)
        self.ticks += 1


@asynccontextmanager
async def exchange() -> AsyncIterator[Exchange]:
    there = Exchange()
    clock = asyncio.create_task(Clock().each_frame(there.tick))
    try:
        yield there
    finally:
        clock.cancel()
        await asyncio.gather(clock, return_exceptions=True)


def test_the_clock_does_not_drift() -> None:
    async def main() -> int:
        async with exchange() as there:
            await asyncio.sleep(60.01)
            return there.ticks

    assert run(main()) == 60 * 50 + 1


def test_speaking_takes_as_long_as_the_sound_and_joins_on_without_a_gap() -> None:
    async def main() -> tuple[float, bytes]:
        async with exchange() as there:
            began = asyncio.get_running_loop().time()
            await there.phone.speak(b"a" * FRAME * 25 + b"b" * 60)
            await there.phone.speak(b"b" * 100 + b"c" * FRAME * 25)
            took = asyncio.get_running_loop().time() - began
            return took, there.spoken.strip(SILENCE)

    took, spoken = run(main())
    assert took == pytest.approx(51 * 0.02, abs=0.021)
    assert spoken == b"a" * FRAME * 25 + b"b" * FRAME + b"c" * FRAME * 25


def test_cancelling_stops_the_speech() -> None:
    async def main() -> int:
        async with exchange() as there:
            speech = asyncio.create_task(there.phone.speak(b"a" * FRAME * 100))
            await asyncio.sleep(0.5)
            speech.cancel()
            await asyncio.gather(speech, return_exceptions=True)
            await asyncio.sleep(0.5)
            return len(there.spoken.strip(SILENCE))

    assert run(main()) in {FRAME * 25, FRAME * 26}


def test_every_listener_hears_every_frame_until_the_call_is_over() -> None:
    async def listen(phone: Telephone) -> list[int]:
        return [frame[0] async for frame in phone.hear()]

    async def main() -> list[list[int]]:
        async with exchange() as there:
            async with asyncio.TaskGroup() as group:
                both = [group.create_task(listen(there.phone)) for _ in range(2)]
                await asyncio.sleep(1.01)
                there.phone.hang_up()
            return [task.result() for task in both]

    one, other = run(main())
    assert one == other == list(range(one[0], one[0] + len(one)))
    assert len(one) >= 50


def test_after_the_call_nothing_is_heard_and_speaking_returns() -> None:
    async def main() -> list[bytes]:
        phone = Telephone()
        phone.hang_up()
        await phone.speak(b"a" * FRAME * 10)
        return [frame async for frame in phone.hear()]

    assert run(main()) == []


def test_a_slow_listener_misses_the_oldest_frames_only() -> None:
    async def main() -> list[int]:
        async with exchange() as there:
            ear = there.phone.hear()
            heard = [(await anext(ear))[0]]
            await asyncio.sleep(4.01)
            there.phone.hang_up()
            heard += [frame[0] async for frame in ear]
            return heard

    heard = run(main())
    assert heard == sorted(heard)
    assert len(heard) <= EAR + 1


def test_keys_are_passed_on_and_unknown_ones_refused() -> None:
    async def main() -> list[str]:
        async with exchange() as there:
            await there.phone.press("5")
            await there.phone.press("#")
            with pytest.raises(ValueError, match="no key 'x'"):
                await there.phone.press("x")
            await asyncio.sleep(0.03)
            return there.pressed

    assert run(main()) == ["5", "#"]


def test_the_first_to_end_wins_and_the_others_are_awaited() -> None:
    undone: list[str] = []

    async def late(seconds: float, name: str) -> str:
        try:
            await asyncio.sleep(seconds)
            return name
        finally:
            undone.append(name)

    assert run(first(late(2, "slow"), late(1, "quick"), late(3, "slower"))) == "quick"
    assert sorted(undone) == ["quick", "slow", "slower"]
