"""Reports by rules: what came of a call, from its words alone, and each claim where it can be looked up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.models import Answerer, Brief, Call, Claim, Outcome, Report, Speaker, Status, Turn, TurnState
from backend.outcome import rules
from backend.outcome.evidence import ENDING

BRIEF = Brief(
    "+12025550143",
    "Confirm the cleaning on Tuesday, March 3 at 2:30 p.m.",
    "It takes 45 minutes. Other free times: Friday at 10 a.m. and Monday at 4 p.m.",
    callee_name="Maria Gomez",
    organization="Brightside Dental",
)
HELLO = "Hi Maria, this is Alex, an AI assistant calling for Brightside Dental. Do you have a moment?"
PUT = "I'm calling to confirm the cleaning on Tuesday, March third at half past two. Does that still work for you?"


def turns(*said: str, state: TurnState = TurnState.DONE) -> list[Turn]:
    """The agent's and the callee's words in turn, the agent first; the last turn is in this state."""
    made = [
        Turn(n, Speaker.CALLEE if n % 2 == 0 else Speaker.AGENT, text, text, TurnState.DONE, float(n))
        for n, text in enumerate(said, start=1)
    ]
    return [*made[:-1], Turn(len(made), made[-1].speaker, said[-1], said[-1], state, 9.0)] if made else []


def reported(*said: str, state: TurnState = TurnState.DONE, **row: Any) -> Report:
    known: dict[str, Any] = {
        "status": Status.COMPLETED,
        "outcome": Outcome.HUNG_UP,
        "ending": "They hung up.",
        "answered": 1.0,
    }
    return rules.report(Call("call", BRIEF, **(known | row)), turns(*said, state=state))


@pytest.mark.parametrize(
    ("said", "outcome", "text", "proof"),
    [
        (
            (HELLO, "Yes", PUT, "Yes, that works for me."),
            Outcome.CONFIRMED,
            "Confirmed: the cleaning on Tuesday, March 3 at 2:30 p.m.",
            (3, 4),
        ),
        (
            (HELLO, "Yes", PUT, "No, I can't.", "Would Friday at 10 a.m. or Monday at 4 p.m. work?", "Friday at ten."),
            Outcome.RESCHEDULED,
            "Rescheduled to Friday at 10 a.m.",
            (5, 6),
        ),
        ((HELLO, "Yes", PUT, "Please cancel it."), Outcome.DECLINED, "Wants to cancel.", (3, 4)),
        ((HELLO, "Don't call me again."), Outcome.OPTED_OUT, "Asked not to be called again.", (1, 2)),
        ((HELLO, "You have the wrong number."), Outcome.WRONG_PERSON, "Wrong person or number.", (1, 2)),
        ((HELLO, "There is no Maria here."), Outcome.WRONG_PERSON, "Wrong person or number.", (1, 2)),
        ((HELLO, "I'm busy, call me tomorrow at five."), Outcome.CALL_BACK, "Call back tomorrow at five.", (1, 2)),
    ],
)
def test_what_came_of_a_talk_is_found_with_its_proof(
    said: tuple[str, ...], outcome: Outcome, text: str, proof: tuple[int, ...]
) -> None:
    found = reported(*said)
    assert (found.outcome, found.result.text, found.result.turns) == (outcome, text, proof)
    assert not found.doubtful
    assert found.author == "rules"


def test_the_summary_is_what_was_put_and_what_was_answered() -> None:
    found = reported(HELLO, "Yes", PUT, "Yes, that works for me.", "Great. Goodbye.")
    assert [claim.text for claim in found.summary] == [
        f"Alex said: “{PUT}”",
        "Maria Gomez said: “Yes, that works for me.”",
    ]
    assert [claim.turns for claim in found.summary] == [(3,), (4,)]


def test_what_was_asked_and_not_known_stays_open() -> None:
    found = reported(HELLO, "Yes", PUT, "Yes that works. Is there parking?", "I don't have that information.", "Okay.")
    assert found.questions == (Claim("Is there parking?", (4,), 0.8),)
    assert [claim.text for claim in found.agreed] == ["Confirmed: the cleaning on Tuesday, March 3 at 2:30 p.m."]


@pytest.mark.parametrize("said", ["Did you say Wednesday?", "That's right, isn't it?"])
def test_a_question_that_only_asks_again_is_not_left_open(said: str) -> None:
    assert reported(HELLO, "Yes", PUT, said, "It is on Tuesday at half past two.", "Yes.").questions == ()


def test_a_wish_for_no_more_calls_is_not_undone_by_what_follows() -> None:
    found = reported(HELLO, "Yes", PUT, "Don't call me again.", "I'm sorry.", "Yes, that works for me.")
    assert found.outcome is Outcome.OPTED_OUT


def test_a_yes_to_words_that_were_not_heard_is_for_review() -> None:
    call = Call("call", BRIEF, Status.COMPLETED, Outcome.HUNG_UP, answered=1.0)
    said = turns(HELLO, "Yes", PUT, "Yes, that works for me.")
    said[2] = Turn(3, Speaker.AGENT, PUT, "I'm calling to confirm the cleaning", TurnState.CUT, 3.0)
    found = rules.report(call, said)
    assert found.result.doubtful or found.outcome is Outcome.HUNG_UP


def test_a_yes_to_an_operators_own_question_confirms_nothing() -> None:
    call = Call("call", BRIEF, Status.COMPLETED, Outcome.HUNG_UP, ending="They hung up.", answered=1.0)
    said = turns(HELLO, "Yes", PUT, "Hm.", "Maya here, can you hear me?", "Yes.")
    said[4] = replace(said[4], speaker=Speaker.OPERATOR)
    assert rules.report(call, said).outcome is not Outcome.CONFIRMED


def test_what_an_operator_asked_and_the_callee_agreed_to_is_confirmed_with_their_words() -> None:
    call = Call("call", BRIEF, Status.COMPLETED, Outcome.HUNG_UP, ending="They hung up.", answered=1.0)
    said = turns(HELLO, "Yes", PUT, "Yes, that works for me.")
    said[2] = replace(said[2], speaker=Speaker.OPERATOR)
    found = rules.report(call, said)
    assert (found.outcome, found.result.turns) == (Outcome.CONFIRMED, (3, 4))
    assert any(claim.text.startswith("The operator said:") for claim in found.summary)


def test_words_that_broke_off_are_for_review() -> None:
    found = reported(HELLO, "Yes", PUT, "Yes, that works", state=TurnState.OPEN, outcome=Outcome.FAILED)
    assert (found.outcome, found.result.doubtful) == (Outcome.CONFIRMED, True)


def test_another_judgement_than_the_agents_is_for_review() -> None:
    found = reported(HELLO, "Yes", PUT, "Yes, that works for me.", outcome=Outcome.DECLINED)
    assert (found.outcome, found.result.doubtful) == (Outcome.CONFIRMED, True)
    same = reported(HELLO, "Yes", PUT, "Yes, that works for me.", outcome=Outcome.CONFIRMED)
    assert same.result.confidence == 0.9


def test_a_judgement_that_the_rules_cannot_follow_is_kept_for_review() -> None:
    found = reported(HELLO, "Mhm, the purple one.", outcome=Outcome.CONFIRMED, note="She takes the purple one.")
    assert (found.outcome, found.result.text) == (Outcome.CONFIRMED, "She takes the purple one.")
    assert found.result.doubtful


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(Status.BUSY, Outcome.NO_ANSWER), (Status.NO_ANSWER, Outcome.NO_ANSWER), (Status.FAILED, Outcome.FAILED)],
)
def test_a_call_that_nobody_took_is_told_by_the_carrier(status: Status, outcome: Outcome) -> None:
    found = reported(status=status, outcome=outcome, ending="It was not taken.", answered=None)
    assert (found.outcome, found.result) == (outcome, Claim("It was not taken.", (), 0.9, ENDING))
    assert not found.doubtful


def test_a_message_left_is_proved_by_the_message() -> None:
    message = "Hi, this is Alex for Brightside Dental. Please call us back."
    call = Call("call", BRIEF, Status.COMPLETED, Outcome.VOICEMAIL, answered=1.0, answerer=Answerer.VOICEMAIL)
    said = [Turn(1, Speaker.CALLEE, "Please leave a message.", "", TurnState.DONE, 1.0)]
    said += [Turn(2, Speaker.AGENT, message, message, TurnState.DONE, 2.0)]
    found = rules.report(call, said)
    assert found.result == Claim(f"Left on the machine: “{message}”", (2,), 0.9)
    assert not found.doubtful


LINES = st.lists(
    st.sampled_from(
        [
            *("Yes", "No", "Yes, that works for me.", "Friday at ten", "Don't call me again", "Is there parking?"),
            *("I'm busy", "", "Wrong number", HELLO, PUT, "Would Friday at 10 a.m. work for you?", "Hm", "Goodbye."),
        ]
    ),
    max_size=8,
)


@settings(deadline=None)
@given(LINES, st.sampled_from(Outcome) | st.none(), st.sampled_from([Status.COMPLETED, Status.FAILED, Status.BUSY]))
def test_whatever_was_said_has_a_report_that_names_only_what_was_heard(
    said: list[str], outcome: Outcome | None, status: Status
) -> None:
    found = rules.report(Call("call", BRIEF, status, outcome, answered=1.0), turns(*said))
    heard = {number for number, text in enumerate(said, start=1) if text.strip()}
    for claim in (found.result, *found.summary, *found.agreed, *found.questions):
        assert set(claim.turns) <= heard
        assert claim.text.strip()
    assert len(found.summary) <= 2
