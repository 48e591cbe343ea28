"""What the agent was saying: whether it had asked, and whether words are its own come back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.call.words.own_words import apart, asks, echoes

OURS = (
    "Hi John, this is Alex, an AI assistant calling for Green Valley Dental. I'm calling to confirm your appointment "
    "with Dr. Smith on Thursday, January 5th at 2:30 p.m. The fee is $45. Does that still work for you?"
)
ASKING = [
    "Does Thursday at 2:30 p.m. still work for you?", "Hi Maria, this is Alex. Do you have a quick moment?",
    "Do you have a quick moment? It is", "Is that okay? Otherwise we could also", "Please let me know.",
    "Could you tell me your date of birth.", "Does Thursday at 2:30 still work", "So would Thursday at ten",
    "I'd like to know which day suits you best.", "Is Dr. Smith okay for you?", "Great. And what time would",
    "Which day? Let me", "Tell me which day suits you.", "Are you still there?", 'He asked "is it on?"',
]  # fmt: skip
NOT_ASKING = [
    "", "Hello.", "I'm calling about your appointment on Thursday.",
    "Is that okay? Otherwise we could also find another", "Your appointment with Dr. Smith is", "Do you", "Is that",
    "I have noted it. Thank you", "Thank you for your time. Goodbye.", "The doctor asked me to call",
    "One moment, please.", "What a great idea!", "When you come, bring your card.",
]  # fmt: skip
ECHOES = [
    "this is alex", "AI assistant calling for green valley dental", "calling for green valley dentals",
    "to confirm your appointment with doctor smith on thursday", "Thursday January fifth at two thirty pm",
    "the fee is forty five dollars", "The fee is forty-five dollars. Does that still",
    "I am calling to confirm your appoint", "green valley", "Thursday",
    "hi john this is alex and AI assistant calling",
    "confirm your appointments with Dr. Smith in Thursday January 5", "does that still work for you",
    "calling for Greene Valley Dental I'm calling to confirm",
]  # fmt: skip
THEIR_OWN = [
    "yes", "no wait", "that works for me", "wait", "appointment on Thursday at wait", "what appointment",
    "Thursday doesn't work for me", "hi this is john", "who is this", "I'm calling from", "", "confirm what",
    "on Friday", "dental green", "is that the appointment with Dr. Smith that was moved", "work for me",
    "can we do Thursday January 6th", "my appointment with Dr. Smith",
]  # fmt: skip


@pytest.mark.parametrize("heard", ASKING)
def test_a_question_that_was_heard_awaits_an_answer(heard: str) -> None:
    assert asks(heard)


@pytest.mark.parametrize("heard", NOT_ASKING)
def test_a_statement_awaits_no_answer(heard: str) -> None:
    assert not asks(heard)


@pytest.mark.parametrize("text", ECHOES)
def test_the_agents_own_words_are_known_again(text: str) -> None:
    assert echoes(text, OURS)
    assert echoes(text.upper(), OURS)


@pytest.mark.parametrize("text", THEIR_OWN)
def test_the_callees_own_words_are_no_echo(text: str) -> None:
    assert not echoes(text, OURS)


SPOKEN = OURS.split()


@given(st.integers(0, len(SPOKEN) - 1), st.integers(1, 15))
def test_any_run_of_the_agents_words_is_an_echo(start: int, count: int) -> None:
    assert echoes(" ".join(SPOKEN[start : start + count]), OURS)


@given(st.integers(0, len(SPOKEN) - 8), st.integers(0, 6))
def test_one_misheard_word_of_seven_is_still_an_echo(start: int, wrong: int) -> None:
    run = SPOKEN[start : start + 7]
    assume(run[wrong].strip(".,").isalpha())
    run[wrong] = "elephant"
    assert echoes(" ".join(run), OURS)


@given(st.integers(0, len(SPOKEN) - 8), st.integers(0, 7), st.sampled_from(["wait", "no", "stop", "sorry", "my"]))
def test_a_word_of_the_callees_within_an_echo_is_never_swallowed(start: int, place: int, word: str) -> None:
    run = SPOKEN[start : start + 7]
    run.insert(place, word)
    assert not echoes(" ".join(run), OURS)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_get_a_verdict(text: str, ours: str) -> None:
    assert not echoes(text, "")
    assert not echoes("", ours)
    echoes(text, ours)
    asks(text)


TWO_LEFT = "There are two appointments left, and both of them are with the same doctor."


@pytest.mark.parametrize(
    "text, rest",
    [
        ("Yeah, okay. and both of", "Yeah, okay."),
        ("both of them uh-huh with the same", "uh-huh"),
        ("Which of two?", "Which of"),
        ("same okay", "okay"),
        ("okay, same", "okay,"),
        ("okay", "okay"),
        ("two appointments left", ""),
        ("are - with", "are - with"),
        ("", ""),
    ],
)
def test_what_the_callee_said_is_told_from_the_echo_around_it(text: str, rest: str) -> None:
    assert apart(text, TWO_LEFT) == rest


@pytest.mark.parametrize("text", ["not great", "no okay", "sorry okay", "my okay"])
def test_a_word_that_anybody_says_for_themselves_is_no_echo_of_one(text: str) -> None:
    assert apart(text, "I'm sorry, no, not yet: my list is long.") == text
