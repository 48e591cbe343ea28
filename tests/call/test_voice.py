"""Several voices as one: trimmed, remembered, and replaced in mid-sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self
from unittest.mock import ANY

import pytest

from backend import audio
from backend.bench.virtual_time import run
from backend.call import manners as known
from backend.call.manners import Manners
from backend.call.sound.trim import AFTER_SENTENCE
from backend.call.voice import Phrasebook, Voice
from backend.models import Denied, ProviderError, Spoken, Trouble, Voiced

LOUD = b"\x10" * 80
"""10 ms, a character."""


class Speaker:
    """A voice with silence around what it says; `breaks`: fails after so many characters, its silence before them
    included."""

    def __init__(self, before: float = 0.3, after: float = 0.6, breaks: int | None = None) -> None:
        self.before, self.after, self.breaks = before, after, breaks
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def say(self, text: str) -> AsyncIterator[Voiced]:
        self.asked.append(text)
        yield Spoken(audio.SILENCE * round(self.before * audio.RATE))
        for place, char in enumerate(text):
            if place == self.breaks:
                raise ProviderError("The voice broke.")
            yield Spoken(LOUD, char, (0,))
        yield Spoken(audio.SILENCE * round(self.after * audio.RATE))


async def said(voice: Voice, text: str) -> tuple[str, bytes, list[str]]:
    """The characters, the sound, and the troubles."""
    async with voice:
        voiced = [piece async for piece in voice.say(text)]
    spoken = [piece for piece in voiced if isinstance(piece, Spoken)]
    troubles = [piece.what for piece in voiced if isinstance(piece, Trouble)]
    return "".join(piece.text for piece in spoken), b"".join(piece.sound for piece in spoken), troubles


async def test_silence_around_a_clause_is_trimmed() -> None:
    text, sound, _ = await said(Voice([Speaker()], Manners(), {}), "Yes.")
    assert text == "Yes."
    assert sound == audio.SILENCE * 160 + LOUD * 4 + audio.SILENCE * round(AFTER_SENTENCE * audio.RATE)


async def test_prepared_phrases_are_trimmed_once_and_come_at_once() -> None:
    speaker = Speaker()
    shared: Phrasebook = {}
    async with Voice([speaker], Manners(), shared) as voice:
        await voice.prepare(["Hello."], ["Bye."], pytest.fail)
        first = [piece async for piece in voice.say("Hello.")]
        assert first == list(voice.known("Hello."))
        assert speaker.asked == ["Hello.", "Bye."]
    assert shared.keys() == {"Bye."}
    sound = b"".join(piece.sound for piece in shared["Bye."])
    assert audio.seconds(sound) == pytest.approx(0.02 + 0.04 + AFTER_SENTENCE)


async def test_the_next_voice_takes_over_at_a_word_and_without_its_own_silence() -> None:
    second = Speaker(before=0.4, after=0)
    text, sound, troubles = await said(Voice([Speaker(breaks=8), second], Manners(), {}), "See you Thursday.")
    assert second.asked == ["Thursday."]
    assert text == "See you Thursday."
    assert troubles == ["The voice broke."]
    assert sound == audio.SILENCE * 160 + LOUD * 8 + audio.SILENCE * 160 + LOUD * 9


async def test_a_voice_that_breaks_in_its_first_silence_has_said_nothing() -> None:
    second = Speaker()
    text, _, troubles = await said(Voice([Speaker(breaks=0), second], Manners(), {}), "Yes.")
    assert (text, second.asked, troubles) == ("Yes.", ["Yes."], ["The voice broke."])


@pytest.mark.parametrize(("bridge", "wait"), [([], "1 seconds"), ([known.MOMENT], "1.6 seconds")])
def test_a_silent_voice_is_waited_for_longer_while_there_is_a_phrase_to_bridge_with(
    bridge: list[str], wait: str
) -> None:
    class Silent(Speaker):
        async def say(self, text: str) -> AsyncIterator[Voiced]:
            if text == "Yes.":
                await asyncio.sleep(60)
            async for piece in super().say(text):
                yield piece

    async def scene() -> None:
        voice = Voice([Silent(), Speaker()], Manners(), {})
        await voice.prepare([], bridge, pytest.fail)
        assert await said(voice, "Yes.") == ("Yes.", ANY, [f"The voice gave no sound for {wait}."])

    run(scene())


async def test_when_no_voice_is_left_it_is_an_error() -> None:
    with pytest.raises(ProviderError, match="No voice"):
        await said(Voice([Speaker(breaks=1)], Manners(), {}), "Yes.")


async def test_a_voice_that_breaks_in_its_last_silence_has_said_it_all() -> None:
    class Late(Speaker):
        async def say(self, text: str) -> AsyncIterator[Voiced]:
            yield Spoken(LOUD * 4, text[:-1], (0,) * (len(text) - 1))
            yield Spoken(audio.SILENCE * 8000, text[-1], (900,))
            raise ProviderError("The voice broke.")

    second = Speaker()
    text, sound, troubles = await said(Voice([Late(), second], Manners(), {}), "Yes.")
    assert (text, second.asked, troubles) == ("Yes.", [], ["The voice broke."])
    assert audio.seconds(sound) == pytest.approx(0.04 + AFTER_SENTENCE)


class Stumbling(Speaker):
    """Fails so many times before it speaks."""

    def __init__(self, times: int, error: type[ProviderError] = ProviderError) -> None:
        super().__init__()
        self.times, self.error = times, error

    async def say(self, text: str) -> AsyncIterator[Voiced]:
        if len(self.asked) < self.times:
            self.asked.append(text)
            raise self.error("The voice refused." if self.error is Denied else "The voice stumbled.")
        async for piece in super().say(text):
            yield piece


async def test_what_goes_wrong_while_phrases_are_prepared_is_told() -> None:
    told: list[str] = []
    async with Voice([Stumbling(9, Denied), Speaker()], Manners(), {}) as voice:
        await voice.prepare(["Hello."], ["Bye."], told.append)
        assert voice.known("Hello.") and voice.known("Bye.")
    assert told == ["The voice refused."]


async def test_that_no_voice_could_prepare_a_phrase_is_told() -> None:
    told: list[str] = []
    async with Voice([Stumbling(9)], Manners(), {}) as voice:
        await voice.prepare(["Hello."], [], told.append)
        assert not voice.known("Hello.")
    assert told == ["The voice stumbled.", "No voice could speak."]


async def test_a_voice_that_was_slow_to_get_ready_speaks_the_call_all_the_same() -> None:
    first, second, told = Stumbling(1), Speaker(), list[str]()
    async with Voice([first, second], Manners(), {}) as voice:
        await voice.prepare(["Hello."], ["Bye."], told.append)
    assert await said(voice, "Yes.") == ("Yes.", ANY, [])
    assert (first.asked, second.asked) == (["Hello.", "Hello.", "Bye.", "Yes."], [])
    assert told == ["The voice stumbled."]


async def test_a_voice_that_fails_while_phrases_are_prepared_is_asked_again_when_it_matters() -> None:
    first, second, shared = Stumbling(2), Speaker(), dict[str, tuple[Spoken, ...]]()
    async with Voice([first, second], Manners(), shared) as voice:
        await voice.prepare(["Hello."], ["Bye.", "Well."], lambda what: None)
        assert await said(voice, "Yes.") == ("Yes.", ANY, [])
    assert (first.asked, second.asked) == (["Hello.", "Hello.", "Yes."], ["Hello.", "Bye.", "Well."])
    assert not shared, "the other voice's phrases are not for other calls"


async def test_a_voice_that_was_refused_is_not_asked_again() -> None:
    first, second = Stumbling(9, Denied), Speaker()
    async with Voice([first, second], Manners(), {}) as voice:
        await voice.prepare(["Hello."], ["Bye."], lambda what: None)
        assert await said(voice, "Yes.") == ("Yes.", ANY, [])
    assert (first.asked, second.asked) == (["Hello."], ["Hello.", "Bye.", "Yes."])


def test_calls_that_begin_together_have_each_phrase_voiced_once_and_one_at_a_time() -> None:
    most = now = 0

    class Counted(Speaker):
        async def say(self, text: str) -> AsyncIterator[Voiced]:
            nonlocal most, now
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.2)
            async for piece in super().say(text):
                yield piece
            now -= 1

    async def scene() -> None:
        speaker, one_by_one, shared = Counted(), asyncio.Lock(), dict[str, tuple[Spoken, ...]]()
        voices = [Voice([speaker], Manners(), shared, one_by_one) for _ in range(5)]
        async with asyncio.TaskGroup() as calls:
            for voice in voices:
                calls.create_task(voice.prepare([], known.BY_HEART, pytest.fail))
        assert all(voice.known(text) for voice in voices for text in known.BY_HEART)
        assert (sorted(speaker.asked), most) == (sorted(known.BY_HEART), 1)

    run(scene())
