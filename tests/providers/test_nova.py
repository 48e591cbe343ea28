"""Nova's messages: when a turn has probably ended, when it goes on, when it is over; and that none is left hanging."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.models import EagerEnd, Heard, Partial, Resumed, TurnEnd
from backend.stt.nova import Nova


def results(text: str, start: float, end: float, *, final: bool = False, pause: bool = False) -> Mapping[str, object]:
    words = [{"word": word, "end": end} for word in text.split()]
    channel = {"alternatives": [{"transcript": text, "words": words}]}
    times = {"start": start, "duration": end - start}
    return {"type": "Results", "is_final": final or pause, "speech_final": pause, "channel": channel, **times}


def utterance_end(last_word: float) -> Mapping[str, object]:
    return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last_word}


def told(nova: Nova, *messages: Mapping[str, object]) -> list[Heard]:
    return [event for message in messages for event in nova.hear(message)]


@pytest.mark.parametrize(
    "text",
    ["Yes.", "Thursday.", "I can't.", "yes", "no thanks", "Thursday at three", "That works for me.", "Who is this?"],
)
def test_a_pause_after_finished_words_ends_the_turn_at_once(text: str) -> None:
    assert told(Nova(), results(text, 0, 1, pause=True)) == [TurnEnd(text)]


@pytest.mark.parametrize(
    "text", ["My number is", "I can come on.", "Um,", "well I was going to come on", "On Friday or"]
)
def test_a_pause_within_a_sentence_ends_no_turn(text: str) -> None:
    nova = Nova()
    assert told(nova, results(text, 0, 1, pause=True)) == [Partial(text)]
    assert told(nova, results("Friday at ten.", 1.9, 2.9, pause=True)) == [TurnEnd(f"{text} Friday at ten.")]


def test_many_words_without_a_full_stop_are_given_time() -> None:
    nova = Nova()
    early = [EagerEnd("we moved to the new house")]
    assert told(nova, results("we moved to the new house", 0, 2, pause=True)) == early
    assert told(nova, utterance_end(2)) == [TurnEnd("we moved to the new house")]


@pytest.mark.parametrize("text", ["it broke down", "Maybe", "It costs", "Yes, that should", "somebody about it"])
def test_few_words_without_a_full_stop_are_given_time_unless_they_stand_alone(text: str) -> None:
    nova = Nova()
    assert told(nova, results(text, 0, 1, pause=True)) == [EagerEnd(text)]
    assert told(nova, results("around six.", 1.9, 2.9, pause=True))[-1] == TurnEnd(f"{text} around six.")


def test_an_unfinished_turn_ends_with_the_utterance() -> None:
    nova = Nova()
    told(nova, results("My number is", 0, 1, pause=True))
    assert told(nova, utterance_end(1)) == [TurnEnd("My number is")]
    assert not nova.in_turn


def test_an_unfinished_turn_ends_even_if_the_utterances_end_never_comes() -> None:
    nova = Nova()
    told(nova, results("My number is", 0, 1, pause=True))
    assert told(nova, results("", 1, 2.5)) == []
    assert told(nova, results("", 1, 3.1)) == [TurnEnd("My number is")]
    assert told(nova, results("", 3.1, 6, final=True), utterance_end(1)) == []


def test_a_guess_made_twice_is_an_early_end() -> None:
    nova = Nova()
    assert told(nova, results("That works.", 0, 1)) == [Partial("That works.")]
    assert told(nova, results("That works.", 0, 1.2)) == [EagerEnd("That works.")]
    assert told(nova, results("That works.", 0, 1.4)) == []
    assert told(nova, results("That works.", 0, 1.5, pause=True)) == [TurnEnd("That works.")]


def test_a_guess_made_twice_in_the_middle_of_a_sentence_is_none() -> None:
    nova = Nova()
    assert told(nova, results("I can come on.", 0, 1), results("I can come on.", 0, 1.2)) == [Partial("I can come on.")]


def test_a_final_that_ends_a_sentence_is_an_early_end_and_more_words_take_it_back() -> None:
    nova = Nova()
    assert told(nova, results("This is Maria.", 0, 1, final=True)) == [EagerEnd("This is Maria.")]
    assert told(nova, results("Can you", 1, 1.5)) == [Resumed(), Partial("This is Maria. Can you")]
    assert told(nova, results("Can you wait?", 1, 2, final=True)) == [EagerEnd("This is Maria. Can you wait?")]
    assert told(nova, results("", 2, 2.4, pause=True)) == [TurnEnd("This is Maria. Can you wait?")]


def test_another_way_to_write_the_same_words_takes_nothing_back() -> None:
    nova = Nova()
    told(nova, results("yes that works.", 0, 1), results("yes that works.", 0, 1.2))
    assert told(nova, results("Yes, that works.", 0, 1.4, final=True)) == []
    assert told(nova, results("", 1.4, 1.7, pause=True)) == [TurnEnd("Yes, that works.")]


def test_silence_between_turns_does_not_swallow_the_next_utterances_end() -> None:
    nova = Nova()
    assert told(nova, results("", 0, 5), results("no", 4.6, 4.9, final=True)) == [Partial("no")]
    assert told(nova, utterance_end(4.9)) == [TurnEnd("no")]


pieces = st.lists(
    st.tuples(
        st.sampled_from(["yes", "My number is", "Thursday.", "and then", "", "Okay, fine.", "what"]),
        st.floats(0.1, 3),
        st.booleans(),
        st.booleans(),
    ),
    max_size=15,
)


@given(pieces)
def test_no_turn_is_left_open_by_silence_and_no_final_word_is_lost(script: list[tuple[str, float, bool, bool]]) -> None:
    nova, at, heard, finals = Nova(), 0.0, [], []
    for text, length, final, pause in script:
        heard += told(nova, results(text, at, at + length, final=final, pause=pause))
        if final or pause:
            finals += text.split()
            at += length
    heard += told(nova, results("", at, at + 3, final=True), results("", at + 3, at + 6, final=True))
    assert not nova.in_turn
    ends = " ".join(event.text for event in heard if isinstance(event, TurnEnd)).split()
    assert ends == finals


@given(pieces)
def test_every_early_end_is_taken_back_or_the_end(script: list[tuple[str, float, bool, bool]]) -> None:
    nova, at, eager = Nova(), 0.0, False
    for text, length, final, pause in script:
        for event in told(nova, results(text, at, at + length, final=final, pause=pause)):
            match event:
                case EagerEnd():
                    assert not eager
                    eager = True
                case Resumed():
                    assert eager
                    eager = False
                case Partial():
                    assert not eager
                case TurnEnd():
                    eager = False
        at += length if final or pause else 0
