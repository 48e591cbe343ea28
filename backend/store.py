"""The calls that were and are, in SQLite. The media server is the only writer; everybody else reads."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from backend.models import Brief, Call, Direction, Event, LineKind, Outcome, Speaker, Status, Turn, TurnState

migrations = Migrations("phone_agent")


@migrations()
def first_tables(db: Database) -> None:
    text, number, whole = str, float, int
    db.table("calls").create(
        {
            **dict.fromkeys(["id", *(f.name for f in fields(Brief)), "status", "outcome", "note", "ending"], text),
            **dict.fromkeys(["troubles", "parts", "provider_sid"], text),
            **dict.fromkeys(["created", "answered", "ended"], number),
            "sequence": whole,
        },
        pk="id",
        defaults={"sequence": -1},
    ).create_index(["created"]).create_index(["provider_sid"])
    db.table("turns").create(
        {
            **dict.fromkeys(["call_id", "speaker", "text", "heard", "state", "timings"], text),
            **dict.fromkeys(["started", "ended"], number),
            "number": whole,
        },
        pk=("call_id", "number"),
        foreign_keys=[("call_id", "calls", "id")],
    )
    db.table("events").create(
        {"id": whole, "call_id": text, "at": number, "kind": text, "data": text},
        pk="id",
        foreign_keys=[("call_id", "calls", "id")],
    ).create_index(["call_id"])


@migrations()
def counts(db: Database) -> None:
    db.table("calls").add_column("counts", str, not_null_default="{}")


@dataclass(frozen=True, slots=True)
class Search:
    """Which calls to list; an empty field filters nothing."""

    words: str = ""
    """Text to find in names, numbers, action, note and anything said."""
    statuses: Sequence[Status] = ()
    outcomes: Sequence[Outcome] = ()
    line: LineKind | None = None
    troubled: bool = False
    """Only calls on which something went wrong."""
    since: float = 0.0


class Archive:
    """Reading. Open one for each burst of reading and close it; it never blocks the writer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for reading only.

        Raises:
            FileNotFoundError: there is no database yet: no media server has ever run here.
        """
        if not path.exists():
            raise FileNotFoundError(path)
        return cls(Database(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5, check_same_thread=False)))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def call(self, call_id: str) -> Call | None:
        return next(map(_call, self._rows("select * from calls where id = ?", [call_id])), None)

    def call_of(self, provider_sid: str) -> Call | None:
        return next(map(_call, self._rows("select * from calls where provider_sid = ?", [provider_sid])), None)

    def calls(self, search: Search | None = None, limit: int = 50, offset: int = 0) -> list[Call]:
        """The newest calls first."""
        where, values = _where(search or Search())
        sql = f"select * from calls where {where} order by created desc, rowid desc limit ? offset ?"
        return [_call(row) for row in self._rows(sql, [*values, limit, offset])]

    def count(self, search: Search | None = None) -> int:
        where, values = _where(search or Search())
        return int(next(self._rows(f"select count(*) as n from calls where {where}", values))["n"])

    def unfinished(self) -> list[Call]:
        return self.calls(Search(statuses=[status for status in Status if not status.final]), limit=1000)

    def turns(self, call_id: str, last: int = 1_000_000) -> list[Turn]:
        """The turns of a call in order, or only the `last` ones."""
        sql = "select * from (select * from turns where call_id = ? order by number desc limit ?) order by number"
        return [_turn(row) for row in self._rows(sql, [call_id, last])]

    def events(self, call_id: str) -> list[Event]:
        rows = self._rows("select * from events where call_id = ? order by id", [call_id])
        return [Event(row["at"], row["kind"], json.loads(row["data"])) for row in rows]

    def placed_since(self, moment: float) -> list[float]:
        """When outbound calls were placed since then, in Unix seconds, oldest first."""
        sql = "select created from calls where created >= ? and direction = ? order by created"
        return [float(row["created"]) for row in self._rows(sql, [moment, Direction.OUTBOUND])]

    def _rows(self, sql: str, values: Sequence[object]) -> Iterator[dict[str, Any]]:
        return iter(self._db.query(sql, values))


_TURN = """
    insert into turns (call_id, number, speaker, text, heard, state, timings, started, ended)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (call_id, number) do update set speaker = excluded.speaker, text = excluded.text,
        heard = excluded.heard, state = excluded.state, timings = excluded.timings, started = excluded.started,
        ended = excluded.ended
"""
_EVENT = "insert into events (call_id, at, kind, data) values (?, ?, ?, ?)"
_MOST_WAITING = 20_000
"""Rows that may wait to be written; more only do if writing fails, and then whoever adds one is to know."""
_LARGEST_LOG = 4_000_000
"""Bytes of SQLite's write-ahead log, from which on it is copied into the database."""


class Store(Archive):
    """Reading and writing; one per media server. Every method is quick enough to run between two events of a call.

    Turns and events, of which a call has ten a second, may wait a moment and are then written together, in one
    transaction for all calls. Whoever reads here finds them all the same, and a call's row never says that it is over
    before everything of it is in the database.
    """

    def __init__(self, path: Path, every: float = 0.0) -> None:
        """`every`: seconds that turns and events may wait where an event loop runs; what a crash would lose."""
        path.parent.mkdir(parents=True, exist_ok=True)
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
        self._copying: asyncio.Future[None] | None = None
        if every:
            # Copying the log waits for the disk, and then so would every call: a thread does it.
            db.execute("pragma wal_autocheckpoint = 0")

    def close(self) -> None:
        self.flush()
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
        if not self._every or len(self._turns) + len(self._events) > _MOST_WAITING:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every, self._due)

    def _due(self) -> None:
        self._timer = None
        self.flush()
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

    def flush(self) -> None:
        """Write now what waits."""
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
        self.flush()
        return super()._rows(sql, values)

    # --- a call's row -----------------------------------------------------------------------------------------

    def add(self, call: Call) -> None:
        with self._db.atomic():
            self._db.table("calls").insert(_call_row(call))

    def change(self, call_id: str, **columns: Any) -> None:
        """Overwrite some columns of a call's row; the names are those of `Call`."""
        with self._db.atomic():
            self._db.table("calls").update(call_id, {name: _cell(value) for name, value in columns.items()})

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
            self.change(call_id, status=status, sequence=max(sequence, row["sequence"] or -1), **columns)
            return True

    def trouble(self, call_id: str, what: str) -> None:
        """Note on the call's row what went wrong; the same sentence once."""
        call = self.call(call_id)
        if call and what not in call.troubles:
            self.change(call_id, troubles=(*call.troubles, what))


_CALL_COLUMNS = [f.name for f in fields(Call) if f.name != "brief"]


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, tuple, list)) else value


def _call_row(call: Call) -> dict[str, Any]:
    return asdict(call.brief) | {name: _cell(getattr(call, name)) for name in _CALL_COLUMNS}


def _turn_values(call_id: str, turn: Turn) -> tuple[object, ...]:
    said = (turn.speaker, turn.text, turn.heard, turn.state, json.dumps(turn.timings))
    return (call_id, turn.number, *said, turn.started, turn.ended)


def _copy_log(path: Path) -> None:
    """Copy the write-ahead log into the database as far as nobody needs the old state; hinders no one."""
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("pragma wal_checkpoint(passive)")


def _call(row: dict[str, Any]) -> Call:
    brief = Brief(**{f.name: row[f.name] for f in fields(Brief)})
    rest = {name: row[name] for name in _CALL_COLUMNS} | {
        "status": Status(row["status"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
        "troubles": tuple(json.loads(row["troubles"])),
        "parts": json.loads(row["parts"]),
        "counts": json.loads(row["counts"]),
    }
    return Call(brief=replace(brief, line=LineKind(row["line"]), direction=Direction(row["direction"])), **rest)


def _turn(row: dict[str, Any]) -> Turn:
    row = {name: value for name, value in row.items() if name != "call_id"}
    kinds = {"speaker": Speaker(row["speaker"]), "state": TurnState(row["state"])}
    return Turn(**row | kinds | {"timings": json.loads(row["timings"])})


_SEARCHED = ("callee_name", 'calls."to"', "action", "note", "organization")


def _where(search: Search) -> tuple[str, list[Any]]:
    """The condition and its values; every value travels as a parameter."""
    terms: list[tuple[str, list[Any]]] = [("created >= ?", [search.since])]
    for column, chosen in (("status", search.statuses), ("outcome", search.outcomes)):
        if chosen:
            terms.append((f"{column} in ({', '.join('?' * len(chosen))})", list(chosen)))
    if search.line:
        terms.append(("line = ?", [search.line]))
    if search.troubled:
        terms.append(("troubles != '[]'", []))
    if search.words.strip():
        terms.append(_anywhere(search.words.strip()))
    return " and ".join(term for term, _ in terms), [value for _, values in terms for value in values]


def _anywhere(words: str) -> tuple[str, list[Any]]:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    likes = [f"{column} like ? escape '\\'" for column in _SEARCHED]
    said = "id in (select call_id from turns where text like ? escape '\\')"
    return f"({' or '.join([*likes, said])})", [f"%{escaped}%"] * (len(likes) + 1)
