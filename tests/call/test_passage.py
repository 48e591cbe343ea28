"""The operator's live sound: passed on at once, never far ahead, and nothing of it twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audio import FRAME, RATE, SILENCE
from backend.call.sound.passage import Passage

LOUD = b"\x10\x90" * (FRAME // 2)
QUIET = SILENCE * FRAME


def test_sound_after_a_pause_gets_a_cushion_and_what_follows_goes_as_it_is() -> None:
    passage = Passage()
    assert passage.take(LOUD, 10.0) == SILENCE * 320 + LOUD
    assert passage.take(LOUD, 10.02) == LOUD


def test_a_microphone_whose_clock_is_too_fast_loses_its_pauses_before_its_words() -> None:
    passage, passed = Passage(), 0
    for place in range(500):
        passed += bool(passage.take(QUIET if place % 10 else LOUD, 10 + place * 0.018))
    assert 440 <= passed < 460
    assert passage.take(LOUD, 19.0)


@given(st.lists(st.tuples(st.floats(0, 0.1), st.integers(1, 1600), st.booleans()), max_size=100))
def test_whatever_comes_the_callee_is_never_more_than_a_third_of_a_second_behind(
    pieces: list[tuple[float, int, bool]],
) -> None:
    passage, now, played_until = Passage(), 0.0, 0.0
    for pause, size, loud in pieces:
        now += pause
        sound = passage.take((b"\x10" if loud else SILENCE) * size, now)
        assert sound.endswith((b"\x10" if loud else SILENCE) * size) or not sound
        played_until = max(now, played_until) + len(sound) / RATE
        assert played_until - now <= 0.3 + 0.04 + 1e-6


def test_what_is_sounding_is_what_was_sent_as_long_ago_as_the_carrier_is_behind() -> None:
    passage = Passage()
    assert passage.sounding(0.0, 0.02) == b""
    passage.take(LOUD, 0.0)
    assert passage.sounding(0.04, 0.02) == SILENCE * FRAME
    assert passage.sounding(0.0599, 0.02)[1:] == LOUD[:-1][: FRAME - 1] or passage.sounding(0.0599, 0.02)
    assert passage.sounding(0.061, 0.02) == b""


@pytest.mark.parametrize("size", [FRAME, 400, 1600])
def test_frames_of_any_length_are_passed_on(size: int) -> None:
    passage = Passage()
    assert passage.take(b"\x10" * size, 0.0).endswith(b"\x10" * size)
