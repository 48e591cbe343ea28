"""The offline brain before machines that stand in front of a person, and with what the house advises it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.brain import advice, menu
from backend.brain.menu import Option, options
from backend.call import manners as known
from backend.call.sound.keys import tones_of
from backend.llm.offline import OfflineBrain, decide
from backend.models import Answered, Brief, Conversation, Outcome, Said, Speaker, ToolUse

BRIEF = Brief(
    to="+12025550143",
    action="Confirm the dental cleaning on Thursday at 2:30 p.m.",
    callee_name="John Smith",
    organization="Green Dental",
)
MENU = "Thank you for calling. For opening hours, press one. For appointments, press two. To hear this again, press 9."


def heard(*lines: str, brief: Brief = BRIEF) -> Conversation:
    """What was said: callee's lines, the agent's after ">", notes after "#"."""
    conversation = Conversation(brief)
    speakers = {">": Speaker.AGENT, "#": Speaker.NOTE}
    for line in lines:
        conversation = conversation.plus(speakers.get(line[0], Speaker.CALLEE), line.lstrip(">#"))
    return conversation


def pressed(*lines: str, brief: Brief = BRIEF) -> str:
    use = menu.through(heard(*lines, brief=brief))
    assert isinstance(use, ToolUse) and use.name == "press_keys"
    return str(use.arguments["digits"])


@pytest.mark.parametrize(
    ("read_out", "found"),
    [
        ("For hours, press one. For billing, press 2.", [("1", "For hours"), ("2", "For billing")]),
        ("Press 1 for sales, press 2 for service.", [("1", "for sales"), ("2", "for service")]),
        ("for hours press one for billing press two", [("1", "for hours"), ("2", "for billing")]),
        ("For the front desk. Press zero.", [("0", "For the front desk")]),
        (
            "If you are a doctor, press pound. Press star to go back.",
            [("#", "If you are a doctor"), ("*", "to go back")],
        ),
        ("We press on, one by one.", []),
    ],
)
def test_a_menu_is_read_in_either_order(read_out: str, found: list[tuple[str, str]]) -> None:
    assert options(read_out) == [Option(*one) for one in found]


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("Confirm the dental cleaning on Thursday at 2:30 p.m.", "1"),
        ("Ask whether the invoice of March was paid", "2"),
        ("Find out when the parcel will be delivered", "3"),
        ("Ask what the caretaker thinks of the roof", "4"),
    ],
)
def test_the_option_for_the_matter_is_chosen_else_the_one_for_a_person(action: str, key: str) -> None:
    read_out = "For appointments, press 1. For billing, press 2. For orders, press 3. For the receptionist, press 4."
    assert pressed(read_out, brief=Brief("+12025550143", action)) == key


def test_the_option_with_the_callees_name_goes_before_all_others() -> None:
    assert pressed("For appointments, press 1. For Doctor Smith, press 2.") == "2"


def test_without_any_option_that_fits_the_operators_key_is_pressed() -> None:
    assert pressed("Our options have changed.") == menu.OPERATOR


def test_a_key_that_was_refused_is_not_pressed_again() -> None:
    assert pressed(MENU, "#Pressed 2", "That is not a valid option. " + MENU) == menu.OPERATOR


def test_the_rest_of_a_menu_after_the_key_is_waited_out() -> None:
    rest = (MENU, "#Pressed 2", "To hear this again, press nine.")
    assert pressed(*rest) == menu.PAUSE
    assert pressed(*rest, "#Pressed w", "For new appointments, press 3.") == "3"


@pytest.mark.parametrize("note", ["#Maya Müller pressed 2.", "#The operator pressed 2."])
def test_a_key_that_an_operator_has_pressed_counts_as_pressed(note: str) -> None:
    assert pressed(MENU, note, "To hear this again, press nine.") == menu.PAUSE
    assert pressed(MENU, "#Maya says: I pressed 2", "For new appointments, press 3.") == pressed(
        MENU, "For new appointments, press 3."
    )


def test_a_menu_that_wants_words_gets_a_word() -> None:
    assert menu.through(heard("In a few words, tell me why you are calling.")) == Said(menu.REPRESENTATIVE)


def test_a_screener_learns_who_calls_and_not_the_matter() -> None:
    who = menu.to_screener(heard("Who is calling, please?")).text
    assert "Alex" in who and "AI assistant" in who and "Green Dental" in who and "John Smith" in who
    why = menu.to_screener(heard("Please tell me the reason for your call.")).text
    assert "John Smith" in why and "cleaning" not in why + who


async def answered(conversation: Conversation, hint: str) -> list[Answered]:
    return [piece async for piece in OfflineBrain().answer(conversation, hint)]


async def test_the_hint_about_a_machine_reaches_it() -> None:
    assert await answered(heard(MENU), known.MENU) == [ToolUse("press_keys", {"digits": "2"})]
    (said,) = await answered(heard("Who is calling?"), known.SCREENER)
    assert isinstance(said, Said) and "Alex" in said.text


def test_the_words_of_machines_are_no_answers() -> None:
    opening, asked = known.opening(BRIEF), "Does that still work for you?"
    person = ("Hello, this is John.", f">{opening}", "Sure, go ahead.")
    behind = heard(MENU, "#Picked up: menu. Because.", "#Pressed 2", "Please call tomorrow. Goodbye.", *person)
    assert decide(behind) == decide(heard(*person))
    assert asked in " ".join(decide(behind).sentences)


def test_the_operators_answer_is_told_and_not_the_advice_around_it() -> None:
    hint = known.OPERATOR_SAYS.format(question="Is parking free?", answer="yes, behind the house")
    talk = heard(f">{known.opening(BRIEF)}", "Sure.", ">Let me check that for you.")
    assert decide(talk, hint).sentences == ("Yes, behind the house.",)


def test_where_the_operator_is_silent_somebody_will_follow_up() -> None:
    hint = known.OPERATOR_SILENT.format(question="Is it quiet there, or only a machine?")
    talk = heard(f">{known.opening(BRIEF)}", "Sure.", ">Let me check that for you.")
    assert decide(talk, hint).sentences == (known.WILL_FOLLOW_UP,)


def test_whoever_wants_no_more_calls_gets_an_apology_and_a_goodbye() -> None:
    reply = decide(heard(f">{known.opening(BRIEF)}", "Never call me again."), known.OPTED_OUT)
    assert reply.outcome is Outcome.OPTED_OUT
    assert reply.sentences == (known.NO_MORE_CALLS,)


def test_notes_change_nothing() -> None:
    plain = heard(f">{known.opening(BRIEF)}", "Sure, go ahead.")
    noted = heard(
        f">{known.opening(BRIEF)}", "#The operator's hint: be brief", "Sure, go ahead.", "#Asked the operator: x"
    )
    assert decide(noted) == decide(plain)


@given(st.text(max_size=80), st.text(max_size=80))
def test_the_operators_answer_comes_through_whatever_it_is(question: str, answer: str) -> None:
    told = advice.told(known.OPERATOR_SAYS.format(question=question, answer=answer))
    assert "operator answers" not in told or "operator answers" in question + answer
    assert bool(told) or not answer.strip(". \n\t\r\x0b\x0c")


@given(st.lists(st.sampled_from([*MENU.split(), "press", "three", "not valid", "?", "#Pressed 1", "\n"])).map(" ".join))
def test_whatever_a_menu_says_there_is_a_key_or_a_word_for_it(read_out: str) -> None:
    said = menu.through(heard(f" {read_out}"))
    if isinstance(said, ToolUse):
        assert tones_of(str(said.arguments["digits"]))
