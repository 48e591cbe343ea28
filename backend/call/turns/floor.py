"""Who has the floor: all turn-taking of a call, decided purely.

`handle(event, now)` takes what happened and returns what to do; `deadline` says when to come back with a `Tick` if
nothing else happens. No clock is read and nothing is awaited here, so every rule can be tested as a plain function and
a recorded call can be replayed exactly.

The floor is in one of seven phases:

    GREETING ──► LISTENING ◄──► REPLYING ──► CLOSING ──► OVER
       │   └───────(opening)───────▲            ▲
       └─────────────────────► MACHINE ─────────┘

    from GREETING, LISTENING, REPLYING, MACHINE or CLOSING ──► ASIDE ──► GREETING, LISTENING or MACHINE

GREETING   The line is open. Whoever picks up a phone says "hello" first, and talking over it is the surest way to sound
           like a machine; so the agent waits for that greeting to end, but not for long.
LISTENING  It is the callee's turn, or nobody's. A reply may be prepared, on words that are probably their last: it is
           thought out and voiced, but its gate is shut. It is released if they were, else it was never there.
REPLYING   Exactly one reply is being thought out or spoken. Replies are numbered; whatever arrives with another number
           is late news of a reply that was stopped, and is ignored. When the callee makes a sound, the gate is shut
           again: the reply is held, until words or silence tell whether they want the floor.
MACHINE    No person picked up, or not yet: a voicemail talks, or music plays. Nothing is answered; a message is left
           when it records, and somebody who comes to the phone is greeted anew.
ASIDE      Somebody at the desk has stepped in, from whatever phase: the agent is paused, or the operator talks with
           their own voice. The callee's words are written down; only what the operator wants said or pressed becomes
           a reply. When the agent gets the call back, it answers what nobody has answered yet.
CLOSING    The reply under way is the last: when it has been played the call ends.
OVER       Nothing is returned any more.

Left alone, every phase ends: each has a deadline.

The rules are kept in layers, each of which knows those below it: `Replies` (what the agent says), `Machines` (who
picked up), `Listening` (what the callee's sound and words mean), and here what comes first and last: events, the
operator's orders, and time.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call import manners as known
from backend.call.events import (
    Action,
    Connected,
    EarsLost,
    Ending,
    FloorEvent,
    HandBack,
    HangUp,
    Hint,
    MachineAnswered,
    Note,
    OperatorAnswers,
    OperatorTalks,
    OperatorWatches,
    Pause,
    Press,
    Resume,
    Say,
    SoundOff,
    SoundOn,
    TakeOver,
    ToneHeard,
    Transfer,
)
from backend.call.pickup.tones import Signal
from backend.call.turns.deadlines import NEVER, Phase
from backend.call.turns.desk import named
from backend.call.turns.listening import Listening
from backend.call.turns.underway import Underway
from backend.call.words.completeness import unfinished
from backend.models import Digit, EagerEnd, Ended, Hands, Outcome, Partial, Resumed, TurnEnd


class Floor(Listening):
    """The turn-taking of one call.

    `handle` may be called with any event in any phase; what makes no sense there is ignored.
    """

    @property
    def receives(self) -> bool:
        """Whether it is still a question who picked up, so that tones are worth listening for."""
        return self._reception.listens and not self._over

    @property
    def deadline(self) -> float | None:
        """When `Tick` must come at the latest; None when nothing is being waited for."""
        first = min(self._due.first(self.phase), self._reception_due, self._desk_due)
        return None if first == NEVER else first

    @property
    def _reception_due(self) -> float:
        """When time alone tells who picked up."""
        return NEVER if self.phase in (Phase.ASIDE, Phase.CLOSING, Phase.OVER) else self._reception.deadline

    @property
    def _desk_due(self) -> float:
        """When a question to the operator has waited for long enough."""
        return self._desk.due if self.phase is Phase.LISTENING else NEVER

    def handle(self, event: FloorEvent, now: float) -> list[Action]:
        """What to do about this event, in order."""
        if self._over:
            return []
        actions = [*self._react(event, now)]
        actions += self._attend(now)
        # A timer that has run out is acted on with whatever event came first, so that the deadline never lies in
        # the past; each of these actions moves the timer that caused it.
        while self.deadline is not None and self.deadline <= now:
            actions += self._time_out(now)
        return actions

    def _react(self, event: FloorEvent, now: float) -> Iterator[Action]:
        match event:
            case Connected():
                self._connect(now)
            case SoundOn():
                self._reception.sound(True, now)
                yield from self._sound_on(now)
            case SoundOff():
                self._reception.sound(False, now)
                self._sound_off(now)
            case Partial(text):
                yield from self._words(self._hearing.news(text), now)
            case EagerEnd(text):
                yield from self._words(self._hearing.news(text), now)
                if not unfinished(text):
                    yield from self._prepare(now)
            case Resumed():
                yield from self._discard()
            case TurnEnd(text):
                yield from self._turn_end(self._hearing.news(text), now)
                self._hearing.recogniser_ended()
            case Digit(digit):
                yield from self._turn_end(f"(pressed {digit})", now)
            case EarsLost(why):
                self._deaf = why
                yield from self._apologise_deaf(now)
            case MachineAnswered(kind):
                self._reception.verdict(kind, now)
            case ToneHeard(signal):
                self._reception.tone(signal, now)
                if signal is Signal.BEEP:
                    yield from self._beep(now)
            case Ended(why, lost):
                yield from self._end(self._result(Ending(why, Outcome.FAILED if lost else self._left)))
            case _:
                yield from self._obey(event, now)
                if self._reply:
                    yield from self._follow(self._reply, event, now)

    def _obey(self, event: FloorEvent, now: float) -> Iterator[Action]:
        """What the operator wants."""
        match event:
            case Say(text, by):
                yield from self._desk.say(text, by)
                yield from self._say_next(now)
            case Hint(text, by):
                # A reply that was prepared without it would not know it.
                yield from self._discard()
                yield from self._desk.hint(text, by)
            case OperatorAnswers(question, answer, by):
                yield from self._discard()
                yield from self._desk.answers(question, answer, by)
                yield from self._tell_news(now)
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

    # --- the first seconds ---------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        self._due.opening = now + self._manners.greeting_wait
        self._due.greeting = now + self._manners.greeting_limit
        self._due.call = now + self._manners.longest_call

    def _open(self, now: float) -> Iterator[Action]:
        yield self._begin(now, words=known.opening(self._brief, self._manners.discloses, self._manners.notice))
        if self._reply:
            self._reply.opening = True

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
        if reply := self._reply:
            # Who was greeted with half a sentence does not know who is calling.
            self._greeted &= not reply.opening
            yield from self._give_way(reply)
        yield from order

    def _operator_talks(self, text: str, complete: bool) -> Iterator[Action]:
        if self.hands is Hands.OPERATOR:
            # It comes back from a loudspeaker as the agent's own words do.
            self._last = Underway(0, planned=text, audible=True)
        yield from self._control.talks(text, complete)

    def _go_on(self, now: float, words: str = "") -> Iterator[Action]:
        """The agent has the call again: it answers what nobody has answered, or else says these words, if any."""
        control = self._control
        owed, control.owed = control.owed, ""
        if control.talked:
            self._reception.meets()
        self._check_ins, self._early = 0, ("", 0.0)
        self._due.check_in, self._due.machine = now + self._manners.check_in_after, now + self._manners.on_hold
        yield from self._apologise_deaf(now)
        yield from self._attend(now)
        if self.phase is Phase.GREETING:
            self._greet_soon(now)
        elif self._hearing.partial or self.phase not in (Phase.LISTENING, Phase.MACHINE):
            return
        elif owed:
            yield from self._respond(owed, now)
        elif self._desk.has_words:
            yield from self._say_next(now)
        elif self._desk.news:
            yield from self._tell_news(now)
        elif words and not self._machine:
            yield self._begin(now, words=words)

    def _press(self, keys: str, by: str, now: float) -> Iterator[Action]:
        """Keys come before anybody's words."""
        if self._time_is_up:
            return
        if self._reply:
            yield from self._give_way(self._reply)
        yield Note(f"{named(by)} pressed {keys}.")
        yield self._begin(now, keys=keys)
        if self._reply:
            self._reply.firm = True

    def _apologise_deaf(self, now: float) -> Iterator[Action]:
        """An agent that hears nothing has to go; an operator who talks need not."""
        if self._deaf and not self._control.aside:
            yield from self._close(known.TROUBLE, Ending(self._deaf, Outcome.FAILED), now)

    # --- time ----------------------------------------------------------------------------------------------

    def _time_out(self, now: float) -> list[Action]:
        """Act on the one timer that ran out first in importance, and move it."""
        phase = self.phase
        if phase is not Phase.CLOSING and self._due.call <= now:
            return list(self._run_out(now))
        if self._reception_due <= now:
            self._reception.passes(now)
            return list(self._attend(now))
        if phase is Phase.MACHINE:
            return list(self._turn_end("", now) if self._due.turn <= now else self._machine_overdue(now))
        if phase is Phase.GREETING:
            return list(self._open(now))
        if self._due.turn <= now:
            return list(self._turn_end("", now))
        if self._reply and phase is not Phase.LISTENING:
            held = self._due.hold <= now
            return list(self._release(self._reply) if held else self._reply_overdue(self._reply, now))
        if self._desk_due <= now:
            return list(self._operator_late(now))
        return list(self._check_in(now))

    def _run_out(self, now: float) -> Iterator[Action]:
        """The call has lasted for as long as any may, in whosever hands it is."""
        self._due.call = NEVER
        yield from self._control.withdraw()
        why = f"The longest call of {self._manners.longest_call / 60:g} minutes was reached."
        yield from self._close(known.TIME_IS_UP, Ending(why, Outcome.FOLLOW_UP), now)

    def _check_in(self, now: float) -> Iterator[Action]:
        if self._hearing.loud:
            # There is sound without words: a noisy room or hold music. Wait, but keep counting on the call's limit.
            self._due.check_in = now + self._manners.check_in_after
        elif self._machine:
            yield from self._give_up(self._machine)
        elif self._check_ins < self._manners.check_ins:
            self._check_ins += 1
            yield from self._discard()
            yield self._begin(now, words=known.PARDON if self._hearing.unheard else known.STILL_THERE)
            self._hearing.unheard = False
        else:
            outcome = Outcome.NO_ANSWER if self._reception.silent else Outcome.CALL_BACK
            ending = Ending("The callee said nothing any more.", outcome)
            yield from self._close(known.SILENT_GOODBYE, ending, now, firm=False)
