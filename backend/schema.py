"""The tables, and every change that was ever made to them, oldest first."""

from __future__ import annotations

from dataclasses import fields

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from backend.models import Brief

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
