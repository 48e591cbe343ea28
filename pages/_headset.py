"""The headset on a running call's page: listening in, and taking over with one's own voice."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import _signin
import _ui
import streamlit as st

from backend import tickets
from backend.models import Call

_HEIGHT = 212
"""Pixels: room for three buttons and a sentence in a narrow column, as in each page that is embedded."""


def shown(call: Call) -> None:
    """The media server's page. Its address stays the same, so that a redraw does not load it anew."""
    _ui.media_page(_path(call), _HEIGHT)


def in_use(call: Call) -> bool:
    """Whether it was shown before."""
    return call.id in st.session_state.get("headsets", {})


def _path(call: Call) -> str:
    kept: dict[str, str] = st.session_state.setdefault("headsets", {})
    if call.id not in kept:
        ticket = tickets.issue(_ui.settings().token, "headset", call.id, time.time(), _signin.who())
        query = urlencode({"call": call.id, "ticket": ticket, "theme": st.context.theme.type or "light"})
        kept[call.id] = f"/headset?{query}{_ui.named(call)}"
    return kept[call.id]
