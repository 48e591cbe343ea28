"""The headset on a running call's page: listening in, and taking over with one's own voice."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import _signin
import _ui
import streamlit as st

from backend import tickets
from backend.models import Call

_HEIGHT = 190


def shown(call: Call) -> None:
    """The media server's page. Its address stays the same, so that a redraw does not load it anew."""
    _ui.media_page(_path(call.id), _HEIGHT)


def in_use(call: Call) -> bool:
    """Whether it was shown before."""
    return call.id in st.session_state.get("headsets", {})


def _path(call_id: str) -> str:
    kept: dict[str, str] = st.session_state.setdefault("headsets", {})
    if call_id not in kept:
        ticket = tickets.issue(_ui.settings().token, "headset", call_id, time.time(), _signin.who())
        query = urlencode({"call": call_id, "ticket": ticket, "theme": st.context.theme.type or "light"})
        kept[call_id] = f"/headset?{query}"
    return kept[call_id]
