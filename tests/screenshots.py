"""Pictures of every page, as `make screenshots` puts them into docs/screenshots: `python -m tests.screenshots [NAME…]`.

The calls are made up; the dashboard, the API, the store and the browser are real.
"""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, expect, sync_playwright

from backend.config import ROOT
from backend.practice.softphone import State
from tests import scenes
from tests.browser import FLAGS, chromium, dashboard
from tests.media_server import MediaServer, media_server
from tests.signin.test_signin import HASH

FOLDER = ROOT / "docs" / "screenshots"
_COLOURS = 256
"""Enough for a page of flat colours; half of the size."""


def _nothing(page: Page, server: MediaServer) -> None:
    """The page as it opens."""


@dataclass(frozen=True)
class Shot:
    """One page in one state; taken in light and dark, and where it matters on a phone."""

    name: str
    path: str
    scene: str = "busy"
    until: str = ""
    """Words to wait for."""
    before: Callable[[Page, MediaServer], None] = _nothing
    narrow: bool = True
    whole: bool = False
    """The whole length of the page, and not one screen of it."""


def _scroll_controls(page: Page, _: MediaServer) -> None:
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("button", name="9")).to_be_visible()


def _filters(page: Page, _: MediaServer) -> None:
    page.get_by_role("searchbox", name="Search").fill("wheelchair")
    expect(page.get_by_text("1 call").first).to_be_visible()


def _nothing_found(page: Page, _: MediaServer) -> None:
    page.get_by_role("searchbox", name="Search").fill("nobody said this")
    expect(page.get_by_text("No call matches.")).to_be_visible()


def _ask(_: Page, server: MediaServer) -> None:
    """The callee has only just begun to wait."""
    for asked in server.store.questions("lift"):
        server.store.settle(asked.id, time.time())
    server.store.ask("lift", "Is there a lift for a wheelchair?", time.time(), time.time() + 25, turn=8)


def _charts(page: Page, _: MediaServer) -> None:
    page.get_by_role("radio", name="Charts").click()


def _rehearse(page: Page, _: MediaServer) -> None:
    page.get_by_role("button", name="Rehearse").click()
    page.get_by_text("calls went well").first.wait_for()


_MORE = {"down": {"MEDIA_SERVER_PORT": "9"}, "password": {"DASHBOARD_PASSWORD_HASH": HASH}}
"""What the settings of a scene say besides."""

SHOTS = (
    Shot("call", "?again=rescheduled", until="Last call"),
    Shot("rehearsal", "?again=rescheduled", before=_rehearse, until="calls went well", narrow=False, whole=True),
    Shot("live", "live?call=bakery", until="Eight is early"),
    Shot("live-question", "live?call=lift", until="The agent asks you", before=_ask),
    Shot("live-keys", "live?call=bakery", until="Eight is early", before=_scroll_controls, narrow=False),
    Shot("live-over", "live?call=rescheduled", until="Rescheduled to", narrow=False),
    Shot("live-empty", "live", "empty", until="No call has been placed yet", narrow=False),
    Shot("live-unknown", "live?call=nobody", until="no such call", narrow=False),
    Shot("record", "record?call=rescheduled", until="Rescheduled to", whole=True),
    Shot("past-calls", "history", until="newest first"),
    Shot("past-calls-found", "history", before=_filters, until="1 call", narrow=False),
    Shot("past-calls-none", "history", before=_nothing_found, until="No call matches", narrow=False),
    Shot("past-calls-empty", "history", "empty", until="No call has been placed yet", narrow=False),
    Shot("charts", "history", before=_charts, until="When people pick up", whole=True),
    Shot("follow-ups", "follow-ups", until="To call back", whole=True),
    Shot("follow-ups-empty", "follow-ups", "empty", until="Nothing to follow up", narrow=False),
    Shot("softphone", "live?call=me", until="Sam Taylor"),
    Shot("sign-in", "", "password", until="Sign in"),
    Shot("settings", "settings", until="Never called again", whole=True),
    Shot("server-down", "live?call=bakery", "down", until="does not answer"),
)


def main(wanted: Sequence[str]) -> None:
    chosen = [shot for shot in SHOTS if not wanted or shot.name in wanted]
    expect.set_options(timeout=30_000)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _data() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for scene in dict.fromkeys(shot.scene for shot in chosen):
            with _scene(scene, folder) as (url, server):
                for shot in chosen:
                    if shot.scene == scene:
                        _take(browser, url, server, shot)
        browser.close()


@contextmanager
def _data() -> Iterator[Path]:
    """A folder of its own among the project's data, since the pages tell where that is."""
    folder = ROOT / "data" / "screenshots"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _scene(name: str, folder: Path) -> Iterator[tuple[str, MediaServer]]:
    """A dashboard over calls of this kind, at the address that is given."""
    with media_server(folder / name / "calls.db") as server:
        if name != "empty":
            scenes.desk(server.store, time.time())
            scenes.record(server.store, "rescheduled", server.settings.recordings_path)
        phone = server.desk.softphones.of("me")
        phone.state = State.RINGING
        script = "app.py" if name == "password" else "pages/main.py"
        with dashboard(server.environment | _MORE.get(name, {}), script) as running:
            yield running.url, server


def _take(browser: Browser, url: str, server: MediaServer, shot: Shot) -> None:
    looks = [("", 1400, 900, False), ("-dark", 1400, 900, True)]
    looks += [("-narrow", 390, 844, False)] if shot.narrow else []
    for suffix, width, height, dark in looks:
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="America/New_York",
            locale="en-US",
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(f"{url}/{shot.path}")
        try:
            shot.before(page, server)
            if shot.until:
                page.get_by_text(shot.until).first.wait_for()
            _settled(page)
        except (TimeoutError, AssertionError) as error:
            print(f"{shot.name}{suffix}: not what was expected: {error}", flush=True)  # noqa: T201
        if shot.whole:
            _grow(page)
        _save(page.screenshot(), f"{shot.name}{suffix}")
        context.close()


def _settled(page: Page) -> None:
    """Everything of the page has come, and what moves has stopped moving."""
    # The page for signing in stands before the dashboard, and is none of Streamlit's.
    if page.get_by_test_id("stApp").count():
        page.locator('[data-test-script-state="notRunning"]').first.wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_timeout(1500)
    # The live page is drawn anew twice a second, and says so where the machine is busy.
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def _grow(page: Page) -> None:
    """The page scrolls inside a part of it, so the window becomes as long as that part would like to be."""
    length = int(page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight"))
    width = page.viewport_size["width"] if page.viewport_size else 1400
    page.set_viewport_size({"width": width, "height": min(6000, length)})
    page.wait_for_timeout(700)


def _save(png: bytes, name: str) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, kmeans=3, dither=Image.Dither.NONE)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    print(f"{name}.png", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
