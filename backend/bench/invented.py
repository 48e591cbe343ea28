"""What an agent made up in a scripted call: numbers, times, prices, names and addresses that nobody gave it."""

from __future__ import annotations

from backend.bench.scripted import TODAY, Held
from backend.brain.retrieval import sentences
from backend.call.grounding.grounding import Grounding
from backend.models import Speaker, Utterance


def facts(held: Held) -> tuple[str, ...]:
    """Each with the call's own gate: only the brief, the callee's words so far and the operator's hints are sources."""
    conversation = held.conversation
    gate = Grounding(conversation.brief, conversation.today or TODAY)
    hints = tuple(Utterance(Speaker.NOTE, turn[1:]) for turn in held.script.callee if turn.startswith("#"))
    found: list[str] = []
    for place, line in enumerate(conversation.lines):
        if line.speaker is Speaker.AGENT and place:
            found += _unknown(gate, line.text, (*hints, *conversation.lines[:place]))
    return tuple(found)


def _unknown(gate: Grounding, text: str, lines: tuple[Utterance, ...]) -> list[str]:
    before, found = "", list[str]()
    for sentence in sentences(text):
        found += gate.check(sentence, lines, before).unknown
        before = f"{before} {sentence}".strip()
    return found
