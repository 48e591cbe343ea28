"""Who does not want to be recorded is heard, and what else is said about recordings is not taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.words.objecting import objects


@pytest.mark.parametrize(
    "words",
    [
        "Please don't record this.",
        "please do not record me",
        "Don't record this call.",
        "I don’t want this call to be recorded.",
        "I do not want to be recorded",
        "I don't want you to record this.",
        "Stop recording!",
        "Could you stop recording me, please?",
        "Can you turn off the recording?",
        "turn that recording off",
        "Please delete the recording.",
        "No recording, please.",
        "I don't consent to being recorded",
        "I do not agree to be recorded.",
        "I never gave you permission to record this",
        "I'd rather not be recorded.",
        "I would prefer that you don't record.",
        "I object to being recorded.",
        "I'm not comfortable with being recorded",
        "You can't record me without asking.",
        "You're not allowed to record this.",
        "Yes, Thursday works, but don't record our conversation.",
        "I'd like to talk, but without being recorded.",
        "I refuse to be recorded",
        "I don't like being recorded.",
    ],
)
def test_the_wish_not_to_be_recorded_is_heard(words: str) -> None:
    assert objects(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Are you recording this?",
        "Okay, you may record it.",
        "I don't mind being recorded.",
        "Don't stop recording, I want a copy.",
        "Why did you stop recording?",
        "There's no need to stop recording.",
        "You don't need to stop recording.",
        "Do not record this as a cancellation.",
        "Please record my new number.",
        "I don't want to reschedule.",
        "For the record, I never said that.",
        "I have no records of that.",
        "Can I get a copy of the recording?",
        "Don't forget to record the change.",
        "We don't keep medical records here.",
        "Stop, wait a second.",
    ],
)
def test_other_words_about_recordings_are_not_taken_for_it(words: str) -> None:
    assert not objects(words)


@given(st.text(max_size=200))
def test_any_text_can_be_judged(words: str) -> None:
    assert objects(words) in (True, False)
