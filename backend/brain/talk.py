"""How far a call has come: what was put to the callee, what was asked last, what was agreed.

What the agent's lines asked is read from the words that were heard, whoever chose them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from backend.brain.errand import Goal
from backend.brain.intents import plain
from backend.brain.times import When, find
from backend.models import Outcome


class Asked(Enum):
    """What the callee was last asked, so what a "yes" refers to."""

    MOMENT = "whether there is time, or the call may go on"
    IDENTITY = "whether the person is the one meant"
    GOAL = "what the call is for"
    OFFER = "whether one of the offered times would work"
    WHEN = "which time would suit"
    SURE = "whether to note a yes"
    CALLBACK = "when to call back"
    ELSE = "whether there is anything else"


_OFFERS = r"would .{3,90}? (?:work|suit)|(?:offer|how about|what about) .{0,60}"
_AGAIN = re.compile(r"\bagain\W+shall we (?:carry|go) on\b")
"""What the agent says when a colleague has talked to the callee."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_ASKED, _NOT_KNOWN = "asked: ", ", not known"
"""Around a question in the notes that was not answered."""

# How each question is known again in a line that was heard, whoever spoke it.
_HEARD: tuple[tuple[Asked, str], ...] = (
    (Asked.MOMENT, r"do you have a (?:quick |short )?(?:moment|minute)|is it all right if i go"),
    (Asked.IDENTITY, r"am i speaking (?:with|to)"),
    (Asked.WHEN, r"which day and time"),
    (Asked.OFFER, _OFFERS),
    (Asked.SURE, r"shall i note that"),
    (Asked.CALLBACK, r"when would be a good time"),
    (Asked.ELSE, r"is there anything else|what would you like|how (?:can|may) i help"),
)


@dataclass(frozen=True, slots=True)
class Talk:
    """How far a call has come."""

    asked: Asked = Asked.MOMENT
    offered: tuple[When, ...] = ()
    put: int = 0
    """How many goals the callee has heard of."""
    settled: int = 0
    """How many goals have got their answer."""
    outcome: Outcome | None = None
    notes: tuple[str, ...] = ()
    curious: bool = False
    """Whether the callee has asked anything, so that there may be more to ask."""
    puzzled: int = 0
    """How often in a row the callee was not understood."""
    stalled: int = 0
    """How often the callee said again what had already led nowhere."""
    known: bool = False
    """Whether the callee has said to be the one asked for; it matters where the matter is private."""
    question: str = ""
    """What the callee asked last, if that was the turn before; the next question may lean on it."""
    undone: Talk | None = None
    """The state before the last goal was settled, for whoever takes the answer back."""
    been: frozenset[tuple[Asked, int, int]] = frozenset()
    """Where the call has been; who comes back there with the same words leads nowhere."""
    said: frozenset[str] = frozenset()
    last: str = ""
    """The agent's last line, as heard."""
    aside: bool = False
    """Whether the callee's next words answer a colleague of the agent's, or tell whether to go on after one."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """What the callee asked and was not told."""
        return tuple(note[len(_ASKED) : -len(_NOT_KNOWN)] for note in self.notes if note.startswith(_ASKED))

    @property
    def place(self) -> tuple[Asked, int, int]:
        """Where the call stands."""
        return self.asked, self.settled, self.put

    def wondering(self, question: str) -> Talk:
        """With a question that nobody here can answer."""
        return self.noting(f"{_ASKED}{question}{_NOT_KNOWN}")

    def noting(self, *notes: str) -> Talk:
        return replace(self, notes=(*self.notes, *(note for note in notes if note not in self.notes)))

    def done(self, outcome: Outcome, note: str) -> Talk:
        """The goal in hand has got its answer; the first goal that has one decides the call's outcome."""
        settled, outcome = self.settled + 1, self.outcome or outcome
        before = replace(self, undone=None)
        return replace(self.noting(note), settled=settled, outcome=outcome, asked=Asked.GOAL, puzzled=0, undone=before)

    def taken_back(self) -> Talk:
        """The state in which the goal settled last is open again, and all else is as it is now."""
        if self.undone is None:
            return self
        settled_then = {note for note in self.notes if note not in self.undone.notes and "not known" not in note}
        notes = tuple(note for note in self.notes if note not in settled_then)
        was = self.undone
        return replace(
            self,
            settled=was.settled,
            outcome=was.outcome,
            notes=notes,
            asked=was.asked,
            offered=was.offered,
            undone=None,
        )

    def hearing(self, text: str, goal: Goal | None, colleague: bool = False) -> Talk:
        """The state after the callee heard these words of the agent's or a colleague's, with this goal in hand."""
        flat, times = plain(text), find(_offering(text))
        asked = [(match.start(), kind) for kind, known in _HEARD for match in re.finditer(known, flat)]
        asked = [found for found in asked if times or found[1] is not Asked.OFFER]
        if goal and (place := _place(goal, flat)) >= 0:
            asked.append((place, Asked.GOAL))
        if not asked:
            return replace(self, last=text, aside=colleague or bool(_AGAIN.search(flat)))
        kind = max(asked, key=lambda found: found[0])[1]
        put = self.settled + 1 if goal and kind in {Asked.GOAL, Asked.OFFER, Asked.WHEN} else self.put
        offered = times if kind is Asked.OFFER else self.offered
        return replace(self, asked=kind, last=text, put=put, offered=offered, aside=False)


def _offering(text: str) -> str:
    """The sentence that offers times; others may speak of times that are no offer."""
    held = [said for said in _SENTENCE.split(text) if re.search(_OFFERS, plain(said))]
    return held[-1] if held else text


def _place(goal: Goal, flat: str) -> int:
    """Where a heard line puts this goal, or -1. Most of the statement will do, if the question was cut off."""
    for question in (goal.question, goal.again):
        stem = " ".join(plain(question).split()[:4])
        if stem and (place := flat.rfind(stem)) >= 0:
            return place
    words = plain(goal.statement).split()
    return 0 if len(words) > 3 and " ".join(words[: -(-len(words) * 4 // 5)]) in flat else -1
