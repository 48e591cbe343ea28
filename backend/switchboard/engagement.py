"""One call's life, from dialling to the last column of its row: owned by one task, at whose edge every fault stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from backend.call.diary import Diary
from backend.call.events import Ending, FloorEvent, HangUp, OperatorWatches
from backend.call.manners import TROUBLE, Manners
from backend.call.session import Session
from backend.call.tap import Tap, Tapped
from backend.models import Call, Ended, Hands, Outcome, ProviderError, Status
from backend.money.tally import HANDED_OVER
from backend.providers import Providers
from backend.recording.recorder import Recorder
from backend.recording.recording import Recording
from backend.seams import Line
from backend.storage.store import Store
from backend.telephony.twilio import LONGEST, Twilio
from backend.telephony.unsigned import Unsigned

_LOG = logging.getLogger(__name__)

RING_LIMIT = 150.0
"""Seconds from dialling until the carrier must have connected or given up; it may queue calls before they ring."""
_MOST_EARLY = 100
_CARRIED_OUT = 1.0
"""Seconds in which an operator's order is carried out, or at least will be."""
_WATCHED_FOR = 2.0
"""Seconds one look at a call counts for, so that its recording is not full of them."""
_SPARE = 60
"""Seconds by which the carrier's own limit on a call is longer than ours: a wall behind the polite goodbye."""

UNANSWERED = {
    Status.BUSY: Ending("The line was busy.", Outcome.NO_ANSWER),
    Status.NO_ANSWER: Ending("Nobody picked up.", Outcome.NO_ANSWER),
    Status.CANCELED: Ending("The call was cancelled while it was ringing.", Outcome.STOPPED),
    Status.FAILED: Ending("The carrier could not connect the call.", Outcome.FAILED),
    Status.COMPLETED: Ending("The call ended before it was connected to the agent.", Outcome.FAILED),
}
"""What the carrier's final word means for a call that was never connected."""
_STOPPED = Ending("The media server was stopped during this call.", Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """Nobody picked up."""

    ending: Ending
    status: Status


class Engagement:
    """A call that is ringing or running. `run` is its life; the rest is how the world gets at it."""

    def __init__(
        self,
        call: Call,
        store: Store,
        providers: Providers,
        carrier: Twilio | None,
        manners: Manners,
        clock: Callable[[], float] = time.time,
        recorder: Recorder | None = None,
        unsigned: Unsigned | None = None,
    ) -> None:
        self.call = call
        self._store = store
        self._providers = providers
        self._carrier = carrier
        self._manners = manners
        self._clock = clock
        self._diary = Diary(store, call.id, clock)
        self._session: Session | None = None
        # What came after the pick-up and before the session: the providers are slower to open than the phone was.
        self._early: deque[FloorEvent] = deque(maxlen=_MOST_EARLY)
        self._token = ""
        self.tap = Tap()
        """Where both sides' sound can be had while they talk."""
        self._recorder = recorder
        self._recording: Recording | None = None
        self._unsigned = unsigned or Unsigned()
        self._unsigned_before = self._unsigned.count
        self._end: tuple[Status, Ending, float | None] = Status.FAILED, _STOPPED, None
        """How the call has ended, and when in Unix seconds."""
        self._handed_over = False
        self._watched = float("-inf")
        self._finished = asyncio.Event()
        """The carrier says that its call is over."""
        self._over = asyncio.Event()
        loop = asyncio.get_running_loop()
        # Resolved with the line when the callee's side is connected, or when it is known that it never will be.
        self._arrival: asyncio.Future[Line | _Unanswered] = loop.create_future()
        # Resolved when the providers are open, with nothing, or with why they cannot be.
        self._ready: asyncio.Future[str] = loop.create_future()

    # --- how the world gets at it ---------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether somebody, or something, has picked up."""
        arrival = self._arrival
        return arrival.done() and not arrival.cancelled() and not isinstance(arrival.result(), _Unanswered)

    @property
    def hands(self) -> Hands:
        return self._session.hands if self._session else Hands.AGENT

    @property
    def phase(self) -> str:
        """As `Running.phase`."""
        return self._session.phase.name.lower() if self._session and self.connected else "ringing"

    async def over(self) -> None:
        """Wait until the call has ended and its row says how."""
        await self._over.wait()

    async def dial(self) -> None:
        """Make the phone ring: the one place that does, and only once there is an agent who can talk.

        Raises:
            ProviderError: a provider or the carrier is not to be had; the row says so.
        """
        if why := await self._ready:
            raise ProviderError(why)
        if self._arrival.done() or self._carrier is None:
            # Hung up before anybody was dialled.
            return
        try:
            sid = await self._carrier.dial(self.call, time_limit=round(self._manners.longest_call) + _SPARE)
        except ProviderError as error:
            self._diary.trouble(str(error))
            self.give_up(Ending(str(error), Outcome.FAILED), Status.FAILED)
            await self.over()
            raise
        self._diary.change(provider_sid=sid)
        self._diary.advance(Status.QUEUED)
        if self._over.is_set():
            # It ended while the carrier was being asked, when there was no SID yet to hang up.
            await self._stop_ringing()

    def expect_stream(self) -> str:
        """The one-time token that this call's stream must show; an earlier one is void."""
        self._token = secrets.token_urlsafe(24)
        return self._token

    def connect(self, token: str, sid: str, line: Line) -> bool:
        """Give the line to this call, if the token is its own and the carrier's call is the one that was dialled."""
        call = self._store.call(self.call.id)
        genuine = self._token and secrets.compare_digest(self._token.encode(), token.encode())
        if not genuine or call is None or call.provider_sid != sid or self._arrival.done():
            return False
        self._token = ""
        self._arrival.set_result(line)
        return True

    def give_up(self, ending: Ending, status: Status) -> None:
        """Stop waiting for somebody to pick up."""
        if not self._arrival.done():
            self._arrival.set_result(_Unanswered(ending, status))

    def finish(self, status: Status) -> None:
        """The carrier says that the call is over. The row is left to `run`, since only that knows what was said."""
        self._finished.set()
        ending = UNANSWERED[status]
        self.give_up(self._explained(ending) if status is Status.COMPLETED else ending, status)
        self.post(Ended("They hung up."))

    def post(self, event: FloorEvent) -> bool:
        """Hand an event to the conversation; False when there is none yet."""
        if not self.connected:
            return False
        if self._session is None:
            self._early.append(event)
        else:
            self._session.post(event)
        return True

    def watch(self) -> None:
        """Somebody at the desk looks at this call; a page that does says so twice a second."""
        now = asyncio.get_running_loop().time()
        if now - self._watched >= _WATCHED_FOR:
            self._watched = now
            self.post(OperatorWatches())

    async def command(self, event: FloorEvent) -> bool:
        """Hand the conversation an operator's order, and wait until it was carried out; False: there is none now."""
        if self._session is None or not self.connected:
            return self.post(event)
        try:
            async with asyncio.timeout(_CARRIED_OUT):
                return await self._session.carry_out(event)
        except TimeoutError:
            return True

    def speak(self, mulaw: bytes) -> bool:
        """The operator's own voice, for the callee; False: nobody has taken this call over, and it goes nowhere."""
        return self._session is not None and self._session.speak(mulaw)

    async def hang_up(self, order: HangUp) -> None:
        """End the call; while it still rings, this returns when it no longer does."""
        if self._handed_over:
            await self._stop_ringing()
        elif not self.connected:
            self.give_up(order.ending, Status.CANCELED)
            await self.over()
        elif not await self.command(order):
            # The agent has left, and somebody may still talk: the call is just being handed over.
            await self._stop_ringing()

    # --- its life -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Everything from opening the providers to closing the row. Whatever happens in a call stays in it."""
        try:
            await self._see_through()
        except Exception:
            # Leaving this task it would end all other calls as well.
            _LOG.exception("call %s could not be settled", self.call.id)
        finally:
            self.tap.close()
            self._over.set()

    async def _see_through(self) -> None:
        ending, status = _STOPPED, Status.FAILED
        try:
            ending, status = await self._hold()
            if ending.outcome is Outcome.TRANSFERRED:
                await self._talk_on(ending)
        except Exception as error:
            ending = self._explain(_innermost(error))
        finally:
            if not self._ready.done():
                self._ready.set_result(ending.why)
            try:
                line = self._arrival.result() if self.connected else None
                if line is not None and not isinstance(line, _Unanswered):
                    # Has no effect on a line that was talked on: that one is hung up already.
                    await line.hang_up(TROUBLE)
                else:
                    # A stream that comes from now on finds nobody.
                    self._arrival.cancel()
                    await self._stop_ringing()
            finally:
                self._end = status, ending, self._clock()
                self.close()

    def close(self) -> None:
        """Write the last columns of the row: done at the end, and again where that failed.

        Raises:
            sqlite3.Error: it cannot be written now.
        """
        status, ending, at = self._end
        self._diary.close(status, ending, at=at)

    async def _hold(self) -> tuple[Ending, Status]:
        """Prepare while it rings, wait for the line, and talk."""
        call = self.call
        async with self._providers.kit(call.brief, self._manners) as kit, asyncio.TaskGroup() as group:
            self._diary.change(parts=kit.parts)
            self._session = Session(call.brief, kit, self._diary, self._manners, self._forget)
            self._ready.set_result("")
            for event in self._early:
                self._session.post(event)
            group.create_task(asyncio.to_thread(self._session.study))
            preparing = group.create_task(self._session.prepare())
            try:
                line = await self._line()
                if isinstance(line, _Unanswered):
                    return line.ending, line.status
                self._diary.advance(Status.IN_PROGRESS, answered=self._clock())
                with self._recorded():
                    return await self._session.converse(Tapped(line, self.tap)), Status.COMPLETED
            finally:
                preparing.cancel()
                self._diary.count(self._session.counts)

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[None]:
        """Within this the call is recorded, where calls are."""
        if self._recorder is None or not self._manners.records:
            yield
            return
        with self._recorder.recording(self.call.id, self.tap, self._diary.trouble) as self._recording:
            yield

    def _forget(self) -> None:
        """The callee does not want to be recorded."""
        if self._recording:
            self._recording.forget()

    async def _talk_on(self, ending: Ending) -> None:
        """The call goes on without us; its row does too, until the carrier says that it is over."""
        self._handed_over = True
        self._diary.change(outcome=ending.outcome, note=ending.note, ending=ending.why)
        self._count_as_handed_over()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                await self._finished.wait()

    def _count_as_handed_over(self) -> None:
        """From here on it costs as two calls do, and no agent."""
        call = self._store.call(self.call.id)
        if call and call.answered is not None:
            self._diary.count(call.counts | {HANDED_OVER: round(self._clock() - call.answered)})

    async def _line(self) -> Line | _Unanswered:
        try:
            async with asyncio.timeout(RING_LIMIT):
                return await self._arrival
        except TimeoutError:
            why = "The carrier never said that the call was answered, or that it was not."
            return _Unanswered(self._explained(Ending(why, Outcome.FAILED)), Status.FAILED)

    def _explained(self, ending: Ending) -> Ending:
        """What the carrier may have wanted, and was turned away."""
        return replace(ending, why=f"{ending.why}{self._unsigned.since(self._unsigned_before)}")

    def _explain(self, error: BaseException) -> Ending:
        """What broke the call, on its row; the details of a fault of ours are for the log."""
        if isinstance(error, ProviderError):
            self._diary.trouble(str(error))
            return Ending(str(error), Outcome.FAILED)
        _LOG.error("call %s ended by a fault", self.call.id, exc_info=error)
        self._diary.trouble(f"Fault: {error!r}")
        return Ending("A fault in the program ended this call; the log has the details.", Outcome.FAILED)

    async def _stop_ringing(self) -> None:
        """Make sure that no phone goes on ringing for a call that nobody holds any more."""
        call = self._store.call(self.call.id)
        if call and call.provider_sid and self._carrier:
            try:
                await self._carrier.hang_up(call.provider_sid)
            except ProviderError as error:
                self._diary.trouble(str(error))


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
