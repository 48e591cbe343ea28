"""The desk in a real browser with several calls at once: rows, keys of the keyboard, and one call stepped into."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.call.events import Hint, Pause, Press, Resume, Say, Transfer
from backend.models import Brief, Call, Hands, LineKind, Speaker, Status, Turn, TurnState
from tests import scenes
from tests.browser import PATIENCE, Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaServer]:
    with media_server(tmp_path_factory.mktemp("data") / "calls.db") as server:
        talking(server, "ann", "Ann Keller")
        talking(server, "bob", "Bob Brown")
        yield server


@pytest.fixture(scope="module")
def desk(server: MediaServer) -> Iterator[Dashboard]:
    with dashboard(server.environment) as running:
        yield running
    assert not running.faults


def talking(server: MediaServer, call_id: str, name: str) -> None:
    now = time.time()
    brief = Brief("+12025550143", "Confirm the visit", callee_name=name)
    server.store.add(Call(call_id, brief, Status.IN_PROGRESS, created=now - 40, answered=now - 30))
    server.store.write_turn(call_id, said(1, f"Hello, this is {name}."))


def said(number: int, words: str) -> Turn:
    return Turn(number, Speaker.CALLEE, words, words, TurnState.DONE, time.time())


def test_a_row_opens_its_call_without_loading_the_page_anew(server: MediaServer, desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=ann")
        expect(page.get_by_role("heading", name="Ann Keller")).to_be_visible()
        page.evaluate("window.before = true")
        page.get_by_role("link", name="Bob Brown").click()
        expect(page.get_by_role("heading", name="Bob Brown")).to_be_visible()
        expect(page).to_have_url(re.compile("call=bob"))
        expect(page.get_by_test_id("stChatMessage")).to_have_text([re.compile("this is Bob Brown")])
        assert page.evaluate("window.before"), "the session, and what was typed in it, would be lost"


def test_rows_follow_their_calls_and_can_be_opened_by_keyboard(server: MediaServer, desk: Dashboard) -> None:
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=ann")
        other = page.get_by_role("link", name="Bob Brown")
        expect(other).to_contain_text("The agent has it")
        other.focus()
        server.desk.hands["bob"] = Hands.OPERATOR
        server.store.write_turn("bob", said(2, "I will look it up."))
        expect(other).to_contain_text("I will look it up.")
        expect(other).to_contain_text("An operator has it")
        question = server.store.ask("bob", "Is there a lift?", time.time(), time.time() + 60)
        expect(page.get_by_role("navigation", name="Running calls").get_by_role("link").first).to_contain_text(
            "Asks you: Is there a lift?"
        )
        expect(other).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("The agent asks you:")).to_be_visible()
        page.get_by_role("textbox", name="Your answer").fill("Yes, behind the building.")
        page.get_by_role("button", name="Answer", exact=True).click()
        expect(page.get_by_text("The agent asks you:")).to_have_count(0)
        assert server.store.question(question.id).answer == "Yes, behind the building."  # type: ignore[union-attr]
        server.desk.hands["bob"] = Hands.AGENT


def test_what_is_ordered_reaches_the_open_call_and_keys_do_nothing_while_typing(
    server: MediaServer, desk: Dashboard
) -> None:
    server.desk.commands.clear()
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=bob")
        field = page.get_by_role("textbox", name="Say exactly this")
        field.click()
        page.keyboard.type("Please Hold")
        page.keyboard.press("Enter")
        expect(field).to_have_value("")
        page.get_by_role("button", name="Keys").click()
        page.get_by_role("button", name="5", exact=True).click()
        while server.desk.commands[-1:] != [("bob", Press("5"))]:
            page.wait_for_timeout(50)
        page.get_by_role("textbox", name="Several at once").fill("12#")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Several at once")).to_have_value("")
        page.keyboard.press("Escape")
        page.get_by_role("heading", name="Bob Brown").click()
        page.keyboard.press("p")
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        expect(page.get_by_text("Agent paused").first).to_be_visible()
        page.keyboard.press("p")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.get_by_role("button", name="Hand over").click()
        page.get_by_role("button", name="Hand over to my phone").click()
        while len(server.desk.commands) < 6:
            page.wait_for_timeout(50)
    orders = [Say("Please Hold"), Press("5"), Press("12#"), Pause(), Resume(), Transfer()]
    assert server.desk.commands == [("bob", order) for order in orders], (
        "in this order, and Ann's call knows of nothing"
    )


def test_a_call_that_begins_appears_by_itself_where_none_ran(tmp_path: Path) -> None:
    with media_server(tmp_path / "calls.db") as server, dashboard(server.environment) as desk, open_page() as page:
        page.goto(f"{desk.url}/live")
        expect(page.get_by_text("No call has been placed yet.")).to_be_visible()
        talking(server, "first", "Dee Jones")
        expect(page.get_by_role("heading", name="Dee Jones")).to_be_visible()
        expect(page.get_by_role("link", name="Dee Jones")).to_be_visible()


def test_the_headset_stays_as_it_is_whatever_is_drawn_around_it(server: MediaServer, desk: Dashboard) -> None:
    talking(server, "eve", "Eve Moor")
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=eve")
        listen = page.frame_locator("iframe").get_by_role("button", name="Listen")
        expect(listen).to_be_enabled()
        listen.evaluate("window.before = true")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        question = server.store.ask("eve", "Is there a lift?", time.time(), time.time() + 60)
        expect(page.get_by_text("The agent asks you:")).to_be_visible()
        page.get_by_text("Speed and cost").click()
        expect(page.get_by_text("95 % of them in")).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        assert listen.evaluate("window.before"), "loaded anew it would end a taking over"
    server.store.settle(question.id, time.time())


def test_hanging_up_by_keyboard_takes_two_keys(server: MediaServer, desk: Dashboard) -> None:
    talking(server, "cem", "Cem Aydin")
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=cem")
        page.get_by_role("heading", name="Cem Aydin").click()
        expect(page.get_by_role("button", name="Hang up")).to_contain_text("Shift")
        page.keyboard.press("h")
        page.keyboard.press("Shift+h")
        expect(page.get_by_text("The operator hung up.").first).to_be_visible()
    assert server.store.call("ann").status is Status.IN_PROGRESS  # type: ignore[union-attr]


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_fifty_calls_are_all_within_reach(server: MediaServer, desk: Dashboard, width: int, dark: bool) -> None:
    if server.store.call("other-0") is None:
        scenes.others(server.store, time.time(), 50)
    with open_page(width=width, dark=dark) as page:
        page.goto(f"{desk.url}/live?call=ann")
        rows = page.get_by_role("navigation", name="Running calls").get_by_role("link")
        expect(rows).to_have_count(len(server.store.glances(time.time())))
        rows.last.scroll_into_view_if_needed()
        last = rows.last.locator(".name").inner_text()
        rows.last.click()
        expect(page.get_by_role("heading", name=last)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_call_in_full_shows_where_the_time_and_the_money_went(server: MediaServer, desk: Dashboard) -> None:
    now, brief = time.time(), Brief("+12025550143", "Confirm the visit", callee_name="Dot Fox", line=LineKind.PHONE)
    server.store.add(Call("dot", brief, Status.COMPLETED, created=now - 90, answered=now - 80, ended=now - 10))
    for number, total in ((1, 300.0), (2, 900.0)):
        timings = {"decided": 300.0, "first_token": 100.0, "first_clause": 150.0, "first_voice": 250.0}
        words = f"Answer {number}."
        turn = Turn(number, Speaker.AGENT, words, words, TurnState.DONE, now - 60, now - 50)
        server.store.write_turn("dot", replace(turn, timings=timings | {"first_sound": total}))
    with open_page() as page:
        page.goto(f"{desk.url}/record?call=dot")
        expect(page.get_by_text("answered in 0.6 s")).to_be_visible()
        expect(page.get_by_text("answered in 1.2 s")).to_be_visible()
        expect(page.locator("[data-testid=stVegaLiteChart]")).to_be_visible()
        expect(page.get_by_text("Twilio", exact=True)).to_be_visible()
        expect(page.get_by_text(re.compile(r"^\$0\.\d+$")).first).to_be_visible()


# --- orders that are refused, and orders given twice ---------------------------------------------------------------


def test_why_an_answer_was_refused_can_be_read_in_peace(server: MediaServer, desk: Dashboard) -> None:
    talking(server, "gus", "Gus Hall")
    question = server.store.ask("gus", "Is there a lift?", time.time(), time.time() + 60)
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=gus")
        field = page.get_by_role("textbox", name="Your answer")
        field.fill("Yes.")
        server.desk.too_late = "The call ended before the agent could tell them; call them back."
        page.get_by_role("button", name="Answer", exact=True).click()
        refused = page.get_by_text("The call ended before the agent could tell them")
        expect(refused).to_be_visible()
        page.wait_for_timeout(4000)
        expect(refused).to_be_visible()
        server.desk.too_late = ""
    server.store.settle(question.id, time.time())


def test_a_half_typed_answer_survives_the_end_of_the_call(server: MediaServer, desk: Dashboard) -> None:
    talking(server, "fay", "Fay Wood")
    server.store.ask("fay", "Is there a lift?", time.time(), time.time() + 60)
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=fay")
        field = page.get_by_role("textbox", name="Your answer")
        field.press_sequentially("Yes, behind the")
        server.store.advance("fay", Status.COMPLETED, ended=time.time(), ending="They hung up.")
        after = page.get_by_role("textbox", name="Answer, if there is one")
        expect(after).to_have_value("Yes, behind the")
        after.press("End")
        after.press_sequentially(" building")
        page.get_by_role("button", name="Followed up").click()
        expect(after).to_have_count(0)
    [question] = server.store.questions("fay")
    assert question.answer == "Yes, behind the building"


def test_a_double_click_says_hints_and_presses_once_but_a_key_of_the_pad_twice(
    server: MediaServer, desk: Dashboard
) -> None:
    talking(server, "dee", "Dee Young")
    server.desk.commands.clear()
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=dee")
        for field, button, words in (
            ("Say exactly this", "Say", "One moment."),
            ("Hint for the next answer", "Hint", "Offer Friday."),
        ):
            page.get_by_role("textbox", name=field).fill(words)
            page.get_by_role("button", name=button, exact=True).dblclick()
            expect(page.get_by_role("textbox", name=field)).to_have_value("")
        page.get_by_role("button", name="Keys").click()
        page.get_by_role("textbox", name="Several at once").fill("1-2 #")
        page.get_by_role("button", name="Press", exact=True).dblclick()
        expect(page.get_by_role("textbox", name="Several at once")).to_have_value("")
        page.get_by_role("button", name="5", exact=True).click()
        page.wait_for_timeout(700)
        page.get_by_role("button", name="5", exact=True).click()
        while server.desk.commands[-2:] != [("dee", Press("5"))] * 2:
            page.wait_for_timeout(50)
    orders = [Say("One moment."), Hint("Offer Friday."), Press("12#"), Press("5"), Press("5")]
    assert [order for _, order in server.desk.commands] == orders


# --- calling somebody ---------------------------------------------------------------------------------------------

_SOUNDS = """
    window.sounds = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) { window.sounds += 1; return start.apply(this, when); };
"""
_HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_call_that_asks_shows_in_the_tabs_title_and_chimes_unless_that_is_switched_off(
    server: MediaServer, desk: Dashboard
) -> None:
    talking(server, "ida", "Ida Berg")
    with open_page() as page:
        page.add_init_script(_SOUNDS)
        page.goto(f"{desk.url}/live?call=ida")
        expect(page.get_by_role("link", name="Ida Berg")).to_be_visible()
        expect(page).not_to_have_title(re.compile("Asks you"))
        page.get_by_role("heading", name="Ida Berg").click()
        first = server.store.ask("ida", "Is there a lift?", time.time(), time.time() + 60)
        expect(page).to_have_title("● Asks you – Ida Berg")
        assert page.evaluate("window.sounds") == 2, "two notes, once"
        page.wait_for_timeout(2500)
        assert page.evaluate("window.sounds") == 2
        server.store.settle(first.id, time.time())
        expect(page).not_to_have_title(re.compile("Asks you"))
        page.get_by_role("switch", name="Chime when a call asks").uncheck()
        second = server.store.ask("ida", "And parking?", time.time(), time.time() + 60)
        expect(page).to_have_title("● Asks you – Ida Berg")
        assert page.evaluate("window.sounds") == 2
        server.store.settle(second.id, time.time())


def test_a_page_that_nobody_sees_does_not_count_as_somebody_at_the_desk(server: MediaServer, desk: Dashboard) -> None:
    talking(server, "joe", "Joe Lind")
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=joe")
        until(page, lambda: "joe" in server.desk.watched)
        page.evaluate(_HIDE, True)
        page.wait_for_timeout(2500)
        server.desk.watched.clear()
        page.wait_for_timeout(2500)
        assert "joe" not in server.desk.watched
        page.evaluate(_HIDE, False)
        until(page, lambda: "joe" in server.desk.watched)


def until(page: Page, seen: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not seen():
        assert time.monotonic() < began + PATIENCE
        page.wait_for_timeout(100)


# --- words that somebody typed or said ------------------------------------------------------------------------------


def test_what_was_said_becomes_no_link_icon_or_arrow(server: MediaServer, desk: Dashboard) -> None:
    talking(server, "kim", "Kim Vale")
    spoken = (
        "See www.example.com or http://example.com/a, mail kim@example.com, press :material_delete: or :smile: , "
        "at 10:30:45 it is 5 -> 6 and 7 >= 6 -- ok"
    )
    server.store.write_turn("kim", said(2, spoken))
    with open_page() as page:
        page.goto(f"{desk.url}/live?call=kim")
        turn = page.get_by_test_id("stChatMessage").last
        expect(turn).to_contain_text("it is")
        assert turn.get_by_role("link").count() == 0
        assert spoken in turn.inner_text().replace("\u2060", "")


# --- a small screen ---------------------------------------------------------------------------------------------


def test_on_a_phone_the_open_call_is_in_sight_and_hanging_up_too(server: MediaServer, desk: Dashboard) -> None:
    if server.store.call("other-0") is None:
        scenes.others(server.store, time.time(), 50)
    with open_page(width=390, height=844) as page:
        page.goto(f"{desk.url}/live?call=ann")
        row = page.get_by_role("link", name="Ann Keller")
        expect(row).to_be_in_viewport()
        expect(page.get_by_role("button", name="Hang up")).to_be_in_viewport()
        expect(page.get_by_role("button", name="Pause")).to_be_in_viewport()
