"""Tones: beeps are heard in noise and distorted, each network tone is known for what it is, and speech is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import audio
from backend.audio import Samples
from backend.bench.sounds.noises import BACKGROUNDS
from backend.bench.sounds.pickups import beep, ringing, tones
from backend.bench.sounds.sounds import line_noise
from backend.call.pickup.tones import Signal, Tone, Tones
from backend.call.sound.keys import tones_of

QUIET = np.zeros(audio.RATE // 5, np.float32)


def level(sound: Samples, to: float) -> Samples:
    return np.asarray(sound * 10 ** (to / 20) / np.sqrt(np.mean(sound**2)), np.float32)


def heard(sound: Samples | bytes, noise: float | None = None, piece: int = audio.FRAME) -> list[Tone]:
    """What is told of this sound with silence, or noise at this level, around it."""
    samples = np.concatenate([QUIET, audio.decode(sound) if isinstance(sound, bytes) else sound, QUIET])
    if noise is not None:
        samples = samples + np.random.default_rng(3).normal(0, 10 ** (noise / 20), len(samples)).astype(np.float32)
    mulaw, detector = audio.encode(samples), Tones()
    return [tone for at in range(0, len(mulaw), piece) for tone in detector.feed(mulaw[at : at + piece])]


def signals(sound: Samples | bytes, noise: float | None = None) -> list[Signal]:
    return [tone.signal for tone in heard(sound, noise)]


def vowel(pitch: float, formants: Sequence[float], seconds: float, glide: float = 0.0, wobble: float = 0.01) -> Samples:
    """A voice: harmonics of a pitch that is never quite steady, louder near the formants."""
    times = np.arange(round(seconds * audio.RATE)) / audio.RATE
    moving = pitch * (1 + glide * times / seconds + wobble * np.sin(2 * np.pi * 5 * times))
    phase = 2 * np.pi * np.cumsum(moving) / audio.RATE
    parts = [
        sum(1 / (1 + ((n * pitch - formant) / 90) ** 2) for formant in formants) * np.sin(n * phase)
        for n in range(1, int(3400 / pitch))
    ]
    return level(np.asarray(np.sum(parts, axis=0) * np.hanning(len(times)) ** 0.3, np.float32), -20)


# --- beeps ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.floats(435, 2000).filter(lambda pitch: abs(pitch - 1100) > 20),
    st.floats(0.11, 1.9),
    st.floats(-36, -8),
    st.integers(0, audio.FRAME - 1),
)
def test_a_steady_tone_of_any_pitch_length_and_level_is_a_beep(
    pitch: float, seconds: float, loud: float, late: int
) -> None:
    sound = np.concatenate([np.zeros(late, np.float32), beep(str(pitch), seconds, loud)])
    found = heard(sound)
    assert [tone.signal for tone in found] == [Signal.BEEP]
    assert found[0].pitches[0] == pytest.approx(pitch, abs=4)
    assert found[0].seconds == pytest.approx(seconds, abs=0.06)


@pytest.mark.parametrize("pitch", [440, 850, 1000, 1400])
def test_a_beep_is_heard_over_a_noisy_line(pitch: int) -> None:
    assert signals(beep(str(pitch), 0.4, -24), noise=-35) == [Signal.BEEP]


@pytest.mark.parametrize("name", ["850+1400", "850/1400", "1000/1500/1000", "440+880"])
def test_a_beep_may_have_two_tones_at_once_or_one_after_the_other(name: str) -> None:
    assert signals(beep(name, 0.5, -18)) == [Signal.BEEP]


def test_a_beep_is_told_a_tenth_of_a_second_after_its_end() -> None:
    sound = audio.encode(np.concatenate([beep("1000", 0.4, -18), QUIET]))
    detector, frames = Tones(), [sound[at : at + audio.FRAME] for at in range(0, len(sound), audio.FRAME)]
    told = [(place + 1) * 0.02 for place, frame in enumerate(frames) if detector.feed(frame)]
    assert told == [pytest.approx(0.48, abs=0.021)]


def test_whether_something_steady_sounds_is_known_while_it_does() -> None:
    detector = Tones()
    detector.feed(audio.encode(beep("1000", 0.3, -18)))
    assert detector.on
    detector.feed(audio.SILENCE * 800)
    assert not detector.on


@given(st.integers(1, 700))
@settings(max_examples=20, deadline=None)
def test_it_does_not_matter_in_what_pieces_the_sound_comes(piece: int) -> None:
    sound = np.concatenate([beep("1000", 0.4, -18), QUIET, audio.decode(tones_of("5"))])
    assert heard(sound, piece=piece) == heard(sound)


# --- networks, faxes, keys --------------------------------------------------------------------------------------


def test_three_rising_tones_are_a_number_not_in_service() -> None:
    steps = [
        level(tones((pitch,), seconds), -18) for pitch, seconds in ((913.8, 0.274), (1370.6, 0.274), (1776.7, 0.38))
    ]
    assert signals(np.concatenate(steps)) == [Signal.SIT]


@pytest.mark.parametrize("country", ["us", "eu", "uk"])
def test_ringing_is_known_by_country(country: str) -> None:
    assert set(signals(ringing(country, 2))) == {Signal.RINGING}


def test_a_busy_line_is_no_beep() -> None:
    assert signals(np.concatenate([level(tones((480, 620), 0.5), -20), QUIET] * 3)) == [Signal.BUSY] * 3


def test_the_single_tone_of_a_busy_european_line_is_known_when_it_comes_again() -> None:
    gap = np.zeros(audio.RATE // 2, np.float32)
    assert signals(np.concatenate([level(tones((425,), 0.5), -20), gap] * 3))[1:] == [Signal.BUSY] * 2


def test_a_dial_tone_is_no_beep() -> None:
    assert signals(level(tones((350, 440), 3.0), -20)) == [Signal.DIAL]


def test_faxes_are_known_by_their_tones() -> None:
    assert signals(level(tones((1100,), 0.5), -20)) == [Signal.CNG]
    assert signals(level(tones((2100,), 3.0), -20)) == [Signal.CED]


def test_keys_are_no_beeps() -> None:
    assert [(tone.signal, tone.key) for tone in heard(tones_of("7#"))] == [(Signal.KEY, "7"), (Signal.KEY, "#")]


# --- what is none of these --------------------------------------------------------------------------------------


_FORMANTS = ((300, 870), (270, 2290), (730, 1090), (530, 1840), (570, 840), (440, 1020), (660, 1720))


def test_hardly_any_vowel_is_a_beep_however_pure_it_is() -> None:
    """Purer than any voice: where it has two resonances, it has nothing else."""
    random, beeps = np.random.default_rng(1), 0
    for place in range(600):
        pitch, seconds, glide = random.uniform(80, 330), random.uniform(0.08, 0.9), random.uniform(-0.3, 0.3)
        sound = vowel(pitch, _FORMANTS[place % len(_FORMANTS)], seconds, glide, random.uniform(0.008, 0.03))
        beeps += Signal.BEEP in signals(sound)
    assert beeps <= 3


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_neither_noise_nor_music_is_a_beep(name: str) -> None:
    assert signals(line_noise(name, 20, -22)) == []


def test_silence_and_clicks_are_nothing() -> None:
    click = np.zeros(800, np.float32)
    click[:20] = 0.5
    assert signals(np.concatenate([click] * 10)) == []


@settings(deadline=None)
@given(st.binary(max_size=4000))
def test_any_bytes_are_taken(sound: bytes) -> None:
    Tones().feed(sound)
