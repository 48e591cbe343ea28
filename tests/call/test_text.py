"""Clauses: pieces end where a person would breathe, and never inside a title, a time, a price or a link."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.call.text import Clauses, plain

WHOLE = [
    "Dr. Smith", "Dr. Jane Lopez", "Mr. J. R. Novak", "2:30 p.m.", "10 a.m.", "half past eleven", "ten to five",
    "$1,200.50", "2,500", "3.5 percent", "one hundred and twenty dollars", "five and a half", "123 Main St.",
    "www.example.com/a.b?c=1,2", "john.smith@example.com", "+1 202 555 0143", "202-555-0143", "January 5, 2027",
    "Thursday, January 5th", "Jan. 5, 2027", "Tuesday, March 3, 2026", "room no. 12", "Johnson and Sons", "Smith, Jr.",
    "Springfield, IL", "five, five, five, zero, one", "J, O, H, N", "maria at example dot com", "e.g. this",
    "Wednesday the ninth", "555 - 0143", "between 9 and 5", "Acme, Inc.",
]  # fmt: skip
"""What is never cut."""
FILLING = (
    "we can do that and then I will see you there because it is about the visit with them on or so please call "
    "back later, which is fine; but when you come, bring your card:"
).split()


def cut(text: str, step: int = 1) -> list[str]:
    """The pieces of a text that arrives a few characters at a time."""
    clauses = Clauses()
    pieces = [piece for at in range(0, len(text), step) for piece in clauses.add(text[at : at + step])]
    return pieces + clauses.rest()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Sure. See you Thursday.", ["Sure.", "See you Thursday."]),
        ("Dr. Smith can see you. Is that fine?", ["Dr. Smith can see you.", "Is that fine?"]),
        ("It is at 2:30 p.m. on Monday. Fine?", ["It is at 2:30 p.m. on Monday.", "Fine?"]),
        ("Come at 2:30 p.m. Please bring your card.", ["Come at 2:30 p.m.", "Please bring your card."]),
        ("We open at 8 a.m. Thursday and close late.", ["We open at 8 a.m. Thursday and close late."]),
        ("It costs $1,200.50 in total. Good?", ["It costs $1,200.50 in total.", "Good?"]),
        ("It is 2.30 now. Hurry.", ["It is 2.30 now.", "Hurry."]),
        ("Go to 123 Main St. and ring. Thanks.", ["Go to 123 Main St. and ring.", "Thanks."]),
        ("See www.example.com/a.b for more. Bye.", ["See www.example.com/a.b for more.", "Bye."]),
        ("Wait... really? Yes.", ["Wait... really?", "Yes."]),
        ("Well... That is all.", ["Well...", "That is all."]),
        ("Ask J. R. Smith. He knows.", ["Ask J. R. Smith.", "He knows."]),
        ("Great! It's done.", ["Great!", "It's done."]),
        ('She said "no." Then she left.', ['She said "no."', "Then she left."]),
        ("No. That is wrong.", ["No.", "That is wrong."]),
        ("no full stop at all", ["no full stop at all"]),
        ("...", []),
        (" \n ", []),
    ],
)
def test_pieces_end_with_sentences(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces
    assert cut(text, step=7) == pieces


def test_the_first_piece_may_be_a_clause_once_it_is_long_enough() -> None:
    text = "Yes, the appointment with Dr. Smith is on Thursday, and it takes about an hour, including the cleaning."
    assert cut(text)[0] == "Yes, the appointment with Dr. Smith is on Thursday,"
    assert len(cut(text)) == 2


def test_the_first_piece_is_ready_before_the_sentence_is_over() -> None:
    assert Clauses().add("I'm calling about your visit on Thursday, and I ") == [
        "I'm calling about your visit on Thursday,"
    ]


def test_a_comma_inside_a_number_is_no_clause() -> None:
    assert cut("The total that is due today is $12,345.00 altogether") == [
        "The total that is due today is $12,345.00 altogether"
    ]


def test_a_sentence_without_end_is_cut_at_a_blank() -> None:
    pieces = cut("word " * 100)
    assert len(pieces) > 1
    assert all(len(piece) <= 220 for piece in pieces)


def test_markup_and_asides_are_not_spoken() -> None:
    assert plain("**Sure**, [smiles] see `you` _there_") == "Sure, see you there"


@given(st.text(alphabet="abc DR.!?,;0129$:\"'()pm\n", max_size=300), st.integers(min_value=1, max_value=9))
def test_no_word_is_lost_and_no_piece_is_unspeakable(text: str, step: int) -> None:
    pieces = cut(text, step)
    assert all(any(letter.isalnum() for letter in piece) for piece in pieces)
    kept = [word for word in " ".join(pieces).split() if any(letter.isalnum() for letter in word)]
    assert kept == [word for word in plain(text).split() if any(letter.isalnum() for letter in word)]


def unbroken(pieces: list[str], whole: str) -> bool:
    return any(whole in piece for piece in pieces)


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("before", ["It is", "I am calling today about", "So as I said the thing you need is now"])
@pytest.mark.parametrize("after", ["and that is all there is to it, really.", "because they said so", "on file."])
def test_what_belongs_together_is_never_cut(before: str, whole: str, after: str) -> None:
    text = f"{before} {whole} {after}"
    assert unbroken(cut(text), whole)
    assert unbroken(cut(f"{before} {whole}"), whole)


@given(
    st.lists(st.one_of(st.sampled_from(WHOLE), st.sampled_from(FILLING)), min_size=1, max_size=25),
    st.integers(min_value=1, max_value=60),
)
def test_nothing_that_belongs_together_is_cut_wherever_it_stands(words: list[str], step: int) -> None:
    # A sentence of nothing but names must be cut somewhere in the end.
    assume(len(" ".join(words)) <= 220)
    pieces = cut(" ".join(words), step)
    assert " ".join(pieces) == " ".join(words)
    spoken = "|".join(pieces)
    for whole in WHOLE:
        assert spoken.count(whole) == " ".join(words).count(whole) or whole == "e.g. this"


@given(
    st.lists(st.one_of(st.sampled_from(WHOLE), st.sampled_from(FILLING)), max_size=40).map(" ".join),
    st.lists(st.integers(min_value=1, max_value=30), min_size=1, max_size=8),
)
def test_how_the_stream_is_divided_makes_no_difference(text: str, steps: list[int]) -> None:
    clauses, pieces, at = Clauses(), [], 0
    for turn in range(len(text)):
        pieces += clauses.add(text[at : at + steps[turn % len(steps)]])
        at += steps[turn % len(steps)]
    assert pieces + clauses.rest() == cut(text)


@given(st.text(alphabet="abc AND.!?,;019[]$:\"'()pm\n", max_size=200), st.integers(min_value=1, max_value=50))
def test_any_text_is_divided_the_same_in_any_tokens(text: str, step: int) -> None:
    assert cut(text, step) == cut(text)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("I'm calling on behalf of Northside Dental to confirm a visit.", "I'm calling on behalf of Northside Dental"),
        ("The visit takes about 45 minutes and the fee is $20.", "The visit takes about 45 minutes"),
        ("I would love to help you out there but it is not on file here.", "I would love to help you out there"),
        ("We are going to have a look at it because you asked us to.", "We are going to have a look at it"),
        ("The gentleman whom I mentioned yesterday recommended nothing whatever.",
         "The gentleman whom I mentioned yesterday recommended"),
        ("Let me check that for you quickly, and I will be right back.", "Let me check that for you quickly,"),
    ],
)  # fmt: skip
def test_a_first_clause_without_a_mark_ends_where_one_would_breathe(text: str, first: str) -> None:
    assert cut(text)[0] == first


def test_after_a_very_short_first_sentence_the_next_piece_is_early_too() -> None:
    text = "Of course. I am calling on behalf of Green Valley because you asked us to ring you back about it today."
    assert cut(text)[:2] == ["Of course.", "I am calling on behalf of Green Valley"]


def test_only_the_beginning_of_an_answer_is_cut_into_clauses() -> None:
    text = "I can help you with that right away. It was planned for Thursday, but the office is closed, so it moved."
    assert cut(text) == [
        "I can help you with that right away.",
        "It was planned for Thursday, but the office is closed, so it moved.",
    ]


def test_the_length_of_a_first_clause_can_be_set() -> None:
    text = "Sure, no problem at all, I will look that up for you in a moment."
    assert Clauses(first=5).add(text)[0] == "Sure,"
    assert Clauses(first=10).add(text)[0] == "Sure, no problem at all,"


def test_an_aside_is_never_cut() -> None:
    assert cut("Well [he thinks about it, for long, and then. he] yes it is all as you said.")[0].startswith("Well yes")


def test_a_sentence_without_end_is_cut_between_words_that_do_not_belong_together() -> None:
    text = "It may be noted that " + "the office of Dr. Smith is at 123 Main St. in Springfield and then " * 5
    pieces = cut(text)
    assert len(pieces) > 1 and not any(piece.endswith(("Dr.", "Main", "123", "the", "of")) for piece in pieces)
