"""The calls that were and are, in SQLite. The media server is the only writer; everybody else reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
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
        return next(map(_call, self._db.query("select * from calls where id = ?", [call_id])), None)

    def call_of(self, provider_sid: str) -> Call | None:
        return next(map(_call, self._db.query("select * from calls where provider_sid = ?", [provider_sid])), None)

    def calls(self, search: Search | None = None, limit: int = 50, offset: int = 0) -> list[Call]:
        """The newest calls first."""
        where, values = _where(search or Search())
        sql = f"select * from calls where {where} order by created desc, rowid desc limit ? offset ?"
        return [_call(row) for row in self._db.query(sql, [*values, limit, offset])]

    def count(self, search: Search | None = None) -> int:
        where, values = _where(search or Search())
        return int(next(iter(self._db.query(f"select count(*) as n from calls where {where}", values)))["n"])

    def unfinished(self) -> list[Call]:
        return self.calls(Search(statuses=[status for status in Status if not status.final]), limit=1000)

    def turns(self, call_id: str, last: int = 1_000_000) -> list[Turn]:
        """The turns of a call in order, or only the `last` ones."""
        sql = "select * from (select * from turns where call_id = ? order by number desc limit ?) order by number"
        return [_turn(row) for row in self._db.query(sql, [call_id, last])]

    def events(self, call_id: str) -> list[Event]:
        rows = self._db.query("select * from events where call_id = ? order by id", [call_id])
        return [Event(row["at"], row["kind"], json.loads(row["data"])) for row in rows]

    def placed_since(self, moment: float) -> list[float]:
        """When outbound calls were placed since then, in Unix seconds, oldest first."""
        sql = "select created from calls where created >= ? and direction = ? order by created"
        return [float(row["created"]) for row in self._db.query(sql, [moment, Direction.OUTBOUND])]


class Store(Archive):
    """Reading and writing; one per media server. Every method is quick enough to run between two events of a call."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = Database(path)
        db.enable_wal()
        db.execute("pragma synchronous = normal")
        db.execute("pragma busy_timeout = 5000")
        migrations.apply(db)
        super().__init__(db)

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

    def write_turn(self, call_id: str, turn: Turn) -> None:
        """Insert the turn, or overwrite the one of its number."""
        row = asdict(turn) | {"call_id": call_id, "timings": json.dumps(turn.timings)}
        with self._db.atomic():
            self._db.table("turns").upsert(row, pk=("call_id", "number"))

    def write_events(self, call_id: str, events: Iterable[Event]) -> None:
        rows = [{"call_id": call_id, "at": e.at, "kind": e.kind, "data": json.dumps(e.data)} for e in events]
        with self._db.atomic():
            self._db.table("events").insert_all(rows)


_CALL_COLUMNS = [f.name for f in fields(Call) if f.name != "brief"]


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, tuple, list)) else value


def _call_row(call: Call) -> dict[str, Any]:
    return asdict(call.brief) | {name: _cell(getattr(call, name)) for name in _CALL_COLUMNS}


def _call(row: dict[str, Any]) -> Call:
    brief = Brief(**{f.name: row[f.name] for f in fields(Brief)})
    rest = {name: row[name] for name in _CALL_COLUMNS} | {
        "status": Status(row["status"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
        "troubles": tuple(json.loads(row["troubles"])),
        "parts": json.loads(row["parts"]),
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
