"""Deleting calls: one that is asked for, and those that have been kept for long enough."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backend.bench.virtual_time import run
from backend.models import Brief, Call, Claim, Event, Outcome, Refusal, Report, Speaker, Status, Turn, TurnState
from backend.recording.names import name_of
from backend.storage.retention import Retention
from backend.storage.search import Search
from backend.storage.store import Store

NOW = 1_790_000_000.0
DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "calls.db") as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


def a_call(store: Store, folder: Path, call_id: str, days_ago: float = 0.0, status: Status = Status.COMPLETED) -> Path:
    """A call with everything that a call can have; returns its recording."""
    at = NOW - days_ago * DAY
    name = name_of(call_id, at)
    (folder / name).write_bytes(b"sound")
    report = Report(Outcome.CONFIRMED, Claim("She takes the umbrella", (1,), 0.9))
    brief = Brief("+12025550143", "Confirm", callee_name="Ann Lee")
    store.add(Call(call_id, brief, status, Outcome.CONFIRMED, created=at, report=report, recording=name))
    store.write_turn(call_id, Turn(1, Speaker.CALLEE, "Bananas", "Bananas", TurnState.DONE, at))
    store.write_events(call_id, [Event(at, "Operator", {"by": "Maya", "did": "Place"})])
    store.ask(call_id, "Is there a lift?", at)
    store.change(call_id, report=report)
    return folder / name


def left(store: Store, call_id: str) -> set[str]:
    """Which tables still know of it."""
    store.flush()
    tables = {"calls": "id", "listing": "call_id", "turns": "call_id", "events": "call_id", "questions": "call_id"}
    with closing(sqlite3.connect(store._path)) as db:
        return {
            table
            for table, column in tables.items()
            if db.execute(f"select 1 from {table} where {column} = ?", [call_id]).fetchone()
        }


def test_a_call_goes_with_everything_that_is_known_of_it_and_no_other_does(store: Store, folder: Path) -> None:
    gone, kept = a_call(store, folder, "gone"), a_call(store, folder, "kept")
    run(Retention(store, folder, 0).remove("gone"))
    assert (left(store, "gone"), gone.exists()) == (set(), False)
    assert len(left(store, "kept")) == 5
    assert kept.exists()
    assert {call.id for call in store.calls(Search(words="bananas umbrella"))} == {"kept"}
    assert store._db.execute("select count(*) from call_texts").fetchone() == (1,)


def test_what_was_just_said_and_waits_to_be_written_goes_too(store: Store, folder: Path) -> None:
    a_call(store, folder, "gone")
    store._turns["gone", 2] = Turn(2, Speaker.AGENT, "Bye", "Bye", TurnState.DONE, NOW)
    run(Retention(store, folder, 0).remove("gone"))
    assert left(store, "gone") == set()


def test_a_number_that_is_never_called_stays_so_and_leads_to_no_call_that_is_gone(store: Store, folder: Path) -> None:
    a_call(store, folder, "gone")
    store.refuse(Refusal("+12025550143", NOW, "They asked.", "gone"))
    run(Retention(store, folder, 0).remove("gone"))
    assert store.refusals() == [Refusal("+12025550143", NOW, "They asked.")]


def test_the_place_of_a_deleted_call_is_found_by_nothing_of_its_words(store: Store, folder: Path) -> None:
    a_call(store, folder, "gone")
    run(Retention(store, folder, 0).remove("gone"))
    store.add(Call("new", Brief("+442079460958", "Ask"), created=NOW))
    assert store.calls(Search(words="bananas")) == []
    assert [call.id for call in store.calls(Search(words="ask"))] == ["new"]


def test_a_recording_can_go_alone_also_one_of_which_the_row_does_not_know(store: Store, folder: Path) -> None:
    path = a_call(store, folder, "one")
    lost = folder / name_of("one", NOW + 1)
    lost.write_bytes(b"sound")
    run(Retention(store, folder, 0).remove_recording("one"))
    call = store.call("one")
    assert call and call.recording == ""
    assert not path.exists() and not lost.exists()
    assert len(left(store, "one")) == 5


def test_calls_that_were_kept_for_long_enough_go_and_those_that_run_stay(store: Store, folder: Path) -> None:
    old = a_call(store, folder, "old", days_ago=31)
    new = a_call(store, folder, "new", days_ago=29)
    runs = a_call(store, folder, "runs", days_ago=31, status=Status.IN_PROGRESS)
    run(Retention(store, folder, 30, clock=lambda: NOW).tidy())
    assert [call.id for call in store.calls()] == ["new", "runs"]
    assert [path.exists() for path in (old, new, runs)] == [False, True, True]


def test_however_many_are_old_all_of_them_go(store: Store, folder: Path) -> None:
    store.load((Call(f"old-{n}", Brief("+1", "Ask"), Status.FAILED, created=NOW - 40 * DAY), []) for n in range(450))
    run(Retention(store, folder, 30, clock=lambda: NOW).tidy())
    assert store.count() == 0


def test_without_days_nothing_is_ever_deleted(store: Store, folder: Path) -> None:
    a_call(store, folder, "old", days_ago=4000)

    async def a_week() -> None:
        async with Retention(store, folder, 0, clock=lambda: NOW):
            await asyncio.sleep(7 * DAY)

    run(a_week(), limit=8 * DAY)
    assert store.count() == 1


def test_every_day_it_looks_again(store: Store, folder: Path) -> None:
    a_call(store, folder, "old", days_ago=29.5)
    days = iter((NOW, NOW + DAY, NOW + 2 * DAY))

    async def two_days() -> list[int]:
        async with Retention(store, folder, 30, clock=lambda: next(days)):
            await asyncio.sleep(DAY / 2)
            before = store.count()
            await asyncio.sleep(DAY)
            return [before, store.count()]

    assert run(two_days(), limit=3 * DAY) == [1, 0]
