"""What passes between the agent and the operator's desk: words to say, advice, questions and errands. Pure.

The floor decides when something is said; this knows what there is to be said, and what has to be done.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call import manners as known
from backend.call.events import Action, Do, Note, Tool
from backend.call.manners import Manners
from backend.call.turns.deadlines import NEVER
from backend.models import LineKind

_MOST_QUEUED = 8
"""Sentences, and pieces of advice, that may wait; the oldest are dropped beyond."""


def named(by: str) -> str:
    """Who gave an order, for the transcript."""
    return by or "The operator"


class Desk:
    """One call's. Moments are seconds on the floor's clock."""

    def __init__(self, line: LineKind, manners: Manners) -> None:
        self.news = False
        """Whether the operator has answered, and the callee waits to hear it."""
        self._line = line
        self._manners = manners
        self._sayings: list[str] = []
        self._hints: list[str] = []
        self._owed = ""
        """The advice to say what somebody has not heard of the opening."""
        self._questions: dict[str, tuple[float, bool]] = {}
        """What the operator was asked and has not answered: until when that is waited for, and whether the callee was
        told so."""
        self._watched = -NEVER
        self._opted_out = False
        self._recorded = manners.records

    # --- from the operator ------------------------------------------------------------------------------------

    def watches(self, now: float) -> None:
        """Somebody has the call before them."""
        self._watched = now

    def say(self, text: str, by: str = "") -> Iterator[Action]:
        yield Note(f"{named(by)} wants said: {text}")
        if len(self._sayings) == _MOST_QUEUED:
            yield _unsaid(self._sayings.pop(0))
        self._sayings.append(text)

    def hint(self, text: str, by: str = "") -> Iterator[Action]:
        self.advise(text)
        yield Note(f"{named(by)}'s hint: {text}")

    def advise(self, text: str) -> None:
        """Let the next answer know this."""
        self._hints = [*self._hints, text][-_MOST_QUEUED:]

    def owe(self, words: str) -> None:
        """Somebody has not heard this of the opening, and the next answer has to begin with it; empty: not any more."""
        self._hints = [hint for hint in self._hints if hint != self._owed]
        self._owed = known.UNANNOUNCED.format(notice=words) if words else ""
        if words:
            self.advise(self._owed)

    def answers(self, question: str, answer: str, by: str = "") -> Iterator[Action]:
        self.advise(known.OPERATOR_SAYS.format(question=question, answer=answer))
        self.news = True
        self._questions.pop(question, None)
        yield Note(f"{named(by)} answered: {answer}")

    @property
    def has_words(self) -> bool:
        """Whether the operator wants something said."""
        return bool(self._sayings)

    @property
    def has_advice(self) -> bool:
        """Whether there is something that no answer knows yet."""
        return bool(self._hints)

    @property
    def due(self) -> float:
        """When there is something for the callee to hear."""
        if self.has_words or self.news:
            return -NEVER
        half = self._manners.operator_wait / 2
        waits = (until if reassured else until - half for until, reassured in self._questions.values())
        return min(waits, default=NEVER)

    def next_words(self) -> str:
        return self._sayings.pop(0)

    def advice(self) -> list[str]:
        """What the next answer is to know, handed out once."""
        hints, self._hints, self.news = self._hints, [], False
        return hints

    def take_back(self, sayings: list[str], hints: list[str]) -> None:
        """These were in a reply of which nothing was heard."""
        self._sayings, self._hints = sayings + self._sayings, hints + self._hints

    def gives_up(self, sayings: list[str]) -> Iterator[Action]:
        """These cannot be said."""
        yield from map(_unsaid, sayings)

    def ends(self) -> Iterator[Action]:
        """The call is over."""
        yield from self.gives_up(self._sayings)

    # --- from the agent ---------------------------------------------------------------------------------------

    def carry_out(self, tool: Tool, about: str, now: float) -> Iterator[Action]:
        """Have it done, all but a handing over, which is the end of the call."""
        match tool:
            case Tool.DO_NOT_CALL:
                yield from self.opt_out()
            case Tool.ASK_OPERATOR:
                yield from self._ask(about, now)
            case Tool.NOTE_FOLLOW_UP:
                yield from self._follow_up(about)
            case Tool.PRESS_KEYS:
                yield Note(f"Pressed {about}")
            case Tool.STOP_RECORDING:
                yield from self.stop_recording()

    def opt_out(self) -> Iterator[Action]:
        """Never call this number again; once. Nobody has the numbers of the practice line."""
        if self._opted_out:
            return
        self._opted_out = True
        if self._line is LineKind.PHONE:
            yield Do(Tool.DO_NOT_CALL)
            yield Note("This number is on the list of those that are never called again.")
        else:
            yield Note("They want no more calls. On a real line this number would never be called again.")

    def stop_recording(self) -> Iterator[Action]:
        """The callee does not want to be recorded: stop, and delete what there is; once."""
        if self._recorded:
            self._recorded = False
            yield Do(Tool.STOP_RECORDING)
            yield Note("They do not want to be recorded: the recording was stopped and deleted.")
            self.advise(known.UNRECORDED)

    def _follow_up(self, question: str) -> Iterator[Action]:
        yield Do(Tool.NOTE_FOLLOW_UP, question)
        yield Note(f"To be followed up: {question}")

    def _ask(self, question: str, now: float) -> Iterator[Action]:
        """Put it to the operator; where nobody is at the desk it is left for later, and the callee is told at once."""
        wait = self._manners.operator_wait
        there = wait > 0 and now - self._watched <= self._manners.operator_watches
        if there:
            yield Do(Tool.ASK_OPERATOR, question)
            yield Note(f"Asked the operator: {question}")
        else:
            yield from self._follow_up(question)
        self._questions[question] = (now + wait, False) if there else (now, True)

    def late(self, now: float) -> str:
        """Half of a wait is over, or all of it: what to tell the callee; empty: what the advice says."""
        given_up = [question for question, (until, _) in self._questions.items() if until <= now]
        for question in given_up:
            del self._questions[question]
            self.advise(known.OPERATOR_SILENT.format(question=question))
        self._questions = {question: (until, True) for question, (until, _) in self._questions.items()}
        return "" if given_up else known.STILL_CHECKING


def _unsaid(text: str) -> Note:
    return Note(f"Not said any more: {text}")
