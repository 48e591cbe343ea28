"""The media server: owns every call. HTTP and WebSocket in front, the switchboard behind."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse

from backend.config import Settings, is_loopback
from backend.headset.headset import Headsets
from backend.models import ProviderError, Refused
from backend.providers import Providers
from backend.routes import (
    browser,
    calls,
    headset,
    past_calls,
    questions,
    recordings,
    refusals,
    rehearsals,
    softphone,
    templates,
    twilio,
)
from backend.running.launcher import CannotStart
from backend.running.lock import Taken, alone
from backend.storage.retention import Retention
from backend.storage.store import Store
from backend.switchboard.switchboard import CallOver, NoSuchCall, Switchboard
from backend.telephony.socket import MediaSocket

_MAY_WAIT = 0.4
"""Seconds until turns and events are written; the dashboard looks twice a second."""


def create_app(settings: Settings, providers: Providers | None = None) -> FastAPI:
    """The application; nothing is opened before its lifespan begins. Without `providers`, the settings choose them."""
    app = FastAPI(
        title="Phone Agent",
        description="Place calls, watch them and step in.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.settings = settings
    app.state.providers = providers or Providers(settings)
    app.state.rehearsals = rehearsals.room()
    app.state.headsets = Headsets()
    app.include_router(browser.router)
    app.include_router(calls.router)
    app.include_router(headset.router)
    app.include_router(past_calls.router)
    app.include_router(questions.router)
    app.include_router(recordings.router)
    app.include_router(refusals.router)
    app.include_router(rehearsals.router)
    app.include_router(softphone.router)
    app.include_router(templates.router)
    app.include_router(twilio.router)
    _add_health(app)
    _add_docs(app)
    _add_errors(app)
    return app


_SWITCH = 0.0005
"""Seconds after which a thread lets the event loop go on."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open what every call shares, in the order in which it is needed, and close it in reverse."""
    state, settings = app.state, app.state.settings
    with Store(settings.database_path, _MAY_WAIT) as state.store:
        async with (
            state.providers,
            state.providers.carriers() as state.carriers,
            Switchboard(settings, state.store, state.providers, state.carriers) as state.switchboard,
            Retention(state.store, settings.recordings_path, settings.call_days) as state.retention,
        ):
            yield


def _add_health(app: FastAPI) -> None:
    @app.get("/health", tags=["health"])
    async def health(request: Request) -> dict[str, str | int]:
        """Whether the server answers; says no more, since it is open to everybody."""
        return {"status": "ok", "live_calls": request.app.state.switchboard.live}


def _private(request: Request) -> None:
    """Only for browsers on this machine: through a tunnel requests come from here too, but name another host."""
    forwarded = any(name.startswith(("x-forwarded", "forwarded")) for name in request.headers)
    if forwarded or not is_loopback(request.url.hostname or ""):
        raise HTTPException(404)


def _add_docs(app: FastAPI) -> None:
    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(_private)])
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get("/docs", include_in_schema=False, dependencies=[Depends(_private)])
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="/openapi.json", title="Phone Agent")


def _add_errors(app: FastAPI) -> None:
    """What went wrong, as a sentence in `detail`."""
    codes = {Refused: 422, ProviderError: 502, NoSuchCall: 404, CallOver: 409}

    def explained(code: int) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
        async def explain(_: Request, error: Exception) -> JSONResponse:
            said = f"There is no call “{error}”." if isinstance(error, NoSuchCall) else str(error)
            return JSONResponse({"detail": said}, status_code=code)

        return explain

    for kind, code in codes.items():
        app.add_exception_handler(kind, explained(code))


class MediaServer(uvicorn.Server):
    """Ends its calls before it closes their sockets: else they would take the end for a lost connection."""

    def __init__(self, app: FastAPI) -> None:
        settings: Settings = app.state.settings
        config = uvicorn.Config(
            app,
            host=settings.media_server_host,
            port=settings.media_server_port,
            log_level="warning",
            ws=MediaSocket,
            ws_max_size=1 << 20,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)
        self._state = app.state

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        switchboard: Switchboard = self._state.switchboard
        await switchboard.end_all()
        await super().shutdown(sockets)


class _WholeProcess(MediaServer):
    """A media server that has its process to itself."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Also keep the garbage collector from the quarter of a million objects that live as long as the server.

        It would look at all of them again and again, a tenth of a second each time, and no call's sound be sent
        meanwhile. What is left to it is what calls leave behind in circles, and that is little.
        """
        await super().startup(sockets)
        gc.collect()
        # What runs in threads, such as the report of a call that is over, shall not keep sound waiting for 5 ms.
        sys.setswitchinterval(_SWITCH)
        gc.freeze()
        gc.set_threshold(20_000, 20, 1_000)


_CLOSES_WITHIN = 5.0
"""Seconds that a server which is just stopping may keep the database."""


def run(settings: Settings) -> bool:
    """Serve until told to stop. False: it never began, because the port is taken or the start failed, as logged.

    Raises:
        CannotStart: another server has the database. Whoever opens it takes its running calls for those of a dead one.
    """
    path = settings.database_path
    try:
        with alone(path.with_name(f"{path.name}.lock"), _CLOSES_WITHIN):
            return _serve(settings)
    except Taken:
        raise CannotStart(f"A media server already uses {path}: stop it, or set another DATABASE_PATH.") from None


def _serve(settings: Settings) -> bool:
    server = _WholeProcess(create_app(settings))
    with suppress(KeyboardInterrupt, SystemExit):
        server.run()
    return server.started
