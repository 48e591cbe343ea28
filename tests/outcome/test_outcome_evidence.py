"""Whether a report is borne out by its turns: what was not said, or not heard, is never asserted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.models import Brief, Call, Claim, Outcome, Report, Speaker, Status, Turn, TurnState
from backend.outcome.evidence import ENDING, borne_out, checked, heard, settled
from backend.outcome.figures import Figures

BRIEF = Brief("+12025550143", "Confirm the cleaning", callee_name="Maria Gomez", organization="Brightside Dental")
CALL = Call("call", BRIEF, Status.COMPLETED, Outcome.CONFIRMED, ending="They said goodbye.", answered=1.0)


def turn(number: int, who: str, text: str, said: str | None = None) -> Turn:
    speaker = {"A": Speaker.AGENT, "C": Speaker.CALLEE, "N": Speaker.NOTE}[who]
    return Turn(number, speaker, text, text if said is None else said, TurnState.DONE, float(number))


TURNS = [
    turn(1, "A", "Your cleaning is on Tuesday, March third at half past two. Does that still work for you?"),
    turn(2, "C", "No, I can't make it on Tuesday."),
    turn(3, "A", "Would Friday at ten or Monday at four work?"),
    turn(4, "C", "Friday at ten is good. Is there parking?"),
    turn(5, "A", "It costs forty-five dollars. Parking is not free.", "It costs forty-five dollars."),
    turn(6, "C", "My number is two oh two, five five five, oh one four three."),
    turn(7, "N", "Asked the operator about parking."),
]


def sure(text: str, *numbers: int, confidence: float = 0.95) -> Claim:
    return borne_out(Claim(text, numbers, confidence), heard(TURNS), BRIEF)


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("The cleaning was on Tuesday, March 3 at 2:30 p.m.", (1,)),
        ("Maria cannot make it on Tuesday.", (2,)),
        ("Moved to Friday at 10 a.m.", (3, 4)),
        ("Friday at 10 works.", (4,)),
        ("It costs $45.", (5,)),
        ("Her number is 202-555-0143.", (6,)),
        ("Maria said: “No, I can't make it on Tuesday.”", (2,)),
        ("Tuesday does not work, but Friday at ten does.", (2, 4)),
        ("Rescheduled from Tuesday at 2:30 p.m. to Friday at 10 a.m.", (1, 2, 3, 4)),
    ],
)
def test_what_was_said_is_borne_out_however_it_is_written(text: str, turns: tuple[int, ...]) -> None:
    assert sure(text, *turns) == Claim(text, turns, 0.95)


@pytest.mark.parametrize(
    ("text", "turns", "why"),
    [
        ("The cleaning is on Tuesday at 3:30 p.m.", (1,), "another hour"),
        ("The cleaning is on Wednesday at half past two.", (1,), "another day"),
        ("The cleaning is on March 4.", (1,), "another date"),
        ("Moved to Friday at 4 p.m.", (3, 4), "the day of one offer and the hour of another"),
        ("Moved to Monday at 10 a.m.", (3,), "the same, the other way round"),
        ("It costs $54.", (5,), "another price"),
        ("Her number is 202-555-0144.", (6,), "another number"),
        ("She can make it on Tuesday.", (2,), "the opposite"),
        ("Maria agreed to the cleaning on Tuesday.", (1, 2), "the callee said no"),
        ("Parking is free.", (5,), "what was said of it, nobody heard"),
        ("Parking is free.", (4,), "it was only asked about"),
        ("Maria is available on Tuesday.", (2,), "the opposite in other words"),
        ("They talked about the weather in Spain.", (4,), "nobody spoke of it"),
        ("It costs $45.", (4,), "it is another turn that says so"),
        ("It costs $45.", (), "no turn is named"),
        ("It costs $45.", (99,), "there is no such turn"),
        ("The operator was asked about parking.", (7,), "a note is nothing that was said"),
    ],
)
def test_what_was_not_said_is_doubtful(text: str, turns: tuple[int, ...], why: str) -> None:
    assert sure(text, *turns).doubtful, why


TABLE = [
    turn(1, "A", "Can you tell me how many guests you'll bring?"),
    turn(2, "C", "We'll be twelve, no wait, fourteen people."),
    turn(3, "A", "Fourteen, thank you. And is anyone vegetarian?"),
    turn(4, "C", "Two of us are, and my son is allergic to nuts."),
    turn(5, "A", "I'll pass that on. May I confirm the table at seven on Saturday?"),
    turn(6, "C", "Yes please."),
    turn(7, "A", "The invoice of one hundred and twenty dollars is due on the fifteenth. Can you pay by then?"),
    turn(8, "C", "I already paid it last week by bank transfer."),
    turn(9, "C", "Never mind, I'm driving, call me next week."),
]


@pytest.mark.parametrize(
    ("text", "turns", "doubtful"),
    [
        ("There will be 14 guests.", (2, 3), False),
        ("Two guests are vegetarian and her son has a nut allergy.", (3, 4), False),
        ("Reservation confirmed for Saturday at 7 p.m. for 14 people.", (2, 5, 6), False),
        ("Maria said she already paid the $120 invoice last week by bank transfer.", (7, 8), False),
        ("She is driving and wants a call next week.", (9,), False),
        ("There will be 40 guests.", (2, 3), True),
        ("The table is confirmed for Sunday at 7.", (5, 6), True),
        ("Three guests are vegan.", (4,), True),
        ("Nobody has allergies.", (4,), True),
        ("She paid $150.", (7, 8), True),
        ("Call back tomorrow.", (9,), True),
    ],
)
def test_claims_as_a_model_words_them(text: str, turns: tuple[int, ...], doubtful: bool) -> None:
    assert borne_out(Claim(text, turns, 0.9), heard(TABLE), BRIEF).doubtful is doubtful


def test_turns_that_do_not_exist_are_dropped_and_the_others_stay() -> None:
    assert sure("It costs $45.", 99, 5, 5, -1).turns == (5,)


@pytest.mark.parametrize("confidence", [float("nan"), float("inf"), -1.0, 1.5])
def test_a_confidence_that_is_none_counts_as_nothing(confidence: float) -> None:
    assert sure("It costs $45.", 5, confidence=confidence).confidence == 0.0


# --- the whole report -------------------------------------------------------------------------------------------


def report(outcome: Outcome, text: str, *turns: int, questions: tuple[Claim, ...] = ()) -> Report:
    return Report(outcome, Claim(text, turns, 0.9), questions=questions)


@pytest.mark.parametrize(
    ("outcome", "said", "doubtful"),
    [
        (Outcome.CONFIRMED, "Yes, that works for me.", False),
        (Outcome.CONFIRMED, "No, that doesn't work.", True),
        (Outcome.CONFIRMED, "Don't call me again.", True),
        (Outcome.DECLINED, "No, I'm not interested.", False),
        (Outcome.DECLINED, "Yes, that works for me.", True),
        (Outcome.OPTED_OUT, "Please stop calling me.", False),
        (Outcome.OPTED_OUT, "Yes, that works for me.", True),
        (Outcome.WRONG_PERSON, "You have the wrong number.", False),
        (Outcome.WRONG_PERSON, "Sure, go ahead.", True),
        (Outcome.VOICEMAIL, "Please leave a message.", True),
    ],
)
def test_an_outcome_needs_words_that_can_mean_it(outcome: Outcome, said: str, doubtful: bool) -> None:
    turns = [turn(1, "C", said)]
    assert checked(report(outcome, f"“{said}”", 1), CALL, turns).result.doubtful is doubtful


def test_how_a_line_ended_is_known_to_the_row_alone() -> None:
    hung_up = replace(CALL, outcome=Outcome.HUNG_UP, ending="They hung up.")
    true = checked(report(Outcome.HUNG_UP, "She hung up after agreeing to Friday."), hung_up, TURNS)
    assert true.result == Claim("They hung up.", (), 0.9, ENDING)
    assert not true.result.doubtful
    assert checked(report(Outcome.FAILED, "The line broke."), hung_up, TURNS).result.doubtful


def test_an_open_question_must_be_the_callees_own() -> None:
    asked = (Claim("Is there parking?", (4,), 0.9), Claim("What does it cost?", (5,), 0.9))
    found = checked(report(Outcome.UNCLEAR, "Friday at ten.", 4, questions=asked), CALL, TURNS)
    assert [claim.doubtful for claim in found.questions] == [False, True]


def test_nobody_but_the_house_can_do_without_turns() -> None:
    forged = (Claim("It costs $45.", (), 1.0, "trust me"),)
    found = checked(Report(Outcome.CONFIRMED, forged[0], forged, forged, forged), CALL, TURNS)
    assert [claim.doubtful for claim in (found.result, *found.summary, *found.agreed, *found.questions)] == [True] * 4


@pytest.mark.parametrize(
    ("judged", "found", "sure", "then"),
    [
        (Outcome.UNCLEAR, Outcome.CONFIRMED, True, Outcome.CONFIRMED),
        (Outcome.FAILED, Outcome.CONFIRMED, True, Outcome.CONFIRMED),
        (Outcome.CONFIRMED, Outcome.DECLINED, True, Outcome.DECLINED),
        (Outcome.CONFIRMED, Outcome.DECLINED, False, Outcome.CONFIRMED),
        (Outcome.OPTED_OUT, Outcome.CONFIRMED, True, Outcome.OPTED_OUT),
        (Outcome.TRANSFERRED, Outcome.CONFIRMED, True, Outcome.TRANSFERRED),
        (None, Outcome.UNCLEAR, False, Outcome.UNCLEAR),
    ],
)
def test_a_report_overrules_only_with_proof(judged: Outcome | None, found: Outcome, sure: bool, then: Outcome) -> None:
    made = Report(found, Claim("So it is.", (1,), 0.9 if sure else 0.5))
    assert settled(replace(CALL, outcome=judged), made) is then


# --- properties -------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    "yes no tuesday friday at ten half past two forty five dollars 2:30 p.m. march 3rd not cleaning parking is one \
hundred free the maria works agreed tomorrow 10 a.m. two oh 555 0143 “ ” ? . in minutes".split()
)
SAID = st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=40)
CLAIMS = st.builds(
    Claim,
    SAID.filter(str.strip),
    st.lists(st.integers(-2, 9), max_size=4).map(tuple),
    st.floats(allow_nan=True),
    st.sampled_from(["", "trust me"]),
)
CALLS = st.lists(st.tuples(st.sampled_from("ACN"), SAID, st.booleans()), max_size=6).map(
    lambda said: [turn(n, who, text, text if out else "") for n, (who, text, out) in enumerate(said, start=1)]
)


@settings(deadline=None)
@given(CLAIMS, CALLS)
def test_a_claim_never_gains_certainty(claim: Claim, turns: list[Turn]) -> None:
    found = borne_out(claim, heard(turns), BRIEF)
    assert found.text == claim.text
    assert not found.ground
    assert set(found.turns) <= set(claim.turns) & {t.number for t in turns}
    assert 0 <= found.confidence <= 1
    assert found.confidence <= claim.confidence or found.confidence == 0


@settings(deadline=None)
@given(CLAIMS, CALLS, st.integers(10, 10**6))
def test_a_number_that_nobody_said_is_always_doubtful(claim: Claim, turns: list[Turn], number: int) -> None:
    figures = Figures.of(f"It is {1_000_000 + number}.")
    if figures.missing([Figures.of(t.text) for t in turns]):
        told = replace(claim, text=f"{claim.text} . It is {1_000_000 + number}.")
        assert borne_out(told, heard(turns), BRIEF).doubtful


@settings(deadline=None)
@given(st.lists(CLAIMS, max_size=3).map(tuple), CALLS, st.sampled_from(Outcome))
def test_a_report_without_turns_is_doubtful_in_every_claim(
    claims: tuple[Claim, ...], turns: list[Turn], outcome: Outcome
) -> None:
    nowhere = tuple(replace(claim, turns=(77, 78)) for claim in claims)
    found = checked(Report(outcome, Claim("So it is.", (77,), 1.0), nowhere, nowhere, nowhere), CALL, turns)
    assert all(claim.doubtful for claim in (*found.summary, *found.agreed, *found.questions))
    assert found.result.doubtful


@settings(deadline=None)
@given(SAID)
def test_whatever_was_said_bears_itself_out(text: str) -> None:
    figures = Figures.of(text)
    assert figures.missing([figures]) == ()


# --- figures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("forty-five dollars", ("45",)),
        ("one thousand two hundred and fifty", ("1250",)),
        ("$1,250", ("1250",)),
        ("twelve hundred", ("1200",)),
        ("five five five, oh one four three", ("5550143",)),
        ("two million three hundred thousand and one", ("2300001",)),
        ("20 21", ("20", "21")),
        ("the 21st", ()),
        ("no one was there, and this one neither", ()),
        ("a hundred and twenty one guests", ("121",)),
    ],
)
def test_numbers_are_read_in_words_and_in_digits(text: str, numbers: tuple[str, ...]) -> None:
    assert Figures.of(text).numbers == numbers
