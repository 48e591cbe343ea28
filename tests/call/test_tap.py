"""Both sides of a call at once: what comes in, and what the carrier plays meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from backend.audio import FRAME, SILENCE
from backend.call.tap import Mirror, Pair, Tap, Tapped
from backend.models import Digit, Ended, LineEvent, Mark, Sound

_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.integers(1, 2000)),
        st.tuples(st.just("next"), st.integers(1, 400)),
        st.tuples(st.just("skip"), st.integers(1, 400)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=40,
)


def numbered(place: int, length: int) -> bytes:
    """Sound that tells, byte by byte, at which place of all that was ever played it stands; never silence."""
    return bytes((place + i) % 255 for i in range(length))


@given(_STEPS)
def test_the_mirror_gives_what_was_played_in_order_and_once_and_nothing_else(steps: list[tuple[str, int]]) -> None:
    mirror, played, expected = Mirror(), 0, bytearray()
    for step, length in steps:
        match step:
            case "play":
                expected += numbered(played, length)
                mirror.play(numbered(played, length))
                played += length
            case "clear":
                expected.clear()
                mirror.clear()
            case "skip":
                del expected[:length]
                mirror.skip(length)
            case _:
                assert mirror.next(length) == bytes(expected[:length]).ljust(length, SILENCE)
                del expected[:length]


@given(st.lists(st.integers(1, 1000), max_size=10), st.integers(0, 500))
def test_nothing_of_what_was_dropped_is_heard(sounds: list[int], heard: int) -> None:
    mirror = Mirror()
    for length in sounds:
        mirror.play(b"\x01" * length)
    mirror.next(heard)
    mirror.clear()
    mirror.play(b"\x02" * 10)
    assert mirror.next(200) == b"\x02" * 10 + SILENCE * 190


class Wire:
    """A line whose events the test gives, and which notes what is sent."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[LineEvent] = asyncio.Queue()
        self.sent: list[object] = []

    async def pour(self, take: Callable[[LineEvent], None]) -> None:
        event: LineEvent | None = None
        while not isinstance(event, Ended):
            event = await self.coming.get()
            take(event)

    async def play(self, sound: bytes, mark: str = "") -> None:
        self.sent.append((sound, mark))

    async def clear(self) -> None:
        self.sent.append("clear")

    async def hang_up(self, farewell: str = "") -> None:
        self.sent.append(("hang up", farewell))

    async def transfer(self) -> None:
        self.sent.append("transfer")


async def test_a_tapped_line_is_the_same_line() -> None:
    wire = Wire()
    line = Tapped(wire, Tap())
    events: list[LineEvent] = [Sound(b"\x01" * FRAME), Mark("1"), Digit("5"), Ended("over")]
    for event in events:
        wire.coming.put_nowait(event)
    await line.play(b"\x02")
    await line.play(b"\x03", "1")
    await line.clear()
    await line.transfer()
    await line.hang_up("Bye.")
    taken: list[LineEvent] = []
    await line.pour(taken.append)
    assert taken == events
    assert wire.sent == [(b"\x02", ""), (b"\x03", "1"), "clear", "transfer", ("hang up", "Bye.")]


async def test_each_listener_hears_both_sides_in_step_from_when_it_came_until_the_end() -> None:
    wire, tap = Wire(), Tap()
    line = Tapped(wire, tap)
    reading = asyncio.create_task(_read(line))
    await line.play(b"\x10" * 400)
    await _come(wire, b"\x01" * FRAME)
    with tap.listener() as first, tap.listener() as second:
        await _come(wire, b"\x02" * FRAME)
        await _come(wire, b"\x03" * FRAME)
        tap.close()
        expected = [
            Pair(b"\x02" * FRAME, b"\x10" * FRAME),
            Pair(b"\x03" * FRAME, (b"\x10" * 80).ljust(FRAME, SILENCE)),
        ]
        assert [pair async for pair in first] == expected
        assert [pair async for pair in second] == expected
    assert not tap.hears
    wire.coming.put_nowait(Ended("over"))
    await reading


async def test_who_listens_too_slowly_loses_the_oldest_and_holds_up_nobody() -> None:
    wire, tap = Wire(), Tap()
    reading = asyncio.create_task(_read(Tapped(wire, tap)))
    with tap.listener() as listener:
        for number in range(100):
            await _come(wire, bytes([number]) * FRAME)
        tap.close()
        heard = [pair.callee[0] async for pair in listener]
    assert heard == list(range(75, 100)), "half a second is kept, and the newest of it"
    wire.coming.put_nowait(Ended("over"))
    await reading


async def test_a_call_that_ends_lets_those_go_who_wait_for_more() -> None:
    tap = Tap()
    with tap.listener() as listener:
        waiting = asyncio.create_task(anext(listener, None))
        await asyncio.sleep(0)
        tap.close()
        assert await waiting is None


async def _read(line: Tapped) -> None:
    await line.pour(lambda _: None)


async def _come(wire: Wire, sound: bytes) -> None:
    """This much comes in, and is taken."""
    wire.coming.put_nowait(Sound(sound))
    for _ in range(3):
        await asyncio.sleep(0)
