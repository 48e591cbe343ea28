"""Reading the calls that were and are, from SQLite; `store` writes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter
from sqlite_utils import Database

from backend.models import (
    Answerer,
    Brief,
    Call,
    Direction,
    Event,
    Fact,
    LineKind,
    Outcome,
    Question,
    Refusal,
    Report,
    Speaker,
    Status,
    Turn,
    TurnState,
)


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

    def unreported(self, since: float, limit: int) -> list[Call]:
        """The calls from then on that are over and have no report yet, the newest first."""
        sql = (
            "select * from calls where report is null and status in ({}) and created >= ? order by created desc limit ?"
        )
        over = [status for status in Status if status.final]
        return [_call(row) for row in self._rows(sql.format(", ".join("?" * len(over))), [*over, since, limit])]

    def turns(self, call_id: str, last: int = 1_000_000) -> list[Turn]:
        """The turns of a call in order, or only the `last` ones."""
        sql = "select * from (select * from turns where call_id = ? order by number desc limit ?) order by number"
        return [_turn(row) for row in self._rows(sql, [call_id, last])]

    def events(self, call_id: str) -> list[Event]:
        rows = self._rows("select * from events where call_id = ? order by id", [call_id])
        return [Event(row["at"], row["kind"], json.loads(row["data"])) for row in rows]

    def questions(self, call_id: str) -> list[Question]:
        """What the agent could not answer in this call, the newest first."""
        return [Question(**row) for row in self._rows(f"{_QUESTIONS} where call_id = ? {_NEWEST}", [call_id])]

    def question(self, number: int) -> Question | None:
        return next((Question(**row) for row in self._rows(f"{_QUESTIONS} where id = ?", [number])), None)

    def open_questions(self, limit: int = 100) -> list[Question]:
        """Those of all calls that nobody has settled yet, the newest first."""
        rows = self._rows(f"{_QUESTIONS} where settled is null {_NEWEST} limit ?", [limit])
        return [Question(**row) for row in rows]

    def refusals(self) -> list[Refusal]:
        """The numbers that must not be dialled, the newest first."""
        rows = self._rows("select * from refusals order by since desc, rowid desc", [])
        return [Refusal(**row) for row in rows]

    def refused(self, number: str) -> Refusal | None:
        """Why this number, in E.164, must not be dialled; None when it may."""
        return next((Refusal(**row) for row in self._rows("select * from refusals where number = ?", [number])), None)

    def placed_since(self, moment: float) -> list[float]:
        """When outbound calls were placed since then, in Unix seconds, oldest first."""
        sql = "select created from calls where created >= ? and direction = ? order by created"
        return [float(row["created"]) for row in self._rows(sql, [moment, Direction.OUTBOUND])]

    def _rows(self, sql: str, values: Sequence[object]) -> Iterator[dict[str, Any]]:
        return iter(self._db.query(sql, values))


CALL_COLUMNS = [f.name for f in fields(Call) if f.name != "brief"]
_QUESTIONS = "select id, call_id, text, asked, until, settled, answer, turn from questions"
_NEWEST = "order by asked desc, id desc"
_REPORT, _FACTS = TypeAdapter(Report), TypeAdapter(tuple[Fact, ...])


def _call(row: dict[str, Any]) -> Call:
    brief = Brief(**{f.name: row[f.name] for f in fields(Brief)})
    rest = {name: row[name] for name in CALL_COLUMNS} | {
        "status": Status(row["status"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
        "troubles": tuple(json.loads(row["troubles"])),
        "parts": json.loads(row["parts"]),
        "counts": json.loads(row["counts"]),
        "answerer": Answerer(row["answerer"]) if row["answerer"] else None,
        "report": _REPORT.validate_json(row["report"]) if row["report"] else None,
    }
    return Call(brief=replace(brief, line=LineKind(row["line"]), direction=Direction(row["direction"])), **rest)


def _turn(row: dict[str, Any]) -> Turn:
    row = {name: value for name, value in row.items() if name != "call_id"}
    kinds = {"speaker": Speaker(row["speaker"]), "state": TurnState(row["state"])}
    timings, facts = json.loads(row["timings"]), row["facts"]
    known = () if facts == "[]" else _FACTS.validate_json(facts)
    return Turn(**row | kinds | {"timings": timings, "facts": known})


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
