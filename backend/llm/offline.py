"""The brain that needs no key: a language model of rules, deterministic, that says only what the brief holds.

It keeps nothing between answers; whatever was really said and heard is the whole of its state.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from backend.brain import advice, menu
from backend.brain.conduct import Reply, greeting
from backend.brain.dialogue import Dialogue
from backend.brain.errand import goals, sentence, to_you
from backend.brain.sense import Likeness, Sense, load
from backend.brain.talk import Talk
from backend.call.manners import MENU, SCREENER, STILL_THERE
from backend.models import Answered, Brief, Conversation, Said, Speaker, ToolUse, Utterance

CAN_YOU_HEAR = "Hello, can you hear me?"

_MACHINE = re.compile(r"\b(?:voice ?mail|answering machine|machine|mailbox|beep|leave a message)\b", re.IGNORECASE)
_SILENT = re.compile(
    r"\b(?:silent|silence|quiet|still there|not (?:said|saying|speaking|responding)|said nothing)\b", re.I
)
_WRAP_UP = re.compile(
    r"\b(?:wrap up|end the call|hang up|say goodbye|close the call|time is (?:nearly |almost )?up)\b", re.I
)
_MISHEARD = re.compile(r"(?:did|do|have) you (?:just )?(?:say|said|mean)\b|is that what you", re.IGNORECASE)
# Advice on manners; it can only be followed by a model that reasons, and must never be read out.
_MANNERS = re.compile(
    r"(?:please |try to |just )?(?:be|don't|do not|never|stop|keep|slow|speak|talk|make|use|answer|repeat|avoid"
    r"|stay|give|wait|the callee|the person|you|your)\b",
    re.IGNORECASE,
)


class OfflineBrain:
    """A `LanguageModel` that runs on this machine, at once and always the same."""

    def __init__(self) -> None:
        self._sense: Likeness | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None

    async def warm(self, conversation: Conversation) -> None:
        """Get the model of likeness ready, and what this brief says; until then the rules answer alone."""
        self._sense = await asyncio.to_thread(_ready, conversation.brief)

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        """The next answer, sentence by sentence; then what is to be followed up, and `end_call` after the last one."""
        if MENU in hint or SCREENER in hint:
            yield menu.through(conversation) if MENU in hint else menu.to_screener(conversation)
            return
        reply = await self._decided(conversation, hint)
        for place, said in enumerate(reply.sentences):
            yield Said(f" {said}" if place else said)
        for question in reply.questions:
            yield ToolUse("note_follow_up", {"question": question})
        if reply.outcome:
            yield ToolUse("end_call", {"outcome": reply.outcome.value, "note": reply.note})

    async def _decided(self, conversation: Conversation, hint: str) -> Reply:
        if self._sense is None:
            return decide(conversation, hint)
        # A few milliseconds for each new word, which the calls of this process shall not wait for.
        return await asyncio.to_thread(decide, conversation, hint, self._sense)


def _ready(brief: Brief) -> Likeness | None:
    likeness = load()
    if likeness:
        likeness.prime(Dialogue(brief).knowledge.vocabulary)
    return likeness


def decide(conversation: Conversation, hint: str = "", sense: Sense | None = None) -> Reply:
    """What to say next, from the conversation alone and the advice for this answer.

    Args:
        sense: finds answers that the rules do not.
    """
    if farewell := advice.farewell(hint):
        return farewell
    known = advice.told(hint)
    if not known and _MACHINE.search(hint):
        return Dialogue(conversation.brief).message()
    conversation = menu.with_person(conversation)
    conversation = replace(conversation, lines=tuple(line for line in conversation.lines if _spoken(line)))
    dialogue = Dialogue(conversation.brief, sense)
    talk, words = dialogue.replay(conversation)
    if not known and _WRAP_UP.search(hint):
        return dialogue.close(talk, "I have to end the call here, thank you for your time.")
    told = known or ("" if _SILENT.search(hint) else spoken_hint(hint, conversation.brief))
    if words:
        after, reply = dialogue.respond(talk, words, told)
        new = (question for question in after.unknown if question not in talk.unknown)
        # Whether they heard right is for the call to settle.
        open_questions = tuple(question for question in new if not _MISHEARD.match(question))
        return replace(_with_word(reply, told), questions=open_questions)
    if told:
        return Reply((told,))
    return _unanswered(dialogue, talk, conversation, hint)


def _spoken(line: Utterance) -> bool:
    return bool(line.text.strip()) and line.speaker is not Speaker.NOTE


def _with_word(reply: Reply, told: str) -> Reply:
    """The answer with what the operator wants said; it goes last, and nothing is settled over its head."""
    if not told or told in reply.sentences:
        return reply
    first = tuple(said for said in reply.sentences[:1] if not said.endswith("?") and not _HELPLESS.match(said))
    return Reply((*first, told))


_HELPLESS = re.compile(r"Sorry|I'm sorry|I don't have|Thank you for your time|Have a good day|I'll pass on|I'm calling")


def _unanswered(dialogue: Dialogue, talk: Talk, conversation: Conversation, hint: str) -> Reply:
    """The agent spoke last, or nobody has spoken yet."""
    lines = conversation.lines
    if not lines:
        return Reply((greeting(conversation.brief), *dialogue.respond(talk, "yes")[1].sentences))
    if (lines[-1].cut or lines[-1].speaker is Speaker.OPERATOR) and not _SILENT.search(hint):
        return dialogue.go_on(talk)
    asked = 0
    for line in reversed(lines):
        if line.speaker is Speaker.CALLEE:
            break
        asked += STILL_THERE in line.text or CAN_YOU_HEAR in line.text
    if asked:
        return dialogue.close(talk, "I can't hear you, so I'll end the call here.", note="the callee went silent")
    heard = any(line.speaker is Speaker.CALLEE for line in lines)
    return Reply((STILL_THERE if heard else CAN_YOU_HEAR,))


def spoken_hint(hint: str, brief: Brief) -> str:
    """The operator's advice as a sentence to the callee; empty if it is about manners and not to be said."""
    hint = hint.strip().rstrip(".")
    if not hint or _MANNERS.match(hint):
        return ""
    if offered := re.match(r"(?:offer|propose|suggest)(?: (?:him|her|them))? (.+)", hint, re.I):
        return sentence(f"I can also offer {to_you(offered[1], brief.first_name)}")
    if told := re.match(
        r"(?:tell|let|inform|say|mention|add)\b(?: (?:him|her|them|to \w+))?(?: know)?(?: that)? (.+)", hint, re.I
    ):
        return sentence(to_you(f"tell him {told[1]}", brief.first_name).removeprefix("tell you "))
    if re.match(r"(?:ask|remind|apologi[sz]e|thank|confirm|find out|check)\b", hint, re.I):
        goal = goals(hint, brief.first_name)[0]
        return (
            goal.question
            if goal.question and not goal.statement
            else goal.statement.replace("I'm calling to", "I'd like to")
        )
    return sentence(hint)
