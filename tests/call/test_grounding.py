"""That the agent says only what is true: the labelled sentences, single rules, and what holds for any text."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.bench import grounding as bench
from backend.call.grounding.grounding import Grounding
from backend.models import Brief, Speaker, Utterance
from tests.spelling import ordinal, spelled

MONDAY = date(2026, 11, 23)
CASES = list(bench.cases())
JUDGED = {one.case: one for one in bench.judged(CASES)}
BRIEF = Brief(
    to="+12025550143",
    organization="Green Valley Dental",
    callee_name="John Miller",
    action="Confirm the cleaning on Thursday, November 26 at 2:30 p.m.",
    context="It is with Dr. Smith. If Thursday does not work, Friday at 10 a.m. or Monday at 3 p.m. are free. "
    "It takes 45 minutes.",
)


def unknown(words: str, context: str, *callee: str, before: str = "") -> tuple[str, ...]:
    lines = [Utterance(Speaker.CALLEE, line, turn=turn) for turn, line in enumerate(callee, 1)]
    return Grounding(Brief(to="", action="", context=context), MONDAY).check(words, lines, before).unknown


def test_every_invented_fact_of_the_labelled_sentences_is_caught() -> None:
    assert [case.words for case in CASES if case.invented and not JUDGED[case].right] == []


def test_no_more_than_three_in_a_hundred_true_sentences_are_held_back() -> None:
    true = [case for case in CASES if not case.invented]
    assert sum(not JUDGED[case].right for case in true) <= 0.03 * len(true)


def test_the_sheet_keeps_its_promises_on_correctness() -> None:
    caught, held, _ = bench.sheet(list(JUDGED.values())).lines
    assert caught.kept and held.kept
    assert caught.count + held.count == len(CASES) >= 260


# --- sources ----------------------------------------------------------------------------------------------------------


def test_each_fact_tells_its_source_and_the_words_that_it_rests_on() -> None:
    lines = [Utterance(Speaker.CALLEE, "Could I come at four?", turn=3)]
    checked = Grounding(BRIEF, MONDAY).check("John, Thursday at half past two with Dr. Smith, or at four?", lines)
    facts = {fact.text: fact for fact in checked.facts}
    assert facts["Thursday at half past two"].source == "action"
    assert facts["Thursday at half past two"].quote == BRIEF.action
    assert (facts["Dr. Smith"].source, facts["Dr. Smith"].quote) == ("context", "It is with Dr. Smith.")
    assert (facts["four"].source, facts["four"].turn) == ("callee", 3)
    assert checked.unknown == ()


def test_an_operators_answer_is_a_source() -> None:
    note = Utterance(Speaker.NOTE, "The operator answered: it costs $80.", turn=5)
    (fact,) = Grounding(BRIEF, MONDAY).check("It costs eighty dollars.", [note]).facts
    assert (fact.source, fact.turn) == ("operator", 5)


def test_what_an_operator_said_to_the_callee_is_a_source() -> None:
    said = Utterance(Speaker.OPERATOR, "It costs $80.", turn=5)
    (fact,) = Grounding(BRIEF, MONDAY).check("It costs eighty dollars.", [said]).facts
    assert (fact.source, fact.turn) == ("operator", 5)


def test_the_agents_own_words_prove_nothing() -> None:
    said = Utterance(Speaker.AGENT, "It costs eighty dollars.", turn=4)
    assert Grounding(BRIEF, MONDAY).check("It costs eighty dollars.", [said]).unknown == ("eighty dollars",)


def test_lines_may_be_another_call_s_than_before() -> None:
    grounding = Grounding(BRIEF, MONDAY)
    line = Utterance(Speaker.CALLEE, "I can pay 80 dollars")
    assert grounding.check("Eighty dollars.", [line]).unknown == ()
    assert grounding.check("Eighty dollars.", []).unknown == ("Eighty dollars",)


def test_the_calendar_is_a_source_for_what_day_it_is_and_for_nothing_else() -> None:
    assert unknown("Today is Monday, the twenty-third of November.", "") == ()
    assert unknown("Today is Tuesday.", "") == ("Tuesday",)
    assert unknown("Shall we say Monday?", "") == ("Monday",)


# --- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "context"),
    [
        ("It starts at half past two in the afternoon.", "It starts at 14:30."),
        ("Ten works.", "Only 10 a.m. is free."),
        ("We're open from eight to five.", "Open 8-5."),
        ("It's forty-five dollars.", "It costs $45."),
        ("It's forty-five fifty.", "It costs $45.50."),
        ("It's fifty percent.", "50% is paid."),
        ("It takes three quarters of an hour.", "It takes 45 minutes."),
        ("It takes an hour and a half.", "It takes 90 minutes."),
        ("There's a warranty of twelve months.", "There is a 1 year warranty."),
        ("Call two oh two, five five five, oh one four three.", "Call (202) 555-0143."),
        ("We're at twelve Garden Street.", "12 Garden St."),
        ("It's this Thursday, in three days.", "Thursday, November 26"),
        ("It's tomorrow.", "The visit is on Nov 24."),
        ("Tuesday is fine.", "The visit is tomorrow."),
        ("It's on Thursday.", "The visit is on 26.11.2026."),
        ("Write to info at green dash valley dot com.", "Mail: info@green-valley.com"),
    ],
)
def test_equal_values_match_in_whatever_writing(words: str, context: str) -> None:
    assert unknown(words, context) == ()


@pytest.mark.parametrize(
    ("words", "context", "false"),
    [
        ("It costs forty-five dollars.", "It takes 45 minutes.", "forty-five dollars"),
        ("Three people will come.", "We come at 3 p.m.", "Three"),
        ("It's at three.", "Room 3, three people.", "three"),
        ("It's thirty dollars.", "It's 30 euros.", "thirty dollars"),
        ("It takes thirty minutes.", "It starts at 2:30 and 30 people come.", "thirty minutes"),
        ("Ten p.m. works.", "Only 10 a.m. is free.", "Ten p.m"),
        ("It ends at six.", "It begins at 5 and takes 60 minutes.", "six"),
        ("We're open twenty-four seven.", "We are open from 9 to 5.", "twenty-four seven"),
    ],
)
def test_an_equal_number_of_another_kind_proves_nothing(words: str, context: str, false: str) -> None:
    assert unknown(words, context) == (false,)


@pytest.mark.parametrize(
    "words",
    [
        "One moment, please.", "Just one more thing.", "Give me a second.", "First of all, thank you.",
        "Either one is fine.", "No one will ask.", "There are two options.", "Do you have two minutes?",
        "I'm a hundred percent sure.", "How are you today?", "Good morning, is this a good time?",
        "Sorry, I only speak English.", "I'm an AI.", "Okay, thank God.", "In an emergency, call nine one one.",
        "Once or twice is fine.", "Happy Thanksgiving!", "It's fifty-fifty.", "Merry Christmas, and goodbye.",
    ],
)  # fmt: skip
def test_what_states_no_fact_is_free(words: str) -> None:
    assert unknown(words, "") == ()


# --- swaps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["Thursday at three", "Friday at half past two", "Three on Friday", "Friday afternoon"]
)
def test_a_known_time_on_another_day_is_held_back_as_a_whole(words: str) -> None:
    assert Grounding(BRIEF, MONDAY).check(f"How about {words}?").unknown == (words,)


def test_a_time_that_the_callee_names_may_stand_with_any_day() -> None:
    lines = [Utterance(Speaker.CALLEE, "on thursday yes but rather at three fifteen")]
    assert Grounding(BRIEF, MONDAY).check("So Thursday at a quarter past three?", lines).unknown == ()


@pytest.mark.parametrize("before", ["How about Thursday", "How about Thursday,"])
def test_a_clause_is_held_against_the_day_before_it(before: str) -> None:
    grounding = Grounding(BRIEF, MONDAY)
    assert grounding.check("at three?", before=before).unknown == ("at three",)
    assert grounding.check("at half past two?", before=before).unknown == ()


def test_a_price_may_be_cut_before_its_cents() -> None:
    context = "It costs $59.90."
    assert unknown("It's fifty-nine dollars", context) == ()
    assert unknown("and ninety cents.", context, before="It's fifty-nine dollars") == ()
    assert unknown("and eighty cents.", context, before="It's fifty-nine dollars") == ("and eighty cents",)
    assert unknown("It's fifty-nine dollars.", context) == ("fifty-nine dollars",)


def test_what_was_said_before_is_not_judged_again() -> None:
    assert Grounding(BRIEF, MONDAY).check("and bring your card.", before="It costs eighty dollars,").unknown == ()


def test_a_known_time_of_another_matter_is_held_back() -> None:
    context = "Yoga Mon 6:30 pm with Priya, Boxing Sat 10 am with Carl."
    assert unknown("Yoga is on Saturday at ten.", context) == ("Saturday at ten",)
    assert unknown("Boxing is on Saturday at ten.", context) == ()


def test_the_beginning_of_a_window_is_not_a_time_of_arrival() -> None:
    context = "The plumber comes on Wednesday between 1 and 3 p.m."
    assert unknown("He comes on Wednesday at one.", context) == ("Wednesday at one",)
    assert unknown("He comes on Wednesday between one and three.", context) == ()


def test_a_sentence_goes_on_where_the_operators_text_is_wrapped() -> None:
    context = "It is open Monday to Friday\nfrom 9 a.m. to 4 p.m. On Saturday it is open until noon."
    assert unknown("It's open Monday to Friday from nine to four.", context) == ()
    assert unknown("It's open on Saturday until four.", context) == ("Saturday until four",)


def test_swapped_prices_are_caught_by_the_words_beside_them() -> None:
    context = "The basic wash costs $20, the deluxe wash $35."
    assert unknown("The deluxe wash is twenty dollars.", context) == ("twenty dollars",)
    assert unknown("The basic wash is twenty dollars, and the deluxe is thirty-five.", context) == ()
    assert unknown("So it's twenty dollars in total.", context) == ()


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "false"),
    [
        ("It's with Dr. Brown.", "Dr. Brown"),
        ("It's with Dr. Miller.", "Dr. Miller"),
        ("Is this John Smith?", "John Smith"),
        ("We're next to the Riverside Clinic.", "Riverside Clinic"),
        ("Carlos will call you.", "Carlos"),
    ],
)
def test_a_name_that_nobody_gave_is_unknown(words: str, false: str) -> None:
    assert Grounding(BRIEF, MONDAY).check(words).unknown == (false,)


@pytest.mark.parametrize(
    "words", ["Hi John, Alex here.", "It's with Doctor Smith.", "Mr. Miller?", "Someone will call you."]
)
def test_a_name_from_any_source_is_known(words: str) -> None:
    assert Grounding(BRIEF, MONDAY).check(words).unknown == ()


# --- what holds for any text ------------------------------------------------------------------------------------------

NUMBERS = st.integers(5, 9999)
FRAMES = {
    "It costs {} dollars.": "It costs ${}.",
    "It takes {} minutes.": "It takes {} minutes.",
    "We will be {} people.": "There are {} people.",
    "That is {} percent.": "It is {}%.",
}


@given(st.sampled_from([case for case in CASES if case.brief.context]))
def test_every_sentence_of_a_context_is_grounded_in_it(case: bench.Case) -> None:
    for sentence in case.brief.context.strip().splitlines():
        assert Grounding(case.brief, case.today).check(sentence).unknown == ()


@given(NUMBERS, st.sampled_from(list(FRAMES)))
def test_an_amount_is_grounded_in_words_as_in_digits(number: int, said: str) -> None:
    written = FRAMES[said].format(number)
    assert unknown(said.format(spelled(number)), written) == ()
    assert unknown(said.format(spelled(number).replace("-", " ").replace(" and ", " ")), written) == ()
    assert unknown(said.format(number), said.format(spelled(number))) == ()


@given(NUMBERS, NUMBERS, st.sampled_from(list(FRAMES)))
def test_another_number_is_unknown(known: int, other: int, said: str) -> None:
    assume(known != other)
    assert unknown(said.format(spelled(other)), FRAMES[said].format(known)) != ()


@given(st.integers(0, 23), st.integers(0, 11), st.integers(0, 23), st.integers(0, 11))
def test_a_time_is_grounded_by_itself_alone(hour: int, five: int, other_hour: int, other_five: int) -> None:
    minutes, other = 60 * hour + 5 * five, 60 * other_hour + 5 * other_five
    known, half = f"It starts at {hour:02}:{5 * five:02}.", "a.m." if other < 720 else "p.m."
    said = f"It starts at {(other_hour - 1) % 12 + 1}:{5 * other_five:02} {half}"
    either = 60 <= minutes < 780
    assert (unknown(said, known) == ()) == (minutes % 720 == other % 720 if either else minutes == other)


@given(st.dates(date(2026, 11, 24), date(2027, 6, 30)), st.dates(date(2026, 11, 24), date(2027, 6, 30)))
def test_a_date_is_grounded_by_itself_alone(known: date, other: date) -> None:
    written = f"It is on {known:%B} {known.day}."
    said = f"It is on {other:%A}, the {ordinal(other.day)} of {other:%B}."
    assert (unknown(said, written) == ()) == (known == other)
    wrong = f"It is on {'Monday' if known.weekday() else 'Tuesday'}, {known:%B} {ordinal(known.day)}."
    assert unknown(wrong, written) != ()


@given(st.text(), st.text(), st.text())
def test_it_never_raises(words: str, context: str, heard: str) -> None:
    Grounding(Brief(to="", action=context, context=words), MONDAY).check(
        words, [Utterance(Speaker.CALLEE, heard)], heard
    )


PIECES = st.lists(
    st.sampled_from(
        "at to from and a half past quarter two thirty 12 2:30 10th $ , . - % p.m. a.m. Thursday March third oh double "
        "hundred thousand point five of the in an hour minutes dollars cents next week day after tomorrow Dr. Brown "
        "dot com @ 2026-02-30 31 February I A AB 7K room second street no ( ) / : 0 "
        "00 99999999999999999999 ² ٣ é".split()
    ),
    max_size=14,
).map(" ".join)


@given(PIECES, PIECES, PIECES)
def test_it_never_raises_on_what_looks_like_facts(words: str, context: str, heard: str) -> None:
    grounding = Grounding(Brief(to="", action=context, context=words), MONDAY)
    checked = grounding.check(words, [Utterance(Speaker.CALLEE, heard)], heard)
    assert all(text in words for text in checked.unknown)
    assert all(fact.text in words and fact.quote for fact in checked.facts)


@pytest.mark.parametrize("time", ["10 a.m.", "6 p.m.", "ten."])
def test_a_goodbye_after_a_time_of_day_holds_no_name(time: str) -> None:
    brief = Brief(to="+12025550143", action=f"Confirm Friday at {time}")
    grounding = Grounding(brief, date(2026, 11, 23))
    assert grounding.check("Have a good day.", (), f"Great, I've noted Friday at {time}").unknown == ()
