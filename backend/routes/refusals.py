"""The numbers that must not be dialled any more."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from backend.models import Refusal
from backend.routes.calls import authorized
from backend.telephony.gate import described

router = APIRouter(prefix="/api", dependencies=[Depends(authorized)], tags=["refusals"])


class NewRefusal(BaseModel):
    number: Annotated[str, Field(max_length=40, description="Phone number, with country code or national")]
    why: Annotated[str, Field(max_length=200)] = "Entered by an operator."


@router.get("/refusals")
async def refusals(request: Request) -> list[Refusal]:
    """The newest first."""
    found: list[Refusal] = request.app.state.store.refusals()
    return found


@router.post("/refusals", status_code=201)
async def refuse(request: Request, new: NewRefusal) -> Refusal:
    """Never dial this number again; 422 with the reason where it is none."""
    number = described(new.number, request.app.state.settings.region).e164
    request.app.state.store.refuse(Refusal(number, time.time(), new.why))
    kept: Refusal = request.app.state.store.refused(number)
    return kept


@router.delete("/refusals/{number}", status_code=204)
async def allow(request: Request, number: str) -> None:
    """Let this number, in E.164, be dialled again."""
    if not request.app.state.store.allow(number):
        raise HTTPException(404, f"{number} is not on the list.")
