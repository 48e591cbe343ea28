"""Which sites may show the pages with sound inside their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.config import load
from backend.routes.browser import embedders

SETTINGS = load(_env_file=None, public_host="media.example.com")


@pytest.mark.parametrize(
    ("asked_from", "site"),
    [
        ("https://desk.example.com/", "https://desk.example.com"),
        ("https://desk.example.com:8443/live?call=one", "https://desk.example.com:8443"),
        ("http://[2001:db8::1]:8501/", "http://[2001:db8::1]:8501"),
        ("https://desk.example.com", "https://desk.example.com"),
    ],
)
def test_a_dashboard_that_is_reached_from_elsewhere_may_embed_them(asked_from: str, site: str) -> None:
    assert embedders(SETTINGS, asked_from)[-1] == site


@pytest.mark.parametrize(
    "asked_from", ["", "about:blank", "file:///x", "https://*", "https://a.b; script-src *", "https://a b/"]
)
def test_what_is_no_site_is_not_among_them(asked_from: str) -> None:
    assert embedders(SETTINGS, asked_from) == embedders(SETTINGS)


@given(st.text() | st.text().map(lambda text: f"https://{text}"))
def test_nothing_that_is_asked_from_becomes_another_rule(asked_from: str) -> None:
    added = embedders(SETTINGS, asked_from)[len(embedders(SETTINGS)) :]
    assert len(added) <= 1
    assert not [site for site in added if set(site) & set(" ;,*'\"\r\n")]
