"""Who has the floor: all turn-taking of a call, decided purely.

`handle(event, now)` takes what happened and returns what to do; `deadline` says when to come back with a `Tick` if
nothing else happens. No clock is read and nothing is awaited here, so every rule can be tested as a plain function and
a recorded call can be replayed exactly.

The floor is in one of six phases:

    GREETING ──► LISTENING ◄──► REPLYING ──► CLOSING ──► OVER
       │   └───────(opening)───────▲            ▲
       └─────────────────────► MACHINE ─────────┘

GREETING   The line is open. Whoever picks up a phone says "hello" first, and talking over it is the surest way to sound
           like a machine; so the agent waits for that greeting to end, but not for long.
LISTENING  It is the callee's turn, or nobody's. A reply may be prepared, on words that are probably their last: it is
           thought out and voiced, but its gate is shut. It is released if they were, else it was never there.
REPLYING   Exactly one reply is being thought out or spoken. Replies are numbered; whatever arrives with another number
           is late news of a reply that was stopped, and is ignored. When the callee makes a sound, the gate is shut
           again: the reply is held, until words or silence tell whether they want the floor.
MACHINE    No person picked up, or not yet: a voicemail talks, or music plays. Nothing is answered; a message is left
           when it records, and somebody who comes to the phone is greeted anew.
CLOSING    The reply under way is the last: when it has been played the call ends.
OVER       Nothing is returned any more.

Left alone, every phase ends: each has a deadline.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call import manners as known
from backend.call import short_words as said
from backend.call.completeness import unfinished
from backend.call.deadlines import NEVER, Deadlines, Phase
from backend.call.desk import Desk
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
    Held,
    Hint,
    Hold,
    MachineAnswered,
    Note,
    OperatorAnswers,
    OperatorWatches,
    Planned,
    Release,
    Reply,
    ReplyDone,
    ReplyFailed,
    Say,
    SoundOff,
    SoundOn,
    Speaking,
    Stop,
    ToneHeard,
    Tool,
    Wants,
)
from backend.call.greetings import only_waits
from backend.call.hearing import Hearing
from backend.call.manners import Manners
from backend.call.opting_out import opts_out
from backend.call.reception import Reception
from backend.call.tones import Signal
from backend.call.underway import Underway
from backend.models import Answerer, Brief, Digit, EagerEnd, Ended, Outcome, Partial, Resumed, TurnEnd


class Floor:
    """The turn-taking of one call.

    `handle` may be called with any event in any phase; what makes no sense there is ignored.
    """

    def __init__(self, brief: Brief, manners: Manners) -> None:
        self._brief = brief
        self._manners = manners
        self._greeted = False
        """Whether the first words have begun, so that the greeting is over."""
        self._over = False
        self._replies = 0
        self._reply: Underway | None = None
        self._last: Underway | None = None
        """The reply before, whose echo may still come."""
        self._hearing = Hearing(manners)
        self._early = ("", 0.0)
        """A short answer given while the agent was still speaking, and when."""
        self._check_ins = 0
        self._desk = Desk(brief.line, manners)
        self._reception = Reception()
        self._machine: Answerer | None = None
        """The machine that picked up, where it is certain that one did."""
        self._screened = False
        """Whether an assistant that screens calls was told who is calling."""
        self._repeated = False
        """Whether the message was begun anew, because the beep came late."""
        self._due = Deadlines()

    @property
    def phase(self) -> Phase:
        if self._over:
            return Phase.OVER
        if reply := self._spoken:
            return Phase.CLOSING if reply.ending else Phase.REPLYING
        if self._machine and self._machine is not Answerer.MENU:
            return Phase.MACHINE
        return Phase.LISTENING if self._greeted else Phase.GREETING

    @property
    def receives(self) -> bool:
        """Whether it is still a question who picked up, so that tones are worth listening for."""
        return self._reception.listens and not self._over

    @property
    def _spoken(self) -> Underway | None:
        """The reply under way, unless its gate waits for the callee's turn to end."""
        return None if self._reply is None or self._reply.prepared else self._reply

    @property
    def deadline(self) -> float | None:
        """When `Tick` must come at the latest; None when nothing is being waited for."""
        first = min(self._due.first(self.phase), self._reception_due, self._desk_due)
        return None if first == NEVER else first

    @property
    def _reception_due(self) -> float:
        """When time alone tells who picked up."""
        return NEVER if self.phase in (Phase.CLOSING, Phase.OVER) else self._reception.deadline

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
            case Say(text):
                self._desk.say(text)
                yield from self._say_next(now)
            case Hint(text):
                # A reply that was prepared without it would not know it.
                yield from self._discard()
                yield from self._desk.hint(text)
            case OperatorAnswers(question, answer):
                yield from self._discard()
                yield from self._desk.answers(question, answer)
                yield from self._tell_news(now)
            case OperatorWatches():
                self._desk.watches(now)
            case EarsLost(why):
                yield from self._close(known.TROUBLE, Ending(why, Outcome.FAILED), now)
            case MachineAnswered(kind):
                self._reception.verdict(kind, now)
            case ToneHeard(signal):
                self._reception.tone(signal, now)
                if signal is Signal.BEEP:
                    yield from self._beep(now)
            case HangUp(ending):
                yield from self._end(ending)
            case Ended(why, lost):
                yield from self._end(self._result(Ending(why, Outcome.FAILED if lost else self._left)))
            case _ if self._reply:
                yield from self._follow(self._reply, event, now)

    def _follow(self, reply: Underway, event: FloorEvent, now: float) -> Iterator[Action]:
        """News of the reply under way. That of any other is too late."""
        match event:
            case Planned(reply.number, words):
                reply.planned = f"{reply.planned} {words}".strip()
            case Speaking(reply.number):
                reply.audible = True
            case Held(reply.number):
                yield from self._held(reply, event)
            case Concluded(reply.number, ending):
                reply.ending = ending
                # A last answer without end must not outlive the call's limit, which no longer counts then.
                self._due.reply = min(self._due.reply, self._due.call + self._manners.closing_limit)
                if ending.outcome is Outcome.OPTED_OUT:
                    reply.wants.append((Tool.DO_NOT_CALL, ""))
                yield from self._have_done(reply, now)
            case Wants(reply.number, tool, about):
                reply.wants.append((tool, about))
                yield from self._have_done(reply, now)
            case ReplyDone(reply.number):
                yield from self._reply_done(reply, now)
            case ReplyFailed(reply.number):
                yield from self._reply_failed(reply, event, now)

    # --- the first seconds ----------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        self._due.opening = now + self._manners.greeting_wait
        self._due.greeting = now + self._manners.greeting_limit
        self._due.call = now + self._manners.longest_call

    def _open(self, now: float) -> Iterator[Action]:
        yield self._begin(now, words=known.opening(self._brief, self._manners.discloses))
        if self._reply:
            self._reply.opening = True

    # --- sound of the callee's side -------------------------------------------------------------------------

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
                self._due.hold = now + self._manners.hold_limit
                yield Hold(reply.number)

    def _sound_off(self, now: float) -> None:
        hearing, manners = self._hearing, self._manners
        short = hearing.becomes(loud=False, now=now) < manners.short_sound
        if not self._greeted:
            self._due.opening = now + manners.greeting_pause
        self._due.check_in = max(self._due.check_in, now + manners.check_in_after / 2)
        if hearing.partial:
            self._due.turn = min(self._due.turn, now + hearing.patience(now))
        elif self.phase is Phase.LISTENING and not short and self._check_ins < manners.check_ins:
            hearing.unheard = True
            self._due.check_in = now + manners.unheard_wait
        if self._reply and self._reply.held:
            self._due.hold = now if short or hearing.partial else now + manners.words_late

    def _held(self, reply: Underway, news: Held) -> Iterator[Action]:
        """The reply was silenced. Words may have come before it was, which can be judged only now."""
        reply.heard = f"{news.heard} {' '.join(news.left.split()[:_ALMOST_SAID])}"
        if news.over:
            reply.held, self._due.hold = False, NEVER
        words = self._hearing.partial
        if words and reply.audible and reply.gives_way_to(words, self._manners, growing=True):
            yield from self._give_way(reply)

    def _release(self, reply: Underway) -> Iterator[Action]:
        """The sound was none that wants the floor."""
        reply.held, self._due.hold = False, NEVER
        yield Release(reply.number)

    # --- the callee's words ---------------------------------------------------------------------------------

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
        self._due.check_in = now + self._manners.check_in_after
        yield CalleeSays(self._hearing.partial, complete=False)
        if (reply := self._spoken) and reply.gives_way_to(text, self._manners, growing=True):
            yield from self._give_way(reply)
        elif self._reply and self._reply.prepared and self._reply.answers != said.words(self._hearing.partial):
            yield from self._discard()

    def _told_twice(self, text: str) -> bool:
        """Whether a recogniser repeats the turn that is being answered."""
        reply = self._spoken
        return reply is not None and not reply.overlapped and reply.answers == said.words(text)

    def _is_echo(self, text: str, now: float) -> bool:
        return self._hearing.is_echo(text, self._spoken, self._last, now)

    def _give_way(self, reply: Underway) -> Iterator[Action]:
        yield Stop(reply.number)
        self._drop(reply)

    def _discard(self) -> Iterator[Action]:
        """The callee did not finish with the words that a reply was prepared on."""
        if self._reply and self._reply.prepared:
            yield from self._give_way(self._reply)

    def _drop(self, reply: Underway) -> None:
        if not reply.audible:
            # Nothing of it was heard: the operator's part in it is still to come.
            self._desk.take_back(reply.sayings, reply.hints)
        self._leave(reply)

    def _leave(self, reply: Underway) -> None:
        """It is over, but for its echo."""
        self._last = reply if reply.audible else self._last
        self._reply, self._due.hold = None, NEVER

    def _turn_end(self, text: str, now: float) -> Iterator[Action]:
        """The callee has finished. An end of turn without words is the last partial's."""
        if text and (self._told_twice(text) or self._is_echo(text, now)):
            return
        reads_out = self._machine is Answerer.MENU
        if self.phase is Phase.LISTENING and self._hearing.waits_for_more(text, now, reads_out):
            # Nobody stops after "my number is". If they do, the answer is ready by then.
            self._due.turn = now + self._hearing.patience(now)
            self._due.check_in = now + self._manners.check_in_after
            yield CalleeSays(self._hearing.partial, complete=False)
            yield from self._prepare(now)
            return
        self._due.turn = NEVER
        if whole := self._hearing.end(text):
            self._check_ins = 0
            self._reception.hears(whole, True, now)
            yield CalleeSays(whole, complete=True)
            if opts_out(whole):
                yield from self._desk.opt_out()
                self._desk.advise(known.OPTED_OUT)
            yield from self._respond(whole, now)

    def _respond(self, text: str, now: float) -> Iterator[Action]:
        """A whole turn was said."""
        if reply := self._spoken:
            yield from self._turn_end_over(reply, text, now)
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
            yield from self._answer(text, now)
        else:
            self._early = (text, now)
            if reply.held and not self._hearing.loud:
                yield from self._release(reply)

    # --- the agent's replies --------------------------------------------------------------------------------

    def _begin(
        self,
        now: float,
        words: str = "",
        answers: list[str] | None = None,
        hints: list[str] | None = None,
        held: bool = False,
    ) -> Reply:
        """A new reply, which may be heard unless it is `held` until the callee's turn has ended."""
        self._greeted = True
        self._replies += 1
        self._reply = Underway(self._replies, held, answers, hints=hints or [])
        self._early = ("", 0.0)
        self._due.reply = now + self._manners.longest_reply
        return Reply(self._replies, words, " ".join(hints or []), held)

    def _prepare(self, now: float) -> Iterator[Action]:
        """Answer words that are probably the callee's last, behind a shut gate."""
        listening = self.phase is Phase.LISTENING and not (self._reply or self._machine) and self._hearing.partial
        if self._manners.speculate and listening and not self._desk.has_words:
            yield self._begin(now, answers=said.words(self._hearing.partial), hints=self._desk.advice(), held=True)

    def _answer(self, text: str, now: float) -> Iterator[Action]:
        prepared = self._reply
        if prepared and prepared.answers == said.words(text) and not self._desk.has_words:
            prepared.prepared = False
            yield Release(prepared.number)
            yield from self._have_done(prepared, now)
            return
        yield from self._discard()
        if self._desk.has_words:
            yield from self._say_next(now)
            return
        yield self._begin(now, answers=said.words(text), hints=self._desk.advice())

    def _say_next(self, now: float) -> Iterator[Action]:
        """The operator's words come before the agent's own, but not over the callee, the greeting or the goodbye."""
        if self._hearing.partial or not self._desk.has_words or self.phase in _NOT_YET:
            return
        if self._reply and self._reply.sayings:
            # One sentence of the operator's does not cut another.
            return
        if self._reply:
            yield from self._give_way(self._reply)
        saying = self._desk.next_words()
        yield Note(f"The operator says: {saying}")
        yield self._begin(now, words=saying)
        if self._reply:
            self._reply.sayings = [saying]

    def _reply_done(self, reply: Underway, now: float) -> Iterator[Action]:
        self._reception.opened |= reply.opening
        self._reception.listened |= reply.opening and self._hearing.sounded_for < self._manners.long_greeting
        self._leave(reply)
        if (reason := dict(reply.wants).get(Tool.TRANSFER)) is not None:
            yield from self._hand_over(reason)
            return
        if reply.ending is not None:
            yield from self._end(reply.ending)
            return
        self._due.check_in = now + self._manners.check_in_after
        text, when = self._early
        if self._desk.has_words:
            yield from self._say_next(now)
        elif self._desk.news and not self._hearing.partial:
            yield self._begin(now, hints=self._desk.advice())
        elif text and now - when <= self._manners.answered_early and not said.only_hum(text):
            yield from self._answer(text, now)

    def _reply_failed(self, reply: Underway, failed: ReplyFailed, now: float) -> Iterator[Action]:
        """One failure is apologised for and closes the call; a failing apology leaves only the line's own voice."""
        ending = Ending(failed.why, Outcome.FAILED)
        if reply.prepared:
            # Nobody waits for it yet: when the callee has finished, another try may be luckier.
            self._drop(reply)
        elif reply.held and not (reply.ending or failed.mute):
            # Nor does anybody want an apology in the middle of their own words, if words they are.
            self._drop(reply)
            self._hearing.unheard, self._due.check_in = True, now + self._manners.unheard_wait
        elif reply.ending or failed.mute:
            farewell = "" if reply.ending and reply.audible else known.TROUBLE
            ending = self._result(ending)
            self._reply = None
            yield from self._end(ending, farewell)
        else:
            self._drop(reply)
            yield from self._close(known.TROUBLE, ending, now)

    # --- what the agent wants done, and what the operator answers -------------------------------------------

    def _have_done(self, reply: Underway, now: float) -> Iterator[Action]:
        """What takes effect at once, as soon as it is certain that the reply will be heard."""
        if reply.prepared:
            return
        wanted, reply.wants = reply.wants, [want for want in reply.wants if want[0] is Tool.TRANSFER]
        for tool, about in wanted:
            yield from self._desk.carry_out(tool, about, now)

    def _hand_over(self, reason: str) -> Iterator[Action]:
        ending = Ending("The call was handed over to the operator's phone.", Outcome.TRANSFERRED, reason)
        self._over = True
        yield Note(f"Handed over to the operator's phone: {reason}")
        yield End(ending, transfer=True)

    def _tell_news(self, now: float) -> Iterator[Action]:
        """The operator's answer is told without waiting for the callee's next turn, unless that is under way."""
        if self.phase is Phase.LISTENING and not (self._hearing.partial or self._hearing.loud):
            yield self._begin(now, hints=self._desk.advice())

    def _operator_late(self, now: float) -> Iterator[Action]:
        yield from self._discard()
        words = self._desk.late(now)
        if not self._hearing.partial:
            yield self._begin(now, words=words, hints=[] if words else self._desk.advice())

    # --- machines -------------------------------------------------------------------------------------------

    def _attend(self, now: float) -> Iterator[Action]:
        """Act on who picked up, as far as that is known by now."""
        if self._over:
            return
        reception = self._reception
        if news := reception.news():
            yield news
        if reception.dead:
            yield from self._end(Ending(reception.why, Outcome.NO_ANSWER))
        elif reception.machine is not self._machine:
            yield from self._turns_out(reception.machine, now)
        after = reception.speak_after
        recording = self.phase is Phase.MACHINE and self._machine is Answerer.VOICEMAIL
        self._due.message = after if recording and after is not None else NEVER
        if self.phase is Phase.GREETING and reception.suspects:
            self._due.greeting = NEVER
        if after is not None and self._due.opening != NEVER:
            self._due.opening = max(self._due.opening, after)

    def _turns_out(self, machine: Answerer | None, now: float) -> Iterator[Action]:
        """It is a machine, or another one, or somebody has come to the phone."""
        if self.phase is Phase.CLOSING:
            return
        self._machine, self._check_ins = machine, 0
        if self._reply:
            yield from self._give_way(self._reply)
        if machine in _NOBODY:
            yield from self._end(Ending(_NOBODY[machine], Outcome.NO_ANSWER))
        elif machine is None:
            # Whoever comes to the phone now has not heard who is calling.
            self._greeted = False
            self._due.opening = NEVER if self._hearing.loud else now + self._manners.greeting_pause
            self._due.greeting = now + self._manners.greeting_limit
        else:
            self._greeted, self._early = True, ("", 0.0)
            self._due.machine = self._due.check_in = now + self._manners.on_hold

    def _answer_machine(self, text: str, now: float) -> Iterator[Action]:
        """A menu is answered towards the goal, and an assistant that screens is told who calls; others get nothing."""
        if self._machine is Answerer.SCREENER and not self._screened:
            self._screened = True
            yield from self._discard()
            yield self._begin(now, words=known.screened(self._brief, self._manners.discloses))
        elif self._machine in _TALKING and not only_waits(text):
            self._desk.advise(_TALKING[self._machine])
            yield from self._answer(text, now)

    def _machine_overdue(self, now: float) -> Iterator[Action]:
        if self._due.message <= now:
            yield from self._leave_message(now)
        else:
            yield from self._end(Ending(_WAITED[self._machine or Answerer.HOLD], Outcome.NO_ANSWER))

    def _leave_message(self, now: float) -> Iterator[Action]:
        words = known.voicemail(self._brief, self._manners.discloses)
        yield from self._close(words, Ending("A voicemail message was left.", Outcome.VOICEMAIL), now)

    def _beep(self, now: float) -> Iterator[Action]:
        """What was said before the beep is on no recording, so the message begins anew, once."""
        reply = self._spoken
        if reply and reply.ending and reply.ending.outcome is Outcome.VOICEMAIL and not self._repeated:
            self._repeated = True
            yield from self._give_way(reply)
            yield from self._leave_message(now)

    # --- the end --------------------------------------------------------------------------------------------

    @property
    def _left(self) -> Outcome:
        """What it means that the other side has hung up."""
        return Outcome.NO_ANSWER if self._machine else Outcome.HUNG_UP

    def _result(self, otherwise: Ending) -> Ending:
        """How a call ends whose last words broke off: a message that was not heard to its end was not left."""
        reply = self._spoken
        if reply is None or reply.ending is None or reply.ending.outcome is Outcome.VOICEMAIL:
            return otherwise
        return reply.ending

    def _close(self, words: str, ending: Ending, now: float, firm: bool = True) -> Iterator[Action]:
        """Say these last words, then end; `firm`: whatever the callee says to that."""
        if self.phase is Phase.CLOSING:
            return
        if self._reply:
            yield from self._give_way(self._reply)
        yield self._begin(now, words=words)
        if self._reply:
            self._reply.ending, self._reply.firm = ending, firm
        if firm:
            # What the house says at the end is short; a model's last answer may take as long as any.
            self._due.reply = now + self._manners.closing_limit

    def _end(self, ending: Ending, farewell: str = "") -> Iterator[Action]:
        if words := self._hearing.partial:
            yield CalleeSays(words, complete=True)
        if self._reply:
            yield Stop(self._reply.number)
        self._over = True
        yield End(ending, farewell)

    # --- time -----------------------------------------------------------------------------------------------

    def _time_out(self, now: float) -> list[Action]:
        """Act on the one timer that ran out first in importance, and move it."""
        phase = self.phase
        if phase is not Phase.CLOSING and self._due.call <= now:
            self._due.call = NEVER
            why = f"The longest call of {self._manners.longest_call / 60:g} minutes was reached."
            return list(self._close(known.TIME_IS_UP, Ending(why, Outcome.FOLLOW_UP), now))
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

    def _check_in(self, now: float) -> Iterator[Action]:
        if self._hearing.loud:
            # There is sound without words: a noisy room or hold music. Wait, but keep counting on the call's limit.
            self._due.check_in = now + self._manners.check_in_after
        elif self._machine:
            yield from self._end(Ending(_WAITED[self._machine], Outcome.NO_ANSWER))
        elif self._check_ins < self._manners.check_ins:
            self._check_ins += 1
            yield from self._discard()
            yield self._begin(now, words=known.PARDON if self._hearing.unheard else known.STILL_THERE)
            self._hearing.unheard = False
        else:
            outcome = Outcome.NO_ANSWER if self._reception.silent else Outcome.CALL_BACK
            ending = Ending("The callee said nothing any more.", outcome)
            yield from self._close(known.SILENT_GOODBYE, ending, now, firm=False)

    def _reply_overdue(self, reply: Underway, now: float) -> Iterator[Action]:
        self._due.reply = NEVER
        if reply.ending is not None:
            yield from self._end(reply.ending)
        else:
            yield from self._give_way(reply)
            self._due.check_in = now + self._manners.check_in_after


_NOT_YET = (Phase.GREETING, Phase.MACHINE, Phase.CLOSING)
"""Phases in which the operator's words wait."""
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
_ALMOST_SAID = 3
"""Words: a question so close to its end counts as asked, since the callee can hear what it is."""
