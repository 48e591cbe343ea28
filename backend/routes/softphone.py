"""The callee's phone in the browser: a page that the dashboard embeds, and the websocket with its sound."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from fastapi import APIRouter, HTTPException, Request, Response, WebSocket, WebSocketDisconnect

from backend import tickets
from backend.config import Settings
from backend.models import Brief, Call
from backend.practice.race import first
from backend.practice.softphone import Softphone, State
from backend.routes.browser import from_own_page, page

PURPOSE = "softphone"
"""Of a ticket."""
_STALLED = 5.0
"""Seconds the browser has to take what is sent."""
_ELSEWHERE = 4001
"""The code of closing (RFC 6455, section 7.4.2) for a page that another one was faster than."""

router = APIRouter(prefix="/softphone", tags=["softphone"], include_in_schema=False)


@router.get("")
async def softphone(request: Request, call: str = "", ticket: str = "") -> Response:
    """The page. Who has no ticket for the call gets none, since it would be of no use."""
    if not _admitted(request.app.state.settings, call, ticket):
        raise HTTPException(403, "This link is not valid any more: open the call in the dashboard again.")
    return page(request, "softphone.html")


@router.websocket("/stream")
async def stream(websocket: WebSocket, call: str = "", ticket: str = "") -> None:
    """The phone: states as JSON and sound as mu-law to the browser; words of command and sound from it."""
    state = websocket.app.state
    found: Call | None = state.store.call(call) if _admitted(state.settings, call, ticket) else None
    if found is None or not found.brief.rings_here or not from_own_page(websocket, state.settings):
        # Closing before accepting answers the handshake with 403.
        await websocket.close()
        return
    await websocket.accept()
    if found.status.final:
        await websocket.send_json(_news(State.OVER, found.brief))
        await websocket.close()
        return
    phone: Softphone = state.providers.softphones.of(call)
    if not phone.take():
        await websocket.close(_ELSEWHERE)
        return
    try:
        await first(_show(websocket, phone, found.brief), _obey(websocket, phone))
    finally:
        phone.leave()
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # it may be gone already
        async with asyncio.timeout(_STALLED):
            await websocket.close()


def _admitted(settings: Settings, call: str, ticket: str) -> bool:
    return tickets.read(settings.token, ticket, PURPOSE, call, time.time()) is not None


async def _show(websocket: WebSocket, phone: Softphone, brief: Brief) -> None:
    """Send what is to be seen and heard until the call is over, or the browser takes nothing more."""
    with suppress(WebSocketDisconnect, TimeoutError):
        async for news in phone.shown():
            async with asyncio.timeout(_STALLED):
                if isinstance(news, State):
                    await websocket.send_json(_news(news, brief))
                else:
                    await websocket.send_bytes(news)


def _news(state: State, brief: Brief) -> dict[str, str]:
    caller = f"{brief.agent_name}, {brief.organization}" if brief.organization else brief.agent_name
    return {"state": state, "caller": caller, "callee": brief.callee_name}


async def _obey(websocket: WebSocket, phone: Softphone) -> None:
    """Take sound and commands until the browser leaves, or says what no page of ours says."""
    with suppress(ValueError):
        while (message := await websocket.receive())["type"] == "websocket.receive":
            if sound := message.get("bytes"):
                phone.speak(sound)
            else:
                await _do(phone, message.get("text") or "")


async def _do(phone: Softphone, words: str) -> None:
    """Follow one command of the page.

    Raises:
        ValueError: there is none like that.
    """
    match words.split():
        case ["answer"]:
            phone.pick_up()
        case ["decline"]:
            phone.decline()
        case ["hang-up"]:
            phone.hang_up()
        case ["press", key]:
            await phone.press(key)
        case _:
            raise ValueError(f"no command: {words[:40]!r}")
