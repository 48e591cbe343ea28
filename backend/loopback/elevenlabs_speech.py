"""What the loopback ElevenLabs' voice sounds like: a tone for each character, unless another reader is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from backend import audio

LETTER_MS = 60
"""How long each character is voiced."""
LETTER = LETTER_MS * audio.RATE // 1000
"""The same in bytes."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A text as it is voiced."""

    text: str
    sound: bytes
    """Mu-law."""
    starts: tuple[int, ...]
    """For each character, the byte at which it begins."""

    def timing(self, start: int, end: int) -> dict[str, Any]:
        """The characters that begin in these bytes, timed from the first of the bytes, as the vendor tells it."""
        places = [place for place, begins in enumerate(self.starts) if start <= begins < end]
        ends = [*self.starts[1:], len(self.sound)]
        return {
            "chars": [self.text[place] for place in places],
            "charStartTimesMs": [_ms(self.starts[place] - start) for place in places],
            "charDurationsMs": [_ms(ends[place] - self.starts[place]) for place in places],
        }


Reader = Callable[[str], Awaitable[Speech]]
"""Voices a text."""


async def toned(text: str) -> Speech:
    """A tone for each character, `LETTER` bytes long."""
    return Speech(text, sound_of(text), tuple(range(0, LETTER * len(text), LETTER)))


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


def _ms(size: int) -> int:
    return round(size * 1000 / audio.RATE)
