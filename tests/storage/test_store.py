"""The store: what is written comes back, late reports change nothing, readers cannot write."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlite_utils import Database

from backend.bench.virtual_time import in_virtual_time
from backend.models import (
    Answerer,
    Brief,
    Call,
    Claim,
    Event,
    Fact,
    LineKind,
    Outcome,
    Refusal,
    Report,
    Speaker,
    Status,
    Turn,
    TurnState,
)
from backend.storage import store as storing
from backend.storage.store import Archive, Search, Sorting, Store, migrations


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "calls.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store


def a_call(call_id: str = "one", **changes: object) -> Call:
    brief = Brief(to="+12025550143", action="Confirm the visit", callee_name="John Smith", line=LineKind.PRACTICE)
    return Call(**{"id": call_id, "brief": brief, "created": 100.0, "parts": {"stt": "offline"}} | changes)  # type: ignore[arg-type]


def test_a_call_comes_back_as_it_was_written(store: Store) -> None:
    store.add(a_call(outcome=Outcome.CONFIRMED, troubles=("the voice was slow",), answered=101.5))
    assert store.call("one") == a_call(outcome=Outcome.CONFIRMED, troubles=("the voice was slow",), answered=101.5)


def test_an_unknown_call_is_none(store: Store) -> None:
    assert store.call("nobody") is None


def test_turns_come_back_in_order_and_are_overwritten_by_number(store: Store) -> None:
    store.add(a_call())
    first = Turn(1, Speaker.AGENT, "Hi John", "Hi", TurnState.OPEN, 101.0)
    second = Turn(2, Speaker.CALLEE, "Hello", "Hello", TurnState.DONE, 102.0, 103.0, {"first_token": 350.0})
    store.write_turn("one", second)
    store.write_turn("one", first)
    done = Turn(1, Speaker.AGENT, "Hi John", "Hi John", TurnState.DONE, 101.0, 102.0)
    store.write_turn("one", done)
    assert store.turns("one") == [done, second]
    assert store.turns("one", last=1) == [second]


def test_a_status_never_goes_back_and_never_leaves_a_final_state(store: Store) -> None:
    store.add(a_call())
    assert store.advance("one", Status.RINGING, sequence=1)
    assert not store.advance("one", Status.INITIATED, sequence=0)
    assert not store.advance("one", Status.RINGING, sequence=1)
    assert store.advance("one", Status.COMPLETED, sequence=3, ended=110.0)
    assert not store.advance("one", Status.IN_PROGRESS, sequence=2)
    assert not store.advance("one", Status.FAILED, sequence=4)
    call = store.call("one")
    assert call and (call.status, call.ended) == (Status.COMPLETED, 110.0)


def test_the_same_trouble_is_noted_once(store: Store) -> None:
    store.add(a_call())
    for what in ("no voice", "no voice", "no words"):
        store.trouble("one", what)
    call = store.call("one")
    assert call and call.troubles == ("no voice", "no words")


def test_search_finds_words_that_were_said_and_treats_wildcards_as_letters(store: Store) -> None:
    store.add(a_call())
    store.add(a_call("two", created=200.0))
    store.write_turn("two", Turn(1, Speaker.CALLEE, "It is 100% fine", "It is 100% fine", TurnState.DONE, 1.0))
    store.advance("two", Status.COMPLETED)
    assert [c.id for c in store.calls(Search(words="100%"))] == ["two"]
    assert [c.id for c in store.calls(Search(words="john"))] == ["two", "one"]
    assert store.calls(Search(words="%%%")) == []
    assert store.count(Search(words="1_0%")) == 0


def test_filters_combine(store: Store) -> None:
    store.add(a_call("old", created=10.0, outcome=Outcome.CONFIRMED, status=Status.COMPLETED))
    store.add(a_call("new", created=20.0, outcome=Outcome.CONFIRMED, status=Status.COMPLETED, troubles=("x",)))
    store.add(a_call("busy", created=30.0, status=Status.BUSY))
    found = store.calls(Search(outcomes=[Outcome.CONFIRMED], statuses=[Status.COMPLETED], since=15.0))
    assert [c.id for c in found] == ["new"]
    assert [c.id for c in store.calls(Search(troubled=True))] == ["new"]
    assert [c.id for c in store.calls(Search(line=LineKind.PHONE))] == []
    assert [c.id for c in store.calls(limit=1, offset=1)] == ["new"]


def test_unfinished_calls_are_those_without_a_final_status(store: Store) -> None:
    store.add(a_call("ringing", status=Status.RINGING))
    store.add(a_call("over", status=Status.CANCELED))
    assert [c.id for c in store.unfinished()] == ["ringing"]


def test_events_keep_their_order_and_data(store: Store) -> None:
    store.add(a_call())
    events = [Event(1.0, "Partial", {"text": "hi"}), Event(1.0, "TurnEnd", {"text": "hi there"})]
    store.write_events("one", events)
    assert store.events("one") == events


def test_a_reader_sees_committed_rows_while_the_writer_is_open_and_cannot_write(store: Store, path: Path) -> None:
    store.add(a_call())
    with Archive.open(path) as archive:
        assert archive.call("one") == a_call()
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            archive._db.execute("delete from calls")


def test_reading_before_any_server_has_run_says_so(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Archive.open(path)


def test_opening_the_store_again_keeps_what_is_there(store: Store, path: Path) -> None:
    store.add(a_call())
    with Store(path) as again:
        assert again.call("one") == a_call()


# --- counts -----------------------------------------------------------------------------------------------------


def test_counts_are_empty_until_they_are_written(store: Store) -> None:
    store.add(a_call())
    assert read(store).counts == {}
    store.change("one", counts={"prepared": 3, "used": 2})
    assert read(store).counts == {"prepared": 3, "used": 2}


def test_a_database_from_before_the_counts_gets_them(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(Database(path)) as db:
        migrations.apply(db, stop_before="counts")
        brief = "'+12025550143', 'Ask', '', '', 'Alex', '', 'practice', 'cooperative', 'outbound'"
        db.execute(
            'insert into calls (id, "to", action, context, callee_name, agent_name, organization, line, persona,'
            " direction, status, note, ending, troubles, parts, provider_sid, created)"
            f" values ('old', {brief}, 'completed', '', '', '[]', '{{}}', '', 100)"
        )
        db.conn.commit()
    with Store(path) as store:
        assert read(store, "old").counts == {}


def test_a_database_from_before_the_reports_gets_room_for_them(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(Database(path)) as db:
        migrations.apply(db, stop_before="reports")
        brief = "'+12025550143', 'Ask', '', '', 'Alex', '', 'practice', 'cooperative', 'outbound'"
        db.execute(
            'insert into calls (id, "to", action, context, callee_name, agent_name, organization, line, persona,'
            " direction, status, note, ending, troubles, parts, provider_sid, created)"
            f" values ('old', {brief}, 'completed', '', '', '[]', '{{}}', '', 100)"
        )
        db.execute("insert into turns values ('old', 'agent', 'Hi', 'Hi', 'done', '{}', 1.0, null, 1)")
        db.conn.commit()
    with Store(path) as store:
        assert (read(store, "old").report, read(store, "old").answerer) == (None, None)
        assert [turn.facts for turn in store.turns("old")] == [()]


def test_the_calls_of_a_database_from_before_are_found_and_measured(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(Database(path)) as db:
        migrations.apply(db, stop_before="searchable")
        brief = "'+12025550143', 'Ask', '', 'José', 'Alex', '', 'practice', 'cooperative', 'outbound'"
        report = json.dumps(asdict(REPORT))
        db.execute(
            'insert into calls (id, "to", action, context, callee_name, agent_name, organization, line, persona,'
            " direction, status, outcome, note, ending, troubles, parts, provider_sid, created, report)"
            f" values ('old', {brief}, 'completed', 'confirmed', '', '', '[]', '{{}}', '', 100, ?)",
            [report],
        )
        timings = json.dumps({"decided": 200, "first_sound": 600})
        turn = "insert into turns (call_id, speaker, text, heard, state, timings, started, number) values"
        db.execute(f"{turn} ('old', 'callee', 'Any bananas?', 'Any bananas?', 'done', '{{}}', 1.0, 1)")
        db.execute(f"{turn} ('old', 'agent', 'Two', 'Two', 'done', ?, 2.0, 2)", [timings])
        db.conn.commit()
    with Store(path) as store:
        for words in ("jose", "bananas", "rescheduled", "555 0143"):
            assert [call.id for call in store.calls(Search(words=words))] == ["old"], words
        old = read(store, "old")
        assert (old.delay_typical, old.delay_worst, old.dead_air) == (800.0, 800.0, 0.8)
        assert [call.id for call in store.calls(order=Sorting.SLOWEST)] == ["old"]
    with Store(path) as again:
        assert again.count(Search(words="bananas")) == 1


def read(store: Archive, call_id: str = "one") -> Call:
    call = store.call(call_id)
    assert call is not None
    return call


# --- what may wait ----------------------------------------------------------------------------------------------

TURN = Turn(1, Speaker.AGENT, "Hi John", "Hi", TurnState.OPEN, 101.0)
DONE = Turn(1, Speaker.AGENT, "Hi John", "Hi John", TurnState.DONE, 101.0, 102.0)
EVENTS = [Event(101.0, "Connected", {"at": 1.5}), Event(102.0, "Tick", {})]


def seen(path: Path) -> tuple[list[Turn], list[Event]]:
    """What another process finds."""
    with Archive.open(path) as archive:
        return archive.turns("one"), archive.events("one")


@in_virtual_time
async def test_turns_and_events_are_written_together_a_moment_later(path: Path) -> None:
    with Store(path, every=0.4) as store:
        store.add(a_call())
        store.write_turn("one", TURN)
        store.write_events("one", EVENTS[:1])
        await asyncio.sleep(0.39)
        store.write_turn("one", DONE)
        store.write_events("one", EVENTS[1:])
        assert seen(path) == ([], [])
        await asyncio.sleep(0.02)
        assert seen(path) == ([DONE], EVENTS)


@in_virtual_time
async def test_whoever_reads_where_it_was_written_need_not_wait(path: Path) -> None:
    with Store(path, every=60) as store:
        store.add(a_call())
        store.write_turn("one", TURN)
        assert store.turns("one") == [TURN]
        store.write_events("one", EVENTS)
        assert store.events("one") == EVENTS


@in_virtual_time
async def test_a_call_that_is_over_is_complete(path: Path) -> None:
    with Store(path, every=60) as store:
        store.add(a_call())
        store.write_turn("one", DONE)
        store.write_events("one", EVENTS)
        store.advance("one", Status.COMPLETED)
        assert seen(path) == ([DONE], EVENTS)


@in_virtual_time
async def test_nothing_is_lost_when_the_store_is_closed(path: Path) -> None:
    with Store(path, every=60) as store:
        store.add(a_call())
        store.write_turn("one", TURN)
        store.write_events("one", EVENTS)
    assert seen(path) == ([TURN], EVENTS)


@in_virtual_time
async def test_what_cannot_be_written_now_is_written_later(path: Path) -> None:
    with Store(path, every=60) as store, closing(sqlite3.connect(path)) as other:
        store._db.execute("pragma busy_timeout = 0")
        store.add(a_call())
        store.write_turn("one", TURN)
        other.execute("begin immediate")
        with pytest.raises(sqlite3.OperationalError):
            store.flush()
        other.rollback()
        assert store.turns("one") == [TURN]


@in_virtual_time
async def test_what_can_never_be_written_stops_nobody_else(path: Path) -> None:
    with Store(path, every=60) as store:
        store.add(a_call())
        with pytest.raises(UnicodeEncodeError):
            store.write_turn("one", Turn(2, Speaker.CALLEE, "\ud800", "", TurnState.OPEN, 101.0))
        with pytest.raises(TypeError):
            store.write_events("one", [Event(101.0, "Odd", {"set": {1}})])
        store.write_turn("one", TURN)
        store.flush()
        assert seen(path) == ([TURN], [])


def test_without_an_event_loop_to_wait_on_everything_is_written_at_once(path: Path) -> None:
    with Store(path) as store:
        store.add(a_call())
        store.write_turn("one", TURN)
        store.write_events("one", EVENTS)
        assert seen(path) == ([TURN], EVENTS)


@in_virtual_time
async def test_a_long_log_is_copied_into_the_database_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "_LARGEST_LOG", 0)
    with Store(path, every=0.4) as store:
        store.add(a_call())
        store.write_turn("one", TURN)
        await asyncio.sleep(0.5)
        # `immutable` makes SQLite look at the database alone, and not at the log.
        with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as alone:
            assert alone.execute("select heard from turns").fetchall() == [("Hi",)]


# --- reports, questions, refusals -------------------------------------------------------------------------------

REPORT = Report(
    Outcome.RESCHEDULED,
    Claim("Rescheduled to Friday at 10 a.m.", (4, 5), 0.9),
    summary=(Claim("John cannot come on Tuesday.", (2,), 0.8),),
    agreed=(Claim("The visit is on Friday at 10 a.m.", (5,), 0.9),),
    questions=(Claim("Is there parking?"),),
    author="rules",
)


def test_a_report_and_who_picked_up_come_back_as_they_were_written(store: Store) -> None:
    store.add(a_call(answerer=Answerer.VOICEMAIL))
    assert (read(store).answerer, read(store).report) == (Answerer.VOICEMAIL, None)
    store.change("one", report=REPORT, answerer=Answerer.PERSON)
    assert (read(store).answerer, read(store).report) == (Answerer.PERSON, REPORT)
    store.add(a_call("two", report=REPORT))
    assert read(store, "two").report == REPORT


def test_the_facts_of_a_turn_come_back_as_they_were_written(store: Store) -> None:
    store.add(a_call())
    fact = Fact("half past two", "context", "at 2:30 p.m.")
    turn = Turn(1, Speaker.AGENT, "At half past two.", "At half", TurnState.CUT, 1.0, 2.0, {}, (fact,))
    store.write_turn("one", turn)
    assert store.turns("one") == [turn]


def test_calls_without_a_report_are_those_that_are_over_and_have_none(store: Store) -> None:
    store.add(a_call("old", created=10.0, status=Status.COMPLETED))
    store.add(a_call("done", created=20.0, status=Status.COMPLETED, report=REPORT))
    store.add(a_call("running", created=30.0, status=Status.IN_PROGRESS))
    store.add(a_call("busy", created=40.0, status=Status.BUSY))
    store.add(a_call("new", created=50.0, status=Status.FAILED))
    assert [call.id for call in store.unreported(15.0, 10)] == ["new", "busy"]
    assert [call.id for call in store.unreported(0.0, 1)] == ["new"]


def test_a_question_is_open_until_it_is_settled_once(store: Store) -> None:
    store.add(a_call())
    first = store.ask("one", "Is there parking?", asked=10.0, until=18.0, turn=4)
    second = store.ask("one", "What does it cost?", asked=20.0)
    assert (first.until, first.turn, second.until, second.turn) == (18.0, 4, None, 0)
    assert store.questions("one") == store.open_questions() == [second, first]
    assert store.settle(first.id, at=12.0, answer="Yes, behind the house.")
    assert not store.settle(first.id, at=13.0, answer="No.")
    assert not store.settle(999, at=13.0)
    assert store.open_questions() == [second]
    [answered] = [question for question in store.questions("one") if question.id == first.id]
    assert (answered.answer, answered.settled) == ("Yes, behind the house.", 12.0)
    assert store.settle(second.id, at=30.0)
    assert store.open_questions() == []
    assert store.questions("nobody") == []


def test_a_refused_number_stays_refused_since_the_first_time_until_it_is_allowed(store: Store, path: Path) -> None:
    first = Refusal("+12025550143", 10.0, "asked not to be called again", "one")
    other = Refusal("+12025550144", 20.0, "entered by hand")
    for refusal in (first, other, Refusal("+12025550143", 30.0, "again")):
        store.refuse(refusal)
    with Archive.open(path) as archive:
        assert archive.refusals() == [other, first]
        assert archive.refused("+12025550143") == first
        assert archive.refused("+12025550145") is None
    assert store.allow("+12025550143")
    assert not store.allow("+12025550143")
    with Archive.open(path) as archive:
        assert archive.refusals() == [other]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no such rights on files")
def test_nobody_else_on_the_machine_may_read_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "calls.db").touch(mode=0o644)
    with Store(tmp_path / "calls.db") as store:
        store.add(a_call())
        assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}
