"""What is found in a text to be checked: numbers in words, times, days, durations, prices, codes, addresses, links."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.grounding.facts.amounts import Speech
from backend.call.grounding.facts.appointments import appointments
from backend.call.grounding.facts.clocks import Clock
from backend.call.grounding.facts.codes import Code
from backend.call.grounding.facts.days import Day
from backend.call.grounding.facts.durations import Span
from backend.call.grounding.facts.found import Facts
from backend.call.grounding.facts.names import names
from backend.call.grounding.facts.values import Address, Bare, Count, Link, Money, Percent, Value
from tests.spelling import ordinal, spelled

MONDAY = date(2026, 11, 23)


def only(text: str) -> tuple[Value, ...]:
    (found,) = Facts(text, MONDAY).found
    return found.values


def clock(*minutes: int, lead: str = "") -> Clock:
    return Clock(frozenset(minutes), lead)


@given(st.integers(0, 999_999))
def test_a_number_in_words_is_read_back(number: int) -> None:
    (read,) = Speech(spelled(number)).numbers
    assert read.value == number


@given(st.integers(1, 31))
def test_an_ordinal_in_words_is_read_back(number: int) -> None:
    (read,) = Speech(ordinal(number)).numbers
    assert (read.value, read.ordinal) == (number, True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two forty", [2, 40]),
        ("fourteen hundred and fifty", [1450]),
        ("a hundred and twenty", [120]),
        ("one and a half", [1.5]),
        ("four point nine", [4.9]),
        ("$1,450.50", [1450.5]),
        ("Oh, two of them", [2]),
        ("two oh five", [2, 0, 5]),
        ("five thousand", [5000]),
        ("ten and twenty", [10, 20]),
    ],
)
def test_numbers_end_where_the_next_begins(text: str, values: list[float]) -> None:
    assert [number.value for number in Speech(text).numbers] == values


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("at half past two", (150, 870)),
        ("half past two in the afternoon", (870,)),
        ("a quarter to eight", (465, 1185)),
        ("14:30", (870,)),
        ("at 230 pm", (870,)),
        ("ten a m", (600,)),
        ("at noon", (720,)),
        ("three thirty p.m.", (930,)),
        ("2.30 p.m.", (870,)),
        ("eight o'clock", (480, 1200)),
    ],
)
def test_a_time_is_found_in_whatever_writing(text: str, minutes: tuple[int, ...]) -> None:
    assert only(text) == (clock(*minutes),)


def test_both_ends_of_a_range_are_times() -> None:
    for text in ("open 8 to 5", "from eight to five", "between eight and five o'clock", "8:00-5"):
        values = [found.values[0] for found in Facts(text, MONDAY).found]
        assert [value.minutes for value in values if isinstance(value, Clock)] == [{480, 1200}, {300, 1020}], text
    assert not any(isinstance(found.values[0], Clock) for found in Facts("on a scale from 1 to 10", MONDAY).found)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("November 26", date(2026, 11, 26)),
        ("the twenty-sixth of November", date(2026, 11, 26)),
        ("2026-11-26", date(2026, 11, 26)),
        ("11/26/2026", date(2026, 11, 26)),
        ("26.11.2026", date(2026, 11, 26)),
        ("January 5", date(2027, 1, 5)),
        ("tomorrow", date(2026, 11, 24)),
        ("the day after tomorrow", date(2026, 11, 25)),
        ("Thursday the 26th", date(2026, 11, 26)),
    ],
)
def test_a_day_has_its_date_where_it_can_be_told(text: str, day: date) -> None:
    (value,) = only(text)
    assert isinstance(value, Day) and value.date == day


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("forty-five dollars and fifty cents", Money(4550, "$")),
        ("two pounds fifty", Money(250, "£")),
        ("€549", Money(54900, "€")),
        ("fifteen percent", Percent(15)),
        ("92%", Percent(92)),
        ("an hour and a half", Span(90)),
        ("three quarters of an hour", Span(45)),
        ("an hour and fifteen minutes", Span(75)),
        ("two weeks", Span(20160)),
        ("one year", Span(12, months=True)),
        ("26 children", Count(26, "children")),
        ("four new tires", Count(4, "tire")),
        ("twelve Garden Street", Address("12", frozenset({"garden"}))),
        ("310 West 4th Street", Address("310", frozenset({"west", "4"}))),
        ("202-555-0143", Code("2025550143")),
        ("two oh two, five five five, oh one four three", Code("2025550143")),
        ("room B twelve", Code("b12", "room")),
        ("7KXB214", Code("7kxb214")),
        ("S T O N E", Code("stone")),
        ("open 24/7", Code("24/7")),
        ("info@green-valley.com", Link("infoatgreenvalley.com")),
        ("info at green valley dot com", Link("infoatgreenvalley.com")),
        ("seventeen", Bare(17, "17")),
    ],
)
def test_each_kind_is_found_with_its_value(text: str, value: Value) -> None:
    assert only(text)[0] == value


def test_a_fact_spans_its_unit_and_its_sign() -> None:
    text = "It costs $45.50, that is 50% of forty-five minutes at 2:30 p.m. today."
    said = [text[found.start : found.end] for found in Facts(text, MONDAY).found]
    assert said == ["$45.50", "50%", "forty-five minutes", "2:30 p.m", "today"]


def test_a_list_shares_its_unit() -> None:
    values = [found.values[0] for found in Facts("10, 20 or 50 euros", MONDAY).found]
    assert values == [Money(1000, "€"), Money(2000, "€"), Money(5000, "€")]


def test_times_belong_to_the_days_that_they_stand_with() -> None:
    facts = Facts("Thursday at 2:30 or Monday at 3, but Friday is closed. We open at 8.", MONDAY)
    paired = [(each.days[0].weekdays, each.times[0]) for each in appointments(facts)]
    assert paired == [(frozenset({3}), clock(150, 870)), (frozenset({0}), clock(180, 900))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It's with Dr. Brown at the Riverside Clinic.", [("doctor", "brown"), ("riverside", "clinic")]),
        ("I speak English. Okay, thank God. Yes!", []),
        ("Great! Parking is free. No problem.", []),
        ("Hi Mr. Miller, it's Alex.", [("miller",), ("alex",)]),
        ("Someone will call you. Carlos will call you.", [("carlos",)]),
    ],
)
def test_names_are_told_by_their_capitals(text: str, found: list[tuple[str, ...]]) -> None:
    assert [name.words for name in names(Speech(text), ())] == found
