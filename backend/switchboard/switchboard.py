"""Every call of this server: placed and received here, and found again by whoever has something to tell it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Self

from backend.call.events import MachineAnswered
from backend.config import Settings
from backend.models import Brief, Call, Direction, LineKind, ProviderError, Refused, Status
from backend.money.books import Books
from backend.outcome.messenger import Messenger
from backend.outcome.reporter import Reporter
from backend.providers import Providers
from backend.recording.recorder import Recorder
from backend.seams import Line
from backend.settings.behaviour import manners
from backend.storage.store import Store
from backend.switchboard.closing import REGISTERED, Closing
from backend.switchboard.engagement import UNANSWERED, Engagement
from backend.switchboard.orders import CallOver, NoSuchCall, Orders
from backend.switchboard.returned import missed
from backend.telephony.gate import described
from backend.telephony.limits import DAY, HOUR, check_cost, check_frequency, check_hour
from backend.telephony.twilio import Twilio
from backend.telephony.unsigned import Unsigned

__all__ = ["CallOver", "NoSuchCall", "Switchboard"]

_LOG = logging.getLogger(__name__)

_REPORT_WITHIN, _MOST_REPORTS = 7 * 86_400.0, 200
"""How old, in seconds, and how many the calls may be that get a report at a start, because a server before had none."""


class Switchboard(Orders):
    """The calls of this server. Enter it to take calls; leaving ends those that are still running."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        providers: Providers,
        carriers: Mapping[LineKind, Twilio],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings, store, clock)
        self._providers = providers
        self._carriers = carriers
        self._manners = manners(settings)
        self._books = Books(store, settings.prices_file)
        self._recorder = Recorder(settings.recordings_path, settings.recording_days, store, clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()
        self.unsigned = Unsigned()

    async def __aenter__(self) -> Self:
        messenger = Messenger(self._store, self._settings.result_url, self._settings.result_secret)
        tell = (await self._stack.enter_async_context(messenger)).tell
        reporter = Reporter(self._store, self._providers.report_writer(), self._books, tell)
        self._reporter = await self._stack.enter_async_context(reporter)
        await self._stack.enter_async_context(self._recorder)
        closing = Closing(self._store, self._books, self._reporter, self._engaged, self._clock)
        self._closing = await self._stack.enter_async_context(closing)
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        for call in self._store.unreported(self._clock() - _REPORT_WITHIN, _MOST_REPORTS):
            self._reporter.request(call.id)
        for call in self._closing.left_behind():
            self._engage(call)
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

    async def place(
        self, brief: Brief, dial: bool = True, by: str = "", any_hour: bool = False, request: str = ""
    ) -> Call:
        """Write the call down and dial it; without `dial`, only write it down for a carrier that will ask for it.

        Args:
            by: the operator's name, for the call's log; as in all that follows.
            any_hour: they expect the call, whatever time it is there.
            request: the requester's own name for it: a second request of this name gives the first one's call.

        Raises:
            Refused: the number, the hour, a limit or this machine does not allow it; nothing was written.
            ProviderError: the carrier did not take the call; the row says so.
        """
        if request and (placed := self._store.call_of_request(request)):
            return _as_it_went(placed)
        now = self._clock()
        if not brief.action.strip():
            raise Refused("What to get done is missing: write in one sentence what the call is for.")
        if brief.line not in self._carriers:
            raise Refused(self._providers.why_no_line(brief.line))
        to = self._permitted(brief, now, any_hour)
        self._check_room(brief)
        call = Call(secrets.token_urlsafe(9), replace(brief, to=to), created=now)
        self._store.add(call, request)
        self._diary(call.id).ordered("Place" if dial else REGISTERED, by)
        # Whoever finds the row after a crash must know whether anybody was to dial it.
        self._store.hurry()
        if dial:
            await self._engage(call).dial()
        return self._store.call(call.id) or call

    def receive(self, caller: str, sid: str) -> Call:
        """Somebody calls our number: write it down with the inbound profile.

        Raises:
            Refused: there is no inbound profile, no room, too many call or nothing is left to spend; the message is
                spoken to the caller, and without one the call is not answered.
        """
        profile = self._settings
        if not profile.inbound_action:
            raise Refused("Thank you for calling. This number cannot take calls. Goodbye.")
        brief = Brief(
            to=caller,
            action=profile.inbound_action,
            context="\n".join(filter(None, [profile.inbound_context, self._missed(caller)])),
            agent_name=profile.inbound_agent_name,
            organization=profile.inbound_organization,
            line=LineKind.PHONE,
            direction=Direction.INBOUND,
        )
        try:
            self._check_incoming(self._clock())
        except Refused as limit:
            _LOG.warning("an incoming call was turned away: %s", limit)
            # Nothing to say: to answer it would cost, too.
            raise Refused("") from None
        try:
            self._check_room(brief)
        except Refused:
            raise Refused("All lines are busy just now. Please call again in a few minutes. Goodbye.") from None
        call = Call(secrets.token_urlsafe(9), brief, created=self._clock(), provider_sid=sid)
        self._store.add(call)
        return call

    def _missed(self, caller: str) -> str:
        """What the agent may know of our own call to this number."""
        return missed(self._store.calls_with(caller), self._clock())

    def _permitted(self, brief: Brief, now: float, any_hour: bool) -> str:
        """The number in E.164, if it may be called now. Nobody real has the numbers of the practice line."""
        settings, number = self._settings, described(brief.to, self._settings.region)
        if brief.line is LineKind.PHONE:
            self._check_refusal(number.e164)
            check_hour(number, now, None if any_hour else settings.day)
            placed = self._store.placed_since(now - HOUR, list(self._engaged))
            check_frequency(number.e164, placed, now, settings.max_calls_per_hour, settings.max_calls_per_number)
        self._check_cost(now)
        return number.e164

    def _check_cost(self, now: float) -> None:
        if most := self._settings.max_cost_per_day:
            check_cost(self._books.spent(now - DAY, now), now, most)

    def _check_incoming(self, now: float) -> None:
        """Anybody can call, as often as they like, and each call costs money."""
        at_once, per_hour = self._settings.max_incoming_at_once, self._settings.max_incoming_per_hour
        running = [one for one in self._engaged.values() if one.call.brief.direction is Direction.INBOUND]
        if len(running) >= at_once:
            raise Refused(f"{at_once} are running already (MAX_INCOMING_AT_ONCE)")
        if self._store.count_incoming(now - HOUR) >= per_hour:
            raise Refused(f"{per_hour} have come in within an hour (MAX_INCOMING_PER_HOUR)")
        self._check_cost(now)

    def _check_refusal(self, number: str) -> None:
        if refusal := self._store.refused(number):
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

    def report(self, call_id: str, status: Status, sequence: int = -1, sid: str = "") -> None:
        """A status callback; repeated and late ones change nothing.

        Args:
            sid: the carrier's own name of its call, which it may tell here before it answers who asked it to dial.
        """
        call = self._store.call(call_id)
        if call is None:
            return
        if sid and not call.provider_sid:
            self._store.change(call_id, provider_sid=sid)
        if call.status.final:
            if not status.final and sid:
                # The carrier took the call after all that was given up, for want of its answer.
                self._group.create_task(self._stop(call, sid), name=f"stop {sid}")
            return
        engagement = self._engaged.get(call_id)
        if engagement and status.final:
            engagement.finish(status)
        elif status.final:
            diary = self._diary(call_id)
            self._closing.close(call_id, lambda: diary.close(status, UNANSWERED[status], sequence))
        else:
            answered = {"answered": self._clock()} if status is Status.IN_PROGRESS else {}
            self._store.advance(call_id, status, sequence, **answered)

    async def _stop(self, call: Call, sid: str) -> None:
        carrier = self._carriers.get(call.brief.line)
        try:
            if carrier:
                await carrier.hang_up(sid)
        except ProviderError as error:
            self._diary(call.id).trouble(str(error))

    def handed_back(self, sid: str) -> None:
        """The operator's phone, to which this call was handed over, has hung up or was never answered."""
        if call := self._store.call_of(sid):
            self.report(call.id, Status.COMPLETED)

    def stream_failed(self, call_id: str, what: str) -> None:
        """The carrier could not carry the sound of a call."""
        if self._store.call(call_id):
            self._diary(call_id).trouble(f"The carrier's media stream failed: {what}")

    def machine(self, call_id: str, kind: str) -> None:
        """The carrier's verdict on who picked up."""
        if engagement := self._engaged.get(call_id):
            engagement.post(MachineAnswered(kind))

    # --- keeping them ---------------------------------------------------------------------------------------

    def _engage(self, call: Call) -> Engagement:
        carrier = self._carriers.get(call.brief.line)
        engagement = Engagement(
            *(call, self._store, self._providers, carrier, self._manners, self._clock, self._recorder, self.unsigned)
        )
        self._engaged[call.id] = engagement
        task = self._group.create_task(engagement.run(), name=f"call {call.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(engagement, done))
        return engagement

    def _forget(self, engagement: Engagement, task: asyncio.Task[None]) -> None:
        del self._engaged[engagement.call.id]
        self._tasks.discard(task)
        self._closing.close(engagement.call.id, engagement.close)


def _as_it_went(call: Call) -> Call:
    """A call that was asked for before.

    Raises:
        ProviderError: the carrier did not take it; as the first request was told.
    """
    if call.status is Status.FAILED and not call.provider_sid:
        raise ProviderError(call.ending)
    return call
