"""Reading the calls that were and are, from SQLite; `store` writes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter
from sqlite_utils import Database

from backend.models import (
    Answerer,
    Brief,
    Call,
    Deed,
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
    Tick,
    Turn,
    TurnState,
)
from backend.storage.call_backs import NEWEST, TO_CALL
from backend.storage.glance import GLANCES, Glance, glance
from backend.storage.search import MARK, Search, Sorting, condition, match
from backend.storage.tallies import Tallies, tallies
from backend.templates import Template


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
        db = Database(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5, check_same_thread=False))
        db.execute(f"pragma cache_size = -{_CACHE}")
        return cls(db)

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

    def call_of_request(self, request: str) -> Call | None:
        return next(map(_call, self._rows("select * from calls where request = ?", [request])), None)

    def calls(
        self, search: Search | None = None, limit: int = 50, offset: int = 0, order: Sorting = Sorting.NEWEST
    ) -> list[Call]:
        """Those that are looked for, in this order; the newest first of those that are equal in it."""
        return list(self.each_call(search, limit, offset, order))

    def each_call(
        self, search: Search | None = None, limit: int = -1, offset: int = 0, order: Sorting = Sorting.NEWEST
    ) -> Iterator[Call]:
        """As `calls`, and few of them in memory at once; all where no `limit` is given."""
        wanted = condition(search or Search())
        newest = "created desc, serial desc"
        first = newest if order is Sorting.NEWEST else f"{order} desc, {newest}"
        sql = f"select call_id from listing where {wanted.sql} order by {first} limit ? offset ?"
        ids = [row["call_id"] for row in self._rows(sql, [*wanted.values, limit, offset])]
        for start in range(0, len(ids), _AT_ONCE):
            yield from self._called(ids[start : start + _AT_ONCE])

    def _called(self, ids: Sequence[str]) -> list[Call]:
        rows = self._rows(f"select * from calls where id in ({', '.join('?' * len(ids))})", ids)
        calls = {row["id"]: _call(row) for row in rows}
        return [calls[call_id] for call_id in ids if call_id in calls]

    def passages(self, search: Search, calls: Sequence[Call]) -> dict[str, str]:
        """By call, the place in what was said that the search has found, its words between two `MARK`s."""
        wanted = match(search.words)
        if not wanted or not calls:
            return {}
        sql = (
            "select call_id, snippet(call_texts, 3, ?, ?, '…', 20) as passage from call_texts join listing on"
            " serial = call_texts.rowid where call_texts match ? and call_texts.rowid in"
            f" (select serial from listing where call_id in ({', '.join('?' * len(calls))}))"
        )
        rows = self._rows(sql, [MARK, MARK, wanted, *(call.id for call in calls)])
        return {row["call_id"]: row["passage"] for row in rows if MARK in row["passage"]}

    def count(self, search: Search | None = None) -> int:
        wanted = condition(search or Search())
        return int(next(self._rows(f"select count(*) as n from listing where {wanted.sql}", wanted.values))["n"])

    def tallies(self, search: Search, zone: tzinfo) -> Tallies:
        """The calls that are looked for counted by day and hour, as the clocks of this zone have them."""
        return tallies(self._rows, search, zone)

    def agents(self) -> list[str]:
        """The names under which agents have called, in order of the alphabet."""
        return [row["agent"] for row in self._rows("select distinct agent from listing order by agent", [])]

    def unfinished(self) -> list[Call]:
        return self.calls(Search(statuses=[status for status in Status if not status.final]), limit=1000)

    def last_moment(self, call_id: str) -> float | None:
        """When something was last written of a call, in Unix seconds; None: nothing was."""
        sql = (
            "select max(at) as at from (select max(at) as at from events where call_id = ?"
            " union all select max(coalesce(ended, started)) from turns where call_id = ?)"
        )
        at: float | None = next(self._rows(sql, [call_id, call_id]))["at"]
        return at

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
        return [turn_of(row) for row in self._rows(sql, [call_id, last])]

    def glances(self, now: float) -> list[Glance]:
        """The running calls, the newest first, in one query."""
        return [glance(row) for row in self._rows(GLANCES, [now])]

    def troubles(self, call_id: str) -> list[Event]:
        """What went wrong in a call, each time it did, in order."""
        rows = self._rows("select * from events where call_id = ? and kind = 'Trouble' order by id", [call_id])
        return [Event(row["at"], row["kind"], json.loads(row["data"])) for row in rows]

    def events(self, call_id: str) -> list[Event]:
        rows = self._rows("select * from events where call_id = ? order by id", [call_id])
        return [Event(row["at"], row["kind"], json.loads(row["data"])) for row in rows]

    def deeds(self, call_id: str) -> list[Deed]:
        """Who placed the call, and who ordered what in it, in order."""
        rows = self._rows("select * from events where call_id = ? and kind = 'Operator' order by id", [call_id])
        return [Deed(row["at"], **json.loads(row["data"])) for row in rows]

    def questions(self, call_id: str) -> list[Question]:
        """What the agent could not answer in this call, the newest first."""
        return [Question(**row) for row in self._rows(f"{_QUESTIONS} where call_id = ? {_NEWEST}", [call_id])]

    def question(self, number: int) -> Question | None:
        return next((Question(**row) for row in self._rows(f"{_QUESTIONS} where id = ?", [number])), None)

    def open_questions(self, limit: int = 100, offset: int = 0) -> list[Question]:
        """Those of all calls that nobody has settled yet, the newest first."""
        rows = self._rows(f"{_QUESTIONS} where settled is null {_NEWEST} limit ? offset ?", [limit, offset])
        return [Question(**row) for row in rows]

    def count_open_questions(self) -> int:
        return int(next(self._rows("select count(*) as n from questions where settled is null", []))["n"])

    def to_call(self, since: float, limit: int = 100, offset: int = 0) -> list[Call]:
        """The calls from then on after which somebody should be called again, the newest first."""
        rows = self._rows(f"select call_id {TO_CALL} {NEWEST} limit ? offset ?", [since, limit, offset])
        return self._called([row["call_id"] for row in rows])

    def count_to_call(self, since: float) -> int:
        return int(next(self._rows(f"select count(*) as n {TO_CALL}", [since]))["n"])

    def older_than(self, moment: float, limit: int) -> list[str]:
        """The ids of calls that were over and placed before this moment, the oldest first."""
        sql = "select call_id from listing where created < ? and status not in ({}) order by created limit ?"
        running = [status for status in Status if not status.final]
        rows = self._rows(sql.format(", ".join("?" * len(running))), [moment, *running, limit])
        return [row["call_id"] for row in rows]

    def calls_with(self, number: str, limit: int = 3) -> list[Call]:
        """The calls to this number, in E.164, and from it, the newest first."""
        sql = 'select * from calls where "to" = ? order by created desc, rowid desc limit ?'
        return [_call(row) for row in self._rows(sql, [number, limit])]

    def templates(self) -> list[Template]:
        """The texts that are kept to be used again, by name."""
        rows = self._rows("select id, name, action, context from templates order by name collate nocase", [])
        return [Template(**row) for row in rows]

    def refusals(self) -> list[Refusal]:
        """The numbers that must not be dialled, the newest first."""
        rows = self._rows("select * from refusals order by since desc, rowid desc", [])
        return [Refusal(**row) for row in rows]

    def refused(self, number: str) -> Refusal | None:
        """Why this number, in E.164, must not be dialled; None when it may."""
        return next((Refusal(**row) for row in self._rows("select * from refusals where number = ?", [number])), None)

    def count_incoming(self, since: float) -> int:
        """How many calls have come in since then."""
        sql = "select count(*) as n from listing where created >= ? and direction = ?"
        return int(next(self._rows(sql, [since, Direction.INBOUND]))["n"])

    def placed_since(self, moment: float, dialling: Sequence[str] = ()) -> list[tuple[str, float]]:
        """The number of each phone that was called since then, in E.164, and when in Unix seconds, oldest first.

        Practice calls are none, and a call that was only registered is none until somebody has dialled it.

        Args:
            dialling: ids of calls that are just being dialled, which their rows do not say yet.
        """
        sql = (
            'select "to", created from calls where created >= ? and direction = ? and line = ?'
            f" and (status <> ? or id in ({', '.join('?' * len(dialling))})) order by created"
        )
        rows = self._rows(sql, [moment, Direction.OUTBOUND, LineKind.PHONE, Status.CREATED, *dialling])
        return [(row["to"], float(row["created"])) for row in rows]

    def costs_since(self, moment: float) -> list[tuple[float, float]]:
        """When the calls since then were placed, and what they have cost; those of which that is not written down
        are left out."""
        rows = self._rows("select created, cost from calls where created >= ? and cost is not null", [moment])
        return [(row["created"], row["cost"]) for row in rows]

    def uncosted_since(self, moment: float) -> list[Call]:
        """The calls since then that were answered, or used something, and have no cost yet."""
        sql = "select * from calls where created >= ? and cost is null and (answered is not null or counts <> '{}')"
        return [_call(row) for row in self._rows(sql, [moment])]

    def _rows(self, sql: str, values: Sequence[object]) -> Iterator[dict[str, Any]]:
        return iter(self._db.query(sql, values))


_CACHE = 24_000
"""Kilobytes of the database kept in memory while it is read: enough for the listing of 150,000 calls."""
_AT_ONCE = 500
"""Calls read with one question to the database."""
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
        "reviewed": Tick(**json.loads(row["reviewed"])) if row["reviewed"] else None,
        "followed_up": Tick(**json.loads(row["followed_up"])) if row["followed_up"] else None,
    }
    return Call(brief=replace(brief, line=LineKind(row["line"]), direction=Direction(row["direction"])), **rest)


def turn_of(row: dict[str, Any]) -> Turn:
    """A turn from its row."""
    row = {name: value for name, value in row.items() if name != "call_id"}
    kinds = {"speaker": Speaker(row["speaker"]), "state": TurnState(row["state"])}
    timings, facts = json.loads(row["timings"]), row["facts"]
    known = () if facts == "[]" else _FACTS.validate_json(facts)
    return Turn(**row | kinds | {"timings": timings, "facts": known})
