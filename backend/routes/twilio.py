"""What the carrier calls: webhooks and the media stream, each proven by its signature to come from the carrier."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, HTTPException, Request, Response, WebSocket, WebSocketDisconnect

from backend.models import LineKind, Refused, Status
from backend.switchboard.switchboard import CallOver, NoSuchCall
from backend.telephony import twiml
from backend.telephony.stream import MediaStream, opened
from backend.telephony.twilio import Twilio

_LOG = logging.getLogger(__name__)
_STREAM, _STREAM_EVENTS = "/twilio/stream", "/twilio/stream-events"
_LARGEST_FORM = 64 * 1024
_LONGEST_ERROR = 200
"""Characters."""

router = APIRouter(prefix="/twilio", include_in_schema=False)

Form = Mapping[str, list[str]]


async def signed_form(request: Request) -> Form:
    """The form that one of our carriers posted; anybody else is turned away.

    The URL is rebuilt from our own settings: behind a tunnel the request's own says another scheme and host, and
    forwarded headers can be forged. Blank fields count for the signature.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413)
    form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    query = f"?{request.url.query}" if request.url.query else ""
    signature = request.headers.get("x-twilio-signature", "")
    if _genuine(request.app.state.carriers, request.url.path + query, form, signature) is None:
        request.app.state.switchboard.unsigned.refused(request.url.path)
        raise HTTPException(403, "This request was not signed by the carrier.")
    return form


SignedForm = Annotated[Form, Depends(signed_form)]


def _genuine(carriers: Mapping[LineKind, Twilio], path: str, form: Form, signature: str) -> LineKind | None:
    """Which line's carrier sent this, if any."""
    for line, carrier in carriers.items():
        if signature and carrier.genuine(carrier.callback(path), dict(form.items()), signature):
            return line
    return None


@router.post("/voice")
async def voice(request: Request, form: SignedForm, call: str = "") -> Response:
    """The callee has picked up, or somebody calls us: what the carrier shall do."""
    switchboard, sid = request.app.state.switchboard, _first(form, "CallSid")
    try:
        # The carrier repeats a request whose answer was lost: an incoming call is known by its SID then.
        row = request.app.state.store.call_of(sid)
        call_id = call or (row.id if row else switchboard.receive(_first(form, "From"), sid).id)
        token = switchboard.welcome(call_id, sid)
    except Refused as refusal:
        return _xml(twiml.refuse(str(refusal)) if str(refusal) else twiml.reject())
    except (NoSuchCall, CallOver):
        _LOG.warning("the carrier asked about a call that is not waiting: %r", call)
        return _xml(twiml.refuse(""))
    row = request.app.state.store.call(call_id)
    carrier = request.app.state.carriers[row.brief.line]
    events = carrier.callback(f"{_STREAM_EVENTS}?{urlencode({'call': call_id})}")
    return _xml(twiml.connect(carrier.stream_url(_STREAM), token, events))


@router.post("/status", status_code=204)
async def status(request: Request, form: SignedForm, call: str = "") -> None:
    """How the call is doing. An incoming call is known by its SID alone."""
    sid, said, sequence = (_first(form, name) for name in ("CallSid", "CallStatus", "SequenceNumber"))
    row = None if call else request.app.state.store.call_of(sid)
    if said in set(Status):
        order = int(sequence) if sequence.isdigit() else -1
        request.app.state.switchboard.report(row.id if row else call, Status(said), order, sid)


@router.post("/machine", status_code=204)
async def machine(request: Request, form: SignedForm, call: str = "") -> None:
    """Who picked up, in the carrier's opinion."""
    request.app.state.switchboard.machine(call, _first(form, "AnsweredBy"))


@router.post("/transferred")
async def transferred(request: Request, form: SignedForm) -> Response:
    """The operator's phone did not answer, or the two have finished talking."""
    # The only word of it where the number's own calls are not reported to /twilio/status.
    request.app.state.switchboard.handed_back(_first(form, "CallSid"))
    talked = _first(form, "DialCallStatus") in {"completed", "answered"}
    return _xml(twiml.farewell("" if talked else twiml.NOBODY_THERE))


@router.post("/stream-events", status_code=204)
async def stream_events(request: Request, form: SignedForm, call: str = "") -> None:
    """What has become of a media stream; why one failed is told nowhere else."""
    if _first(form, "StreamEvent") == "stream-error":
        what = _first(form, "StreamError")[:_LONGEST_ERROR] or "the carrier does not say why"
        request.app.state.switchboard.stream_failed(call, what)


@router.websocket("/stream")
async def stream(websocket: WebSocket) -> None:
    """The sound of one call, both ways, until it is over."""
    state = websocket.app.state
    line = _signed_upgrade(websocket, state.carriers)
    if line is None:
        state.switchboard.unsigned.refused(_STREAM)
        # Closing before accepting answers the handshake with 403.
        await websocket.close()
        return
    await websocket.accept()
    start = await opened(websocket)
    over = None
    if start:
        carrier, sid = state.carriers[line], start.call_sid
        media = MediaStream(websocket, start, partial(carrier.hang_up, sid), partial(carrier.transfer, sid))
        over = state.switchboard.admit(start.parameters.get("token", ""), start.call_sid, media)
    if over is None:
        _LOG.warning("refused a media stream without a valid token")
        with suppress(WebSocketDisconnect):  # it may be gone already
            await websocket.close(1008)
        return
    await over


def _signed_upgrade(websocket: WebSocket, carriers: Mapping[LineKind, Twilio]) -> LineKind | None:
    signature = websocket.headers.get("x-twilio-signature", "")
    for line, carrier in carriers.items():
        if signature and carrier.genuine(carrier.stream_url(_STREAM), {}, signature):
            return line
    return None


def _first(form: Form, name: str) -> str:
    return form.get(name, [""])[0]


def _xml(document: str) -> Response:
    return Response(document, media_type="text/xml")
