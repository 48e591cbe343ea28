"""The numbers that are never called: looked at, added to and taken off."""

from __future__ import annotations

from collections.abc import Callable

import _ui
import streamlit as st

from backend.client import ServerError
from backend.models import Refusal


def listed() -> None:
    if said := st.session_state.pop("refusal_refused", None):
        st.error(_ui.plain(said), icon=":material/block:")
    refusals = _ui.read(lambda archive: archive.refusals(), list[Refusal]())
    for refusal in refusals:
        _line(refusal)
    if not refusals:
        st.caption("Nobody has asked not to be called again.")
    with st.form("refusal_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Number", key="refusal_number", max_chars=40, placeholder="+1 202 555 0143")
        st.form_submit_button("Never call it", on_click=_refuse, key="refusal_add")


def _line(refusal: Refusal) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"**{_ui.plain(refusal.number)}**  \n:small[:gray[{_ui.when(refusal.since)} · {_ui.plain(refusal.why)}]]",
            width="content",
        )
        with st.container(horizontal=True, width="content"):
            if refusal.call_id:
                st.page_link("record.py", label="The call", query_params={"call": refusal.call_id})
            _taking_off(refusal)


def _taking_off(refusal: Refusal) -> None:
    """Asked once more: somebody may have said that they do not want to be called."""
    with st.popover("Take off"):
        st.markdown(f"**{_ui.plain(refusal.number)}**  \n{_ui.plain(refusal.why)}")
        st.caption("Take it off only if they have agreed to be called again.")
        st.button("It may be called again", key=f"allow_{refusal.number}", on_click=_allow, args=(refusal.number,))


def _refuse() -> None:
    number = (st.session_state["refusal_number"] or "").strip()
    if number and _done(lambda: _ui.client().refuse(number)):
        st.session_state["refusal_number"] = ""


def _allow(number: str) -> None:
    _done(lambda: _ui.client().allow(number))


def _done(order: Callable[[], object]) -> bool:
    try:
        order()
    except ServerError as error:
        st.session_state["refusal_refused"] = str(error)
        return False
    return True
