"""The tables, and every change that was ever made to them, oldest first.

A change is never changed again: it names every column itself, since it is applied to tables of its own time.
"""

from __future__ import annotations

import json
from typing import Any

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from backend.models import Speaker, Turn, TurnState
from backend.storage.documents import WRITE, document
from backend.storage.measures import columns
from backend.templates import STARTERS

migrations = Migrations("phone_agent")


@migrations()
def first_tables(db: Database) -> None:
    text, number, whole = str, float, int
    db.table("calls").create(
        {
            **dict.fromkeys(["id", "to", "action", "context", "callee_name", "agent_name", "organization"], text),
            **dict.fromkeys(["line", "persona", "direction", "status", "outcome", "note", "ending"], text),
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


@migrations()
def reports(db: Database) -> None:
    """What came of a call and who picked up; what the agent did not know; who does not want to be called."""
    text, number, whole = str, float, int
    for name in ("report", "answerer"):
        db.table("calls").add_column(name, text)
    db.table("turns").add_column("facts", text, not_null_default="[]")
    db.table("questions").create(
        {
            "id": whole,
            **dict.fromkeys(["call_id", "text", "answer"], text),
            **dict.fromkeys(["asked", "until", "settled"], number),
            "turn": whole,
        },
        pk="id",
        foreign_keys=[("call_id", "calls", "id")],
    ).create_index(["call_id"])
    db.table("refusals").create({"number": text, "since": number, "why": text, "call_id": text}, pk="number")


@migrations()
def figures(db: Database) -> None:
    """What a call cost and how quick it was, for lists and charts of many calls; whether there is a recording."""
    for name in ("cost", "delay_typical", "delay_worst", "dead_air"):
        db.table("calls").add_column(name, float)
    db.table("calls").add_column("recording", str, not_null_default="")


_LISTING = """
    create table listing (
        serial integer primary key, call_id text not null unique, created real, status text, outcome text, line text,
        direction text, number text, agent text, answerer text, answered integer, troubled integer, review integer,
        talk real, delay_typical real, delay_worst real, dead_air real, cost real
    );
    create index listing_created on listing (created);
    create index listing_status on listing (status);
    create index listing_number on listing (number, created);
    create index listing_agent on listing (agent, created);
    create index listing_talk on listing (talk, created);
    create index listing_delay_worst on listing (delay_worst, created);
    create index listing_dead_air on listing (dead_air, created);
    create index listing_cost on listing (cost, created);
"""
_LISTED = """created, status, outcome, line, direction, number, agent, answerer, answered, troubled, review,
    talk, delay_typical, delay_worst, dead_air, cost"""
_DOUBTFUL = """coalesce(
        json_extract({0}.report, '$.result.confidence') < 0.6
        or (json_array_length({0}.report, '$.result.turns') = 0 and json_extract({0}.report, '$.result.ground') = ''),
        false)"""
"""Where `Claim.doubtful` says so of the result."""
_AS_LISTED = (
    """{0}.created, {0}.status, {0}.outcome, {0}.line, {0}.direction, {0}."to", {0}.agent_name, {0}.answerer,
    {0}.answered is not null, {0}.troubles <> '[]', """
    + _DOUBTFUL
    + ", {0}.ended - {0}.answered, {0}.delay_typical, {0}.delay_worst, {0}.dead_air, {0}.cost"
)
_TEXTS = """
    create virtual table call_texts using fts5 (
        names, number, about, said, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
    )
"""
_KEEP_LISTED = f"""
    create trigger calls_inserted after insert on calls begin
        insert into listing (call_id, {_LISTED}) values (new.id, {_AS_LISTED.format("new")});
    end;
    create trigger calls_updated after update on calls begin
        update listing set ({_LISTED}) = ({_AS_LISTED.format("new")}) where call_id = new.id;
    end;
"""


@migrations()
def searchable(db: Database) -> None:
    """A narrow table beside the calls, which is filtered, sorted and counted quickly, and a full-text index.

    Triggers keep `listing` as the calls are; a change that makes the table of calls anew must make them anew too. Its
    serial numbers are those of the documents in `call_texts`, which the store writes.
    """
    for statement in (*_LISTING.split(";"), _TEXTS):
        db.execute(statement)
    columns = f"select id, {_AS_LISTED.format('calls')} from calls order by created, rowid"
    db.execute(f"insert into listing (call_id, {_LISTED}) {columns}")
    for trigger in _KEEP_LISTED.split("end;")[:-1]:
        db.execute(f"{trigger} end")
    db.execute("create index questions_open on questions (asked) where settled is null")
    _measure_and_index(db)


def _measure_and_index(db: Database) -> None:
    """What the store does with every call when it is over, for those that are over already."""
    serials = db.execute("select serial, call_id from listing order by serial").fetchall()
    for serial, call_id in serials:
        row = next(db.query("select * from calls where id = ?", [call_id]))
        turns = [_turn(one) for one in db.query("select * from turns where call_id = ? order by number", [call_id])]
        db.execute(WRITE, [serial, *document(row, (turn.heard for turn in turns))])
        if turns:
            known = columns(turns)
            measured = {name: known[name] for name in ("delay_typical", "delay_worst", "dead_air")}
            db.table("calls").update(call_id, measured)


def _turn(row: dict[str, Any]) -> Turn:
    """What tables of that time had of a turn, as far as it can be measured."""
    timings, kinds = json.loads(row["timings"]), (Speaker(row["speaker"]), TurnState(row["state"]))
    return Turn(row["number"], kinds[0], row["text"], row["heard"], kinds[1], row["started"], row["ended"], timings)


@migrations()
def templates(db: Database) -> None:
    """Texts that are used again, with a few to begin with; the calls with a number are looked up as it is typed."""
    kept = db.table("templates").create({"id": int, "name": str, "action": str, "context": str}, pk="id")
    db.execute("create unique index templates_by_name on templates (name collate nocase)")
    kept.insert_all({"id": one.id, "name": one.name, "action": one.action, "context": one.context} for one in STARTERS)
    db.table("calls").create_index(["to", "created"])


_WORKED_OFF = """lower(trim({0}.callee_name)), coalesce(
        {0}.outcome in ('call back', 'follow-up needed', 'voicemail left', 'no answer') and {0}.followed_up is null,
        false)"""
_NOW_LISTED = f"{_AS_LISTED.replace(_DOUBTFUL, f'{_DOUBTFUL} and {{0}}.reviewed is null')}, {_WORKED_OFF}"
_KEEP_NOW_LISTED = f"""
    create trigger calls_inserted after insert on calls begin
        insert into listing (call_id, {_LISTED}, callee, to_call) values (new.id, {_NOW_LISTED.format("new")});
    end;
    create trigger calls_updated after update on calls begin
        update listing set ({_LISTED}, callee, to_call) = ({_NOW_LISTED.format("new")}) where call_id = new.id;
    end;
    create trigger calls_deleted after delete on calls begin
        delete from call_texts where rowid = (select serial from listing where call_id = old.id);
        delete from listing where call_id = old.id;
    end;
"""


@migrations()
def worked_off(db: Database) -> None:
    """Who has looked at a report, and who has dealt with a call; calls can be deleted, with what finds them."""
    for name in ("reviewed", "followed_up"):
        db.table("calls").add_column(name, str)
    for column in ("callee text not null default ''", "to_call integer not null default 0"):
        db.execute(f"alter table listing add column {column}")
    named = f"select {_WORKED_OFF.format('calls')} from calls where id = call_id"
    db.execute(f"update listing set (callee, to_call) = ({named})")
    for trigger in ("calls_inserted", "calls_updated"):
        db.execute(f"drop trigger {trigger}")
    for trigger in _KEEP_NOW_LISTED.split("end;\n")[:-1]:
        db.execute(f"{trigger} end")
    db.execute("create index listing_to_call on listing (created) where to_call")


@migrations()
def requests(db: Database) -> None:
    """By what name a call was asked for, so that asking again gives the same call."""
    db.table("calls").add_column("request", str)
    db.execute("create index calls_request on calls (request) where request is not null")
