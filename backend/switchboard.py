"""Every call of this server: placed and received here, and found again by whoever has something to tell it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Self

from backend.answers import Running
from backend.call.diary import Diary
from backend.call.events import (
    Ending,
    HandBack,
    HangUp,
    Hint,
    MachineAnswered,
    OperatorAnswers,
    Pause,
    Press,
    Resume,
    Say,
    TakeOver,
    Transfer,
)
from backend.call.manners import Manners
from backend.call.tap import Tap
from backend.config import Settings
from backend.engagement import RING_LIMIT, UNANSWERED, Engagement
from backend.models import Brief, Call, Direction, LineKind, Outcome, Refused, Status
from backend.money.books import Books
from backend.outcome.reporter import Reporter
from backend.providers import Providers
from backend.recording.recorder import Recorder
from backend.seams import Line
from backend.storage.store import Store
from backend.telephony.gate import may_dial
from backend.telephony.twilio import Twilio

_REPORT_WITHIN, _MOST_REPORTS = 7 * 86_400.0, 200
"""How old, in seconds, and how many the calls may be that get a report at a start, because a server before had none."""


class NoSuchCall(Exception):
    """There is no call of this id."""


Command = Say | Hint | Pause | Resume | TakeOver | HandBack | Press | Transfer | HangUp | OperatorAnswers
"""What an operator can have done in a running call."""


class CallOver(Exception):
    """The call is over, or has not begun: nothing can be said or done in it."""


class Switchboard:
    """The calls of this server. Enter it to take calls; leaving ends those that are still running."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        providers: Providers,
        carriers: Mapping[LineKind, Twilio],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._providers = providers
        self._carriers = carriers
        self._clock = clock
        self._manners = _manners(settings)
        self._books = Books(store, settings.prices_file)
        self._recorder = Recorder(settings.recordings_path, settings.recording_days, store, clock)
        self._engaged: dict[str, Engagement] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        reporter = Reporter(self._store, self._providers.report_writer(), self._books)
        self._reporter = await self._stack.enter_async_context(reporter)
        await self._stack.enter_async_context(self._recorder)
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._recover()
        for call in self._store.unreported(self._clock() - _REPORT_WITHIN, _MOST_REPORTS):
            self._reporter.request(call.id)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.end_all()
        await self._stack.aclose()

    async def end_all(self) -> None:
        """Hang up on everybody, because the server stops; returns when every row says so."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def live(self) -> int:
        """How many calls are ringing or running."""
        return len(self._engaged)

    # --- placing and taking calls ---------------------------------------------------------------------------

    async def place(self, brief: Brief, dial: bool = True, by: str = "") -> Call:
        """Write the call down and dial it; without `dial`, only write it down for a carrier that will ask for it.

        Args:
            by: the operator's name, for the call's log; as in all that follows.

        Raises:
            Refused: the number, the hourly limit or this machine does not allow it; nothing was written.
            ProviderError: the carrier did not take the call; the row says so.
        """
        now = self._clock()
        if not brief.action.strip():
            raise Refused("What to get done is missing: write in one sentence what the call is for.")
        if brief.line not in self._carriers:
            raise Refused(self._providers.why_no_line(brief.line))
        recent = self._store.placed_since(now - 3600)
        to = may_dial(brief.to, recent, now, self._settings.max_calls_per_hour, self._settings.region)
        self._check_refusal(brief.line, to)
        self._check_room(brief)
        call = Call(secrets.token_urlsafe(9), replace(brief, to=to), created=now)
        self._store.add(call)
        self._diary(call.id).ordered("Place", by)
        if dial:
            await self._engage(call).dial()
        return self._store.call(call.id) or call

    def receive(self, caller: str, sid: str) -> Call:
        """Somebody calls our number: write it down with the inbound profile.

        Raises:
            Refused: there is no inbound profile, or no room; the message is spoken to the caller.
        """
        profile = self._settings
        if not profile.inbound_action:
            raise Refused("Thank you for calling. This number cannot take calls. Goodbye.")
        brief = Brief(
            to=caller,
            action=profile.inbound_action,
            context=profile.inbound_context,
            agent_name=profile.inbound_agent_name,
            organization=profile.inbound_organization,
            line=LineKind.PHONE,
            direction=Direction.INBOUND,
        )
        try:
            self._check_room(brief)
        except Refused:
            raise Refused("All lines are busy just now. Please call again in a few minutes. Goodbye.") from None
        call = Call(secrets.token_urlsafe(9), brief, created=self._clock(), provider_sid=sid)
        self._store.add(call)
        return call

    def _check_refusal(self, line: LineKind, number: str) -> None:
        """Nobody real has the numbers of the practice line."""
        if line is LineKind.PHONE and (refusal := self._store.refused(number)):
            raise Refused(
                f"{number} is on the list of numbers that are never called: {refusal.why} "
                "Take it off the list on the Settings page only if they have agreed to be called again."
            )

    def _check_room(self, brief: Brief) -> None:
        if why := self._providers.why_not(brief):
            raise Refused(why)
        needed = [e for e in self._engaged.values() if self._providers.uses_engines(e.call.brief)]
        if self._providers.uses_engines(brief) and len(needed) >= self._providers.capacity:
            raise Refused(
                f"This machine can hold {self._providers.capacity} call(s) at once with its offline speech, and "
                f"{len(needed)} are running: wait until one ends, or add the provider keys to .env."
            )

    def welcome(self, call_id: str, sid: str) -> str:
        """The carrier has connected this call and asks what to do: the one-time token for its stream.

        Raises:
            NoSuchCall: nobody placed it.
            CallOver: it has ended, or another carrier call claims its row.
        """
        call = self._store.call(call_id)
        if call is None:
            raise NoSuchCall(call_id)
        if call.status.final or call.provider_sid not in ("", sid):
            raise CallOver(call_id)
        if not call.provider_sid:
            # The webhook can overtake the answer to the request that placed the call.
            self._store.change(call_id, provider_sid=sid)
        # A call registered without dialling, or placed before this server was restarted, begins here.
        return (self._engaged.get(call_id) or self._engage(call)).expect_stream()

    def admit(self, token: str, sid: str, line: Line) -> Awaitable[object] | None:
        """Give the line to the call whose token this is; the result ends when the call does. None: not admitted."""
        for engagement in self._engaged.values():
            if engagement.connect(token, sid, line):
                return engagement.over()
        return None

    # --- what the carrier reports ---------------------------------------------------------------------------

    def report(self, call_id: str, status: Status, sequence: int) -> None:
        """A status callback; repeated and late ones change nothing."""
        if not self._store.call(call_id):
            return
        engagement = self._engaged.get(call_id)
        if engagement and status.final:
            engagement.finish(status)
        elif status.final:
            self._diary(call_id).close(status, UNANSWERED[status], sequence)
            self._reporter.request(call_id)
        else:
            answered = {"answered": self._clock()} if status is Status.IN_PROGRESS else {}
            self._store.advance(call_id, status, sequence, **answered)

    def machine(self, call_id: str, kind: str) -> None:
        """The carrier's verdict on who picked up."""
        if engagement := self._engaged.get(call_id):
            engagement.post(MachineAnswered(kind))

    # --- what operators do ----------------------------------------------------------------------------------

    async def command(self, call_id: str, order: Command) -> None:
        """Have it done in a running call; returns when it was, and the page that reads the database can show it.

        Raises:
            NoSuchCall
            CallOver: it makes no sense there; the message says why.
        """
        engagement = self._running(call_id)
        if isinstance(order, Transfer) and not self._transfers(engagement.call.brief.line):
            raise CallOver("There is no phone to hand this call over to: set TRANSFER_NUMBER in .env, and restart.")
        if not engagement.connected:
            raise CallOver("Nobody has picked up yet.")
        self._diary(call_id).ordered(type(order).__name__, order.by)
        done = await engagement.command(order)
        self._store.flush()
        if not done:
            raise CallOver("The agent is no longer in this call.")

    async def take_over(self, call_id: str, by: str = "") -> None:
        """Let the callee hear the operator's own voice, from `speak`, and the agent no more.

        Raises:
            NoSuchCall, CallOver
        """
        await self.command(call_id, TakeOver(by))

    async def hand_back(self, call_id: str, by: str = "") -> None:
        """Let the agent go on; nothing happens where nobody has taken over.

        Raises:
            NoSuchCall, CallOver
        """
        await self.command(call_id, HandBack(by))

    def speak(self, call_id: str, mulaw: bytes) -> bool:
        """The operator's own voice, 8 kHz mu-law of any length, as it comes from the microphone.

        Returns:
            Whether the call is taken over; else it goes nowhere.
        """
        engagement = self._engaged.get(call_id)
        return engagement is not None and engagement.speak(mulaw)

    def tap(self, call_id: str) -> Tap:
        """Where both sides of a call can be heard, from its dialling on.

        Raises:
            NoSuchCall, CallOver
        """
        return self._running(call_id).tap

    def running(self) -> list[Running]:
        """The calls that ring or run, and in whose hands they are."""
        return [Running(call_id, engaged.hands, engaged.phase) for call_id, engaged in self._engaged.items()]

    def _transfers(self, line: LineKind) -> bool:
        """Whether calls of this line can be handed over; the practice line has a phone of its own for it."""
        return line is LineKind.PRACTICE or bool(self._settings.transfer_number)

    def watch(self, call_id: str) -> None:
        """Somebody at the desk has this call before them; nothing happens where it does not run."""
        if engagement := self._engaged.get(call_id):
            engagement.watch()

    async def answer(self, question_id: int, text: str, by: str = "") -> bool:
        """Keep the operator's answer to a question, and let the agent tell it while the call runs; False: settled."""
        question = self._store.question(question_id)
        if question is None or not self._store.settle(question_id, self._clock(), text):
            return False
        self._diary(question.call_id).ordered("OperatorAnswers", by)
        if engagement := self._engaged.get(question.call_id):
            await engagement.command(OperatorAnswers(question.text, text, by))
            self._store.flush()
        return True

    def settle(self, question_id: int) -> bool:
        """Tick a question off; False where it was already."""
        return self._store.settle(question_id, self._clock())

    async def hang_up(self, call_id: str, by: str = "") -> None:
        """End a call, also while it is still ringing.

        Raises:
            NoSuchCall, CallOver
        """
        engagement = self._running(call_id)
        self._diary(call_id).ordered("HangUp", by)
        await engagement.hang_up(HangUp(Ending(f"{by or 'The operator'} hung up.", Outcome.STOPPED), by))
        self._store.flush()

    def _running(self, call_id: str) -> Engagement:
        if call_id in self._engaged:
            return self._engaged[call_id]
        call = self._store.call(call_id)
        if call is None:
            raise NoSuchCall(call_id)
        raise CallOver("This call is over." if call.status.final else "This call has not begun.")

    # --- keeping them ---------------------------------------------------------------------------------------

    def _engage(self, call: Call) -> Engagement:
        carrier = self._carriers.get(call.brief.line)
        engagement = Engagement(call, self._store, self._providers, carrier, self._manners, self._clock, self._recorder)
        self._engaged[call.id] = engagement
        task = self._group.create_task(engagement.run(), name=f"call {call.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(call.id, done))
        return engagement

    def _forget(self, call_id: str, task: asyncio.Task[None]) -> None:
        del self._engaged[call_id]
        self._tasks.discard(task)
        self._books.close(call_id)
        self._reporter.request(call_id)

    def _recover(self) -> None:
        """Close the rows that a server before this one left open; what may still ring waits for its carrier."""
        now = self._clock()
        stopped = Ending("The media server stopped during this call.", Outcome.FAILED)
        for call in self._store.unfinished():
            age = now - call.created
            # The practice line is part of the server, and ended with it.
            ringing = call.status is not Status.IN_PROGRESS and call.brief.line is LineKind.PHONE
            if call.status is Status.CREATED and age < 3600:
                continue
            if ringing and age < RING_LIMIT:
                self._engage(call)
            else:
                self._diary(call.id).close(Status.FAILED, stopped)

    def _diary(self, call_id: str) -> Diary:
        """For the row of a call that has no engagement to write it."""
        return Diary(self._store, call_id, self._clock)


def _manners(settings: Settings) -> Manners:
    """How the agent behaves, where the operator has a say in it."""
    return Manners(
        longest_call=settings.max_call_minutes * 60,
        discloses=settings.ai_disclosure,
        records=settings.record_calls,
        notice=settings.recording_notice if settings.record_calls else "",
        operator_wait=settings.operator_wait,
        speculate=settings.speculation,
        hedge=settings.hedging,
        greeting_wait=settings.greeting_wait,
        filler_after=settings.one_moment_after,
        voiceless_after=max(Manners().voiceless_after, settings.one_moment_after + 0.3),
    )
