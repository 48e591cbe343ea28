"""The operator's side: what is ordered from the desk, and when the callee hears of it. Pure.

A layer of the `floor`, above `listening`.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call import manners as known
from backend.call.events import (
    Action,
    FloorEvent,
    HandBack,
    HangUp,
    Hint,
    Note,
    OperatorAnswers,
    OperatorTalks,
    OperatorWatches,
    Pause,
    Press,
    Resume,
    Say,
    TakeOver,
    Transfer,
)
from backend.call.turns.deadlines import NEVER, Phase
from backend.call.turns.desk import named
from backend.call.turns.listening import Listening
from backend.call.turns.underway import Underway
from backend.models import Hands


class Orders(Listening):
    """One call's."""

    def _obey(self, event: FloorEvent, now: float) -> Iterator[Action]:
        """What the operator wants."""
        match event:
            case Say(text, by):
                yield from self._desk.say(text, by)
            case Hint(text, by):
                yield from self._desk.hint(text, by)
            case OperatorAnswers(question, answer, by):
                yield from self._desk.answers(question, answer, by)
            case OperatorWatches():
                self._desk.watches(now)
            case Pause(by) if self.hands is Hands.AGENT:
                yield from self._step_in(self._control.pause(by))
            case Resume(by) if self.hands is Hands.PAUSED:
                yield from self._control.resume(by)
                yield from self._go_on(now)
            case TakeOver(by) if self.hands is not Hands.OPERATOR:
                yield from self._step_in(self._control.take_over(by))
            case HandBack(by) if self.hands is Hands.OPERATOR:
                yield from self._control.hand_back(by)
                yield from self._go_on(now, known.handed_back(self._brief))
            case OperatorTalks(text, complete):
                yield from self._operator_talks(text, complete)
            case Press(keys, by):
                yield from self._press(keys, by, now)
            case Transfer(by):
                note = Note(f"{named(by)} handed the call over to the operator's phone.")
                yield from self._hand_over(note)
            case HangUp(ending, by):
                yield Note(f"{named(by)} hung up.")
                yield from self._end(ending)

    # --- words from the desk -------------------------------------------------------------------------------

    @property
    def _desk_due(self) -> float:
        """When the callee hears what the desk has for them. It waits for quiet: what is no word yet may become one."""
        if self._hearing.partial:
            return NEVER
        due = self._desk.due if self.phase is Phase.LISTENING or self._says_exactly else NEVER
        return due if due == NEVER else max(due, self._hearing.clear_from)

    @property
    def _says_exactly(self) -> bool:
        """Whether the operator's words come next. They cut the agent's own, but neither each other, nor keys, nor what
        says who is calling, nor a goodbye.
        """
        reply = self._spoken
        cuts = reply is not None and not (reply.sayings or reply.opening or reply.firm)
        return self._desk.has_words and (self.phase is Phase.ASIDE or (cuts and self.phase is Phase.REPLYING))

    def _tell(self, now: float) -> Iterator[Action]:
        """What the desk has for the callee: the operator's own words, an answer, or that it is still waited for."""
        if self._reply:
            yield from self._give_way(self._reply)
        if self._desk.has_words:
            saying = self._desk.next_words()
            yield self._begin(Underway(sayings=[saying]), now, saying)
        elif not self._desk.news and (words := self._desk.late(now)):
            yield self._begin(Underway(), now, words)
        else:
            yield self._begin(Underway(hints=self._desk.advice()), now)

    # --- the operator steps in, and out again --------------------------------------------------------------

    @property
    def _time_is_up(self) -> bool:
        """Whether the call ends for its length, which nobody can stop."""
        return self.phase is Phase.CLOSING and self._due.call == NEVER

    def _step_in(self, order: Iterator[Action]) -> Iterator[Action]:
        """The agent falls silent at once, even in the middle of its goodbye."""
        if self._time_is_up:
            yield Note("It is too late to step in: the call has reached its longest duration, and ends.")
            return
        yield from self._cut()
        yield from order

    def _cut(self) -> Iterator[Action]:
        """Silence whatever the agent is saying. Who was greeted with half a sentence does not know who is calling."""
        if reply := self._reply:
            self._greeted &= not reply.opening
            yield from self._give_way(reply)

    def _operator_talks(self, text: str, complete: bool) -> Iterator[Action]:
        if self.hands is Hands.OPERATOR:
            # It comes back from a loudspeaker as the agent's own words do.
            self._last = Underway(planned=text, audible=True)
        yield from self._control.talks(text, complete)

    def _go_on(self, now: float, words: str = "") -> Iterator[Action]:
        """The agent has the call again: it answers what nobody has answered, or else says these words, if any."""
        control = self._control
        owed, control.owed = control.owed, ""
        if control.talked:
            self._reception.meets()
        self._check_ins, self._early = 0, ("", 0.0)
        self._due.machine = now + self._manners.on_hold
        self._be_patient(now)
        yield from self._apologise_deaf(now)
        yield from self._attend(now)
        if self.phase is Phase.GREETING:
            self._greet_soon(now)
        elif self._hearing.partial or self.phase not in (Phase.LISTENING, Phase.MACHINE):
            return
        elif owed:
            yield from self._respond(owed, now)
        elif words and not (self._machine or self._desk.has_words or self._desk.news):
            yield self._begin(Underway(), now, words)

    def _press(self, keys: str, by: str, now: float) -> Iterator[Action]:
        """Keys come before anybody's words."""
        if self._time_is_up:
            return
        yield from self._cut()
        yield Note(f"{named(by)} pressed {keys}.")
        yield self._begin(Underway(keys=keys, firm=True), now)
