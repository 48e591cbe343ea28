"""What the house itself advises for an answer, told from an operator's own hint and put into words. Pure."""

from __future__ import annotations

import re

from backend.brain.conduct import Reply
from backend.brain.errand import sentence
from backend.call import manners as known
from backend.models import Outcome


def _pattern(template: str) -> re.Pattern[str]:
    """That finds the template's text wherever something stands for its names."""
    parts = re.split(r"\{(\w+)\}", template)
    fixed = [re.escape(part) if place % 2 == 0 else f"(?P<{part}>.*?)" for place, part in enumerate(parts)]
    return re.compile("".join(fixed) + ("$" if template.endswith("}") else ""), re.DOTALL)


_NOTE = "asked not to be called again"
_SAYS, _SILENT = _pattern(known.OPERATOR_SAYS), _pattern(known.OPERATOR_SILENT)
_UNANNOUNCED = _pattern(known.UNANNOUNCED)


def told(hint: str) -> str:
    """What it has one tell the callee: the operator's answer, or that there is none; else empty."""
    if said := _SAYS.search(hint):
        return sentence(said["answer"].strip().rstrip("."))
    if known.UNRECORDED in hint:
        return known.RECORDING_DELETED
    if unannounced := _UNANNOUNCED.search(hint):
        return unannounced["notice"]
    return known.WILL_FOLLOW_UP if _SILENT.search(hint) else ""


def farewell(hint: str) -> Reply | None:
    """The last words to somebody who wants no more calls, where that is what it says."""
    return Reply((known.NO_MORE_CALLS,), Outcome.OPTED_OUT, _NOTE) if known.OPTED_OUT in hint else None
