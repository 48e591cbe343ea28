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
        self.due = NEVER
        """When `late` has something to say about a question that is not answered."""
        self.news = False
        """Whether the operator has answered, and the callee waits to hear it."""
        self._line = line
        self._manners = manners
        self._sayings: list[str] = []
        self._hints: list[str] = []
        self._question = ""
        """What the operator was asked and has not answered."""
        self._reassured = False
        """Whether the callee was told that it is still being waited for."""
        self._watched = -NEVER
        self._opted_out = False
        self._recorded = manners.records

    # --- from the operator ------------------------------------------------------------------------------------

    def watches(self, now: float) -> None:
        """Somebody has the call before them."""
        self._watched = now

    def say(self, text: str, by: str = "") -> Iterator[Action]:
        self._sayings = [*self._sayings, text][-_MOST_QUEUED:]
        yield Note(f"{named(by)} says: {text}")

    def hint(self, text: str, by: str = "") -> Iterator[Action]:
        self.advise(text)
        yield Note(f"{named(by)}'s hint: {text}")

    def advise(self, text: str) -> None:
        """Let the next answer know this."""
        self._hints = [*self._hints, text][-_MOST_QUEUED:]

    def answers(self, question: str, answer: str, by: str = "") -> Iterator[Action]:
        self.advise(known.OPERATOR_SAYS.format(question=question, answer=answer))
        self.news = True
        if question == self._question:
            self._question, self.due = "", NEVER
        yield Note(f"{named(by)} answered: {answer}")

    @property
    def has_words(self) -> bool:
        """Whether the operator wants something said."""
        return bool(self._sayings)

    def next_words(self) -> str:
        return self._sayings.pop(0)

    def advice(self) -> list[str]:
        """What the next answer is to know, handed out once."""
        hints, self._hints, self.news = self._hints, [], False
        return hints

    def take_back(self, sayings: list[str], hints: list[str]) -> None:
        """These were in a reply of which nothing was heard."""
        self._sayings, self._hints = sayings + self._sayings, hints + self._hints

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
        self._question, self._reassured = question, not there
        self.due = now + wait / 2 if there else now

    def late(self, now: float) -> str:
        """Half of the wait is over, or all of it: what to tell the callee; empty: what the advice says."""
        if not self._reassured:
            self._reassured, self.due = True, now + self._manners.operator_wait / 2
            return known.STILL_CHECKING
        self.advise(known.OPERATOR_SILENT.format(question=self._question))
        self._question, self.due = "", NEVER
        return ""
