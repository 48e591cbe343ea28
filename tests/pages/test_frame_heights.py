"""The embedded pages with sound in a real browser, as wide as their places on the desk: nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import _headset
import _player
import _softphone
import pytest

from backend.config import ROOT
from tests.browser import open_page

WIDTHS = (320, 330, 360, 600)
"""Of the column beside the transcript, of a phone's screen, and of more."""
NO_MICROPHONE = (
    "The browser does not let this page use the microphone. Allow it beside the address, and try again. "
    "The agent goes on with the call."
)
STATES: dict[str, tuple[str, int, set[str], dict[str, str]]] = {
    "the player": ("player", _player._HEIGHT, {"-trouble"}, {"clock": "12:34 / 15:00"}),
    "listening in": (
        *("headset", _headset._HEIGHT, {"mute", "-trouble"}),
        {"listen": "Stop listening", "status": "You hear both sides; nobody hears you."},
    ),
    "having taken over": (
        *("headset", _headset._HEIGHT, {"live", "cough", "hand-back", "-listen", "-mute", "-take-over", "-trouble"}),
        {"status": ""},
    ),
    "without a microphone": ("headset", _headset._HEIGHT, {"trouble"}, {"status": "", "trouble": NO_MICROPHONE}),
    "being rung up": (
        *("softphone", _softphone._HEIGHT, {"ringing", "-trouble"}),
        {"caller": "Alex, Brightside Dental", "status": "is calling. You are Sam Taylor."},
    ),
    "being rung up without a microphone": (
        *("softphone", _softphone._HEIGHT, {"ringing", "trouble", "without"}),
        {"caller": "Alex, Brightside Dental", "status": "is still calling.", "reason": NO_MICROPHONE[:98]},
    ),
    "with the key pad": ("softphone", _softphone._HEIGHT, {"talking", "sides", "keys", "-trouble"}, {"status": "0:12"}),
}
_ARRANGE = """([shown, texts]) => {
    for (const id of shown) document.getElementById(id.replace("-", id.startsWith("-") ? "" : "-")).hidden
        = id.startsWith("-");
    for (const [id, text] of Object.entries(texts)) document.getElementById(id).textContent = text;
    const main = document.querySelector("main");
    main.style.minHeight = 0;
    return Math.ceil(main.getBoundingClientRect().height);
}"""
"""How high the page would like to be, in this state."""


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The files of the pages, without a call: no connection comes about, and the test arranges what is shown."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(Path(ROOT / "backend")))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/browser"
        server.shutdown()


@pytest.mark.timeout(120)
def test_every_embedded_page_fits_into_its_place(site: str) -> None:
    with open_page() as page:
        for name, (file, height, visible, texts) in STATES.items():
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": height})
                # Another address each time, so that it is loaded anew.
                page.goto(f"{site}/{file}.html?{quote(name)}-{width}#name=Bartholomew+Vandenberghe-Smith")
                needed = page.evaluate(_ARRANGE, [sorted(visible), texts])
                assert needed <= height, f"{name} needs {needed} of {height} pixels, {width} wide"
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
