"""Somebody calls our number whom we could not reach: what the agent may know of that. Pure.

That we called is no secret: their phone shows it, and a message on their voicemail says so. What it was about stays
with us, since a number tells who pays for the phone, and not who is speaking.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.models import Call, Direction, LineKind, Outcome

_REMEMBERED = 7 * 86_400.0
"""Seconds after which nobody calls back for a call any more."""
_MISSED = {Outcome.NO_ANSWER: "and nobody picked up", Outcome.VOICEMAIL: "and left a message"}


def missed(calls: Sequence[Call], now: float) -> str:
    """A sentence for the context of a call that comes in; empty where we have not called in vain.

    Args:
        calls: those with this number, the newest first.
        now: in Unix seconds.
    """
    ours = (call for call in calls if call.brief.direction is Direction.OUTBOUND and call.brief.line is LineKind.PHONE)
    last = next(ours, None)
    if last is None or last.outcome not in _MISSED or now - last.created > _REMEMBERED:
        return ""
    day = datetime.fromtimestamp(last.created)
    return (
        f"We called this number on {day:%A}, {day:%B} {day.day}, {_MISSED[last.outcome]}. "
        "A colleague knows what that call was about, and will get back to them."
    )
