"""The benchmark's figures: from measured values to lines with the promise that each is held against. Free of I/O."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from backend import audio
from backend.bench.delays import FRAME, Delays
from backend.call.sound.playout import REACH
from backend.models import LineKind

__all__ = ["FRAME", "Delays"]

Column = Literal["median", "p95", "p99", "worst"]


@dataclass(frozen=True, slots=True)
class Target:
    """A promise about one column of a line, in the line's unit."""

    most: float | None = None
    least: float | None = None
    column: Column = "median"

    def __str__(self) -> str:
        if self.most is not None and self.least is not None:
            bounds = f"{self.least:g} to {self.most:g}"
        else:
            bounds = f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}"
        return bounds if self.column == "median" else f"{self.column} {bounds}"

    def kept(self, value: float | None) -> bool:
        """What was not measured was not kept."""
        if value is None:
            return False
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report."""

    name: str
    unit: str
    count: int
    """How many times it was measured, or out of how many it is a share."""
    median: float | None
    """Or the only value there is."""
    p95: float | None = None
    p99: float | None = None
    worst: float | None = None
    targets: tuple[Target, ...] = ()

    @property
    def kept(self) -> bool | None:
        """Whether every promise was; None where there is none."""
        if not self.targets:
            return None
        columns = {"median": self.median, "p95": self.p95, "p99": self.p99, "worst": self.worst}
        return all(target.kept(columns[target.column]) for target in self.targets)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one part of the benchmark found."""

    title: str
    lines: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    """What one must know to read the figures, each a sentence."""
    problems: tuple[str, ...] = ()
    """What makes them doubtful, each a sentence."""

    @property
    def broken(self) -> tuple[Figure, ...]:
        """Lines whose promise was not kept."""
        return tuple(line for line in self.lines if line.kept is False)


def percentile(values: Sequence[float], part: float) -> float | None:
    """By nearest rank: the smallest value that at least this part of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(round(part * len(ordered), 9)) - 1)] if ordered else None


def spread(name: str, values: Sequence[float], *targets: Target, unit: str = "ms") -> Figure:
    """What these values are in the middle and at most; seconds become milliseconds."""
    scaled = [round(1000 * value, 1) if unit == "ms" else value for value in values]
    median, p95, p99, worst = (percentile(scaled, part) for part in (0.5, 0.95, 0.99, 1))
    return Figure(name, unit, len(scaled), median, p95, p99, worst, targets)


def share(name: str, hits: int, of: int, *targets: Target) -> Figure:
    """How many of so many, in percent."""
    return Figure(name, "%", of, round(100 * hits / of, 1) if of else None, targets=targets)


def single(name: str, unit: str, value: float | None, *targets: Target) -> Figure:
    """A value that there is only one of."""
    return Figure(name, unit, int(value is not None), None if value is None else round(value, 2), targets=targets)


# --- moments on one clock ------------------------------------------------------------------------------------------

Frames = Sequence[tuple[float, bool]]
"""What an earpiece played: when each frame began, and whether it could be heard."""


def first_loud(frames: Frames, since: float) -> float | None:
    return next((at for at, loud in frames[bisect_left(frames, (since, False)) :] if loud), None)


def silence(frames: Frames, since: float, until: float) -> float:
    """Silence between the first and the last sound in this time: in speech that never pauses, sound came too late."""
    between = [loud for at, loud in frames if since <= at < until]
    if True not in between:
        return 0.0
    first, last = between.index(True), len(between) - between[::-1].index(True)
    return between[first:last].count(False) * FRAME


LEAD = REACH[LineKind.PHONE].lead
"""Seconds of sound that the product keeps in hand at the carrier of a phone call, as those of the benchmarks are."""


def lateness(arrivals: Iterable[tuple[float, int]], lead: float = LEAD) -> Iterator[float]:
    """How long after its moment each piece of a reply arrived; negative when early.

    A piece is due when the sound before it lasts for `lead` more. Those that fill the lead for the first time have no
    moment of their own: they come as fast as they are voiced.

    Args:
        arrivals: when each piece arrived, and its bytes.
    """
    first: float | None = None
    dry, full = 0.0, False
    for at, size in arrivals:
        first = at if first is None else first
        if full and dry - lead > first:
            yield at - (dry - lead)
        dry = max(dry, at) + audio.seconds(size)
        full = full or dry - at >= lead
