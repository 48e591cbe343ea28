"""The control API: placing calls, watching them and stepping in. JSON, with a bearer token."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, StringConstraints

from backend.answers import CallInFull, Number, Persona, Placed, Setup
from backend.call.events import Hint, Say
from backend.models import Brief, Call, LineKind, Outcome, Refused, Status
from backend.practice.personas import PERSONAS
from backend.store import Search
from backend.switchboard import Switchboard
from backend.telephony.gate import described


def authorized(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
) -> None:
    """Let only holders of the token in."""
    token: str = request.app.state.settings.token
    if given is None or not secrets.compare_digest(given.credentials.encode(), token.encode()):
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED,
            "The bearer token is missing or wrong: it is API_TOKEN, or the file api-token beside the database.",
            headers={"WWW-Authenticate": "Bearer"},
        )


router = APIRouter(prefix="/api", dependencies=[Depends(authorized)], tags=["calls"])

Text = Annotated[str, Field(max_length=200)]


class NewCall(BaseModel):
    """What a call is about."""

    to: Annotated[str, Field(max_length=40, description="Phone number, with country code or national")]
    action: Annotated[str, Field(max_length=2000, description="What to get done")]
    context: Annotated[str, Field(max_length=20_000, description="What the agent may say about it")] = ""
    callee_name: Text = ""
    agent_name: Text = "Alex"
    organization: Text = ""
    line: LineKind | None = None
    """Unset: the phone where it is configured, else the practice line."""
    persona: Text = "cooperative"
    dial: bool = True
    """False: only register the call, and return the TwiML URL for whoever dials it."""


class Words(BaseModel):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


@router.post("/calls", status_code=201)
async def place(request: Request, new: NewCall) -> Placed:
    """Place a call. It is written down first, then dialled."""
    state = request.app.state
    line = new.line or state.settings.default_line
    if line is LineKind.PRACTICE and new.persona not in PERSONAS:
        raise Refused(f"There is no persona “{new.persona}”: choose one of {', '.join(PERSONAS)}.")
    brief = Brief(**new.model_dump(exclude={"dial", "line"}), line=line)
    call = await _switchboard(request).place(brief, dial=new.dial)
    twiml = "" if new.dial else state.carriers[line].callback(f"/twilio/voice?call={call.id}")
    return Placed(id=call.id, provider_sid=call.provider_sid, twiml_url=twiml)


@router.get("/calls")
async def calls(
    request: Request,
    search: str = "",
    status: Annotated[list[Status], Query()] = [],  # noqa: B006
    outcome: Annotated[list[Outcome], Query()] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> list[Call]:
    """The newest calls first."""
    wanted = Search(words=search, statuses=status, outcomes=outcome)
    found: list[Call] = request.app.state.store.calls(wanted, limit, offset)
    return found


@router.get("/calls/{call_id}")
async def call(request: Request, call_id: str) -> CallInFull:
    """One call with its turns and their timings."""
    found = request.app.state.store.call(call_id)
    if found is None:
        raise HTTPException(404, f"There is no call “{call_id}”.")
    return CallInFull(found, request.app.state.store.turns(call_id))


@router.post("/calls/{call_id}/hangup", status_code=202)
async def hang_up(request: Request, call_id: str) -> None:
    """End the call, also while it rings."""
    await _switchboard(request).hang_up(call_id)


@router.post("/calls/{call_id}/say", status_code=202)
async def say(request: Request, call_id: str, words: Words) -> None:
    """Have exactly this said as soon as the callee is not speaking."""
    _switchboard(request).command(call_id, Say(words.text))


@router.post("/calls/{call_id}/hint", status_code=202)
async def hint(request: Request, call_id: str, words: Words) -> None:
    """Advise the agent for its next answer."""
    _switchboard(request).command(call_id, Hint(words.text))


@router.get("/numbers")
async def number(request: Request, text: Annotated[str, Query(max_length=60)]) -> Number:
    """How a number would be dialled, for a form to show while it is typed; 422 with the reason when it would not."""
    return described(text, request.app.state.settings.region)


@router.get("/setup")
async def setup(request: Request) -> Setup:
    """What is real, what is practice, and what can be chosen."""
    state: Any = request.app.state
    return Setup(
        parts=state.providers.parts,
        personas=[Persona(p.key, p.title, p.description) for p in PERSONAS.values()],
        lines=list(state.carriers),
        default_line=state.settings.default_line,
        live_calls=state.switchboard.live,
        offline_calls=state.providers.capacity,
    )


def _switchboard(request: Request) -> Switchboard:
    switchboard: Switchboard = request.app.state.switchboard
    return switchboard
