"""The running calls at a glance, and one in full with the operator's ways to step in. `?call=` names it."""

from __future__ import annotations

import time

import _again
import _controls
import _full
import _headset
import _report
import _rows
import _softphone
import _transcript
import _ui
import streamlit as st

from backend.client import ServerError
from backend.models import Call, Hands, Status, Turn
from backend.storage.glance import Glance

# Seconds between two looks at a call that is not over; the media server writes partial words every 0.2 s.
_POLL = 0.5
# The same for its figures, which change with each answer.
_POLL_FIGURES = 2.0


def _chosen(running: list[Glance]) -> Call | None:
    """The call that was asked for; else the first of those that run, else the newest."""
    asked = st.query_params.get("call") or (_rows.ordered(running)[0].id if running else "")
    if asked:
        return _ui.read(lambda archive: archive.call(asked), None)
    newest: list[Call] = _ui.read(lambda archive: archive.calls(limit=1), [])
    return newest[0] if newest else None


# --- what is drawn again and again ------------------------------------------------------------------------------


def _watch(call_id: str, drawn: Status, drawn_hands: Hands | None) -> None:
    """What is said; a new status, or somebody else who has the call, changes the whole page."""
    call = _ui.read(lambda archive: archive.call(call_id), None)
    hands, trouble = _hands(call) if call else (drawn_hands, None)
    if call is None or call.status is not drawn or hands is not drawn_hands:
        st.rerun()
    if trouble:
        # Without its server a call's row stands still; the page must not look as if the call were only quiet.
        _ui.server_trouble(trouble)
    over = call.status.final
    turns: list[Turn] = _ui.read((lambda archive: archive.turns(call_id)) if over else _transcript.latest(call_id), [])
    _full.headline(call, turns, hands)
    _full.questions(call)
    with st.container(border=True, height=520, gap=None, autoscroll=not over, key="transcript"):
        _full.spoken(call, turns)


def _hands(call: Call) -> tuple[Hands | None, ServerError | None]:
    """Who has the call, if that is known, and why it is not."""
    if call.status.final:
        return None, None
    try:
        return _rows.in_hand(_rows.running(), call.id), None
    except ServerError as error:
        return None, error


def _figures(call_id: str) -> None:
    call = _ui.read(lambda archive: archive.call(call_id), None)
    if call:
        _full.figures(call, _ui.read(lambda archive: archive.turns(call_id), list[Turn]()))


# --- the page ---------------------------------------------------------------------------------------------------


def _result(call: Call) -> None:
    """What came of it, once it is over."""
    _ui.outcome_badge(call)
    _report.shown(call)
    st.page_link("record.py", label="Open the full call", icon=":material/article:", query_params={"call": call.id})
    _again.link(call)
    st.page_link("call.py", label="Place another call", icon=":material/call:")


def _show(call: Call) -> None:
    over = call.status.final
    hands, trouble = _hands(call)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(_ui.plain(_ui.who(call)), width="stretch")
        if not over:
            with st.container(horizontal=True, width="content", gap="small"):
                _controls.at_once(call, hands)
    _controls.refusal()
    st.caption(_ui.plain(_ui.short(call.brief.action)))
    _softphone.shown(call)
    wide, side = st.columns([5, 3], gap="medium")
    with wide:
        st.fragment(run_every=None if over else _POLL)(_watch)(call.id, call.status, hands)
    with side:
        # In a place of its own: what is drawn at another place is loaded anew, and that would end a taking over.
        with st.container(key="headset_place"):
            # Without its server it would be an empty frame; once it is there, no hiccup may end a taking over.
            if call.status is Status.IN_PROGRESS and (not trouble or _headset.in_use(call)):
                _headset.shown(call)
        with st.container(border=True):
            if over:
                _result(call)
                _report.scroll_to_opened()
            else:
                _controls.shown(call, hands)
        # Drawn only while somebody looks: a chart that is polled unseen costs as much as one that is seen.
        with st.expander(
            "Speed and cost", icon=":material/speed:", expanded=over, key=f"figures_{over}", on_change="rerun"
        ) as figures:
            if figures.open:
                st.fragment(run_every=None if over else _POLL_FIGURES)(_figures)(call.id)
        with st.expander("About this call", icon=":material/info:", expanded=over):
            _ui.about(call)


def _nothing() -> None:
    st.title("Live")
    if "call" in st.query_params:
        _ui.unknown_call()
        st.page_link("history.py", label="See all past calls", icon=":material/history:")
    else:
        st.markdown("No call has been placed yet.")
        st.page_link("call.py", label="Place the first one", icon=":material/call:")


def _page() -> None:
    running = _ui.read(lambda archive: archive.glances(time.time()), list[Glance]())
    call = _chosen(running)
    if call:
        # A call found without being asked for by id stays the one that is shown, also after a reload.
        st.query_params["call"] = call.id
    rows, full = st.columns([3, 10], gap="medium") if running else (None, st.container())
    if rows:
        with rows:
            _rows.shown(st.query_params.get("call", ""))
    with full:
        if call:
            _show(call)
        else:
            _nothing()
        if not running:
            _rows.expected()


_page()
