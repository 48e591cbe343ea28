"""Tickets for the operator's browser: each lets one person use the sound of one call, for a while. Pure.

A browser cannot send the control token with a WebSocket, and should never have it. So the dashboard, which knows the
token, signs what a page of the media server may do; the media server knows it by the signature and keeps no list.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass

LASTS = 12 * 3600.0
"""Seconds for which a running call's sound can be used; longer than any call, so that no page has to be loaded anew in
the middle of one."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What its holder may do."""

    purpose: str
    """What it is good for, such as "headset" or "softphone"."""
    call_id: str
    until: float
    """Unix seconds."""
    by: str = ""
    """Who holds it, for the call's log."""


def issue(token: str, purpose: str, call_id: str, now: float, by: str = "", lasts: float = LASTS) -> str:
    """A ticket as it stands in an address; `token` is the control API's, `lasts` are seconds."""
    body = urlsafe_b64encode(json.dumps(asdict(Ticket(purpose, call_id, now + lasts, by))).encode()).decode()
    return f"{body}.{_signature(token, body)}"


def read(token: str, given: str, purpose: str, call_id: str, now: float) -> Ticket | None:
    """The ticket, if it is genuine, good for this and not too old. Anything at all may be given."""
    body, _, signature = given.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(token, body).encode()):
        return None
    ticket = Ticket(**json.loads(urlsafe_b64decode(body)))
    fits = ticket.purpose == purpose and hmac.compare_digest(ticket.call_id.encode(), call_id.encode())
    return ticket if fits and now < ticket.until else None


def _signature(token: str, body: str) -> str:
    return hmac.new(f"ticket:{token}".encode(), body.encode(), hashlib.sha256).hexdigest()
