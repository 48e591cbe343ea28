"""The recording in a real browser: a turn is played from where it was spoken, by mouse and by keyboard."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from backend import audio, tickets
from backend.recording.names import name_of
from backend.recording.wave import header, interleaved
from tests.pages.test_headset_page import in_browser, voice
from tests.practice_world import Person
from tests.served import TOKEN, Served, until, world

LENGTH = 20.0
CALLEE_FROM, AGENT_FROM = 6.0, 12.0
_BEGUN = "document.addEventListener('play', (event) => (window.begun ??= event.target.currentTime), true)"
"""Notes from where it was first played."""


def recording() -> bytes:
    """Both sides silent but for one stretch each."""
    spoken = voice(1.5)[: audio.RATE]
    sides = {}
    for side, begins in (("callee", CALLEE_FROM), ("agent", AGENT_FROM)):
        before = audio.SILENCE * round(begins * audio.RATE)
        sides[side] = (before + audio.encode(spoken)).ljust(round(LENGTH * audio.RATE), audio.SILENCE)
    return header(round(LENGTH * audio.RATE)) + interleaved(sides["callee"], sides["agent"])


async def past_call(server: Served) -> str:
    """A call that is over and has this recording; its page's address."""
    call = await server.placed()
    await server.switchboard.hang_up(call)
    await server.over(call)
    await until(lambda: server.switchboard.live == 0)
    server.settings.recordings_path.mkdir(exist_ok=True)
    name = name_of(call, 1_795_000_000.0)
    (server.settings.recordings_path / name).write_bytes(recording())
    server.store.change(call, recording=name)
    return f"{server.url}/recordings/{call}?ticket={tickets.issue(TOKEN, 'recording', call, time.time())}"


def place(page: Page) -> float:
    return float(page.evaluate("document.querySelector('audio').currentTime"))


@pytest.mark.timeout(120)
async def test_a_turn_is_played_from_where_it_was_spoken(tmp_path: Path) -> None:
    """What the callee says is known only when some of it is over: it is played from its beginning all the same."""

    def look(page: Page) -> None:
        page.add_init_script(_BEGUN)
        late = {"at": CALLEE_FROM + 1.4, "side": "callee"}
        for asked, wanted in ((late, CALLEE_FROM), ({"at": AGENT_FROM}, AGENT_FROM)):
            page.goto(f"{address}&{urlencode(asked)}")
            expect(page.get_by_role("button", name="Pause")).to_be_visible()
            assert abs(float(page.evaluate("window.begun")) - wanted) < 0.1

    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        address = await past_call(server)
        await in_browser(look, ("--autoplay-policy=no-user-gesture-required",))


@pytest.mark.timeout(120)
async def test_it_is_played_and_moved_in_by_mouse_and_keyboard_and_saved(tmp_path: Path) -> None:
    def look(page: Page) -> None:
        page.goto(address)
        expect(page.get_by_text("0:00 / 0:20")).to_be_visible()
        slider = page.get_by_role("slider", name="Place in the recording")
        box = slider.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
        assert abs(place(page) - LENGTH / 2) < 0.2
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert abs(place(page) - LENGTH / 2 - 5) < 0.2
        page.keyboard.press("Home")
        assert place(page) == 0
        expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:20")
        page.keyboard.press(" ")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        expect(page.get_by_text(re.compile(r"0:0[1-9] / 0:20"))).to_be_visible()
        page.keyboard.press(" ")
        expect(page.get_by_role("button", name="Play")).to_be_visible()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Download").click()
        assert Path(saved.value.path()).read_bytes() == recording()

    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        address = await past_call(server)
        await in_browser(look)


@pytest.mark.timeout(120)
async def test_a_recording_that_is_gone_says_so(tmp_path: Path) -> None:
    def look(page: Page) -> None:
        page.goto(address)
        expect(page.get_by_role("alert")).to_have_text("There is no recording of this call any more.")
        expect(page.get_by_role("button", name="Play")).to_be_disabled()

    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        address = await past_call(server)
        server.store.change(address.split("/")[-1].split("?")[0], recording="")
        await in_browser(look)
