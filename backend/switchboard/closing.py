"""Closes the rows of calls that are over, with what follows from that: the cost, and the report."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Container
from typing import Self

from backend.call.diary import Diary
from backend.call.events import Ending
from backend.models import Call, Direction, LineKind, Outcome, Status
from backend.money.books import Books
from backend.outcome.reporter import Reporter
from backend.storage.search import Search
from backend.storage.store import Store
from backend.switchboard.engagement import RING_LIMIT

_LOG = logging.getLogger(__name__)

REGISTERED = "Register"
"""What an operator has done, by `Deed.did`, with a call that another program is to dial."""
AGAIN = 10.0
"""Seconds after which what could not be closed is tried again, and calls are looked for that nobody dials."""
_DIALS_WITHIN = 3600.0
"""Seconds that a registered call waits for whoever dials it."""
_STOPPED = Ending("The media server stopped during this call.", Outcome.FAILED)
_NEVER_DIALLED = Ending("It was never dialled.", Outcome.FAILED)


class Closing:
    """No call stays open for ever: what its end cannot write down is tried again, and what has no end gets one.

    Enter it to have that done from time to time; leaving tries for the last time.
    """

    def __init__(
        self,
        store: Store,
        books: Books,
        reporter: Reporter,
        running: Container[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`running`: the ids of the calls that are somebody's business."""
        self._store = store
        self._books = books
        self._reporter = reporter
        self._running = running
        self._clock = clock
        self._open: dict[str, Callable[[], None]] = {}
        """By call, what closes its row."""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._from_time_to_time(), name="closing")
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.again()

    def close(self, call_id: str, write: Callable[[], None]) -> None:
        """`write` closes the row, which may fail, such as on a full disk: then it is called again.

        Whoever comes later with another end of the same call knows less of it.
        """
        self._open.setdefault(call_id, write)
        self.again()

    def again(self) -> None:
        """Close what is to be closed and could not be."""
        for call_id, write in tuple(self._open.items()):
            try:
                write()
                self._books.close(call_id)
            except sqlite3.Error as error:
                _LOG.error("the row of call %s cannot be closed: %s", call_id, error)
            else:
                del self._open[call_id]
                self._reporter.request(call_id)

    async def _from_time_to_time(self) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            try:
                self.again()
                self._give_up()
            except Exception:
                # Such as a database that cannot be read either; the next time may be better.
                _LOG.exception("calls that are over could not be looked for")

    def _give_up(self) -> None:
        """Close what was registered, and nobody dials."""
        old = Search(statuses=[Status.CREATED], until=self._clock() - _DIALS_WITHIN)
        for call in self._store.calls(old):
            if call.id not in self._running:
                self._end(call, Status.FAILED, _NEVER_DIALLED)

    def left_behind(self) -> list[Call]:
        """Close the rows that a server before this one left open; returns the calls that may still ring."""
        ringing = []
        for call in self._store.unfinished():
            age = self._clock() - call.created
            if _may_ring(call) and age < RING_LIMIT:
                ringing.append(call)
            elif not (self._registered(call) and age < _DIALS_WITHIN):
                self._end(call, *_fate(call))
        return ringing

    def _registered(self, call: Call) -> bool:
        return call.status is Status.CREATED and any(deed.did == REGISTERED for deed in self._store.deeds(call.id))

    def _end(self, call: Call, status: Status, ending: Ending) -> None:
        """Close it at the last moment known of it: nobody has talked, or is to pay, for what came after."""
        known = (call.created, call.answered, self._store.last_moment(call.id))
        at = min(self._clock(), max(moment for moment in known if moment is not None))
        diary = Diary(self._store, call.id, self._clock)
        self.close(call.id, lambda: diary.close(status, ending, at=at))


def _may_ring(call: Call) -> bool:
    """Whether the carrier may still have something to say about it, to whatever server is there."""
    if call.brief.line is not LineKind.PHONE:
        # The practice line is part of the server, and ended with it.
        return False
    comes_in = call.brief.direction is Direction.INBOUND and call.status is Status.CREATED
    return comes_in or call.status not in (Status.CREATED, Status.IN_PROGRESS)


def _fate(call: Call) -> tuple[Status, Ending]:
    """How a call has ended of which nothing more is known than its row."""
    if call.outcome is Outcome.TRANSFERRED:
        return Status.COMPLETED, Ending(call.ending, call.outcome, call.note)
    never_dialled = call.status is Status.CREATED and call.brief.direction is Direction.OUTBOUND
    return Status.FAILED, _NEVER_DIALLED if never_dialled else _STOPPED
