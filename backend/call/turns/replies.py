"""What the agent says: at most one reply at a time, from its beginning until it is out, stopped or failed. Pure.

The lowest layer of the `floor`, with all that its layers share.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call import manners as known
from backend.call.events import (
    Action,
    CalleeSays,
    Concluded,
    End,
    Ending,
    FloorEvent,
    Held,
    Note,
    Planned,
    Release,
    Reply,
    ReplyDone,
    ReplyFailed,
    Speaking,
    Stop,
    Tool,
    Wants,
)
from backend.call.manners import Manners
from backend.call.turns.control import Control
from backend.call.turns.deadlines import NEVER, Deadlines, Phase
from backend.call.turns.desk import Desk
from backend.call.turns.hearing import Hearing
from backend.call.turns.reception import Reception
from backend.call.turns.underway import Underway
from backend.call.words import short_words as said
from backend.models import Answerer, Brief, Direction, Hands, Outcome


class Replies:
    """One call's."""

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
        self._control = Control()
        self._deaf = ""
        """Why the agent no longer hears the callee; empty: it does."""
        self._reception = Reception(calls=brief.direction is Direction.INBOUND)
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
        if self._control.aside:
            return Phase.ASIDE
        if self._machine and self._machine is not Answerer.MENU:
            return Phase.MACHINE
        return Phase.LISTENING if self._greeted else Phase.GREETING

    @property
    def hands(self) -> Hands:
        return self._control.hands

    @property
    def _spoken(self) -> Underway | None:
        """The reply under way, unless its gate waits for the callee's turn to end."""
        return None if self._reply is None or self._reply.prepared else self._reply

    # --- beginning one -------------------------------------------------------------------------------------

    def _begin(self, reply: Underway, now: float, words: str = "") -> Reply:
        """Begin this one, with these words, or else with those of the model."""
        # What the operator has said or pressed meanwhile is no greeting.
        self._greeted |= not (reply.keys or self._control.aside)
        self._replies += 1
        reply.number, self._reply, self._early = self._replies, reply, ("", 0.0)
        self._hearing.unheard = False
        self._due.reply = now + self._manners.longest_reply
        return Reply(reply.number, words, " ".join(reply.hints), reply.prepared, reply.keys)

    def _prepare(self, now: float) -> Iterator[Action]:
        """Answer words that are probably the callee's last, behind a shut gate."""
        listening = self.phase is Phase.LISTENING and not (self._reply or self._machine) and self._hearing.partial
        if self._manners.speculate and listening and not self._desk.has_words:
            answers, hints = said.words(self._hearing.partial), self._desk.advice()
            yield self._begin(Underway(prepared=True, answers=answers, hints=hints), now)

    def _answer(self, text: str, now: float) -> Iterator[Action]:
        prepared, desk = self._reply, self._desk
        if prepared and prepared.answers == said.words(text) and not (desk.has_words or desk.has_advice):
            prepared.prepared = False
            yield Release(prepared.number)
            yield from self._have_done(prepared, now)
            return
        yield from self._discard()
        if not desk.has_words:
            # Else the operator has the answer, and it is said as soon as the callee is quiet.
            yield self._begin(Underway(answers=said.words(text), hints=desk.advice()), now)

    # --- news of it ----------------------------------------------------------------------------------------

    def _follow(self, reply: Underway, event: FloorEvent, now: float) -> Iterator[Action]:
        """News of the reply under way. That of any other is too late."""
        match event:
            case Planned(reply.number, words):
                reply.planned = f"{reply.planned} {words}".strip()
            case Speaking(reply.number):
                reply.audible = True
                if not reply.keys:
                    self._control.owed = ""
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

    def _held(self, reply: Underway, news: Held) -> Iterator[Action]:
        """The reply was silenced. Words may have come before it was, which can be judged only now."""
        reply.heard, reply.left = news.heard, news.left
        if news.over:
            reply.held, self._due.hold = False, NEVER
        words = self._hearing.partial
        if words and reply.audible and reply.gives_way_to(words, self._manners, growing=True):
            yield from self._give_way(reply)

    def _reply_done(self, reply: Underway, now: float) -> Iterator[Action]:
        self._reception.opened |= reply.opening
        self._reception.listened |= reply.opening and self._hearing.sounded_for < self._manners.long_greeting
        reason = dict(reply.wants).get(Tool.TRANSFER)
        final = reply.ending is not None and reason is None
        if final and not (reply.firm or self._machine) and self._hearing.beginning:
            # Nobody is cut off at their first word; if that was all, the call ends.
            reply.done, self._due.reply = True, now + self._manners.last_word
            return
        self._leave(reply)
        if reason is not None:
            yield from self._hand_over(Note(f"Handed over to the operator's phone: {reason}"), reason)
            return
        if reply.ending is not None:
            yield from self._end(reply.ending)
            return
        self._be_patient(now)
        yield from self._apologise_deaf(now)
        if self.phase is Phase.LISTENING and (text := self._unanswered(reply, now)):
            yield from self._answer(text, now)

    def _unanswered(self, reply: Underway, now: float) -> str:
        """What the callee said before or during this reply that is still to be answered."""
        if reply.keys:
            return "" if self._machine or self._hearing.partial else self._control.owed
        text, when = self._early
        return text if now - when <= self._manners.answered_early and not said.only_hum(text) else ""

    def _reply_failed(self, reply: Underway, failed: ReplyFailed, now: float) -> Iterator[Action]:
        """One failure is apologised for and closes the call; a failing apology leaves only the line's own voice."""
        ending = Ending(failed.why, Outcome.FAILED)
        if self._control.aside:
            # The operator has the call, and it is for them to end it, or to say it otherwise.
            yield from self._desk.gives_up([] if reply.audible else reply.sayings)
            self._leave(reply)
        elif reply.prepared:
            # Nobody waits for it yet: when the callee has finished, another try may be luckier.
            self._drop(reply)
        elif reply.held and not (reply.ending or failed.mute):
            # Nor does anybody want an apology in the middle of their own words, if words they are.
            self._drop(reply)
            self._hearing.unheard = True
            self._be_patient(now, self._manners.unheard_wait)
        elif reply.ending or failed.mute:
            farewell = "" if reply.ending and reply.audible else known.TROUBLE
            ending = self._result(ending)
            self._drop(reply)
            yield from self._end(ending, farewell)
        else:
            self._drop(reply)
            yield from self._close(known.TROUBLE, ending, now)

    def _reply_overdue(self, reply: Underway, now: float) -> Iterator[Action]:
        self._due.reply = NEVER
        if reply.ending:
            unfinished = Ending("The message for the voicemail did not come to its end.", Outcome.FAILED)
            yield from self._end(self._result(unfinished))
        else:
            yield from self._give_way(reply)
            self._be_patient(now)

    def _be_patient(self, now: float, wait: float | None = None) -> None:
        """Break the quiet after so many seconds; that of a machine when it has kept us for long enough."""
        wait = self._manners.check_in_after if wait is None else wait
        self._due.check_in = self._due.machine if self._machine else now + wait

    def _have_done(self, reply: Underway, now: float) -> Iterator[Action]:
        """What takes effect at once, as soon as it is certain that the reply will be heard."""
        if reply.prepared:
            return
        wanted, reply.wants = reply.wants, [want for want in reply.wants if want[0] is Tool.TRANSFER]
        for tool, about in wanted:
            yield from self._desk.carry_out(tool, about, now)

    def _hand_over(self, note: Note, reason: str = "") -> Iterator[Action]:
        ending = Ending("The call was handed over to the operator's phone.", Outcome.TRANSFERRED, reason)
        yield note
        yield from self._end(ending, transfer=True)

    # --- letting it be heard, or not -----------------------------------------------------------------------

    def _release(self, reply: Underway) -> Iterator[Action]:
        """The sound was none that wants the floor."""
        reply.held, self._due.hold = False, NEVER
        yield Release(reply.number)

    def _give_way(self, reply: Underway) -> Iterator[Action]:
        if not reply.done:
            yield Stop(reply.number)
        self._drop(reply)

    def _discard(self) -> Iterator[Action]:
        """The callee did not finish with the words that a reply was prepared on."""
        if self._reply and self._reply.prepared:
            yield from self._give_way(self._reply)

    def _drop(self, reply: Underway) -> None:
        if reply.opening:
            heard = reply.heard if reply.audible and reply.heard else ""
            self._desk.owe(known.unheard(self._brief, heard, self._manners.discloses, self._manners.notice))
        elif not reply.audible:
            # Nothing of it was heard: the operator's part in it is still to come.
            self._desk.take_back(reply.sayings, reply.hints)
        self._leave(reply)

    def _leave(self, reply: Underway) -> None:
        """It is over, but for its echo."""
        self._last = reply if reply.audible else self._last
        self._reply, self._due.hold = None, NEVER

    # --- the last one --------------------------------------------------------------------------------------

    def _result(self, otherwise: Ending) -> Ending:
        """How a call ends whose last words broke off: a message that was not heard to its end was not left."""
        reply = self._spoken
        if reply is None or reply.ending is None or reply.ending.outcome is Outcome.VOICEMAIL:
            return otherwise
        return reply.ending

    def _apologise_deaf(self, now: float) -> Iterator[Action]:
        """An agent that hears nothing has to go; an operator who talks need not."""
        if self._deaf and not self._control.aside:
            yield from self._close(known.TROUBLE, Ending(self._deaf, Outcome.FAILED), now)

    def _close(self, words: str, ending: Ending, now: float, firm: bool = True) -> Iterator[Action]:
        """Say these last words, then end; `firm`: whatever the callee says to that."""
        if self.phase is Phase.CLOSING:
            return
        if self._reply:
            yield from self._give_way(self._reply)
        yield self._begin(Underway(ending=ending, firm=firm), now, words)
        if firm:
            # What the house says at the end is short; a model's last answer may take as long as any.
            self._due.reply = now + self._manners.closing_limit

    def _end(self, ending: Ending, farewell: str = "", transfer: bool = False) -> Iterator[Action]:
        yield from self._control.ends()
        if words := self._hearing.partial:
            yield CalleeSays(words, complete=True)
        if self._reply:
            yield from self._give_way(self._reply)
        yield from self._desk.ends()
        self._over = True
        yield End(ending, farewell, transfer)
