"""Past calls counted by day and hour: as somebody would who looked at the calendar for each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.models import Answerer, Brief, Call, Direction, Outcome, Status
from backend.storage.search import Search
from backend.storage.store import Store
from backend.storage.tallies import Tallies, offsets

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
MOMENTS = st.floats(1.5e9, 1.9e9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "calls.db") as store:
        yield store


def a_call(call_id: str, created: float, outcome: Outcome = Outcome.CONFIRMED, **changes: object) -> Call:
    row: dict[str, object] = {"brief": Brief("+12025550143", "Ask"), "status": Status.COMPLETED}
    return Call(**({"id": call_id, "created": created, "outcome": outcome} | row | changes))  # type: ignore[arg-type]


def load(store: Store, calls: list[Call]) -> None:
    for call in calls:
        store.add(call)


def at(day: int, hour: int, minute: int = 0, month: int = 10) -> float:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).timestamp()


def test_no_calls_are_no_tallies(store: Store) -> None:
    assert store.tallies(Search(), BERLIN) == Tallies(False, (), (), ())


def test_days_and_hours_are_those_of_the_operators_clock(store: Store) -> None:
    # The clocks go back on the 25th: its first hour and its last are 25 hours apart.
    moments = [at(24, 23, 59), at(25, 0, 1), at(25, 23, 59), at(26, 0, 1)]
    load(store, [a_call(f"call-{n}", moment) for n, moment in enumerate(moments)])
    counted = store.tallies(Search(), BERLIN)
    days = [(one.day, one.calls) for one in counted.came]
    assert days == [(date(2026, 10, 24), 1), (date(2026, 10, 25), 2), (date(2026, 10, 26), 1)]
    assert [(one.hour, one.calls) for one in counted.reached] == [(0, 2), (23, 2)]


@given(zone=ZONES, moments=st.lists(MOMENTS, min_size=1, max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_they_are_counted_as_a_calendar_would(store: Store, zone: str, moments: list[float]) -> None:
    # Each run has an agent of its own, since the store outlives it.
    agent = f"agent-{store.count()}"
    brief = Brief("+12025550143", "Ask", agent_name=agent)
    load(store, [a_call(f"{agent}-{n}", moment, brief=brief) for n, moment in enumerate(moments)])
    counted = store.tallies(Search(agent=agent), ZoneInfo(zone))
    whens = [datetime.fromtimestamp(moment, ZoneInfo(zone)) for moment in moments]
    first = [when.date() - timedelta(days=when.weekday() if counted.weekly else 0) for when in whens]
    assert {one.day: one.calls for one in counted.came} == Counter(first)
    assert {one.hour: one.calls for one in counted.reached} == Counter(when.hour for when in whens)


@given(zone=ZONES, since=MOMENTS, length=st.floats(0, 4e8))
def test_the_offsets_are_those_of_the_zone_at_every_moment(zone: str, since: float, length: float) -> None:
    known = offsets(ZoneInfo(zone), since, since + length)
    assert all(before < after for (before, _), (after, _) in pairwise(known))
    for n in range(40):
        moment = since + length * n / 40
        east = next((east for until, east in known if moment < until), known[-1][1])
        offset = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone)).utcoffset()
        assert offset is not None and east == offset.total_seconds()


def test_a_long_time_is_counted_by_the_week(store: Store) -> None:
    load(store, [a_call("spring", at(5, 12, month=3)), a_call("autumn", at(8, 12))])
    counted = store.tallies(Search(), BERLIN)
    assert counted.weekly
    assert [one.day for one in counted.came] == [date(2026, 3, 2), date(2026, 10, 5)]


def test_outcomes_are_told_apart_and_their_costs_added_up(store: Store) -> None:
    calls = [
        a_call("one", at(8, 12), cost=0.25),
        a_call("two", at(8, 13), cost=0.5),
        a_call("three", at(8, 14), Outcome.DECLINED),
    ]
    load(store, calls)
    came = store.tallies(Search(), BERLIN).came
    told = {one.outcome: (one.calls, one.cost) for one in came}
    assert told == {Outcome.CONFIRMED: (2, 0.75), Outcome.DECLINED: (1, None)}
    assert [one.outcome for one in store.tallies(Search(outcomes=[Outcome.DECLINED]), BERLIN).came] == [
        Outcome.DECLINED
    ]


@given(waits=st.lists(st.floats(1, 9000), min_size=1, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_percentiles_are_values_that_were_measured(store: Store, waits: list[float]) -> None:
    agent = f"agent-{store.count()}"
    brief = Brief("+12025550143", "Ask", agent_name=agent)
    load(store, [a_call(f"{agent}-{n}", at(8, 12), brief=brief, delay_typical=ms) for n, ms in enumerate(waits)])
    [quick] = store.tallies(Search(agent=agent), BERLIN).quick
    ranked = sorted(waits)
    assert quick.half == ranked[ceil(len(waits) * 0.5) - 1]
    assert quick.most == ranked[ceil(len(waits) * 0.95) - 1]


def test_only_people_who_were_called_were_reached(store: Store) -> None:
    inbound = Brief("+12025550143", "Ask", direction=Direction.INBOUND)
    calls = [
        a_call("person", at(8, 12), answered=1.0, answerer=Answerer.PERSON),
        a_call("unknown", at(8, 12), answered=1.0),
        a_call("machine", at(8, 12), answered=1.0, answerer=Answerer.VOICEMAIL),
        a_call("nobody", at(8, 12)),
        a_call("inbound", at(8, 12), answered=1.0, brief=inbound),
    ]
    load(store, calls)
    [reached] = store.tallies(Search(), BERLIN).reached
    assert (reached.hour, reached.calls, reached.people) == (12, 4, 2)
