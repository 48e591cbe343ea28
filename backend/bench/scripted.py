"""Scripted phone calls: what a callee says turn by turn, how the call must end, what must and must not be said.

They stand in plain files, one brief and its calls each; `dialogues/README.md` says how to write one.
"""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from backend.brain.conduct import greeting
from backend.models import Brief, Conversation, Direction, Outcome, Said, Speaker, ToolUse
from backend.seams import LanguageModel

FOLDER = Path(__file__).parent / "dialogues"
TODAY = date(2026, 3, 2)
"""When the calls are held, a Monday; the dates in the files suit it."""
_PATIENCE = 30.0
"""Seconds for one answer; far more than any call would wait."""


@dataclass(frozen=True, slots=True)
class Script:
    """One call as written."""

    trade: str
    name: str
    """Of its file and its own, such as "clinic: wrong number"."""
    brief: Brief
    opening: str
    """The agent's first words."""
    callee: tuple[str, ...]
    """What the callee says, turn by turn; empty for silence, with `#` in front for a hint of the operator's."""
    outcomes: frozenset[Outcome]
    """How the call may end."""
    note: str = ""
    """Words that the agent's note must hold."""
    must_say: tuple[str, ...] = ()
    must_say_twice: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """A script as it was held with a model."""

    script: Script
    conversation: Conversation
    """Everything that was said, and by whom."""
    outcome: str = ""
    """As the model gave it; empty when it did not end the call."""
    note: str = ""
    unsaid: int = 0
    """Turns that the callee still had to say when the agent hung up."""

    @property
    def ended(self) -> bool:
        """Whether the call ended as it should."""
        return self.outcome in self.script.outcomes

    @property
    def right(self) -> bool:
        """Whether it did, and the note says what the operator must know of it."""
        return self.ended and self.script.note.lower() in self.note.lower()

    @cached_property
    def said(self) -> str:
        """The agent's words after the opening."""
        return " ".join(line.text for line in self.conversation.lines[1:] if line.speaker is Speaker.AGENT)

    @property
    def missing(self) -> tuple[str, ...]:
        """What should have been said and was not."""
        said, script = self.said.lower(), self.script
        once = [words for words in script.must_say if words.lower() not in said]
        return (*once, *(words for words in script.must_say_twice if said.count(words.lower()) < 2))

    @property
    def leaked(self) -> tuple[str, ...]:
        """What should not have been said and was."""
        return tuple(words for words in self.script.must_not_say if words.lower() in self.said.lower())


def scripts(folder: Path = FOLDER) -> tuple[Script, ...]:
    """All calls of all files, by file."""
    return tuple(script for path in sorted(folder.glob("*.toml")) for script in _read(path))


def _read(path: Path) -> list[Script]:
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    brief = brief_of(file["brief"])
    opening = file["brief"].get("opening", opening_of(brief))
    return [_script(file["trade"], path.stem, brief, opening, wanted) for wanted in file["dialogue"]]


def _script(trade: str, stem: str, brief: Brief, opening: str, wanted: dict[str, Any]) -> Script:
    outcomes = wanted.get("outcome_any") or [wanted["outcome"]]
    facts = {key: tuple(wanted.get(key, ())) for key in ("must_say", "must_say_twice", "must_not_say")}
    name, callee = f"{stem}: {wanted['name']}", tuple(wanted["callee"])
    allowed = frozenset(map(Outcome, outcomes))
    return Script(trade, name, brief, opening, callee, allowed, wanted.get("note", ""), **facts)


def brief_of(fields: dict[str, Any]) -> Brief:
    known = {key: value for key, value in fields.items() if key not in {"opening", "direction"}}
    return Brief(to="+12025550143", direction=Direction(fields.get("direction", "outbound")), **known)


def opening_of(brief: Brief) -> str:
    """What the agent says first where the file does not tell."""
    return f"{greeting(brief)} Do you have a moment?"


async def hold(script: Script, model: LanguageModel, extra: tuple[str, ...] = ()) -> Held:
    """Say the callee's turns in order until the model ends the call.

    Args:
        model: open, and warm where that matters.
        extra: what the callee goes on to say to a model that has not ended the call by then.
    """
    conversation = Conversation(script.brief, today=TODAY).plus(Speaker.AGENT, script.opening)
    for place, turn in enumerate((*script.callee, *extra)):
        conversation, hint = _spoken(conversation, turn)
        async with asyncio.timeout(_PATIENCE):
            words, end = await _answer(model, conversation, hint)
        conversation = conversation.plus(Speaker.AGENT, words) if words else conversation
        if end:
            outcome, note = (str(end.arguments.get(key, "")) for key in ("outcome", "note"))
            return Held(script, conversation, outcome, note, max(0, len(script.callee) - place - 1))
    return Held(script, conversation)


def _spoken(conversation: Conversation, turn: str) -> tuple[Conversation, str]:
    """The conversation after this turn of a script, and the hint that comes with it."""
    if turn.startswith("#"):
        return conversation, turn[1:]
    return (conversation.plus(Speaker.CALLEE, turn), "") if turn else (conversation, "the callee is silent")


async def _answer(model: LanguageModel, conversation: Conversation, hint: str) -> tuple[str, ToolUse | None]:
    pieces = [piece async for piece in model.answer(conversation, hint)]
    words = "".join(piece.text for piece in pieces if isinstance(piece, Said)).strip()
    ends = [piece for piece in pieces if isinstance(piece, ToolUse) and piece.name == "end_call"]
    return words, ends[0] if ends else None
