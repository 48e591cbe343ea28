"""Clauses: pieces end where a person would breathe, and never inside a title, a time, a price or a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.text import Clauses, plain


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
