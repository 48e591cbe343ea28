"""When, how often and for how much may be called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.hours import Hours
from backend.models import Refused
from backend.telephony.gate import described
from backend.telephony.limits import DAY, HOUR, check_cost, check_frequency, check_hour

NOON = 1_800_000_000.0
NEW_YORK, OTHER, TOLL_FREE, RUSSIAN = "+12025550143", "+12025550144", "+18005550199", "+79123456789"
DAYTIME = Hours(8, 21)


def at(clock: str) -> float:
    """A winter's day in UTC; New York is five hours behind."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 1, 20, hour, minute, tzinfo=UTC).timestamp()


def refusal(number: str, now: float, day: Hours | None = DAYTIME) -> str:
    try:
        check_hour(described(number), now, day)
    except Refused as refused:
        return str(refused)
    return ""


# --- at what hour ---------------------------------------------------------------------------------------------------


def test_a_night_call_is_refused_with_the_time_there_and_when_it_is_possible() -> None:
    said = refusal(NEW_YORK, at("08:12"))
    assert said.startswith(
        "It is 03:12 where (202) 555-0143 rings (United States), and calls are placed from 08:00 to 21:00 there: "
        "this one is possible in 4 hours 48 minutes."
    )
    assert "--any-hour" in said and "CALLING_HOURS" in said


@pytest.mark.parametrize(("clock", "refused"), [("12:59", True), ("13:00", False), ("01:59", False), ("02:00", True)])
def test_a_call_is_placed_from_the_first_hour_until_the_last_one_begins(clock: str, refused: bool) -> None:
    assert bool(refusal(NEW_YORK, at(clock))) == refused


def test_a_number_that_may_ring_where_it_is_day_is_called() -> None:
    assert refusal(TOLL_FREE, at("16:00")) == "", "it is 11:00 in New York, and 06:00 in Honolulu"
    assert refusal(TOLL_FREE, at("08:12")).startswith("It is 22:12 to 03:12 where (800) 555-0199 rings")


def test_at_any_time_nobody_asks_what_time_it_is() -> None:
    assert refusal(NEW_YORK, at("08:12"), None) == ""


@given(st.floats(0, 4e9), st.sampled_from([NEW_YORK, RUSSIAN, "+442079460958", "+12125550143", "+81312345678"]))
def test_what_is_refused_now_is_allowed_when_the_refusal_says(now: float, number: str) -> None:
    said = refusal(number, now)
    if said:
        hours, _, minutes = said.split(" possible in ")[1].split(".")[0].partition(" hour")
        wait = 60 * int(hours) if minutes else 0
        minutes = minutes.removeprefix("s").strip() if minutes else hours
        wait += int(minutes.split()[0]) if minutes else 0
        assert 0 < wait <= 24 * 60
        assert refusal(number, now + 60 * wait) == "", said


# --- how often ------------------------------------------------------------------------------------------------------


def test_within_the_limits_of_an_hour_a_call_may_be_placed() -> None:
    check_frequency(NEW_YORK, [], NOON, 1, 1)
    check_frequency(NEW_YORK, [(NEW_YORK, NOON - HOUR), (NEW_YORK, NOON - HOUR - 5), (OTHER, NOON - 10)], NOON, 2, 1)


@pytest.mark.parametrize(
    ("placed", "per_hour", "wait"),
    [
        ([NOON - 3000], 1, "10 minutes"),
        ([NOON - 3599], 1, "1 minute"),
        ([NOON - 61, NOON - 3541], 2, "1 minute"),
        ([NOON - 60, NOON - 1800, NOON - 3000, NOON - 9999], 2, "30 minutes"),
        ([NOON, NOON], 1, "60 minutes"),
    ],
)
def test_over_the_limit_it_says_when_the_next_call_is_possible(placed: list[float], per_hour: int, wait: str) -> None:
    with pytest.raises(Refused) as refused:
        check_frequency(NEW_YORK, [(OTHER, at) for at in placed], NOON, per_hour, 3)
    assert f"possible in {wait} (" in str(refused.value)
    assert f"limit of {per_hour} call{'s' if per_hour > 1 else ''} an hour" in str(refused.value)


def test_one_number_is_not_called_again_and_again() -> None:
    placed = [(NEW_YORK, NOON - 60 * minutes) for minutes in (50, 20, 5)] + [(OTHER, NOON - 1)]
    with pytest.raises(Refused) as refused:
        check_frequency(NEW_YORK, placed, NOON, 60, 3)
    assert str(refused.value) == (
        f"{NEW_YORK} was called 3 times within an hour: the next call there is possible in 10 minutes "
        "(MAX_CALLS_PER_NUMBER in .env sets the limit)."
    )
    check_frequency(OTHER, placed, NOON, 60, 3)
    check_frequency(NEW_YORK, placed, NOON, 60, 0)


# --- for how much ---------------------------------------------------------------------------------------------------


def test_when_the_days_money_is_spent_it_says_when_there_is_some_again() -> None:
    spent = [(NOON - 23 * HOUR, 3.0), (NOON - 2 * HOUR, 2.5), (NOON - DAY - 1, 100.0)]
    with pytest.raises(Refused) as refused:
        check_cost(spent, NOON, 5.0)
    assert str(refused.value) == (
        "The limit of $5.00 a day is reached: $5.50 were spent in the last 24 hours. The next call is possible in "
        "60 minutes (MAX_COST_PER_DAY in .env sets the limit)."
    )
    check_cost(spent, NOON, 5.51)


def test_without_a_limit_money_is_not_counted() -> None:
    check_cost([(NOON, 1e9)], NOON, 0.0)


@given(st.lists(st.tuples(st.floats(NOON - 2 * DAY, NOON), st.floats(0, 10))), st.floats(0.01, 50))
def test_the_limit_refuses_exactly_from_its_amount_on(spent: list[tuple[float, float]], most: float) -> None:
    total = sum(cost for at, cost in sorted(spent) if at > NOON - DAY)
    try:
        check_cost(spent, NOON, most)
        refused = False
    except Refused:
        refused = True
    assert refused == (total >= most)
