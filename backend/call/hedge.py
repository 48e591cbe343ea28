"""When to ask a second time: how long a model usually takes to its first words, and what asking twice may cost.

Pure: seconds come in, and nothing here reads a clock. A `Pace` and a `Budget` are shared by all calls of a process.
"""

from __future__ import annotations

from collections import deque
from math import ceil

SHARE = 15
"""Second requests there may be for 100 ordinary ones."""

_WINDOW = 50
"""How many answers back a model's pace is known: a quarter of an hour of one call, a minute of twenty."""
_ENOUGH = 10
"""Fewer answers than this say nothing about the slowest of them."""
_PERCENTILE = 85
_START = 1.0
"""Seconds; what counts as late until enough is known: twice what a quick model takes."""
_FLOOR = 0.3
"""Seconds; the voice alone takes as long, so that nobody would hear the difference."""
_MARGIN, _MARGIN_SHARE = 0.05, 0.1
"""Seconds, and share of the percentile. Where nearly every answer takes as long as the last, 85 % of them are quicker
than the percentile by nothing but chance, and so would 15 % be late by nothing but chance."""
_FAILING = 2
"""So many failures in a row are no accident."""


class Budget:
    """Lets at most `share` second requests go with 100 ordinary ones, however they are spread over time.

    A token bucket that starts empty, so that this holds from the first request on, and is never fuller than three
    requests, so that a long quiet time does not pay for a burst.
    """

    def __init__(self, share: int = SHARE) -> None:
        self._share = share
        self._saved = 0
        """In hundredths of a request: whole numbers, so that no rounding adds up."""

    def earn(self) -> None:
        """An ordinary request was made."""
        self._saved = min(self._saved + self._share, 300)

    def spend(self) -> bool:
        """Whether a second request may be made now; if so, it is paid for."""
        if self._saved < 100:
            return False
        self._saved -= 100
        return True


class Pace:
    """What one model's last answers tell about its next."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._times: deque[float] = deque(maxlen=_WINDOW)
        self._failures = 0

    def answered(self, seconds: float) -> None:
        """It began to answer so long after it was asked."""
        self._times.append(seconds)
        self._failures = 0

    def overtaken(self, seconds: float) -> None:
        """Nobody waited any longer for it: a second request was quicker, or its time was up.

        That counts as a time too. Without the slow answers the others would look ever quicker, and ever more of them
        would count as late.
        """
        self._times.append(seconds)

    def failed(self) -> None:
        """It gave an error instead of an answer, or nothing until its deadline."""
        self._failures += 1

    @property
    def failing(self) -> bool:
        """Whether another model had better be asked the second time."""
        return self._failures >= _FAILING

    @property
    def late_after(self) -> float:
        """Seconds without a word after which this answer is one of the slow ones."""
        if len(self._times) < _ENOUGH:
            return _START
        usual = percentile(self._times, _PERCENTILE)
        late = max(_FLOOR, usual + max(_MARGIN, usual * _MARGIN_SHARE))
        # What a failing model took was mostly somebody's patience, which is no measure for the one asked in its place.
        return min(late, _START) if self.failing else late


def percentile(values: deque[float], percent: int) -> float:
    """The smallest value that at least so many percent do not exceed (the nearest rank)."""
    return sorted(values)[ceil(len(values) * percent / 100) - 1]
