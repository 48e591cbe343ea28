"""Who asks never to be called again is heard, and nobody else is taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.words.opting_out import opts_out


@pytest.mark.parametrize(
    "words",
    [
        "Stop calling me!",
        "please stop calling this number",
        "Don't call me again.",
        "do not ever call here again",
        "Never call this number again, you hear me?",
        "Take me off your list.",
        "could you please remove my number from your calling list",
        "Remove me from your database please",
        "put me on your do not call list",
        "I don't want any more calls",
        "I do not want these calls.",
        "No more calls, please.",
        "lose my number",
        "Look, I'm eating. I told you people to stop calling us, all right?",
        "I’d like you to take me off of your list",
        "unsubscribe me",
        "you must not contact us anymore",
        "quit bothering me",
    ],
)
def test_the_wish_for_no_more_calls_is_heard(words: str) -> None:
    assert opts_out(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Don't call me before nine, please.",
        "Don't call me again today, I'm driving.",
        "please stop calling me at work",
        "Please don't call me again until Monday",
        "Why did you stop calling me?",
        "I don't want to call back again",
        "You can call me again tomorrow.",
        "Don't stop calling me, I like the reminders",
        "Could you take me off hold?",
        "Take me off the waiting room, I mean",
        "I'll call you again",
        "please don't hang up",
        "No, that's all.",
        "Can you put me on the list for Friday?",
        "Stop, wait a second.",
        "don't forget my number",
        "There were no calls yesterday",
    ],
)
def test_other_wishes_are_not_taken_for_it(words: str) -> None:
    assert not opts_out(words)


@given(st.text(max_size=200))
def test_any_text_can_be_judged(words: str) -> None:
    assert opts_out(words) in (True, False)
