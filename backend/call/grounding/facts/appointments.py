"""Which day goes with which time: "Thursday at 2:30 or Monday at 3" is two appointments, and no others. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from backend.call.grounding.facts.clocks import LEADS, Clock, Part
from backend.call.grounding.facts.days import Day
from backend.call.grounding.facts.found import Facts, Found

_DAY_TO_TIME = LEADS | frozenset(
    "the on in say maybe either it's its we're we are open here there be is only still any time".split()
)
_TIME_TO_DAY = frozenset("on this next coming the of".split())
_DAYS_LISTED = frozenset("and or the on to a both".split())
_TIMES_LISTED = frozenset("and or to until till through at".split())


@dataclass(frozen=True, slots=True)
class Appointment:
    """Days that stand with times of day."""

    days: tuple[Day, ...]
    times: tuple[Clock | Part, ...]
    first: Found
    """What comes first of them in the text, and what last."""
    last: Found


@dataclass(slots=True)
class _Group:
    """Days, or times, that are listed one after the other."""

    found: list[Found]
    values: list[Clock | Part | Day]

    @property
    def dated(self) -> bool:
        return isinstance(self.values[0], Day)


def appointments(facts: Facts) -> list[Appointment]:
    groups = list(_groups(facts))
    done: list[Appointment] = []
    free = True
    for one, other in pairwise(groups):
        words = facts.between(one.found[-1], other.found[0])
        if words is None or one.dated == other.dated or not free:
            free = True
            continue
        allowed = _DAY_TO_TIME if one.dated else _TIME_TO_DAY
        if allowed.issuperset(words):
            done.append(_appointment(one, other))
            # A time belongs to the day before it rather than to the next.
            free = False
    return done


def _appointment(one: _Group, other: _Group) -> Appointment:
    days, times = (one, other) if one.dated else (other, one)
    return Appointment(
        tuple(value for value in days.values if isinstance(value, Day)),
        tuple(value for value in times.values if isinstance(value, Clock | Part)),
        one.found[0],
        other.found[-1],
    )


def _groups(facts: Facts) -> Iterator[_Group]:
    group: _Group | None = None
    for found in facts.found:
        value = next((value for value in found.values if isinstance(value, Clock | Part | Day)), None)
        if value is None:
            continue
        if group and group.dated == isinstance(value, Day):
            words = facts.between(group.found[-1], found)
            if words is not None and (_DAYS_LISTED if group.dated else _TIMES_LISTED).issuperset(words):
                group.found.append(found)
                group.values.append(value)
                continue
        if group:
            yield group
        group = _Group([found], [value])
    if group:
        yield group
