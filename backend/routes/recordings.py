"""A call's recording: a small player that the dashboard embeds, its sound, and how loud each side is over time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from backend import tickets
from backend.config import Settings
from backend.recording.names import begins
from backend.recording.wave import HEADER, levels
from backend.routes.browser import page

PURPOSE = "recording"
"""Of a ticket."""
_PRIVATE = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

router = APIRouter(prefix="/recordings", tags=["recordings"], include_in_schema=False)


@router.get("/{call}")
async def player(request: Request, call: str, ticket: str = "") -> Response:
    """The page."""
    _check(request.app.state.settings, call, ticket)
    return page(request, "player.html")


@router.get("/{call}/sound")
async def sound(request: Request, call: str, ticket: str = "", save: bool = False) -> Response:
    """The file, or the part of it that a `Range` asks for; to be saved, under a name that people understand."""
    path = _file(request, call, ticket)
    how = "attachment" if save else "inline"
    return FileResponse(
        path, media_type="audio/wav", headers=_PRIVATE, filename=f"call-{call}.wav", content_disposition_type=how
    )


@router.get("/{call}/levels")
async def loudness(request: Request, call: str, ticket: str = "") -> Response:
    """For each 20 ms a byte of the callee's level, then as many of the agent's; 0 is 60 dB below full scale."""
    path = _file(request, call, ticket)
    # A long call takes a tenth of a second, and others are talking meanwhile.
    callee, agent = await asyncio.to_thread(lambda: levels(path.read_bytes()[HEADER:]))
    return Response(callee + agent, media_type="application/octet-stream", headers=_PRIVATE)


def _check(settings: Settings, call: str, ticket: str) -> None:
    if tickets.read(settings.token, ticket, PURPOSE, call, time.time()) is None:
        raise HTTPException(403, "This link is not valid any more: open the call in the dashboard again.")


def _file(request: Request, call: str, ticket: str) -> Path:
    settings: Settings = request.app.state.settings
    _check(settings, call, ticket)
    found = request.app.state.store.call(call)
    name = found.recording if found else ""
    path = settings.recordings_path / name
    # Only what a recorder has named so, whatever stands in the row.
    if begins(name) is None or not path.is_file():
        raise HTTPException(404, "There is no recording of this call any more.")
    return path
