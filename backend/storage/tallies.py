"""Past calls counted by day and by hour, for charts: SQLite groups them, wherever the operator's clocks stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from backend.models import Answerer, Outcome
from backend.storage.search import Condition, Search, condition

Ask = Callable[[str, Sequence[object]], Iterator[dict[str, Any]]]
"""Runs SQL with its parameters, and returns the rows."""

_DAILY = 100
"""Days; a longer time is counted by the week."""
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Came:
    """How many calls of a day or week came to this."""

    day: date
    """The week's Monday where weeks are counted."""
    outcome: Outcome | None
    calls: int
    cost: float | None
    """US dollars of those calls whose cost is known; None where there is no such call."""


@dataclass(frozen=True, slots=True)
class Quick:
    """How quick the answers of a day's or week's calls were, in milliseconds; each call counts with its median."""

    day: date
    half: float
    """Half of the calls were quicker."""
    most: float
    """19 of 20 were."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How many of the calls that were placed in this hour of the day reached a person."""

    hour: int
    calls: int
    people: int


@dataclass(frozen=True, slots=True)
class Tallies:
    weekly: bool
    """Whether each `day` stands for the week that begins with it."""
    came: tuple[Came, ...]
    quick: tuple[Quick, ...]
    reached: tuple[Reached, ...]


def tallies(ask: Ask, search: Search, zone: tzinfo) -> Tallies:
    """Count the calls that are looked for; days and hours are those of the zone."""
    wanted = condition(search)
    [span] = ask(f"select min(created) as since, max(created) as until from listing where {wanted.sql}", wanted.values)
    since, until = span["since"], span["until"]
    if since is None:
        return Tallies(False, (), (), ())
    weekly = until - since > _DAILY * _DAY
    found = _found(wanted, offsets(zone, since, until), weekly)
    return Tallies(weekly, tuple(_came(ask, found)), tuple(_quick(ask, found)), tuple(_reached(ask, found)))


def offsets(zone: tzinfo, since: float, until: float) -> list[tuple[float, float]]:
    """The zone's seconds east of Greenwich, each with when it ends to hold; the last holds on."""
    known: list[tuple[float, float]] = []
    moment, east = since, _east(zone, since)
    while moment < until:
        following = min(moment + _DAY, until)
        after = _east(zone, following)
        if after != east:
            known.append((_change(zone, moment, following), east))
            east = after
        moment = following
    return [*known, (until, east)]


def _change(zone: tzinfo, before: float, after: float) -> float:
    """The moment between these two, to the second, from which on the clocks stand otherwise."""
    east = _east(zone, before)
    while after - before > 1:
        middle = (before + after) / 2
        before, after = (middle, after) if _east(zone, middle) == east else (before, middle)
    return float(round(after))


def _east(zone: tzinfo, moment: float) -> float:
    offset = datetime.fromtimestamp(moment, zone).utcoffset()
    return offset.total_seconds() if offset else 0.0


def _found(wanted: Condition, east: Sequence[tuple[float, float]], weekly: bool) -> Condition:
    """The calls with their day, in days since 1970, and hour by the operator's clock."""
    whens = " ".join("when created < ? then ?" for _ in east[:-1])
    shift = f"case {whens} else ? end" if whens else "?"
    values = [value for until, offset in east[:-1] for value in (until, offset)] + [east[-1][1]]
    day = "cast(local / 86400 as integer)"
    # The first day of 1970 was a Thursday.
    day = f"({day} + 3) / 7 * 7 - 3" if weekly else day
    sql = (
        f"with placed as (select *, created + {shift} as local from listing where {wanted.sql}), "
        f"found as (select *, {day} as day, cast(local / 3600 as integer) % 24 as hour from placed)"
    )
    return Condition(sql, (*values, *wanted.values))


def _came(ask: Ask, found: Condition) -> Iterator[Came]:
    sql = "select day, outcome, count(*) as calls, sum(cost) as cost from found group by day, outcome order by day"
    for row in ask(f"{found.sql} {sql}", found.values):
        outcome = Outcome(row["outcome"]) if row["outcome"] else None
        yield Came(_date(row["day"]), outcome, row["calls"], row["cost"])


def _quick(ask: Ask, found: Condition) -> Iterator[Quick]:
    """By nearest rank: values that were really measured."""
    sql = """, ranked as (
        select day, delay_typical as ms, row_number() over (partition by day order by delay_typical) as place,
            count(*) over (partition by day) as calls
        from found where delay_typical is not null
    ) select day, min(case when place >= 0.5 * calls then ms end) as half,
        min(case when place >= 0.95 * calls then ms end) as most
    from ranked group by day order by day"""
    for row in ask(f"{found.sql}{sql}", found.values):
        yield Quick(_date(row["day"]), row["half"], row["most"])


def _reached(ask: Ask, found: Condition) -> Iterator[Reached]:
    """Who picked up is not known of all calls; then it was a person, as far as anybody knows."""
    sql = """select hour, count(*) as calls, sum(answered and coalesce(answerer, ?) = ?) as people
        from found where direction = 'outbound' group by hour order by hour"""
    for row in ask(f"{found.sql} {sql}", [*found.values, Answerer.PERSON, Answerer.PERSON]):
        yield Reached(row["hour"], row["calls"], row["people"])


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)
