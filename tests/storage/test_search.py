"""Finding past calls: by words, by number, by what is known of them, and quickly."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.bench.archive import make
from backend.models import (
    Answerer,
    Brief,
    Call,
    Claim,
    Direction,
    LineKind,
    Outcome,
    Report,
    Speaker,
    Status,
    Tick,
    Turn,
    TurnState,
)
from backend.storage.call_backs import WITHIN
from backend.storage.search import MARK, Search, Sorting, condition, match
from backend.storage.store import Archive, Store

NOW = 1_790_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "calls.db") as store:
        yield store


def a_call(call_id: str, *said: str, **changes: object) -> tuple[Call, list[Turn]]:
    """A call that is over, in which the callee said this."""
    turns = [Turn(n, Speaker.CALLEE, text, text, TurnState.DONE, NOW + n) for n, text in enumerate(said, start=1)]
    brief = Brief("+12025550143", "Confirm the visit", callee_name="Ann Lee", organization="Harbor Clinic")
    row: dict[str, object] = {"id": call_id, "brief": brief, "status": Status.COMPLETED, "created": NOW}
    return Call(**(row | changes)), turns  # type: ignore[arg-type]


def found(store: Archive, words: str = "", **fields: object) -> set[str]:
    search = Search(words=words, **fields)  # type: ignore[arg-type]
    calls = {call.id for call in store.calls(search)}
    assert store.count(search) == len(calls)
    return calls


# --- words ------------------------------------------------------------------------------------------------------


def test_everything_that_somebody_may_remember_finds_the_call(store: Store) -> None:
    report = Report(Outcome.CONFIRMED, Claim("Parking is behind the bakery"), agreed=(Claim("Bring the umbrella"),))
    brief = Brief("+12025550143", "Confirm the fitting", callee_name="José O'Neil", organization="Elm Vets")
    store.load([a_call("one", "It is 100% fine", brief=brief, report=report, note="Tuesday suits"), a_call("two")])
    for words in ("jose", "O'NEIL", "elm vet", "fitting", "100%", "suits", "bakery", "umbrella", "fine 0143 José"):
        assert found(store, words) == {"one"}, words


def test_all_words_must_occur_and_their_beginnings_will_do(store: Store) -> None:
    store.load([a_call("one", "Bananas are ripe"), a_call("two", "Bananas are cheap")])
    assert found(store, "banan rip") == {"one"}
    assert found(store, "anan") == set()
    assert found(store, "ban") == {"one", "two"}


def test_words_in_quotation_marks_stand_next_to_each_other(store: Store) -> None:
    store.load([a_call("one", "at ten on Monday"), a_call("two", "on Monday at ten")])
    assert found(store, "monday ten") == {"one", "two"}
    assert found(store, '"monday at ten"') == {"two"}
    assert found(store, '"monday at te') == {"two"}, "it is still being typed"
    assert found(store, '"monday at te"') == set()


@pytest.mark.parametrize("marks", ["%%%", '"', '""', "***", "1_0%", "NOT", "\x00", "((", "-"])
def test_signs_of_any_language_are_only_letters(store: Store, marks: str) -> None:
    store.load([a_call("one", "It is 100% fine")])
    assert found(store, marks) == set()


def test_without_words_everything_is_found(store: Store) -> None:
    store.load([a_call("one")])
    assert found(store, "  ") == {"one"}


ODD = st.text(st.sampled_from(list("ab1203 \"*()+-:.^{}\\'%_\x00\ud800\u0301ß中é²NOTANDORNEAR")), max_size=30)


@given(words=ODD | st.text(max_size=40), number=ODD)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@example(words='a"b*c', number="(0)")
def test_whatever_is_typed_is_a_search(store: Store, words: str, number: str) -> None:
    search = Search(words=words, number=number)
    assert store.count(search) == 0
    store.passages(search, [a_call("one")[0]])


WORD = st.text("abcdefgéßøñ", min_size=2, max_size=8)


@given(said=st.lists(WORD, min_size=1, max_size=6), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_any_beginnings_of_any_words_find_what_was_said(store: Store, said: list[str], data: st.DataObject) -> None:
    call_id = f"call-{store.count()}"
    store.load([a_call(call_id, " ".join(said))])
    chosen = data.draw(st.lists(st.sampled_from(said), min_size=1))
    typed = " ".join(word[: data.draw(st.integers(1, len(word)))] for word in chosen)
    assert call_id in {call.id for call in store.calls(Search(words=typed), limit=10_000)}


def test_the_values_of_a_search_are_never_part_of_its_sql() -> None:
    poison = "'; drop table calls; --"
    search = Search(words=f"{poison} 555 0143", number=poison, agent=poison)
    assert "drop" not in condition(search).sql
    assert "drop" in match(poison)


# --- numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["+12025550143", "2025550143", "(202) 555-0143", "202 555", "0143", "555-0143", "5550", "1 202 555 0143"]
)
def test_any_part_of_the_number_finds_it_however_it_is_written(store: Store, typed: str) -> None:
    other = Brief("+442079460958", "Ask")
    store.load([a_call("one"), a_call("other", brief=other)])
    assert found(store, typed) == {"one"}
    assert found(store, number=typed) == {"one"}


@pytest.mark.parametrize("typed", ["020 7946 0958", "+44 (0)20 7946", "+44 20 7946 0958", "0044 20 7946", "07946"])
def test_a_number_is_found_as_people_dial_it_at_home(store: Store, typed: str) -> None:
    store.load([a_call("one"), a_call("london", brief=Brief("+442079460958", "Ask"))])
    assert found(store, typed) == found(store, number=typed) == {"london"}


@given(digits=st.text("0123456789", min_size=3, max_size=9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_digits_of_a_number_find_it(store: Store, digits: str) -> None:
    call_id = f"n{store.count()}"
    store.load([a_call(call_id, brief=Brief(f"+1{digits}", "Ask"))])
    assert call_id in {call.id for call in store.calls(Search(words=digits), limit=10_000)}


@pytest.mark.parametrize("typed", ["303 555 0101", "3035550101", "303-555-01", "30355501"])
def test_a_number_that_was_said_is_found(store: Store, typed: str) -> None:
    store.load([a_call("one", "Call me at 303 555 0101 instead"), a_call("two", "No")])
    assert found(store, typed) == {"one"}


def test_two_digits_are_a_word_and_no_part_of_a_number(store: Store) -> None:
    store.load([a_call("one", "At 10:30 then"), a_call("two", brief=Brief("+12025550210", "Ask"))])
    assert found(store, "10") == {"one"}
    assert found(store, "10:30") == {"one"}


# --- what is known of them --------------------------------------------------------------------------------------


def test_filters_combine(store: Store) -> None:
    sam = Brief("+12025550144", "Ask", agent_name="Sam", line=LineKind.PHONE)
    doubtful = Report(Outcome.CONFIRMED, Claim("Perhaps", (1,), 0.5))
    store.load(
        [
            a_call("plain", created=NOW),
            a_call("sam", brief=sam, created=NOW + 10, outcome=Outcome.DECLINED),
            a_call("bad", created=NOW + 20, troubles=("Slow.",), report=doubtful),
            a_call("in", created=NOW + 30, brief=Brief("+12025550145", "Help", direction=Direction.INBOUND)),
        ]
    )
    assert found(store, agent="Sam") == found(store, line=LineKind.PHONE) == {"sam"}
    assert found(store, outcomes=[Outcome.DECLINED, Outcome.CONFIRMED]) == {"sam"}
    assert found(store, troubled=True) == found(store, review=True) == {"bad"}
    assert found(store, direction=Direction.INBOUND) == {"in"}
    assert found(store, direction=Direction.OUTBOUND) == {"plain", "sam", "bad"}
    assert found(store, since=NOW + 10) == {"sam", "bad", "in"}
    assert found(store, since=NOW + 10, until=NOW + 20) == {"sam"}
    assert found(store, "ask", troubled=True) == set()
    assert store.agents() == ["Alex", "Sam"]


CLAIMS = st.builds(
    Claim,
    st.just("It is so"),
    st.lists(st.integers(1, 9)).map(tuple),
    st.floats(0, 1),
    st.sampled_from(["", "its row"]),
)


@given(claim=CLAIMS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_a_result_is_listed_for_review_where_it_is_doubtful(store: Store, claim: Claim) -> None:
    call_id = f"call-{store.count()}"
    store.load([a_call(call_id)])
    store.change(call_id, report=Report(Outcome.CONFIRMED, claim))
    to_review = {call.id for call in store.calls(Search(review=True), limit=10_000)}
    assert (call_id in to_review) == claim.doubtful
    store.change(call_id, reviewed=Tick(NOW, "Maya"))
    assert call_id not in {call.id for call in store.calls(Search(review=True), limit=10_000)}


def test_each_order_puts_first_what_it_names_and_last_what_has_no_figure(store: Store) -> None:
    figures: list[dict[str, object]] = [
        {"cost": 0.1, "answered": NOW, "ended": NOW + 90},
        {"cost": 0.3, "answered": NOW, "ended": NOW + 30},
        {"cost": None},
    ]
    store.load(a_call(f"call-{n}", created=NOW + n, **known) for n, known in enumerate(figures))
    store.change("call-0", delay_worst=900.0, dead_air=1.0)
    store.change("call-1", delay_worst=700.0, dead_air=4.0)
    expected = {
        Sorting.NEWEST: [2, 1, 0],
        Sorting.SLOWEST: [0, 1, 2],
        Sorting.DEADEST: [1, 0, 2],
        Sorting.DEAREST: [1, 0, 2],
        Sorting.LONGEST: [0, 1, 2],
    }
    for order, places in expected.items():
        assert [call.id for call in store.calls(order=order)] == [f"call-{n}" for n in places], order


def test_pages_follow_each_other_without_a_gap_or_a_repetition(store: Store) -> None:
    store.load(a_call(f"call-{n}") for n in range(7))
    pages = [store.calls(limit=3, offset=offset) for offset in (0, 3, 6)]
    assert [call.id for page in pages for call in page] == [f"call-{n}" for n in range(6, -1, -1)]
    assert [call.id for call in store.each_call()] == [call.id for page in pages for call in page]


# --- what a call is found by, as it goes on -----------------------------------------------------------------------


def test_a_running_call_is_found_by_its_brief_and_by_its_words_when_it_is_over(store: Store) -> None:
    call, turns = a_call("one", "Bananas", status=Status.IN_PROGRESS)
    store.add(call)
    store.write_turn("one", turns[0])
    assert (found(store, "harbor"), found(store, "bananas")) == ({"one"}, set())
    store.advance("one", Status.COMPLETED, note="They eat fruit")
    assert found(store, "bananas fruit") == {"one"}
    store.change("one", report=Report(Outcome.CONFIRMED, Claim("Settled amicably")))
    assert found(store, "bananas fruit amicably") == {"one"}


def test_a_call_that_is_over_says_how_quick_it_was(store: Store) -> None:
    call, [asked] = a_call("one", "Who is it?", status=Status.IN_PROGRESS)
    store.add(call)
    store.write_turn("one", asked)
    timings = {"decided": 200.0, "first_sound": 500.0}
    store.write_turn("one", Turn(2, Speaker.AGENT, "Alex", "Alex", TurnState.DONE, NOW + 2, None, timings))
    store.advance("one", Status.COMPLETED)
    closed = store.call("one")
    assert closed and (closed.delay_typical, closed.delay_worst, closed.dead_air) == (700.0, 700.0, 0.7)


def test_the_passage_that_was_found_is_shown_with_its_words_marked(store: Store) -> None:
    store.load([a_call("one", "I like ripe bananas"), a_call("two", brief=Brief("+12025550143", "Sell bananas"))])
    search = Search(words="banan")
    passages = store.passages(search, store.calls(search))
    assert passages == {"one": f"I like ripe {MARK}bananas{MARK}"}
    assert store.passages(Search(), store.calls()) == {}


# --- quickly ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "many.db"
    assert list(make(path, 1500, NOW))[-1] == 1500
    return path


class Planned(Archive):
    """An archive that keeps how SQLite means to answer what it is asked."""

    plans: tuple[tuple[str, str], ...] = ()

    def _rows(self, sql: str, values: object) -> Iterator[dict[str, object]]:
        plan = self._db.execute(f"explain query plan {sql}", values).fetchall()  # type: ignore[arg-type]
        self.plans += tuple((sql, step[3]) for step in plan)
        return super()._rows(sql, values)  # type: ignore[arg-type]


ASKED = [
    Search(),
    Search(words="kitchen mon"),
    Search(words="0143"),
    Search(words="kitchen", troubled=True, outcomes=[Outcome.CONFIRMED]),
    Search(outcomes=[Outcome.CALL_BACK], line=LineKind.PHONE, agent="Sam"),
    Search(since=NOW - 86_400, until=NOW),
    Search(number="+12025550143"),
    Search(number="0143", review=True),
]


@pytest.mark.parametrize("search", ASKED, ids=str)
@pytest.mark.parametrize("order", Sorting)
def test_a_list_never_reads_all_calls_or_turns(many: Path, search: Search, order: Sorting) -> None:
    with Planned.open(many) as archive:
        archive.count(search)
        archive.passages(search, archive.calls(search, 15, 0, order))
        for sql, step in archive.plans:
            assert "turns" not in step, sql
            assert "calls" not in step.split() or step.startswith("SEARCH calls USING INDEX"), sql
            assert "AUTOMATIC" not in step, sql


@pytest.mark.parametrize(
    ("order", "index"),
    [
        (Sorting.NEWEST, "listing_created"),
        (Sorting.SLOWEST, "listing_delay_worst"),
        (Sorting.DEADEST, "listing_dead_air"),
        (Sorting.DEAREST, "listing_cost"),
        (Sorting.LONGEST, "listing_talk"),
    ],
)
def test_every_order_has_an_index_and_needs_no_sorting(many: Path, order: Sorting, index: str) -> None:
    with Planned.open(many) as archive:
        archive.calls(order=order)
        steps = [step for sql, step in archive.plans if "listing" in sql]
        assert steps == [f"SCAN listing USING INDEX {index}"]


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda archive: archive.calls(Search(number="+12025550143")), "listing_number"),
        (lambda archive: archive.count(Search(agent="Sam")), "listing_agent"),
        (lambda archive: archive.count(Search(since=NOW - 86_400)), "listing_created"),
        (lambda archive: archive.unfinished(), "listing_status"),
        (lambda archive: archive.open_questions(), "questions_open"),
        (lambda archive: archive.count_open_questions(), "questions_open"),
        (lambda archive: archive.to_call(NOW - WITHIN), "listing_to_call"),
        (lambda archive: archive.count_to_call(NOW - WITHIN), "listing_to_call"),
        (lambda archive: archive.older_than(NOW, 10), "listing_created"),
    ],
)
def test_what_is_asked_often_is_looked_up(many: Path, ask: object, index: str) -> None:
    with Planned.open(many) as archive:
        ask(archive)  # type: ignore[operator]
        assert any(index in step for _, step in archive.plans), archive.plans


def test_the_listing_is_as_the_calls_are(many: Path) -> None:
    with Archive.open(many) as archive:
        for call in archive.calls(limit=300):
            [row] = archive._rows("select * from listing where call_id = ?", [call.id])
            for name in (
                "created",
                "status",
                "outcome",
                "answerer",
                "delay_typical",
                "delay_worst",
                "dead_air",
                "cost",
            ):
                assert row[name] == getattr(call, name), name
            assert row["troubled"] == bool(call.troubles)
            assert row["review"] == (call.report is not None and call.report.result.doubtful)
            assert row["answered"] == (call.answered is not None)


def test_invented_calls_never_join_a_database_that_is_there(many: Path) -> None:
    with pytest.raises(FileExistsError):
        next(make(many, 10, NOW))


def test_invented_calls_are_whole(many: Path) -> None:
    with Archive.open(many) as archive:
        calls = archive.calls(limit=1500)
        assert {call.status for call in calls} == {Status.COMPLETED, Status.NO_ANSWER, Status.FAILED}
        assert 0 < archive.count_open_questions() < 40
        assert all(call.answerer is Answerer.PERSON for call in calls if call.answered)
    with closing(sqlite3.connect(many)) as db:
        [[turns]] = db.execute("select count(*) from turns")
        assert 14 < turns / 1500 < 17
    assert {field.name for field in fields(Search)} >= {"words", "number", "agent", "until"}
