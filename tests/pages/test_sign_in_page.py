"""Signing in as an operator does it: the real dashboard, in a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, WebSocket, expect

from backend.call.events import Say
from backend.config import ROOT
from backend.models import Brief, Call, Status
from backend.serving import free_port
from tests.browser import Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server
from tests.openid_provider import openid_provider
from tests.signin.test_signin import HASH, PASSWORD


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaServer]:
    with media_server(tmp_path_factory.mktemp("data") / "calls.db") as server:
        for call_id, name in (("one", "Maria Gomez"), ("two", "John Smith")):
            now = time.time()
            brief = Brief("+12025550143", "Confirm the visit", callee_name=name)
            server.store.add(Call(call_id, brief, Status.IN_PROGRESS, created=now - 5, answered=now))
        yield server


@pytest.fixture(scope="module")
def desk(server: MediaServer) -> Iterator[Dashboard]:
    with dashboard(server.environment | {"DASHBOARD_PASSWORD_HASH": HASH}, "app.py") as running:
        yield running
    assert not [line for line in running.log if "Traceback" in line], "".join(running.log)
    assert PASSWORD not in "".join(running.log)


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def received(page: Page) -> list[str]:
    """Everything that the browser gets from now on, over HTTP and WebSockets."""
    got: list[str] = []

    def opened(socket: WebSocket) -> None:
        got.append(socket.url)
        socket.on("framereceived", lambda frame: got.append(str(frame)))

    page.on("websocket", opened)
    page.on("response", lambda response: got.append(response.text()) if response.status != 303 else None)
    return got


def test_a_link_to_a_call_shows_nothing_of_it_before_the_sign_in_and_the_call_after_it(
    desk: Dashboard, server: MediaServer
) -> None:
    with open_page() as page:
        got = received(page)
        page.goto(f"{desk.url}/live?call=one")
        sign_in(page, "Maya Chen", "a wrong password")
        expect(page.get_by_role("alert")).to_have_text("The password is wrong.")
        expect(page.get_by_label("Your name")).to_have_value("Maya Chen")
        everything = "\n".join(got)
        assert "Sign in" in everything
        assert not re.search("Gomez|Confirm|555|wss?://", everything)
        sign_in(page, "Maya Chen")
        expect(page.get_by_role("heading", name="Maria Gomez")).to_be_visible()
        expect(page).to_have_url(f"{desk.url}/live?call=one")
        page.reload()
        expect(page.get_by_role("heading", name="Maria Gomez")).to_be_visible()
        [kept] = [one for one in page.context.cookies() if "operator" in str(one["name"])]
        assert (kept["httpOnly"], kept["sameSite"]) == (True, "Lax")


def test_each_operators_orders_carry_their_own_name(desk: Dashboard, server: MediaServer) -> None:
    with open_page() as mayas, open_page_beside(mayas) as bos:
        for page, name, call in ((mayas, "Maya Chen", "one"), (bos, "Bo Ødegård", "two")):
            page.goto(f"{desk.url}/live?call={call}")
            sign_in(page, name)
        for page, words in ((mayas, "One moment"), (bos, "One moment"), (mayas, "Another moment")):
            given = len(server.desk.commands)
            page.get_by_role("textbox", name="Say exactly this").fill(words)
            page.get_by_role("button", name="Say", exact=True).click()
            while len(server.desk.commands) == given:
                page.wait_for_timeout(50)
        said = [(call, event.by) for call, event in server.desk.commands if isinstance(event, Say)]
        assert said == [("one", "Maya Chen"), ("two", "Bo Ødegård"), ("one", "Maya Chen")]


def open_page_beside(page: Page) -> Page:
    """Another browser's page, with cookies of its own."""
    assert page.context.browser
    return page.context.browser.new_page()


def test_signing_out_closes_every_window_of_the_browser(desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/settings")
        sign_in(page, "Maya Chen")
        expect(page.get_by_text("Maya Chen")).to_be_visible()
        other = page.context.new_page()
        other.goto(f"{desk.url}/live?call=one")
        expect(other.get_by_role("heading", name="Maria Gomez")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(other.get_by_text("Connecting")).to_be_visible()
        other.reload()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
        page.goto(f"{desk.url}/record?call=one")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_sign_in_page_fits_a_phone_and_is_used_by_keyboard_alone(desk: Dashboard) -> None:
    with open_page(width=390, height=844, dark=True) as page:
        page.goto(desk.url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.keyboard.type("Maya Chen")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Place a call")).to_be_visible()


# --- starting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("DASHBOARD_ADDRESS", ("app.py",)),
        ("DASHBOARD_ADDRESS", ("-m", "backend.cli", "run")),
        ("STREAMLIT_SERVER_ADDRESS", ("-m", "streamlit", "run", "app.py")),
    ],
)
def test_no_way_of_starting_serves_other_machines_without_a_sign_in(
    key: str, start: tuple[str, ...], tmp_path: Path
) -> None:
    ports = {"DASHBOARD_PORT": str(free_port()), "MEDIA_SERVER_PORT": str(free_port())}
    places = {"DATABASE_PATH": str(tmp_path / "calls.db"), "STREAMLIT_SERVER_PORT": ports["DASHBOARD_PORT"]}
    ended = subprocess.run(
        [sys.executable, *start],
        cwd=ROOT,
        env=os.environ | ports | places | {key: "0.0.0.0"},
        capture_output=True,
        text=True,
        timeout=40,
    )
    assert ended.returncode not in (0, None)
    assert "0.0.0.0 lets other machines in" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_under_a_strangers_name_this_machine_is_not_served(server: MediaServer) -> None:
    """A page of somebody's may have its own host's name lead to 127.0.0.1."""
    with dashboard(server.environment, "app.py") as running:
        port = running.url.rpartition(":")[2]
        for host in ("evil.example.com", f"desk.example.com:{port}"):
            answer = httpx2.get(f"http://127.0.0.1:{port}/record?call=one", headers={"Host": host}, trust_env=False)
            assert (answer.status_code, "its own machine" in answer.text) == (403, True)


# --- OpenID Connect ---------------------------------------------------------------------------------------------


def test_operators_of_an_openid_provider_sign_in_and_strangers_do_not(server: MediaServer, tmp_path: Path) -> None:
    maya = {"sub": "117", "name": "Maya Chen", "email": "maya@example.com", "email_verified": True}
    with openid_provider(**maya) as provider:
        port = free_port()
        secrets = tmp_path / "secrets.toml"
        secrets.write_text(provider.secrets(f"http://127.0.0.1:{port}"))
        keys = {"DASHBOARD_OPERATORS": "@example.com", "STREAMLIT_SECRETS_FILES": str(secrets)}
        with dashboard(server.environment | keys, "app.py", port) as desk, open_page() as page:
            got = received(page)
            page.goto(f"{desk.url}/record?call=one")
            expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
            provider.claims["email"] = "eve@example.org"
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_text("Maya Chen may not use this dashboard")).to_be_visible()
            page.goto(f"{desk.url}/record?call=one")
            expect(page.get_by_text("may not use this dashboard")).to_be_visible()
            assert any("may not use this dashboard" in one for one in got)
            assert not [one for one in got if "Gomez" in one]
            provider.claims["email"] = "maya@example.com"
            page.get_by_role("button", name="Use another account").click()
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", name="Place a call")).to_be_visible()
            page.goto(f"{desk.url}/settings")
            expect(page.get_by_text("Maya Chen")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()
            expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert not [line for line in desk.log if "Traceback" in line], "".join(desk.log)
