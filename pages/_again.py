"""Calling somebody again: the way from a call to the form, filled in with what that call was about."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from backend.models import Brief, Call, Direction


def link(call: Call) -> None:
    """Nothing for a caller who hid their number."""
    if call.brief.to.startswith("+"):
        st.page_link(
            "call.py",
            label="Call again",
            icon=":material/add_call:",
            query_params={"again": call.id},
            width="content",
            help="Opens the form with this number, name and text. Nothing rings before you press Call.",
        )


def form(earlier: Brief) -> Brief:
    """What the form is filled in with. What is done for callers is no errand for whoever calls them back."""
    if earlier.direction is Direction.INBOUND:
        return replace(earlier, action="", context="", direction=Direction.OUTBOUND)
    return earlier
