"""All running calls, a row each: one element, however many there are, and one query. Who needs somebody comes first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import _ui
import streamlit as st

from backend.answers import Running
from backend.client import ServerError
from backend.models import Hands, Speaker, Status
from backend.storage.glance import Glance

_POLL = 1.0
"""Seconds between two looks at all of them."""
_POLL_FOR_FIRST = 2.0
"""The same while there are none."""
_MOST = 140
"""Characters of the last words."""

GOOD, FAIR = 1000.0, 2000.0
"""Milliseconds up to which an answer comes quickly, and up to which it is only slow."""

_STATES = {
    Status.CREATED: "Getting ready",
    Status.QUEUED: "Dialling",
    Status.INITIATED: "Dialling",
    Status.RINGING: "Ringing",
}
HANDS = {Hands.AGENT: "The agent has it", Hands.PAUSED: "Agent paused", Hands.OPERATOR: "An operator has it"}


def _source(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


_LIST = st.components.v2.component(
    "running_calls",
    html=(
        '<nav aria-label="Running calls"><ul></ul></nav>'
        '<label><input type="checkbox" role="switch"> Chime when a call asks</label>'
    ),
    css=_source("_rows.css"),
    js=_source("_rows.js"),
)


def ordered(glances: Sequence[Glance]) -> list[Glance]:
    """Who waits for an answer first; else the newest first, so that rows stay where they are."""
    return sorted(glances, key=lambda one: not one.question)


def shown(open_call: str) -> None:
    """The list, drawn again and again. `open_call`: the id of the one that is shown in full."""
    st.fragment(run_every=_POLL)(_list)(open_call)


def expected() -> None:
    """In the place of the list while nothing runs: the page is drawn anew as soon as something does."""
    st.fragment(run_every=_POLL_FOR_FIRST)(_look_for_first)()


def _look_for_first() -> None:
    if _ui.read(lambda archive: archive.glances(time.time()), list[Glance]()):
        st.rerun()


def running() -> list[Running]:
    """Who has each running call in hand; asked while what their agents ask is seen, so it counts as watching them.

    Raises:
        ServerError: the server cannot say.
    """
    return _ui.client().running(watching=not _hidden())


def _hidden() -> bool:
    """Whether the page is in a tab or window that nobody sees, as the list told."""
    told = st.session_state.get("running_calls")
    return bool(told and told.get("hidden"))


def in_hand(known: Sequence[Running], call_id: str) -> Hands:
    return next((one.hands for one in known if one.call_id == call_id), Hands.AGENT)


def _list(open_call: str) -> None:
    if st.query_params.get("call", "") != open_call:
        st.rerun()
    now = time.time()
    glances = ordered(_ui.read(lambda archive: archive.glances(now), list[Glance]()))
    waiting = sum(bool(one.question) for one in glances)
    st.markdown(f"**{_counted(len(glances), waiting)}**")
    hands = _all_hands() if glances else {}
    rows = [_row(one, hands.get(one.id), now) for one in glances]
    data = {"rows": rows, "open": open_call, "hidden": _hidden()}
    _LIST(key="running_calls", data=data, on_opened_change=_open, on_hidden_change=lambda: None)
    st.page_link("call.py", label="Place another call", icon=":material/add_call:")


def _all_hands() -> dict[str, Hands]:
    """By the calls' ids; empty where the server cannot say, which the page says elsewhere."""
    try:
        return {one.call_id: one.hands for one in running()}
    except ServerError:
        return {}


def _open() -> None:
    st.query_params["call"] = st.session_state["running_calls"]["opened"]
    st.query_params.pop("turn", None)


def _counted(count: int, waiting: int) -> str:
    said = f"{count} running call{'' if count == 1 else 's'}" if count else "No call is running"
    return f"{said}, {waiting} need{'s' * (waiting == 1)} you" if waiting else said


def _row(one: Glance, hands: Hands | None, now: float) -> dict[str, Any]:
    """What the list shows of a call; every value is plain text."""
    since = one.answered or one.created
    return {
        "id": one.id,
        "name": one.name or one.number,
        "clock": _ui.clock(now - since),
        "state": _state(one, hands),
        "words": _words(one),
        "asks": f"Asks you: {one.question}" if one.question else "",
        "delay": delay_in_words(one.delay),
        "tone": tone(one.delay),
    }


def _state(one: Glance, hands: Hands | None) -> str:
    if one.status is not Status.IN_PROGRESS:
        return _STATES[one.status]
    state = HANDS[hands] if hands else "On the call"
    return f"{state} · trouble" if one.troubled else state


def _words(one: Glance) -> str:
    """The row is the callee's, so that their own words need no name."""
    names = {Speaker.AGENT: f"{one.agent_name}: ", Speaker.OPERATOR: "Operator: "}
    name = names.get(one.speaker, "") if one.speaker else ""
    return f"{name}{_ui.short(one.words, _MOST)}{' …' * one.speaking}"


def tone(delay: float | None) -> str:
    """A class of the style sheet. `delay`: milliseconds."""
    if delay is None:
        return ""
    return "good" if delay <= GOOD else "fair" if delay <= FAIR else "poor"


def delay_in_words(delay: float | None) -> str:
    """Such as "0.8 s, quick": the colour must not be all that tells."""
    if delay is None:
        return ""
    word = {"good": "quick", "fair": "slow", "poor": "too slow"}[tone(delay)]
    return f"{delay / 1000:.1f} s, {word}"
