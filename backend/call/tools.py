"""What the agent asks for beside its words: the model's tool calls read, and put into words where it has none. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from backend.call import manners as known
from backend.call.events import Concluded, Ending, Tool, Wants
from backend.models import Outcome, ToolUse

END_CALL = "end_call"
_MOST_KEYS = 40

_WORDLESS = {
    Tool.DO_NOT_CALL: known.NO_MORE_CALLS,
    Tool.TRANSFER: known.PUTTING_THROUGH,
    END_CALL: known.GOODBYE,
    Tool.ASK_OPERATOR: known.CHECKING,
    Tool.NOTE_FOLLOW_UP: known.WILL_FOLLOW_UP,
}
"""What to say when a model uses a tool without a word, the most important first."""


def wish(number: int, use: ToolUse) -> Concluded | Wants | None:
    """What the floor is to know of this tool call within this reply; None when it is nothing of its concern.

    Arguments that are missing or of the wrong kind count as empty: a call goes on whatever a model writes.
    """
    if use.name == END_CALL:
        return Concluded(number, _ending(use))
    if use.name in set(Tool):
        tool = Tool(use.name)
        about = _keys(use) if tool is Tool.PRESS_KEYS else _text(use, _ABOUT.get(tool, ""))
        return Wants(number, tool, about or _UNSAID.get(tool, ""))
    return None


def _keys(use: ToolUse) -> str:
    """What no phone has a key for is left out."""
    return re.sub(r"[^0-9*#w]", "", _text(use, "digits"))[:_MOST_KEYS]


def wordless(used: Collection[str]) -> str:
    """What to say with these tools where the model said nothing."""
    return next((words for name, words in _WORDLESS.items() if name in used), "")


_ABOUT = {Tool.ASK_OPERATOR: "question", Tool.NOTE_FOLLOW_UP: "question", Tool.TRANSFER: "reason"}
_UNSAID = {
    Tool.ASK_OPERATOR: "(the agent did not say what it wants to know)",
    Tool.NOTE_FOLLOW_UP: "(the agent did not say what about)",
    Tool.TRANSFER: "(the agent did not say why)",
}


def _ending(use: ToolUse) -> Ending:
    """What the model reported when it ended the call; an outcome we do not know is no outcome."""
    outcome = _text(use, "outcome")
    known_outcome = Outcome(outcome) if outcome in set(Outcome) else Outcome.UNCLEAR
    return Ending("The agent finished the call.", known_outcome, _text(use, "note"))


def _text(use: ToolUse, name: str) -> str:
    value = use.arguments.get(name, "")
    return " ".join(value.split()) if isinstance(value, str) else ""
