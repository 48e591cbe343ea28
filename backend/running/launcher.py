"""Starts the media server, or adopts the one that already runs. What is started here never outlives this process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from backend.client import Client, ServerError, ServerSlow
from backend.config import ROOT, Settings
from backend.running.lock import alone

SERVE = (sys.executable, "-m", "backend.cli", "serve", "--until-stdin-closes")

_READY_WITHIN = 30.0
"""Seconds the media server may take until it answers; two are usual."""
LOOK_EVERY = 0.05
"""Seconds between two looks at a server that is starting."""
_STOP_WITHIN = 10.0
"""Seconds a server gets to say goodbye to its callers, before it is told with a signal."""
_LAST_LINES = 12
"""How much of the log is shown when the media server does not start."""
_LARGEST_LOG = 5_000_000
"""Bytes after which the next start begins a new log, and keeps the old one."""


class CannotStart(Exception):
    """The media server is not there and cannot be had; the message says why and what to do."""


class TooBusy(CannotStart):
    """Something has its port and takes too long to answer; what that is, nobody can tell."""


# --- looking ----------------------------------------------------------------------------------------------------


def answers_on(host: str, port: int) -> bool:
    """Whether any program accepts connections there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def running(settings: Settings) -> bool:
    """Whether our media server answers, and takes our token.

    Raises:
        TooBusy: whatever has its port does not answer in time.
        CannotStart: another program has its port, or another Phone Agent's server.
    """
    where = urlsplit(settings.server_url)
    if not answers_on(where.hostname or "", settings.media_server_port):
        return False
    try:
        with Client(settings.server_url, settings.token, timeout=5) as client:
            client.health()
            client.setup()
    except ServerSlow:
        raise TooBusy(
            f"The media server on port {settings.media_server_port} takes too long to answer: try again in a minute. "
            "If it stays so, stop it; or set another MEDIA_SERVER_PORT in .env if that port belongs to another program."
        ) from None
    except ServerError as error:
        raise CannotStart(
            f"Port {settings.media_server_port} is in use, but not by this project's media server: "
            "stop the program that has it, or set another MEDIA_SERVER_PORT in .env. "
            f"What answered: {error}"
        ) from None
    return True


# --- starting and stopping --------------------------------------------------------------------------------------


class ServerProcess:
    """The media server as somebody who needs it sees it: there after `start`; gone after `stop` if it was ours.

    The child's standard input is a pipe that we hold open: when we die in any way, it closes, and the child ends.
    """

    def __init__(
        self, settings: Settings, command: Sequence[str] = SERVE, environment: Mapping[str, str] | None = None
    ) -> None:
        """
        Args:
            settings: where to look for it, and with which token.
            environment: of the child, which must then say the same; ours where None.
        """
        self._settings = settings
        self._command = command
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None
        self.log = settings.database_path.parent / "media-server.log"

    @property
    def adopted(self) -> bool:
        """Whether somebody else started it, and will stop it."""
        return self._child is None

    @property
    def exit_code(self) -> int | None:
        """How the process that was started here has ended; None while it runs, and for another's."""
        return self._child.poll() if self._child else None

    @property
    def pid(self) -> int | None:
        """The process that was started here."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Return when the server answers. Only one process at a time looks and starts, so there is only ever one.

        Raises:
            CannotStart: with the last lines of its log, if it was started and ended.
        """
        with alone(self.log.with_name("launcher.lock")):
            if self.exit_code is not None:
                self.stop()  # one that ended by itself has left its pipe open
            if running(self._settings):
                return
            self._child, beginning = self._spawn()
            try:
                self._await_ready(self._child, beginning)
            except BaseException:
                self.stop()
                raise

    def _spawn(self) -> tuple[subprocess.Popen[bytes], int]:
        with _opened_log(self.log) as log:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for us; we then end the child, so that it is told once
            )
            return child, log.tell()

    def _await_ready(self, child: subprocess.Popen[bytes], beginning: int) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise CannotStart(f"The media server did not start:\n{self._said(beginning)}")
            # Its port opens last of all, so whatever answers is ready.
            with suppress(TooBusy):
                if running(self._settings):
                    return
            time.sleep(LOOK_EVERY)
        said = self._said(beginning)
        raise CannotStart(f"The media server did not answer within {_READY_WITHIN:.0f} seconds:\n{said}")

    def _said(self, beginning: int) -> str:
        with self.log.open("rb") as log:
            log.seek(beginning)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
        return "\n".join([*lines[-_LAST_LINES:], f"(its log: {self.log})"])

    def stop(self) -> None:
        """End the server if it was started here: ask, then insist."""
        child = self._child
        if child is None:
            return
        with suppress(OSError):
            if child.stdin:
                child.stdin.close()
        for insist, patience in ((child.terminate, _STOP_WITHIN), (child.kill, 3.0)):
            with suppress(subprocess.TimeoutExpired):
                child.wait(patience)
                break
            insist()
        child.wait()
        self._child = None


@asynccontextmanager
async def media_server(
    settings: Settings, command: Sequence[str] = SERVE, environment: Mapping[str, str] | None = None
) -> AsyncIterator[ServerProcess]:
    """The media server for as long as the block runs.

    Raises:
        CannotStart
    """
    server = ServerProcess(settings, command, environment)
    try:
        await asyncio.to_thread(server.start)
        yield server
    finally:
        await asyncio.to_thread(server.stop)


@contextmanager
def _opened_log(path: Path) -> Iterator[IO[bytes]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_suffix(".old.log"))
    with path.open("ab") as log:
        log.seek(0, os.SEEK_END)
        yield log


# --- in the child -----------------------------------------------------------------------------------------------


def end_with_parent() -> None:
    """Stop this process, as Ctrl-C would, when the pipe that its parent holds open closes."""
    threading.Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    signal.raise_signal(signal.SIGINT)
    # Whoever hangs while shutting down would be an orphan, with calls that nobody watches.
    time.sleep(_STOP_WITHIN)
    os._exit(1)
