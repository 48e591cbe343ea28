"""What callees say, as recognisers write it, and what is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.brain import times
from backend.brain.intents import Intent, plain, understand

PHRASES = """
YES: yes | yeah | yep sure | okay | ok | mm hmm | uh huh | sounds good | that works | yeah that works for me
YES: no problem
YES: no that's fine | no worries | of course | absolutely | I'll be there | that's correct | right | perfect
YES: sure thing
YES: yes i can make it | i'd love to | that would be great | it is | thursday is fine | no yeah | why not
YES: yes please do
NO: no | nope | nah | no i can't | i cant make it | that doesn't work for me | not really | yeah no | no thanks
NO: unfortunately i have another appointment | i'm out of town | that is not possible | i won't be able to make it
NO: i don't think so no | that's too early | no way | it doesn't | neither of them works
MAYBE: maybe | i'm not sure yet | i don't know | it depends | i think so | probably | i'd have to ask my wife maybe
CHANGE: can we do another day | could you move it to friday | do you have anything later | i need to reschedule
CHANGE: is there anything in the afternoon | what other times do you have | how about friday at ten
CHANGE: a different time please
CHANGE: can i come on monday instead | something earlier would be better | could we make it at four
ANY: either one is fine | any of them | whatever works | you choose
FIRST: the first one | the earlier one please
LAST: the second one | the last one is good
REFUSAL: i am not interested | no thank you i'm not interested | i've made up my mind
CANCEL: i want to cancel | i'd like to cancel my appointment | please cancel it | cancel that
ALREADY: i already paid | i've already done that | we sent it already yesterday
WRONG_PERSON: wrong number | you have the wrong number | there's no john here | he doesn't live here anymore
WRONG_PERSON: rung number
WRONG_PERSON: nobody here by that name | i don't know anyone by that name | john no longer works here
NOT_HERE: he's not here right now | she is out | can i take a message | he isn't home | this is his wife
SPEAKING: speaking | this is he | yes this is john | that's me
BUSY: not a good time | i'm driving | can you call me back later | call me tomorrow | i'm in a meeting
BUSY: i can't talk right now
BUSY: now is a bad time | i don't have time right now | could you call again later | im busy
STOP: stop calling me | take me off your list | don't call me again | remove my number | do not call here anymore
STOP: please quit calling | leave me alone | unsubscribe
ROBOT: are you a robot | is this a recording | am i talking to a machine | are you a real person | is this an ai
ROBOT: r u a robot
ROBOT: you sound like a robot | is this a robocall
HUMAN: can i talk to a real person | i want to speak to a human | i don't want to talk to a machine | get me a human
WHO: who is this | who's calling | who am i speaking to | what's your name | where are you calling from
WHO: is this a scam
WHY: what's this about | why are you calling | what do you want | how can i help you | what is this regarding
REPEAT: sorry what | can you repeat that | what did you say | i didn't catch that | pardon | come again
REPEAT: say that again
REPEAT: could you say that again please | i can't hear you | you're breaking up | huh
HOLD: hold on | one second | just a moment please | let me check my calendar | hang on a minute | wait
HOLD: give me a second
GREETING: hello | hi there | hey | good morning | hello hello | are you still there | can you hear me
GOODBYE: bye | good bye | bye bye | by by | see you then | have a nice day | i have to go | take care | good buy
THANKS: thanks | thank you very much | thanks a lot
NOTHING_ELSE: that's all | no that's it | nothing else | i'm good | no more questions
BRIEFLY: how long will this take | will this take long
"""
LABELLED = [
    (phrase.strip(), Intent[line.split(":")[0]])
    for line in PHRASES.strip().splitlines()
    for phrase in line.split(":")[1].split("|")
]


def test_there_are_enough_phrases() -> None:
    assert len(LABELLED) >= 120


@pytest.mark.parametrize(("phrase", "intent"), LABELLED)
@pytest.mark.parametrize(
    "spelt", [str, str.capitalize, "{}.".format, str.upper], ids=["plain", "capital", "stop", "upper"]
)
def test_a_phrase_means_what_it_says(phrase: str, intent: Intent, spelt: object) -> None:
    assert callable(spelt)
    understood = understand(spelt(phrase))
    assert intent in understood, f"{understood}"


OPPOSITES = {Intent.YES: Intent.NO, Intent.NO: Intent.YES}
ENDING = {Intent.STOP, Intent.WRONG_PERSON, Intent.NOT_HERE, Intent.HUMAN}


@pytest.mark.parametrize(("phrase", "intent"), LABELLED)
def test_a_phrase_does_not_mean_the_opposite_or_end_the_call(phrase: str, intent: Intent) -> None:
    understood = understand(phrase)
    assert OPPOSITES.get(intent) not in understood.intents
    assert understood.intents & ENDING <= {intent}


QUESTIONS = [
    ("Yes that works, but where do I park?", Intent.YES, "where do i park"),
    ("yes where do i park", Intent.YES, "where do i park"),
    ("sure and how much does it cost", Intent.YES, "how much does it cost"),
    ("no i can't, is there a fee", Intent.NO, "is there a fee"),
    ("sure do i need to bring anything", Intent.YES, "do i need to bring anything"),
    ("thanks wear do i park", Intent.THANKS, "where do i park"),
    ("that works and who is it with", Intent.YES, "who is it with"),
]


@pytest.mark.parametrize(("turn", "intent", "question"), QUESTIONS)
def test_an_answer_and_a_question_in_one_turn_are_both_understood(turn: str, intent: Intent, question: str) -> None:
    understood = understand(turn)
    assert intent in understood
    assert understood.questions == (question,)


@pytest.mark.parametrize(
    "turn", ["yes", "I don't know when I can come", "that's when I work", "Friday at ten", "hold on"]
)
def test_what_asks_nothing_is_no_question(turn: str) -> None:
    assert understand(turn).questions == ()


@pytest.mark.parametrize(
    "turn",
    [
        "Lovely weather we're having, isn't it?",
        "nice weather",
        "it is lovely weather",
        "Great day for a walk, don't you think?",
        "The dog barks all night.",
    ],
)
def test_a_remark_about_something_else_agrees_to_nothing_asks_nothing_and_wishes_for_nothing(turn: str) -> None:
    meaning = understand(turn)
    assert not meaning.intents & {Intent.YES, Intent.NO}
    assert not meaning.questions
    assert not meaning.times


@pytest.mark.parametrize("turn", ["lovely", "wonderful thank you", "perfect day after tomorrow works", "great"])
def test_praise_of_what_was_offered_agrees(turn: str) -> None:
    assert Intent.YES in understand(turn)


def test_a_nod_before_a_question_agrees_to_nothing() -> None:
    assert Intent.YES not in understand("Okay. Where is it, exactly?")


def test_two_questions_are_told_apart() -> None:
    asked = understand("how much is it? also do I need to bring my card")
    assert asked.questions == ("how much is it", "do i need to bring my card")


def test_a_refused_time_is_not_a_wanted_one() -> None:
    understood = understand("Thursday doesn't work but Friday at ten is good")
    assert [when.text for when in understood.times] == ["Friday at ten"]
    assert [when.text for when in understood.refused] == ["Thursday"]


@given(st.text(max_size=200))
def test_any_text_can_be_understood(text: str) -> None:
    understood = understand(text)
    assert understood.words == plain(text)


# --- days and times -------------------------------------------------------------------------------------------

SAME = [
    ("Thursday at 2:30 p.m.", "thursday two thirty"),
    ("Thursday at 2:30 p.m.", "half past two on thursday"),
    ("Thursday at 2:30 p.m.", "Thurs day at 230 pm"),
    ("Friday at 10 a.m.", "friday at ten"),
    ("Friday at 10 a.m.", "ten o'clock on friday morning"),
    ("Friday at 10 a.m.", "Friday"),
    ("Friday at 10 a.m.", "fri day at 10am"),
    ("Monday at 3 p.m.", "monday afternoon"),
    ("Monday at 3 p.m.", "at three"),
    ("Wednesday at 4 p.m.", "one day at four"),
    ("Wednesday at 4:45 p.m.", "a quarter to five"),
    ("Saturday at noon", "saturday at twelve"),
    ("March 3 at 9 a.m.", "the 3rd of March"),
    ("tomorrow at 5 p.m.", "tomorrow evening"),
]
DIFFERENT = [
    ("Thursday at 2:30 p.m.", "thursday at three"),
    ("Thursday at 2:30 p.m.", "friday two thirty"),
    ("Friday at 10 a.m.", "friday afternoon"),
    ("Friday at 10 a.m.", "10 p.m."),
    ("Monday at 3 p.m.", "tuesday"),
    ("March 3", "March 4"),
]
NO_TIMES = [
    "12 Main Street",
    "it takes 45 minutes",
    "about two hours",
    "$2.30",
    "at 4 Elm Street",
    "by one of us",
    "a table for two",
    "room 12",
]


@pytest.mark.parametrize(("written", "spoken"), SAME)
def test_a_spoken_time_fits_the_written_one(written: str, spoken: str) -> None:
    (one,), (other,) = times.find(written), times.find(spoken)
    assert one.fits(other)
    assert other.fits(one)


@pytest.mark.parametrize(("written", "spoken"), DIFFERENT)
def test_another_time_does_not_fit(written: str, spoken: str) -> None:
    (one,), (other,) = times.find(written), times.find(spoken)
    assert not one.fits(other)
    assert not other.fits(one)


@pytest.mark.parametrize("text", NO_TIMES)
def test_other_numbers_are_no_times(text: str) -> None:
    assert times.find(text) == ()


def test_a_window_is_one_time() -> None:
    (window,) = times.find("Tuesday between 9 and 11 a.m.")
    assert window.text == "Tuesday between 9 and 11 a.m."
    assert (window.day, window.clock, window.half) == ("tuesday", 540, "am")
