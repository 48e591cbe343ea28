"""The dashboard's entry: settings that can be used, then the page that was asked for."""

from __future__ import annotations

import _questions
import _signin
import _ui
import streamlit as st

from backend.config import BadSettings

# A mark and the name, in a green that can be read on the light and on the dark page.
_LOGO = """
<svg xmlns="http://www.w3.org/2000/svg" width="142" height="24" viewBox="0 0 142 24" role="img">
  <title>Phone Agent</title>
  <rect width="24" height="24" rx="7" fill="#1c8370"/>
  <g stroke="#fff" stroke-width="2.2" stroke-linecap="round">
    <path d="M6.5 10.5v3M10.2 7.5v9M13.8 5.5v13M17.5 9.5v5"/>
  </g>
  <text x="32" y="17.5" font-family="sans-serif" font-size="16" font-weight="600" fill="#1c8370">Phone Agent</text>
</svg>
"""

st.set_page_config(page_title="Phone Agent", page_icon=":material/support_agent:", layout="wide")
st.logo(_LOGO)
# On a dark page no green is both light enough to be read there and dark enough for the white words of a button.
st.html('<style>button[data-variant="segmented_control"][data-selected] { color: inherit !important }</style>')

try:
    _ui.settings()
except BadSettings as bad:
    st.title("Phone Agent")
    st.error("Some settings in .env cannot be used. Correct them and start again.", icon=":material/settings_alert:")
    st.code(str(bad), language=None, wrap_lines=True)
    st.stop()

_signin.gate()
page = st.navigation(
    [
        st.Page("call.py", title="Call", icon=":material/call:", default=True, help="Say who to call and what for."),
        st.Page("live.py", title="Live", icon=":material/graphic_eq:", help="Watch a running call and step in."),
        st.Page("history.py", title="Past calls", icon=":material/history:", help="Find a call and read it again."),
        st.Page(
            "follow_ups.py",
            title="Follow-ups" + _questions.waiting(),
            icon=":material/assignment_late:",
            url_path="follow-ups",
            help="Work off what agents could not answer.",
        ),
        st.Page("record.py", title="Past call", icon=":material/article:", visibility="hidden"),
        st.Page("settings.py", title="Settings", icon=":material/tune:", help="What is real and what is practice."),
    ],
    position="top",
)
page.run()
