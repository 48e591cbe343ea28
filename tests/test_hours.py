"""What time it is where a number rings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.hours import Hours, There, next_day, there

ZONES = ["America/New_York", "Europe/London", "Asia/Tokyo", "Pacific/Honolulu", "Asia/Kolkata", "Pacific/Kiritimati"]
NOON = datetime(2026, 1, 20, 12, tzinfo=UTC).timestamp()


def london(clock: str) -> There | None:
    hour, minute = map(int, clock.split(":"))
    return there(["Europe/London"], datetime(2026, 1, 20, hour, minute, tzinfo=UTC).timestamp())


def test_one_zone_has_one_time() -> None:
    found = there(["America/New_York"], NOON)
    assert found == There("07:00", "07:00", awake=False, asleep=True)
    assert found.time == "07:00"


def test_several_zones_have_the_times_from_west_to_east_also_past_midnight() -> None:
    found = there(["Asia/Tokyo", "Pacific/Honolulu", "America/New_York"], NOON + 4 * 3600)
    assert found == There("06:00", "01:00", awake=True, asleep=True)
    assert found.time == "06:00 to 01:00"


def test_zones_with_the_same_time_are_one() -> None:
    found = there(["Europe/Berlin", "Europe/Paris"], NOON)
    assert found and found.time == "13:00"


def test_nothing_is_said_where_no_zone_is_known() -> None:
    assert there([], NOON) is None


@pytest.mark.parametrize(
    ("clock", "night"),
    [("07:59", True), ("08:00", False), ("20:59", False), ("21:00", True), ("00:00", True)],
)
def test_night_is_before_eight_and_after_nine_in_the_evening(clock: str, night: bool) -> None:
    found = london(clock)
    assert found and (found.asleep, found.awake) == (night, not night)


def test_the_hours_are_those_that_are_set() -> None:
    found = there(["Europe/London"], NOON - 4 * 3600, Hours(9, 18))
    assert found and found.night


@pytest.mark.parametrize(
    ("written", "hours"), [("8-21", Hours(8, 21)), (" 09 – 17 ", Hours(9, 17)), ("0-24", Hours(0, 24))]
)
def test_hours_are_read_as_people_write_them(written: str, hours: Hours) -> None:
    assert Hours.parse(written) == hours


@pytest.mark.parametrize("written", ["none", "None", "", " "])
def test_none_is_any_time(written: str) -> None:
    assert Hours.parse(written) is None


@pytest.mark.parametrize("written", ["21-8", "8-8", "8-25", "8", "8:00-21:00", "night", "-1-5"])
def test_what_are_no_hours_of_a_day_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="such as 8-21, or none"):
        Hours.parse(written)


@given(
    st.lists(st.sampled_from(ZONES), min_size=1),
    st.floats(0, 4e9),
    st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1]),
)
def test_the_next_day_is_one_and_within_a_day(zones: list[str], now: float, pair: tuple[int, int]) -> None:
    day = Hours(*pair)
    then = next_day(zones, now, day)
    found, before = there(zones, then, day), there(zones, now, day)
    assert found and before
    assert found.awake and now <= then <= now + 86_400 + 7200
    assert (then == now) == before.awake


@given(st.lists(st.sampled_from(ZONES), min_size=1), st.floats(0, 4e9))
def test_somebody_is_awake_or_asleep_and_more_zones_never_change_that_back(zones: list[str], now: float) -> None:
    found, first = there(zones, now), there(zones[:1], now)
    assert found and first
    assert found.awake or found.asleep
    assert (first.awake <= found.awake) and (first.asleep <= found.asleep)
