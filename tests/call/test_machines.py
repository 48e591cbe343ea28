"""Whole calls that a machine picks up, on virtual time, with real tones on the line: what is done with each kind."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from backend import audio
from backend.bench.sounds.pickups import Sign, sign
from backend.bench.stand_ins import Model, end_call, voiced
from backend.bench.virtual_time import in_virtual_time
from backend.call import manners as known
from backend.call.events import MachineAnswered
from backend.call.pickup.tones import Signal, Tones
from backend.models import Answerer, Outcome, Partial, Speaker, ToolUse, TurnEnd
from backend.practice import machines
from tests.practice.test_practice_call import hold, phone_agent
from tests.whole_call import BRIEF, OPENING, Stage, a_call

GREETING = "Hi, you've reached John Smith. I can't talk right now. Please leave a message after the beep."
MESSAGE = known.voicemail(BRIEF)
MENU = "Thank you for calling. For opening hours, press one.", "For appointments, press two."
QUEUE = "All our agents are busy right now. Please hold for the next available agent."
SCREENING = "Hi. The person you are calling uses a screening service. Please say your name and why you are calling."
TOLD = 0.26
"""Seconds from the last sound of a turn to its end being told."""


def tone(name: str, *values: str) -> bytes:
    return sign(Sign(name, values), np.random.default_rng(1))


def keys_in(sound: bytes) -> str:
    """The keys that the agent's sound presses."""
    heard = Tones().feed(sound + audio.SILENCE * 1600)
    return "".join(one.key for one in heard if one.signal is Signal.KEY)


def speech(seconds: float) -> bytes:
    """Noise in words, with short gaps between: what goes on without any is taken for the line's own."""
    times = np.arange(round(seconds * audio.RATE)) / audio.RATE
    word = (times % 0.3 < 0.22) | (times > seconds - 0.1)
    return audio.encode((0.2 * word * np.random.default_rng(1).standard_normal(len(times))).astype(np.float32))


async def says(call: Stage, text: str, seconds: float = 3.0) -> float:
    """Speech of this length, its words told on the way; returns when its sound was over."""
    call.phone.callee_plays(speech(seconds))
    words = text.split()
    for part in (1, 2, 3):
        await asyncio.sleep(seconds / 3)
        call.ears.tell(Partial(" ".join(words[: -(-len(words) * part // 3)])))
    over = now()
    await asyncio.sleep(TOLD)
    call.ears.tell(TurnEnd(text))
    return over


async def plays(call: Stage, sound: bytes) -> float:
    """A sound that has no words; returns when it was over."""
    call.phone.callee_plays(sound)
    await asyncio.sleep(audio.seconds(sound))
    return now()


def now() -> float:
    return asyncio.get_running_loop().time()


def answerer(call: Stage) -> Answerer | None:
    found = call.store.call("call")
    assert found
    return found.answerer


def spoke_first(call: Stage, since: float) -> float:
    return next(at for at in call.phone.heard_at if at >= since)


# --- voicemail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [0.2, 0.9, 1.7, 2.5])
@pytest.mark.parametrize(("pitch", "seconds"), [("1000", "0.4"), ("440", "0.2"), ("1400", "0.9")])
def test_a_voicemail_gets_its_message_right_after_the_beep_and_nothing_before(
    tmp_path: Path, gap: float, pitch: str, seconds: str
) -> None:
    @in_virtual_time
    async def run() -> None:
        async with a_call(tmp_path) as call:
            await says(call, GREETING, 5.0)
            await asyncio.sleep(max(0.0, gap - TOLD))
            beeped = await plays(call, tone("beep", pitch, seconds))
            assert not call.phone.heard_at
            ending = await call.over()
            assert 0.2 <= spoke_first(call, beeped) - beeped <= 1.0
            assert now() - call.phone.heard_at[-1] <= 2.0
            assert call.said == MESSAGE
            assert (ending.outcome, answerer(call)) == (Outcome.VOICEMAIL, Answerer.VOICEMAIL)

    run()


@in_virtual_time
async def test_a_voicemail_without_a_beep_gets_its_message_when_its_greeting_is_over(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        over = await says(call, "Hi, it's John. I'm not available right now. Leave me a message and I'll call back.", 5)
        ending = await call.over()
        assert 1.0 <= spoke_first(call, 0) - over <= 4.0
        assert (call.said, ending.outcome) == (MESSAGE, Outcome.VOICEMAIL)


@in_virtual_time
async def test_a_message_begins_anew_once_when_the_beep_comes_late(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, GREETING, 5.0)
        await call.until_said("Hello, this is a message")
        beeped = await plays(call, machines.beep())
        await asyncio.sleep(1.0)
        assert 0 <= spoke_first(call, beeped) - beeped <= 1.0
        await plays(call, machines.beep())
        ending = await call.over()
        assert call.said.endswith(MESSAGE)
        assert call.said.count("Hello, this is a message") == 2
        assert ending.outcome is Outcome.VOICEMAIL


@in_virtual_time
async def test_a_beep_that_was_not_announced_is_waited_for_as_well(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        over = await says(
            call, "Hi, it's John. I'm not available right now. Leave me a message, I'll call you back.", 5
        )
        await asyncio.sleep(2.3 - TOLD)
        assert now() - over == pytest.approx(2.3) and not call.phone.heard_at
        await plays(call, machines.beep())
        await call.over()
        assert call.said == MESSAGE


@in_virtual_time
async def test_the_carriers_verdict_does_not_begin_the_message_into_the_beep(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, GREETING, 5.0)
        call.phone.callee_plays(tone("beep", "1000", "0.8"))
        await asyncio.sleep(0.3)
        call.session.post(MachineAnswered("machine_end_beep"))
        await asyncio.sleep(0.5)
        assert not call.phone.heard_at
        await call.over()
        assert call.said == MESSAGE


@in_virtual_time
async def test_a_machine_that_goes_on_is_not_taken_for_somebody_who_came(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, "You have reached the voicemail of Smith and Sons.", 3.0)
        await asyncio.sleep(0.5)
        await says(call, "For deliveries, use the side door in the yard.", 3.0)
        await asyncio.sleep(0.5)
        assert not call.phone.heard_at and answerer(call) is Answerer.VOICEMAIL


@in_virtual_time
async def test_pauses_inside_a_greeting_do_not_begin_the_message(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, "Hi, you've reached the voicemail of Smith and Sons.", 3.0)
        await asyncio.sleep(1.0)
        await says(call, "We can't take your call right now.", 2.0)
        await asyncio.sleep(1.0)
        await says(call, "Please leave your name and number after the tone.", 3.0)
        await asyncio.sleep(0.5)
        assert not call.phone.heard_at
        await plays(call, machines.beep())
        assert (await call.over()).outcome is Outcome.VOICEMAIL
        assert call.said == MESSAGE


# --- where nobody can be reached -----------------------------------------------------------------------------------


@in_virtual_time
async def test_a_full_mailbox_gets_nothing(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, "The mailbox is full and cannot accept any messages at this time. Goodbye.", 4.0)
        ending = await call.over()
        assert (call.said, ending.outcome, answerer(call)) == ("", Outcome.NO_ANSWER, Answerer.FULL_MAILBOX)
        assert "full" in ending.why


@in_virtual_time
async def test_a_fax_is_hung_up_on(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await asyncio.sleep(0.8)
        await plays(call, tone("ced"))
        ending = await call.over()
        assert (ending.outcome, answerer(call)) == (Outcome.NO_ANSWER, Answerer.FAX)
        assert now() < 8


@in_virtual_time
async def test_a_number_that_leads_nowhere_is_known_by_its_tones(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await plays(call, tone("sit"))
        ending = await call.over()
        assert (call.said, ending.outcome) == ("", Outcome.NO_ANSWER)
        assert "not in service" in ending.why


# --- machines that stand before a person ---------------------------------------------------------------------------


@in_virtual_time
async def test_a_menu_gets_its_key_as_sound_and_the_person_behind_it_the_opening(tmp_path: Path) -> None:
    press = Model([[ToolUse("press_keys", {"digits": "2"})], ("Fine.",), ("Goodbye.", end_call())])
    async with a_call(tmp_path, press) as call:
        for part in MENU:
            await says(call, part)
        await asyncio.sleep(2.5)
        assert keys_in(bytes(call.phone.played)) == "2"
        (asked,) = press.asked
        assert known.MENU in asked[1]
        assert "opening hours" in str(asked[0].lines) and "press two" in str(asked[0].lines)
        await says(call, "Please hold, I'm connecting you.", 2.0)
        await asyncio.sleep(4)
        assert len(press.asked) == 1
        await says(call, "Hello, this is John.", 1.2)
        await call.until_said(OPENING)
        assert answerer(call) is Answerer.PERSON
        await call.callee("Yes, I have a moment.")
        await call.until_said("Fine.")
        assert known.MENU not in press.asked[-1][1]
        assert "Pressed 2" in [turn.text for turn in call.turns if turn.speaker is Speaker.NOTE]


@in_virtual_time
async def test_a_menu_is_heard_to_its_end_before_a_key_is_pressed(tmp_path: Path) -> None:
    press = Model([[ToolUse("press_keys", {"digits": "4"})]])
    async with a_call(tmp_path, press) as call:
        for part in (*MENU, "For billing, press three.", "For anything else, press four."):
            await says(call, part, 2.0)
            await asyncio.sleep(0.8)
            assert not call.phone.heard_at
        await asyncio.sleep(1.5)
        assert len(press.asked) == 1 and "press four" in str(press.asked[0][0].lines)


@in_virtual_time
async def test_a_screener_is_told_who_calls_and_the_person_is_greeted(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, SCREENING, 5.0)
        await call.until_said(known.screened(BRIEF))
        assert OPENING not in call.said and answerer(call) is Answerer.SCREENER
        await asyncio.sleep(1.0)
        await says(call, "Thanks. Please stay on the line while I see if they are available.", 3.0)
        await asyncio.sleep(8.0)
        assert call.said == known.screened(BRIEF) and not call.models[0].asked
        await says(call, "Hello?", 0.6)
        await call.until_said(OPENING)
        assert answerer(call) is Answerer.PERSON


@in_virtual_time
async def test_on_hold_the_agent_keeps_silent_until_somebody_comes(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, QUEUE, 5.0)
        await asyncio.sleep(1.0)
        await plays(call, machines.music(30.0))
        await says(call, "Your call is important to us. Please stay on the line.", 3.0)
        await plays(call, machines.music(30.0))
        assert call.said == "" and answerer(call) is Answerer.HOLD
        over = await says(call, "Hello, this is John, thanks for waiting.", 2.0)
        await call.until_said(OPENING)
        assert 0 <= spoke_first(call, 0) - over <= 1.0
        assert answerer(call) is Answerer.PERSON and not call.models[0].asked


@in_virtual_time
async def test_nobody_is_waited_for_without_end(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await says(call, QUEUE, 5.0)
        for _ in range(12):
            call.phone.callee_plays(machines.music(20.0))
        ending = await call.over()
        assert (call.said, ending.outcome) == ("", Outcome.NO_ANSWER)
        assert "nobody came" in ending.why


# --- people --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["", "machine_start", "machine_end_silence", "machine_end_other"])
@pytest.mark.parametrize(
    "greeting",
    [
        "Hello?",
        "Good morning, thank you for calling Green Valley Family Medicine, this is Laura speaking, how can I help you?",
        "Hi, you've reached the Millers, this is Tom.",
        "Doctor Patel's office, please hold for a second. Okay, thanks for waiting, who is this?",
        "He can't come to the phone right now, can I take a message?",
        "Sales, Jim. I'm the only one in the office, the others are all busy, so what can I do for you?",
        "Sorry, we are closed today, but I can take your name and number.",
    ],
)
def test_somebody_who_talks_like_a_recording_is_still_a_person(tmp_path: Path, greeting: str, verdict: str) -> None:
    @in_virtual_time
    async def run() -> None:
        async with a_call(tmp_path) as call:
            await says(call, greeting, max(0.5, 0.3 * len(greeting.split())))
            if verdict:
                await asyncio.sleep(1.2)
                call.session.post(MachineAnswered(verdict))
            await call.until_said(OPENING)
            await asyncio.sleep(0.5)
            await call.callee("Yes, I have a moment.")
            await call.until_said("Fine.")
            assert MESSAGE[:20] not in call.said and not call.ending.done()
            assert answerer(call) is Answerer.PERSON

    run()


def test_the_agents_voice_presses_no_keys() -> None:
    assert keys_in(voiced(OPENING)) == ""


# --- with real sound -----------------------------------------------------------------------------------------------

_ENDS = {
    "phone-menu": (Outcome.CONFIRMED, Answerer.PERSON),
    "call-screening": (Outcome.CONFIRMED, Answerer.PERSON),
    "full-mailbox": (Outcome.NO_ANSWER, Answerer.FULL_MAILBOX),
    "voicemail-no-beep": (Outcome.VOICEMAIL, Answerer.VOICEMAIL),
    "on-hold": (Outcome.CONFIRMED, Answerer.PERSON),
}


@pytest.mark.timeout(300)
def test_each_machine_of_the_practice_line_leads_to_its_person_or_its_end(tmp_path: Path) -> None:
    with phone_agent(tmp_path) as environment, ThreadPoolExecutor(2) as two_at_once:
        calls = dict(zip(_ENDS, two_at_once.map(lambda key: hold(environment, key), _ENDS), strict=True))
    ends = {key: (found.call.outcome, found.call.answerer) for key, found in calls.items()}
    assert ends == _ENDS, {key: [turn.text for turn in calls[key].turns] for key in _ENDS if ends[key] != _ENDS[key]}
    said = {key: [turn.heard for turn in found.turns if turn.speaker is Speaker.AGENT] for key, found in calls.items()}
    messages = {key: ["this is a message for" in words for words in turns] for key, turns in said.items()}
    # On a machine that is busy, recognition may come too late to keep the first words of the opening back.
    assert messages["voicemail-no-beep"][-1:] == [True] and sum(messages["voicemail-no-beep"]) == 1
    assert not any(messages["full-mailbox"])
    assert "Pressed 2" in [turn.text for turn in calls["phone-menu"].turns]
    assert any("this is Alex" in words for words in said["on-hold"][:1])
