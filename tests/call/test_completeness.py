"""Whether somebody has finished: tables of what callees say, whole and broken off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.words.completeness import unfinished

UNFINISHED = [
    "my number is", "My number is.", "because", "the", "I'd like to", "I'd like to.", "it's", "It's.", "um", "Um.",
    "and", "can you tell me", "Can you tell me?", "my email is john at", "I can come at", "On Thursday,",
    "My number is 202", "My number is two zero two", "It is...", "The earliest I have is.",
    "The earliest I have is, um.", "I'd like to pay by card, and,", "Well,", "So", "Yes, but", "Yeah, um", "No, uh.",
    "I would like to pay by", "My name is", "Hi, my name is", "The thing is", "I was wondering if", "I was wondering",
    "I need to", "I have to", "I'm", "We're", "I think", "Well, I think", "I think that", "I mean", "Could you",
    "Can I", "I could do.", "It's just that", "When I get home.", "If it's possible", "I wanted to ask",
    "My address is 12.", "Would it", "Do you", "Could you please", "How about", "What about", "Let me see",
    "Let me check.", "Let me just", "I want", "I need", "I want to", "Is there a", "Does it have to be in the",
    "I can do it on", "What I want is", "The best time would be", "My address is", "It was", "I have", "We have",
    "I had", "and then", "Yes, and", "I'm calling because", "I'm calling about", "I spoke with", "It depends on",
    "It's about", "You can reach me at", "You can reach me at 202", "Reach me at two oh two", "call me at 202 555",
    "My number is 202, 555", "My phone number is 2 0 2", "five five five", "2 0 2 5 5 5", "202 555 01",
    "It's 202-555", "My name is spelled S M", "J O H", "It's spelled M-I-L", "It's M, I, L", "My email is john",
    "my email is maria dot", "My email address is maria at gmail", "john underscore", "I could do Monday or",
    "Either Monday or", "from nine to", "between two and", "as soon as", "I'm looking for", "I'm going to",
    "We were going to", "I'd say", "I'd prefer", "I would rather", "So the", "If you could", "If", "It's just",
    "It's very", "it's, you know", "I was thinking...", "Maybe —", "And the other thing is", "Yes. My number is.",
    "Okay. And", "Sure. Um.", "one second", "Not on Thursday but", "I can't because", "I don't know if", "He's",
    "There's", "I think it's", "Thursday or", "The doctor said that", "Mrs.", "Dr.", "I live at 12 Main Street in",
    "it starts with a", "double", "I'd like", "And I was", "What I meant was", "My date of birth is",
    "To be honest, I", "in the", "and I", "I'd like to book a", "Hold on, um", "I could come on Monday, but", "If I",
    "Thurs-", "I need it by", "We live near the", "my cell is 202 555", "You can call me at 2 0", "It's spelled B R",
    "Do you have anything in the", "I'd love to, but", "Yeah so the", "I'm available on", "Well, so. When I get home.",
    "I would rather come on Monday at nine. if the", "I would rather come on Monday at nine. if the doctor is",
]  # fmt: skip
FINISHED = [
    "Yes.", "No,", "No.", "Thursday.", "Ten.", "I can't.", "It is.", "Yes I do.", "I do.", "I am.", "Yes, it is.",
    "Who is this?", "Where are you from?", "That works for me.", "I think so.", "My number is 202-555-0143",
    "My number is 2025550143.", "My number is two zero two five five five zero one four three", "",
    "Thursday at two.", "I don't want to.", "I'd love to.", "I'm not.", "Not really.", "What is this about?",
    "What's it about", "Who are you calling for", "Where are you calling from", "Okay.", "Sure.", "Sounds good.",
    "Maybe.", "At ten.", "2:30 p.m.", "At 2 p m", "It's 5", "it's five", "It's at 2:30.", "Ten fifteen.", "Room 202.",
    "My zip code is 20001", "In the morning.", "Hold it there.", "I don't know.", "I have no idea.",
    "I don't think so.", "Can you call me back?", "Can you help me", "Could you repeat that?",
    "Please call me back tomorrow.", "Let me know.", "The second one.", "Either is fine.", "I guess so.",
    "That's right.", "That's me.", "That's it.", "I hope it is.", "I think they are.", "I wish I could.", "Yes I can",
    "No we don't", "Of course.", "As well.", "Me too.", "All right.", "Thank you.", "Bye.", "On Thursday.",
    "Monday or Tuesday.", "What do you mean?", "What time is it?", "What time is it", "I'm fine, thanks.",
    "He's not here.", "She's not in.", "Come in.", "I'm interested", "I can do that.", "I like it.", "I know that.",
    "I didn't know that.", "Like that.", "So do I.", "I said so.", "Why not?", "Because I can't.", "If you like.",
    "I used to.", "We'd be happy to.", "Smith, S M I T H.", "My name is John Miller.", "John Miller.", "It's Maria.",
    "Speaking.", "This is she.", "Is it?", "Does it?", "Do you?", "Are you?", "Really?",
    "My email is john at gmail dot com", "My email is john@gmail.com.", "You can email me.", "My email is fine.",
    "January fifth.", "Twenty dollars.", "Four five", "Two.", "One or two.", "Friday at ten would be best for me.",
    "I'll be there.", "That would be great.", "I'll do it", "Stop calling me.", "Take me off your list.", "555-0143",
    "My number is 555-0143", "I'm good.", "How much is it?", "How much is it", "How long does it take", "Which one?",
    "Which?", "What?", "Sorry?", "Pardon me?", "I live here.", "I already did.", "Yes, we have.", "I never have.",
    "I will.", "We will.", "She does.", "You are.", "I would like that.", "I'd like that.", "How are you",
    "How are you doing", "Okay bye", "Not today.", "Any time after four.", "I was born in 1980.", "Yeah that's fine.",
    "It's for my son.", "Who's this", "Nobody I can talk to.", "Don't worry about it.", "Forget about it.",
    "My appointment number is 12 345 678 90", "I can come in.", "Yes, that is correct.", "The one on Thursday.",
    "I think so, yes.", "On Thursday, I think.", "as far as I know", "Will do.", "This is he.", "If that's okay.",
    "Yes, if it's possible.", "That would be fine.", "When is it?", "That'll do.", "It could be.", "I'd love to",
    "Okay will do", "No problem.", "Not yet.", "Yes please.", "Tell him I called.",
    "I would rather come on Monday at nine. if the doctor is there.", "Thursday works. Unless my husband has the car.",
    "Yes. If the doctor is there.", "I'll call you. Once I get home.",
]  # fmt: skip


@pytest.mark.parametrize("text", UNFINISHED)
def test_a_sentence_that_is_not_over_is_waited_for(text: str) -> None:
    assert unfinished(text)
    assert unfinished(f" {text.lower()} ")


@pytest.mark.parametrize("text", FINISHED)
def test_a_sentence_that_is_over_is_answered(text: str) -> None:
    assert not unfinished(text)


@pytest.mark.parametrize("text", ["My number is 202.", "I can come at.", "Because.", "And the.", "Um."])
def test_a_full_stop_that_a_pause_was_given_proves_nothing(text: str) -> None:
    assert unfinished(text) and unfinished(text.rstrip("."))


def test_a_phone_number_is_over_with_its_last_digit() -> None:
    digits = "2 0 2 5 5 5 0 1 4 3".split()
    for count in range(1, 10):
        assert unfinished("My number is " + " ".join(digits[:count])) or count == 7
    assert not unfinished("My number is " + " ".join(digits))
    assert not unfinished("You can reach me at two oh two, five five five, oh one four three.")


def test_a_spelled_name_is_over_when_it_is_the_name_that_was_said() -> None:
    assert unfinished("Miller, M I L")
    assert unfinished("M-I-L-L")
    assert not unfinished("Miller, M I L L E R.")


@given(st.sampled_from(FINISHED).filter(bool), st.sampled_from(["and", "because", "um", "the", "at my", "but I'm"]))
def test_any_sentence_goes_on_after_a_word_that_leans_on_the_next(text: str, more: str) -> None:
    assert unfinished(f"{text.rstrip('.?')} {more}")


@given(st.text(max_size=80))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert unfinished(text) in (True, False)
