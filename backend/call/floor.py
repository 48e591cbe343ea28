"""Who has the floor: all turn-taking of a call, decided purely.

`handle(event, now)` takes what happened and returns what to do; `deadline` says when to come back with a `Tick` if
nothing else happens. No clock is read and nothing is awaited here, so every rule can be tested as a plain function and
a recorded call can be replayed exactly.

The floor is in one of five phases:

    GREETING ──► LISTENING ◄──► REPLYING ──► CLOSING ──► OVER
       └───────────(opening)───────▲

GREETING   The line is open. Whoever picks up a phone says "hello" first, and talking over it is the surest way to sound
           like a machine; so the agent waits for that greeting to end, but not for long.
LISTENING  It is the callee's turn, or nobody's.
REPLYING   Exactly one reply is being thought out or spoken. Replies are numbered; whatever arrives with another number
           is late news of a reply that was stopped, and is ignored.
CLOSING    The reply under way is the last: when it has been played the call ends.
OVER       Nothing is returned any more.

Left alone, every phase ends: each has a deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from backend.call import manners as known
from backend.call.events import (
    Action,
    CalleeSays,
    Concluded,
    Connected,
    EarsLost,
    End,
    Ending,
    FloorEvent,
    HangUp,
    Hint,
    MachineAnswered,
    Reply,
    ReplyDone,
    ReplyFailed,
    Say,
    SoundOff,
    SoundOn,
    Speaking,
    Stop,
    Tick,
)
from backend.call.manners import Manners
from backend.models import Brief, Digit, EagerEnd, Ended, Outcome, Partial, Resumed, TurnEnd

_MOST_QUEUED = 8
"""Sentences of the operator that may wait for a gap; the oldest are dropped beyond."""


class Phase(Enum):
    GREETING = auto()
    LISTENING = auto()
    REPLYING = auto()
    CLOSING = auto()
    OVER = auto()


class Floor:
    """The turn-taking of one call.

    `handle` may be called with any event in any phase; what makes no sense there is ignored.
    """

    def __init__(self, brief: Brief, manners: Manners) -> None:
        self._brief = brief
        self._manners = manners
        self.phase = Phase.GREETING
        self._reply = 0
        """The newest reply's number. Only in REPLYING and CLOSING is it under way."""
        self._audible = False
        """Whether any sound of the reply under way has left."""
        self._ending: Ending | None = None
        """How the call ends once the reply under way is out."""
        self._firm = False
        """Whether the callee's words no longer reopen a call that is closing."""
        self._partial = ""
        """The callee's words that no end of turn has confirmed yet."""
        self._early = ("", 0.0)
        """A short answer given while the agent was still speaking, and when."""
        self._loud = False
        self._overlapped = False
        """Whether the callee's side became loud since the reply under way began."""
        self._answered = 0
        """Turns of the callee that were answered: somebody who converses is not a machine."""
        self._check_ins = 0
        self._sayings: list[str] = []
        self._hints: list[str] = []
        self._carried: tuple[list[str], list[str]] = ([], [])
        """The operator's sentence and advice in the reply under way; theirs again if none of it is heard."""
        self._answering = False
        """Whether the reply under way answers the callee."""
        # Moments in the caller's clock, seconds; infinity: not running.
        self._opening_at = _NEVER
        self._greeting_ends = _NEVER
        self._call_ends = _NEVER
        self._reply_ends = _NEVER
        self._turn_ends = _NEVER
        self._check_in_at = _NEVER

    @property
    def deadline(self) -> float | None:
        """When `Tick` must come at the latest; None when nothing is being waited for."""
        first = min(self._timers())
        return None if first == _NEVER else first

    def _timers(self) -> Iterator[float]:
        """The moments that matter in this phase."""
        if self.phase is Phase.OVER:
            yield _NEVER
            return
        yield self._call_ends if self.phase is not Phase.CLOSING else _NEVER
        match self.phase:
            case Phase.GREETING:
                yield from (self._opening_at, self._greeting_ends)
            case Phase.LISTENING:
                yield from (self._turn_ends, self._check_in_at)
            case _:
                yield from (self._turn_ends, self._reply_ends)

    def handle(self, event: FloorEvent, now: float) -> list[Action]:
        """What to do about this event, in order."""
        if self.phase is Phase.OVER:
            return []
        actions = list(self._react(event, now))
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
                self._sound_on()
            case SoundOff():
                self._sound_off(now)
            # An early end is only words so far: no reply is prepared on it.
            case Partial(text) | EagerEnd(text):
                yield from self._words(text, now)
            case TurnEnd(text):
                yield from self._turn_end(text, now)
            case Digit(digit):
                yield from self._turn_end(f"(pressed {digit})", now)
            case Speaking(number) if self._under_way(number):
                self._audible = True
            case Concluded(number, ending) if self._under_way(number):
                self._conclude(ending, now, firm=False)
            case ReplyDone(number) if self._under_way(number):
                yield from self._reply_done(now)
            case ReplyFailed(number, why) if self._under_way(number):
                yield from self._reply_failed(why, now)
            case EarsLost(why):
                yield from self._close(known.TROUBLE, Ending(why, Outcome.FAILED), now)
            case MachineAnswered(kind):
                yield from self._machine(kind, now)
            case Say(text):
                self._sayings = [*self._sayings, text][-_MOST_QUEUED:]
                yield from self._say_next(now)
            case Hint(text):
                self._hints = [*self._hints, text][-_MOST_QUEUED:]
            case HangUp(ending):
                yield from self._end(ending)
            case Ended(why, lost):
                yield from self._end(self._result(Ending(why, Outcome.FAILED if lost else Outcome.HUNG_UP)))
            case Tick() | Resumed() | Speaking() | Concluded() | ReplyDone() | ReplyFailed():
                pass

    # --- the first seconds ----------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        self._opening_at = now + self._manners.greeting_wait
        self._greeting_ends = now + self._manners.greeting_limit
        self._call_ends = now + self._manners.longest_call

    def _sound_on(self) -> None:
        self._loud = self._overlapped = True
        # Somebody is speaking: the greeting's end decides now, not the patience of one who hears nothing.
        self._opening_at = _NEVER

    def _sound_off(self, now: float) -> None:
        self._loud = False
        if self.phase is Phase.GREETING:
            self._opening_at = now + self._manners.greeting_pause
        self._check_in_at = max(self._check_in_at, now + self._manners.check_in_after / 2)

    # --- the callee's words ---------------------------------------------------------------------------------

    def _words(self, text: str, now: float) -> Iterator[Action]:
        """The callee is speaking: give way if that is what they want."""
        if not text.strip():
            return
        self._partial = text
        self._turn_ends = now + self._manners.stalled_turn
        self._check_in_at = now + self._manners.check_in_after
        yield CalleeSays(text, complete=False)
        if self._under_way(self._reply) and self._takes_the_floor(text):
            yield from self._give_way()

    def _takes_the_floor(self, text: str) -> bool:
        """Whether these words, said while a reply is under way, mean that the callee wants to speak."""
        if self.phase is Phase.CLOSING and self._firm:
            return False
        if self._reply == 1 and (not self._overlapped or known.only_greeting(text)):
            # The words of the greeting itself arrive late, when the opening has already begun.
            return False
        if not self._audible:
            # Nothing was heard yet: the callee simply went on after a pause, and the answer must hear it all.
            return not known.only_hum(text)
        if self.phase is Phase.CLOSING and known.only_farewell(text):
            return False
        return len(known.words(text)) >= self._manners.interrupting_words and not known.only_backchannel(text)

    def _give_way(self) -> Iterator[Action]:
        yield Stop(self._reply)
        if not self._audible:
            # Nothing of it was heard: the operator's part in it is still to come, and nobody was answered.
            self._sayings, self._hints = self._carried[0] + self._sayings, self._carried[1] + self._hints
            self._answered -= self._answering
        self._ending = None
        self.phase = Phase.LISTENING

    def _turn_end(self, text: str, now: float) -> Iterator[Action]:
        """The callee has finished. An end of turn without words is the last partial's."""
        text = text.strip() or self._partial
        self._partial, self._turn_ends = "", _NEVER
        if not text:
            return
        self._check_ins = 0
        yield CalleeSays(text, complete=True)
        if self.phase is Phase.GREETING:
            # Their greeting is over, even where noise keeps the line from becoming quiet.
            self._opening_at = min(self._opening_at, now + self._manners.greeting_pause)
        elif self.phase is Phase.LISTENING:
            yield from self._answer(now)
        elif self._under_way(self._reply):
            yield from self._turn_end_over_reply(text, now)

    def _turn_end_over_reply(self, text: str, now: float) -> Iterator[Action]:
        """A whole turn was said over the agent without stopping it: a short word, or the agent is still thinking."""
        negative = known.words(text) in (["no"], ["nope"], ["stop"], ["wait"])
        closed = self.phase is Phase.CLOSING and self._firm
        if self._takes_the_floor(text) or (negative and self._audible and not closed):
            yield from self._give_way()
            yield from self._answer(now)
        else:
            self._early = (text, now)

    # --- the agent's replies --------------------------------------------------------------------------------

    def _under_way(self, number: int) -> bool:
        return self.phase in (Phase.REPLYING, Phase.CLOSING) and number == self._reply

    def _begin(self, now: float, words: str = "", hint: str = "") -> Iterator[Action]:
        self.phase = Phase.REPLYING
        self._reply += 1
        self._audible, self._overlapped = False, self._loud
        self._ending, self._early = None, ("", 0.0)
        self._carried, self._answering = ([], []), False
        self._reply_ends = now + self._manners.longest_reply
        yield Reply(self._reply, words, hint)

    def _answer(self, now: float) -> Iterator[Action]:
        if self._sayings:
            yield from self._say_next(now)
            return
        hints, self._hints = self._hints, []
        yield from self._begin(now, hint=" ".join(hints))
        self._carried, self._answering = ([], hints), True
        self._answered += 1

    def _say_next(self, now: float) -> Iterator[Action]:
        """The operator's words come before the agent's own, but not over the callee, the greeting or the goodbye."""
        if self._partial or self.phase in (Phase.GREETING, Phase.CLOSING) or not self._sayings:
            return
        if self.phase is Phase.REPLYING and self._carried[0]:
            # One sentence of the operator's does not cut another.
            return
        if self.phase is Phase.REPLYING:
            yield Stop(self._reply)
        saying = self._sayings.pop(0)
        yield from self._begin(now, words=saying)
        self._carried = ([saying], [])

    def _reply_done(self, now: float) -> Iterator[Action]:
        self.phase = Phase.LISTENING
        if self._ending is not None:
            yield from self._end(self._ending)
            return
        self._check_in_at = now + self._manners.check_in_after
        text, when = self._early
        if self._sayings:
            yield from self._say_next(now)
        elif text and now - when <= self._manners.answered_early and not known.only_hum(text):
            yield from self._answer(now)

    def _reply_failed(self, why: str, now: float) -> Iterator[Action]:
        """One failure is apologised for and closes the call; a failing apology leaves only the line's own voice."""
        if self.phase is Phase.CLOSING:
            farewell = "" if self._audible else known.TROUBLE
            self.phase = Phase.LISTENING
            yield from self._end(self._result(Ending(why, Outcome.FAILED)), farewell)
        else:
            self.phase = Phase.LISTENING
            yield from self._close(known.TROUBLE, Ending(why, Outcome.FAILED), now)

    # --- the end --------------------------------------------------------------------------------------------

    def _machine(self, kind: str, now: float) -> Iterator[Action]:
        conversing = self._answered >= 2
        if self.phase is Phase.CLOSING or conversing:
            return
        if kind.startswith("machine_end"):
            message = known.voicemail(self._brief)
            yield from self._close(message, Ending("A voicemail message was left.", Outcome.VOICEMAIL), now)
        elif kind == "fax":
            yield from self._end(Ending("A fax machine answered.", Outcome.NO_ANSWER))

    def _result(self, otherwise: Ending) -> Ending:
        """How a call ends whose last words broke off: a message of which nothing was heard was not left."""
        if self._ending is None or (self._ending.outcome is Outcome.VOICEMAIL and not self._audible):
            return otherwise
        return self._ending

    def _close(self, words: str, ending: Ending, now: float, firm: bool = True) -> Iterator[Action]:
        """Say these last words, then end; `firm`: whatever the callee says to that."""
        if self.phase is Phase.CLOSING:
            return
        if self.phase is Phase.REPLYING:
            yield Stop(self._reply)
        yield from self._begin(now, words=words)
        self._conclude(ending, now, firm)

    def _conclude(self, ending: Ending, now: float, firm: bool) -> None:
        """The reply under way is the last one."""
        self.phase, self._ending, self._firm = Phase.CLOSING, ending, firm
        if firm:
            # What the house says at the end is short; a model's last answer may take as long as any.
            self._reply_ends = now + self._manners.closing_limit

    def _end(self, ending: Ending, farewell: str = "") -> Iterator[Action]:
        if self._partial:
            yield CalleeSays(self._partial, complete=True)
        if self._under_way(self._reply):
            yield Stop(self._reply)
        self.phase = Phase.OVER
        yield End(ending, farewell)

    # --- time -----------------------------------------------------------------------------------------------

    def _time_out(self, now: float) -> list[Action]:
        """Act on the one timer that ran out first in importance, and move it."""
        if self.phase is not Phase.CLOSING and self._call_ends <= now:
            self._call_ends = _NEVER
            why = f"The longest call of {self._manners.longest_call / 60:g} minutes was reached."
            return list(self._close(known.TIME_IS_UP, Ending(why, Outcome.FOLLOW_UP), now))
        if self.phase is Phase.GREETING:
            return list(self._begin(now, words=known.opening(self._brief)))
        if self._turn_ends <= now:
            return list(self._turn_end("", now))
        return list(self._check_in(now) if self.phase is Phase.LISTENING else self._reply_overdue(now))

    def _check_in(self, now: float) -> Iterator[Action]:
        if self._loud:
            # There is sound without words: a noisy room or hold music. Wait, but keep counting on the call's limit.
            self._check_in_at = now + self._manners.check_in_after
        elif self._check_ins < self._manners.check_ins:
            self._check_ins += 1
            yield from self._begin(now, words=known.STILL_THERE)
        else:
            ending = Ending("The callee said nothing any more.", Outcome.CALL_BACK)
            yield from self._close(known.SILENT_GOODBYE, ending, now, firm=False)

    def _reply_overdue(self, now: float) -> Iterator[Action]:
        self._reply_ends = _NEVER
        if self._ending is not None:
            yield from self._end(self._ending)
        else:
            yield Stop(self._reply)
            self.phase = Phase.LISTENING
            self._check_in_at = now + self._manners.check_in_after


_NEVER = float("inf")
