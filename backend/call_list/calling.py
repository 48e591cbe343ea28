"""Places the calls of a list, so many at once, waits for what comes of each, and writes it down as it comes."""

from __future__ import annotations

import csv
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from backend.call_list.rows import NOT_PLACED, RESULTS, Row, result, settled, table, written
from backend.client import Client, ServerError
from backend.models import Call, Refused

MOST_FAILURES = 3
"""Calls in a row that the carrier or a provider did not take: what comes after would fare no better."""
_EVERY = 1.0
"""Seconds between two looks at a call."""
_REPORT_LOOKS = 20
"""How often is looked, after a call's end, for its report."""

Tell = Callable[[Row, str], None]
"""Gets each line that is dealt with, and what came of it, for the terminal."""


@dataclass
class Tally:
    """How a run went."""

    called: int = 0
    """Lines with a result, by now."""
    refused: int = 0
    failed: int = 0
    """In a row: calls that were not taken."""

    @property
    def broken(self) -> bool:
        return self.failed >= MOST_FAILURES


def results_of(file: Path) -> Path:
    """Where the results of a list are written: beside it."""
    return file.with_name(f"{file.stem}.results.csv")


class Calling:
    """One run over a list. What was called in an earlier one is passed over."""

    def __init__(self, client: Client, file: Path, heading: Sequence[str], tell: Tell) -> None:
        """
        Raises:
            OSError: the file of results cannot be read.
            Refused: it is that of another list.
        """
        self._client = client
        self._results = results_of(file)
        self._heading = heading
        self._tell = tell
        self._left = threading.Event()
        found = table(self._results.read_text("utf-8-sig")) if self._results.exists() else []
        if found and found[0] != [*heading, *RESULTS]:
            raise Refused(
                f"{self._results} has other columns than the list: move it away, or everybody is called again."
            )
        self.done, self._tries = settled(found) if found else (set(), Counter())
        self.tally = Tally()

    def run(self, rows: Sequence[Row], at_once: int, today: date) -> Tally:
        """Call everybody who has no result yet, until all are called or nobody takes calls any more.

        Raises:
            ServerError: the media server is not there.
        """
        waiting = deque(row for row in rows if row.cells not in self.done)
        under_way: dict[Future[Call], Row] = {}
        with self._threads(at_once) as threads:
            while under_way or (waiting and not self.tally.broken):
                while waiting and len(under_way) < at_once and not self.tally.broken:
                    row = waiting.popleft()
                    under_way[threads.submit(self._call, row, today)] = row
                over, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for one in over:
                    self._settle(under_way.pop(one), one)
        return self.tally

    @contextmanager
    def _threads(self, at_once: int) -> Iterator[ThreadPoolExecutor]:
        """Whoever leaves early leaves the calls to themselves: their lines have no result, and are asked after next
        time."""
        with ThreadPoolExecutor(at_once, "call list") as threads:
            try:
                yield threads
            finally:
                self._left.set()

    def _call(self, row: Row, today: date) -> Call:
        """Place it, and wait until it is over and has its report."""
        brief = row.brief
        placed = self._client.place(
            brief.to,
            brief.action,
            brief.context,
            callee_name=brief.callee_name,
            agent_name=brief.agent_name,
            organization=brief.organization,
            line=brief.line,
            persona=brief.persona,
            request=row.request(today, self._tries[row.cells]),
        )
        call = self._client.call(placed.id).call
        looks = 0
        while not self._left.wait(_EVERY) and not (call.status.final and (call.report or looks >= _REPORT_LOOKS)):
            call = self._client.call(placed.id).call
            looks += call.status.final
        return call

    def _settle(self, row: Row, future: Future[Call]) -> None:
        """Write down what came of it. What was refused is not: it may be possible at another hour."""
        try:
            call = future.result()
        except ServerError as error:
            if error.status == 422:
                self.tally.refused += 1
            elif error.status == 502:
                self.tally.failed += 1
                self._write(written(row, NOT_PLACED, "", str(error), ""))
            else:
                raise
            self._tell(row, str(error))
            return
        self.tally.called += 1
        self.tally.failed = 0
        self._write(result(row, call))
        self._tell(row, " ".join(filter(None, (call.status, call.outcome))))

    def _write(self, line: Sequence[str]) -> None:
        """At once, so that nothing is lost, whatever happens to the next call."""
        new = not self._results.exists()
        with self._results.open("a", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            if new:
                lines.writerow([*self._heading, *RESULTS])
            lines.writerow(line)
