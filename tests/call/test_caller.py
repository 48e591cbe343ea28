"""Somebody calls us: a person who expects to be greeted, whatever they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.call import manners as known
from backend.call.events import (
    Connected,
    End,
    MachineAnswered,
    PickedUp,
    Reply,
    ReplyDone,
    SoundOff,
    SoundOn,
    Speaking,
    Tick,
    ToneHeard,
)
from backend.call.pickup.tones import Signal
from backend.call.turns.deadlines import Phase
from backend.call.turns.floor import Floor
from backend.models import Answerer, Direction, Outcome, Partial, TurnEnd
from tests.call.talk import BRIEF, MANNERS, Talk

CALLER = replace(BRIEF, direction=Direction.INBOUND, callee_name="")
OPENING = known.opening(CALLER)


def greeted() -> Talk:
    talk = Talk(brief=CALLER)
    talk.at(0, Connected())
    talk.at(4, Speaking(1), ReplyDone(1))
    return talk


def test_a_caller_is_greeted_at_once() -> None:
    talk = Talk(brief=CALLER)
    talk.at(0, Connected())
    assert talk.at(MANNERS.inbound_greeting_wait + 0.01) == [Reply(1, OPENING)]


def test_a_caller_who_speaks_already_is_heard_out_before_that() -> None:
    talk = Talk(brief=CALLER)
    talk.at(0, Connected())
    talk.at(0.2, SoundOn())
    assert talk.at(1.5, SoundOff()) == []
    assert talk.at(1.5 + MANNERS.greeting_pause, Tick()) == [Reply(1, OPENING)]


@pytest.mark.parametrize(
    "words",
    [
        "Your other number is no longer in service, it says the number you have dialed has been disconnected.",
        "I tried your voicemail but the mailbox is full.",
        "It told me to press one for appointments and press two for billing.",
        "Please leave a message after the tone, it said. Your call is important to us, please hold.",
    ],
)
def test_a_caller_who_quotes_a_machine_is_none(words: str) -> None:
    talk = greeted()
    talk.at(5, SoundOn())
    talk.at(9, Partial(words), SoundOff())
    talk.at(9.4, ToneHeard(Signal.BEEP), MachineAnswered("machine_end_beep"))
    assert Reply(2) in talk.at(9.5, TurnEnd(words)) + talk.at(12)
    assert talk.phase() is Phase.REPLYING


def test_who_calls_is_written_down_as_a_person() -> None:
    floor = Floor(CALLER, MANNERS)
    assert floor.handle(Connected(), 0.0) == [PickedUp(Answerer.PERSON, "They have called.")]
    assert not floor.receives


def test_a_caller_who_cannot_be_heard_is_asked_to_call_again_and_not_promised_a_call() -> None:
    talk, words = greeted(), ""
    while talk.phase() is not Phase.OVER:
        assert talk.floor.deadline is not None
        for action in talk.at(talk.floor.deadline, Tick()):
            if isinstance(action, Reply):
                words = action.words
                talk.at(talk.now + 2, Speaking(action.number), ReplyDone(action.number))
    assert words == known.UNHEARD_CALLER
    (end,) = talk.did
    assert isinstance(end, End) and end.ending.outcome is Outcome.CALL_BACK
