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
CLOSING    The reply under way is the last: when it has been played the call ends, unless the callee has just begun to
           say something.
OVER       Nothing is returned any more.

Left alone, every phase ends: each has a deadline.

The rules are kept in layers, each of which knows those below it: `Replies` (what the agent says), `Machines` (who
picked up), `Listening` (what the callee's sound and words mean), `Orders` (what the operator wants), and here what
comes first and last: events and time.
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
    MachineAnswered,
    SoundOff,
    SoundOn,
    ToneHeard,
)
from backend.call.pickup.tones import Signal
from backend.call.turns.deadlines import NEVER, Phase
from backend.call.turns.orders import Orders
from backend.call.turns.underway import Underway
from backend.call.words.completeness import unfinished
from backend.models import Digit, Direction, EagerEnd, Ended, Outcome, Partial, Resumed, TurnEnd


class Floor(Orders):
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
                yield from self._words(self._hearing.news(text, ends=True), now)
                if not unfinished(text):
                    yield from self._prepare(now)
            case Resumed():
                yield from self._discard()
            case TurnEnd(text):
                yield from self._turn_end(self._hearing.news(text, ends=True), now)
                self._hearing.recogniser_ended()
            case Digit(digit):
                yield from self._pressed(digit, now)
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

    # --- the first seconds ---------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        called = self._brief.direction is Direction.INBOUND
        self._due.opening = now + (self._manners.inbound_greeting_wait if called else self._manners.greeting_wait)
        self._due.greeting = now + self._manners.greeting_limit
        self._due.call = now + self._manners.longest_call

    def _open(self, now: float) -> Iterator[Action]:
        self._desk.owe("")
        words = known.opening(self._brief, self._manners.discloses, self._manners.notice)
        yield self._begin(Underway(opening=True), now, words)

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
        if self._desk_due <= now:
            return list(self._tell(now))
        if self._reply and phase is not Phase.LISTENING:
            held = self._due.hold <= now
            return list(self._release(self._reply) if held else self._reply_overdue(self._reply, now))
        return list(self._check_in(now))

    def _run_out(self, now: float) -> Iterator[Action]:
        """The call has lasted for as long as any may, in whosever hands it is."""
        self._due.call = NEVER
        yield from self._control.withdraw()
        why = f"The longest call of {self._manners.longest_call / 60:g} minutes was reached."
        yield from self._close(known.TIME_IS_UP, Ending(why, Outcome.FOLLOW_UP), now)

    def _check_in(self, now: float) -> Iterator[Action]:
        if self._machine:
            yield from self._give_up(self._machine)
        elif self._hearing.loud:
            # There is sound without words: a noisy room or hold music. Wait, but keep counting on the call's limit.
            self._be_patient(now)
        elif self._check_ins < self._manners.check_ins:
            self._check_ins += 1
            yield from self._discard()
            yield self._begin(Underway(), now, known.PARDON if self._hearing.unheard else known.STILL_THERE)
        else:
            outcome = Outcome.NO_ANSWER if self._reception.silent else Outcome.CALL_BACK
            ending = Ending("They said nothing any more.", outcome)
            yield from self._close(known.silent_goodbye(self._brief), ending, now, firm=False)
