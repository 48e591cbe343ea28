"""Whether the agent says only what is true: sentences with and without invented facts, checked against their brief."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from backend.bench.figures import Sheet, Target, share, spread
from backend.call.grounding.grounding import Checked, Grounding
from backend.models import Brief, Speaker, Utterance

_SENTENCES = Path(__file__).with_suffix(".toml")
_TODAY = date(2026, 11, 23)
_MARKED = re.compile(r"\{(.*?)\}")
_MOST_SHOWN = 10
"""Sentences that a report lists."""
_BRIEF = ("to", "action", "context", "callee_name", "agent_name", "organization")


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence of the agent, with what it may know."""

    brief: Brief
    today: date
    lines: tuple[Utterance, ...]
    words: str
    invented: tuple[str, ...]
    """What of it nobody gave; nothing when it is true."""
    held_back: bool
    """Whether it was not looked at while the rules were tuned."""
    unseen: bool = False
    """Whether it was written after that."""

    def caught(self, checked: Checked) -> bool:
        """Whether what was invented is among what was found to be, at least in part."""
        return any(set(_words(part)) & set(_words(found)) for part in self.invented for found in checked.unknown)


@dataclass(frozen=True, slots=True)
class Judged:
    case: Case
    checked: Checked
    took: float
    """Seconds."""

    @property
    def right(self) -> bool:
        return self.case.caught(self.checked) if self.case.invented else not self.checked.unknown


def cases() -> Iterator[Case]:
    """Every sentence, in order."""
    for table in tomllib.loads(_SENTENCES.read_text())["brief"]:
        brief = Brief(**{name: table[name] for name in _BRIEF if name in table})
        for talk in (table, *table.get("talk", ())):
            lines = [Utterance(Speaker.CALLEE, text, turn=turn) for turn, text in enumerate(talk.get("callee", ()), 1)]
            lines += [Utterance(Speaker.NOTE, text, turn=len(lines) + 1) for text in talk.get("notes", ())]
            for said in (talk["true"], talk["false"]):
                for place, text in enumerate(said):
                    plain, invented = _MARKED.sub(r"\1", text), tuple(_MARKED.findall(text))
                    yield Case(
                        brief,
                        table.get("today", _TODAY),
                        tuple(lines),
                        plain,
                        invented,
                        place % 3 == 2,
                        table.get("unseen", False),
                    )


def judged(of: list[Case], rounds: int = 1) -> Iterator[Judged]:
    """Each case, checked as in a call: the brief was read before the phone rang, and the lines when they were said.

    Args:
        rounds: how often; the shortest time counts, so that what else the machine does is not measured.
    """
    grounding: Grounding | None = None
    known: Brief | None = None
    for case in of:
        if grounding is None or case.brief is not known:
            grounding, known = Grounding(case.brief, case.today), case.brief
        grounding.check("", case.lines)
        checked, took = _timed(grounding, case)
        for _ in range(rounds - 1):
            took = min(took, _timed(grounding, case)[1])
        yield Judged(case, checked, took)


def _timed(grounding: Grounding, case: Case) -> tuple[Checked, float]:
    began = time.perf_counter()
    checked = grounding.check(case.words, case.lines)
    return checked, time.perf_counter() - began


def measure(quick: bool, show: Callable[[int, int], object]) -> Sheet:
    """Every sentence, a few times, so that what else the machine does is not measured."""
    every = list(cases())
    done: list[Judged] = []
    for one in judged(every, 3 if quick else 10):
        done.append(one)
        show(len(done), len(every))
    return sheet(done)


def sheet(done: list[Judged]) -> Sheet:
    false, true = ([one for one in done if bool(one.case.invented) is invented] for invented in (True, False))
    lines = (
        share("invented facts caught", sum(one.right for one in false), len(false), Target(least=100)),
        share("true sentences held back", sum(not one.right for one in true), len(true), Target(most=3)),
        spread("checking a sentence", [one.took for one in done], Target(most=1, column="p95")),
    )
    missed = [f"Not caught: {one.case.words}" for one in false if not one.right]
    held = [f"Held back for “{', '.join(one.checked.unknown)}”: {one.case.words}" for one in true if not one.right]
    unseen = sum(one.case.held_back or one.case.unseen for one in done)
    note = (
        f"The sentences are in backend/bench/grounding.toml; {unseen} of {len(done)} were first judged when the rules "
        "stood, and the rules mended after that."
    )
    return Sheet("Grounding", lines, (note,), tuple((missed + held)[:_MOST_SHOWN]))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
