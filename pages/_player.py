"""The recording on a past call's page, and the place of each turn in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import quote, urlencode

import _ui
import streamlit as st

from backend import tickets
from backend.models import Call, Speaker, Turn
from backend.recording.names import begins

_HEIGHT = 190
_LASTS = 3600.0
"""Seconds for which a ticket is good: it works without signing in, and after signing out."""
_SIDES = {Speaker.CALLEE: "callee", Speaker.OPERATOR: "agent"}
"""Where those are heard whose words are known only a little after they began to speak."""


def shown(call: Call, turns: Sequence[Turn]) -> None:
    """The media server's player; at the turn that was chosen, it begins to play there."""
    if not call.recording:
        return
    chosen = st.session_state.get(_key(call))
    turn = next((turn for turn in turns if turn.number == chosen), None)
    _ui.media_page(_path(call, turn), _HEIGHT)


def moment(call: Call, turn: Turn) -> float | None:
    """Where this turn is in the recording, in seconds; None where it is not: there is none, or nobody spoke."""
    begun = begins(call.recording)
    if begun is None or turn.speaker is Speaker.NOTE:
        return None
    return max(0.0, turn.started - begun)


def choose(call: Call, turn: Turn) -> None:
    """Play this turn from here on; for `on_click`."""
    st.session_state[_key(call)] = turn.number
    # Else a turn that is chosen again would change nothing in the address, and not be played.
    st.session_state[f"{_key(call)}-times"] = st.session_state.get(f"{_key(call)}-times", 0) + 1


def _key(call: Call) -> str:
    return f"playing-{call.id}"


def _path(call: Call, turn: Turn | None) -> str:
    query = {"ticket": _ticket(call.id), "theme": st.context.theme.type or "light"}
    at = moment(call, turn) if turn else None
    if turn and at is not None:
        times = st.session_state.get(f"{_key(call)}-times", 0)
        query |= {"at": f"{at:.2f}", "times": str(times)}
        # The player finds the beginning by ear there.
        query |= {"side": _SIDES[turn.speaker]} if turn.speaker in _SIDES else {}
    return f"/recordings/{quote(call.id, safe='')}?{urlencode(query)}{_ui.named(call)}"


def _ticket(call_id: str) -> str:
    """Kept, so that a redraw does not load the player anew; but not one that ends soon."""
    kept: dict[str, tuple[str, float]] = st.session_state.setdefault("recordings", {})
    ticket, until = kept.get(call_id, ("", 0.0))
    if time.time() > until - _LASTS / 2:
        until = time.time() + _LASTS
        ticket = tickets.issue(_ui.settings().token, "recording", call_id, time.time(), lasts=_LASTS)
        kept[call_id] = ticket, until
    return ticket
