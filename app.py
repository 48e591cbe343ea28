"""Phone Agent's front door: the dashboard, which brings the media server with it.

`phone-agent run`, `streamlit run app.py` and `python app.py` all start it. Only `app` may be bound to a web application
here: `streamlit run` serves the first one it finds.
"""

from __future__ import annotations

import streamlit as st

from backend.config import BadSettings, load
from backend.launcher import announce, lifespan

app = st.App("pages/main.py", lifespan=lifespan)

if __name__ == "__main__":
    try:
        settings = load()
    except BadSettings as bad:
        raise SystemExit(str(bad)) from None
    announce(settings)
    # Streamlit's own greeting would come before anything answers, and leave out what is real and what is practice.
    app.run(config={"server.port": settings.dashboard_port, "logger.hideWelcomeMessage": True})
