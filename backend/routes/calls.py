"""The control API: placing calls, watching them and stepping in. JSON, with a bearer token."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, StringConstraints

from backend.answers import CallInFull, Number, Persona, Placed, Running, Setup
from backend.call.events import HandBack, Hint, Pause, Press, Resume, Say, TakeOver, Transfer
from backend.models import Brief, Call, LineKind, Outcome, Refused, Status
from backend.practice.personas import WHO_PICKS_UP
from backend.routes.operator import operator
from backend.storage.store import Archive, Search
from backend.switchboard.switchboard import Switchboard
from backend.telephony.gate import described
from backend.templates import check_filled


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
    any_hour: bool = False
    """They expect the call: `CALLING_HOURS` does not count for it."""
    request: Annotated[str, Field(max_length=100)] = ""
    """Any text that is this request's own: sent again with the same, it gives the same call, and nobody rings twice."""


class Words(BaseModel):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Keys(BaseModel):
    keys: Annotated[str, StringConstraints(strip_whitespace=True, pattern="^[0-9*#w]{1,40}$")]
    """Digits, `*` and `#`; `w` waits half a second."""


@router.post("/calls", status_code=201)
async def place(request: Request, new: NewCall) -> Placed:
    """Place a call. It is written down first, then dialled."""
    check_filled(new.action, new.context)
    state = request.app.state
    line = new.line or state.settings.default_line
    if line is LineKind.PRACTICE and new.persona not in WHO_PICKS_UP:
        raise Refused(f"There is no persona “{new.persona}”: choose one of {', '.join(WHO_PICKS_UP)}.")
    brief = Brief(**new.model_dump(exclude={"dial", "line", "any_hour", "request"}), line=line)
    call = await _switchboard(request).place(
        brief, dial=new.dial, by=operator(request), any_hour=new.any_hour, request=new.request
    )
    twiml = "" if new.dial else state.carriers[line].callback(f"/twilio/voice?call={call.id}")
    return Placed(id=call.id, provider_sid=call.provider_sid, twiml_url=twiml)


@router.get("/calls")
def calls(
    request: Request,
    search: str = "",
    status: Annotated[list[Status], Query()] = [],  # noqa: B006
    outcome: Annotated[list[Outcome], Query()] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> list[Call]:
    """The newest calls first."""
    wanted = Search(words=search, statuses=status, outcomes=outcome)
    # In a thread of its own, as all that is not async: a search among very many calls takes longer than sound can wait.
    with Archive.open(request.app.state.settings.database_path) as archive:
        return archive.calls(wanted, limit, offset)


@router.get("/running")
async def running(request: Request, watching: bool = False) -> list[Running]:
    """The calls that ring or run, and in whose hands they are.

    `watching`: somebody has all of them before them now, and can answer what an agent asks.
    """
    switchboard = _switchboard(request)
    found = switchboard.running()
    for one in found if watching else ():
        switchboard.watch(one.call_id)
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
    await _switchboard(request).hang_up(call_id, operator(request))


@router.post("/calls/{call_id}/say", status_code=202)
async def say(request: Request, call_id: str, words: Words) -> None:
    """Have exactly this said as soon as the callee is not speaking."""
    await _switchboard(request).command(call_id, Say(words.text, operator(request)))


@router.post("/calls/{call_id}/hint", status_code=202)
async def hint(request: Request, call_id: str, words: Words) -> None:
    """Advise the agent for its next answer."""
    await _switchboard(request).command(call_id, Hint(words.text, operator(request)))


@router.post("/calls/{call_id}/pause", status_code=202)
async def pause(request: Request, call_id: str) -> None:
    """Silence the agent at once; it goes on listening."""
    await _switchboard(request).command(call_id, Pause(operator(request)))


@router.post("/calls/{call_id}/resume", status_code=202)
async def resume(request: Request, call_id: str) -> None:
    """Let the agent talk again; it answers what the callee has said meanwhile."""
    await _switchboard(request).command(call_id, Resume(operator(request)))


@router.post("/calls/{call_id}/take-over", status_code=202)
async def take_over(request: Request, call_id: str) -> None:
    """Silence the agent, and let the callee hear the operator's own voice."""
    await _switchboard(request).command(call_id, TakeOver(operator(request)))


@router.post("/calls/{call_id}/hand-back", status_code=202)
async def hand_back(request: Request, call_id: str) -> None:
    """Let the agent go on, which knows what was said meanwhile."""
    await _switchboard(request).command(call_id, HandBack(operator(request)))


@router.post("/calls/{call_id}/keys", status_code=202)
async def press(request: Request, call_id: str, wanted: Keys) -> None:
    """Press these keys at once."""
    await _switchboard(request).command(call_id, Press(wanted.keys, operator(request)))


@router.post("/calls/{call_id}/transfer", status_code=202)
async def transfer(request: Request, call_id: str) -> None:
    """Hand the call over to the operator's phone."""
    await _switchboard(request).command(call_id, Transfer(operator(request)))


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
        personas=[Persona(p.key, p.title, p.description) for p in WHO_PICKS_UP.values()],
        lines=list(state.carriers),
        default_line=state.settings.default_line,
        hand_over=[line for line in state.carriers if _switchboard(request).hands_over(line)],
        live_calls=state.switchboard.live,
        offline_calls=state.providers.capacity,
    )


def _switchboard(request: Request) -> Switchboard:
    switchboard: Switchboard = request.app.state.switchboard
    return switchboard
