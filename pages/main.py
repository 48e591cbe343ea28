"""The dashboard's entry: settings that can be used, then the page that was asked for."""

from __future__ import annotations

import _ui
import streamlit as st

from backend.config import BadSettings

st.set_page_config(page_title="Phone Agent", page_icon=":material/support_agent:", layout="wide")

try:
    _ui.settings()
except BadSettings as bad:
    st.title("Phone Agent")
    st.error("Some settings in .env cannot be used. Correct them and start again.", icon=":material/settings_alert:")
    st.code(str(bad), language=None, wrap_lines=True)
    st.stop()

page = st.navigation(
    [
        st.Page("call.py", title="Call", icon=":material/call:", default=True, help="Say who to call and what for."),
        st.Page("live.py", title="Live", icon=":material/graphic_eq:", help="Watch a running call and step in."),
        st.Page("history.py", title="Past calls", icon=":material/history:", help="Find a call and read it again."),
        st.Page("settings.py", title="Settings", icon=":material/tune:", help="What is real and what is practice."),
    ],
    position="top",
)
page.run()
