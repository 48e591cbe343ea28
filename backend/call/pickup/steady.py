"""How steady a sound is, and at which pitch: a tone keeps what no voice keeps for a tenth of a second.

Pure; for pieces of up to a few seconds that are probably tones, since it takes about half a millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backend import audio
from backend.audio import Samples

_STEADY = 0.006
"""By what share a tone's pitch may change. A voice's changes by more within a tenth of a second."""
_EVEN = 4.0
"""dB by which its parts may differ in level."""
_BETWEEN = 10 ** (-15 / 10)
"""Share of a tone's power that may be halfway between its harmonics: in a voice that is where the others are."""
_CLEAR = 0.72
"""Share of the power, from beginning to end, that is tone and harmonics."""
_APART = 30.0
"""Hz between two tones, at least: what is nearer is one that wobbles."""


@dataclass(frozen=True, slots=True)
class Steady:
    """A steady tone, or two at once."""

    seconds: float
    pitches: tuple[float, ...]
    level: float
    """dB below full scale."""

    def near(self, *pitches_and_slack: float) -> bool:
        """Whether these are its pitches in Hz, to within the last number."""
        *pitches, slack = pitches_and_slack
        return len(pitches) == len(self.pitches) and all(
            abs(a - b) <= slack for a, b in zip(sorted(pitches), sorted(self.pitches), strict=True)
        )


def measured(run: Sequence[bytes]) -> Steady | None:
    """The tone that these frames hold, or None where it is not steady enough to be one."""
    sound = audio.decode(b"".join(run))
    # Its first and last frame are half full.
    inner = sound[audio.FRAME // 2 : -audio.FRAME // 2] if len(run) > 3 else sound
    pitches = _pitches(inner)
    if not pitches or not _is_steady(inner, pitches):
        return None
    return Steady(audio.seconds(len(sound)), pitches, 10 * math.log10(float(np.mean(inner**2)) + 1e-10))


def _pitches(sound: Samples) -> tuple[float, ...]:
    """One pitch or two, the louder first; none where too much is left beside them."""
    power, step = _spectrum(sound)
    # The window makes a tone as wide as two places of the sound's own length on either side.
    total, width = float(power.sum()), math.ceil(max(8.0, 2 * audio.RATE / len(sound)) / step)
    first, first_share = _strongest(power, width, step)
    rest = power.copy()
    _blank(rest, first, width, step)
    second, second_share = _strongest(rest, width, step)
    distortion = _is_harmonic(first, second) and second_share < first_share / 4
    if second_share > 0.04 * total and not distortion:
        both = first_share + second_share
        apart = abs(first - second) > _APART and second_share > first_share / 16
        return (first, second) if both > _CLEAR * total and apart else ()
    harmonics = sum(_share(power, first * n, width, step) for n in range(1, 4))
    between = sum(_share(power, first * n / 2, width, step) for n in (1, 3))
    return (first,) if harmonics > _CLEAR * total and between < _BETWEEN * harmonics else ()


def _spectrum(sound: Samples) -> tuple[NDArray[np.float64], float]:
    """The power at each place, and Hz between two places."""
    size = max(2048, 1 << (len(sound) - 1).bit_length())
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size)) ** 2
    return power, audio.RATE / size


def _strongest(power: NDArray[np.float64], width: int, step: float) -> tuple[float, float]:
    """The pitch at the highest place, to a part of a place, and the power around it."""
    at = int(power[1:-1].argmax()) + 1
    left, top, right = (math.log(max(float(p), 1e-20)) for p in power[at - 1 : at + 2])
    bend = left - 2 * top + right
    pitch = (at + (0.5 * (left - right) / bend if bend else 0.0)) * step
    return pitch, _share(power, pitch, width, step)


def _share(power: NDArray[np.float64], pitch: float, width: int, step: float) -> float:
    at = round(pitch / step)
    return float(power[max(0, at - width) : at + width + 1].sum())


def _blank(power: NDArray[np.float64], pitch: float, width: int, step: float) -> None:
    at = round(pitch / step)
    power[max(0, at - width) : at + width + 1] = 0


def _is_harmonic(pitch: float, other: float) -> bool:
    return any(abs(other - n * pitch) < 0.01 * other for n in (2, 3, 4))


_PART = 320
"""Samples of the parts that are compared: in 40 ms a pitch that is off by 12 Hz turns by half a circle."""
_PART_OF_TWO = 800
"""The same for two tones, which 40 ms cannot tell apart when they are near to each other."""


def _is_steady(sound: Samples, pitches: tuple[float, ...]) -> bool:
    """Whether pitch and level stay the same from beginning to end."""
    near = len(pitches) == 2 and abs(pitches[0] - pitches[1]) < 150
    parts = np.array_split(sound, max(2, len(sound) // (_PART_OF_TWO if near else _PART)))
    levels = [10 * math.log10(float(np.mean(part**2)) + 1e-10) for part in parts]
    if max(levels) - min(levels) > _EVEN:
        return False
    found = [_follow(parts, pitch) for pitch in pitches]
    shares = [sum(one) for one in zip(*(share for _, share in found), strict=True)]
    drifts = [
        drift <= min(_MOST_DRIFT, _STEADY * pitch + 1.5) for (drift, _), pitch in zip(found, pitches, strict=True)
    ]
    even = all(10 * math.log10(max(share) / max(min(share), 1e-9)) <= _EVEN for _, share in found)
    return min(shares) > _CLEAR and even and all(drifts)


_MOST_DRIFT = 9.0
"""Hz that can still be told from a turn the other way."""


def _follow(parts: Sequence[Samples], pitch: float) -> tuple[float, list[float]]:
    """Hz by which a tone is off this pitch, at most, from one part to the next; and its share of each part's power."""
    phases: list[float] = []
    shares: list[float] = []
    at = 0
    for part in parts:
        window = np.hanning(len(part))
        turning = np.exp(-2j * np.pi * pitch / audio.RATE * np.arange(at, at + len(part)))
        seen, sound = complex(np.sum(part * window * turning)), part * window
        power = float(sound.dot(sound)) * float(np.sum(window)) ** 2 / float(window.dot(window))
        phases.append(float(np.angle(seen)))
        shares.append(2 * abs(seen) ** 2 / max(power, 1e-9))
        at += len(part)
    between = audio.seconds(at) / len(parts)
    turns = [(after - before + math.pi) % (2 * math.pi) - math.pi for before, after in pairwise(phases)]
    return max(map(abs, turns)) / (2 * math.pi * between), shares
