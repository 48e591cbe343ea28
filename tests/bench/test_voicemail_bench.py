"""The measure of messages on voicemails: what its set holds, and what it says of calls that went well or badly."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from backend.bench import voicemail
from backend.bench.figures import FRAME
from backend.bench.sounds.pickups import pieces
from backend.bench.sounds.sounds import CAST
from backend.bench.voicemail import Greeting, Left, greetings, sheet
from backend.call import manners as known
from backend.call.events import Ending
from backend.engines.installed import mute
from backend.models import Brief, Outcome, Speaker, Turn, TurnState

MESSAGE = known.voicemail(
    Brief("+12025550143", "Confirm the visit", callee_name="Dana Miller", organization="Green Dental")
)
LEFT = Ending("A voicemail message was left.", Outcome.VOICEMAIL)


def frames(begin: float, end: float) -> tuple[tuple[float, bool], ...]:
    """What the earpiece played, with sound from this second to that one."""
    return tuple((place * FRAME, begin <= place * FRAME < end) for place in range(1000))


def turn(text: str, started: float, state: TurnState = TurnState.DONE) -> Turn:
    return Turn(1, Speaker.AGENT, text, text, state, started)


GOOD = Left(
    Greeting(1, "Leave a message.", "man", 0.5, "1000 0.4"),
    over=4.0,
    beeped=5.0,
    played=frames(5.4, 12.0),
    turns=(turn(MESSAGE, 5.4),),
    ending=LEFT,
    ended=12.2,
)


def line(call: Left, name: str) -> tuple[float | None, bool | None]:
    found = next(one for one in sheet([call]).lines if name in one.name)
    return found.median, found.kept


def test_the_set_holds_many_kinds_of_greetings() -> None:
    some = greetings()
    assert len(some) >= 24
    assert {one.voice for one in some} == set(CAST)
    assert len({one.beep.split()[0] for one in some if one.beep}) >= 8
    gaps = [one.gap for one in some if one.beep]
    assert min(gaps) <= 0.2 and max(gaps) >= 2.5
    assert any(one.line for one in some) and sum(not one.beep for one in some) >= 3
    assert all(pieces(one.score, one.voice) for one in some)


def test_a_good_message_keeps_every_promise() -> None:
    assert sheet([GOOD]).broken == ()
    delay, kept = line(GOOD, "begins after the beep")
    assert delay == pytest.approx(400, abs=20) and kept


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        (replace(GOOD, turns=(turn(MESSAGE, 4.2, TurnState.CUT), turn(MESSAGE, 5.4))), "begun before it"),
        (replace(GOOD, played=frames(6.5, 13.0)), "begins after the beep"),
        (replace(GOOD, turns=(turn(MESSAGE, 5.4, TurnState.CUT),)), "message whole"),
        (replace(GOOD, turns=(turn(MESSAGE[:-9], 5.4),)), "message whole"),
        (replace(GOOD, ending=None), "message whole"),
        (replace(GOOD, ended=15.0), "call over"),
    ],
)
def test_each_promise_can_be_broken(bad: Left, name: str) -> None:
    assert line(bad, name)[1] is False


def test_words_to_a_person_are_counted_apart() -> None:
    opened = replace(GOOD, turns=(turn("Hi Dana, this is Alex.", 1.0, TurnState.CUT), *GOOD.turns))
    assert line(opened, "as to a person")[0] == 1
    assert line(opened, "begun before it") == (0, True)


@pytest.mark.skipif(bool(mute()) and "CI" not in os.environ, reason="the offline voice is not installed")
@pytest.mark.timeout(120)
def test_real_greetings_get_their_message_after_the_beep(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [one for one in greetings() if one.number in {1, 13, 23}]
    monkeypatch.setattr(voicemail, "greetings", lambda: some)
    shown: list[tuple[int, int]] = []
    found = voicemail.measure(False, lambda done, of: shown.append((done, of)))
    assert found.broken == ()
    assert shown == [(1, 3), (2, 3), (3, 3)]
