"""A real uvicorn inside a running event loop, for the servers on this machine that stand in for providers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from backend.telephony.socket import MediaSocket

_IDLE = 300
"""Seconds an idle connection is kept: longer than any client here keeps one, so that only clients ever let go."""
_GRACE = 1
"""Seconds that requests still running at the end get to finish, before they are cancelled."""


@asynccontextmanager
async def serve(
    app: ASGIApp, host: str = "127.0.0.1", port: int = 0, ws: Literal["none", "websockets-sansio"] = "none"
) -> AsyncIterator[int]:
    """Serve HTTP, and WebSockets if so asked, until the block is left; yield the port, where 0 takes a free one.

    No task outlives the block. Signals stay with whoever runs the loop, and nothing polls: only uvicorn's start and
    stop are used, since its own main loop does nothing but look for signals and keep a date header fresh.

    Raises:
        OSError: the address cannot be listened on.
        RuntimeError: the app's own lifespan failed to start.
    """
    with _listener(host, port) as listener:
        server = uvicorn.Server(_config(app, ws))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await _start(server, listener)
        try:
            yield listener.getsockname()[1]
        finally:
            await server.shutdown([listener])
            # A client that came in that moment was accepted after uvicorn had looked whom to say goodbye to.
            await asyncio.sleep(0.01)
            for connection in tuple(server.server_state.connections):
                connection.transport.close()
            # Past the grace uvicorn cancels what still runs, but does not wait for it.
            if server.server_state.tasks:
                await asyncio.wait(server.server_state.tasks)


def free_port() -> int:
    """A port on loopback that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket whose protocol is named: only then does asyncio switch Nagle's delay (40 ms) off."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: ASGIApp, ws: Literal["none", "websockets-sansio"]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws=MediaSocket if ws == "websockets-sansio" else ws,
        ws_per_message_deflate=False,
        date_header=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_GRACE,
    )


async def _start(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        await server.startup([listener])
    except SystemExit:
        # uvicorn takes itself for the whole program; here it is a guest.
        raise RuntimeError("the server's app failed while starting; its log line above says why") from None
