"""What the live page costs: `python -m tests.desk_load [CALLS] [SECONDS]` prints the dashboard's share of a core.

A real dashboard and one real tab, while words of every call are written to the store five times in two seconds, as the
media server does while people speak. The media server and the browser are not counted; they are other processes.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from playwright.sync_api import expect

from backend.models import Speaker, Turn, TurnState
from backend.storage.store import Store
from tests import scenes
from tests.browser import dashboard, open_page
from tests.media_server import media_server

_WRITES = 0.4
"""Seconds between two writes to each call."""
_SPOKEN = 60
"""Turns of the call that is open, as in a call of five minutes."""


def main(calls: int = 50, seconds: float = 20.0) -> None:
    with tempfile.TemporaryDirectory() as folder, media_server(Path(folder) / "calls.db") as server:
        now = time.time()
        scenes.others(server.store, now, calls - 1)
        opened = scenes.question(server.store, now)
        for number in range(20, 20 + _SPOKEN):
            _speak(
                server.store, opened.id, number, "These are the words of one more turn of this call.", TurnState.DONE
            )
        stop = threading.Event()
        talk = threading.Thread(
            target=_talk, args=(server.settings.database_path, [opened.id], calls, stop), daemon=True
        )
        with dashboard(server.environment) as desk, open_page() as page:
            page.goto(f"{desk.url}/live?call={opened.id}")
            expect(page.get_by_text(f"{calls} running calls")).to_be_visible()
            talk.start()
            page.wait_for_timeout(3000)
            process = psutil.Process(desk.pid)
            before, began = process.cpu_times(), time.perf_counter()
            page.wait_for_timeout(seconds * 1000)
            after, took = process.cpu_times(), time.perf_counter() - began
            stop.set()
            talk.join()
    spent = after.user + after.system - before.user - before.system
    print(f"{calls} running calls, one tab: {spent / took:.2f} of a core over {took:.0f} s")  # noqa: T201


def _talk(database: Path, first: list[str], calls: int, stop: threading.Event) -> None:
    """Everybody speaks, a little further with each write."""
    ids, words = [*first, *(f"other-{number}" for number in range(calls - 1))], ""
    with Store(database) as store:
        while not stop.wait(_WRITES):
            words = f"{words} word" if len(words) < 300 else ""
            for call_id in ids:
                _speak(store, call_id, 90, words, TurnState.OPEN)


def _speak(store: Store, call_id: str, number: int, words: str, state: TurnState) -> None:
    store.write_turn(call_id, Turn(number, Speaker.CALLEE, words, words, state, time.time()))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
