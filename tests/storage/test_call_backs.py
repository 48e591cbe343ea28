"""After which calls somebody should be called again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.models import Brief, Call, Direction, LineKind, Outcome, Refusal, Status, Tick
from backend.storage.call_backs import OPEN, WITHIN
from backend.storage.store import Archive, Store

NOW = 1_790_000_000.0
NUMBER = "+12025550143"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "calls.db") as store:
        yield store


def a_call(store: Store, call_id: str, outcome: Outcome | None, at: float, **brief: object) -> None:
    known: dict[str, object] = {"to": NUMBER, "action": "Confirm", "callee_name": "Ann Lee", "line": LineKind.PHONE}
    about = Brief(**(known | brief))  # type: ignore[arg-type]
    status = Status.COMPLETED if outcome else Status.IN_PROGRESS
    store.add(Call(call_id, about, status, outcome, created=NOW + at))


def to_call(store: Archive, since: float = NOW - WITHIN) -> list[str]:
    found = [call.id for call in store.to_call(since)]
    assert store.count_to_call(since) == len(found)
    return found


def test_what_came_to_nothing_that_lasts_is_listed_the_newest_first(store: Store) -> None:
    for at, outcome in enumerate([None, *Outcome]):
        a_call(store, str(outcome), outcome, at, to=f"+1202555{at:04}")
    assert to_call(store) == ["no answer", "voicemail left", "follow-up needed", "call back"]


def test_a_call_that_is_ticked_off_is_listed_no_more(store: Store) -> None:
    a_call(store, "one", Outcome.CALL_BACK, 0)
    store.change("one", followed_up=Tick(NOW + 5, "Maya"))
    assert to_call(store) == []
    kept = store.call("one")
    assert kept and kept.followed_up == Tick(NOW + 5, "Maya")


@pytest.mark.parametrize("outcome", Outcome)
def test_a_later_call_with_the_number_settles_the_matter_or_takes_its_place(store: Store, outcome: Outcome) -> None:
    a_call(store, "first", Outcome.NO_ANSWER, 0)
    a_call(store, "second", outcome, 10)
    nothing_new = {Outcome.HUNG_UP, Outcome.STOPPED, Outcome.FAILED, Outcome.UNCLEAR}
    expected = ["second"] if outcome in OPEN else ["first"] if outcome in nothing_new else []
    assert to_call(store) == expected


def test_ticking_off_the_latest_of_several_tries_brings_no_earlier_one_back(store: Store) -> None:
    for at in range(3):
        a_call(store, f"try-{at}", Outcome.NO_ANSWER, at)
    assert to_call(store) == ["try-2"]
    store.change("try-2", followed_up=Tick(NOW))
    assert to_call(store) == []


def test_an_earlier_success_settles_nothing(store: Store) -> None:
    a_call(store, "first", Outcome.CONFIRMED, 0)
    a_call(store, "second", Outcome.CALL_BACK, 10)
    assert to_call(store) == ["second"]


def test_a_call_with_another_person_at_the_number_or_for_practice_settles_nothing(store: Store) -> None:
    a_call(store, "mother", Outcome.VOICEMAIL, 0)
    a_call(store, "son", Outcome.CONFIRMED, 10, callee_name="Tom Lee")
    a_call(store, "practised", Outcome.CONFIRMED, 20, line=LineKind.PRACTICE)
    assert to_call(store) == ["mother"]


def test_whoever_calls_back_has_settled_the_matter(store: Store) -> None:
    a_call(store, "first", Outcome.VOICEMAIL, 0)
    a_call(store, "back", Outcome.CONFIRMED, 10, callee_name="", direction=Direction.INBOUND)
    assert to_call(store) == []


def test_callers_without_a_number_are_not_taken_for_one_another(store: Store) -> None:
    a_call(store, "one", Outcome.CALL_BACK, 0, to="anonymous", callee_name="", direction=Direction.INBOUND)
    a_call(store, "two", Outcome.CONFIRMED, 10, to="anonymous", callee_name="", direction=Direction.INBOUND)
    assert to_call(store) == ["one"]


def test_numbers_that_are_never_called_are_not_to_be_called_back(store: Store) -> None:
    a_call(store, "one", Outcome.CALL_BACK, 0)
    store.refuse(Refusal(NUMBER, NOW, "They asked."))
    assert to_call(store) == []


def test_a_report_that_says_otherwise_counts(store: Store) -> None:
    a_call(store, "one", Outcome.CONFIRMED, 0)
    store.change("one", outcome=Outcome.FOLLOW_UP)
    assert to_call(store) == ["one"]
    store.change("one", outcome=Outcome.DECLINED)
    assert to_call(store) == []


def test_what_is_older_is_not_listed(store: Store) -> None:
    a_call(store, "old", Outcome.CALL_BACK, 0)
    assert to_call(store, NOW + 1) == []


STORIES = st.lists(
    st.tuples(st.sampled_from(Outcome), st.sampled_from(["", "Ann", "Tom"]), st.sampled_from(LineKind), st.booleans()),
    max_size=8,
)


@given(story=STORIES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_whatever_happens_the_latest_open_call_is_listed_until_it_is_ticked_off(
    store: Store, story: list[tuple[Outcome, str, LineKind, bool]]
) -> None:
    number = f"+1{2_000_000_000 + store.count()}"
    place = store.count()
    for at, (outcome, name, line, ticked) in enumerate(story):
        a_call(store, f"{place}-{at}", outcome, place + at, to=number, callee_name=name, line=line)
        if ticked:
            store.change(f"{place}-{at}", followed_up=Tick(NOW))
    listed = {call.id for call in store.to_call(0.0, limit=10_000) if call.brief.to == number}
    for at, (outcome, _, _, ticked) in enumerate(story):
        if outcome not in OPEN or ticked:
            assert f"{place}-{at}" not in listed
    if story and story[-1][0] in OPEN and not story[-1][3]:
        assert f"{place}-{len(story) - 1}" in listed
