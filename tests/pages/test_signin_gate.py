"""The pages' own gate, which holds even where the dashboard was started without its door."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.media_server import MediaServer, media_server
from tests.signin.test_signin import HASH

MAIN = Path(__file__).parents[2] / "pages" / "main.py"
PAGES = sorted(path.name for path in MAIN.parent.glob("[a-z]*.py") if path.name != "main.py")


@pytest.fixture(autouse=True)
def same_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves a page behind as the main module, which processes started by later tests would import."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaServer]:
    with media_server(tmp_path / "calls.db") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        yield server
    st.cache_resource.clear()


def opened(path: str = "") -> AppTest:
    bench = AppTest.from_file(str(MAIN), default_timeout=20)
    bench.run()
    if path:
        bench.switch_page(path).run()
    assert not bench.exception
    return bench


@pytest.mark.parametrize("path", ["", *PAGES])
@pytest.mark.parametrize(
    ("key", "value", "heading"),
    [("DASHBOARD_PASSWORD_HASH", HASH, "Phone Agent"), ("DASHBOARD_OPERATORS", "@example.com", "Sign in")],
    ids=["password", "openid"],
)
def test_no_page_is_drawn_before_the_sign_in(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch, path: str, key: str, value: str, heading: str
) -> None:
    monkeypatch.setenv(key, value)
    bench = opened(path)
    assert [title.value for title in bench.title] == [heading]
    assert len(bench.main) <= 4
    assert not bench.text_input and not bench.dataframe


def test_on_an_address_of_the_network_the_pages_stay_closed(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = st.get_option
    monkeypatch.setattr(st, "get_option", lambda key: "0.0.0.0" if key == "server.address" else real(key))
    bench = opened()
    assert "serves only its own machine" in bench.error[0].value
    assert not bench.text_input


def test_openid_connect_that_is_not_set_up_says_what_to_do(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHBOARD_OPERATORS", "@example.com")
    bench = opened()
    bench.button(key="sign_in").click().run()
    assert not bench.exception
    assert "`phone-agent doctor` says what is missing" in bench.error[0].value


def test_the_settings_say_that_nobody_is_asked(server: MediaServer) -> None:
    bench = opened("settings.py")
    assert any("whoever uses this computer" in str(table.value) for table in bench.table)
    assert not [button for button in bench.button if button.key == "sign_out"]


def test_the_settings_say_who_is_signed_in_and_sign_out(server: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_PASSWORD_HASH", HASH)
    opened()
    monkeypatch.setattr(sys.modules["_signin"], "who", lambda: "Maya Chen")
    bench = opened("settings.py")
    assert any("Maya Chen" in str(table.value) for table in bench.table)
    assert bench.button(key="sign_out").label == "Sign out"
