"""The operator's ways to step into a running call. What makes no sense just now is off, and the reason stands below."""

from __future__ import annotations

from collections.abc import Callable

import _ui
import streamlit as st

from backend.client import ServerError
from backend.models import Call, Hands, Status

_PAD = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")

PAUSE, BACK, HANG_UP = "P", "B", "Shift+H"
"""Keys that press a button. Letters alone, or with Shift, never fire while somebody types."""


def shown(call: Call, hands: Hands) -> None:
    """`hands`: who has the call now."""
    talking = call.status is Status.IN_PROGRESS
    if refused := st.session_state.pop("live_refused", None):
        st.error(_ui.sentence(refused), icon=":material/block:")
    _say(call, talking)
    _hint(call, talking and hands is Hands.AGENT)
    with st.container(horizontal=True, gap="xsmall"):
        _whose_turn(call.id, hands, talking)
        _keys(call.id, talking)
        _transfer(call.id, talking)
    if reason := why_off(call.status, hands):
        st.caption(reason)


def why_off(status: Status, hands: Hands) -> str:
    """Why some of the controls are off; empty: they are not."""
    if status is not Status.IN_PROGRESS:
        return "All this is for when somebody has picked up. Until then you can hang up."
    if hands is Hands.OPERATOR:
        return "An operator talks with their own voice: hints wait until the call is handed back."
    return "The agent is silent and listens: hints wait until it goes on." if hands is Hands.PAUSED else ""


def hang_up(call: Call) -> None:
    """Apart from the other controls, so that nobody presses it by accident; its key needs Shift for the same reason."""
    st.button(
        ":red[:material/call_end: Hang up]",
        on_click=_command,
        args=(lambda: _ui.client().hang_up(call.id),),
        disabled=call.status.final,
        width="stretch",
        key="hang_up",
        shortcut=HANG_UP,
        help="Ends the call at once, for the callee too.",
    )


# --- what the controls do ---------------------------------------------------------------------------------------


def _command(order: Callable[[], None]) -> None:
    """Have it done; then the transcript says so. If it cannot be, the page does."""
    _done(order)


def _done(order: Callable[[], None]) -> bool:
    """Whether the server took it; if not, its reason is kept for the page to show."""
    try:
        order()
    except ServerError as error:
        st.session_state["live_refused"] = str(error)
        return False
    return True


def _send(call_id: str, key: str, order: Callable[[str, str], None]) -> None:
    """Send what was typed; the field keeps its text unless the server took it."""
    text = (st.session_state[key] or "").strip()
    if text and _done(lambda: order(call_id, text)):
        st.session_state[key] = ""


def _words_to_send(
    call: Call, what: str, label: str, button: str, help_: str, order: Callable[[str, str], None], on: bool
) -> None:
    """A form, so that a redraw never takes half-typed words or the click on another control."""
    key = f"{what}_{call.id}"
    with (
        st.form(f"{key}_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"),
    ):
        st.text_input(label, key=key, max_chars=1000, help=help_, disabled=not on, placeholder="Type, and press Enter")
        st.form_submit_button(button, key=f"{key}_button", on_click=_send, args=(call.id, key, order), disabled=not on)


def _say(call: Call, on: bool) -> None:
    help_ = "Spoken word for word, in the agent's voice, as soon as the other side is silent."
    _words_to_send(call, "say", "Say exactly this", "Say", help_, _ui.client().say, on)


def _hint(call: Call, on: bool) -> None:
    help_ = "Only the agent sees it; it finds its own words."
    _words_to_send(call, "hint", "Hint for the next answer", "Hint", help_, _ui.client().hint, on)


def _whose_turn(call_id: str, hands: Hands, on: bool) -> None:
    """One button, for the one thing that makes sense: pause, go on, or hand back."""
    server = _ui.client()
    label, icon, key, order, help_ = {
        Hands.AGENT: ("Pause", "pause", PAUSE, server.pause, "The agent falls silent at once, and goes on listening."),
        Hands.PAUSED: ("Resume", "play_arrow", PAUSE, server.resume, "The agent answers what was said meanwhile."),
        Hands.OPERATOR: ("Hand back", "undo", BACK, server.hand_back, "The agent goes on, and knows what was said."),
    }[hands]
    st.button(
        label,
        key="whose_turn",
        icon=f":material/{icon}:",
        on_click=_command,
        args=(lambda: order(call_id),),
        disabled=not on,
        shortcut=key,
        help=help_,
        type="secondary" if hands is Hands.AGENT else "primary",
    )


def _keys(call_id: str, on: bool) -> None:
    """The key pad of a phone. It stays open, since menus want one key after the other."""
    with st.popover("Keys", icon=":material/dialpad:", disabled=not on, key="key_pad"):
        with st.grid(3, min_column_width=56, gap="xxsmall"):
            for key in _PAD:
                st.button(
                    f"\\{key}" if key in "*#" else key,
                    key=f"key_{key}",
                    width="stretch",
                    on_click=_command,
                    args=(lambda key=key: _ui.client().press(call_id, key),),
                )
        _several(call_id)


def _several(call_id: str) -> None:
    field = f"keys_{call_id}"
    with (
        st.form(f"{field}_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"),
    ):
        st.text_input("Several at once", key=field, max_chars=40, placeholder="123#")
        st.form_submit_button("Press", key=f"{field}_button", on_click=_send, args=(call_id, field, _ui.client().press))


def _transfer(call_id: str, on: bool) -> None:
    """Behind one more click: the agent leaves the call for good."""
    with st.popover("Transfer", icon=":material/phone_forwarded:", disabled=not on, key="hand_over"):
        st.markdown("Your phone rings, and the callee is connected with you. The agent leaves the call.")
        st.button(
            "Transfer to my phone",
            key="transfer",
            type="primary",
            icon=":material/phone_forwarded:",
            on_click=_command,
            args=(lambda: _ui.client().transfer(call_id),),
        )
