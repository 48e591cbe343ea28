"""The offline voice: what it reads how, and that its sound is fit for the phone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from backend import audio
from backend.engines.pool import VOICES, Engines
from backend.engines.synthesiser import BREATH
from backend.models import ProviderError, Spoken
from backend.tts.offline import OfflineVoice, pronounceable, sentences, spoken


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engines() -> AsyncIterator[Engines]:
    async with Engines(workers=1) as engines:
        await engines.ready()
        yield engines


async def said(voice: OfflineVoice, text: str) -> list[Spoken]:
    async with voice:
        return [piece async for piece in voice.say(text) if isinstance(piece, Spoken)]


@given(st.text(alphabet="ab A.!? \n\"'1m", max_size=60))
def test_the_sentences_of_a_text_joined_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi. It's Dr. Smith. OK?  Fine", ["Hi. ", "It's Dr. Smith. ", "OK?  ", "Fine"]),
        ("At 2:30 p.m. Thursday. Or 3 p.m. Is that fine?", ["At 2:30 p.m. Thursday. ", "Or 3 p.m. ", "Is that fine?"]),
        ("Room No. 12 it is. No. Not that.", ["Room No. 12 it is. ", "No. ", "Not that."]),
        ("J. K. Rowling, e.g. this one.", ["J. K. Rowling, e.g. this one."]),
        ("Wait. ...", ["Wait. ..."]),
        ("...", ["..."]),
        ("", []),
    ],
)
def test_a_text_is_spoken_sentence_by_sentence(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call +1 202 555 0143.", "Call plus one, two zero two, five five five, zero one four three."),
        ("(202) 555-0143", "two zero two, five five five, zero one four three"),
        ("2025550143", "two zero two, five five five, zero one four three"),
        ("Code 0143 it is", "Code zero one four three it is"),
        ("Room No. 12, open 24/7", "Room number 12, open twenty-four seven"),
        ("On 2026-11-05 at 2:30 p.m., $1,250,000", "On 2026-11-05 at 2:30 p.m., $1,250,000"),
        ("From 5-6 pm", "From 5-6 pm"),
        (" — ", ""),
    ],
)
def test_only_what_the_engine_reads_wrongly_is_rewritten(text: str, expected: str) -> None:
    assert pronounceable(text) == expected


def test_characters_begin_within_the_words_and_not_in_the_silence_after() -> None:
    piece = spoken("Hello there.", audio.SILENCE * 8000)
    assert len(piece.starts) == len("Hello there.")
    assert list(piece.starts) == sorted(piece.starts)
    assert piece.starts[0] == 0 and 900 < piece.starts[-1] < 1000
    assert audio.seconds(piece.sound) == pytest.approx(1 + BREATH)


async def test_a_clause_comes_in_sentences_that_keep_every_character(engines: Engines) -> None:
    text = "Hi,  this is Maya. Is +1 202 555 0143 right?\n"
    pieces = await said(OfflineVoice(engines), text)
    assert "".join(piece.text for piece in pieces) == text
    assert len(pieces) == 2 and all(len(piece.starts) == len(piece.text) for piece in pieces)
    assert all(piece.starts[-1] < audio.seconds(piece.sound) * 1000 for piece in pieces)


@pytest.mark.parametrize("name", VOICES)
async def test_every_voice_starts_at_once_and_is_as_loud_as_speech_on_the_phone(engines: Engines, name: str) -> None:
    [piece] = await said(OfflineVoice(engines, VOICES[name]), "Could we move it to Wednesday at four?")
    assert audio.level(piece.sound[:800]) > -45
    assert -26 < audio.level(piece.sound) < -18
    assert 1.2 < audio.seconds(piece.sound) < 3
    assert piece.sound.endswith(audio.SILENCE * round(BREATH * audio.RATE))


async def test_the_voices_differ(engines: Engines) -> None:
    sounds = {await engines.synthesise("Hello.", voice) for voice in VOICES.values()}
    assert len(sounds) == len(VOICES)


async def test_what_has_no_words_is_passed_on_without_sound(engines: Engines) -> None:
    assert await said(OfflineVoice(engines), "...") == [Spoken(b"", "...", (0, 0, 0))]
    assert await said(OfflineVoice(engines), "") == []


async def test_without_its_package_the_voice_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.engines.installed.find_spec", lambda package: None)
    with pytest.raises(ProviderError, match=r"hibari is not installed.*pip install.*ELEVENLABS_API_KEY"):
        async with OfflineVoice(Engines(workers=1)):
            pass
