"""The operator's own phone on a practice call's page: it rings there, and they are the callee."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import _ui
import streamlit as st

from backend import tickets
from backend.models import Call

_HEIGHT = 224


def shown(call: Call) -> None:
    """The phone, while it may ring or be talked into. Draw it where nothing before it comes or goes.

    The browser keeps the phone only as long as its address and its place on the page stay the same.
    """
    if call.brief.rings_here and not call.status.final:
        _ui.media_page(_path(call.id), _HEIGHT)


def _path(call_id: str) -> str:
    """Made once for each call: also with the colours of that moment, since another address would hang up."""
    key = f"softphone_{call_id}"
    if key not in st.session_state:
        ticket = tickets.issue(_ui.settings().token, "softphone", call_id, time.time())
        asked = {"call": call_id, "ticket": ticket, "theme": st.context.theme.type or ""}
        st.session_state[key] = f"/softphone?{urlencode(asked)}"
    path: str = st.session_state[key]
    return path
