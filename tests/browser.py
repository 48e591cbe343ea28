"""A real Chromium and a real dashboard process, for tests that look at what an operator sees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from backend.config import ROOT, Settings
from backend.serving import free_port

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE = 20.0
"""Seconds that anything in the browser may take on a busy machine."""


def chromium() -> str | None:
    """The system's Chromium; None leaves it to Playwright's own, which may be missing."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


@contextmanager
def open_page(width: int = 1400, height: int = 900, dark: bool = False, flags: tuple[str, ...] = ()) -> Iterator[Page]:
    """A page of a fresh browser. Without any Chromium the test is skipped, but never where CI is set."""
    with sync_playwright() as playwright:
        path = chromium()
        if path is None and not Path(playwright.chromium.executable_path).exists() and not os.environ.get("CI"):
            pytest.skip("no Chromium here: install the package chromium")
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            timezone_id="Europe/Berlin",
            locale="en-GB",
        )
        context.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        try:
            yield context.new_page()
        finally:
            browser.close()


_LEFT = re.compile(
    r"Exception in ASGI application\n(?:(?!Exception in ASGI application).*\n)*?"
    r'starlette\.websockets\.WebSocketDisconnected: Cannot call "send" once a close message has been sent\.\n'
)


class Dashboard:
    """A running Streamlit process and what it has written to its log."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._up = threading.Event()
        self.url = ""
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def faults(self) -> str:
        """The log, if anything broke; Streamlit's own complaint of a browser that leaves while it connects is none."""
        log = "".join(self.log)
        return log if "Traceback" in _LEFT.sub("", log) else ""

    def wait_until_up(self) -> None:
        self._up.wait(PATIENCE * 2)
        assert self.url, "the dashboard did not start:\n" + "".join(self.log)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE)

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self.log.append(line)
                if "URL:" in line and not self.url:
                    self.url = line.split("URL:")[1].strip()
                    self._up.set()
        self._up.set()


@contextmanager
def dashboard(
    environment: Mapping[str, str], script: str = "pages/main.py", port: int | None = None
) -> Iterator[Dashboard]:
    """Run the dashboard, by default on a free port, with these settings and none that the shell happens to have."""
    names = {name.upper() for name in Settings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        script,
        f"--server.port={port or free_port()}",
        "--server.fileWatcherType=none",
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=inherited | {"PYTHONUNBUFFERED": "1"} | dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Dashboard(process)
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()
