"""The dashboard in a real browser: a real Streamlit process, the real API and store, and a call that the test plays."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from backend.call.events import Say
from backend.models import Brief, Call, Outcome, Speaker, Status, Turn, TurnState
from tests.browser import Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaServer]:
    with media_server(tmp_path_factory.mktemp("data") / "calls.db") as server:
        yield server


@pytest.fixture(scope="module")
def desk(server: MediaServer) -> Iterator[Dashboard]:
    with dashboard(server.environment) as running:
        yield running
    assert not running.faults


def running_call(server: MediaServer, call_id: str, name: str) -> None:
    now = time.time()
    brief = Brief("+12025550143", "Confirm the visit", callee_name=name)
    server.store.add(Call(call_id, brief, Status.IN_PROGRESS, created=now - 5, answered=now))


def say(
    server: MediaServer, call_id: str, number: int, speaker: Speaker, text: str, state: TurnState, heard: str = ""
) -> None:
    timings = {"decided": 0.0, "first_sound": 640.0} if speaker is Speaker.AGENT else {}
    turn = Turn(number, speaker, text, heard or text, state, time.time(), None, timings)
    server.store.write_turn(call_id, turn)


def content(download: Download) -> str:
    return Path(download.path()).read_text(encoding="utf-8")


def fill_the_form(page: Page) -> None:
    page.get_by_role("textbox", name="Phone number").fill("202 555 0143")
    expect(page.get_by_text("(202) 555-0143 · United States")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Maria Gomez")
    page.get_by_role("textbox", name="What to get done").fill("Confirm the cleaning on Monday")
    page.get_by_role("textbox", name="What the agent may say about it").fill("It takes an hour.")


def watch_it_happen(page: Page, server: MediaServer, call_id: str) -> None:
    """The call goes on in the store, and the page follows without being touched."""
    transcript = page.get_by_test_id("stChatMessage")
    expect(page.get_by_text("Dialling").first).to_be_visible()
    server.store.advance(call_id, Status.RINGING)
    expect(page.get_by_text("Ringing").first).to_be_visible()
    server.store.advance(call_id, Status.IN_PROGRESS, answered=time.time())
    say(server, call_id, 1, Speaker.AGENT, "Hi Maria, this is Alex.", TurnState.DONE)
    expect(transcript.nth(0)).to_contain_text("Hi Maria, this is Alex.")
    say(server, call_id, 2, Speaker.CALLEE, "Hello, who", TurnState.OPEN)
    expect(transcript.nth(1)).to_contain_text("Hello, who …")
    say(server, call_id, 2, Speaker.CALLEE, "Hello. How are you?", TurnState.DONE)
    expect(transcript.nth(1)).to_contain_text("Hello. How are you?")
    expect(page.get_by_text("Hello, who")).to_have_count(0)
    say(server, call_id, 3, Speaker.AGENT, "Your cleaning is on Monday.", TurnState.CUT, "Your cleaning")
    expect(transcript.nth(2).locator("del")).to_have_text("is on Monday.")
    server.store.change(call_id, troubles=("The voice stalled once.",))
    expect(page.get_by_text("The voice stalled once.")).to_be_visible()
    end = {"ended": time.time(), "outcome": Outcome.CONFIRMED, "ending": "They said goodbye."}
    server.store.advance(call_id, Status.COMPLETED, -1, **end)
    expect(page.get_by_text("They said goodbye.")).to_be_visible()
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)


def find_it_again(page: Page, call_id: str) -> None:
    page.get_by_role("link", name="Past calls").first.click()
    page.get_by_role("searchbox", name="Search").fill("how are you")
    expect(page.get_by_text("1 call, newest first")).to_be_visible()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    assert "Confirm the cleaning on Monday" in content(saved.value)
    page.get_by_role("link", name="Maria Gomez").click()
    expect(page.get_by_text("It takes an hour.")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/record\?call={call_id}$"))
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()
    assert [turn["heard"] for turn in json.loads(content(saved.value))["turns"]][-1] == "Your cleaning"
    with page.expect_download() as saved:
        page.get_by_role("button", name="Text").click()
    assert "Alex: Your cleaning — (cut off)" in content(saved.value)
    page.get_by_role("link", name="All past calls").click()
    expect(page.get_by_role("heading", name="Past calls")).to_be_visible()


def test_a_call_from_the_form_to_the_past_calls(server: MediaServer, desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(desk.url)
        fill_the_form(page)
        # Twice, as impatient people do: one phone must ring once.
        page.get_by_role("button", name=re.compile("Call$")).dblclick()
        expect(page.get_by_role("heading", name="Maria Gomez")).to_be_visible()
        [call] = server.desk.placed
        expect(page).to_have_url(f"{desk.url}/live?call={call.id}")
        watch_it_happen(page, server, call.id)
        page.get_by_role("link", name="Open the full call").click()
        expect(page.get_by_role("link", name="All past calls")).to_be_visible()
        find_it_again(page, call.id)


def test_half_typed_words_survive_while_the_transcript_grows(server: MediaServer, desk: Dashboard) -> None:
    running_call(server, "typing", "John Smith")
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=typing")
        field = page.get_by_role("textbox", name="Say exactly this")
        field.press_sequentially("One moment")
        for number in range(1, 4):
            say(server, "typing", number, Speaker.CALLEE, f"Part {number}", TurnState.DONE)
            expect(page.get_by_test_id("stChatMessage").last).to_contain_text(f"Part {number}")
        expect(field).to_have_value("One moment")
        page.get_by_role("button", name="Say", exact=True).click()
        expect(field).to_have_value("")
        # The field empties in the browser, before the words have reached the server.
        while not server.desk.commands:
            page.wait_for_timeout(50)
        assert server.desk.commands == [("typing", Say("One moment"))]
        page.get_by_role("button", name="Hang up").click()
        expect(page.get_by_text("The operator hung up.")).to_be_visible()


def test_every_page_fits_a_phone_in_the_dark(server: MediaServer, desk: Dashboard) -> None:
    running_call(server, "narrow", "Ann-Kathrin Østergaard-Vandenberghe")
    say(server, "narrow", 1, Speaker.CALLEE, "Hello " + "there " * 40, TurnState.DONE)
    with open_page(width=390, height=844, dark=True) as page:
        for path in ("", "live?call=narrow", "history", "record?call=narrow", "settings"):
            page.goto(f"{desk.url}/{path}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_without_a_media_server_the_page_says_what_to_start(server: MediaServer) -> None:
    nobody = server.environment | {"MEDIA_SERVER_PORT": "9"}
    with dashboard(nobody) as desk, open_page() as page:
        page.goto(desk.url)
        expect(page.get_by_text("The media server does not answer at").first).to_be_visible()
        page.get_by_role("button", name=re.compile("Call$")).click()
        expect(page.get_by_text(re.compile("start it with .?make run"))).to_have_count(2)
