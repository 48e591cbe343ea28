"""What time it is where a number rings, and whether people sleep there. Pure: the time comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_MORNING, _EVENING = 8, 21
"""Hours of the day between which a call is no disturbance."""


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


def there(zones: Sequence[str], now: float) -> There | None:
    """`zones` are IANA names and `now` is in Unix seconds; None where no zone is known."""
    times = sorted((datetime.fromtimestamp(now, ZoneInfo(zone)) for zone in zones), key=_from_the_west)
    if not times:
        return None
    days = {_MORNING <= time.hour < _EVENING for time in times}
    return There(f"{times[0]:%H:%M}", f"{times[-1]:%H:%M}", awake=True in days, asleep=False in days)


def _from_the_west(time: datetime) -> datetime:
    """The clocks' own order: in the west it is earlier."""
    return time.replace(tzinfo=None)
