"""Texts that are used again: their placeholders, where they are kept, and that no placeholder is ever said aloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.client import Client, ServerError
from backend.config import load
from backend.models import Brief, Outcome, Refused
from backend.rehearsal.here import rehearse_here
from backend.storage.store import Store
from backend.templates import STARTERS, Blank, Template, blanks, check_filled, filled, known, listed, pieces
from tests.media_server import TOKEN, MediaServer, media_server

ANY = st.text(st.sampled_from("{}ab _-1\n.,:'\"é"), max_size=40)
VALUES = {"day": "Tuesday", "other free times": "Friday"}


# --- placeholders -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Hi {name}, see you on {day}.", ["name", "day"]),
        ("{day} and {Day} and { day } and {{day}}", ["day"]),
        ("{first_name}, {First name} and {FIRST  NAME}", ["first name"]),
        ("{other free times}", ["other free times"]),
        ("{Straße} {what's due} {A/C} {amount in $}", ["straße", "what's due", "a/c", "amount in $"]),
        ("nothing", []),
    ],
)
def test_words_in_braces_are_placeholders(text: str, keys: list[str]) -> None:
    assert list(blanks(text)) == keys


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{ }",
        "{1}",
        '{"day": 1}',
        "{day: 1}",
        "{a, b}",
        "{a\nb}",
        "}name{",
        "{" + "a" * 41 + "}",
    ],
)
def test_other_braces_stay_as_they_are(text: str) -> None:
    assert blanks(text) == {}
    assert filled(text, dict.fromkeys(["day", "name", "a", "b"], "X")) == text


@given(ANY)
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(piece if isinstance(piece, str) else piece.written for piece in pieces(text)) == text
    assert filled(text, {}) == text


@given(ANY, st.sampled_from(["", "  ", "Tuesday", "{not again}"]))
def test_filling_changes_the_placeholders_and_nothing_else(text: str, value: str) -> None:
    found = blanks(text)
    done = filled(text, dict.fromkeys(found, value))
    if not value.strip():
        assert done == text
    elif value == "Tuesday":
        assert blanks(done) == {}
        check_filled(done)
    else:
        assert set(blanks(done)) <= {"not again"}, "what was filled in is not filled in again"
    pattern = "".join(re.escape(piece) if isinstance(piece, str) else ".*" for piece in pieces(text))
    assert re.fullmatch(pattern, done, re.DOTALL), "no other word is touched"


@given(ANY)
def test_a_text_is_let_through_exactly_when_it_has_no_placeholder(text: str) -> None:
    if blanks(text):
        with pytest.raises(Refused, match="Fill in "):
            check_filled(text)
    else:
        check_filled(text)


def test_what_is_left_is_named_in_words() -> None:
    with pytest.raises(Refused) as refused:
        check_filled("On {day} at {time}", "Free: {other_free_times}, {day}")
    assert str(refused.value) == (
        "Fill in “Day”, “Time” and “Other free times” first: the agent would read the placeholder aloud."
    )


def test_words_are_listed_as_people_do() -> None:
    assert [listed(["a", "b", "c"][:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_the_form_fills_in_what_it_asks_for_anyway() -> None:
    brief = Brief("", "", callee_name=" Dr. Ann Lee ", agent_name="Alex", organization="Brightside")
    values = known(brief)
    assert filled("{name}|{first name}|{organisation}|{Organization}|{agent}", values) == (
        "Dr. Ann Lee|Dr. Ann Lee|Brightside|Brightside|Alex"
    )
    assert filled("{first_name}", known(Brief("", "", callee_name="Maria Gomez"))) == "Maria"
    assert filled("{name} {organisation}", known(Brief("", ""))) == "{name} {organisation}"


def test_a_label_is_how_a_person_would_write_it() -> None:
    assert Blank("{{Other_FREE  times}}").label == "Other free times"


# --- those that are there to begin with ---------------------------------------------------------------------------

FILLED = {
    "day": "Tuesday, March 3",
    "time": "10:30 in the morning",
    "how long": "45 minutes",
    "other free times": "Wednesday, March 4 at 2 in the afternoon, or Friday, March 6 at 9 in the morning",
    "address": "12 Garden Street",
    "car": "blue Golf",
    "work done": "new brakes and an oil change",
    "amount": "340 dollars",
    "closing time": "6 in the evening",
    "what it is for": "the repair of the roof",
    "due date": "March 17",
    "ways to pay": "by card or by bank transfer",
    "contact": "Maria Gomez in the office",
}


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)
async def test_each_first_template_makes_a_call_that_goes_well(starter: Template, tmp_path: Path) -> None:
    names = Brief("", "", callee_name="John Smith", organization="Brightside")
    values = FILLED | known(names)
    brief = replace(names, action=filled(starter.action, values), context=filled(starter.context, values))
    check_filled(brief.action, brief.context)
    personas = ["agrees", "hurried", "hard-of-hearing", "curious", "hostile", "wrong-person", "voicemail"]
    calls, found = await rehearse_here(load(database_path=tmp_path / "calls.db"), brief, personas, None)
    assert [call.persona.key for call in calls if not call.fine] == []
    assert (calls[0].outcome, found.broken) == (Outcome.CONFIRMED, 0)


# --- kept in the store --------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


def names(store: Store) -> list[str]:
    return [template.name for template in store.templates()]


def test_a_new_database_has_the_first_templates_and_deleted_ones_stay_deleted(path: Path) -> None:
    with Store(path) as store:
        assert store.templates() == sorted(STARTERS, key=lambda starter: starter.name)
        for starter in STARTERS:
            assert store.forget_template(starter.id)
        assert not store.forget_template(STARTERS[0].id)
    with Store(path) as store:
        assert store.templates() == []


def test_a_template_is_kept_in_the_place_of_its_namesake(path: Path) -> None:
    with Store(path) as store:
        first = store.keep_template("Visit", "Confirm {day}", "It takes an hour.")
        again = store.keep_template("VISIT", "Move {day}")
        assert (again.id, again.name, again.context) == (first.id, "VISIT", "")
        assert [template for template in store.templates() if template.id == first.id] == [again]


def test_renaming_never_makes_two_of_one_name(path: Path) -> None:
    with Store(path) as store:
        kept = store.keep_template("Visit", "Confirm {day}")
        assert store.rename_template(kept.id, "visit"), "only its capitals"
        with pytest.raises(Refused, match="There is a template “car READY at the garage” already"):
            store.rename_template(kept.id, "car READY at the garage")
        assert not store.rename_template(999, "Nobody")
        assert "visit" in names(store)


# --- over the API -------------------------------------------------------------------------------------------------


@pytest.fixture
def server(path: Path) -> Iterator[MediaServer]:
    with media_server(path) as server:
        yield server


@pytest.fixture
def client(server: MediaServer) -> Iterator[Client]:
    with Client(server.url, TOKEN) as client:
        yield client


def test_templates_are_kept_renamed_listed_and_deleted_over_the_api(client: Client) -> None:
    kept = client.keep_template("  Visit  ", "Confirm {day}", "It takes an hour.")
    assert (kept.name, kept in client.templates()) == ("Visit", True)
    client.rename_template(kept.id, "A visit")
    assert client.templates()[0].name == "A visit"
    client.forget_template(kept.id)
    assert kept.id not in [template.id for template in client.templates()]


def test_what_cannot_be_kept_is_refused_in_words(client: Client) -> None:
    kept = client.keep_template("Visit", "Confirm {day}")
    with pytest.raises(ServerError, match="There is a template “Car ready at the garage” already"):
        client.rename_template(kept.id, "Car ready at the garage")
    with pytest.raises(ServerError, match="deleted meanwhile"):
        client.rename_template(999, "x")
    with pytest.raises(ServerError, match="deleted meanwhile"):
        client.forget_template(999)
    for name, action in (("", "Confirm"), ("x" * 81, "Confirm"), ("Visit", " \n")):
        with pytest.raises(ServerError):
            client.keep_template(name, action)


def test_no_call_is_placed_or_rehearsed_with_a_placeholder_in_it(server: MediaServer, client: Client) -> None:
    with pytest.raises(ServerError, match="Fill in “Day” first"):
        client.place("+12025550143", "Confirm {day}")
    with pytest.raises(ServerError, match="Fill in “Price” first"):
        client.place("+12025550143", "Confirm it", "It costs {price}.")
    with pytest.raises(ServerError, match="Fill in “Day” first"):
        list(client.rehearse("Confirm {day}"))
    assert server.desk.placed == []
    assert client.place("+12025550143", 'Confirm it {"by": 1}').id
