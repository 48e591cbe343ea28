"""Phone Agent's front door: the dashboard, which brings the media server with it.

`phone-agent run`, `streamlit run app.py` and `python app.py` all start it. Only `app` may be bound to a web application
here: `streamlit run` serves the first one it finds.
"""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware

from backend.config import BadSettings, Settings, load
from backend.running.dashboard import announce, lifespan, refuse_strangers
from backend.signin.door import Door

settings: Settings | None
try:
    settings, wrong = load(), ""
except BadSettings as bad:
    settings, wrong = None, str(bad)

app = st.App("pages/main.py", lifespan=lifespan, middleware=[Middleware(Door, settings=settings)])

if __name__ == "__main__":
    if settings is None:
        raise SystemExit(wrong)
    announce(settings)
    # Streamlit's own greeting would come before anything answers, and leave out what is real and what is practice.
    app.run(
        config={
            "server.address": settings.dashboard_address,
            "server.port": settings.dashboard_port,
            "logger.hideWelcomeMessage": True,
        }
    )
elif __name__ != "<run_path>":
    # `streamlit run` listens where its own settings say. The other ways (`phone-agent run` loads this file once
    # beforehand) listen on DASHBOARD_ADDRESS, which was looked at with the settings.
    refuse_strangers(settings, st.get_option("server.address"))
