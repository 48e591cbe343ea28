"""What time it is where a number rings, and whether people sleep there. Pure: the time comes in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of the day between which a call is no disturbance, by the clock of whoever is called."""

    first: int = 8
    """The first full hour: from 08:00 on."""
    last: int = 21
    """The hour at which they end: until 21:00. 24 is midnight."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what is written such as "8-21"; None for "none" and for nothing: any time.

        Raises:
            ValueError: it says something else, or ends before it begins.
        """
        if text.strip().lower() in {"", "none"}:
            return None
        found = re.fullmatch(r"\s*(\d{1,2})\s*[-–]\s*(\d{1,2})\s*", text)
        first, last = map(int, found.groups()) if found else (0, 0)
        if not first < last <= 24:
            raise ValueError("write two hours of the day, such as 8-21, or none for any time")
        return cls(first, last)

    def __str__(self) -> str:
        return f"{self.first:02d}:00 to {self.last:02d}:00"


DAY = Hours()


@dataclass(frozen=True, slots=True)
class There:
    """The time where a number rings, which may be in one of several zones."""

    earliest: str
    """Such as 14:05; the same as `latest` where there is only one time."""
    latest: str
    awake: bool
    """Whether it is day somewhere there."""
    asleep: bool
    """Whether it is night somewhere there."""

    @property
    def time(self) -> str:
        """Such as "14:05", or "14:05 to 17:05"."""
        return self.earliest if self.earliest == self.latest else f"{self.earliest} to {self.latest}"

    @property
    def night(self) -> bool:
        """Whether it is night wherever the number may ring."""
        return self.asleep and not self.awake


def there(zones: Sequence[str], now: float, day: Hours = DAY) -> There | None:
    """`zones` are IANA names and `now` is in Unix seconds; None where no zone is known."""
    times = sorted((datetime.fromtimestamp(now, ZoneInfo(zone)) for zone in zones), key=_from_the_west)
    if not times:
        return None
    days = {day.first <= time.hour < day.last for time in times}
    return There(f"{times[0]:%H:%M}", f"{times[-1]:%H:%M}", awake=True in days, asleep=False in days)


def next_day(zones: Sequence[str], now: float, day: Hours = DAY) -> float:
    """When it is next day somewhere there, in Unix seconds; now, if it is already or no zone is known."""
    return min((_next_day(ZoneInfo(zone), now, day) for zone in zones), default=now)


def _next_day(zone: ZoneInfo, now: float, day: Hours) -> float:
    local = datetime.fromtimestamp(now, zone)
    if day.first <= local.hour < day.last:
        return now
    tomorrow = local.date() + timedelta(days=local.hour >= day.first)
    return datetime.combine(tomorrow, time(day.first), zone).timestamp()


def _from_the_west(time: datetime) -> datetime:
    """The clocks' own order: in the west it is earlier."""
    return time.replace(tzinfo=None)
