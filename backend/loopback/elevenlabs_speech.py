"""What the loopback ElevenLabs' voice sounds like: a tone for each character, and when each begins."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from backend import audio

LETTER_MS = 60
"""How long each character is voiced."""
LETTER = LETTER_MS * audio.RATE // 1000
"""The same in bytes."""


def sound_of(text: str) -> bytes:
    """How this text is voiced: mu-law, `LETTER` bytes a character, blanks too."""
    return b"".join(map(_letter, text))


@cache
def _letter(char: str) -> bytes:
    """A tone of its own for each printable ASCII character; it fades in and out, so that joints do not click."""
    pitch, loudness = 150 + ord(char) % 97 * 30, 0.02 if char.isspace() else 0.3
    times = np.arange(LETTER, dtype=np.float32) / audio.RATE
    fade = np.minimum(1, np.minimum(times, times[::-1]) / 0.005)
    return audio.encode((loudness * fade * np.sin(2 * np.pi * pitch * times)).astype(np.float32))


def timing_of(text: str, start: int, end: int) -> dict[str, Any]:
    """The characters that begin in these bytes of the text's sound, timed from the first of the bytes."""
    places = range(-(-start // LETTER), -(-end // LETTER))
    return {
        "chars": [text[place] for place in places],
        "charStartTimesMs": [round((place * LETTER - start) * 1000 / audio.RATE) for place in places],
        "charDurationsMs": [LETTER_MS for _ in places],
    }
