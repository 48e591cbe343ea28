"""Rehearsing a call in text, before anybody's phone rings: what happens is told as it happens, a line of JSON each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, TypeAdapter
from starlette.types import Receive, Scope, Send

from backend.answers import RehearsalNews
from backend.models import Brief, LineKind, Refused
from backend.rehearsal.callees import chosen
from backend.rehearsal.rehearsal import rehearse
from backend.routes.calls import Text, authorized
from backend.settings.behaviour import manners
from backend.templates import check_filled

AT_ONCE = 2
_NEWS: TypeAdapter[RehearsalNews] = TypeAdapter(RehearsalNews)

_ROOM_WITHIN = 4.0
"""Seconds to wait for room."""

router = APIRouter(prefix="/api", dependencies=[Depends(authorized)], tags=["rehearsals"])


def room() -> asyncio.Semaphore:
    """For so many rehearsals at once: each asks the language model for several calls."""
    return asyncio.Semaphore(AT_ONCE)


class NewRehearsal(BaseModel):
    """What the call is about, and who picks up."""

    action: Annotated[str, Field(max_length=2000, description="What to get done")]
    context: Annotated[str, Field(max_length=20_000, description="What the agent may say about it")] = ""
    callee_name: Text = ""
    agent_name: Text = "Alex"
    organization: Text = ""
    line: LineKind | None = None
    """On which the call would be placed: what the agent can do is not the same on each. Unset: as for a call."""
    personas: Annotated[list[Text], Field(max_length=50, description="Some of those who can pick up")] = []
    """Empty: everybody."""


@router.post("/rehearsals", response_class=StreamingResponse)
async def rehearsal(request: Request, new: NewRehearsal) -> StreamingResponse:
    """Hold the call in text with everybody who might pick up. It ends when the client leaves."""
    check_filled(new.action, new.context)
    state = request.app.state
    line = new.line or state.settings.default_line
    brief = Brief(to="", **new.model_dump(exclude={"personas", "line"}), line=line)
    callees = chosen(brief, new.personas)
    try:
        # One that was just stopped takes a moment to end.
        async with asyncio.timeout(_ROOM_WITHIN), state.rehearsals:
            pass
    except TimeoutError:
        raise Refused(f"{AT_ONCE} rehearsals are under way already: wait until one is over, or stop it.") from None
    thinker = partial(state.providers.thinker, brief.line)
    news = rehearse(brief, callees, thinker, date.today(), manners=manners(state.settings))
    return _News(news, state.rehearsals)


class _News(StreamingResponse):
    """Tells the news; whatever ends this, ends the rehearsal, and has waited for that."""

    def __init__(self, news: AsyncGenerator[RehearsalNews, None], room: asyncio.Semaphore) -> None:
        super().__init__(_lines(news), media_type="application/x-ndjson")
        self._news = news
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._room, aclosing(self._news):
            await super().__call__(scope, receive, send)


async def _lines(news: AsyncGenerator[RehearsalNews, None]) -> AsyncGenerator[bytes, None]:
    async for one in news:
        yield _NEWS.dump_json(one) + b"\n"
