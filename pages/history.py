"""Past calls: the list, narrowed and taken along. `?call=` goes on to that one call."""

from __future__ import annotations

from datetime import timedelta

import _export
import _report
import _ui
import streamlit as st

from backend.models import Call, LineKind, Outcome
from backend.store import Search

_A_PAGE = 15
_EXPORT_LIMIT = 10_000

# Days before today.
_SPANS = {"Any time": None, "Today": 0, "Last 7 days": 6, "Last 30 days": 29}
_HIDDEN = ("past_outcomes", "past_line", "past_troubled")


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
        st.button("Show all calls", on_click=_show_everything, key="past_all", icon=":material/filter_list_off:")


def _row(call: Call) -> None:
    with st.container(border=True, gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            name = f"**{_ui.plain(_ui.who(call))}**"
            st.page_link(
                "record.py",
                label=name,
                icon=":material/chevron_right:",
                icon_position="right",
                query_params={"call": call.id},
            )
            _ui.outcome_badge(call)
            if call.brief.line is LineKind.PRACTICE:
                _ui.line_badge(call)
            if _report.to_review(call):
                st.badge("To review", icon=":material/rate_review:", color="orange")
            if call.troubles:
                st.badge("Trouble", icon=":material/warning:", color="orange")
        st.markdown(_ui.plain(_ui.short(_report.short(call))))
        talk = _ui.lasted(call)
        facts = [_ui.when(call.created), call.brief.to, "" if talk is None else _ui.clock(talk)]
        st.caption(_ui.plain(" · ".join(filter(None, facts))))


def _export_list(search: Search) -> None:
    """What is found, all pages of it; read only while the menu is open."""
    with st.popover("Export", icon=":material/download:", key="past_export", on_change="rerun") as menu:
        if menu.open:
            calls: list[Call] = _ui.read(lambda archive: archive.calls(search, _EXPORT_LIMIT), [])
            _ui.download("CSV, for spreadsheets", _export.as_csv(calls, _ui.local), "calls.csv", "text/csv")
            _ui.download("JSON, for programs", _export.as_json(calls), "calls.json", "application/json")


if asked := st.query_params.get("call"):
    st.switch_page("record.py", query_params={"call": asked})
_list()
