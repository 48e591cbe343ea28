"""The benchmark's library of sound: labelled truly, and the same every time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from backend import audio
from backend.bench.sounds.sounds import BACKGROUNDS, CAST, Clip, Kind, Room, clips, frames, line_noise, mix
from backend.engines.pool import Engines


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engines() -> AsyncIterator[Engines]:
    async with Engines(workers=1) as engines:
        await engines.ready()
        yield engines


def level(clip: Clip, begins: float, ends: float) -> float:
    return audio.level(clip.sound[round(begins * audio.RATE) : round(ends * audio.RATE)])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", Kind)
async def test_the_same_seed_gives_the_same_sound_and_another_seed_other_sound(engines: Engines, kind: Kind) -> None:
    first, longer, other = (
        await clips(engines, kind, 8),
        await clips(engines, kind, 10),
        await clips(engines, kind, 8, 2),
    )
    assert [(clip.text, clip.sound) for clip in first] == [(clip.text, clip.sound) for clip in longer[:8]]
    assert all(clip.sound != another.sound for clip, another in zip(first, other, strict=True))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", Kind)
async def test_clips_are_of_many_texts_voices_and_levels(engines: Engines, kind: Kind) -> None:
    many = await clips(engines, kind, 24)
    levels = [clip.level for clip in many]
    assert len({clip.text for clip in many}) >= 14
    assert {clip.voice for clip in many} == ({""} if kind is Kind.NOISE else set(CAST))
    assert -30 <= min(levels) < -26 < -18 < max(levels) <= -14


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", Kind)
async def test_a_clip_can_be_heard_where_its_parts_are_and_nowhere_else(engines: Engines, kind: Kind) -> None:
    for clip in await clips(engines, kind, 20):
        ends = 0.0
        for part in clip.parts:
            assert level(clip, ends, part.begins - 0.001) == -100
            assert level(clip, part.begins, part.ends) > clip.level - 12
            ends = part.ends
        assert level(clip, ends + 0.001, clip.seconds) == -100
        assert clip.onset == clip.parts[0].begins
        assert clip.text == " ".join(part.text for part in clip.parts)


@pytest.mark.asyncio(loop_scope="module")
async def test_hesitating_sentences_have_pauses_of_0_4_to_1_2_seconds(engines: Engines) -> None:
    pairs = [
        pair
        for clip in await clips(engines, Kind.HESITATING, 32)
        for pair in zip(clip.parts, clip.parts[1:], strict=False)
    ]
    pauses = [after.begins - before.ends for before, after in pairs]
    assert len(pauses) >= 32
    assert 0.399 < min(pauses) < 0.6 < 1.0 < max(pauses) < 1.201


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_said_is_what_the_label_says(engines: Engines) -> None:
    clip = next(clip for clip in await clips(engines, Kind.INTERRUPTION, 4) if clip.text == "No, that's wrong.")
    assert "that's wrong" in (await engines.transcribe(clip.sound)).lower()


@pytest.mark.asyncio(loop_scope="module")
async def test_noises_last_from_milliseconds_to_a_second(engines: Engines) -> None:
    seconds = [clip.parts[0].ends - clip.onset for clip in await clips(engines, Kind.NOISE, 60)]
    assert 0 < min(seconds) < 0.04 < 0.8 < max(seconds) < 1.5


# --- the room ---------------------------------------------------------------------------------------------------


def room(delay: float = 0.1, gain: float = -20, clips: bool = False) -> Room:
    return Room(delay, gain, np.random.default_rng(1), clips=clips)


SPOKEN = audio.encode(np.random.default_rng(1).normal(0, 0.1, 8000).astype(np.float32))


@pytest.mark.parametrize("delay", [0.06, 0.2, 0.35])
def test_a_room_returns_nothing_before_its_delay_and_then_the_echo(delay: float) -> None:
    heard = b"".join(map(room(delay).hear, frames(SPOKEN)))
    silent = round(delay * audio.RATE)
    assert audio.level(heard[:silent]) == -100
    assert abs(audio.level(heard[silent + 400 :]) - audio.level(SPOKEN) + 20) < 2


@pytest.mark.parametrize("size", [1, 33, 160, 700, 5000])
def test_a_room_does_not_care_how_the_sound_is_cut(size: int) -> None:
    whole, cut = room().hear(SPOKEN), room()
    assert b"".join(cut.hear(SPOKEN[at : at + size]) for at in range(0, len(SPOKEN), size)) == whole


def test_a_small_speaker_cannot_follow_loud_sound() -> None:
    loud = mix(SPOKEN, mix(SPOKEN, SPOKEN))
    assert audio.level(room(clips=True).hear(loud)) < audio.level(room().hear(loud)) - 1


def test_rooms_are_as_speakerphones_are() -> None:
    rooms = [Room.any(np.random.default_rng(seed)) for seed in range(50)]
    assert all(0.06 <= each.delay <= 0.35 and -35 <= each.gain <= -12 for each in rooms)
    assert len({each.delay for each in rooms}) == 50


# --- putting sounds together ------------------------------------------------------------------------------------


def test_mixed_with_silence_sound_stays_as_it_is() -> None:
    assert np.array_equal(audio.decode(mix(SPOKEN, audio.SILENCE * 100)), audio.decode(SPOKEN))


def test_a_mix_is_as_long_as_the_longer_and_as_loud_as_both() -> None:
    other = line_noise("hiss", 2, -20, seed=2)
    assert len(mix(SPOKEN, other)) == len(mix(other, SPOKEN)) == 16000
    assert abs(audio.level(mix(SPOKEN, other)[:8000]) + 17) < 0.5


def test_frames_are_20_ms_and_the_last_is_filled_up() -> None:
    assert frames(b"\x01" * 161) == [b"\x01" * 160, b"\x01" + audio.SILENCE * 159]


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_background_has_the_level_that_was_asked_for_and_never_stops(name: str) -> None:
    sound = line_noise(name, 4, -40)
    assert abs(audio.level(sound) + 40) < 1
    assert min(audio.level(frame) for frame in frames(sound)) > -60
    assert sound == line_noise(name, 4, -40)
