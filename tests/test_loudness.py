"""Loudness: speech switches it on within a few frames, clicks and a noisy line do not."""

from __future__ import annotations

import numpy as np

from backend import audio
from backend.call.loudness import Change, Loudness


def noise(level: float, frames: int) -> list[bytes]:
    """White noise at this many dB below full scale."""
    samples = np.random.default_rng(1).normal(0, 10 ** (level / 20), frames * audio.FRAME).astype(np.float32)
    sound = audio.encode(samples)
    return [sound[at : at + audio.FRAME] for at in range(0, len(sound), audio.FRAME)]


def changes(frames: list[bytes]) -> list[tuple[int, Change]]:
    """Which frame changed what."""
    loudness = Loudness()
    return [(at, change) for at, frame in enumerate(frames) if (change := loudness.feed(frame))]


def test_speech_is_noticed_within_three_frames_and_its_end_after_a_pause() -> None:
    quiet, speech = [audio.SILENCE * audio.FRAME] * 25, noise(-20, 25)
    assert changes(quiet + speech + quiet) == [(27, Change.ON), (64, Change.OFF)]


def test_a_gap_between_words_does_not_end_speech() -> None:
    gap = [audio.SILENCE * audio.FRAME] * 10
    assert changes(noise(-20, 20) + gap + noise(-20, 20)) == [(2, Change.ON)]


def test_a_click_is_not_speech() -> None:
    quiet = [audio.SILENCE * audio.FRAME] * 10
    assert changes(quiet + noise(-10, 2) + quiet) == []


def test_a_hissing_line_is_not_speech_but_speech_over_it_is() -> None:
    hiss = noise(-48, 200)
    assert changes(hiss) == []
    assert changes(hiss + noise(-20, 20)) == [(202, Change.ON)]


def test_a_loud_but_steady_line_becomes_quiet_again() -> None:
    assert [change for _, change in changes(noise(-36, 600))] == [Change.ON, Change.OFF]


def test_it_knows_how_long_it_has_been_quiet() -> None:
    loudness = Loudness()
    for frame in [*noise(-20, 10), *[audio.SILENCE * audio.FRAME] * 5]:
        loudness.feed(frame)
    assert round(loudness.quiet, 3) == 0.1
