"""The headset in the browser: a page that the dashboard embeds, and the websocket with the sound of its call."""

from __future__ import annotations

import time

from fastapi import APIRouter, HTTPException, Request, Response, WebSocket

from backend import tickets
from backend.config import Settings
from backend.headset.headset import Headset
from backend.routes.browser import from_own_page, page
from backend.tickets import Ticket

PURPOSE = "headset"
"""Of a ticket."""

router = APIRouter(prefix="/headset", tags=["headset"], include_in_schema=False)


@router.get("")
async def headset(request: Request, call: str = "", ticket: str = "") -> Response:
    """The page. Who has no ticket for the call gets none, since it would be of no use."""
    if not _admitted(request.app.state.settings, call, ticket):
        raise HTTPException(403, "This link is not valid any more: open the call in the dashboard again.")
    return page(request, "headset.html")


@router.websocket("/sound")
async def sound(websocket: WebSocket, call: str = "", ticket: str = "") -> None:
    """Both sides of the call to the browser, and commands and the microphone from it."""
    state = websocket.app.state
    admitted = _admitted(state.settings, call, ticket)
    if admitted is None or not from_own_page(websocket, state.settings):
        # Closing before accepting answers the handshake with 403.
        await websocket.close()
        return
    await websocket.accept()
    await Headset(websocket, state.switchboard, state.headsets, call, admitted.by).serve()


def _admitted(settings: Settings, call: str, ticket: str) -> Ticket | None:
    return tickets.read(settings.token, ticket, PURPOSE, call, time.time())
