"""Who sits at the dashboard, and what those see who have not said so yet."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import streamlit as st
from streamlit.errors import StreamlitAPIException

from backend.config import Settings, SignIn, is_loopback, load
from backend.signin import claims, cookie

_KINDS = {
    SignIn.NONE: {"Password": "None: whoever uses this computer, and nobody else"},
    SignIn.PASSWORD: {"Password": "Needed"},
    SignIn.OPENID: {"Sign-in": "OpenID Connect"},
}


def who() -> str:
    """The name of whoever uses this session; empty where nobody signs in. Asked anew each time: sessions share much."""
    match _settings().sign_in:
        case SignIn.PASSWORD:
            ticket = cookie.read(_settings(), str(st.context.cookies.get(cookie.NAME, "")), time.time())
            return ticket.by if ticket else ""
        case SignIn.OPENID:
            known = _claims()
            return claims.name_of(known) if claims.admitted(known, _settings().dashboard_operators) else ""
    return ""


def gate() -> None:
    """Let the page be drawn, or stop the run with what to do instead."""
    match _settings().sign_in:
        case SignIn.NONE if not _at_home():
            _closed(
                "This dashboard serves only its own machine. To let others in, see DASHBOARD_ADDRESS in .env.example."
            )
        case SignIn.PASSWORD if not who():
            # The door, in app.py, has asked already; unless the dashboard was started without it.
            _closed(
                "You are not signed in. Load the page again; start the dashboard with `phone-agent run` if this stays."
            )
        case SignIn.OPENID if not who():
            _openid()


def account() -> None:
    """The part of the settings page about signing in."""
    kind = _settings().sign_in
    facts = dict(_KINDS[kind])
    if kind is not SignIn.NONE:
        facts["Signed in"] = cookie.cleaned(who())
    st.table(facts, border="horizontal", alt="Signing in")
    if kind is SignIn.NONE:
        st.caption("Before other machines may use the dashboard, make a password with `phone-agent password`.")
    else:
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign_out")


@st.cache_resource
def _settings() -> Settings:
    return load()


def _at_home() -> bool:
    """Whether this session came by the machine's own name; the door looks at its connection too."""
    host = urlsplit(f"//{st.context.headers.get('Host', 'localhost')}").hostname or ""
    return is_loopback(host) and is_loopback(st.get_option("server.address") or "")


def _claims() -> dict[str, object]:
    return dict(st.user.to_dict()) if st.user.get("is_logged_in") else {}


def _openid() -> None:
    with st.container(horizontal_alignment="center"), st.container(width=420, border=True):
        st.title("Sign in")
        name = claims.name_of(_claims())
        if name:
            st.warning(f"{name} may not use this dashboard: ask whoever runs it.", icon=":material/person_off:")
            st.button("Use another account", icon=":material/logout:", on_click=st.logout)
        else:
            st.markdown("Your name is noted beside what you do in a call.")
            if st.button("Sign in", type="primary", icon=":material/login:", key="sign_in"):
                _login()
    st.stop()


def _login() -> None:
    """Lead the browser to the provider."""
    try:
        st.login()
    except StreamlitAPIException:
        st.error("OpenID Connect is not set up: `phone-agent doctor` says what is missing.", icon=":material/error:")


def _closed(why: str) -> None:
    st.title("Phone Agent")
    st.error(why, icon=":material/lock:")
    st.stop()
