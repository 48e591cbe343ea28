"""Who answered, judged from the sound alone."""

from __future__ import annotations

import numpy as np
import pytest

from backend.audio import FRAME, RATE, SILENCE, encode
from backend.practice.machine_detection import MachineDetection, Rules, Verdict, tone

WHEN_KNOWN = Rules()
AT_THE_END = Rules(until_message_end=True)


def quiet(milliseconds: int) -> bytes:
    return SILENCE * (milliseconds * RATE // 1000)


def speech(milliseconds: int) -> bytes:
    """As loud as speech, and spread over the band as speech is."""
    noise = np.random.default_rng(1).normal(0, 0.1, milliseconds * RATE // 1000)
    return encode(noise.astype(np.float32))


def beep(milliseconds: int, hertz: float = 1000.0) -> bytes:
    time = np.arange(milliseconds * RATE // 1000) / RATE
    return encode((0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32))


def verdict(rules: Rules, sound: bytes) -> Verdict | None:
    detection = MachineDetection(rules)
    frames = [sound[start : start + FRAME] for start in range(0, len(sound), FRAME)]
    found = [judged for frame in frames if (judged := detection.hear(frame))]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("rules", [WHEN_KNOWN, AT_THE_END])
def test_a_short_greeting_and_silence_is_a_human(rules: Rules) -> None:
    assert verdict(rules, quiet(500) + speech(800) + quiet(3000)) == Verdict("human", 500 + 800 + 1200)


def test_a_pause_inside_a_greeting_does_not_end_it() -> None:
    assert verdict(WHEN_KNOWN, speech(1500) + quiet(1000) + speech(1000)) == Verdict("machine_start", 2520)


def test_a_long_greeting_is_a_machine_as_soon_as_it_is_long() -> None:
    assert verdict(WHEN_KNOWN, quiet(400) + speech(6000)) == Verdict("machine_start", 400 + 2400)


def test_the_beep_ends_a_machines_greeting() -> None:
    found = verdict(AT_THE_END, speech(4000) + quiet(600) + beep(500))
    assert found is not None
    assert found.answered_by == "machine_end_beep"
    assert 4800 <= found.after_ms <= 4840


@pytest.mark.parametrize("hertz", [440, 850, 1000, 1025, 1400])
def test_beeps_of_common_pitches_are_noticed(hertz: float) -> None:
    found = verdict(AT_THE_END, speech(3000) + quiet(500) + beep(400, hertz))
    assert found is not None
    assert found.answered_by == "machine_end_beep"


def test_a_tone_too_short_for_a_beep_is_none() -> None:
    found = verdict(AT_THE_END, speech(3000) + quiet(200) + beep(140) + quiet(3000))
    assert found is not None
    assert found.answered_by == "machine_end_silence"


def test_silence_after_a_machines_greeting_ends_it() -> None:
    assert verdict(AT_THE_END, speech(4000) + quiet(3000)) == Verdict("machine_end_silence", 4000 + 1200)


def test_a_greeting_without_end_is_given_up() -> None:
    assert verdict(AT_THE_END, speech(31_000)) == Verdict("machine_end_other", 30_000)


def test_a_line_without_a_word_is_unknown() -> None:
    assert verdict(WHEN_KNOWN, quiet(6000)) == Verdict("unknown", 5000)


def test_thresholds_of_the_request_are_kept() -> None:
    patient = Rules(speech_threshold=5000, speech_end_threshold=500)
    assert verdict(patient, speech(4000) + quiet(1000)) == Verdict("human", 4500)


def test_only_a_pure_tone_is_a_tone() -> None:
    assert tone(beep(20)) == 1000.0
    assert tone(speech(20)) is None
    assert tone(quiet(20)) is None
    assert tone(beep(20, 200)) is None
    assert tone(beep(10)) is None
