"""Rows are closed once, at the right moment, with their cost and report: after a crash, and after a full disk too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from backend.bench.virtual_time import in_virtual_time
from backend.call.diary import Diary
from backend.call.events import Ending
from backend.models import Answerer, Brief, Call, Direction, Event, LineKind, Outcome, Speaker, Status, Turn, TurnState
from backend.money.books import Books
from backend.outcome.reporter import Reporter
from backend.storage.store import Store
from backend.switchboard.closing import AGAIN, REGISTERED, Closing
from tests.full_disk import full_disk

NOW = 1_000_000.0
CALL = Call("call", Brief("+12025550143", "Confirm the visit", line=LineKind.PHONE), created=NOW - 63 * 3600)
TALKING = replace(CALL, status=Status.IN_PROGRESS, answered=CALL.created + 10, provider_sid="CA1")
GOODBYE = Ending("They said goodbye.", Outcome.CONFIRMED)


class Wanted(Reporter):
    """Notes whose report is asked for."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.calls: list[str] = []

    def request(self, call_id: str) -> None:
        self.calls.append(call_id)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "calls.db") as store:
        yield store


def closing(store: Store, wanted: Reporter | None = None, running: tuple[str, ...] = (), now: float = NOW) -> Closing:
    return Closing(store, Books(store), wanted or Wanted(store), running, lambda: now)


def row(store: Store, call_id: str = "call") -> Call:
    call = store.call(call_id)
    assert call
    return call


# --- after a crash ------------------------------------------------------------------------------------------------


def test_a_call_whose_server_died_ended_with_its_last_sign_of_life_and_costs_no_more(store: Store) -> None:
    store.add(TALKING)
    assert TALKING.answered
    store.write_turn("call", Turn(1, Speaker.AGENT, "Hi", "Hi", TurnState.DONE, TALKING.answered, TALKING.answered + 2))
    store.write_events("call", [Event(TALKING.answered + 50, "Tick", {})])
    wanted = Wanted(store)
    assert closing(store, wanted).left_behind() == []
    found = row(store)
    assert (found.status, found.outcome) == (Status.FAILED, Outcome.FAILED)
    assert (found.ended, wanted.calls) == (TALKING.answered + 50, ["call"])
    assert found.cost is not None and 0 < found.cost < 0.1


def test_a_call_of_which_nothing_is_known_ended_when_it_was_answered(store: Store) -> None:
    store.add(TALKING)
    closing(store).left_behind()
    assert row(store).ended == TALKING.answered


def test_a_clock_that_went_back_ends_no_call_in_the_future(store: Store) -> None:
    store.add(TALKING)
    store.write_events("call", [Event(NOW + 500, "Tick", {})])
    closing(store).left_behind()
    assert row(store).ended == NOW


def test_a_call_that_was_handed_over_stays_so_when_the_server_dies(store: Store) -> None:
    store.add(replace(TALKING, outcome=Outcome.TRANSFERRED, note="wants a person", ending="It was handed over."))
    closing(store).left_behind()
    found = row(store)
    assert (found.status, found.outcome) == (Status.COMPLETED, Outcome.TRANSFERRED)
    assert (found.note, found.ending) == ("wants a person", "It was handed over.")


@pytest.mark.parametrize(
    ("call", "rings"),
    [
        (replace(CALL, status=Status.RINGING), True),
        (replace(CALL, status=Status.QUEUED), True),
        (replace(CALL, status=Status.IN_PROGRESS), False),
        (CALL, False),
        (replace(CALL, brief=replace(CALL.brief, direction=Direction.INBOUND)), True),
        (replace(CALL, status=Status.RINGING, brief=replace(CALL.brief, line=LineKind.PRACTICE)), False),
    ],
)
def test_only_what_may_still_ring_is_left_to_its_carrier(store: Store, call: Call, rings: bool) -> None:
    young = replace(call, created=NOW - 5)
    store.add(young)
    assert closing(store).left_behind() == ([young] if rings else [])
    assert row(store).status.final is not rings


# --- calls that nobody dials --------------------------------------------------------------------------------------


def registered(store: Store, age: float) -> None:
    store.add(replace(CALL, created=NOW - age))
    Diary(store, "call", lambda: NOW - age).ordered(REGISTERED, "Maya")


def test_a_call_that_was_to_be_dialled_at_once_is_closed_and_one_that_was_registered_waits(store: Store) -> None:
    registered(store, 60)
    store.add(replace(CALL, id="to-dial", created=NOW - 60))
    Diary(store, "to-dial", lambda: NOW - 60).ordered("Place", "Maya")
    assert closing(store).left_behind() == []
    assert row(store).status is Status.CREATED
    ghost = row(store, "to-dial")
    assert (ghost.status, ghost.ending, ghost.ended) == (Status.FAILED, "It was never dialled.", NOW - 60)


@in_virtual_time
async def test_a_registered_call_is_given_up_after_an_hour_unless_it_is_somebodys_business(tmp_path: Path) -> None:
    for age, running, given_up in ((3500.0, (), False), (3700.0, ("call",), False), (3700.0, (), True)):
        folder = tmp_path / f"{age}{running}"
        with Store(folder / "calls.db") as store:
            registered(store, age)
            async with closing(store, running=running):
                await asyncio.sleep(AGAIN + 1)
            assert row(store).status.final is given_up
            assert row(store).ending == ("It was never dialled." if given_up else "")


# --- what cannot be written ---------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_row_that_cannot_be_closed_is_closed_later_with_all_that_was_owed_to_it(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db", every=0.4) as store:
        store.add(replace(TALKING, created=NOW - 100, answered=NOW - 90))
        diary, wanted = Diary(store, "call", lambda: NOW), Wanted(store)
        async with closing(store, wanted) as keeper:
            with full_disk(store):
                diary.count({"tokens": 3})
                diary.trouble("The voice stalled.")
                diary.picked_up(Answerer.PERSON)
                diary.refuse("+12025550143")
                diary.ask("Is there a lift?")
                diary.turn(Turn(1, Speaker.CALLEE, "Yes.", "Yes.", TurnState.DONE, NOW - 50))
                keeper.close("call", lambda: diary.close(Status.COMPLETED, GOODBYE, at=NOW - 40))
                await asyncio.sleep(AGAIN + 1)
                assert (row(store).status, wanted.calls) == (Status.IN_PROGRESS, [])
            await asyncio.sleep(AGAIN)
            found = row(store)
            assert (found.status, found.outcome, found.ended) == (Status.COMPLETED, Outcome.CONFIRMED, NOW - 40)
            assert (found.counts, found.troubles) == ({"tokens": 3}, ("The voice stalled.",))
            assert found.answerer is Answerer.PERSON and found.cost is not None
            assert [question.text for question in store.questions("call")] == ["Is there a lift?"]
            assert store.refused("+12025550143")
            assert [turn.heard for turn in store.turns("call")] == ["Yes."]
            assert wanted.calls == ["call"]


def test_the_first_that_is_known_of_a_calls_end_is_what_its_row_says_in_the_end(store: Store) -> None:
    store.add(TALKING)
    keeper, late = closing(store), Ending("The call ended before it was connected.", Outcome.FAILED)
    with full_disk(store):
        for status, ending in ((Status.COMPLETED, GOODBYE), (Status.FAILED, late)):
            diary = Diary(store, "call", lambda: NOW)
            keeper.close("call", partial(diary.close, status, ending))
    keeper.again()
    assert (row(store).status, row(store).outcome) == (Status.COMPLETED, Outcome.CONFIRMED)


@in_virtual_time
async def test_a_row_that_could_not_be_closed_is_tried_once_more_at_the_end(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db", every=0.4) as store:
        store.add(TALKING)
        diary = Diary(store, "call", lambda: NOW)
        async with closing(store) as keeper:
            with full_disk(store):
                keeper.close("call", lambda: diary.close(Status.COMPLETED, GOODBYE))
        assert row(store).outcome is Outcome.CONFIRMED


@in_virtual_time
async def test_what_waits_to_be_written_keeps_nobody_from_reading(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db", every=0.4) as store:
        store.add(TALKING)
        with full_disk(store):
            store.write_turn("call", Turn(1, Speaker.CALLEE, "Yes.", "Yes.", TurnState.DONE, NOW))
            assert row(store) == TALKING
            assert [glance.id for glance in store.glances(NOW)] == ["call"]
            await asyncio.sleep(1)
        assert [turn.heard for turn in store.turns("call")] == ["Yes."]


@in_virtual_time
async def test_events_that_cannot_be_written_do_not_pile_up_for_ever(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db", every=60) as store:
        store.add(TALKING)
        with full_disk(store):
            for number in range(50):
                store.write_events("call", [Event(float(number), "Tick", {})] * 1000)
            store.write_turn("call", Turn(1, Speaker.CALLEE, "Yes.", "Yes.", TurnState.DONE, NOW))
        assert len(store.turns("call")) == 1
        found = store.events("call")
        assert 5_000 < len(found) <= 20_001
        assert found[-1].at == 49
