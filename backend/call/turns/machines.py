"""Who picked up, and what becomes of a call in which it is no person, or not yet. Pure.

A layer of the `floor`, above the `replies`.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call import manners as known
from backend.call.events import Action, Ending
from backend.call.pickup.greetings import only_waits
from backend.call.turns.deadlines import NEVER, Phase
from backend.call.turns.replies import Replies
from backend.call.turns.underway import Underway
from backend.models import Answerer, Outcome


class Machines(Replies):
    """One call's."""

    def _attend(self, now: float) -> Iterator[Action]:
        """Act on who picked up, as far as that is known by now."""
        if self._over:
            return
        reception = self._reception
        if news := reception.news():
            yield news
        if self._control.aside:
            return
        if reception.dead:
            yield from self._end(Ending(reception.why, Outcome.NO_ANSWER))
        elif reception.machine is not self._machine:
            yield from self._turns_out(reception.machine, now)
        after = reception.speak_after
        recording = self.phase is Phase.MACHINE and self._machine is Answerer.VOICEMAIL
        self._due.message = after if recording and after is not None else NEVER
        if self.phase is Phase.GREETING and reception.suspects and now < self._due.greeting:
            # It is heard out; but what lasts without any news of it may as well be a noise.
            self._due.greeting = max(self._due.greeting, now + self._manners.greeting_limit)
        if after is not None and self._due.opening != NEVER:
            self._due.opening = max(self._due.opening, after)

    def _turns_out(self, machine: Answerer | None, now: float) -> Iterator[Action]:
        """It is a machine, or another one, or somebody has come to the phone."""
        if self.phase is Phase.CLOSING:
            return
        self._machine, self._check_ins = machine, 0
        if self._reply:
            yield from self._give_way(self._reply)
        # A machine need not hear who is calling, and a person is told anew.
        self._desk.owe("")
        if machine in _NOBODY:
            yield from self._end(Ending(_NOBODY[machine], Outcome.NO_ANSWER))
        elif machine is None:
            # Whoever comes to the phone now has not heard who is calling.
            self._greeted = False
            self._greet_soon(now)
        else:
            self._greeted, self._early = True, ("", 0.0)
            self._due.machine = now + self._manners.on_hold
            self._be_patient(now)

    def _greet_soon(self, now: float) -> None:
        """Somebody is there who has not heard who is calling."""
        self._due.opening = NEVER if self._hearing.loud else now + self._manners.greeting_pause
        self._due.greeting = now + self._manners.greeting_limit

    def _answer_machine(self, text: str, now: float) -> Iterator[Action]:
        """A menu is answered towards the goal, and an assistant that screens is told who calls; others get nothing."""
        if self._machine is Answerer.SCREENER and not self._screened:
            self._screened = True
            yield from self._discard()
            yield self._begin(Underway(), now, known.screened(self._brief, self._manners.discloses))
        elif self._machine in _TALKING and not only_waits(text):
            self._desk.advise(_TALKING[self._machine])
            yield from self._answer(text, now)

    def _machine_overdue(self, now: float) -> Iterator[Action]:
        if self._due.message <= now:
            yield from self._leave_message(now)
        else:
            yield from self._give_up(self._machine or Answerer.HOLD)

    def _give_up(self, machine: Answerer) -> Iterator[Action]:
        yield from self._end(Ending(_WAITED[machine], Outcome.NO_ANSWER))

    def _leave_message(self, now: float) -> Iterator[Action]:
        words = known.voicemail(self._brief, self._manners.discloses, self._manners.callback)
        yield from self._close(words, Ending("A voicemail message was left.", Outcome.VOICEMAIL), now)

    def _beep(self, now: float) -> Iterator[Action]:
        """What was said before the beep is on no recording, so the message begins anew, once."""
        reply = self._spoken
        if reply and reply.ending and reply.ending.outcome is Outcome.VOICEMAIL and not self._repeated:
            self._repeated = True
            yield from self._give_way(reply)
            yield from self._leave_message(now)

    @property
    def _left(self) -> Outcome:
        """What it means that the other side has hung up."""
        return Outcome.NO_ANSWER if self._machine else Outcome.HUNG_UP


_NOBODY: dict[Answerer | None, str] = {
    Answerer.FULL_MAILBOX: "A voicemail answered whose mailbox is full.",
    Answerer.FAX: "A fax machine answered.",
}
"""Machines with which there is nothing to be done."""
_TALKING: dict[Answerer | None, str] = {Answerer.MENU: known.MENU, Answerer.SCREENER: known.SCREENER}
"""Those with which the model talks, and what it is told of them."""
_WAITED = {
    Answerer.VOICEMAIL: "A voicemail answered, and never began to record.",
    Answerer.SCREENER: "An assistant that screens calls answered, and put nobody through.",
    Answerer.HOLD: "The call was put on hold, and nobody came.",
    Answerer.MENU: "A phone menu answered, and led to nobody.",
}
