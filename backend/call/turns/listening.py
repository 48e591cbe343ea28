"""The callee's side: what their sound and their words mean for whose turn it is. Pure.

A layer of the `floor`, above the `machines`.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call import manners as known
from backend.call.events import (
    Action,
    CalleeSays,
    Hold,
)
from backend.call.turns.deadlines import NEVER, Phase
from backend.call.turns.machines import Machines
from backend.call.turns.underway import Underway
from backend.call.words import short_words as said
from backend.call.words.objecting import objects
from backend.call.words.opting_out import opts_out
from backend.models import Answerer


class Listening(Machines):
    """One call's."""

    # --- sound ---------------------------------------------------------------------------------------------

    def _sound_on(self, now: float) -> Iterator[Action]:
        self._hearing.becomes(loud=True, now=now)
        # Somebody is speaking: the greeting's end decides now, not the patience of one who hears nothing.
        self._due.opening = NEVER
        if self._hearing.partial:
            self._due.turn = now + self._hearing.patience(now)
        if reply := self._spoken:
            reply.overlapped = True
            if reply.may_be_held:
                reply.held, reply.holds = True, reply.holds + 1
                self._due.hold = self._hearing.clear_from
                yield Hold(reply.number)

    def _sound_off(self, now: float) -> None:
        hearing, manners = self._hearing, self._manners
        short = hearing.becomes(loud=False, now=now) < manners.short_sound
        if not self._greeted:
            self._due.opening = now + manners.greeting_pause
        self._be_patient(now, max(self._due.check_in - now, manners.check_in_after / 2))
        if hearing.partial:
            self._due.turn = min(self._due.turn, now + hearing.patience(now))
        elif self.phase is Phase.LISTENING and not short and self._check_ins < manners.check_ins:
            hearing.unheard = True
            self._be_patient(now, manners.unheard_wait)
        if self._reply and self._reply.held:
            self._due.hold = now if hearing.partial else hearing.clear_from

    # --- words ---------------------------------------------------------------------------------------------

    def _words(self, text: str, now: float) -> Iterator[Action]:
        """The callee is speaking: give way if that is what they want."""
        if not text or self._told_twice(text):
            return
        if self._is_echo(text, now):
            if (reply := self._spoken) and reply.held:
                yield from self._release(reply)
            return
        self._hearing.grows_to(text)
        self._reception.hears(self._hearing.partial, False, now)
        self._due.turn = now + self._hearing.patience(now)
        self._be_patient(now)
        yield CalleeSays(self._hearing.partial, complete=False)
        if (reply := self._spoken) and reply.gives_way_to(text, self._manners, growing=True):
            yield from self._give_way(reply)
        elif self._reply and self._reply.prepared and self._reply.answers != said.words(self._hearing.partial):
            yield from self._discard()

    def _told_twice(self, text: str) -> bool:
        """Whether a recogniser repeats the turn that is being answered."""
        reply = self._spoken
        if reply is None or reply.overlapped or reply.audible:
            return False
        return reply.answers == said.words(text)

    def _is_echo(self, text: str, now: float) -> bool:
        return self._hearing.is_echo(text, self._spoken, self._last, now)

    def _turn_end(self, text: str, now: float) -> Iterator[Action]:
        """The callee has finished. An end of turn without words is the last partial's."""
        if text and (self._told_twice(text) or self._is_echo(text, now)):
            return
        reads_out = self._machine is Answerer.MENU
        if self.phase is Phase.LISTENING and self._hearing.waits_for_more(text, now, reads_out):
            # Nobody stops after "my number is". If they do, the answer is ready by then.
            self._due.turn = now + self._hearing.patience(now)
            self._be_patient(now)
            yield CalleeSays(self._hearing.partial, complete=False)
            yield from self._prepare(now)
            return
        self._due.turn = NEVER
        if whole := self._hearing.end(text):
            yield from self._turn_over(whole, now)

    def _pressed(self, digit: str, now: float) -> Iterator[Action]:
        """A key is a turn, with what the callee was saying until then."""
        self._due.turn = NEVER
        words = self._hearing.end("") if self._hearing.partial else ""
        yield from self._turn_over(f"{words} (pressed {digit})".strip(), now)

    def _turn_over(self, whole: str, now: float) -> Iterator[Action]:
        self._check_ins, self._control.owed = 0, whole
        self._reception.hears(whole, True, now)
        yield CalleeSays(whole, complete=True)
        if opts_out(whole):
            yield from self._desk.opt_out()
            self._desk.advise(known.OPTED_OUT)
        if self._manners.records and objects(whole):
            yield from self._desk.stop_recording()
        yield from self._respond(whole, now)

    def _respond(self, text: str, now: float) -> Iterator[Action]:
        """A whole turn was said."""
        if reply := self._spoken:
            yield from self._turn_end_over(reply, text, now)
        elif self._control.aside:
            return
        elif self._reception.machine:
            yield from self._attend(now)
            yield from self._answer_machine(text, now)
        elif self._greeted and not self._machine:
            self._reception.answers(now)
            yield from self._answer(text, now)
        else:
            # Their greeting is over, even where noise keeps the line from becoming quiet.
            self._due.opening = min(self._due.opening, now + self._manners.greeting_pause)

    def _turn_end_over(self, reply: Underway, text: str, now: float) -> Iterator[Action]:
        """A whole turn was said over the agent without stopping it: a short word, or the agent is still thinking."""
        negative = said.words(text) in (["no"], ["nope"], ["stop"], ["wait"])
        if reply.gives_way_to(text, self._manners) or (negative and reply.audible and not reply.firm):
            yield from self._give_way(reply)
            if not self._control.aside:
                yield from self._answer(text, now)
        elif reply.done and reply.ending and not self._hearing.loud:
            yield from self._end(reply.ending)
        else:
            self._early = (text, now)
            self._control.owed = "" if reply.audible else text
            if reply.held and not self._hearing.loud:
                yield from self._release(reply)
