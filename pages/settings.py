"""What is real, what is practice, what is missing and what to do about it. Nothing secret is shown."""

from __future__ import annotations

import _money
import _refusals
import _signin
import _ui
import streamlit as st

from backend.answers import Part, Setup

st.title("Settings")


def _part(part: Part) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{part.name}**", width="content")
            _ui.part_badge(part)
        if part.serves:
            st.markdown(_ui.plain(part.serves))
        if part.advice:
            st.caption(_ui.plain(part.advice))


def _limits(setup: Setup | None) -> None:
    settings = _ui.settings()
    each = f"{settings.max_calls_per_number} at most" if settings.max_calls_per_number else "any number"
    facts = {
        "Phones are rung": f"from {settings.day} by their own clocks" if settings.day else "at any hour",
        "Calls in an hour": f"{settings.max_calls_per_hour} at most",
        "To one number in an hour": each,
        "Spent in 24 hours": _money.day(),
        "Length of a call": f"{settings.max_call_minutes:g} minutes at most",
    }
    if setup:
        facts["Calls at once on this machine's own speech"] = f"{setup.offline_calls} at most"
        facts["Running now"] = str(setup.live_calls)
    st.table(facts, border="horizontal", alt="Limits")


def _places() -> None:
    settings = _ui.settings()
    facts = {
        "Public host": f"`{settings.public_host}`" if settings.public_host else "None: real phone calls need one",
        "Media server": f"`{settings.server_url}`",
        "Calls are kept in": _ui.place(settings.database_path),
    }
    st.table(facts, border="horizontal", alt="Addresses and places")


setup = _ui.setup()
if setup:
    engines = [part for part in setup.parts if part.name in _ui.PARTS.values()]
    lines = [part for part in setup.parts if part not in engines]
    for heading, parts in (("Lines", lines), ("Who hears, thinks and speaks", engines)):
        st.subheader(heading)
        with st.grid(len(parts) or 1, min_column_width=240):
            for part in parts:
                _part(part)
st.subheader("Who can open this dashboard")
_signin.account()
st.subheader("Prices")
_money.table()
st.subheader("Never called again")
_refusals.listed()
left, right = st.columns(2, gap="large")
with left:
    st.subheader("Limits")
    _limits(setup)
with right:
    st.subheader("Where things are")
    _places()
st.caption(
    "Settings are written in the file .env in the project's folder; .env.example explains each. Restart after a change."
)
if _ui.at_home():
    # The server shows this page to nobody else.
    st.link_button("How other programs place calls", f"{_ui.settings().server_url}/docs", icon=":material/api:")
