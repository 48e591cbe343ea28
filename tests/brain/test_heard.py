"""Numbers, letters and corrections as they come over the phone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.brain import heard
from backend.brain.corrections import corrected, corrects
from backend.brain.intents import Intent, understand
from backend.brain.times import find

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("it's oh four one double two", "04122"),
        ("zero zero nine triple one", "009111"),
        ("it's 0 4 1 22", "04122"),
        ("four five five to one", "45521"),
        ("55432", "55432"),
    ],
)
def test_a_number_said_figure_by_figure_is_known(said: str, number: str) -> None:
    assert heard.numbers(said) == (number,)


@pytest.mark.parametrize("said", ["one moment", "friday at ten thirty", "we are two", "no one", "to me", ""])
def test_what_only_sounds_like_a_number_is_none(said: str) -> None:
    assert heard.numbers(said) == ()


@given(st.lists(st.integers(0, 9), min_size=3, max_size=12))
def test_every_number_read_out_in_words_comes_back(figures: list[int]) -> None:
    said = " ".join(WORDS[figure] for figure in figures)
    assert heard.numbers(f"okay {said} please") == ("".join(map(str, figures)),)


@pytest.mark.parametrize(
    ("said", "letters"),
    [("my name is Jon, J O N", "J-O-N"), ("S M I double T H", "S-M-I-T-T-H"), ("m for mother a r k", "M-A-R-K")],
)
def test_a_spelled_name_is_known(said: str, letters: str) -> None:
    assert heard.spelled(said) == (letters,)


@given(st.text(max_size=60))
def test_nothing_is_heard_that_has_no_figures_or_letters(text: str) -> None:
    assert all(number.isdigit() for number in heard.numbers(text))
    assert all(len(word) > 2 for word in heard.spelled(text))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("monday no wait sorry wednesday", "Wednesday"),
        ("tuesday at five works uh actually no let's say saturday", "Saturday"),
        ("friday at ten i mean at eleven", "friday at eleven"),
    ],
)
def test_a_time_taken_back_is_gone(said: str, meant: str) -> None:
    assert corrected(said).lower().strip() == meant.lower()


@pytest.mark.parametrize(
    "said", ["friday or monday", "friday no problem monday is bad", "no friday's impossible", "yes"]
)
def test_times_that_nobody_took_back_stay(said: str) -> None:
    assert corrected(said) == said
    assert not corrects(said)


@pytest.mark.parametrize("said", ["no sorry I meant thursday", "oh no make that eight", "scratch that, monday"])
def test_whoever_corrects_neither_agrees_nor_refuses(said: str) -> None:
    assert Intent.CORRECTION in understand(said)


@given(st.text(max_size=60))
def test_correcting_finds_no_new_day(text: str) -> None:
    days = {when.day for when in find(text)}
    assert {when.day for when in find(corrected(text))} <= days


def test_a_full_stop_after_am_ends_the_sentence_and_is_no_part_of_the_time() -> None:
    assert [when.text for when in find("Free is Friday at 10 am. Come early.")] == ["Friday at 10 am"]
    assert [when.text for when in find("Free is Friday at 10 a.m.")] == ["Friday at 10 a.m."]
