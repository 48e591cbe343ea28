"""Pickup: whoever is a person is treated as one, and machines are known by what no person says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.bench import pickups
from backend.bench.sounds.pickups import Sign, pieces, sign
from backend.bench.sounds.sounds import CAST
from backend.call.pickup.pickup import Pickup
from backend.call.pickup.tones import Signal, Tone
from backend.models import Answerer

BEEP = Tone(Signal.BEEP, 0.4, (1000.0,))
VERDICTS = (
    "human",
    "machine_start",
    "machine_end_beep",
    "machine_end_silence",
    "machine_end_other",
    "fax",
    "unknown",
    "",
)

PEOPLE = (
    "Hello?",
    "Hi, you've reached the Millers, how can I help?",
    "Green Valley Dental, press office, this is Ann.",
    "Leave it at the door.",
    "Can you leave a message for him?",
    "Could you leave a message with my assistant?",
    "Would you like to leave a message?",
    "Hold on a second.",
    "I was just about to leave a message for you.",
    "Who's calling please?",
    "May I ask who's calling and what it is about?",
    "Please tell me your name and the reason for your call, then I'll put you through.",
    "He's not available, can I take a message?",
    "He can't come to the phone right now, do you want me to take a message?",
    "She's away from her desk, I can leave her a message.",
    "I just got your message.",
    "Did you leave a message after the beep?",
    "Did you press one for sales? This is support.",
    "My mailbox is full, I know, what's up?",
    "Sorry, the mailbox is full again, I know, I have to clean it up.",
    "All our lines are busy today, sorry, how can I help you?",
    "Please hold.",
    "Stay on the line, I'll get him.",
    "Your call is important to us, ha ha, no, what's up?",
    "This call may be recorded. This is Steve, how can I help you?",
    "Thank you for calling Oak Street Books, this is Dana, how can I help you?",
    "I can't come to the phone, I mean, I'm in the shower, can you call me back?",
    "The number you have is the fax, who are you trying to reach?",
    "I think the person you are calling is my brother, he moved out.",
    "Nobody is home.",
    "We're closed.",
    "I'm in a meeting, call me later.",
    "Record? What record?",
    "Oh, I missed your call earlier, sorry about that.",
    "You've reached the wrong number.",
    "You have reached accounting, Peter speaking.",
    "Press? No, we don't do interviews.",
    "Tone down the music, guys. Hello?",
    "Is this a screening call?",
    "Are you the screening service from the hospital?",
    "Operator.",
    "Speak.",
    "Mama?",
    "Hey, leave me alone.",
    "The doctor is not available. Please leave your number and I'll pass it on.",
    "Just leave the message with the nurse.",
    "All agents are busy, but I'm the manager, talk to me.",
    "Your call is important to us, please leave... I'm joking, hi!",
    "Please check the number and call again, this is a private number.",
    "I'm the virtual assistant of Mr. Miller, Maria. How can I help you?",
    "My dad can't come to the phone right now, he's in the bathroom.",
    "Name and reason for calling, please.",
    "Nine one one, what is your emergency?",
    "I'm Tom's assistant, he'll call you back, leave me your number.",
    "Please stay on the line, I'm just getting him for you.",
    "Please hold while I get her.",
)

MACHINES = (
    ("Please leave your message after the tone.", Answerer.VOICEMAIL),
    ("You have reached the voicemail of Karen Walsh. I am not available.", Answerer.VOICEMAIL),
    ("Hi, this is Sarah. I can't take your call. Leave a message and I'll get back to you.", Answerer.VOICEMAIL),
    ("Hey it's Mike I can't get to the phone right now so leave a message", Answerer.VOICEMAIL),
    ("Record your message at the tone. When you are finished recording, you may hang up.", Answerer.VOICEMAIL),
    ("To leave a voice message, press one or just wait for the tone.", Answerer.VOICEMAIL),
    ("The mailbox is full and cannot accept any messages at this time.", Answerer.FULL_MAILBOX),
    ("The person you called has a voice mailbox that has not been set up yet.", Answerer.FULL_MAILBOX),
    ("For appointments, press 1. For billing, press 2.", Answerer.MENU),
    ("Tell me in a few words why you're calling. You can say things like billing.", Answerer.MENU),
    ("If you record your name and reason for calling, I'll see if this person is available.", Answerer.SCREENER),
    ("The person you're calling is using a screening service from Google.", Answerer.SCREENER),
    ("Hi, this is the Google Assistant. Go ahead and say your name and why you're calling.", Answerer.SCREENER),
    ("Please state your name after the tone and Google Voice will try to connect you.", Answerer.SCREENER),
    ("Please stay on the line, your call is important to us.", Answerer.HOLD),
    ("We're sorry, the number you have dialed is not in service.", None),
    ("Your call cannot be completed as dialed. Please check the number and dial again.", None),
)

ONE_PHRASE = (
    ("Your call has been forwarded to an automated voice messaging system.", Answerer.VOICEMAIL),
    ("For English, press one.", Answerer.MENU),
    ("Please listen carefully as our menu options have changed.", Answerer.MENU),
    ("If you know your party's extension, you may dial it at any time.", Answerer.MENU),
    ("All our agents are busy.", Answerer.HOLD),
    ("The next available representative will be with you shortly.", Answerer.HOLD),
)
"""Only one phrase of a machine, which a person might say for fun."""


def says(pickup: Pickup, text: str, at: float = 0.5, seconds: float | None = None) -> float:
    """One turn with its partials, and its end; returns when it has been over for half a second."""
    words = text.split()
    lasts = seconds if seconds is not None else 0.35 * len(words)
    pickup.sound(True, at)
    for place in range(1, len(words)):
        pickup.hears(" ".join(words[:place]), False, at + lasts * place / len(words))
    pickup.sound(False, at + lasts + 0.24)
    pickup.hears(text, True, at + lasts + 0.5)
    pickup.passes(at + lasts + 0.5)
    return at + lasts + 0.5


def treated_as_machine(pickup: Pickup) -> bool:
    return pickup.sure and pickup.who is not Answerer.PERSON


def judged(pickup: Pickup) -> tuple[Answerer | None, bool]:
    return pickup.who, pickup.sure


# --- people -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("words", PEOPLE)
def test_a_person_is_never_treated_as_a_machine(words: str, verdict: str) -> None:
    pickup = Pickup()
    if verdict:
        pickup.verdict(verdict, 0.4)
    now = says(pickup, words)
    pickup.passes(now + 8)
    assert not treated_as_machine(pickup), pickup.why
    assert pickup.who is Answerer.PERSON, pickup.why


DOUBTFUL = (
    "The mailbox is full, you'll have to come down here.",
    "We don't accept messages.",
    "The number you have dialed belongs to a pharmacy.",
    "Press one if you can hear me.",
    "Please hold, your call is being transferred.",
    "Speak after the beep. Beep.",
    "This number is not in service for sales calls.",
    "Call screening, huh? No, this is a person.",
    "Just leave a message.",
    "The doctor's not in. Leave your name and number.",
    "This call is recorded.",
)
"""People who sound like machines."""


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("words", DOUBTFUL)
def test_a_person_who_sounds_like_a_machine_is_at_most_doubtful(words: str, verdict: str) -> None:
    pickup = Pickup()
    pickup.verdict(verdict, 0.4)
    now = says(pickup, words)
    pickup.passes(now + 8)
    assert not treated_as_machine(pickup), pickup.why


@pytest.mark.parametrize("words", [*PEOPLE, *DOUBTFUL])
def test_something_that_beeped_before_a_person_spoke_proves_nothing(words: str) -> None:
    pickup = Pickup()
    pickup.tone(BEEP, 0.3)
    now = says(pickup, words, 0.6)
    pickup.passes(now + 8)
    assert not treated_as_machine(pickup), pickup.why


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from("leave a message it at the door press one beep hold on for him tone hi".split()), max_size=3
    ),
    st.sampled_from(VERDICTS),
)
def test_three_words_of_a_greeting_are_no_machine_whatever_the_carrier_says(words: list[str], verdict: str) -> None:
    pickup = Pickup()
    pickup.verdict(verdict, 0.1)
    now = says(pickup, f"Hello, {' '.join(words)}, who is this?")
    pickup.passes(now + 3)
    assert pickup.who is Answerer.PERSON


def test_a_short_greeting_is_a_person_as_soon_as_its_words_are_known() -> None:
    pickup = Pickup()
    pickup.sound(True, 0.5)
    assert judged(pickup) == (None, False)
    pickup.hears("Hello?", False, 0.9)
    pickup.sound(False, 1.1)
    assert judged(pickup) == (Answerer.PERSON, True)
    assert pickup.speak_after == pytest.approx(1.5)
    assert "Hello?" in pickup.why


def test_whoever_answers_the_agent_is_a_person_whatever_was_heard_before() -> None:
    pickup = Pickup()
    says(pickup, "Please leave a message after the tone.")
    pickup.conversed(6.0)
    assert judged(pickup) == (Answerer.PERSON, True)


@pytest.mark.parametrize(
    "machine",
    [
        "If you record your name and reason for calling, I'll see if this person is available.",
        "Your call is important to us. Please stay on the line.",
        "Please leave your message after the tone.",
    ],
)
def test_somebody_may_come_to_the_phone_after_a_machine(machine: str) -> None:
    pickup = Pickup()
    now = says(pickup, machine)
    assert pickup.who is not Answerer.PERSON
    says(pickup, "Hello? Hello, I'm here now.", now + 2)
    assert judged(pickup) == (Answerer.PERSON, True)


def test_something_that_beeps_while_a_person_answers_does_not_make_them_a_machine() -> None:
    pickup = Pickup()
    pickup.tone(BEEP, 0.4)
    now = says(pickup, "Hello, who is this?", 0.8)
    pickup.verdict("machine_end_beep", now)
    assert pickup.who is Answerer.PERSON
    assert not treated_as_machine(pickup)


# --- machines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize(("words", "who"), MACHINES)
def test_what_only_machines_say_gives_them_away_whatever_the_carrier_says(
    words: str, who: Answerer | None, verdict: str
) -> None:
    pickup = Pickup()
    pickup.verdict(verdict, 0.3)
    says(pickup, words)
    assert pickup.who is who, pickup.why
    assert pickup.sure
    assert pickup.dead == (who is None)


@pytest.mark.parametrize(("words", "who"), ONE_PHRASE)
def test_one_phrase_makes_a_machine_likely_and_a_second_makes_it_certain(words: str, who: Answerer) -> None:
    pickup = Pickup()
    now = says(pickup, words)
    assert judged(pickup) == (who, False)
    says(pickup, words, now + 0.3)
    assert judged(pickup) == (who, True)


def test_a_greeting_in_several_turns_is_still_one_machine() -> None:
    pickup = Pickup()
    now = says(pickup, "You have reached the voicemail of")
    now = says(pickup, "Karen Walsh.", now + 0.4)
    says(pickup, "Please leave your message after the tone.", now + 0.4)
    assert judged(pickup) == (Answerer.VOICEMAIL, True)


def test_a_voicemail_that_began_like_a_person_is_known_by_what_follows() -> None:
    pickup = Pickup()
    now = says(pickup, "Hi, this is Tom.")
    assert pickup.who is Answerer.PERSON
    says(pickup, "I can't come to the phone right now, so leave a message and I'll call you back.", now + 0.2)
    assert judged(pickup) == (Answerer.VOICEMAIL, True)


def test_a_few_words_of_a_recording_become_certain_with_the_beep() -> None:
    pickup = Pickup()
    now = says(pickup, "Hey, it's Mike, leave a message.")
    assert judged(pickup) == (Answerer.VOICEMAIL, False)
    pickup.tone(BEEP, now + 0.5)
    assert judged(pickup) == (Answerer.VOICEMAIL, True)


def test_one_may_speak_after_the_beep_or_after_a_silence_in_which_none_comes() -> None:
    pickup = Pickup()
    now = says(pickup, "Please leave your message after the tone.")
    assert not pickup.ready
    pickup.passes(now + 2.0)
    assert not pickup.ready
    pickup.tone(BEEP, now + 2.2)
    pickup.passes(now + 2.6)
    assert pickup.speak_after == pytest.approx(now + 2.5)
    silent = Pickup()
    now = says(silent, "We are unable to take your call. Leave your name and number.")
    silent.passes(now + 2.9)
    assert silent.ready


def test_a_voicemail_after_a_person_is_believed_only_with_more_proof() -> None:
    pickup = Pickup()
    now = says(pickup, "Reception, one moment, I'll put you through.")
    pickup.conversed(now)
    now = says(pickup, "Please leave a message after the tone.", now + 5)
    assert pickup.who is Answerer.PERSON
    pickup.tone(BEEP, now + 0.5)
    assert judged(pickup) == (Answerer.VOICEMAIL, True)


def test_a_fax_a_dead_number_and_a_busy_line_are_known_by_their_tones() -> None:
    fax, gone, busy = Pickup(), Pickup(), Pickup()
    fax.tone(Tone(Signal.CED, 2.3, (2100.0,)), 3.0)
    gone.tone(Tone(Signal.SIT, 1.1), 1.0)
    busy.tone(Tone(Signal.BUSY, 0.5), 1.0)
    assert judged(fax) == (Answerer.FAX, True)
    assert gone.dead and busy.dead
    assert "busy" in busy.why


def test_silence_is_certain_only_after_ten_seconds_and_over_with_the_first_word() -> None:
    pickup = Pickup()
    pickup.passes(0.0)
    pickup.passes(5.0)
    assert judged(pickup) == (Answerer.SILENCE, False)
    pickup.passes(10.0)
    assert judged(pickup) == (Answerer.SILENCE, True)
    says(pickup, "Hello?", 11.0)
    assert pickup.who is Answerer.PERSON


def test_sound_without_words_is_probably_music() -> None:
    pickup = Pickup()
    pickup.sound(True, 0.5)
    pickup.passes(5.0)
    assert judged(pickup) == (Answerer.HOLD, False)


# --- the measured set ---------------------------------------------------------------------------------------------


def test_the_set_has_as_many_of_each_as_are_promised_and_every_score_can_be_read() -> None:
    chosen = pickups.cases()
    counts = Counter(case.who for case in chosen)
    assert counts[Answerer.PERSON] >= 35 and counts[Answerer.VOICEMAIL] >= 25 and len(chosen) >= 90
    assert counts[Answerer.MENU] >= 10 and counts[Answerer.SCREENER] >= 8
    assert counts[Answerer.HOLD] >= 5 and counts[Answerer.FULL_MAILBOX] >= 5
    assert 0.3 < sum(case.held for case in chosen) / len(chosen) < 0.36
    random = np.random.default_rng(1)
    for case in chosen:
        for piece in pieces(case.says, case.voice):
            assert isinstance(piece, Sign) or piece.voice in CAST
            if isinstance(piece, Sign):
                sign(piece, random)


def test_a_sheet_tells_who_was_taken_for_whom_and_names_every_person_taken_for_a_machine() -> None:
    case = next(case for case in pickups.cases() if case.human and not case.verdict)
    wrong = pickups.Step(1.0, Answerer.VOICEMAIL, True, "Only a machine says this.")
    right = pickups.Step(2.0, Answerer.PERSON, True, "Somebody said hello.")
    seen = [pickups.Judged(case, steps, (), None, 1.0, 0.0) for steps in ((right,), (wrong,), (wrong, right))]
    sheet = pickups.sheet(seen)
    assert sheet.lines[0].median == pytest.approx(66.7)
    assert sheet.lines[1].median == 2
    assert len(sheet.problems) == 2
    assert "Person: 3, taken for 2 person, 1 voicemail." in sheet.notes


# --- anything ---------------------------------------------------------------------------------------------------

EVENTS = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.one_of(
            st.tuples(st.just("sound"), st.booleans()),
            st.tuples(
                st.just("hears"),
                st.one_of(st.sampled_from(PEOPLE + tuple(words for words, _ in MACHINES)), st.text(max_size=40)),
                st.booleans(),
            ),
            st.tuples(st.just("tone"), st.sampled_from([Tone(signal, 0.5) for signal in Signal])),
            st.tuples(st.just("verdict"), st.sampled_from(VERDICTS)),
            st.tuples(st.just("conversed")),
            st.tuples(st.just("passes")),
        ),
    ),
    max_size=25,
)


Told = list[tuple[float, tuple[Any, ...]]]


def told(events: Told) -> Pickup:
    pickup, now = Pickup(), 0.0
    for after, (name, *arguments) in events:
        now += after
        getattr(pickup, name)(*arguments, now)
        assert pickup.deadline is None or pickup.deadline > now
    return pickup


@settings(deadline=None)
@given(EVENTS)
def test_whatever_happens_it_has_an_opinion_and_always_the_same(events: Told) -> None:
    first, second = told(events), told(events)
    assert first == second
    assert first.why.endswith(".")
    assert not (first.ready and first.dead)


@settings(deadline=None)
@given(EVENTS)
def test_left_alone_time_comes_to_an_end_of_what_it_can_tell(events: Told) -> None:
    pickup = told(events)
    for _ in range(20):
        if (deadline := pickup.deadline) is None:
            return
        pickup.passes(deadline)
    raise AssertionError("it never comes to rest")
