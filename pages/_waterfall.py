"""How long each answer took, and with what: the end of the callee's turn, the model, the voice, the line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

import altair as alt
import streamlit as st

from backend.models import Turn
from backend.storage.measures import delays

STEPS = ("End of turn", "Model", "Voice", "Line")
_COLOURS = ("#8a9490", "#2a8f7c", "#d08a3a", "#7a93c9")
"""One for each step, far enough from the page in light and in dark."""


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of an answer's delay."""

    turn: int
    name: str
    begins: float
    """Seconds since the callee's last sound, as is `ends`."""
    ends: float


def steps(turns: Iterable[Turn]) -> list[Step]:
    """What the delays are made of; of a step that is not known, its time counts for the next one."""
    return [step for turn in turns if delays([turn]) for step in _of(turn)]


def _of(turn: Turn) -> Iterable[Step]:
    """What was ready before the decision, because it was prepared, took no time of its own."""
    ms = turn.timings
    decided = ms["decided"]
    reached = [0.0, decided, *(ms.get(name) for name in ("first_clause", "first_voice", "first_sound"))]
    at = 0.0
    for name, since in zip(STEPS, reached[1:], strict=True):
        if since is None:
            continue
        end = max(at, since if name == STEPS[0] else decided + since)
        yield Step(turn.number, name, at / 1000, end / 1000)
        at = end


def percentile(values: Sequence[float], share: float) -> float:
    """The least of these that is at least as large as this share of them."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def summary(turns: Sequence[Turn]) -> str:
    """Such as "answers in 0.8 s, 1.4 s at worst"; empty before the first one."""
    took = delays(turns).values()
    return f"answers in {median(took) / 1000:.1f} s" if took else ""


def figures(turns: Sequence[Turn]) -> None:
    """Half of the answers, and all but a few, came within this time."""
    took = list(delays(turns).values())
    half, most = (f"{median(took) / 1000:.1f} s", f"{percentile(took, 0.95) / 1000:.1f} s") if took else ("–", "–")
    st.metric("Answers in", half, border=True)
    st.metric("95 % of them in", most, border=True)


def shown(turns: Sequence[Turn]) -> None:
    """A bar for each answer; nothing before the first one."""
    known = steps(turns)
    if not known:
        return
    answers = sorted({step.turn for step in known})
    values = [
        {
            "Turn": step.turn,
            "Step": step.name,
            "begins": round(step.begins, 3),
            "ends": round(step.ends, 3),
            "Seconds": round(step.ends - step.begins, 3),
        }
        for step in known
    ]
    chart = alt.Chart(alt.InlineData(values=values), height=alt.Step(22)).mark_bar(cornerRadius=2, height=14)
    slowest = max(delays(turns).values()) / 1000
    st.altair_chart(
        chart.encode(
            y=alt.Y("Turn:O", title="Turn", axis=alt.Axis(ticks=False)),
            x=alt.X("begins:Q", title="Seconds since the other side's last sound", scale=alt.Scale(zero=True)),
            x2="ends:Q",
            color=alt.Color(
                "Step:N",
                scale=alt.Scale(domain=list(STEPS), range=list(_COLOURS)),
                legend=alt.Legend(orient="top", title=None, columns=4),
            ),
            tooltip=["Turn:O", "Step:N", alt.Tooltip("Seconds:Q", format=".2f")],
        ),
        alt=f"What each of {len(answers)} answers waited for; the slowest took {slowest:.1f} seconds.",
    )
