"""What an answer's delay is made of."""

from __future__ import annotations

from itertools import pairwise

import _waterfall
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.models import Speaker, Turn, TurnState
from backend.storage.measures import delays

ms = st.floats(0, 9000)


def answer(**timings: float) -> Turn:
    return Turn(3, Speaker.AGENT, "Yes.", "Yes.", TurnState.DONE, 1.0, None, timings)


@given(st.fixed_dictionaries({"decided": ms, "first_sound": ms}, optional={"first_clause": ms, "first_voice": ms}))
def test_the_steps_of_an_answer_follow_one_another_without_a_gap(timings: dict[str, float]) -> None:
    steps = _waterfall.steps([answer(**timings)])
    assert steps[0].begins == 0
    assert all(one.ends == other.begins for one, other in pairwise(steps))
    assert all(step.ends >= step.begins for step in steps)
    assert steps[-1].ends * 1000 >= delays([answer(**timings)])[3] - 1e-6


def test_each_step_has_its_own_time() -> None:
    turn = answer(decided=260, first_token=200, first_clause=250, first_voice=400, first_sound=440)
    took = [(step.name, round(step.ends - step.begins, 3)) for step in _waterfall.steps([turn])]
    assert took == [("End of turn", 0.26), ("Model", 0.25), ("Voice", 0.15), ("Line", 0.04)]


def test_what_was_not_thought_out_has_no_steps() -> None:
    assert _waterfall.steps([answer(first_sound=20)]) == []


@pytest.mark.parametrize(("share", "value"), [(0.5, 10), (0.95, 19), (1.0, 20), (0.01, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert _waterfall.percentile([float(n) for n in range(20, 0, -1)], share) == value
