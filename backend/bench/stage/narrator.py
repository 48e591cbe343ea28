"""The agent's voice in the benchmark: real speech of this machine's engine, and what the model has it say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from backend import audio
from backend.engines.pool import VOICES, Engines
from backend.loopback.anthropic import Received, Reply
from backend.loopback.elevenlabs_speech import Speech

LONG = (
    (
        "I am calling about the visit that was planned for Thursday, and I would like to go through what was agreed. "
        "The engineer would arrive between nine and eleven in the morning, and he needs about an hour for all of it. "
        "Somebody should be at home to let him in, because the meter is in the cellar behind a locked door."
    ),
    (
        "Let me tell you how the delivery works, since it has changed a little from the last time you ordered with us. "
        "The driver rings twenty minutes before he comes, on the number that you gave us when you placed the order. "
        "If nobody answers he leaves the parcel with a neighbour, and puts a small yellow card into your letter box."
    ),
    (
        "There are two appointments left in the week after next, and both of them are with the same doctor as before. "
        "The first one is on Monday at a quarter past eight, which is early, but then you will not have to wait. "
        "The other one is on Friday in the afternoon, and for that one you would need to bring the X-ray pictures."
    ),
    (
        "What we have on our list is a table for six people, outside on the terrace if the weather allows it. "
        "Two of the guests are vegetarians, and one of them cannot eat nuts, so the kitchen should know about this. "
        "They would like to start with something small, and they will choose their main course when they are there."
    ),
    (
        "The contract that you have with us ends in October, and it goes on for a year unless you tell us otherwise. "
        "There is a new one that costs four pounds less every month, with the same speed and a better router. "
        "You could change over on the first of September, and the old box would go back to us in the same package."
    ),
    (
        "About the car that you brought in yesterday, the mechanic has found out where the noise was coming from. "
        "One of the brake discs at the back is worn down, and he would rather change both of them while he is there. "
        "The parts will be here tomorrow before noon, so that you could have it back on Wednesday in the evening."
    ),
)
"""Answers that take some fifteen seconds. No sentence comes twice."""
SHORT = (
    "Thank you, I have noted that down.",
    "That is good to know, thanks a lot.",
    "All right, then I will pass it on.",
    "Very well, that is everything I need for this.",
    "I understand, and I will see to it today.",
    "Good, that helps me more than you may think.",
    "Of course, we can do it in just that way.",
    "Many thanks, I will tell him about it.",
)


@dataclass
class Narrator:
    """Reads texts aloud, each always alike, with the silence that real voices begin with."""

    engines: Engines
    lead_in: float
    _read: dict[str, Speech] = field(default_factory=dict)

    async def __call__(self, text: str) -> Speech:
        known = self._read.get(text)
        if known is None:
            sound = await self.engines.synthesise(text, VOICES["agent"])
            known = self._read[text] = timed(text, sound, round(self.lead_in * audio.RATE))
        return known


def timed(text: str, sound: bytes, lead_in: int) -> Speech:
    """The engine tells no timings, so the characters share its sound evenly."""
    step = len(sound) / max(1, len(text))
    starts = tuple(lead_in + int(place * step) for place in range(len(text)))
    return Speech(text, audio.SILENCE * lead_in + sound, starts)


@dataclass(frozen=True)
class Script:
    """The model: another answer for each turn of a call, the same one however often it is asked for it."""

    long: frozenset[int]
    """Calls that are given long answers."""

    def __call__(self, received: Received) -> Reply:
        errand = re.search(r"errand number (\d+)", json.dumps(received.body["system"]))
        call = int(errand[1]) if errand else 0
        answered = sum(message["role"] == "assistant" for message in received.body["messages"])
        texts = LONG if call in self.long else SHORT
        return Reply(texts[(call + answered) % len(texts)])


def reply_of(text: str) -> str:
    """The whole answer that a piece of speech belongs to; the piece itself where it is of none."""
    return next((reply for reply in (*LONG, *SHORT) if text.strip() in reply), text.strip())
