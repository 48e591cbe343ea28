"""A running call: what is being said, and the operator's ways to step in. `?call=` names the call."""

from __future__ import annotations

from collections.abc import Callable

import _questions
import _report
import _ui
import streamlit as st

from backend.client import ServerError
from backend.models import Call, Question, Status, Turn

# Seconds between two looks at a call that is not over; the media server writes partial words every 0.2 s.
_POLL = 0.5

_WAITING = {
    Status.CREATED: "Getting ready…",
    Status.QUEUED: "Dialling…",
    Status.INITIATED: "Dialling…",
    Status.RINGING: "Ringing… What is said appears here as soon as somebody picks up.",
    Status.IN_PROGRESS: "Picked up. What is said appears here.",
}


def _unfinished() -> list[Call]:
    return _ui.read(lambda archive: archive.unfinished(), [])


def _chosen(running: list[Call]) -> Call | None:
    """The call that was asked for; else the one that runs, else the newest."""
    asked = st.query_params.get("call")
    if asked:
        return _ui.read(lambda archive: archive.call(asked), None)
    newest: list[Call] = running or _ui.read(lambda archive: archive.calls(limit=1), [])
    return newest[0] if newest else None


# --- what is said ---------------------------------------------------------------------------------------------


def _watch(call_id: str, drawn: Status) -> None:
    """The part that is drawn again and again; a new status changes the whole page."""
    call = _ui.read(lambda archive: archive.call(call_id), None)
    if call is None or call.status is not drawn:
        st.rerun()
    if not call.status.final:
        _check_server(call)
    _headline(call)
    _ui.troubles(call)
    over = call.status.final
    turns: list[Turn] = _ui.read((lambda archive: archive.turns(call_id)) if over else _ui.latest(call_id), [])
    _questions.cards(_ui.read(lambda archive: archive.questions(call_id), list[Question]()), not call.status.final)
    with st.container(border=True, height=460, gap=None, autoscroll=not over, key="transcript"):
        _ui.transcript(call, turns, _report.opened(), _report.sources)
        if not turns:
            st.caption(_WAITING.get(call.status, "Nothing was said in this call."))


def _check_server(call: Call) -> None:
    """Tell that somebody is here to answer the agent.

    Without its server a call's row stands still; the page must not look as if the call were only quiet.
    """
    try:
        _ui.client().watch(call.id)
    except ServerError as error:
        _ui.server_trouble(error)


def _headline(call: Call) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        _ui.status_badge(call)
        _ui.line_badge(call)
        talk = _ui.lasted(call)
        if talk is not None:
            st.markdown(f":material/timer: {_ui.clock(talk)}", width="content")


# --- stepping in ----------------------------------------------------------------------------------------------


def _command(order: Callable[[], None], done: str) -> bool:
    """Whether the server took it; if not, its reason is kept for the page to show."""
    try:
        order()
    except ServerError as error:
        st.session_state["live_refused"] = str(error)
        return False
    st.toast(done, icon=":material/check:")
    return True


def _send(call_id: str, key: str, order: Callable[[str, str], None], done: str) -> None:
    """Send what was typed; the field keeps its text unless the server took it."""
    text = (st.session_state[key] or "").strip()
    if text and _command(lambda: order(call_id, text), done):
        st.session_state[key] = ""


def _words_to_send(
    call: Call, what: str, label: str, help_: str, button: str, order: Callable[[str, str], None], done: str
) -> None:
    """A form, so that a redraw never takes half-typed words or the click on another control."""
    key, off = f"{what}_{call.id}", call.status is not Status.IN_PROGRESS
    with (
        st.form(f"{key}_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"),
    ):
        st.text_input(label, key=key, max_chars=1000, help=help_, disabled=off)
        st.form_submit_button(
            button, key=f"{key}_button", on_click=_send, args=(call.id, key, order, done), disabled=off
        )


def _hang_up(call_id: str) -> None:
    _command(lambda: _ui.client().hang_up(call_id), "Hanging up.")


def _controls(call: Call) -> None:
    server = _ui.client()
    if refused := st.session_state.pop("live_refused", None):
        st.error(_ui.plain(refused), icon=":material/block:")
    _words_to_send(
        call,
        "say",
        "Say exactly this",
        "Spoken word for word as soon as the other side is silent.",
        "Say",
        server.say,
        "The agent will say it.",
    )
    _words_to_send(
        call,
        "hint",
        "Hint for the next answer",
        "Only the agent sees it; it finds its own words.",
        "Hint",
        server.hint,
        "The agent has your hint.",
    )
    st.button(
        ":red[:material/call_end: Hang up]",
        on_click=_hang_up,
        args=(call.id,),
        disabled=call.status.final,
        width="stretch",
        key="hang_up",
    )


def _result(call: Call) -> None:
    """What came of it, once it is over."""
    _ui.outcome_badge(call)
    _report.shown(call)
    st.page_link("record.py", label="Open the full call", icon=":material/article:", query_params={"call": call.id})
    st.page_link("call.py", label="Place another call", icon=":material/call:")


def _others(running: list[Call], shown: Call | None) -> None:
    """The other calls that run now."""
    others = [call for call in running if shown is None or call.id != shown.id]
    if others:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Also running:", width="content")
            for call in others[:8]:
                label, query = _ui.plain(_ui.who(call)), {"call": call.id}
                st.page_link("live.py", label=label, icon=":material/graphic_eq:", query_params=query)


def _show(call: Call) -> None:
    # A call found without being asked for by id stays the one that is shown, also after a reload.
    st.query_params["call"] = call.id
    st.title(_ui.plain(_ui.who(call)))
    st.caption(_ui.plain(_ui.short(call.brief.action)))
    wide, side = st.columns([5, 3], gap="large")
    with wide:
        polled = st.fragment(run_every=None if call.status.final else _POLL)(_watch)
        polled(call.id, call.status)
    with side:
        with st.container(border=True):
            if call.status.final:
                _result(call)
                _report.scroll_to_opened()
            else:
                _controls(call)
        with st.expander("About this call", icon=":material/info:", expanded=call.status.final):
            _ui.about(call)


running = _unfinished()
call = _chosen(running)
if call:
    _show(call)
elif "call" in st.query_params:
    st.title("Live")
    _ui.unknown_call()
    st.page_link("history.py", label="See all past calls", icon=":material/history:")
else:
    st.title("Live")
    st.markdown("No call has been placed yet.")
    st.page_link("call.py", label="Place the first one", icon=":material/call:")
_others(running, call)
