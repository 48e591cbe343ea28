"""How a command ends: what a script can tell from its exit code."""

from __future__ import annotations

from enum import IntEnum

from backend.client import ServerDown, ServerError
from backend.config import BadSettings
from backend.models import Refused
from backend.running.launcher import CannotStart
from backend.storage.place import Unusable, refusal


class Exit(IntEnum):
    OK = 0
    NOT_COMPLETED = 1
    BAD_USAGE = 2
    REFUSED = 3
    SERVER_DOWN = 4
    PROVIDER = 5


EXPLAINED = """
Exit codes: 0 all went well. 1 the call was not completed (busy, no answer, failed), or a check found a problem.
2 wrong usage or settings. 3 refused: the message says why. 4 the media server is not running. 5 a provider failed.
"""

MENDABLE = (BadSettings, ServerError, CannotStart, Refused, Unusable, OSError)
"""What goes wrong without a fault of ours: a person can do something about it."""


def code(error: Exception) -> Exit:
    """For one of MENDABLE."""
    match error:
        case BadSettings() | Unusable():
            return Exit.BAD_USAGE
        case ServerDown() | CannotStart():
            return Exit.SERVER_DOWN
        case ServerError(status=502):
            return Exit.PROVIDER
        case ServerError() | Refused():
            return Exit.REFUSED
        case _:
            return Exit.BAD_USAGE


def sentence(error: Exception) -> str:
    """For one of MENDABLE: what is wrong, and what to do."""
    return refusal(error) if isinstance(error, OSError) else str(error)
