"""The phone number as it is typed: whose it is, how late it is there, what stands against it, and earlier calls."""

from __future__ import annotations

import time

import _ui
import streamlit as st

from backend.answers import Number
from backend.client import ServerDown, ServerError
from backend.hours import DAY, There, there
from backend.models import Call, Direction, LineKind, Refusal


def field() -> None:
    st.text_input(
        "Phone number",
        key="call_to",
        type="phone",
        max_chars=40,
        live="400ms",
        placeholder="+1 202 555 0143",
        help="With country code, such as +1 202 555 0143.",
        persist_state="session",
    )
    typed = st.session_state["call_to"].strip()
    if not typed:
        st.caption("Whose phone shall ring?")
        return
    try:
        number = _ui.client().number(typed)
    except ServerDown:
        return
    except ServerError as error:
        st.markdown(f":red[:material/error:] :small[:red[{_ui.sentence(str(error))}]]")
        return
    _found(number)


def any_hour() -> bool:
    """Whether the operator says that the call is expected, although it is night there."""
    return any(ticked for key, ticked in st.session_state.items() if str(key).startswith(_EXPECTED))


_EXPECTED = "call_expected "
"""Before the number: whoever types another one has not said it of that."""


def _found(number: Number) -> None:
    day = _ui.settings().day
    place = there(number.time_zones, time.time(), day or DAY)
    said = [number.national, number.country, f"{place.time} there" if place else ""]
    st.caption(f":green[:material/check_circle:] {_ui.plain(' · '.join(filter(None, said)))}")
    if place and place.asleep:
        st.markdown(f":orange[:material/bedtime:] :small[:orange[{_asleep(place)}]]")
        if day and place.night and st.session_state.get("call_line") is LineKind.PHONE:
            st.checkbox("They expect a call at this hour", key=f"{_EXPECTED}{number.e164}")
    if refusal := _ui.read(lambda archive: archive.refused(number.e164), None):
        _refused(refusal)
    if calls := _ui.read(lambda archive: archive.calls_with(number.e164), list[Call]()):
        _calls(calls)


def _asleep(place: There) -> str:
    if place.awake:
        return "This number may ring where it is night now."
    return "It is night there: a call may wake somebody."


def _refused(refusal: Refusal) -> None:
    why = _ui.plain(refusal.why)
    st.markdown(f":red[:material/block:] :small[:red[**This number is on the never\\-call list.** {why}]]")


def _calls(calls: list[Call]) -> None:
    """The last ones with this number, each a way to what was said."""
    with st.container(gap="xsmall", key="call_earlier"):
        st.caption("Last call with this number" if len(calls) == 1 else "Last calls with this number")
        for call in calls:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                page = "record.py" if call.status.final else "live.py"
                way = "call_received" if call.brief.direction is Direction.INBOUND else "call_made"
                st.page_link(
                    page,
                    label=_ui.when(call.created),
                    icon=f":material/{way}:",
                    width=215,
                    query_params={"call": call.id},
                )
                _ui.outcome_badge(call)
