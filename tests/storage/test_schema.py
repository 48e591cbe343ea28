"""The changes to the tables, applied to a database as the first version of the product made it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backend.models import Claim, LineKind, Outcome, Report, Speaker, Status, Turn, TurnState
from backend.storage.search import Search
from backend.storage.store import Store

FIRST = """
    create table calls (
        id text primary key, "to" text, action text, context text, callee_name text, agent_name text,
        organization text, line text, persona text, direction text, status text, outcome text, note text, ending text,
        troubles text, parts text, provider_sid text, created real, answered real, ended real,
        sequence integer default -1
    );
    create index idx_calls_created on calls (created);
    create index idx_calls_provider_sid on calls (provider_sid);
    create table turns (
        call_id text references calls(id), speaker text, text text, heard text, state text, timings text,
        started real, ended real, number integer, primary key (call_id, number)
    );
    create table events (id integer primary key, call_id text references calls(id), at real, kind text, data text);
    create index idx_events_call_id on events (call_id);
    create table _sqlite_migrations (id integer primary key, migration_set text, name text, applied_at text);
    create unique index idx__sqlite_migrations_migration_set_name on _sqlite_migrations (migration_set, name);
    insert into _sqlite_migrations (migration_set, name, applied_at)
        values ('phone_agent', 'first_tables', '2026-01-05 10:00:00+00:00');
    insert into calls values (
        'one', '+12025550143', 'Confirm the visit', 'It takes an hour', 'John Smith', 'Alex', 'Brightside', 'practice',
        'cooperative', 'outbound', 'completed', 'call back', 'Thursday after four', 'They said goodbye.', '["Slow."]',
        '{"stt": "Deepgram"}', 'CA1', 1767600000.0, 1767600005.0, 1767600065.0, 3
    );
    insert into turns values
        ('one', 'agent', 'Hello John', 'Hello John', 'done', '{}', 1767600006.0, 1767600008.0, 1),
        ('one', 'callee', 'Bananas', 'Bananas', 'done', '{}', 1767600009.0, 1767600010.0, 2),
        ('one', 'agent', 'Fine', 'Fine', 'done', '{"decided": 200.0, "first_sound": 500.0}', 1767600011.0, null, 3);
    insert into events (call_id, at, kind, data) values ('one', 1767600000.0, 'Operator', '{"by": "", "did": "Place"}');
"""
"""What the first version had made of an empty file, with a call."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Of today, over tables of the first version."""
    with closing(sqlite3.connect(tmp_path / "calls.db")) as db:
        db.executescript(FIRST)
    with Store(tmp_path / "calls.db") as store:
        yield store


def test_the_first_change_makes_the_tables_of_the_first_version(tmp_path: Path, store: Store) -> None:
    """Else what follows would prove nothing about old databases."""
    with Store(tmp_path / "new.db") as new:
        for table in ("calls", "turns", "events"):
            assert columns(new, table) == columns(store, table)


def columns(store: Store, table: str) -> dict[str, str]:
    return {row["name"]: row["type"].upper() for row in store._rows(f"pragma table_info({table})", [])}


def test_a_database_of_the_first_version_has_everything_after_all_changes(tmp_path: Path, store: Store) -> None:
    def made(of: Store) -> set[tuple[str, str]]:
        rows = of._rows("select type, name from sqlite_master where name not like 'sqlite_%'", [])
        return {(row["type"], row["name"]) for row in rows}

    with Store(tmp_path / "new.db") as new:
        assert made(store) == made(new)
        assert store.templates() == new.templates()


def test_its_calls_are_whole_found_measured_and_worked_off(store: Store) -> None:
    call = store.call("one")
    assert call and (call.brief.callee_name, call.brief.line) == ("John Smith", LineKind.PRACTICE)
    assert (call.status, call.outcome, call.troubles) == (Status.COMPLETED, Outcome.CALL_BACK, ("Slow.",))
    assert (call.delay_typical, call.delay_worst, call.dead_air) == (700.0, 700.0, 0.7)
    assert (call.reviewed, call.followed_up) == (None, None)
    assert [found.id for found in store.calls(Search(words="banan smith", troubled=True))] == ["one"]
    assert [found.id for found in store.to_call(0.0)] == ["one"]
    assert store.turns("one")[1] == Turn(
        2, Speaker.CALLEE, "Bananas", "Bananas", TurnState.DONE, 1767600009.0, 1767600010.0
    )


def test_what_is_written_to_it_from_now_on_is_found_too(store: Store) -> None:
    store.change("one", outcome=Outcome.DECLINED, report=Report(Outcome.DECLINED, Claim("No, thank you", (2,), 0.4)))
    assert store.to_call(0.0) == []
    assert [found.id for found in store.calls(Search(review=True, words="thank"))] == ["one"]
