"""Deleting a call, or only its recording: each asks once more."""

from __future__ import annotations

import _orders
import _ui
import streamlit as st

from backend.models import Call

_PART = "deletion"


def buttons(call: Call) -> None:
    """Below a call that is over. Once it is deleted, the page goes on to those that are left."""
    if not call.status.final:
        return
    with st.container(horizontal=True):
        if call.recording:
            _button("Delete the recording", "recording")
        _button("Delete this call", "call")
    if st.session_state.get("deleting"):
        _asking(call)


def gone() -> bool:
    """Whether the call was deleted whose page this is."""
    return bool(st.session_state.get("deleted"))


def told() -> None:
    """Say once, on the page after it, that a call was deleted."""
    if st.session_state.pop("deleted", False):
        st.toast("The call was deleted.", icon=":material/delete:")


def _button(label: str, what: str) -> None:
    st.button(label, on_click=_ask, args=(what,), icon=":material/delete:", type="tertiary", key=f"delete_{what}")


def _ask(what: str) -> None:
    st.session_state["deleting"] = what


def _close() -> None:
    st.session_state["deleting"] = ""


@st.dialog("Delete for good?", on_dismiss=_close)
def _asking(call: Call) -> None:
    what = st.session_state.get("deleting")
    if not what:
        # Only the dialog itself was drawn anew; the page must be, for it to go.
        st.rerun()
    who = _ui.plain(f"{_ui.who(call)}, {_ui.when(call.created)}")
    if what == "recording":
        st.markdown(f"The recording of the call with **{who}**. Its words and its report stay.")
    else:
        st.markdown(f"The call with **{who}**: its words, its report, its open questions and its recording.")
        st.caption("If they asked not to be called again, their number is still never called.")
    _orders.refusal(_PART)
    with st.container(horizontal=True):
        st.button(
            "Delete",
            on_click=_delete,
            args=(call.id, what),
            type="primary",
            icon=":material/delete:",
            key="delete_sure",
        )
        st.button("Keep it", on_click=_close, key="delete_not")


def _delete(call_id: str, what: str) -> None:
    server = _ui.client()
    if what == "recording":
        if _orders.give(_PART, lambda: server.remove_recording(call_id)):
            _close()
    elif _orders.give(_PART, lambda: server.remove(call_id)):
        _close()
        st.session_state["deleted"] = True
