"""How quick the agent was, from the turns of a call. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from backend.models import Speaker, Turn


def delays(turns: Sequence[Turn]) -> dict[int, float]:
    """By turn number, the milliseconds from the callee's last sound to the agent's first, for what was thought out."""
    stages = {turn.number: turn.timings for turn in turns}
    return {n: ms["decided"] + ms["first_sound"] for n, ms in stages.items() if {"decided", "first_sound"} <= ms.keys()}


def dead_air(turns: Sequence[Turn]) -> float | None:
    """Seconds of the longest silence in which the agent was due; None when it never was.

    It is due from the end of what the callee says until its own first sound, or until the callee speaks again. What an
    operator answers is no silence of the agent's.
    """
    measured = delays(turns)
    said = [turn for turn in turns if turn.speaker is not Speaker.NOTE]
    silences = [milliseconds / 1000 for milliseconds in measured.values()]
    for before, after in pairwise(said):
        due = before.speaker is Speaker.CALLEE and after.speaker is not Speaker.OPERATOR
        if due and before.ended is not None and after.number not in measured:
            silences.append(max(0.0, after.started - before.ended))
    return max(silences, default=None)


def columns(turns: Sequence[Turn]) -> dict[str, float | None]:
    """What of a call's row these turns tell, by the names of `Call`."""
    answers = delays(turns).values()
    return {
        "delay_typical": median(answers) if answers else None,
        "delay_worst": max(answers, default=None),
        "dead_air": dead_air(turns),
    }
