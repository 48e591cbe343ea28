"""Past calls in a real browser: found, filtered, put in order, counted, worked off and taken along."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from backend.models import Brief, Call, Claim, Outcome, Report, Speaker, Status, Turn, TurnState
from tests.browser import Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server

PEOPLE = {
    "ann": ("Ann Lee", "We keep bananas in the kitchen", Outcome.CONFIRMED),
    "bob": ("Bob Ray", "Please call 303 555 0101 instead", Outcome.DECLINED),
    "cem": ("Cem Öz", "Is there <b>parking</b> & a lift?", Outcome.FOLLOW_UP),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaServer]:
    with media_server(tmp_path_factory.mktemp("data") / "calls.db") as server:
        server.store.load(past(n, *person) for n, person in enumerate(PEOPLE.items()))
        server.store.ask("cem", "Is there a *lift*?", time.time() - 3000, turn=2)
        server.store.ask("ann", "Who pays?", time.time() - 2000)
        yield server


@pytest.fixture(scope="module")
def desk(server: MediaServer) -> Iterator[Dashboard]:
    with dashboard(server.environment) as running:
        yield running
    assert not running.faults


def past(place: int, call_id: str, person: tuple[str, str, Outcome]) -> tuple[Call, list[Turn]]:
    """A call in which the agent, the callee and an operator spoke; the later ones were quicker and dearer."""
    name, said, outcome = person
    placed = time.time() - 3600 + 60 * place
    waits = {"decided": 200.0, "first_sound": 1800.0 - 500 * place}
    spoken = [
        (Speaker.AGENT, f"Hello {name}.", {}),
        (Speaker.CALLEE, said, {}),
        (Speaker.AGENT, "Let me ask.", waits),
        (Speaker.OPERATOR, "This is the desk.", {}),
        (Speaker.NOTE, "Maya took the call over.", {}),
    ]
    turns = [
        Turn(n, who, text, text, TurnState.DONE, placed + 5 * n, placed + 5 * n + 2, timings)
        for n, (who, text, timings) in enumerate(spoken, start=1)
    ]
    call = Call(
        call_id,
        Brief(f"+1202555014{place}", "Confirm the visit", callee_name=name, agent_name="Sam" if place else "Alex"),
        Status.COMPLETED,
        outcome,
        created=placed,
        answered=placed + 4,
        ended=placed + 40,
        troubles=("The voice stalled.",) if call_id == "bob" else (),
        report=Report(outcome, Claim(f"{name} was asked", (2,), 0.9), author="rules"),
        cost=0.1 + place / 10,
    )
    return call, turns


def listed(page: Page, *people: str) -> None:
    """Wait until the list shows these, in this order."""
    names = [PEOPLE[person][0] for person in people]
    expect(page.get_by_test_id("stMain").locator("[data-testid=stPageLink] strong")).to_have_text(names)


def at_rest(page: Page) -> None:
    """Wait until nothing is drawn anew any more, so that a click finds what it is meant for."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator("[data-stale=true]")).to_have_count(0)


def text_of(download: Download) -> str:
    return Path(download.path()).read_text(encoding="utf-8")


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_label(field, exact=True).click()
    page.get_by_role("option", name=option).click()


def test_a_call_is_found_by_what_was_said_by_number_and_by_what_is_known_of_it(desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/history")
        listed(page, "cem", "bob", "ann")
        words = page.get_by_label("Search", exact=True)
        words.press_sequentially("banan")
        listed(page, "ann")
        expect(page.locator("strong", has_text="bananas")).to_be_visible()
        words.fill("(202) 555-0142")
        listed(page, "cem")
        words.fill('"call 303')
        listed(page, "bob")
        words.fill("nobody said this")
        page.get_by_role("button", name="Show all calls").click()
        listed(page, "cem", "bob", "ann")
        page.get_by_role("button", name="More filters").click()
        page.get_by_text("Only calls with trouble").click()
        listed(page, "bob")
        page.get_by_text("Only calls with trouble").click()
        choose(page, "Agent", "Alex")
        listed(page, "ann")


def test_the_list_is_put_in_order_and_counted_in_charts(desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/history")
        choose(page, "Order", "Slowest answer first")
        listed(page, "ann", "bob", "cem")
        expect(page.get_by_text("slowest answer 2.0 s")).to_be_visible()
        choose(page, "Order", "Dearest first")
        listed(page, "cem", "bob", "ann")
        expect(page.get_by_text("$0.30")).to_be_visible()
        page.get_by_label("Search", exact=True).fill("banan")
        listed(page, "ann")
        page.get_by_text("Charts", exact=True).click()
        charts = page.get_by_test_id("stVegaLiteChart")
        expect(charts).to_have_count(4)
        expect(page.get_by_text("1 call", exact=True)).to_be_visible()
        told = "Calls by what came of them: done 1, to follow up 0, declined 0, not reached 0, broken off 0"
        expect(page.get_by_label(told).first).to_be_visible()


def test_what_is_found_is_taken_along(desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/history")
        choose(page, "Order", "Slowest answer first")
        listed(page, "ann", "bob", "cem")
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        rows = list(csv.DictReader(text_of(saved.value).removeprefix("\ufeff").splitlines()))
        assert [(row["name"], row["slowest answer, seconds"]) for row in rows] == [
            ("Ann Lee", "2.00"),
            ("Bob Ray", "1.50"),
            ("Cem Öz", "1.00"),
        ]
        with page.expect_download() as saved:
            page.get_by_role("button", name="JSON").click()
        assert [call["id"] for call in json.loads(text_of(saved.value))] == ["ann", "bob", "cem"]


def test_one_call_is_a_page_that_needs_nothing_else(desk: Dashboard, tmp_path: Path) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/record?call=cem")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Page", exact=True).click()
        kept = tmp_path / "call.html"
        kept.write_text(text_of(saved.value), encoding="utf-8")
        page.goto(kept.as_uri())
        expect(page.get_by_role("heading", level=1)).to_have_text("Call with Cem Öz")
        said = page.locator("ol li")
        assert [text.split("\n")[-1] for text in said.all_inner_texts()] == [
            "Hello Cem Öz.",
            "Is there <b>parking</b> & a lift?",
            "Let me ask.",
            "This is the desk.",
            "Maya took the call over.",
        ]
        expect(said.nth(3)).to_contain_text("Operator")
        page.get_by_role("link", name="2").click()
        assert page.url.endswith("#turn-2")
        assert "http" not in kept.read_text(encoding="utf-8")


def test_follow_ups_are_worked_off(server: MediaServer, desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/follow-ups")
        expect(page.get_by_text("2 open questions, newest first")).to_be_visible()
        expect(page.get_by_text("1 call of the last 30 days, newest first")).to_be_visible()
        expect(page.get_by_role("link", name="Follow-ups · 3")).to_be_visible()
        ours = page.get_by_test_id("stMain")
        ours.get_by_role("link", name="Cem Öz").first.click()
        expect(page.get_by_text("Proof")).to_be_visible()
        page.get_by_role("link", name="Follow-ups · 3").click()
        # The call's own page has such a field too.
        expect(page.get_by_text("2 open questions, newest first")).to_be_visible()
        expect(ours.get_by_label("Answer, if there is one")).to_have_count(2)
        at_rest(page)
        ours.get_by_label("Answer, if there is one").first.fill("The clinic pays.")
        ours.get_by_role("button", name="Followed up").first.click()
        expect(page.get_by_text("1 open question, newest first")).to_be_visible()
        expect(page.get_by_role("link", name="Follow-ups · 2")).to_be_visible()
        at_rest(page)
        ours.get_by_role("button", name="Followed up").first.click()
        expect(page.get_by_text("open question, newest first")).to_have_count(0)
        at_rest(page)
        ours.get_by_role("button", name="Followed up").click()
        expect(page.get_by_text("Nothing to follow up.")).to_be_visible()
    [answered] = server.store.questions("ann")
    [ticked] = server.store.questions("cem")
    assert (answered.answer, ticked.answer) == ("The clinic pays.", "")
    assert answered.settled and ticked.settled
    called = server.store.call("cem")
    assert called and called.followed_up


def test_a_call_is_placed_again_from_its_page_and_rings_only_when_call_is_pressed(
    server: MediaServer, desk: Dashboard
) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/record?call=bob")
        page.get_by_role("link", name="Call again").click()
        expect(page.get_by_role("textbox", name="Phone number")).to_have_value("+12025550141")
        expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Bob Ray")
        expect(page.get_by_role("textbox", name="What to get done")).to_have_value("Confirm the visit")
        assert "again" not in page.url
        at_rest(page)
        assert server.desk.placed == []
        page.get_by_role("button", name="Call", exact=True).click()
        expect(page).to_have_url(re.compile("/live.call=call-1"))
    server.store.advance("call-1", Status.BUSY)
    server.store.remove("call-1")


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_a_call_is_deleted_after_one_more_question(
    server: MediaServer, desk: Dashboard, width: int, dark: bool
) -> None:
    server.store.load([past(9, "zed", ("Zed Low", "No, thank you", Outcome.DECLINED))])
    with open_page(width, dark=dark) as page:
        page.goto(f"{desk.url}/record?call=zed")
        page.get_by_role("button", name="Delete this call").click()
        asked = page.get_by_role("dialog")
        expect(asked).to_contain_text("The call with Zed Low")
        asked.get_by_role("button", name="Keep it").click()
        expect(asked).to_have_count(0)
        page.get_by_role("button", name="Delete this call").click()
        asked.get_by_role("button", name="Delete", exact=True).click()
        expect(page).to_have_url(re.compile("/history$"))
        expect(page.get_by_text("The call was deleted.")).to_be_visible()
        expect(asked).to_have_count(0)
        listed(page, "cem", "bob", "ann")
    assert server.store.call("zed") is None
