"""Only what the agent was given is spoken; everything else becomes a promise to confirm it."""

from __future__ import annotations

from datetime import date

from backend.call import manners as known
from backend.call.grounding.grounding import Grounding
from backend.call.grounding.vetting import Vetting
from backend.models import Brief, Speaker, Utterance

BRIEF = Brief(
    to="+12025550143",
    action="Confirm the cleaning on Thursday at 2:30 p.m.",
    context="It takes 45 minutes and costs $80. Friday at 10 a.m. is free.",
    callee_name="John Smith",
)


def vetting(*lines: Utterance) -> Vetting:
    return Vetting(Grounding(BRIEF, date(2026, 11, 23)), lines)


def test_what_was_given_is_spoken_and_linked_to_its_source() -> None:
    vet = vetting()
    assert vet.pass_on("It takes forty-five minutes,") == "It takes forty-five minutes,"
    assert vet.pass_on("and costs eighty dollars.") == "and costs eighty dollars."
    assert [(fact.text, fact.source) for fact in vet.facts] == [
        ("forty-five minutes", "context"),
        ("eighty dollars", "context"),
    ]
    assert vet.withheld == ""


def test_a_fact_from_nowhere_takes_the_rest_of_its_sentence_with_it() -> None:
    vet = vetting()
    assert vet.pass_on("We could offer you Saturday,") == known.CONFIRM
    assert vet.pass_on("which is quiet.") == ""
    assert vet.pass_on("Would Friday at ten suit you?") == "Would Friday at ten suit you?"
    assert vet.withheld == "We could offer you Saturday, which is quiet."


def test_the_promise_to_confirm_is_made_once() -> None:
    vet = vetting()
    assert vet.pass_on("It costs ninety dollars.") == known.CONFIRM
    assert vet.pass_on("On Sunday it is sixty dollars.") == ""


def test_what_the_operator_advised_is_a_source() -> None:
    vet = vetting(Utterance(Speaker.NOTE, "Offer them Saturday at nine.", turn=4))
    assert vet.pass_on("We could also do Saturday at nine.") == "We could also do Saturday at nine."
    assert {(fact.source, fact.turn) for fact in vet.facts} == {("operator", 4)}
