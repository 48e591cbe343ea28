"""How the file of a recording is named: by the moment at which it begins, and by its call. Pure.

That moment is what makes a turn's time a place in the recording. It is neither when the carrier said that somebody had
picked up nor when the call was connected here, but when the first sound began.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"(\d{13,15})-([A-Za-z0-9_-]{1,64})\.wav")


def name_of(call_id: str, at: float) -> str:
    """For a recording that begins at `at`, in Unix seconds."""
    return f"{round(at * 1000):013d}-{call_id}.wav"


def begins(name: str) -> float | None:
    """When it begins, in Unix seconds; None for what was not named here."""
    named = _NAME.fullmatch(name)
    return int(named[1]) / 1000 if named else None


def call_of(name: str) -> str:
    """Whose it is; empty for what was not named here."""
    named = _NAME.fullmatch(name)
    return named[2] if named else ""
