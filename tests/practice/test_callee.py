"""The synthetic callee on a phone in virtual time: when it speaks, waits, yields, interrupts and hangs up.

Ear and voice are fakes, but honest ones: what is said exists only as sound, and is recognised only from it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from backend import audio
from backend.bench.virtual_time import in_virtual_time
from backend.call.sound.keys import tones_of
from backend.engines.installed import missing
from backend.engines.pool import VOICES, Engines
from backend.models import Heard, Partial, ProviderError, Spoken, TurnEnd
from backend.practice import callee
from backend.practice.callee import Callee
from backend.practice.clock import Clock
from backend.practice.personas import PERSONAS, Persona
from backend.seams import SpeechToText, TextToSpeech
from backend.stt.offline import OfflineEar
from backend.tts.offline import OfflineVoice

FRAME = 0.02
SILENCE = audio.SILENCE * audio.FRAME
WORD = 15
"""Frames a word takes: 0.3 s."""
HANG_OVER = 25
"""Frames of silence that end a turn: 0.5 s."""


def voiced(text: str) -> bytes:
    """Sound with the words in it; a word's first frame begins with 0, its others with 1."""
    frames = [bytes([place > 0]) + word.encode().ljust(159, b"\0") for word in text.split() for place in range(WORD)]
    return b"".join(frames)


def read(frame: bytes) -> str:
    """The word that begins with this frame."""
    return frame[1:].rstrip(b"\0").decode() if frame[0] == 0 else ""


class Warm:
    """Counts whether it was opened and closed."""

    def __init__(self) -> None:
        self.open = 0

    async def __aenter__(self) -> Self:
        self.open += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open -= 1


class Ear(Warm):
    async def listen(self, sound: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
        words: list[str] = []
        silent = 0
        async for frame in sound:
            silent = silent + 1 if frame == SILENCE else 0
            if not silent and read(frame):
                words.append(read(frame))
                yield Partial(" ".join(words))
            elif words and silent == HANG_OVER:
                yield TurnEnd(" ".join(words))
                words = []


class Voice(Warm):
    async def say(self, text: str) -> AsyncIterator[Spoken]:
        yield Spoken(voiced(text), text)


@dataclass
class Line:
    """Something the callee said."""

    began: float
    ended: float = 0.0
    sound: bytes = b""

    @property
    def words(self) -> str:
        frames = [self.sound[place : place + 160] for place in range(0, len(self.sound), 160)]
        return " ".join(filter(None, map(read, frames)))


class Phone:
    """A handset, and beside it the caller's side of the line."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.hung_up_at: float | None = None
        self.put_down = asyncio.Event()
        self.speaking = asyncio.Event()
        """Set whenever a line begins; tests clear it."""
        self.earpiece = bytearray()
        self._over = False
        self._line_ended = asyncio.Event()

    async def hear(self) -> AsyncIterator[bytes]:
        while not self._over:
            yield bytes(self.earpiece[:160]) or SILENCE
            del self.earpiece[:160]
            await asyncio.sleep(FRAME)

    async def speak(self, sound: bytes) -> None:
        line = Line(now())
        self.lines.append(line)
        self.speaking.set()
        try:
            for place in range(0, len(sound), 160):
                line.sound += sound[place : place + 160]
                await asyncio.sleep(FRAME)
        finally:
            line.ended = now()
            self._line_ended.set()

    async def press(self, digit: str) -> None:
        raise AssertionError("nobody presses keys here")

    async def caller_says(self, text: str) -> float:
        """When the last of it has been played."""
        self.earpiece += voiced(text)
        await asyncio.sleep(len(voiced(text)) / audio.RATE)
        return now()

    async def caller_presses(self, keys: str) -> None:
        self.earpiece += tones_of(keys)
        await asyncio.sleep(len(tones_of(keys)) / audio.RATE)

    def caller_stops(self) -> None:
        self.earpiece.clear()

    def line_dies(self) -> None:
        self._over = True

    async def line(self, number: int) -> Line:
        """The callee's line of this number, from 1, once it has been spoken."""
        async with asyncio.timeout(60):
            while len(self.lines) < number or not self.lines[number - 1].ended:
                self._line_ended.clear()
                await self._line_ended.wait()
        return self.lines[number - 1]

    async def hung_up(self, within: float = 120.0) -> float:
        async with asyncio.timeout(within):
            await self.put_down.wait()
        assert self.hung_up_at is not None
        return self.hung_up_at


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def picked_up(
    persona: Persona | str, name: str = "", ear: SpeechToText | None = None, voice: TextToSpeech | None = None
) -> AsyncIterator[Phone]:
    """The phone in the hand of this persona; leaving hangs up on it."""
    phone = Phone()
    persona = PERSONAS[persona] if isinstance(persona, str) else persona
    far_end = Callee(persona, ear or Ear(), voice or Voice(), name)

    async def hold() -> None:
        await far_end.answer(phone)
        phone.hung_up_at = now()
        phone.put_down.set()

    async with asyncio.TaskGroup() as tasks:
        holding = tasks.create_task(hold())
        yield phone
        holding.cancel()


OPENING = "Hi Jordan, this is Alex. Do you have a moment?"
MATTER = "I'm calling about your appointment on Tuesday at three. Does that still work for you?"


@in_virtual_time
async def test_it_says_hello_shortly_after_picking_up() -> None:
    async with picked_up("cooperative", "Jordan") as phone:
        hello = await phone.line(1)
    assert hello.words == "Hello, this is Jordan."
    assert hello.began == pytest.approx(0.4)


@in_virtual_time
async def test_a_conversation_runs_on_what_it_recognised_to_the_goodbye() -> None:
    async with picked_up("cooperative") as phone:
        await phone.line(1)
        await phone.caller_says(OPENING)
        assert (await phone.line(2)).words == "Sure, go ahead."
        await phone.caller_says(MATTER)
        assert (await phone.line(3)).words == "Yes, Tuesday at three works for me."
        await phone.caller_says("Great, thank you. Goodbye.")
        bye = await phone.line(4)
        assert "goodbye" in bye.words
        assert await phone.hung_up() == pytest.approx(bye.ended + callee.LINGER, abs=0.1)


@in_virtual_time
async def test_after_its_goodbye_the_caller_may_hang_up_first() -> None:
    async with picked_up("cooperative") as phone:
        await phone.line(1)
        await phone.caller_says("Goodbye.")
        await phone.line(2)
        await asyncio.sleep(callee.LINGER - 0.5)
        assert phone.hung_up_at is None


@in_virtual_time
async def test_it_does_not_start_while_the_caller_is_speaking() -> None:
    async with picked_up("cooperative") as phone:
        ended = await phone.caller_says(MATTER)
        answer = await phone.line(1)
    assert answer.words == "Yes, Tuesday at three works for me."
    assert ended + 0.5 < answer.began < ended + 1.5


@in_virtual_time
async def test_two_sentences_with_a_pause_between_get_one_answer() -> None:
    async with picked_up("cooperative") as phone:
        await phone.line(1)
        await phone.caller_says("I'm calling about Tuesday at three.")
        await asyncio.sleep(0.7)
        ended = await phone.caller_says("Would that work for you?")
        answer = await phone.line(2)
        await asyncio.sleep(3)
    assert answer.began > ended
    assert len(phone.lines) == 2


@in_virtual_time
async def test_it_stops_when_it_is_talked_down_and_answers_that() -> None:
    talker = replace(PERSONAS["cooperative"], nameless_hello="Hello and so on " * 10)
    async with picked_up(talker) as phone:
        await asyncio.sleep(2)
        await phone.caller_says(MATTER)
        assert phone.lines[0].ended == pytest.approx(2 + callee.YIELD, abs=0.1)
        assert "Tuesday at three" in (await phone.line(2)).words


@in_virtual_time
async def test_a_short_word_in_between_does_not_stop_it() -> None:
    talker = replace(PERSONAS["cooperative"], nameless_hello="Hello and so on " * 4)
    async with picked_up(talker) as phone:
        await asyncio.sleep(1)
        await phone.caller_says("Okay.")
        assert len((await phone.line(1)).words.split()) == 16
        await phone.caller_says(MATTER)
        assert "Tuesday" in (await phone.line(2)).words


@in_virtual_time
async def test_noise_without_words_does_not_keep_it_from_answering() -> None:
    async with picked_up("cooperative") as phone:
        await phone.line(1)
        ended = await phone.caller_says(MATTER)
        await asyncio.sleep(0.7)
        phone.earpiece += b"\x01" * 160 * 400
        assert (await phone.line(2)).began < ended + 0.5 + callee.NOISE + 0.1


@in_virtual_time
async def test_left_in_silence_it_asks_once_and_then_hangs_up() -> None:
    async with picked_up("cooperative") as phone:
        hello = await phone.line(1)
        asked = await phone.line(2)
        assert asked.words == "Hello? Are you there?"
        assert asked.began == pytest.approx(hello.ended + 8, abs=0.1)
        assert await phone.hung_up() == pytest.approx(hello.ended + 20, abs=2)
        assert len(phone.lines) == 2


@in_virtual_time
async def test_after_asking_into_the_silence_it_goes_on_listening() -> None:
    async with picked_up("cooperative") as phone:
        await phone.line(2)
        await phone.caller_says(MATTER)
        assert "Tuesday at three" in (await phone.line(3)).words


@in_virtual_time
async def test_a_turn_whose_end_is_never_recognised_is_answered_all_the_same() -> None:
    class Endless(Ear):
        async def listen(self, sound: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
            async for heard in super().listen(sound):
                if isinstance(heard, Partial):
                    yield heard

    async with picked_up("cooperative", ear=Endless()) as phone:
        await phone.line(1)
        await phone.caller_says(MATTER)
        assert "Tuesday at three" in (await phone.line(2)).words


@in_virtual_time
async def test_the_hesitant_one_hums_along_then_thinks_before_it_answers() -> None:
    async with picked_up("hesitant") as phone:
        await phone.line(1)
        ended = await phone.caller_says("Hi Jordan, this is Alex calling for Green Valley. Do you have a moment?")
        hum, answer = await phone.line(2), await phone.line(3)
    assert hum.words == "Mm-hm." and hum.ended < ended
    assert answer.words == "Um, yeah. Sure." and answer.began == pytest.approx(ended + 0.5 + 1.5, abs=0.1)


@in_virtual_time
async def test_the_hesitant_one_interrupts_once_and_leaves_the_cut_sentence_unanswered() -> None:
    async with picked_up("hesitant") as phone:
        await phone.line(1)
        phone.speaking.clear()
        sentence = asyncio.create_task(phone.caller_says(MATTER))
        await phone.speaking.wait()
        await asyncio.sleep(0.3)
        phone.caller_stops()
        assert (await phone.line(2)).words == "Sorry, wait, which day was that?"
        await sentence
        await phone.caller_says("It is on Tuesday at three in the afternoon. Does that work?")
        answer = (await phone.line(4)).words
    assert phone.lines[2].words == "Mm-hm."
    assert answer.startswith("Um, let me think.") and "Tuesday" in answer


@in_virtual_time
async def test_a_caller_that_talks_on_over_the_interruption_is_answered() -> None:
    async with picked_up("hesitant") as phone:
        await phone.line(1)
        await phone.caller_says(MATTER + " Because otherwise we would need to find another day for you soon.")
        assert phone.lines[1].words == "Sorry, wait, which day was that?"
        assert (await phone.line(len(phone.lines) + 1)).words


@in_virtual_time
async def test_a_machine_greets_beeps_records_and_hangs_up_when_the_message_is_over() -> None:
    async with picked_up("voicemail", "Jordan") as phone:
        greeting, beep = await phone.line(1), await phone.line(2)
        await asyncio.sleep(1)
        await phone.caller_says("Hi Jordan, this is Alex.")
        await asyncio.sleep(2)
        ended = await phone.caller_says("Please call us back. Goodbye.")
        assert await phone.hung_up() == pytest.approx(ended + 0.5 + callee.RECORDED, abs=0.1)
    assert greeting.words.startswith("Hi, you've reached Jordan.")
    assert len(phone.lines) == 2
    spectrum = np.abs(np.fft.rfft(audio.decode(beep.sound)))
    assert audio.seconds(beep.sound) == pytest.approx(0.4)
    assert np.argmax(spectrum) / 0.4 == pytest.approx(1000)


@in_virtual_time
async def test_a_menu_puts_through_by_its_key_which_it_hears_in_the_sound() -> None:
    async with picked_up("phone-menu", "Jordan") as phone:
        menu = await phone.line(1)
        assert "press two" in menu.words
        await phone.caller_presses("2")
        assert "hold" in (await phone.line(2)).words
        hello = await phone.line(4)
        assert hello.words == "Hello, this is Jordan."
        await phone.caller_says(MATTER)
        assert (await phone.line(5)).words == "Yes, Tuesday at three works for me."


@in_virtual_time
async def test_a_menu_refuses_another_key_and_reads_itself_out_again() -> None:
    async with picked_up("phone-menu") as phone:
        menu = await phone.line(1)
        await phone.caller_presses("7")
        assert (await phone.line(2)).words == callee.NOT_VALID
        assert (await phone.line(3)).words == menu.words


@in_virtual_time
async def test_a_menu_is_cut_short_by_its_key_and_gives_up_without_one() -> None:
    async with picked_up("phone-menu") as phone:
        await asyncio.sleep(2.0)
        await phone.caller_presses("0")
        assert "hold" in (await phone.line(2)).words and phone.lines[0].ended < 2.5
    async with picked_up("phone-menu") as phone:
        await phone.hung_up()
        assert len(phone.lines) == 1 + callee.READINGS


@in_virtual_time
async def test_a_screener_puts_through_whoever_answers_it() -> None:
    async with picked_up("call-screening", "Jordan") as phone:
        assert "screening" in (await phone.line(1)).words
        await phone.caller_says("This is Alex calling for Green Valley.")
        assert "available" in (await phone.line(2)).words
        assert (await phone.line(4)).words == "Hello, Jordan speaking."


@in_virtual_time
async def test_a_full_mailbox_hangs_up_by_itself() -> None:
    async with picked_up("full-mailbox") as phone:
        words = await phone.line(1)
        assert "full" in words.words
        assert await phone.hung_up() == pytest.approx(words.ended + callee.WAITS, abs=0.1)


@in_virtual_time
async def test_what_is_said_into_the_greeting_is_not_the_message() -> None:
    async with picked_up("voicemail") as phone:
        await phone.caller_says("Hello?")
        beep = await phone.line(2)
        await asyncio.sleep(10)
        assert phone.hung_up_at is None
        ended = await phone.caller_says("Please call us back.")
        assert await phone.hung_up() == pytest.approx(ended + 0.5 + callee.RECORDED, abs=0.1)
    assert ended > beep.ended + 10


@pytest.mark.parametrize("message", ["", "and so on " * 100])
def test_the_tape_ends_after_a_minute(message: str) -> None:
    @in_virtual_time
    async def call() -> None:
        async with picked_up("voicemail") as phone:
            beep = await phone.line(2)
            await phone.caller_says(message)
            assert await phone.hung_up() == pytest.approx(max(beep.ended + callee.TAPE, 0), abs=0.2)

    call()


@in_virtual_time
async def test_being_hung_up_on_unwinds_everything() -> None:
    ear, voice = Ear(), Voice()
    async with picked_up("cooperative", ear=ear, voice=voice) as phone:
        await asyncio.sleep(0.6)
        assert (ear.open, voice.open) == (1, 1)
    assert (ear.open, voice.open) == (0, 0)
    assert phone.hung_up_at is None
    assert phone.lines[0].ended == pytest.approx(0.6)


@in_virtual_time
async def test_when_the_line_dies_it_puts_the_phone_down() -> None:
    async with picked_up("cooperative") as phone:
        await phone.line(1)
        phone.line_dies()
        assert await phone.hung_up(within=1)


@in_virtual_time
async def test_without_a_voice_it_hangs_up_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    class Mute(Voice):
        async def say(self, text: str) -> AsyncIterator[Spoken]:
            if text:
                raise ProviderError("The voice is gone.")
            yield Spoken(b"")

    with caplog.at_level(logging.WARNING):
        async with picked_up("cooperative", "Jordan", voice=Mute()) as phone:
            assert await phone.hung_up(within=2)
    assert "The voice is gone." in caplog.text and "Jordan" not in caplog.text


@in_virtual_time
async def test_an_ear_that_cannot_open_hangs_up(caplog: pytest.LogCaptureFixture) -> None:
    class Deaf(Ear):
        async def __aenter__(self) -> Self:
            raise ProviderError("The ear is gone.")

    async with picked_up("cooperative", ear=Deaf()) as phone:
        assert await phone.hung_up(within=1) == 0
    assert "The ear is gone." in caplog.text


@in_virtual_time
async def test_a_caller_that_never_finishes_the_matter_is_left_after_ten_turns() -> None:
    async with picked_up("cooperative") as phone:
        await phone.line(1)
        for number in range(2, 12):
            await phone.caller_says("And could we do that on another day as well?")
            last = await phone.line(number)
        assert "have to go" in last.words
        assert await phone.hung_up(within=callee.LINGER + 1)


@in_virtual_time
async def test_everybody_rings_as_the_persona_says_and_has_a_voice_unlike_the_agents() -> None:
    for persona in PERSONAS.values():
        rung = asyncio.create_task(Callee(persona, Ear(), Voice()).ring(Clock()))
        began = asyncio.get_running_loop().time()
        await asyncio.wait([rung], timeout=100)
        took = asyncio.get_running_loop().time() - began
        assert (pytest.approx(took, abs=0.01) if rung.done() else None) == persona.rings
        assert rung.cancel() or rung.result() is True
        assert persona.voice in VOICES and persona.voice != "agent"


@pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason="the offline engines are not installed")
async def test_with_real_engines_it_hears_the_agents_voice_and_speaks_its_own() -> None:
    async with Engines(1) as engines, asyncio.timeout(50):
        await engines.ready()
        agent, voice = OfflineVoice(engines), OfflineVoice(engines, VOICES["man"])
        async with picked_up("cooperative", ear=OfflineEar(engines), voice=voice) as phone:
            await phone.line(1)
            async for piece in agent.say("Does Tuesday at three work for you?"):
                phone.earpiece += piece.sound if isinstance(piece, Spoken) else b""
            answer = await phone.line(2)
        words = await engines.transcribe(answer.sound)
    assert "Tuesday" in words and "works for me" in words
