"""The fields that narrow the past calls, and what they ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as clock

import _ui
import streamlit as st

from backend.models import Direction, LineKind, Outcome
from backend.storage.store import Search, Sorting

ORDERS = {
    Sorting.NEWEST: "Newest first",
    Sorting.SLOWEST: "Slowest answer first",
    Sorting.DEADEST: "Longest dead air first",
    Sorting.LONGEST: "Longest talk first",
    Sorting.DEAREST: "Dearest first",
}

_DIRECTIONS = {Direction.OUTBOUND: "Outgoing", Direction.INBOUND: "Incoming"}
_CHOSEN = "Between two days"
# Days before today.
_SPANS = {"Any time": None, "Today": 0, "Last 7 days": 6, "Last 30 days": 29, "Last 12 months": 364, _CHOSEN: None}
_HIDDEN: dict[str, object] = {
    "past_outcomes": [],
    "past_number": "",
    "past_agent": None,
    "past_line": None,
    "past_direction": None,
    "past_troubled": False,
    "past_review": False,
}
"""The fields that are not always in sight, as they are when they filter nothing."""


def fields() -> tuple[Search, Sorting]:
    """Draw them; returns what they ask for, and what is to come first."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            key="past_words",
            type="search",
            live="300ms",
            icon=":material/search:",
            placeholder="A name, a number, or words that were said",
            help="Beginnings of words will do. “In quotation marks”: these words next to each other.",
            persist_state="session",
        )
        span = st.selectbox("When", list(_SPANS), key="past_span", width=170, persist_state="session")
        since, until = _between() if span == _CHOSEN else (_midnight(_SPANS[span]), None)
        order = st.selectbox(
            "Order",
            list(ORDERS),
            format_func=ORDERS.__getitem__,
            key="past_order",
            width=210,
            persist_state="session",
        )
        used = sum(bool(st.session_state.get(key)) for key in _HIDDEN)
        label = f"More filters ({used})" if used else "More filters"
        with st.popover(label, icon=":material/filter_list:", key="past_filters"):
            search = _filtered()
    return replace(search, words=words or "", since=since, until=until), order


def _filtered() -> Search:
    """By the fields that are not always in sight."""
    agents = _ui.read(lambda archive: archive.agents(), list[str]())
    outcomes = st.multiselect(
        "Outcome", list(Outcome), format_func=lambda one: one.words, key="past_outcomes", persist_state="session"
    )
    number = st.text_input(
        "Number", key="past_number", placeholder="All of it, or a part", live="400ms", persist_state="session"
    )
    agent = st.selectbox("Agent", agents, index=None, key="past_agent", persist_state="session")
    line = st.segmented_control(
        "Line", list(_ui.LINES), format_func=_ui.LINES.__getitem__, key="past_line", persist_state="session"
    )
    direction = st.segmented_control(
        "Direction",
        list(_DIRECTIONS),
        format_func=_DIRECTIONS.__getitem__,
        key="past_direction",
        persist_state="session",
    )
    troubled = st.toggle("Only calls with trouble", key="past_troubled", persist_state="session")
    review = st.toggle("Only results to review", key="past_review", persist_state="session")
    return Search(
        outcomes=tuple(outcomes),
        number=number or "",
        agent=agent or "",
        line=LineKind(line) if line else None,
        direction=Direction(direction) if direction else None,
        troubled=troubled,
        review=review,
    )


def _between() -> tuple[float, float | None]:
    """The first moment of the first day, and the first after the last; open while only one is chosen."""
    today = _ui.now().date()
    days = st.date_input(
        "Days", (today - timedelta(days=29), today), key="past_days", width=230, persist_state="session"
    )
    chosen = list(days) if isinstance(days, tuple) else [days]
    first = _starts(chosen[0]) if chosen else 0.0
    return first, _starts(chosen[1] + timedelta(days=1)) if len(chosen) > 1 else None


def _midnight(days_ago: int | None) -> float:
    return 0.0 if days_ago is None else _starts(_ui.now().date() - timedelta(days=days_ago))


def _starts(day: date) -> float:
    return datetime.combine(day, clock(), _ui.now().tzinfo).timestamp()


def show_everything() -> None:
    """Empty all fields; the order stays. Forgetting them would not do: the browser still has what was typed."""
    for key, nothing in {"past_words": "", "past_span": "Any time", **_HIDDEN}.items():
        st.session_state[key] = nothing
