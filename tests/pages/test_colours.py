"""One theme in three places, and every word of it can be read: at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.config import ROOT
from backend.signin import form
from tests import scenes
from tests.browser import Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server

_THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
_PAGE = (ROOT / "backend" / "browser" / "page.css").read_text(encoding="utf-8")
_NAMES = {
    "primary": "primaryColor",
    "background": "backgroundColor",
    "surface": "secondaryBackgroundColor",
    "text": "textColor",
    "quiet": "grayColor",
    "border": "borderColor",
    "red": "redColor",
    "orange": "orangeColor",
    "green": "greenColor",
    "blue": "blueColor",
}
_FORM = {"main": "primaryColor", "page": "backgroundColor", "text": "textColor", "line": "borderColor"}
ENOUGH = 4.5

_FAINT = """([selector, enough]) => {
    const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const read = (colour) => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, below) => below.map((c, i) => (top[i] * top[3] + c * (255 - top[3])) / 255);
    const part = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    const behind = (node) => {
        const layers = [];
        for (let at = node; at; at = at.parentElement) layers.unshift(read(getComputedStyle(at).backgroundColor));
        return layers.reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    const found = [];
    for (const node of document.querySelectorAll(selector)) {
        if (!node.textContent.trim() || !node.offsetParent || node.closest(":disabled")) continue;
        const back = behind(node);
        const lights = [light(over(read(getComputedStyle(node).color), back)), light(back)];
        const [dark, bright] = lights.sort((a, b) => a - b);
        const ratio = (bright + 0.05) / (dark + 0.05);
        if (ratio < enough) found.push(`${node.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return found;
}"""
"""The words in these elements that cannot be told well enough from what is behind them."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaServer]:
    with media_server(tmp_path_factory.mktemp("data") / "calls.db") as server:
        scenes.desk(server.store, time.time())
        yield server


@pytest.fixture(scope="module")
def desk(server: MediaServer) -> Iterator[Dashboard]:
    with dashboard(server.environment) as running:
        yield running


def variables(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", css))


@pytest.mark.parametrize(("kind", "places"), [("light", [0]), ("dark", [1, 2])])
def test_the_pages_with_sound_have_the_dashboards_colours(kind: str, places: list[int]) -> None:
    blocks = [block for block in re.findall(r":root[^{]*\{([^{}]*)\}", _PAGE) if "--primary" in block]
    for place in places:
        assert {name: variables(blocks[place])[name] for name in _NAMES} == {
            name: _THEME[kind][key] for name, key in _NAMES.items()
        }


@pytest.mark.parametrize(("kind", "place"), [("light", 0), ("dark", 1)])
def test_the_sign_in_form_has_the_dashboards_colours(kind: str, place: int) -> None:
    known = variables(re.findall(r":root\s*\{([^{}]*)\}", form._STYLE)[place])
    assert {name: known[name] for name in _FORM} == {name: _THEME[kind][key] for name, key in _FORM.items()}


def test_buttons_and_what_is_chosen_can_be_read_in_the_light_and_in_the_dark(
    server: MediaServer, desk: Dashboard
) -> None:
    for dark in (False, True):
        with open_page(dark=dark) as page:
            page.goto(f"{desk.url}/")
            expect(page.get_by_role("radio", name="Practice line")).to_be_visible()
            assert faint(page, "button, button *") == []
            page.goto(f"{desk.url}/history")
            page.get_by_role("radio", name="Charts").click()
            expect(page.get_by_text("When people pick up")).to_be_visible()
            assert faint(page, "button, button *") == []
            page.goto(f"{desk.url}/live?call=lift")
            expect(page.get_by_text("The agent asks you:")).to_be_visible()
            assert faint(page, "button, button *") == []


def test_the_sign_in_form_can_be_read_in_the_light_and_in_the_dark(tmp_path: Path) -> None:
    (tmp_path / "form.html").write_text(form.page("Maya", "That is not the password.", encrypted=False), "utf-8")
    for dark in (False, True):
        with open_page(dark=dark) as page:
            page.goto((tmp_path / "form.html").as_uri())
            assert faint(page, "button, label, p, h1, input") == []


def faint(page: Page, selector: str) -> list[str]:
    found: list[str] = page.evaluate(_FAINT, [selector, ENOUGH])
    return found
