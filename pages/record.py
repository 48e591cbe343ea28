"""One past call in full: what was said and heard, what came of it, how fast. `?call=` names it."""

from __future__ import annotations

from statistics import median

import _export
import _questions
import _report
import _ui
import altair as alt
import streamlit as st

from backend.models import Call, Question, Turn


def _full(call: Call, turns: list[Turn]) -> None:
    st.title(_ui.plain(_ui.who(call)))
    with st.container(horizontal=True, vertical_alignment="center"):
        _ui.outcome_badge(call)
        _ui.line_badge(call)
        st.caption(_ui.plain(f"{_ui.when(call.created)} · {call.brief.to}"), width="content")
    if call.status.final:
        _report.shown(call)
    else:
        query = {"call": call.id}
        st.page_link("live.py", label="Still running: watch it", icon=":material/graphic_eq:", query_params=query)
    _ui.troubles(call)
    _questions.cards(_ui.read(lambda archive: archive.questions(call.id), list[Question]()), not call.status.final)
    wide, side = st.columns([5, 3], gap="large")
    with wide, st.container(border=True, gap=None):
        _ui.transcript(call, turns, _report.opened(), _report.sources)
        if not turns:
            st.caption("Nothing was said in this call.")
    _report.scroll_to_opened()
    with side:
        _figures(call, turns)
        with st.container(border=True):
            _ui.about(call)
        _export_call(call, turns)


def _figures(call: Call, turns: list[Turn]) -> None:
    delays = _ui.delays(turns)
    talk = _ui.lasted(call)
    with st.grid(2, min_column_width=120):
        st.metric("Talk", "–" if talk is None else _ui.clock(talk), border=True)
        typical = f"{median(delays.values()) / 1000:.1f} s" if delays else "–"
        st.metric("Answers in", typical, border=True, help="From the other side's last word to the agent's first.")
    if len(delays) > 1:
        _chart(delays)
    if sentence := _ui.preparation(call):
        st.caption(sentence)


def _chart(delays: dict[int, float]) -> None:
    """How long each answer took."""
    table = alt.InlineData(
        values=[{"Answer": n, "Seconds": ms / 1000} for n, ms in enumerate(delays.values(), start=1)]
    )
    bars = (
        alt.Chart(table, height=180)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("Answer:O", title="Answers in order", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("Seconds:Q", title="Seconds"),
            tooltip=["Answer:O", alt.Tooltip("Seconds:Q", format=".2f")],
        )
    )
    slowest = max(delays.values()) / 1000
    st.altair_chart(bars, alt=f"Seconds to each of {len(delays)} answers; the slowest took {slowest:.1f}")


def _export_call(call: Call, turns: list[Turn]) -> None:
    with st.container(horizontal=True):
        _ui.download("Text", _export.call_as_text(call, turns, _ui.local), f"call-{call.id}.txt", "text/plain")
        _ui.download("JSON", _export.call_as_json(call, turns), f"call-{call.id}.json", "application/json")


asked = st.query_params.get("call", "")
call = _ui.read(lambda archive: archive.call(asked), None)
st.page_link("history.py", label="All past calls", icon=":material/arrow_back:")
if call:
    _full(call, _ui.read(lambda archive: archive.turns(asked), []))
else:
    st.title("Past call")
    _ui.unknown_call()
