"""Made-up calls as an operator would meet them: for screenshots, and for tests that need a full desk."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.audio import RATE, encode
from backend.call.manners import opening
from backend.models import (
    ME,
    Answerer,
    Brief,
    Call,
    Claim,
    Event,
    Fact,
    LineKind,
    Outcome,
    Report,
    Speaker,
    Status,
    Tick,
    Turn,
    TurnState,
)
from backend.money.tally import Unit, key
from backend.recording.names import name_of
from backend.recording.wave import header, interleaved
from backend.storage import measures
from backend.storage.store import Store

A, C, O, N = Speaker.AGENT, Speaker.CALLEE, Speaker.OPERATOR, Speaker.NOTE  # noqa: E741

PARTS = {"stt": "Deepgram flux-general-en", "llm": "Claude claude-haiku-4-5", "tts": "ElevenLabs eleven_flash_v2_5"}
USED = {
    key(Unit.SOUND, "flux-general-en"): 86_000,
    key(Unit.INPUT, "claude-haiku-4-5"): 9_800,
    key(Unit.OUTPUT, "claude-haiku-4-5"): 310,
    f"{Unit.OUTPUT} wasted: claude-haiku-4-5": 38,
    key(Unit.CHARACTERS, "eleven_flash_v2_5"): 690,
    f"{Unit.CHARACTERS} wasted: eleven_flash_v2_5": 92,
}
"""Of the providers, by a call of a minute and a half."""
CONTEXT = (
    "The visit is a check-up and cleaning; it takes 45 minutes.\n"
    "If Tuesday does not suit: Wednesday, March 4 at 2 in the afternoon, or Friday, March 6 at 9.\n"
    "The clinic is at 12 Garden Street, second floor."
)


def brief(name: str, number: str, action: str, **more: object) -> Brief:
    fields = {"agent_name": "Alex", "organization": "Brightside Dental", "line": LineKind.PHONE, "context": CONTEXT}
    return Brief(number, action, callee_name=name, **(fields | more))  # type: ignore[arg-type]


VISIT = brief("Maria Gomez", "+12025550143", "Confirm the check-up on Tuesday at 10:30, or find another time.")

_SAID: Sequence[tuple[Speaker, str, float]] = (
    (C, "Hello?", 0.0),
    (A, opening(VISIT, notice="This call is recorded."), 620.0),
    (C, "Sure, what is it about?", 0.0),
    (
        A,
        "You have a check-up with Dr. Lee on Tuesday, March 3 at 10:30 in the morning. Does that still suit you?",
        780.0,
    ),
    (C, "Oh, Tuesday I'm at work all day. Do you have something later in the week?", 0.0),
    (A, "We do: Wednesday, March 4 at 2 in the afternoon, or Friday, March 6 at 9 in the morning.", 910.0),
    (N, "Maya's hint: She can also come on Friday at 5.", 0.0),
    (C, "Wednesday at two would be fine. Is there a lift? I have my mother with me, and she's in a wheelchair.", 0.0),
    (A, "Let me check that for you, one moment.", 700.0),
    (N, "Asked the operator: Is there a lift for a wheelchair?", 0.0),
)


def turns(said: Sequence[tuple[Speaker, str, float]], began: float, pace: float = 6.0) -> list[Turn]:
    """`said`: who, what, and of an answer the milliseconds to its first sound."""
    return [_turn(number, *line, began + (number - 1) * pace, pace) for number, line in enumerate(said, start=1)]


def _turn(number: int, speaker: Speaker, text: str, delay: float, at: float, pace: float) -> Turn:
    known = {"decided": 260.0, "first_token": delay * 0.35, "first_clause": delay * 0.45}
    known |= {"first_voice": delay * 0.6, "first_sound": delay - 260.0}
    timings = {name: round(ms, 1) for name, ms in known.items()} if delay else {}
    return Turn(number, speaker, text, text, TurnState.DONE, at, at + pace * 0.8, timings)


def question(store: Store, now: float) -> Call:
    """The agent has just asked the operator, and the callee waits."""
    call = Call(
        "lift", VISIT, Status.IN_PROGRESS, created=now - 74, answered=now - 62, parts=PARTS, answerer=Answerer.PERSON
    )
    store.add(call)
    for turn in turns(_SAID, now - 60):
        store.write_turn(call.id, turn)
    store.ask(call.id, "Is there a lift for a wheelchair?", now - 2, now + 600, turn=8)
    return call


def eventful(store: Store, now: float) -> Call:
    """Everything that a transcript can show, on a call that goes on."""
    said = (
        (C, "Greene's Bakery, good morning.", 0.0),
        (A, "Good morning, this is Alex, calling for Brightside Dental about the order for Thursday.", 540.0),
        (C, "Yes, the two trays?", 0.0),
        (A, "Exactly. Could it be three trays instead of two?", 1460.0),
        (N, "Maya wants said: And without nuts, please.", 0.0),
        (A, "And without nuts, please.", 0.0),
        (C, "Three, without nuts. Let me look whether the kitchen can do that.", 0.0),
        (N, "Maya took the call over.", 0.0),
        (O, "Hi, this is Maya from Brightside. Two plain trays would do as well.", 0.0),
        (C, "No, three is fine. I'll write it down.", 0.0),
        (N, "Maya handed the call back to the agent.", 0.0),
    )
    order = brief(
        "Greene's Bakery", "+12025550117", "Change Thursday's order from two trays to three.", context="No nuts."
    )
    call = Call("bakery", order, Status.IN_PROGRESS, created=now - 96, answered=now - 88, parts=PARTS, counts=USED)
    store.add(call)
    for turn in turns(said, now - 86, 7.0):
        store.write_turn(call.id, turn)
    cut = "Thank you. May I read it back: three trays on Thursday at eight, without nuts."
    timings = {
        "decided": 280.0,
        "first_token": 300.0,
        "first_clause": 380.0,
        "first_voice": 520.0,
        "first_sound": 560.0,
    }
    store.write_turn(call.id, Turn(12, A, cut, cut[:45], TurnState.CUT, now - 9, now - 6, timings))
    store.write_turn(call.id, Turn(13, C, "Eight is early for us, could you", "", TurnState.OPEN, now - 2))
    store.trouble(call.id, "The voice of ElevenLabs stalled; the rest was asked for again.")
    late: dict[str, object] = {"what": "The voice of ElevenLabs stalled; the rest was asked for again."}
    store.write_events(call.id, [Event(now - 63, "Trouble", late)])
    return call


_OTHERS = (
    ("John Smith", "Ringing", Status.RINGING, None),
    ("Harbour Street Pharmacy", "Of course. One prescription is ready, the other comes on", Status.IN_PROGRESS, 640.0),
    ("Dr. Amara Okafor", "I can do Thursday, but not before noon.", Status.IN_PROGRESS, 1740.0),
    ("Lakeside Garage", "Please hold, all our lines are busy.", Status.IN_PROGRESS, None),
    ("Kenji Watanabe", "That works for me, thank you.", Status.IN_PROGRESS, 2610.0),
)


def others(store: Store, now: float, count: int = len(_OTHERS)) -> None:
    """More calls that run, each at another point."""
    for number in range(count):
        name, words, status, delay = _OTHERS[number % len(_OTHERS)]
        name = name if number < len(_OTHERS) else f"{name} {number // len(_OTHERS) + 1}"
        age = 20.0 + 17 * number
        answered = now - age + 6 if status is Status.IN_PROGRESS else None
        about = brief(name, f"+1202555{100 + number:04}", "Ask whether Thursday suits, and at what time.")
        call = Call(f"other-{number}", about, status, created=now - age, answered=answered, parts=PARTS)
        store.add(call)
        if answered:
            store.write_turn(
                call.id, _turn(1, A, "Hi, this is Alex of Brightside Dental.", delay or 0.0, answered + 1, 4)
            )
            store.write_turn(call.id, _turn(2, C, words, 0.0, answered + 6, 4))


# --- calls that are over ----------------------------------------------------------------------------------------

_END: Sequence[tuple[Speaker, str, float]] = (
    (N, "Maya answered: Yes, from the car park behind the building.", 0.0),
    (A, "Yes, there is a lift from the car park behind the building.", 1240.0),
    (C, "Wonderful. Then Wednesday at two.", 0.0),
    (A, "Then I have you down for Wednesday, March 4 at 2 in the afternoon. Thank you, Maria, and goodbye.", 690.0),
)


def rescheduled(store: Store, now: float) -> Call:
    """A call with a report, its proof, and where the agent's words come from."""
    said = turns((*_SAID, *_END), now - 1800)
    facts = (Fact("Wednesday, March 4 at 2 in the afternoon", "context", "Wednesday, March 4 at 2 in the afternoon"),)
    said[5] = _with_facts(said[5], facts)
    report = Report(
        Outcome.RESCHEDULED,
        Claim("Rescheduled to Wednesday, March 4 at 2 p.m.", (13, 14), 0.96),
        summary=(Claim("Tuesday does not suit her, since she works all day.", (5,), 0.94),),
        agreed=(Claim("She brings her mother, who uses a wheelchair.", (8,), 0.9),),
        questions=(Claim("She may want a reminder by text message.", (), 0.4),),
        author="Claude",
    )
    call = Call(
        *("rescheduled", VISIT, Status.COMPLETED, Outcome.RESCHEDULED, report.result.text, "They said goodbye."),
        created=now - 1812,
        answered=now - 1802,
        ended=now - 1716,
        parts=PARTS,
        counts=USED
        | {"prepared replies used": 4, "prepared replies wasted": 1, "tokens wasted": 38, "characters wasted": 92},
        answerer=Answerer.PERSON,
        report=report,
        cost=0.0991,
        delay_typical=745.0,
        delay_worst=1240.0,
        dead_air=1.24,
    )
    store.add(call)
    for turn in said:
        store.write_turn(call.id, turn)
    return call


def _with_facts(turn: Turn, facts: tuple[Fact, ...]) -> Turn:
    return Turn(
        *(turn.number, turn.speaker, turn.text, turn.heard, turn.state, turn.started, turn.ended, turn.timings, facts)
    )


_NAMES = ("Ann Keller", "Omar Haddad", "Lucy Brown", "Priya Nair", "Tom Fischer", "Elena Rossi", "Sam O'Neill")
_RESULTS = (
    (Outcome.CONFIRMED, "Confirmed for Tuesday at 10:30."),
    (Outcome.CONFIRMED, "Confirmed for Wednesday at 2 p.m."),
    (Outcome.RESCHEDULED, "Moved to Friday, March 6 at 9 a.m."),
    (Outcome.VOICEMAIL, "A message with the call-back number was left."),
    (Outcome.NO_ANSWER, "Nobody picked up."),
    (Outcome.CALL_BACK, "Asks to be called on Thursday after 4."),
    (Outcome.DECLINED, "No longer a patient."),
)


_A_DAY = (4, 6, 1, 0, 7, 5, 6)
"""Calls on each day, today first."""
_ZONE = 5
"""Hours that the clock of the pictures is behind UTC."""


def past(store: Store, now: float, days: int = 14) -> None:
    """Calls of two weeks, in the hours when people call people."""
    dice = random.Random(7)
    midnight = now - now % 86_400 + _ZONE * 3600
    moments = [
        midnight - day * 86_400 + dice.uniform(9, 18) * 3600 for day in range(days) for _ in range(_A_DAY[day % 7])
    ]
    for number, created in enumerate(sorted((at for at in moments if at < now - 4000), reverse=True)):
        _one_of_many(store, number, created, dice)
    for asked in ("Is the X-ray from last year enough?", "Can my son come along?", "Do you take my insurance?"):
        store.ask(f"past-{dice.randrange(3)}", asked, now - 3600 * dice.randrange(1, 60))


def _one_of_many(store: Store, number: int, created: float, dice: random.Random) -> None:
    outcome, note = _RESULTS[dice.randrange(len(_RESULTS))]
    reached = outcome is not Outcome.NO_ANSWER
    about = brief(_NAMES[number % len(_NAMES)], f"+1202555{150 + number % 60:04}", VISIT.action)
    call = Call(
        *(f"past-{number}", about, Status.COMPLETED if reached else Status.NO_ANSWER, outcome, note, note),
        created=created,
        answered=created + 9 if reached else None,
        ended=created + 30 + dice.random() * 90,
        troubles=("The voice stalled once.",) if number % 11 == 5 else (),
        cost=0.02 + dice.random() / 20 if reached else 0.0,
        followed_up=Tick(created + 86_400, "Maya") if number > 12 else None,
    )
    store.add(call)
    if reached:
        slower = dice.uniform(0.8, 1.7)
        said = [(who, text, delay * slower) for who, text, delay in _SAID[1:6]]
        for turn in turns(said, created + 10):
            store.write_turn(call.id, turn)
        store.change(call.id, **measures.columns(store.turns(call.id)))


def rings_here(store: Store, now: float) -> Call:
    """A practice call whose callee is whoever looks at it."""
    about = brief(
        "Sam Taylor", "+12025550188", "Practise the call about the check-up.", line=LineKind.PRACTICE, persona=ME
    )
    call = Call("me", about, Status.RINGING, created=now - 4)
    store.add(call)
    return call


def record(store: Store, call_id: str, folder: Path) -> None:
    """A recording that has something to be heard, and seen, where each turn of the call is."""
    turns = store.turns(call_id)
    begun = turns[0].started - 1
    both = [np.zeros(round((turns[-1].started + 6 - begun) * RATE), np.float32) for _ in range(2)]
    for turn in turns:
        at = round((turn.started - begun) * RATE)
        if turn.speaker in (A, C):
            both[turn.speaker is A][at : at + 4 * RATE] = _voice(4 * RATE, 190 if turn.speaker is C else 120)
    callee, agent = (encode(side) for side in both)
    name = name_of(call_id, begun)
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(header(len(callee)) + interleaved(callee, agent))
    store.change(call_id, recording=name)


def _voice(length: int, pitch: float) -> NDArray[np.float32]:
    """A hum that rises and falls as syllables do."""
    at = np.arange(length) / RATE
    hum = sum(np.sin(2 * np.pi * pitch * k * at) / k for k in range(1, 6))
    return (0.2 * hum * np.abs(np.sin(2 * np.pi * 1.7 * at)) * np.abs(np.sin(np.pi * 0.5 * at))).astype(np.float32)


def desk(store: Store, now: float) -> None:
    """A busy morning."""
    past(store, now)
    rescheduled(store, now)
    rings_here(store, now)
    eventful(store, now)
    question(store, now)
    others(store, now)
