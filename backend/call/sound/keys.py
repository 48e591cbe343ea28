"""Keys pressed by sound: a media stream carries nothing but sound, so a digit for a menu is played as its two tones.

ITU-T Q.23 gives the frequencies, within 1.8 %. ITU-T Q.24 lists what exchanges ask of a key: at least 40 ms of tone and
40 ms of pause for all of them, the two tones no more than a few dB apart. Phone menus hear worse than exchanges, and
codecs on the way blur, so both are 100 ms here. The levels are those a telephone sends by ETSI ES 201 235-2: the higher
tone 2 dB louder, since lines weaken it more.
"""

from __future__ import annotations

import numpy as np

from backend import audio
from backend.audio import Samples

LOW = (697, 770, 852, 941)
"""Hz, of the four rows."""
HIGH = (1209, 1336, 1477, 1633)
"""Hz, of the four columns."""
KEYS = "123A456B789C*0#D"
"""Row by row."""
PRESSED, BETWEEN = 0.1, 0.1
"""Seconds of tone, and of silence after it."""
PAUSES = {"w": 0.5, "W": 1.0}
"""Seconds; the signs are Twilio's in `SendDigits`."""
LOW_LEVEL, HIGH_LEVEL = -11.0, -9.0
"""dBm0. A sine of full scale has 3.17 dBm0 in mu-law (ITU-T G.711)."""
_FULL_SCALE = 3.17
_EDGE = 0.003
"""Seconds in which a tone swells and dies, so that it does not click."""


def tones_of(digits: str) -> bytes:
    """The sound of these keys, one after the other, as 8 kHz mu-law: 0.2 s a key. Spaces and dashes are skipped.

    Args:
        digits: of `0-9*#A-D`, and `w` and `W` for pauses of 0.5 and 1 s.

    Raises:
        ValueError: a sign that no phone has a key for.
    """
    return b"".join(_sound(sign) for sign in digits if sign not in " -")


def _sound(sign: str) -> bytes:
    if seconds := PAUSES.get(sign):
        return _silence(seconds)
    place = KEYS.find(sign.upper())
    if place < 0:
        raise ValueError(f"expected keys of {KEYS} and w for a pause, but got {sign!r}")
    low, high = LOW[place // 4], HIGH[place % 4]
    return audio.encode(_tone(low, LOW_LEVEL) + _tone(high, HIGH_LEVEL)) + _silence(BETWEEN)


def _tone(pitch: float, level: float) -> Samples:
    times = np.arange(round(PRESSED * audio.RATE)) / audio.RATE
    edge = np.minimum(1, np.minimum(times, times[::-1]) / _EDGE)
    size = 10 ** ((level - _FULL_SCALE) / 20)
    return np.asarray(size * edge * np.sin(2 * np.pi * pitch * times), np.float32)


def _silence(seconds: float) -> bytes:
    return audio.SILENCE * round(seconds * audio.RATE)
