"""What a few words mean for the turn: tables of what people say over an agent, and of what they mean by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.words.short_words import (
    is_answer,
    only_backchannel,
    only_farewell,
    only_greeting,
    only_hum,
    stands_alone,
    wants_floor,
    words,
)

WANTS = [
    "wait", "Wait.", "stop", "Stop!", "hold on", "Hang on a second.", "Sorry?", "sorry", "Excuse me.", "What?",
    "what", "Who is this?", "who's this", "No no.", "No, no, no.", "Pardon?", "One second.", "Actually", "But",
    "but wait", "Listen.", "Not interested.", "I'm not interested, thanks.", "Wrong number.",
    "You have the wrong number.", "um wait", "well actually", "no wait", "Hello?", "hello", "Can you repeat that?",
    "could you say that again", "I have a question.", "Stop calling me.", "don't call me again", "who are you",
    "I don't understand.", "that's wrong", "call me back later", "I'm driving", "just a minute",
    "hang on let me get a pen", "wait, which day was that", "Sorry, wait, which day was that?", "Are you a robot?",
    "but I already cancelled that", "no that's not right", "what time", "how much", "Which one?",
    "I can't hear you", "please stop", "Slow down please.", "give me one second", "no thank you",
    "can I ask something", "yeah but", "okay but when", "yes wait", "right, hold on", "no", "Nope.",
    "Remove me from your list.", "give me a second", "What was that?", "okay wait a second",
    "Hold on, let me check.", "Bye.",
]  # fmt: skip
LISTENS = [
    "uh-huh", "Uh huh.", "mm-hm", "Okay.", "okay okay", "Yeah.", "yeah, right", "Right.", "I see.", "got it",
    "Great.", "Sure.", "oh okay", "Oh, I see.", "mhm", "yes", "Yes, yes.", "alright", "cool", "wow", "um", "uh",
    "No problem.", "no worries", "Not bad.", "How nice.", "Perfect.", "sounds good", "that works", "Thursday",
    "ten", "Okay?", "right?", "thank you", "Thanks.", "of course", "oh really", "hmm", "Exactly.", "ah okay",
    "good", "mm", "yeah yeah yeah", "all right", "understood", "ooh", "haha", "That's fine.", "yes please", "fine",
    "true", "wonderful", "", "...", "yep", "Lovely.", "Mm-hmm, okay.",
]  # fmt: skip
ANSWERS = [
    "yes", "Yes.", "no", "No.", "nope", "yeah", "sure", "that works", "Thursday", "ten", "Okay.", "uh-huh", "mm-hm",
    "Uh huh.", "Two thirty.", "2:30", "At ten.", "Thursday at two", "Friday morning", "tomorrow", "In the morning.",
    "the second one", "the ninth", "March 3rd", "John Miller.", "Maria.", "Speaking.", "This is she.", "Yes I do.",
    "I do", "I can't", "It is.", "maybe", "I think so", "not really", "Yes please.", "no thanks", "Around noon.",
    "Half past four.", "four", "555-0143", "$45", "about twenty minutes", "Works for me.", "Um, yes.", "Well, no.",
    "Yeah that's fine.", "Yes, that works for me.", "no I can't", "Go ahead.", "either one", "Sounds good.",
    "the first", "next week", "September", "Mr. Lopez", "Ten o'clock.", "I'd say ten", "on monday", "twelve",
    "correct", "that's right", "Of course.", "yes ma'am", "Sure, go ahead.", "Okay, Thursday.", "No, Friday.",
    "Yes, speaking.", "It depends.", "None.",
]  # fmt: skip
NO_ANSWERS = [
    "um", "Uh.", "hmm", "wait", "What?", "who is this", "Sorry?", "hold on", "stop", "Yes?", "Thursday?", "er",
    "ah", "", "I see", "excuse me", "listen", "the thing is that I wanted to know about the parking", "hang on",
    "Hang On", "But", "oh", "pardon",
]  # fmt: skip


@pytest.mark.parametrize("text", WANTS)
def test_who_wants_to_speak_is_understood(text: str) -> None:
    assert wants_floor(text)
    assert wants_floor(text.upper()) and wants_floor(f"  {text} ")


@pytest.mark.parametrize("text", LISTENS)
def test_who_only_listens_or_answers_does_not_want_the_floor(text: str) -> None:
    assert not wants_floor(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_short_answers_are_answers(text: str) -> None:
    assert is_answer(text)


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_hesitation_and_questions_are_no_answers(text: str) -> None:
    assert not is_answer(text)


@pytest.mark.parametrize(
    "text",
    ["uh-huh", "Okay.", "yeah, right", "Mm-hm, I see.", "oh, great", "", "Yeah, I understand.", "Okay, thank you."],
)
def test_listening_noise(text: str) -> None:
    assert only_backchannel(text)


@pytest.mark.parametrize(
    "text", ["yes but", "Thursday", "okay wait", "no", "it's me", "I understand but", "thank you no"]
)
def test_more_than_listening_noise(text: str) -> None:
    assert not only_backchannel(text)


def test_a_hum_says_less_than_yes() -> None:
    assert only_hum("Mm-hm, uh.") and not only_hum("Yes.") and not only_hum("okay")


def test_greetings_and_farewells() -> None:
    assert only_greeting("Hello, good morning, this is") and not only_greeting("Hello, I'd like to book.")
    assert only_farewell("Okay, thank you so much, bye-bye!") and not only_farewell("Thanks, but one question.")


def test_words_are_bare_and_small() -> None:
    assert words("“Wait” — no… I’m (Here)-") == ["wait", "no", "i'm", "here"]


@given(st.text(max_size=60))
def test_any_text_gets_a_verdict_and_a_listener_never_wants_the_floor(text: str) -> None:
    is_answer(text)
    if only_hum(text):
        assert not wants_floor(text)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Yes I do",
        "no thanks",
        "uh-huh",
        "hello",
        "who is this",
        "Thursday",
        "at three",
        "John Miller",
        "um no",
        "bye",
    ],
)
def test_these_words_are_all_though_no_full_stop_was_heard(text: str) -> None:
    assert stands_alone(text)


@pytest.mark.parametrize(
    "text", ["", "maybe", "um perhaps", "it broke down", "It costs", "yes that should", "tell him that"]
)
def test_these_words_may_go_on(text: str) -> None:
    assert not stands_alone(text)
