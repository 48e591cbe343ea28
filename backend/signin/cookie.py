"""The cookie of a signed-in operator: a ticket with their name, signed by the control token and the password's hash.

So it outlives a restart, ends after `tickets.LASTS`, and is worth nothing once the password is changed. Pure.
"""

from __future__ import annotations

from backend import tickets
from backend.config import Settings
from backend.tickets import Ticket

NAME = "phone_agent_operator"

_PURPOSE = "dashboard"
_LONGEST = 60


def issue(settings: Settings, name: str, now: float) -> str:
    return tickets.issue(_key(settings), _PURPOSE, "", now, name)


def read(settings: Settings, given: str, now: float) -> Ticket | None:
    """Who is signed in (`by`), and until when; None for anything that was not issued here."""
    return tickets.read(_key(settings), given, _PURPOSE, "", now)


def cleaned(name: str) -> str:
    """A name as it may stand on a transcript: one line, no control characters, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:_LONGEST].strip()


def _key(settings: Settings) -> str:
    return f"{settings.token}:{settings.dashboard_password_hash}"
