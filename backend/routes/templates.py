"""Texts that are used again: kept, renamed and deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field, StringConstraints

from backend.routes.calls import authorized
from backend.templates import LONGEST_NAME, Template

router = APIRouter(prefix="/api", dependencies=[Depends(authorized)], tags=["templates"])

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]


class Named(BaseModel):
    name: Name


class NewTemplate(BaseModel):
    name: Name
    action: Annotated[str, Field(max_length=2000, pattern=r"\S", description="What to get done")]
    context: Annotated[str, Field(max_length=20_000, description="What the agent may say about it")] = ""


@router.get("/templates")
async def templates(request: Request) -> list[Template]:
    """All of them, by name."""
    found: list[Template] = request.app.state.store.templates()
    return found


@router.put("/templates")
async def keep(request: Request, new: NewTemplate) -> Template:
    """Keep this text under a name, in the place of what was kept under it."""
    kept: Template = request.app.state.store.keep_template(new.name, new.action, new.context)
    return kept


@router.put("/templates/{template_id}/name", status_code=204)
async def rename(request: Request, template_id: int, new: Named) -> None:
    """Call it by another name, which no other template may have."""
    if not request.app.state.store.rename_template(template_id, new.name):
        raise _gone()


@router.delete("/templates/{template_id}", status_code=204)
async def forget(request: Request, template_id: int) -> None:
    """Delete it for good."""
    if not request.app.state.store.forget_template(template_id):
        raise _gone()


def _gone() -> HTTPException:
    return HTTPException(404, "This template was deleted meanwhile.")
