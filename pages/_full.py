"""One call in full: the parts that the live page and the past call's page have in common."""

from __future__ import annotations

from collections.abc import Sequence

import _money
import _questions
import _report
import _transcript
import _ui
import _waterfall
import streamlit as st

from backend.models import Call, Event, Hands, Question, Status, Turn

_WAITING = {
    Status.CREATED: "Getting ready…",
    Status.QUEUED: "Dialling…",
    Status.INITIATED: "Dialling…",
    Status.RINGING: "Ringing… What is said appears here as soon as somebody picks up.",
    Status.IN_PROGRESS: "Picked up. What is said appears here.",
}
_IN_HAND = {
    Hands.AGENT: ("The agent has it", "support_agent", "green"),
    Hands.PAUSED: ("Agent paused", "pause_circle", "orange"),
    Hands.OPERATOR: ("An operator has it", "headset_mic", "blue"),
}


def headline(call: Call, turns: Sequence[Turn], hands: Hands | None) -> None:
    """How the call stands. `hands`: None while nobody knows who has it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _ui.status_badge(call)
        if call.status is Status.IN_PROGRESS and hands:
            label, icon, colour = _IN_HAND[hands]
            st.badge(label, icon=f":material/{icon}:", color=colour)  # type: ignore[arg-type]
        _ui.line_badge(call)
        _ui.incoming_badge(call)
        talk = _ui.lasted(call)
        if talk is not None:
            st.markdown(f":material/timer: {_ui.clock(talk)}", width="content")
        if spent := _money.so_far(call):
            st.markdown(f":material/payments: {_ui.plain(spent)}", width="content")
        if quick := _waterfall.summary(turns):
            st.markdown(f":small[:gray[{quick}]]", width="content")


def troubles(call: Call) -> list[Event]:
    """Only asked for where there are any: a running call has thousands of events to look through."""
    return _ui.read(lambda archive: archive.troubles(call.id), list[Event]()) if call.troubles else []


def elsewhere(call: Call, placed: Sequence[Event]) -> None:
    """The troubles of the row that have no place of their own in the transcript."""
    told = {event.data.get("what") for event in placed}
    for trouble in call.troubles:
        if trouble not in told:
            st.markdown(f":orange[:material/warning:] :small[{_ui.plain(trouble)}]")


def questions(call: Call) -> None:
    _questions.cards(_ui.read(lambda archive: archive.questions(call.id), list[Question]()), not call.status.final)


def spoken(call: Call, turns: Sequence[Turn], recording: bool = False) -> None:
    """The transcript, or what to wait for. `recording`: each turn can be heard."""
    placed = troubles(call)
    elsewhere(call, placed)
    _transcript.shown(call, turns, placed, _report.opened(), _report.sources, recording)
    if not turns:
        st.caption(_WAITING.get(call.status, "Nothing was said in this call."))


def figures(call: Call, turns: Sequence[Turn]) -> None:
    """How long it took, how quick the agent was, and what its answers waited for."""
    talk = _ui.lasted(call)
    with st.grid(3, min_column_width=124, gap="xsmall"):
        st.metric("Talk", "–" if talk is None else _ui.clock(talk), border=True)
        _waterfall.figures(turns)
    _waterfall.shown(turns)
    if sentence := _ui.preparation(call):
        st.caption(sentence)
    _money.shown(call)
