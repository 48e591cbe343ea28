"""What counts as late is measured, and asking twice never costs more than its share."""

from __future__ import annotations

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.hedge import SHARE, Budget, Pace

TIMES = st.floats(min_value=0, max_value=30)


def paced(*times: float) -> Pace:
    pace = Pace(Budget())
    for seconds in times:
        pace.answered(seconds)
    return pace


# --- the budget -------------------------------------------------------------------------------------------------


@given(st.lists(st.booleans(), max_size=400))
def test_second_requests_never_exceed_their_share_of_the_ordinary_ones(wanted: list[bool]) -> None:
    budget, second = Budget(), 0
    for ordinary, late in enumerate(wanted, 1):
        budget.earn()
        second += late and budget.spend()
        assert second * 100 <= ordinary * SHARE


@given(st.lists(st.booleans(), min_size=50, max_size=400), st.data())
def test_no_burst_follows_a_quiet_time(wanted: list[bool], data: st.DataObject) -> None:
    """In any stretch of requests there are at most three more than its own share."""
    budget, spent = Budget(), []
    for late in wanted:
        budget.earn()
        spent.append(late and budget.spend())
    first = data.draw(st.integers(0, len(spent) - 1))
    last = data.draw(st.integers(first, len(spent)))
    assert sum(spent[first:last]) <= 3 + (last - first) * SHARE / 100


def test_whoever_always_wants_a_second_request_gets_the_whole_share() -> None:
    budget, second = Budget(), 0
    for _ in range(2000):
        budget.earn()
        second += budget.spend()
    assert second == 2000 * SHARE // 100


def test_a_long_quiet_time_saves_up_three_second_requests() -> None:
    budget = Budget()
    for _ in range(1000):
        budget.earn()
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]


def test_a_cold_start_has_nothing_to_spend() -> None:
    assert not Budget().spend()


# --- the pace -----------------------------------------------------------------------------------------------------


@given(st.lists(TIMES, max_size=9))
def test_a_few_answers_prove_nothing(times: list[float]) -> None:
    assert paced(*times).late_after == 1.0


@given(st.lists(TIMES, min_size=10, max_size=200))
def test_at_most_fifteen_in_a_hundred_of_the_last_answers_were_late(times: list[float]) -> None:
    late_after, known = paced(*times).late_after, times[-50:]
    assert late_after >= 0.3
    assert sum(seconds > late_after for seconds in known) <= len(known) * 0.15


@given(st.lists(TIMES, min_size=10, max_size=200))
def test_late_is_never_far_beyond_the_slow_answers(times: list[float]) -> None:
    """At least fifteen in a hundred took as long as the percentile, above which there is only the margin."""
    late_after, known = paced(*times).late_after, times[-50:]
    usual = min(late_after - 0.05, late_after / 1.1)
    assert late_after == 0.3 or sum(seconds >= usual - 1e-9 for seconds in known) >= math.floor(len(known) * 0.15) + 1


@given(st.floats(min_value=0.3, max_value=2), st.lists(st.floats(0, 0.04), min_size=10, max_size=60))
def test_jitter_around_a_nearly_constant_time_is_not_late(usual: float, jitter: list[float]) -> None:
    pace = paced(*(usual + more for more in jitter))
    assert usual + 0.04 < pace.late_after < usual * 1.1 + 0.1


def test_a_tail_does_not_hide_itself() -> None:
    """Second requests cut the slow answers short; their share of the known times stays what it is all the same."""
    pace = paced(*[0.4] * 40)
    before = pace.late_after
    for number in range(100):
        if number % 10:
            pace.answered(0.4)
        else:
            pace.overtaken(before + 0.4)
        assert pace.late_after == pytest.approx(before)


def test_the_pace_follows_a_model_that_becomes_slower() -> None:
    pace = paced(*[0.4] * 50)
    quick = pace.late_after
    for _ in range(50):
        pace.answered(0.9)
    assert quick == pytest.approx(0.45)
    assert pace.late_after == pytest.approx(0.99)


def test_the_deadlines_of_a_failing_model_do_not_make_its_replacement_wait() -> None:
    pace = paced(*[0.4] * 40)
    for _ in range(10):
        pace.overtaken(2.6)
        pace.failed()
    assert pace.late_after == 1.0
    pace.answered(0.4)
    assert pace.late_after > 2.6


@given(st.lists(st.sampled_from(["answered", "overtaken", "failed"])))
def test_failing_means_twice_in_a_row_without_an_answer(history: list[str]) -> None:
    pace = Pace(Budget())
    for what in history:
        if what == "failed":
            pace.failed()
        else:
            getattr(pace, what)(0.5)
    *_, in_a_row = accumulate(
        history, lambda n, what: {"failed": n + 1, "overtaken": n, "answered": 0}[what], initial=0
    )
    assert pace.failing == (in_a_row >= 2)
