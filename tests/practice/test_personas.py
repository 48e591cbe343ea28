"""Each persona against plausible callers, terse and fluent; and against anything at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.practice.personas import PERSONAS, Reply, hello, interjection, reply

TALKERS = [persona for persona in PERSONAS.values() if not persona.machine and persona.rings is not None]


OPENING = "Hi Jordan, this is Alex calling for Green Valley Dental. Do you have a quick moment?"
TERSE = "I'm calling about your appointment on Tuesday at three. Does that work for you?"
FLUENT = (
    "Hi Jordan! I'm Alex, an AI assistant calling on behalf of Green Valley Dental. I wanted to check whether your "
    "cleaning this Tuesday at 3 p.m. still works for you."
)
BYE = "Great, thank you. Have a nice day. Goodbye."


def conversation(key: str, *turns: str) -> list[Reply]:
    return [reply(PERSONAS[key], turns[: count + 1]) for count in range(len(turns))]


def said(key: str, *turns: str) -> list[str]:
    return [answer.words for answer in conversation(key, *turns)]


def test_the_cooperative_one_agrees_to_the_time_it_heard() -> None:
    assert said("cooperative", OPENING, TERSE, "Great. Anything else?", BYE) == [
        "Sure, go ahead.",
        "Yes, Tuesday at three works for me.",
        "No, that's all, thank you.",
        "Thank you, goodbye.",
    ]
    assert "Tuesday" in said("cooperative", FLUENT)[0]


@pytest.mark.parametrize("matter", [TERSE, FLUENT])
def test_another_time_refuses_and_takes_the_alternative_it_is_offered(matter: str) -> None:
    refusal, taken = said("another-time", matter, "We could do Wednesday at ten or Thursday at two.")
    assert "can't" in refusal and "Friday morning" in refusal
    assert "Wednesday at ten works" in taken


def test_another_time_names_one_when_asked() -> None:
    _, wished = said("another-time", TERSE, "No problem. What time would be better for you?")
    assert wished == "Friday morning at ten would be best for me."


def test_another_time_accepts_that_somebody_will_follow_up() -> None:
    _, answer = said("another-time", TERSE, "I can't change that myself, but someone will follow up with you.")
    assert answer == "Okay, that works for me, thank you."


@pytest.mark.parametrize(
    "answers", [("It's at 12 Oak Street.", "I don't know. Someone will follow up about that."), ()]
)
def test_the_curious_one_asks_twice_then_agrees(answers: tuple[str, ...]) -> None:
    answers = answers or ("It's at 12 Oak Street. Is there anything else?", "I'm not sure. Anything else I can do?")
    first, second, third = said("curious", TERSE, *answers)
    assert first.endswith("?") and second.endswith("?") and first != second
    assert "works for me" in third


@pytest.mark.parametrize(
    ("matter", "question"),
    [
        ("Your invoice of 250 dollars is overdue. Can you pay it by Friday?", "How much is it"),
        ("Your parcel will be delivered tomorrow. Is anyone at home?", "How long will that take"),
        ("We'd like to invite you to our survey. Would you take part?", "How long will it take"),
    ],
)
def test_the_curious_one_asks_about_the_matter_it_heard(matter: str, question: str) -> None:
    assert question in said("curious", matter)[0]


@pytest.mark.parametrize("matter", [OPENING, TERSE, FLUENT])
def test_the_busy_one_wants_to_be_called_back_and_says_when(matter: str) -> None:
    first, when, again = said("busy-person", matter, "When should I call you back?", "So tomorrow at four, right?")
    assert "call me back tomorrow at four" in first
    assert "Tomorrow at four" in when
    assert again == "Yes, tomorrow at four, please."


def test_the_busy_one_does_not_let_itself_be_held() -> None:
    assert conversation("busy-person", OPENING, "It only takes a minute. Would Tuesday suit?", FLUENT)[-1].hangs_up


@pytest.mark.parametrize("matter", [TERSE, FLUENT])
def test_the_one_who_declines_declines_until_it_hangs_up(matter: str) -> None:
    answers = conversation("declines", OPENING, matter, "Are you sure?", "It's free of charge!")
    assert "about" in answers[0].words
    assert "not interested" in answers[1].words
    assert [answer.hangs_up for answer in answers] == [False, False, False, True]


def test_the_one_who_opts_out_says_so_at_once_and_yes_when_asked() -> None:
    first, again = said("opts-out", OPENING, "I'll take you off our list. Is that alright?")
    assert "don't call me again" in first
    assert again.startswith("Yes")


def test_the_wary_one_asks_about_the_caller_before_it_listens() -> None:
    doubt, listening, yes = said("wary", OPENING, "I'm an AI assistant. May I go on?", TERSE)
    assert "real person" in doubt
    assert "about" in listening
    assert "Tuesday at three works" in yes


@pytest.mark.parametrize("turn", [OPENING, TERSE, "Am I speaking with Jordan?"])
def test_somebody_else_says_that_the_number_is_wrong(turn: str) -> None:
    assert "wrong number" in said("wrong-number", turn)[0]


def test_a_machine_says_nothing_to_anybody() -> None:
    assert said("voicemail", OPENING, TERSE, BYE) == ["", "", ""]


@pytest.mark.parametrize("persona", TALKERS, ids=lambda persona: persona.key)
def test_everybody_returns_a_goodbye_and_hangs_up(persona: object) -> None:
    for bye in (BYE, "Alright, thanks for your time. Take care!"):
        answer = conversation(getattr(persona, "key", ""), OPENING, TERSE, bye)[-1]
        assert answer.hangs_up and "oodbye" in answer.words


def test_asked_to_repeat_it_says_the_same_again() -> None:
    said_twice = said("another-time", OPENING, TERSE, "Sorry, I didn't catch that. Could you say that again?")
    assert said_twice[2] == said_twice[1]


def test_it_keeps_quiet_while_the_caller_looks_something_up() -> None:
    assert said("curious", TERSE, "One moment, please. Let me check.")[-1] == ""


def test_first_words_carry_the_name_where_there_is_one() -> None:
    assert hello(PERSONAS["cooperative"], "Jordan") == "Hello, this is Jordan."
    assert hello(PERSONAS["cooperative"]) == "Hello?"
    assert "Jordan" in hello(PERSONAS["voicemail"], "Jordan") and "beep" in hello(PERSONAS["voicemail"])


def test_only_the_hesitant_one_speaks_into_the_callers_sentences() -> None:
    partial = "I'm calling about your appointment on Tuesday at"
    assert interjection(PERSONAS["hesitant"], 0, partial, ()) == "Sorry, wait, which day was that?"
    assert [key for key, persona in PERSONAS.items() if interjection(persona, 1, partial, ())] == ["hesitant"]


def test_it_interrupts_once_and_hums_once_a_turn() -> None:
    hesitant = PERSONAS["hesitant"]
    opening = "Hi Jordan this is Alex an assistant calling for Green Valley"
    assert interjection(hesitant, 0, "Hi Jordan this is", ()) == ""
    assert interjection(hesitant, 0, opening, ()) == "Mm-hm."
    assert interjection(hesitant, 0, opening, {"Mm-hm."}) == ""
    assert interjection(hesitant, 1, opening, {hesitant.interrupts, hesitant.hums}) == ""


def test_the_form_can_show_everybody() -> None:
    assert {
        "cooperative",
        "another-time",
        "curious",
        "voicemail",
        "busy-person",
        "declines",
        "nobody",
        "hesitant",
    } <= set(PERSONAS)
    for key, persona in PERSONAS.items():
        assert persona.key == key and persona.title and persona.description.endswith(".")
        assert len(persona.description) < 90
    assert [key for key, persona in PERSONAS.items() if persona.rings is None] == ["nobody"]


LINES = st.one_of(
    st.text(max_size=200),
    st.sampled_from([OPENING, TERSE, FLUENT, BYE, "", "Anything else?", "What {time} suits {you}?", "Say that again?"]),
    st.lists(
        st.sampled_from("what time would when a a a good day or at Friday three ? . {that} not".split()), max_size=80
    ).map(" ".join),
)


@given(persona=st.sampled_from(TALKERS), turns=st.lists(LINES, min_size=10, max_size=10))
def test_whatever_the_caller_says_the_call_ends_within_ten_turns(persona: object, turns: list[str]) -> None:
    answers = conversation(getattr(persona, "key", ""), *turns)
    assert any(answer.hangs_up for answer in answers)
    assert all(answer.words for answer in answers if answer.hangs_up)
    assert not any("{" in answer.words for answer in answers)


@given(persona=st.sampled_from(list(PERSONAS.values())), turns=st.lists(LINES, min_size=1, max_size=4))
def test_what_was_heard_alone_decides(persona: object, turns: list[str]) -> None:
    key = getattr(persona, "key", "")
    assert conversation(key, *turns) == conversation(key, *turns)
