"""How soon the list of past calls is there, in a real browser, with a database full of them.

    python -m backend.bench.archive sample.db
    python -m tests.past_calls_speed sample.db [--times 7]

Each time is from the operator's click, or from the words in the field, until the page shows what belongs to it and has
come to rest; a search waits 0.3 s of that for the operator to go on typing. The exit code is 1 when one took longer
than promised.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Page
from rich.console import Console

from backend.bench.figures import Sheet, Target, spread
from backend.bench.report import show
from backend.models import Outcome
from backend.serving import free_port
from backend.storage.store import Archive, Search, Sorting
from tests.browser import Dashboard, dashboard, open_page

_PROMISE = 1000
"""Milliseconds."""
_CHARTS = "charts"
_ANEW = "opened by its address, all of the dashboard"
_BETWEEN = "search or filter taken away"
_UNPROMISED = (_CHARTS, _ANEW)
"""What draws the charts, and the dashboard itself, the browser has to load first."""
_A_PAGE = 15
_ORDERS = {Sorting.NEWEST: "newest first", Sorting.SLOWEST: "slowest answer first"}
_SEARCHES = {
    "a name": "smith",
    "two words that were said": "kitchen monday",
    "a word of nearly every call": "hello",
    "the end of a number": "0143",
}
_THERE = """([caption, names]) => {
    const texts = where => [...document.querySelectorAll(where)].map(one => one.innerText.trim());
    const still = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning";
    const links = texts('.stMain [data-testid="stPageLink"] p');
    return still && texts('[data-testid="stCaptionContainer"]').includes(caption)
        && JSON.stringify(links) === JSON.stringify(names);
}"""
_CHARTS_THERE = """() => document.querySelectorAll('.stMain [data-testid="stVegaLiteChart"] svg').length === 4"""


class Clocked:
    """A page of the dashboard, and how long it takes to show what it is asked for."""

    def __init__(self, page: Page, archive: Archive) -> None:
        self._page, self._archive = page, archive
        self.times: dict[str, list[float]] = {}

    def list(
        self, what: str, do: Callable[[], object], search: Search, order: Sorting = Sorting.NEWEST, page: int = 1
    ) -> None:
        found = self._archive.count(search)
        caption = f"{found:,} call{'' if found == 1 else 's'}, {_ORDERS[order]}"
        calls = self._archive.calls(search, _A_PAGE, (page - 1) * _A_PAGE, order)
        self._clock(what, do, _THERE, [caption, [call.brief.callee_name for call in calls]])

    def charts(self, do: Callable[[], object]) -> None:
        self._clock(_CHARTS, do, _CHARTS_THERE, None)

    def _clock(self, what: str, do: Callable[[], object], there: str, wanted: object) -> None:
        self._page.wait_for_timeout(300)
        began = time.perf_counter()
        do()
        self._page.wait_for_function(there, arg=wanted, polling="raf")
        self.times.setdefault(what, []).append(time.perf_counter() - began)


def once(page: Page, running: Dashboard, clocked: Clocked) -> None:
    """One operator's way through the page."""
    # Another page first: loading Streamlit itself is no matter of the list.
    page.goto(f"{running.url}/settings")
    page.get_by_role("heading", name="Settings").wait_for()
    clocked.list("first view", page.get_by_role("link", name="Past calls").first.click, Search())
    words = page.get_by_label("Search", exact=True)
    for what, text in _SEARCHES.items():
        clocked.list(f"search: {what}", partial(words.fill, text), Search(words=text))
        clocked.list(_BETWEEN, partial(words.fill, ""), Search())
    _filters(page, clocked)
    page.get_by_label("Order").click()
    slowest = page.get_by_role("option", name="Slowest answer first")
    clocked.list("order: slowest answer", slowest.click, Search(), Sorting.SLOWEST)
    clocked.list(
        "second page", page.get_by_role("button", name="Page 2", exact=True).click, Search(), Sorting.SLOWEST, 2
    )
    clocked.charts(page.get_by_text("Charts", exact=True).click)
    clocked.list(_ANEW, partial(page.goto, f"{running.url}/history"), Search())


def _filters(page: Page, clocked: Clocked) -> None:
    page.get_by_role("button", name="More filters").click()
    trouble = page.get_by_text("Only calls with trouble")
    clocked.list("filter: had trouble", trouble.click, Search(troubled=True))
    clocked.list(_BETWEEN, trouble.click, Search())
    page.get_by_label("Outcome").click()
    declined = page.get_by_role("option", name="Declined")
    clocked.list("filter: one outcome", declined.click, Search(outcomes=(Outcome.DECLINED,)))
    page.keyboard.press("Escape")
    clocked.list(_BETWEEN, page.get_by_role("button", name="Clear all").click, Search())
    page.keyboard.press("Escape")


def measured(path: Path, times: int) -> Sheet:
    # Nobody serves calls here: the list needs only the database.
    environment = {"DATABASE_PATH": str(path), "MEDIA_SERVER_PORT": str(free_port()), "API_TOKEN": "for-measuring-only"}
    with Archive.open(path) as archive, dashboard(environment) as running:
        all_calls, turns = archive.count(), next(archive._rows("select count(*) as n from turns", []))["n"]
        times_of: dict[str, list[float]] = {}
        for _ in range(times):
            with open_page() as page:
                clocked = Clocked(page, archive)
                once(page, running, clocked)
            for what, taken in clocked.times.items():
                times_of.setdefault(what, []).extend(taken)
    promises = {what: (Target(_PROMISE, column="worst"),) for what in times_of if what not in _UNPROMISED}
    lines = [spread(what, taken, *promises.get(what, ())) for what, taken in times_of.items()]
    return Sheet("Past calls in the browser", tuple(lines), (f"{all_calls:,} calls with {turns:,} turns.",))


def main(
    path: Annotated[Path, typer.Argument(help="A database; it is only read.", exists=True, show_default=False)],
    times: Annotated[int, typer.Option(help="How often everything is done, each time in a fresh browser.")] = 7,
) -> None:
    """Measure the list of past calls in a real browser."""
    sheet = measured(path.resolve(), times)
    show(sheet, Console())
    raise typer.Exit(int(bool(sheet.broken)))


if __name__ == "__main__":
    typer.run(main)
