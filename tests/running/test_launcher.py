"""The media server is started once, adopted by others, and never outlives whoever started it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from backend import server
from backend.answers import Part, Setup
from backend.client import Client, ServerSlow
from backend.config import ROOT, Settings, load
from backend.models import Brief, Call, LineKind, Status
from backend.running import dashboard, launcher
from backend.running.dashboard import kept_running, lifespan, run, summary
from backend.running.launcher import CannotStart, ServerProcess, TooBusy, answers_on, media_server, running
from backend.serving import free_port
from backend.storage.store import Store

# As `backend.cli serve`, but deaf to the developer's own .env.
SERVE = "from backend.config import Settings; Settings.model_config['env_file'] = None; from backend.cli import main; "
CHILD = (sys.executable, "-c", SERVE + "raise SystemExit(main(['serve', '--until-stdin-closes']))")
ALONE = (sys.executable, "-c", SERVE + "raise SystemExit(main(['serve']))")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """For this process and, through the environment, for its children."""
    monkeypatch.setenv("MEDIA_SERVER_PORT", str(free_port()))
    monkeypatch.setenv("DASHBOARD_PORT", str(free_port()))
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "calls.db"))
    return load()


async def test_of_many_that_want_the_server_at_once_one_starts_it_and_the_others_adopt_it(settings: Settings) -> None:
    servers = [ServerProcess(settings, CHILD) for _ in range(3)]
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
        adopted = [server for server in servers if server.adopted]
        assert len(adopted) == 2
        for server in adopted:
            server.stop()
        assert running(settings)
    finally:
        for server in servers:
            await asyncio.to_thread(server.stop)
    assert not answers_on("127.0.0.1", settings.media_server_port)
    assert "Traceback" not in servers[0].log.read_text()


def test_a_killed_parent_leaves_no_server(settings: Settings) -> None:
    script = (
        "import sys, time; from backend.config import load; from backend.running.launcher import ServerProcess\n"
        f"server = ServerProcess(load(_env_file=None), {CHILD!r})\n"
        "server.start(); print(server.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        family = [child, *child.children(recursive=True)]
        parent.kill()
    assert psutil.wait_procs(family, timeout=15)[1] == []


def test_a_server_without_a_parent_outlives_its_closed_input_and_obeys_sigterm(settings: Settings) -> None:
    process = subprocess.Popen(ALONE, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    with process:
        while not running(settings):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert "Traceback" not in process.communicate(timeout=15)[1]


async def test_a_second_server_leaves_the_database_of_the_first_one_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_CLOSES_WITHIN", 0.0)
    call = Call("call", Brief("+12025550143", "Confirm"), Status.IN_PROGRESS, created=1.0)
    async with media_server(settings, CHILD):
        with Store(settings.database_path) as store:
            store.add(call)
            with pytest.raises(CannotStart, match=f"already uses {settings.database_path}: stop it, or set another"):
                server.run(settings)
            assert store.call("call") == call


async def test_a_server_that_was_killed_is_started_again_at_once_on_its_database(settings: Settings) -> None:
    server = ServerProcess(settings, CHILD)
    try:
        for _ in range(2):
            await asyncio.to_thread(server.start)
            assert server.pid
            psutil.Process(server.pid).kill()
            psutil.Process(server.pid).wait(5)
    finally:
        await asyncio.to_thread(server.stop)


class Foreign(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


async def test_a_foreign_program_on_the_port_is_not_adopted(settings: Settings) -> None:
    with HTTPServer(("127.0.0.1", settings.media_server_port), Foreign) as foreign:
        thread = threading.Thread(target=foreign.serve_forever)
        thread.start()
        try:
            with pytest.raises(CannotStart, match="set another MEDIA_SERVER_PORT"):
                async with media_server(settings, CHILD):
                    pass
        finally:
            foreign.shutdown()
            thread.join()


def test_a_server_that_is_slow_to_answer_is_not_taken_for_another_program(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(client: Client) -> None:
        raise ServerSlow("It took too long to answer.")

    monkeypatch.setattr(Client, "health", slow)
    busy = socket.create_server(("127.0.0.1", settings.media_server_port))
    with busy, pytest.raises(TooBusy, match="takes too long to answer: try again in a minute"):
        running(settings)


def test_a_server_that_is_slow_to_answer_while_it_starts_is_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool | TooBusy] = [False, TooBusy("It takes too long to answer."), True]

    def look(_: Settings) -> bool:
        found = looks.pop(0)
        if isinstance(found, TooBusy):
            raise found
        return found

    monkeypatch.setattr(launcher, "running", look)
    server = ServerProcess(settings, (sys.executable, "-c", "import sys; sys.stdin.read()"))
    server.start()
    assert (server.exit_code, looks) == (None, [])
    server.stop()


async def test_a_server_that_does_not_start_shows_why(settings: Settings) -> None:
    environment = os.environ | {"MAX_CALLS_PER_HOUR": "none"}
    with pytest.raises(CannotStart, match=r"did not start:\nMAX_CALLS_PER_HOUR: .*\n\(its log: .*media-server\.log\)"):
        async with media_server(settings, CHILD, environment):
            pass


async def test_an_old_failure_is_not_shown_again(settings: Settings) -> None:
    server = ServerProcess(settings, (sys.executable, "-c", "raise SystemExit('again')"))
    server.log.write_text("long ago\n")
    with pytest.raises(CannotStart) as raised:
        server.start()
    assert "long ago" not in str(raised.value)
    assert server.log.read_text() == "long ago\nagain\n"


async def test_a_server_that_crashes_is_started_again_and_the_log_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dashboard, "_LOOK_AGAIN", 0.02)
    monkeypatch.setattr(dashboard, "_FIRST_PAUSE", 0.02)
    async with media_server(settings, CHILD) as server:
        with kept_running(server):
            first = server.pid
            assert first
            psutil.Process(first).kill()
            while server.pid in (None, first) or not await asyncio.to_thread(running, settings):
                await asyncio.sleep(0.02)
        second = server.pid
    assert second and not psutil.pid_exists(second)
    said = capsys.readouterr().err
    assert "The media server ended (code -9). It is started again in 0.02 s." in said


class Breaking:
    """A server that ends at once, or does not even start; each look at it counts as waiting for that long."""

    log = Path("media-server.log")

    def __init__(self, starts: list[bool]) -> None:
        self.exit_code = 1
        self.starts = starts
        self.waited: list[float] = []

    def start(self) -> None:
        if not self.starts.pop(0):
            raise CannotStart("The media server did not start.")

    def wait(self, seconds: float) -> bool:
        """As `threading.Event.wait`, of an event that is set when no start is left."""
        self.waited.append(seconds)
        return not self.starts


def test_one_that_cannot_stay_up_is_started_after_longer_and_longer_pauses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dashboard, "_LOOK_AGAIN", 0.0)
    server = Breaking([True, False, False, True, True, True, True, True])
    dashboard._keep(server, server)  # type: ignore[arg-type]
    assert [seconds for seconds in server.waited if seconds][:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    said = capsys.readouterr().err
    assert said.count("did not start.") == 2
    assert "It is started again in 32 s." in said


async def test_a_dashboard_with_bad_settings_still_comes_up_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIA_SERVER_PORT", "none")
    async with lifespan(None):
        assert "MEDIA_SERVER_PORT: " in capsys.readouterr().err


def test_a_taken_dashboard_port_is_said_before_anything_starts(settings: Settings) -> None:
    with socket.create_server(("localhost", settings.dashboard_port)) as listener:
        listener.settimeout(5)
        with pytest.raises(CannotStart, match="set another DASHBOARD_PORT"):
            run(settings)
    assert not answers_on("127.0.0.1", settings.media_server_port)


def test_the_summary_says_what_is_real_what_is_practice_and_what_is_missing() -> None:
    parts = [
        Part("Phone line", "", False, "Set TWILIO_ACCOUNT_SID."),
        Part("Hearing", "Deepgram flux", True, ""),
        Part("Speaking", "Offline voice", False, ""),
    ]
    said = summary(Setup(parts, [], [LineKind.PRACTICE], LineKind.PRACTICE, 0, 2))
    assert said.splitlines() == [
        "  real      Deepgram flux",
        "  practice  speaking (offline voice)",
        "  not set   phone line; `phone-agent doctor` says what to do",
    ]
