"""When, how often and for how much may be called. Pure: the time, and what was before, come in.

Times are in Unix seconds. Each check returns where the call may be placed, and raises Refused with the reason, when it
becomes possible and the setting behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from backend.answers import Number
from backend.hours import Hours, next_day, there
from backend.models import Refused

HOUR, DAY = 3600.0, 86_400.0


def check_hour(number: Number, now: float, day: Hours | None) -> None:
    """Whether people are awake anywhere that this number may ring; without `day`, or a known zone, nobody asks."""
    place = there(number.time_zones, now, day) if day else None
    if day is None or place is None or not place.night:
        return
    wait = _duration(next_day(number.time_zones, now, day) - now)
    raise Refused(
        f"It is {place.time} where {number.national} rings ({number.country}), and calls are placed from {day} there: "
        f"this one is possible in {wait}. If they expect it at this hour, say so: “They expect a call at this hour” on "
        "the form, --any-hour, or any_hour (CALLING_HOURS in .env sets the hours)."
    )


def check_frequency(
    number: str, placed: Sequence[tuple[str, float]], now: float, per_hour: int, per_number: int
) -> None:
    """Whether the limits of an hour leave room for a call to this number, in E.164.

    Args:
        placed: to which numbers calls were placed and when, in any order.
        per_number: calls to one and the same number; 0 for no limit.
    """
    if wait := _wait([at for called, at in placed if called == number], now, per_number):
        raise Refused(
            f"{number} was called {_count(per_number, 'time')} within an hour: the next call there is possible in "
            f"{wait} (MAX_CALLS_PER_NUMBER in .env sets the limit)."
        )
    if wait := _wait([at for _, at in placed], now, per_hour):
        raise Refused(
            f"The limit of {_count(per_hour, 'call')} an hour is reached: the next call is possible in {wait} "
            "(MAX_CALLS_PER_HOUR in .env sets the limit)."
        )


def check_cost(spent: Sequence[tuple[float, float]], now: float, most: float) -> None:
    """Whether the limit of a day leaves anything to spend; a call that it lets through may still exceed it.

    Args:
        spent: when calls were placed, and what they have cost until now, in US dollars; in any order.
        most: US dollars; 0 for no limit.
    """
    if not most:
        return
    today = sorted((at, cost) for at, cost in spent if at > now - DAY)
    left = total = sum(cost for _, cost in today)
    for at, cost in today:
        if left < most:
            break
        left -= cost
        free = at + DAY
    if total >= most:
        raise Refused(
            f"The limit of ${most:.2f} a day is reached: ${total:.2f} were spent in the last 24 hours. The next call "
            f"is possible in {_duration(free - now)} (MAX_COST_PER_DAY in .env sets the limit)."
        )


def _wait(times: Sequence[float], now: float, most: int) -> str:
    """How long until less than `most` of them are within the hour; empty: not at all."""
    last_hour = sorted(at for at in times if at > now - HOUR)
    if not most or len(last_hour) < most:
        return ""
    return _duration(last_hour[-most] + HOUR - now)


def _duration(seconds: float) -> str:
    """Such as "4 hours 48 minutes"; begun minutes count."""
    hours, minutes = divmod(max(1, ceil(seconds / 60)), 60)
    # In an hour at most, everybody says so in minutes.
    if (hours, minutes) == (1, 0):
        return "60 minutes"
    parts = [_count(hours, "hour")] if hours else []
    return " ".join([*parts, _count(minutes, "minute")] if minutes else parts)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
