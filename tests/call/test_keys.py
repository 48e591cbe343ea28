"""Keys pressed by sound: the right two tones, as long and as loud as exchanges ask, and heard again by our own ears."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import audio
from backend.call.pickup.tones import Signal, Tones
from backend.call.sound.keys import BETWEEN, HIGH, KEYS, LOW, PRESSED, tones_of


def heard(sound: bytes) -> str:
    """The keys that the tone detector hears."""
    tones = Tones().feed(sound + audio.SILENCE * 1600)
    assert all(tone.signal is Signal.KEY for tone in tones)
    return "".join(tone.key for tone in tones)


def loudest_two(sound: bytes) -> tuple[float, float]:
    """Hz of the two highest places of the spectrum, at least 100 Hz apart, in order."""
    pressed = audio.decode(sound)[: round(PRESSED * audio.RATE)]
    power = np.abs(np.fft.rfft(pressed * np.hanning(len(pressed)), audio.RATE)) ** 2
    first = int(power.argmax())
    power[max(0, first - 100) : first + 100] = 0
    second = int(power.argmax())
    return float(min(first, second)), float(max(first, second))


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_its_two_tones_within_what_the_standard_allows(key: str) -> None:
    low, high = loudest_two(tones_of(key))
    place = KEYS.index(key)
    assert low == pytest.approx(LOW[place // 4], rel=0.018)
    assert high == pytest.approx(HIGH[place % 4], rel=0.018)


@settings(deadline=None)
@given(st.text(KEYS, min_size=1, max_size=6))
def test_what_is_pressed_is_heard_in_order(digits: str) -> None:
    assert heard(tones_of(digits)) == digits


def test_a_key_lasts_a_fifth_of_a_second_and_pauses_last_as_they_say() -> None:
    assert audio.seconds(tones_of("1")) == pytest.approx(PRESSED + BETWEEN)
    assert tones_of("wW") == audio.SILENCE * round(1.5 * audio.RATE)
    assert audio.seconds(tones_of("1w2")) == pytest.approx(0.9)


def test_tone_and_gap_are_longer_than_exchanges_ask() -> None:
    sound = tones_of("5")
    tone, gap = sound[: round(PRESSED * audio.RATE)], sound[round(PRESSED * audio.RATE) :]
    assert min(PRESSED, BETWEEN) >= 0.08
    assert audio.level(tone) == pytest.approx(-13, abs=1.5)
    assert audio.level(gap) == -100


def test_nothing_is_clipped_and_the_higher_tone_is_two_decibels_louder() -> None:
    sound = audio.decode(tones_of("D"))[: round(PRESSED * audio.RATE)]
    assert np.abs(sound).max() < 0.6
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), audio.RATE)) ** 2
    twist = 10 * np.log10(power[1600:1660].max() / power[920:960].max())
    assert twist == pytest.approx(2.0, abs=0.3)


def test_what_no_phone_has_a_key_for_is_refused() -> None:
    with pytest.raises(ValueError, match="'x'"):
        tones_of("12x")


def test_numbers_may_be_written_as_people_write_them() -> None:
    assert tones_of("12 3-4") == tones_of("1234")
    assert tones_of("a") == tones_of("A")
    assert tones_of("") == b""
