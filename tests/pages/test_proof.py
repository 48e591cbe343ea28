"""The evidence in a real browser: a click on a claim brings the turn that proves it into view, on any screen."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from backend.models import Brief, Call, Claim, Outcome, Report, Speaker, Status, Turn, TurnState
from tests.browser import Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server

REPORT = Report(
    Outcome.CONFIRMED,
    Claim("Confirmed for Friday at 10 a.m.", (57, 58), 0.9),
    summary=(Claim("Maria said hello first.", (2,), 0.9),),
    agreed=(Claim("Somebody else will come.", (), 0.9),),
    author="rules",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaServer]:
    with media_server(tmp_path_factory.mktemp("data") / "calls.db") as server:
        long_call(server, "proven", REPORT)
        yield server


@pytest.fixture(scope="module")
def desk(server: MediaServer) -> Iterator[Dashboard]:
    with dashboard(server.environment) as running:
        yield running
    assert not running.faults


def long_call(server: MediaServer, call_id: str, report: Report | None) -> None:
    """A call of so many turns that the last ones are far below the screen."""
    now = time.time()
    brief = Brief("+12025550143", "Confirm the visit", callee_name="Maria Gomez")
    row = Call(call_id, brief, Status.COMPLETED, Outcome.UNCLEAR, created=now - 60, answered=now - 50, ended=now)
    server.store.add(row)
    for number in range(1, 81):
        who = Speaker.CALLEE if number % 2 == 0 else Speaker.AGENT
        words = f"These are the words of turn {number}."
        server.store.write_turn(call_id, Turn(number, who, words, words, TurnState.DONE, now - 50 + number / 2))
    if report:
        server.store.change(call_id, report=report)


def prove(page: Page, button: str, turns: list[int]) -> None:
    """Open a claim's proof, and see its turns, and only these, marked and the first of them on the screen."""
    page.get_by_role("button", name=button).click()
    expect(page.locator(f".st-key-turn-{turns[0]}")).to_be_in_viewport()
    expect(page.get_by_text("Proof")).to_have_count(len(turns))
    for turn in turns:
        expect(page.locator(f".st-key-turn-{turn}")).to_contain_text("Proof")


@pytest.mark.parametrize("path", ["record", "live"])
@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_a_click_on_a_claim_brings_its_proof_into_view(desk: Dashboard, path: str, width: int, dark: bool) -> None:
    with open_page(width=width, dark=dark) as page:
        page.goto(f"{desk.url}/{path}?call=proven")
        expect(page.get_by_text("Confirmed for Friday at 10 a.m.")).to_be_visible()
        expect(page.locator(".st-key-turn-57")).not_to_be_in_viewport()
        prove(page, "Turns 57, 58", [57, 58])
        expect(page).to_have_url(re.compile("turn=57"))
        prove(page, "Turn 2", [2])
        # The same claim once more, from somewhere else on the page.
        page.locator(".st-key-turn-80").scroll_into_view_if_needed()
        prove(page, "Turn 2", [2])
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_link_to_a_proof_opens_it(desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/record?call=proven&turn=57,58")
        expect(page.locator(".st-key-turn-57")).to_be_in_viewport()
        expect(page.get_by_text("Proof")).to_have_count(2)


def test_what_nothing_proves_is_marked_and_has_nothing_to_open(desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/record?call=proven")
        expect(page.get_by_text("Nothing that was said in the call proves this.")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("^Turn"))).to_have_count(2)


def test_the_report_appears_by_itself_when_it_is_written(server: MediaServer, desk: Dashboard) -> None:
    long_call(server, "waiting", None)
    with open_page() as page:
        page.goto(f"{desk.url}/record?call=waiting")
        expect(page.get_by_text("The report is being written")).to_be_visible()
        server.store.change("waiting", report=REPORT, outcome=Outcome.CONFIRMED)
        prove(page, "Turns 57, 58", [57, 58])
        expect(page.get_by_text("The report is being written")).to_have_count(0)
