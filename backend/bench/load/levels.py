"""What is known of so many calls at once on one core, and what of it is shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean

from backend.bench.figures import Figure, percentile, single
from backend.bench.load.calls import PhoneCall

BEARABLE = 0.020
"""Seconds by which a piece of sound may be late: no callee hears it, since the carrier holds ten times as much."""
_OWN_LIMIT = 0.005
"""Seconds. Where the load generator's own clock is later than this, it is what is late, and not the product."""


@dataclass(frozen=True, slots=True)
class Level:
    """So many calls at once, and how they went. Seconds where nothing else is said; None where nothing was measured."""

    calls: int
    late: float | None
    """99 of 100 pieces of the agent's sound were late by no more than this; and so on for the next two."""
    late_median: float | None
    late_worst: float | None
    pieces: int
    """Pieces of sound that had a moment to keep."""
    turns: int
    missing: int
    """Turns of callees that were not answered within eight seconds."""
    cpu: float | None = None
    """Of processor time for each minute of a call, its beginning and its end included."""
    busy: float | None = None
    """Share of its core that the product used while all calls were running."""
    memory: float | None = None
    """MB for each call."""
    faults: tuple[str, ...] = ()
    slip: float = 0.0
    """How late the load generator's own clock was, 99 of 100 times."""
    slowed: float | None = None
    """How many times as long the same work took on the product's core as when it was quick."""

    @property
    def held(self) -> bool:
        """Whether the product bore this many calls."""
        return self.late is not None and self.late < BEARABLE and not self.faults and self.missing == 0

    @property
    def undisturbed(self) -> float | None:
        """`cpu` as it would be on a core that is always quick."""
        return None if self.cpu is None or self.slowed is None else self.cpu / self.slowed

    @property
    def doubtful(self) -> bool:
        """Whether the load generator, and not the product, may have been late."""
        return self.slip > _OWN_LIMIT


@dataclass(frozen=True, slots=True)
class Load:
    """The whole measurement."""

    levels: tuple[Level, ...]
    pinned: bool
    """Whether the product had one core, and the load generator the others; else they shared them all."""

    @property
    def at_once(self) -> int:
        """The most calls that were borne; smaller levels must have been borne too."""
        borne = 0
        for level in self.levels:
            if not level.held:
                break
            borne = level.calls
        return borne


_DISTURBED = 1.2
_QUICK = 0.1
"""The quickest so many of the times that the work was done are those of a core that nothing disturbs."""


def slowed(levels: Sequence[Level], taken: Sequence[Sequence[float]]) -> tuple[Level, ...]:
    """The levels with how much slower their core was in each than at its best in all of them, by the seconds that the
    same work took there meanwhile.
    """
    quick = percentile([*chain.from_iterable(taken)], _QUICK)
    if quick is None:
        return tuple(levels)
    pairs = zip(levels, taken, strict=True)
    return tuple(replace(level, slowed=fmean(times) / quick) if times else level for level, times in pairs)


def judged(calls: Sequence[PhoneCall], since: float, until: float) -> Level:
    """How these calls went, by what their callees heard; the replies that began in this time count."""
    late = [max(0.0, one) for call in calls for one in call.late(since, until)]
    return Level(
        calls=len(calls),
        late=percentile(late, 0.99),
        late_median=percentile(late, 0.5),
        late_worst=percentile(late, 1.0),
        pieces=len(late),
        turns=sum(call.turns for call in calls),
        missing=sum(call.missing for call in calls),
    )


def sentence(level: Level) -> str:
    """How a level went, for people."""
    late = "none of whose sound was timed" if level.late is None else f"p99 of lateness {1000 * level.late:.1f} ms"
    cost = "" if level.cpu is None else f", {level.cpu:.2f} s of CPU per call minute"
    core = "" if level.busy is None else f", {100 * level.busy:.0f} % of its core"
    return f"{level.calls} calls: {late}{cost}{core}"


def figures(seen: Load) -> list[Figure]:
    """Lines for the report: how many calls at once, how late their sound was at the highest level that was borne, and
    what a call costs at each.
    """
    lines = [single("calls at once on one core", "calls", seen.at_once)]
    if not seen.levels:
        return lines
    level = next((level for level in seen.levels if level.calls == seen.at_once), seen.levels[0])
    late = [None if one is None else round(1000 * one, 1) for one in (level.late_median, level.late, level.late_worst)]
    at = f"{level.calls} calls"
    return [
        *lines,
        Figure(f"lateness, {at}", "ms", level.pieces, late[0], p99=late[1], worst=late[2]),
        Figure("- the load generator's own clock", "ms", 1, None, p99=round(1000 * level.slip, 1)),
        *chain.from_iterable(map(_cost, seen.levels)),
        single(f"memory per call, {at}", "MB", level.memory),
    ]


def _cost(level: Level) -> list[Figure]:
    at = f"{level.calls} calls"
    cost = single(f"CPU per call minute, {at}", "s", level.cpu)
    return [cost] if level.slowed is None else [cost, single(f"- on an undisturbed core, {at}", "s", level.undisturbed)]


def doubts(seen: Load) -> list[str]:
    """What makes these figures doubtful, or why a level was not borne, each as a sentence."""
    said = (
        [] if seen.pinned else ["This system does not pin processes to cores: the load shared them with the product."]
    )
    for level in seen.levels:
        if level.doubtful:
            slip = f"{1000 * level.slip:.0f} ms"
            said.append(f"At {level.calls} calls the load generator itself was {slip} late: the product may bear more.")
        if level.slowed and level.slowed > _DISTURBED:
            said.append(
                f"At {level.calls} calls the same work took {level.slowed:.1f} times as long as at best: other guests "
                "of this machine's host slowed the product's core, and made its calls dearer by about as much."
            )
        if level.missing:
            said.append(f"At {level.calls} calls {level.missing} of {level.turns} turns were not answered in time.")
        said += [f"At {level.calls} calls: {fault}" for fault in dict.fromkeys(level.faults)]
    return said
