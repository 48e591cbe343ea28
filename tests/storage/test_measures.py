"""How quick the agent was, from the turns of a call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.models import Speaker, Turn, TurnState
from backend.storage.measures import columns, dead_air, delays


def turn(number: int, speaker: Speaker, started: float, ended: float | None = None, **timings: float) -> Turn:
    return Turn(number, speaker, "words", "words", TurnState.DONE, started, ended, timings)


ASKED = turn(2, Speaker.CALLEE, 3.0, 5.0)


def test_only_answers_that_were_thought_out_have_a_delay() -> None:
    opening = turn(1, Speaker.AGENT, 1.0, 2.0, first_sound=300.0)
    answer = turn(3, Speaker.AGENT, 6.0, 7.0, decided=250.0, first_sound=650.0)
    assert delays([opening, ASKED, answer]) == {3: 900.0}


def test_dead_air_is_the_longest_silence_in_which_the_agent_was_due() -> None:
    answers = [turn(3, Speaker.AGENT, 6.0, 7.0, decided=250.0, first_sound=650.0), turn(4, Speaker.CALLEE, 8.0, 9.0)]
    late = turn(5, Speaker.AGENT, 12.5, 13.0)
    assert dead_air([ASKED, *answers, late]) == 3.5
    assert dead_air([ASKED, *answers]) == 0.9


def test_a_callee_who_had_to_ask_again_waited_until_then() -> None:
    assert dead_air([ASKED, turn(3, Speaker.CALLEE, 9.0, 10.0)]) == 4.0


def test_notes_end_no_silence() -> None:
    note, answer = turn(3, Speaker.NOTE, 5.5, 5.5), turn(4, Speaker.AGENT, 7.0)
    assert dead_air([ASKED, note, answer]) == 2.0


@pytest.mark.parametrize(
    "others",
    [
        [],
        [turn(3, Speaker.OPERATOR, 9.0, 10.0)],
        [turn(3, Speaker.NOTE, 9.0, 10.0)],
    ],
)
def test_whoever_was_not_due_left_no_silence(others: list[Turn]) -> None:
    assert dead_air([turn(1, Speaker.AGENT, 1.0, 2.0), ASKED, *others]) is None


def test_a_call_in_which_nothing_was_measured_has_empty_columns() -> None:
    assert columns([]) == {"delay_typical": None, "delay_worst": None, "dead_air": None}


@given(st.lists(st.floats(0, 1e5), min_size=1))
def test_the_typical_answer_is_no_slower_than_the_slowest(waits: list[float]) -> None:
    turns = [turn(n, Speaker.AGENT, 10.0 * n, decided=0.0, first_sound=ms) for n, ms in enumerate(waits, start=1)]
    measured = columns(turns)
    typical, worst, silence = measured["delay_typical"], measured["delay_worst"], measured["dead_air"]
    assert typical is not None and worst == max(waits) and typical <= worst
    assert silence == pytest.approx(worst / 1000)
