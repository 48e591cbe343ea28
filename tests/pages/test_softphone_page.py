"""The callee's phone in a real browser, rung up without a carrier: what goes wrong while it is answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from backend import tickets
from backend.practice.softphone import Softphone, State
from tests import scenes
from tests.browser import PATIENCE, open_page
from tests.media_server import TOKEN, media_server
from tests.pages.test_headset_page import _LATE_MICROPHONE, microphone, save, until, voice

pytestmark = pytest.mark.timeout(120)

_NO_SOUND_CARD = """
    AudioContext.prototype.createMediaStreamSource = () => { throw new Error("no sound card"); };
"""


@contextmanager
def ringing(folder: Path, script: str) -> Iterator[tuple[Page, Softphone]]:
    """A page at which it rings."""
    flags = microphone(save(folder / "voice.wav", voice(1.0)))
    with media_server(folder / "calls.db") as server, open_page(flags=flags) as page:
        scenes.rings_here(server.store, time.time())
        phone = server.desk.softphones.of("me")
        phone.state = State.RINGING
        page.add_init_script(script)
        ticket = tickets.issue(TOKEN, "softphone", "me", time.time())
        page.goto(f"{server.url}/softphone?{urlencode({'call': 'me', 'ticket': ticket})}")
        yield page, phone


def chosen(phone: Softphone) -> bool:
    """Whether it was answered or declined; no carrier is there to make more of it."""
    return phone._chosen.is_set()


def test_a_connection_lost_while_the_microphone_is_asked_for_leaves_no_dead_button(tmp_path: Path) -> None:
    with ringing(tmp_path, _LATE_MICROPHONE) as (page, phone):
        button = page.get_by_role("button", name="Answer", exact=True)
        button.click()
        expect(page.get_by_text("Waiting for the microphone")).to_be_visible()
        page.evaluate("window.sockets.at(-1).close()")
        until(page, "window.sockets.length > 1")
        expect(page.get_by_text("is calling.")).to_be_visible()
        page.evaluate("window.allow()")
        until(page, "window.stream?.getTracks()[0].readyState === 'ended'")
        assert not chosen(phone), "nobody has clicked on this connection"
        button.click()
        page.evaluate("window.allow()")
        began = time.monotonic()
        while not chosen(phone):
            assert time.monotonic() < began + PATIENCE
            page.wait_for_timeout(100)


def test_a_microphone_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    with ringing(tmp_path, _NO_SOUND_CARD) as (page, _):
        button = page.get_by_role("button", name="Answer", exact=True)
        button.click()
        expect(page.get_by_role("alert")).to_contain_text("The microphone could not be used (no sound card).")
        expect(page.get_by_text("is still calling.")).to_be_visible()
        expect(page.get_by_role("button", name="Answer without a microphone")).to_be_visible()


def test_a_browsers_own_keys_press_none_of_the_phones(tmp_path: Path) -> None:
    with ringing(tmp_path, "") as (page, phone):
        expect(page.get_by_role("button", name="Answer", exact=True)).to_be_focused()
        page.get_by_role("heading").click()
        page.keyboard.press("Control+Enter")
        page.keyboard.press("Alt+Escape")
        page.wait_for_timeout(500)
        assert not chosen(phone)
