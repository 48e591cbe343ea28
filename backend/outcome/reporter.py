"""Gives every call that is over its report, one after the other and out of the way of the calls that run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol, Self

from backend.models import Call, ProviderError, Report, Speaker, Turn
from backend.money.books import Books
from backend.money.tally import Tally
from backend.outcome import rules
from backend.outcome.errands import Errands
from backend.outcome.evidence import checked, heard, settled
from backend.storage.store import Store

_LOG = logging.getLogger(__name__)

DEADLINE = 75.0
"""Seconds for one report; a writer that takes longer has failed."""
AGAIN = (20.0, 120.0)
"""Seconds after which a report that failed is tried again; then the rules write it."""


class Writer(Protocol):
    """Somebody who reads a call and says what came of it; what it says is checked against the turns."""

    async def write(self, call: Call, turns: Sequence[Turn], tally: Tally) -> Report:
        """
        Args:
            tally: gets what this takes, whatever comes of it.

        Raises:
            ProviderError: not this time; the message is a plain sentence.
        """
        ...


class Reporter:
    """Enter it to have reports made; leaving stops at once, and what is not made yet is found at the next start."""

    def __init__(
        self,
        store: Store,
        writer: Writer | None = None,
        books: Books | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """
        Args:
            writer: without one the rules make all reports.
            books: where it is put down what reports cost.
            tell: gets the id of each call whose report is written.
        """
        self._tell = tell
        self._store = store
        self._writer = writer
        self._books = books or Books(store)
        self._errands = Errands("the report", self._report, AGAIN)

    async def __aenter__(self) -> Self:
        await self._errands.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._errands.__aexit__(*error)

    def request(self, call_id: str) -> None:
        """Have this call's report made, soon, if it is over and has none."""
        if not self._errands.add(call_id):
            _LOG.warning("too many calls wait for their report; call %s gets its own at the next start", call_id)

    async def done(self) -> None:
        """Wait until nothing is asked for any more, apart from what failed and is tried again later."""
        await self._errands.done()

    async def _report(self, call_id: str) -> None:
        call = self._store.call(call_id)
        if call is None or not call.status.final or call.report:
            return
        turns = self._store.turns(call_id)
        report = await self._written(call, turns)
        if report is None:
            return
        self._store.change(call_id, report=report, outcome=settled(call, report))
        self._tell(call_id)

    async def _written(self, call: Call, turns: Sequence[Turn]) -> Report | None:
        """None: not yet."""
        made: Report | None = None
        if self._writer and any(turn.speaker is Speaker.CALLEE for turn in heard(turns).values()):
            try:
                made = await self._asked(self._writer, call, turns)
            except (ProviderError, TimeoutError) as error:
                _LOG.warning("call %s has no report yet: %s", call.id, error or "it took too long")
                if self._errands.failed(call.id, self.request):
                    return None
            except Exception:
                # A fault of ours, or an answer that nobody has thought of: to ask again would cost the same again.
                _LOG.exception("the report of call %s is written by the rules", call.id)
        self._errands.settled(call.id)
        if made is None:
            # A thread, since it reads every word of the call, and others are being talked to meanwhile.
            made = await asyncio.to_thread(rules.report, call, turns) if turns else rules.report(call, turns)
        return made

    async def _asked(self, writer: Writer, call: Call, turns: Sequence[Turn]) -> Report:
        """What the writer makes of it, checked."""
        tally = Tally()
        try:
            async with asyncio.timeout(DEADLINE):
                made = await writer.write(call, turns, tally)
        finally:
            self._books.add(call.id, tally.counts)
        return await asyncio.to_thread(checked, made, call, turns)
