"""Mu-law and resampling: exact where it can be, free of aliases where it must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import audio


def tone(hertz: float, seconds: float, rate: int, level: float = 0.5) -> audio.Samples:
    times = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def test_every_code_survives_decoding_and_encoding_but_the_second_zero() -> None:
    codes = bytes(range(256))
    again = audio.encode(audio.decode(codes))
    assert [(code, again[code]) for code in codes if again[code] != code] == [(0x7F, 0xFF)]


def test_the_loudest_codes_and_silence_have_their_g711_values() -> None:
    assert list(audio.decode(b"\x00\x80\xff") * 32768) == [-32124, 32124, 0]


@given(st.floats(min_value=-2, max_value=2, width=32))
def test_encoding_is_as_exact_as_mu_law_allows_and_clips_what_is_louder(value: float) -> None:
    (back,) = audio.decode(audio.encode(np.array([value], np.float32)))
    clipped = min(max(value, -32124 / 32768), 32124 / 32768)
    assert abs(back - clipped) <= abs(clipped) / 16 + 9 / 32768


def test_resampling_lets_nothing_above_the_phones_band_through() -> None:
    there = audio.resample(tone(5000, 0.5, 24_000), 24_000)
    assert audio.level(audio.encode(there[400:-400])) < -60


def test_resampling_keeps_length_and_level_of_what_is_inside_the_band() -> None:
    there = audio.resample(tone(1000, 0.5, 24_000), 24_000)
    assert len(there) == 4000
    assert audio.level(audio.encode(there)) == pytest.approx(-9, abs=0.3)


@pytest.mark.parametrize(("sound", "level"), [(b"", -100), (audio.SILENCE * 160, -100), (b"\x80" * 160, -0.17)])
def test_levels_are_in_decibels_below_full_scale(sound: bytes, level: float) -> None:
    assert audio.level(sound) == pytest.approx(level, abs=0.01)


def test_a_frame_lasts_twenty_milliseconds() -> None:
    assert audio.seconds(audio.SILENCE * audio.FRAME) == audio.seconds(audio.FRAME) == 0.02
