"""Past calls: find one, read it in full, take it along. `?call=` opens one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from statistics import median

import _export
import _ui
import altair as alt
import streamlit as st

from backend.models import Call, LineKind, Outcome, Turn
from backend.store import Search

_A_PAGE = 15
_EXPORT_LIMIT = 10_000

# Days before today.
_SPANS = {"Any time": None, "Today": 0, "Last 7 days": 6, "Last 30 days": 29}
_HIDDEN = ("past_outcomes", "past_line", "past_troubled")


# --- the list -------------------------------------------------------------------------------------------------


def _search() -> Search:
    """The fields that narrow the list, and what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            key="past_words",
            type="search",
            live="400ms",
            icon=":material/search:",
            placeholder="A name, a number, or words that were said",
            persist_state="session",
        )
        span = st.selectbox("When", list(_SPANS), key="past_span", width=160, persist_state="session")
        used = sum(bool(st.session_state.get(key)) for key in _HIDDEN)
        label = f"More filters ({used})" if used else "More filters"
        with st.popover(label, icon=":material/filter_list:", key="past_filters"):
            outcomes = st.multiselect(
                "Outcome", list(Outcome), format_func=str.capitalize, key="past_outcomes", persist_state="session"
            )
            line = st.segmented_control(
                "Line", list(_ui.LINES), format_func=_ui.LINES.__getitem__, key="past_line", persist_state="session"
            )
            troubled = st.toggle("Only calls with trouble", key="past_troubled", persist_state="session")
    return Search(
        words=words or "",
        outcomes=tuple(outcomes),
        line=LineKind(line) if line else None,
        troubled=troubled,
        since=_midnight(_SPANS[span]),
    )


def _midnight(days_ago: int | None) -> float:
    if days_ago is None:
        return 0.0
    today = _ui.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=days_ago)).timestamp()


def _show_everything() -> None:
    for key in ("past_words", "past_span", *_HIDDEN):
        st.session_state.pop(key, None)


def _list() -> None:
    st.title("Past calls")
    search = _search()
    found = _ui.read(lambda archive: archive.count(search), 0)
    if not found:
        _nothing(search)
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{found} call{'' if found == 1 else 's'}, newest first", width="content")
        _export_list(search)
    slot = st.container()
    pages = -(-found // _A_PAGE)
    # Another search begins at its first page: the key makes it another widget.
    page = st.pagination(pages, key=f"past_page_{search}") if pages > 1 else 1
    calls: list[Call] = _ui.read(lambda archive: archive.calls(search, _A_PAGE, (page - 1) * _A_PAGE), [])
    with slot:
        for call in calls:
            _row(call)


def _nothing(search: Search) -> None:
    if search == Search():
        st.markdown("No call has been placed yet.")
        st.page_link("call.py", label="Place the first one", icon=":material/call:")
    else:
        st.markdown("No call matches.")
        st.button("Show all calls", on_click=_show_everything, icon=":material/filter_list_off:")


def _row(call: Call) -> None:
    with st.container(border=True, gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            name = f"**{_ui.plain(_ui.who(call))}**"
            st.page_link("history.py", label=name, query_params={"call": call.id})
            _ui.outcome_badge(call)
            if call.brief.line is LineKind.PRACTICE:
                _ui.line_badge(call)
            if call.troubles:
                st.badge("Trouble", icon=":material/warning:", color="orange")
        st.markdown(_ui.plain(_ui.short(call.note or call.brief.action)))
        talk = _ui.lasted(call)
        facts = [_ui.when(call.created), call.brief.to, "" if talk is None else _ui.clock(talk)]
        st.caption(_ui.plain(" · ".join(filter(None, facts))))


def _export_list(search: Search) -> None:
    """What is found, all pages of it; made only when it is asked for."""

    def calls() -> list[Call]:
        return _ui.read(lambda archive: archive.calls(search, _EXPORT_LIMIT), [])

    local = _ui.local
    with st.container(horizontal=True, width="content"):
        _download("CSV", lambda: _export.as_csv(calls(), local), "calls.csv", "text/csv")
        _download("JSON", lambda: _export.as_json(calls()), "calls.json", "application/json")


# --- one call -------------------------------------------------------------------------------------------------


def _full(call: Call, turns: list[Turn]) -> None:
    st.page_link("history.py", label="All past calls", icon=":material/arrow_back:")
    st.title(_ui.plain(_ui.who(call)))
    with st.container(horizontal=True, vertical_alignment="center"):
        _ui.outcome_badge(call)
        _ui.line_badge(call)
        st.caption(_ui.plain(f"{_ui.when(call.created)} · {call.brief.to}"), width="content")
    for sentence in filter(None, [call.note, call.ending]):
        st.markdown(_ui.plain(sentence))
    if not call.status.final:
        query = {"call": call.id}
        st.page_link("live.py", label="Still running: watch it", icon=":material/graphic_eq:", query_params=query)
    _ui.troubles(call)
    wide, side = st.columns([5, 3], gap="large")
    with wide, st.container(border=True, gap=None):
        _ui.transcript(call, turns)
        if not turns:
            st.caption("Nothing was said in this call.")
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
    local = _ui.local
    with st.container(horizontal=True):
        _download("Text", lambda: _export.call_as_text(call, turns, local), f"call-{call.id}.txt", "text/plain")
        _download("JSON", lambda: _export.call_as_json(call, turns), f"call-{call.id}.json", "application/json")


def _download(label: str, make: Callable[[], str], name: str, mime: str) -> None:
    st.download_button(label, make, name, mime, icon=":material/download:", on_click="ignore", key=f"save_{name}")


def _open(call_id: str) -> None:
    call = _ui.read(lambda archive: archive.call(call_id), None)
    if call:
        _full(call, _ui.read(lambda archive: archive.turns(call_id), []))
    else:
        _ui.unknown_call()
        _list()


if asked := st.query_params.get("call"):
    _open(asked)
else:
    _list()
