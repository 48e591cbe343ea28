"""The playback buffer: what is heard when, and which marks come back when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audio import FRAME, SILENCE
from backend.practice.playback import LONGEST, Overflow, Playback


def test_sound_is_heard_whole_in_order_and_filled_up_with_silence() -> None:
    playback = Playback()
    playback.add(b"a" * 100)
    playback.add(b"b" * 100)
    assert playback.next_frame().sound == b"a" * 100 + b"b" * 60
    last = playback.next_frame()
    assert (last.sound, last.spoken) == (b"b" * 40 + SILENCE * 120, 40)


def test_an_empty_buffer_plays_silence() -> None:
    frame = Playback().next_frame()
    assert (frame.sound, frame.spoken, frame.marks) == (SILENCE * FRAME, 0, ())


def test_a_mark_on_an_empty_buffer_comes_back_at_once() -> None:
    assert Playback().mark("now") == ("now",)


def test_a_mark_waits_until_the_frame_before_it_has_been_heard() -> None:
    playback = Playback()
    playback.add(bytes(FRAME))
    assert playback.mark("end") == ()
    assert playback.next_frame().marks == ()
    assert playback.next_frame().marks == ("end",)


def test_a_mark_sent_while_the_last_frame_sounds_waits_for_its_end() -> None:
    playback = Playback()
    playback.add(bytes(FRAME))
    playback.next_frame()
    assert playback.mark("end") == ()
    assert playback.next_frame().marks == ("end",)


def test_clear_drops_the_sound_and_returns_every_pending_mark() -> None:
    playback = Playback()
    for name in ("one", "two", "three"):
        playback.add(bytes(FRAME))
        playback.mark(name)
    playback.next_frame()
    assert playback.next_frame().marks == ("one",)
    assert playback.clear() == ("two", "three")
    assert playback.next_frame().spoken == 0


def test_more_than_ten_minutes_of_sound_are_refused_and_what_waits_stays() -> None:
    playback = Playback()
    playback.add(bytes(LONGEST))
    with pytest.raises(Overflow):
        playback.add(b"x")
    assert playback.waiting == LONGEST


Step = st.one_of(
    st.binary(max_size=700),
    st.just("mark"),
    st.just("clear"),
    st.integers(1, 6),
)


@given(st.lists(Step, max_size=60))
def test_no_byte_is_lost_and_no_mark_comes_back_before_its_sound(steps: list[bytes | str | int]) -> None:
    playback = Playback()
    sent = cleared = over = 0  # bytes; `over` counts those whose frame has ended
    audible = heard = b""  # what was sent and not cleared, and how much of it has begun to play
    placed: list[int] = []  # by mark, the audible bytes before it
    returned = 0

    def came_back(names: tuple[str, ...], so_far: int) -> None:
        nonlocal returned
        for name in names:
            assert name == str(returned)
            assert placed[returned] <= so_far
            returned += 1

    for step in steps:
        match step:
            case bytes():
                playback.add(step)
                sent += len(step)
                audible += step
            case "mark":
                placed.append(len(audible))
                came_back(playback.mark(str(len(placed) - 1)), over)
            case "clear":
                cleared += playback.waiting
                came_back(playback.clear(), len(audible))
                assert returned == len(placed)
                audible = heard
            case int():
                for _ in range(step):
                    over = len(heard)
                    frame = playback.next_frame()
                    assert len(frame.sound) == FRAME
                    heard += frame.sound[: frame.spoken]
                    came_back(frame.marks, over)
        assert heard == audible[: len(heard)]
        assert len(heard) + cleared + playback.waiting == sent
    playback.clear()
    assert playback.next_frame().spoken == 0
