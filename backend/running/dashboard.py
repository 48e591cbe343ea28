"""Starts the dashboard, with its media server: who may reach it, where it is, and what goes with it."""

from __future__ import annotations

import runpy
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address

import httpx2

from backend.answers import Setup
from backend.client import Client, ServerError
from backend.config import ROOT, BadSettings, Settings, SignIn, is_loopback, load, refusal
from backend.running.launcher import LOOK_EVERY, CannotStart, ServerProcess, answers_on, media_server
from backend.settings.misspelt import unknown_here
from backend.storage.place import refusal as refused

_LOOK_AGAIN = 0.5
"""Seconds between two looks at a server that runs."""
_FIRST_PAUSE = 1.0
"""Seconds before one that ended is started again; then twice as long each time."""
_LONGEST_PAUSE = 60.0
_STEADY = 300.0
"""Seconds after which a server that ends is no longer one that cannot start."""


# --- where it is, and for whom ----------------------------------------------------------------------------------


def refuse_strangers(settings: Settings | None, address: str | None) -> None:
    """
    Args:
        settings: None if they cannot be used, so that nobody is asked who they are.
        address: where Streamlit would listen; none means everywhere.

    Raises:
        SystemExit: other machines would reach a dashboard that asks nobody.
    """
    asks = settings is not None and settings.sign_in is not SignIn.NONE
    if not asks and not is_loopback(address or ""):
        raise SystemExit(refusal("Streamlit's server.address (STREAMLIT_SERVER_ADDRESS)", address or ""))


def dashboard_host(settings: Settings) -> str:
    """By what name this machine's own browser reaches the dashboard."""
    address = settings.dashboard_address
    if is_loopback(address) or ip_address(address).is_unspecified:
        return "localhost"
    return address


def dashboard_url(settings: Settings) -> str:
    host = dashboard_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.dashboard_port}"


def dashboard_answers(settings: Settings) -> bool:
    """Whether a Streamlit dashboard answers on our port."""
    with suppress(httpx2.HTTPError):
        url = f"{dashboard_url(settings)}/_stcore/health"
        return httpx2.get(url, timeout=2, trust_env=False).text.strip() == "ok"
    return False


# --- starting and stopping --------------------------------------------------------------------------------------


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[None]:
    """For the dashboard: its media server lives as long as it does. Without one, it still serves, and says so."""
    if strange := unknown_here():
        _say("\n".join(map(str, strange)))
    async with AsyncExitStack() as stack:
        try:
            server = await stack.enter_async_context(media_server(load()))
            stack.enter_context(kept_running(server))
        except (BadSettings, CannotStart) as error:
            _say(str(error))
        except OSError as error:
            _say(refused(error))
        yield


def run(settings: Settings) -> None:
    """Both servers in the foreground, until Ctrl-C. The dashboard runs in this process, and adopts our media server.

    Raises:
        CannotStart: one of the ports is taken, or the media server does not start; nothing is left behind.
    """
    if answers_on(dashboard_host(settings), settings.dashboard_port):
        raise CannotStart(_dashboard_taken(settings))
    sys.argv = [str(ROOT / "app.py")]
    server = ServerProcess(settings)
    try:
        with ThreadPoolExecutor(1) as beside:
            # Loading the dashboard's modules takes as long as starting the media server.
            loading = beside.submit(runpy.run_path, sys.argv[0])
            server.start()
            loading.result()
        with suppress(KeyboardInterrupt), kept_running(server):
            runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        server.stop()


def _dashboard_taken(settings: Settings) -> str:
    if dashboard_answers(settings):
        return f"Phone Agent seems to run already: open {dashboard_url(settings)}, or stop it first."
    return (
        f"Port {settings.dashboard_port}, where the dashboard should be, is used by another program: "
        "stop that, or set another DASHBOARD_PORT in .env."
    )


# --- the media server, for as long as the dashboard runs ---------------------------------------------------------


@contextmanager
def kept_running(server: ServerProcess) -> Iterator[None]:
    """Start the server again whenever it ends by itself, until the block is left. One that was adopted is not ours."""
    leaving = threading.Event()
    keeper = threading.Thread(target=_keep, args=[server, leaving], name="keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        leaving.set()
        keeper.join()


def _keep(server: ServerProcess, leaving: threading.Event) -> None:
    pause, since = _FIRST_PAUSE, time.monotonic()
    while not leaving.wait(_LOOK_AGAIN):
        code = server.exit_code
        if code is None:
            continue
        if time.monotonic() - since > _STEADY:
            pause = _FIRST_PAUSE
        _say(f"The media server ended (code {code}). It is started again in {pause:g} s. Its log: {server.log}")
        while not leaving.wait(pause):
            pause, since = min(2 * pause, _LONGEST_PAUSE), time.monotonic()
            if _started_again(server):
                break


def _started_again(server: ServerProcess) -> bool:
    try:
        server.start()
    except CannotStart as error:
        _say(str(error))
        return False
    _say("The media server runs again.")
    return True


def _say(what: str) -> None:
    """On the dashboard's log."""
    print(f"\n{what}\n", file=sys.stderr, flush=True)  # noqa: T201


# --- what is said -----------------------------------------------------------------------------------------------


def announce(settings: Settings) -> None:
    """Say where everything is as soon as it is there, from a thread beside the dashboard."""
    threading.Thread(target=_announce, args=[settings], name="announce", daemon=True).start()


def _announce(settings: Settings) -> None:
    while not dashboard_answers(settings):
        time.sleep(LOOK_EVERY)
    with suppress(ServerError), Client(settings.server_url, settings.token) as client:
        print(f"\nPhone Agent is ready: {dashboard_url(settings)}\n{summary(client.setup())}", flush=True)  # noqa: T201


def summary(setup: Setup) -> str:
    """What is real and what is practice, in two or three lines."""
    real = [part.serves for part in setup.parts if part.real]
    here = [f"{part.name.lower()} ({part.serves.lower()})" for part in setup.parts if part.serves and not part.real]
    gone = [part.name.lower() for part in setup.parts if not part.serves]
    lines = [f"  real      {', '.join(real) or 'nothing yet: no provider keys in .env'}"]
    lines += [f"  practice  {', '.join(here)}"] if here else []
    lines += [f"  not set   {', '.join(gone)}; `phone-agent doctor` says what to do"] if gone else []
    return "\n".join(lines)
