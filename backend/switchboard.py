"""Every call of this server: placed, answered, commanded and settled here. One task owns each call from dial to end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Self

from backend.call.diary import Diary
from backend.call.events import Ending, FloorEvent, HangUp, MachineAnswered
from backend.call.manners import Manners
from backend.call.session import Session
from backend.config import Settings
from backend.models import Brief, Call, Direction, Ended, LineKind, Outcome, ProviderError, Refused, Status
from backend.providers import Providers
from backend.seams import Line
from backend.store import Store
from backend.telephony.gate import may_dial
from backend.telephony.twilio import Twilio

_LOG = logging.getLogger(__name__)

_RING_LIMIT = 150.0
"""Seconds from dialling until the carrier must have connected or given up; it may queue calls before they ring."""


class NoSuchCall(Exception):
    """There is no call of this id."""


class CallOver(Exception):
    """The call is over, or has not begun: nothing can be said or done in it."""


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """Nobody picked up."""

    ending: Ending
    status: Status


@dataclass(eq=False, slots=True)
class _Engagement:
    """A call that is ringing or running."""

    call: Call
    arrival: asyncio.Future[Line | _Unanswered]
    """Resolved with the line when the callee's side is connected, or when it is known that it never will be."""
    ready: asyncio.Future[str]
    """Resolved when the providers are open, with nothing, or with why they cannot be."""
    token: str = ""
    """What the stream of this call must show, once."""
    session: Session | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def connected(self) -> bool:
        arrival = self.arrival
        return arrival.done() and not arrival.cancelled() and not isinstance(arrival.result(), _Unanswered)

    def give_up(self, ending: Ending, status: Status) -> None:
        """Stop waiting for somebody to pick up."""
        if not self.arrival.done():
            self.arrival.set_result(_Unanswered(ending, status))


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
        self._manners = Manners(longest_call=settings.max_call_minutes * 60)
        self._engaged: dict[str, _Engagement] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._recover()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.end_all()
        await self._stack.aclose()

    async def end_all(self) -> None:
        """Hang up on everybody, because the server stops; returns when every row says so."""
        tasks = [engagement.task for engagement in self._engaged.values() if engagement.task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    @property
    def live(self) -> int:
        """How many calls are ringing or running."""
        return len(self._engaged)

    # --- placing and taking calls ---------------------------------------------------------------------------

    async def place(self, brief: Brief, dial: bool = True) -> Call:
        """Write the call down and dial it; without `dial`, only write it down for a carrier that will ask for it.

        Raises:
            Refused: the number, the hourly limit or this machine does not allow it; nothing was written.
            ProviderError: the carrier did not take the call; the row says so.
        """
        now = self._clock()
        if not brief.action.strip():
            raise Refused("What to get done is missing: write in one sentence what the call is for.")
        carrier = self._carrier(brief.line)
        recent = self._store.placed_since(now - 3600)
        to = may_dial(brief.to, recent, now, self._settings.max_calls_per_hour, self._settings.region)
        self._check_room(brief)
        call = Call(secrets.token_urlsafe(9), replace(brief, to=to), created=now)
        self._store.add(call)
        if dial:
            await self._dial(self._engage(call), carrier)
        return self._store.call(call.id) or call

    def _carrier(self, line: LineKind) -> Twilio:
        if line not in self._carriers:
            raise Refused(
                "There is no phone line: write the TWILIO_ keys and PUBLIC_HOST into .env, or use the practice line."
                if line is LineKind.PHONE
                else f"There is no practice line: {self._providers.why_no_practice}"
            )
        return self._carriers[line]

    async def _dial(self, engagement: _Engagement, carrier: Twilio) -> None:
        """The one place that makes a phone ring, and only once there is an agent who can talk.

        Raises:
            ProviderError: a provider or the carrier is not to be had; the row says so.
        """
        call = engagement.call
        if why := await engagement.ready:
            raise ProviderError(why)
        try:
            sid = await carrier.dial(call, time_limit=round(self._manners.longest_call) + 60)
        except ProviderError as error:
            self._store.trouble(call.id, str(error))
            engagement.give_up(Ending(str(error), Outcome.FAILED), Status.FAILED)
            await _over(engagement)
            raise
        self._store.change(call.id, provider_sid=sid)
        self._store.advance(call.id, Status.QUEUED)
        if call.id not in self._engaged:
            # It ended while the carrier was being asked, when there was no SID yet to hang up.
            await self._stop_ringing(call.id)

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
        engagement = self._engaged.get(call_id) or self._engage(call)
        engagement.token = secrets.token_urlsafe(24)
        return engagement.token

    def admit(self, token: str, sid: str, line: Line) -> Awaitable[object] | None:
        """Give the line to the call whose token this is; the result ends when the call does. None: not admitted."""
        for engagement in self._engaged.values():
            if engagement.token and secrets.compare_digest(engagement.token.encode(), token.encode()):
                call = self._store.call(engagement.call.id)
                if call is None or call.provider_sid != sid or engagement.arrival.done() or not engagement.task:
                    return None
                engagement.token = ""
                engagement.arrival.set_result(line)
                return asyncio.wait([engagement.task])
        return None

    # --- what the carrier reports ---------------------------------------------------------------------------

    def report(self, call_id: str, status: Status, sequence: int) -> None:
        """A status callback; repeated and late ones change nothing."""
        if not self._store.call(call_id):
            return
        engagement = self._engaged.get(call_id)
        if engagement and status.final:
            # The call's own task closes the row, since only it knows what was said.
            engagement.give_up(_UNANSWERED[status], status)
            if engagement.session and engagement.connected:
                engagement.session.post(Ended("The callee hung up."))
        elif status.final:
            self._settle_without_session(call_id, status, sequence)
        else:
            answered = {"answered": self._clock()} if status is Status.IN_PROGRESS else {}
            self._store.advance(call_id, status, sequence, **answered)

    def machine(self, call_id: str, kind: str) -> None:
        """The carrier's verdict on who picked up."""
        engagement = self._engaged.get(call_id)
        if engagement and engagement.session:
            engagement.session.post(MachineAnswered(kind))

    # --- what operators do ----------------------------------------------------------------------------------

    def command(self, call_id: str, event: FloorEvent) -> None:
        """Hand an operator's command to a running call.

        Raises:
            NoSuchCall, CallOver
        """
        engagement = self._running(call_id)
        if engagement.session is None or not engagement.connected:
            raise CallOver("Nobody has picked up yet.")
        engagement.session.post(event)

    async def hang_up(self, call_id: str) -> None:
        """End a call, also while it is still ringing.

        Raises:
            NoSuchCall, CallOver
        """
        engagement = self._running(call_id)
        ending = Ending("The operator hung up.", Outcome.STOPPED)
        if engagement.connected:
            self.command(call_id, HangUp(ending))
            return
        engagement.give_up(ending, Status.CANCELED)
        await _over(engagement)

    def _running(self, call_id: str) -> _Engagement:
        if call_id in self._engaged:
            return self._engaged[call_id]
        call = self._store.call(call_id)
        if call is None:
            raise NoSuchCall(call_id)
        raise CallOver("This call is over." if call.status.final else "This call has not begun.")

    # --- the life of one call -------------------------------------------------------------------------------

    def _engage(self, call: Call) -> _Engagement:
        loop = asyncio.get_running_loop()
        engagement = _Engagement(call, loop.create_future(), loop.create_future())
        self._engaged[call.id] = engagement
        engagement.task = self._group.create_task(self._conduct(engagement), name=f"call {call.id}")
        return engagement

    async def _conduct(self, engagement: _Engagement) -> None:
        """The edge of a call: whatever happens in it stays in it, and is written on its row."""
        try:
            await self._see_through(engagement)
        except Exception:
            # Leaving this task it would end all other calls as well.
            _LOG.exception("call %s could not be settled", engagement.call.id)
        finally:
            del self._engaged[engagement.call.id]

    async def _see_through(self, engagement: _Engagement) -> None:
        call_id = engagement.call.id
        ending, status = Ending("The media server was stopped during this call.", Outcome.FAILED), Status.FAILED
        try:
            ending, status = await self._hold(engagement)
        except Exception as error:
            ending = self._explain(call_id, _innermost(error))
        finally:
            if not engagement.ready.done():
                engagement.ready.set_result(ending.why)
            try:
                if not engagement.connected:
                    engagement.arrival.cancel()
                    await self._stop_ringing(call_id)
            finally:
                self._close(call_id, status, ending)

    def _explain(self, call_id: str, error: BaseException) -> Ending:
        """What broke a call, on its row; the details of a fault of ours are for the log."""
        if isinstance(error, ProviderError):
            self._store.trouble(call_id, str(error))
            return Ending(str(error), Outcome.FAILED)
        _LOG.error("call %s ended by a fault", call_id, exc_info=error)
        self._store.trouble(call_id, f"Fault: {error!r}")
        return Ending("A fault in the program ended this call; the log has the details.", Outcome.FAILED)

    async def _hold(self, engagement: _Engagement) -> tuple[Ending, Status]:
        """Prepare while it rings, wait for the line, and talk."""
        call = engagement.call
        async with self._providers.kit(call.brief, self._manners) as kit, asyncio.TaskGroup() as group:
            self._store.change(call.id, parts=kit.parts)
            engagement.ready.set_result("")
            session = Session(call.brief, kit, Diary(self._store, call.id, self._clock), self._manners)
            engagement.session = session
            preparing = group.create_task(session.prepare())
            try:
                line = await self._arrival(engagement)
                if isinstance(line, _Unanswered):
                    return line.ending, line.status
                # On its own: the carrier may have reported the call as in progress before its stream came.
                self._store.change(call.id, answered=self._clock())
                self._store.advance(call.id, Status.IN_PROGRESS)
                return await session.converse(line), Status.COMPLETED
            finally:
                preparing.cancel()

    async def _arrival(self, engagement: _Engagement) -> Line | _Unanswered:
        try:
            async with asyncio.timeout(_RING_LIMIT):
                return await engagement.arrival
        except TimeoutError:
            why = "The carrier never said that the call was answered, or that it was not."
            return _Unanswered(Ending(why, Outcome.FAILED), Status.FAILED)

    async def _stop_ringing(self, call_id: str) -> None:
        """Make sure that no phone goes on ringing for a call that nobody holds any more."""
        call = self._store.call(call_id)
        if call and call.provider_sid and call.brief.line in self._carriers:
            try:
                await self._carriers[call.brief.line].hang_up(call.provider_sid)
            except ProviderError as error:
                self._store.trouble(call.id, str(error))

    # --- rows that no session owns --------------------------------------------------------------------------

    def _recover(self) -> None:
        """Close the rows that a server before this one left open; what may still ring waits for its carrier."""
        now = self._clock()
        for call in self._store.unfinished():
            if call.status is Status.CREATED and now - call.created < 3600:
                continue
            # The practice line is part of the server, and ended with it.
            ringing = call.status is not Status.IN_PROGRESS and call.brief.line is LineKind.PHONE
            if ringing and now - call.created < _RING_LIMIT:
                self._engage(call)
                continue
            self._close(call.id, Status.FAILED, Ending("The media server stopped during this call.", Outcome.FAILED))

    def _settle_without_session(self, call_id: str, status: Status, sequence: int) -> None:
        self._close(call_id, status, _UNANSWERED[status], sequence)

    def _close(self, call_id: str, status: Status, ending: Ending, sequence: int = -1) -> None:
        self._store.advance(
            call_id,
            status,
            sequence,
            ended=self._clock(),
            outcome=ending.outcome,
            note=ending.note,
            ending=ending.why,
        )


_UNANSWERED = {
    Status.BUSY: Ending("The line was busy.", Outcome.NO_ANSWER),
    Status.NO_ANSWER: Ending("Nobody picked up.", Outcome.NO_ANSWER),
    Status.CANCELED: Ending("The call was cancelled while it was ringing.", Outcome.STOPPED),
    Status.FAILED: Ending("The carrier could not connect the call.", Outcome.FAILED),
    Status.COMPLETED: Ending("The call ended before it was connected to the agent.", Outcome.FAILED),
}
"""What the carrier's final word means for a call that was never connected."""


async def _over(engagement: _Engagement) -> None:
    """Wait until this call is settled."""
    if engagement.task:
        await asyncio.wait([engagement.task])


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
