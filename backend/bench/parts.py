"""The parts of the benchmark: what each measures, and how it is run, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from backend.bench import dialogues, grounding, pickups, voicemail
from backend.bench.apart import run_apart
from backend.bench.drill import faults
from backend.bench.figures import Figure, Sheet, Target
from backend.bench.load import levels, load
from backend.bench.stage import desk, manners, speed
from backend.running.launcher import CannotStart

Show = Callable[[int, int], object]
"""Is told how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Part:
    """One set of promises."""

    name: str
    says: str
    """What is measured, for whoever waits."""
    measure: Callable[[bool, Show], Sheet]
    """Given whether it is to be quick. Raises CannotStart when nothing can be measured."""


def _speed(quick: bool, show: Show) -> Sheet:
    return run_apart(speed.measure, speed.QUICK if quick else speed.Plan(), show)


def _manners(quick: bool, show: Show) -> Sheet:
    return run_apart(manners.measure, manners.QUICK if quick else manners.Plan(), show)


def _desk(quick: bool, show: Show) -> Sheet:
    return run_apart(desk.measure, desk.QUICK if quick else desk.Plan(), show)


def _faults(quick: bool, show: Show) -> Sheet:
    done, calls = 0, 200 if quick else 2000

    def progress(more: int) -> None:
        nonlocal done
        done += more
        show(done, calls)

    return faults.drill(calls, progress=progress, processes=2).sheet()


def _load(quick: bool, show: Show) -> Sheet:
    plan = load.QUICK if quick else load.Plan()
    return load_sheet(asyncio.run(_loaded(plan, show)), max(plan.levels))


async def _loaded(plan: load.Plan, show: Show) -> levels.Load:
    steps, done = 2 * len(plan.levels), 0
    async for news in load.measured(plan):
        if isinstance(news, levels.Load):
            return news
        done += 1
        show(done, steps)
    raise CannotStart("The load generator ended without a result.")


_LOAD_TARGETS = {
    "lateness": Target(20, column="p99"),
    "CPU": Target(0.8),
    "- on an undisturbed core": Target(0.8),
    "memory": Target(2),
}
"""By how the lines begin."""


def load_sheet(seen: levels.Load, most: int) -> Sheet:
    """The load's own lines, with what is promised of them; `most`: calls at once that were tried."""
    lines = [_promised(line, most) for line in levels.figures(seen)]
    notes = tuple(f"{levels.sentence(level)}." for level in seen.levels)
    return Sheet("Load", tuple(lines), notes, tuple(levels.doubts(seen)))


def _promised(line: Figure, most: int) -> Figure:
    if line.name.startswith("calls at once"):
        return replace(line, targets=(Target(least=most),))
    return replace(line, targets=tuple(t for name, t in _LOAD_TARGETS.items() if line.name.startswith(name)))


PARTS = {
    part.name: part
    for part in (
        Part("speed", "how fast it answers", _speed),
        Part("manners", "how it behaves with people who interrupt, hum, hesitate and say hello", _manners),
        Part("desk", "how soon the operator's orders take effect", _desk),
        Part("faults", "how long it is silent when things break", _faults),
        Part("load", "how many calls one core holds", _load),
        Part("pickups", "whether it knows who answered", pickups.measure),
        Part("voicemail", "whether a voicemail gets its message", voicemail.measure),
        Part("grounding", "whether it says only what is true", grounding.measure),
        Part("dialogues", "what comes of scripted conversations", dialogues.measure),
    )
}
"""By name, in their order."""
