"""The calls that were and are, in SQLite. The media server is the only writer; everybody else reads."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from backend.models import Call, Event, Question, Refusal, Refused, Report, Status, Tick, Turn
from backend.storage import measures
from backend.storage.archive import CALL_COLUMNS, Archive
from backend.storage.documents import WRITE, document
from backend.storage.schema import migrations
from backend.storage.search import Search, Sorting
from backend.templates import Template

__all__ = ["Archive", "Search", "Sorting", "Store", "migrations"]

_TURN = """
    insert into turns (call_id, number, speaker, text, heard, state, timings, facts, started, ended)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (call_id, number) do update set speaker = excluded.speaker, text = excluded.text,
        heard = excluded.heard, state = excluded.state, timings = excluded.timings, facts = excluded.facts,
        started = excluded.started, ended = excluded.ended
"""
_EVENT = "insert into events (call_id, at, kind, data) values (?, ?, ?, ?)"
_SAID = "select heard from turns where call_id = ? order by number"
_MOST_WAITING = 20_000
"""Rows that may wait to be written; more only do if writing fails, and then the oldest events are given up."""
_LARGEST_LOG = 4_000_000
"""Bytes of SQLite's write-ahead log, from which on it is copied into the database."""

_LOG = logging.getLogger(__name__)


class Store(Archive):
    """Reading and writing; one per media server. Every method is quick enough to run between two events of a call.

    Turns and events, of which a call has ten a second, may wait a moment and are then written together, in one
    transaction for all calls. Whoever reads here finds them all the same, and a call's row never says that it is over
    before everything of it is in the database.
    """

    def __init__(self, path: Path, every: float = 0.0) -> None:
        """`every`: seconds that turns and events may wait where an event loop runs; what a crash would lose."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # What people said is for nobody else who uses this machine; SQLite gives the files beside it the same rights.
        path.touch(mode=0o600)
        path.chmod(0o600)
        db = Database(path)
        db.enable_wal()
        db.execute("pragma synchronous = normal")
        db.execute("pragma busy_timeout = 5000")
        migrations.apply(db)
        super().__init__(db)
        self._path, self._every = path, every
        self._turns: dict[tuple[str, int], Turn] = {}
        self._events: list[tuple[str, float, str, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._stuck = False
        """Whether what waits could not be written when it was last tried."""
        self._copying: asyncio.Future[None] | None = None
        if every:
            # Copying the log waits for the disk, and then so would every call: a thread does it.
            db.execute("pragma wal_autocheckpoint = 0")

    def close(self) -> None:
        try:
            self.flush()
        finally:
            super().close()

    # --- what may wait ----------------------------------------------------------------------------------------

    def write_turn(self, call_id: str, turn: Turn) -> None:
        """Insert the turn, or overwrite the one of its number.

        Raises:
            UnicodeEncodeError: it has what is no text. Later it would stop all the rows it waits with.
        """
        f"{turn.text}{turn.heard}".encode()
        self._turns[call_id, turn.number] = turn
        self._soon()

    def write_events(self, call_id: str, events: Iterable[Event]) -> None:
        self._events += [(call_id, event.at, event.kind, json.dumps(event.data)) for event in events]
        self._soon()

    def _soon(self) -> None:
        if not self._every:
            self.flush()
        elif len(self._turns) + len(self._events) > _MOST_WAITING:
            self.hurry()
            # What was said matters more than how that came about.
            del self._events[: len(self._events) // 2]
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every, self._due)

    def _due(self) -> None:
        self._timer = None
        self.hurry()
        if self._copying is None and self._log.exists() and self._log.stat().st_size > _LARGEST_LOG:
            self._copying = asyncio.get_running_loop().run_in_executor(None, _copy_log, self._path)
            self._copying.add_done_callback(self._copied)

    def _copied(self, copying: asyncio.Future[None]) -> None:
        self._copying = None
        if not copying.cancelled():
            copying.result()

    @property
    def _log(self) -> Path:
        return self._path.with_name(f"{self._path.name}-wal")

    def hurry(self) -> None:
        """Write now what waits, if that is possible: a full disk is no reason to end calls, or to show nothing."""
        try:
            self.flush()
        except sqlite3.Error as error:
            if not self._stuck:
                _LOG.error("turns and events cannot be written, and wait: %s", error)
            self._stuck = True
        else:
            self._stuck = False

    def flush(self) -> None:
        """Write now what waits.

        Raises:
            sqlite3.Error: it waits on.
        """
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not (self._turns or self._events):
            return
        turns = [_turn_values(call_id, turn) for (call_id, _), turn in self._turns.items()]
        with self._db.atomic():
            self._db.conn.executemany(_TURN, turns)
            self._db.conn.executemany(_EVENT, self._events)
        self._turns.clear()
        self._events.clear()

    def _rows(self, sql: str, values: Sequence[object]) -> Iterator[dict[str, Any]]:
        self.hurry()
        return super()._rows(sql, values)

    # --- a call's row -----------------------------------------------------------------------------------------

    def add(self, call: Call, request: str = "") -> None:
        """`request`: the requester's own name for it, by which `call_of_request` finds it."""
        with self._db.atomic():
            self._db.table("calls").insert(_call_row(call) | {"request": request or None})
            self._index(call.id)

    def load(self, calls: Iterable[tuple[Call, Sequence[Turn]]]) -> None:
        """Write calls that are over with all their turns, in one transaction: for whoever brings many."""
        with self._db.atomic():
            for call, turns in calls:
                self._db.conn.executemany(_TURN, [_turn_values(call.id, turn) for turn in turns])
                self.add(call)
                self.change(call.id, **measures.columns(turns))

    def change(self, call_id: str, **columns: Any) -> None:
        """Overwrite some columns of a call's row; the names are those of `Call`."""
        cells = ", ".join(f'"{name}" = ?' for name in columns)
        with self._db.atomic():
            # The library's own way asks for the table's columns and for the row before it writes, four times as dear.
            self._db.execute(f"update calls set {cells} where id = ?", [*map(_cell, columns.values()), call_id])
            if "report" in columns:
                self._index(call_id)

    def advance(self, call_id: str, status: Status, sequence: int = -1, **columns: Any) -> bool:
        """Move a call's status on, unless this report is late, repeated or the call is already over.

        Args:
            sequence: the carrier's number of the report; reports may arrive out of order and twice.

        Returns:
            Whether the status was taken.
        """
        self.flush()
        with self._db.atomic():
            row = self._db.table("calls").get(call_id)
            late = 0 <= sequence <= (row["sequence"] if row["sequence"] is not None else -1)
            if late or not status.follows(Status(row["status"])):
                return False
            if status.final:
                columns = measures.columns(self.turns(call_id)) | columns
            self.change(call_id, status=status, sequence=max(sequence, row["sequence"] or -1), **columns)
            if status.final:
                self._index(call_id)
            return True

    def remove(self, call_id: str) -> bool:
        """Delete a call with everything that was written of it; False where there is none.

        A number that must not be dialled stays so, whichever call it was that asked for it.
        """
        self.flush()
        with self._db.atomic():
            for table in ("turns", "events", "questions"):
                self._db.execute(f"delete from {table} where call_id = ?", [call_id])
            self._db.execute("update refusals set call_id = '' where call_id = ?", [call_id])
            return self._db.execute("delete from calls where id = ?", [call_id]).rowcount == 1

    def _index(self, call_id: str) -> None:
        """Have the call found by what is known of it now. Turns are not looked at while they grow."""
        [row] = self._rows(
            "select serial, calls.* from calls join listing on listing.call_id = id where id = ?", [call_id]
        )
        said = (turn["heard"] for turn in self._rows(_SAID, [call_id]))
        self._db.execute(WRITE, [row["serial"], *document(row, said)])

    def trouble(self, call_id: str, what: str) -> None:
        """Note on the call's row what went wrong; the same sentence once."""
        call = self.call(call_id)
        if call and what not in call.troubles:
            self.change(call_id, troubles=(*call.troubles, what))

    # --- questions to follow up, numbers not to dial ----------------------------------------------------------

    def ask(self, call_id: str, text: str, asked: float, until: float | None = None, turn: int = 0) -> Question:
        """Write down what the agent could not answer; the fields are those of `Question`."""
        sql = "insert into questions (call_id, text, asked, until, answer, turn) values (?, ?, ?, ?, '', ?)"
        with self._db.atomic():
            number = self._db.execute(sql, [call_id, text, asked, until, turn]).lastrowid
        return Question(number or 0, call_id, text, asked, until, turn=turn)

    def reopen(self, question: int) -> None:
        """Nobody has answered it after all."""
        with self._db.atomic():
            self._db.execute("update questions set settled = null, answer = '' where id = ?", [question])

    def settle(self, question: int, at: float, answer: str = "") -> bool:
        """Note that a question was answered, or without `answer` followed up; False when it is no longer open."""
        with self._db.atomic():
            sql = "update questions set settled = ?, answer = ? where id = ? and settled is null"
            return self._db.execute(sql, [at, answer, question]).rowcount == 1

    def refuse(self, refusal: Refusal) -> None:
        """Never let this number be dialled again; what is known of it since earlier stays."""
        with self._db.atomic():
            self._db.table("refusals").insert(asdict(refusal), ignore=True)

    def allow(self, number: str) -> bool:
        """Let this number be dialled again; False when it could be all along."""
        with self._db.atomic():
            return self._db.execute("delete from refusals where number = ?", [number]).rowcount == 1

    # --- texts that are used again ----------------------------------------------------------------------------

    def keep_template(self, name: str, action: str, context: str = "") -> Template:
        """Keep this text under a name, in the place of what was kept under it."""
        sql = (
            "insert into templates (name, action, context) values (?, ?, ?) on conflict (name collate nocase) "
            "do update set name = excluded.name, action = excluded.action, context = excluded.context returning id"
        )
        with self._db.atomic():
            number = next(self._db.query(sql, [name, action, context]))["id"]
        return Template(number, name, action, context)

    def rename_template(self, number: int, name: str) -> bool:
        """Call it by another name; False where there is no such template.

        Raises:
            Refused: another one has that name.
        """
        try:
            with self._db.atomic():
                return self._db.execute("update templates set name = ? where id = ?", [name, number]).rowcount == 1
        except sqlite3.IntegrityError:
            raise Refused(f"There is a template “{name}” already: choose another name, or delete that one.") from None

    def forget_template(self, number: int) -> bool:
        """Delete it for good; False where there is no such template."""
        with self._db.atomic():
            return self._db.execute("delete from templates where id = ?", [number]).rowcount == 1


def _cell(value: Any) -> Any:
    value = asdict(value) if isinstance(value, (Report, Tick)) else value
    return json.dumps(value) if isinstance(value, (dict, tuple, list)) else value


def _call_row(call: Call) -> dict[str, Any]:
    return asdict(call.brief) | {name: _cell(getattr(call, name)) for name in CALL_COLUMNS}


def _turn_values(call_id: str, turn: Turn) -> tuple[object, ...]:
    facts = json.dumps([asdict(fact) for fact in turn.facts]) if turn.facts else "[]"
    said = (turn.speaker, turn.text, turn.heard, turn.state, json.dumps(turn.timings), facts)
    return (call_id, turn.number, *said, turn.started, turn.ended)


def _copy_log(path: Path) -> None:
    """Copy the write-ahead log into the database as far as nobody needs the old state; hinders no one."""
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("pragma wal_checkpoint(passive)")
