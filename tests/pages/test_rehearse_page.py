"""The Rehearse button as an operator uses it: in Streamlit's test bench, and in a real browser."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from backend.llm.offline import OfflineBrain
from backend.seams import LanguageModel
from tests.browser import Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server
from tests.pages.test_pages import NOBODY_LISTENS, page, same_main, server, shown

__all__ = ["same_main", "server"]


def rehearsed(bench: AppTest) -> AppTest:
    """Click, wait for the end, and draw again."""
    bench.button(key="call_rehearse").click().run()
    bench.session_state["rehearsal"]._thread.join(20)
    bench.run()
    assert not bench.exception
    return bench


CONTEXT = "The visit takes 45 minutes."


def test_a_rehearsal_shows_who_came_to_what_and_what_the_context_lacks(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_context").set_value(CONTEXT).run()
    rehearsed(bench)
    said = shown(bench)
    assert re.search(r"\d of 9 calls went well\.", said)
    assert "How much does it cost?" in said
    assert "It costs ___.\n" in bench.code[0].value
    assert {"**Agrees** · Confirmed", "**Voicemail** · Voicemail left"} <= {
        expander.label.split(":] ")[1].removesuffix("]") for expander in bench.expander
    }
    assert server.desk.placed == []


def test_the_addition_is_appended_once_and_what_was_typed_stays(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_context").set_value("It is at 12 Oak Street.").run()
    rehearsed(bench)
    for _ in range(2):
        bench.button(key="rehearsal_add").click().run()
    context = str(bench.text_area(key="call_context").value)
    assert context.startswith("It is at 12 Oak Street.\nYou can park ___.\n")
    assert context.count("It costs ___.") == 1
    assert "Fill in the blanks" in shown(bench)
    assert "The form has changed since" in shown(bench)


def test_a_form_without_an_action_is_refused_in_a_sentence(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_action").set_value("").run()
    assert "What to get done is missing" in shown(rehearsed(bench))


def test_without_a_media_server_it_says_what_to_start(server: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_SERVER_PORT", NOBODY_LISTENS)
    assert shown(rehearsed(page())).count("start it with `make run`") == 2


# --- in a browser -------------------------------------------------------------------------------------------------


GATE = threading.Event()
"""Holds every rehearsal of the browser's server until it is set."""


@asynccontextmanager
async def gated() -> AsyncIterator[LanguageModel]:
    await asyncio.to_thread(GATE.wait, 30)
    async with OfflineBrain() as model:
        yield model


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with (
        media_server(tmp_path_factory.mktemp("data") / "calls.db") as server,
        dashboard(server.environment) as running,
    ):
        server.desk.thinker = gated
        yield running
    assert not [line for line in running.log if "Traceback" in line], "".join(running.log)


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_an_operator_rehearses_adds_what_is_missing_and_rehearses_again(
    desk: Dashboard, width: int, dark: bool
) -> None:
    GATE.set()
    with open_page(width=width, dark=dark) as page:
        page.goto(desk.url)
        context = page.get_by_role("textbox", name="What the agent may say about it")
        context.fill(CONTEXT)
        page.get_by_role("button", name="Rehearse").click()
        expect(page.get_by_text("of 9 calls went well.")).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text="How much does it cost?")).to_be_visible()
        page.get_by_text("Somebody else").last.click()
        expect(page.get_by_text("I must have the wrong number").first).to_be_visible()
        page.get_by_role("button", name="Add it there").click()
        expect(context).to_have_value(re.compile(r"45 minutes\.\n[\s\S]*It costs ___\."))
        context.fill(context.input_value().replace("It costs ___", "The visit costs 120 dollars"))
        page.get_by_role("button", name="Rehearse").click()
        expect(page.get_by_text("The visit costs 120 dollars. Does").first).to_be_attached()
        expect(page.get_by_text("The form has changed since")).to_have_count(0)
        # It was asked again, which stands in its call, but it is no longer on the list of what was not answered.
        expect(page.get_by_role("listitem").filter(has_text="How much does it cost?")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_form_can_be_typed_in_while_it_runs_and_a_second_click_stops_it(desk: Dashboard) -> None:
    GATE.clear()
    try:
        with open_page() as page:
            page.goto(desk.url)
            page.get_by_role("button", name="Rehearse").click()
            expect(page.get_by_text("Rehearsing: ")).to_be_visible()
            name = page.get_by_label("Name", exact=True)
            name.fill("Maria Gomez")
            name.press("Tab")
            expect(page.get_by_text("Rehearsing: ")).to_be_visible()
            expect(name).to_have_value("Maria Gomez")
            page.get_by_role("button", name="Stop").click()
            expect(page.get_by_text("The rehearsal was stopped.")).to_be_visible()
            expect(name).to_have_value("Maria Gomez")
            GATE.set()
            page.get_by_role("button", name="Rehearse").click()
            expect(page.get_by_text("of 9 calls went well.")).to_be_visible()
    finally:
        GATE.set()
