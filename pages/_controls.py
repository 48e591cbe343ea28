"""The operator's ways to step into a running call. What makes no sense just now is off, and the reason stands below."""

from __future__ import annotations

import re
from collections.abc import Callable

import _orders
import _ui
import streamlit as st

from backend.client import ServerError
from backend.models import Call, Hands, Status

_PART = "controls"
_PAD = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")

PAUSE, BACK, HANG_UP = "P", "B", "Shift+H"
"""Keys that press a button. Letters alone, or with Shift, never fire while somebody types."""


def shown(call: Call, hands: Hands | None) -> None:
    """`hands`: who has the call now; None while nobody knows."""
    on = call.status is Status.IN_PROGRESS and hands is not None
    _say(call, on)
    _hint(call, on and hands is Hands.AGENT)
    with st.container(horizontal=True, gap="xsmall"):
        _keys(call.id, on)
        _hand_over(call, on)
    if reason := why_off(call.status, hands):
        st.caption(reason)


def refusal() -> None:
    """Why the last order was not taken, if it was not."""
    _orders.refusal(_PART)


def why_off(status: Status, hands: Hands | None) -> str:
    """Why some of the controls are off; empty: they are not."""
    if status is not Status.IN_PROGRESS:
        return "All this is for when somebody has picked up. Until then you can hang up."
    if hands is None:
        return "All this waits until the media server answers again."
    if hands is Hands.OPERATOR:
        return "An operator talks with their own voice: hints wait until the call is handed back."
    return "The agent is silent and listens: hints wait until it goes on." if hands is Hands.PAUSED else ""


def at_once(call: Call, hands: Hands | None) -> None:
    """What must be within reach, above everything else: silencing the agent, and hanging up.

    Hanging up is never off: it is tried even where nobody knows how the call stands. Its key needs Shift, so that it
    is not pressed by accident.
    """
    _whose_turn(call, hands)
    st.button(
        ":red[:material/call_end: Hang up]",
        on_click=_command,
        args=(lambda: _ui.client().hang_up(call.id), f"{call.id} hang up"),
        key="hang_up",
        shortcut=HANG_UP,
        help="Ends the call at once, for them too.",
    )


# --- what the controls do ---------------------------------------------------------------------------------------


def _command(order: Callable[[], None], what: str = "") -> None:
    """Have it done; then the transcript says so. If it cannot be, the page does. `what`: as for `_orders.give`."""
    _orders.give(_PART, order, what)


def _send(call_id: str, key: str, order: Callable[[str, str], None]) -> None:
    """Send what was typed; the field keeps its text unless the server took it."""
    text = (st.session_state[key] or "").strip()
    if text and _orders.give(_PART, lambda: order(call_id, text), f"{key} {text}"):
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


def _whose_turn(call: Call, hands: Hands | None) -> None:
    """One button, for the one thing that makes sense: pause, go on, or hand back. While nobody knows, the last one."""
    server = _ui.client()
    known: dict[str, Hands] = st.session_state.setdefault("hands_known", {})
    known[call.id] = hands or known.get(call.id, Hands.AGENT)
    label, icon, key, order, help_ = {
        Hands.AGENT: ("Pause", "pause", PAUSE, server.pause, "The agent falls silent at once, and goes on listening."),
        Hands.PAUSED: ("Resume", "play_arrow", PAUSE, server.resume, "The agent answers what was said meanwhile."),
        Hands.OPERATOR: ("Hand back", "undo", BACK, server.hand_back, "The agent goes on, and knows what was said."),
    }[known[call.id]]
    st.button(
        label,
        key="whose_turn",
        icon=f":material/{icon}:",
        on_click=_command,
        args=(lambda: order(call.id), f"{call.id} {label}"),
        disabled=call.status is not Status.IN_PROGRESS or hands is None,
        shortcut=key,
        help=help_,
        type="secondary" if known[call.id] is Hands.AGENT else "primary",
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
        st.form_submit_button("Press", key=f"{field}_button", on_click=_send, args=(call_id, field, _press))


def _press(call_id: str, typed: str) -> None:
    """
    Raises:
        ServerError: these are no keys, or the server does not take them.
    """
    keys = re.sub(r"[\s().–-]", "", typed).lower()
    if not re.fullmatch(r"[0-9*#w]+", keys):
        raise ServerError("Only digits, * and # can be pressed.")
    _ui.client().press(call_id, keys)


def _hand_over(call: Call, on: bool) -> None:
    """Behind one more click: the agent leaves the call for good."""
    with st.popover("Hand over", icon=":material/phone_forwarded:", disabled=not on, key="hand_over"):
        if not on:
            return
        setup = _ui.setup()
        possible = setup is not None and call.brief.line in setup.hand_over
        st.markdown(
            "Your phone rings, and they are connected with you. The agent leaves the call."
            if possible
            else "There is no phone to hand calls over to: set `TRANSFER_NUMBER` in .env, and restart."
        )
        st.button(
            "Hand over to my phone",
            key="transfer",
            type="primary",
            icon=":material/phone_forwarded:",
            on_click=_command,
            args=(lambda: _ui.client().transfer(call.id), f"{call.id} hand over"),
            disabled=not possible,
        )
