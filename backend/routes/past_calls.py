"""Calls that are over: worked off, and deleted."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from backend.models import Call, Tick
from backend.routes.calls import authorized
from backend.routes.operator import operator
from backend.storage.archive import Archive
from backend.storage.call_backs import WITHIN

router = APIRouter(prefix="/api", dependencies=[Depends(authorized)], tags=["past calls"])


@router.get("/call-backs")
def call_backs(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> list[Call]:
    """The calls of the last 30 days after which somebody should be called again, the newest first."""
    with Archive.open(request.app.state.settings.database_path) as archive:
        return archive.to_call(time.time() - WITHIN, limit, offset)


@router.post("/calls/{call_id}/follow-up", status_code=204)
async def follow_up(request: Request, call_id: str) -> None:
    """Somebody has dealt with it: it need not be called again. Whoever says so first is kept."""
    if _over(request, call_id).followed_up is None:
        request.app.state.store.change(call_id, followed_up=_tick(request))


@router.post("/calls/{call_id}/review", status_code=204)
async def review(request: Request, call_id: str) -> None:
    """Somebody has read its report, which is not to be reviewed any more. Whoever says so first is kept."""
    if _over(request, call_id).reviewed is None:
        request.app.state.store.change(call_id, reviewed=_tick(request))


@router.delete("/calls/{call_id}", status_code=204)
async def remove(request: Request, call_id: str) -> None:
    """Delete it for good, with everything that is known of it. A number that is never called again stays so."""
    _over(request, call_id)
    await request.app.state.retention.remove(call_id)


@router.delete("/calls/{call_id}/recording", status_code=204)
async def remove_recording(request: Request, call_id: str) -> None:
    """Delete its recording alone."""
    _over(request, call_id)
    await request.app.state.retention.remove_recording(call_id)


def _tick(request: Request) -> Tick:
    return Tick(time.time(), operator(request))


def _over(request: Request, call_id: str) -> Call:
    """A call to which nothing is written any more by those who held it."""
    state = request.app.state
    call: Call | None = state.store.call(call_id)
    if call is None:
        raise HTTPException(404, f"There is no call “{call_id}”.")
    if not call.status.final or any(one.call_id == call_id for one in state.switchboard.running()):
        raise HTTPException(409, "This call is not over yet: hang up first.")
    return call
