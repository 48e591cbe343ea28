"""Sounds of a callee's room that are nobody's words, made from noise and tones; and backgrounds that never stop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend import audio
from backend.audio import Samples

Linear = NDArray[np.float64]


def noise(name: str, random: Generator) -> Samples:
    """One of `NOISES`, at no particular level; no two from one generator are alike."""
    return _peaked(NOISES[name](random))


def background(name: str, seconds: float, level: float, random: Generator) -> Samples:
    """One of `BACKGROUNDS` for so long, at this many dB below full scale."""
    sound = BACKGROUNDS[name](round(seconds * audio.RATE), random)
    return np.asarray(sound * 10 ** (level / 20) / np.sqrt(np.mean(sound**2)), np.float32)


# --- the material -----------------------------------------------------------------------------------------------


def _peaked(sound: Linear) -> Samples:
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _times(seconds: float) -> Linear:
    return np.arange(max(8, round(seconds * audio.RATE)), dtype=np.float64) / audio.RATE


def _band(low: float, high: float, size: int, random: Generator) -> Linear:
    """Noise between these frequencies."""
    spectrum = np.fft.rfft(random.normal(0, 1, size))
    pitch = np.fft.rfftfreq(size, 1 / audio.RATE)
    shape = 1 / (1 + (low / np.maximum(pitch, 1)) ** 4) / (1 + (pitch / high) ** 4)
    return np.asarray(np.fft.irfft(spectrum * shape, size))


def _burst(seconds: float, low: float, high: float, random: Generator) -> Linear:
    """A blow that dies away."""
    times = _times(seconds)
    return _band(low, high, len(times), random) * np.exp(-5 * times / seconds) * np.minimum(1, times / 0.002)


def _swell(seconds: float, low: float, high: float, random: Generator) -> Linear:
    times = _times(seconds)
    return np.asarray(_band(low, high, len(times), random) * np.sin(np.pi * times / times[-1]) ** 2)


def _buzz(pitch: float, seconds: float, overtones: int = 8) -> Linear:
    times = _times(seconds)
    tones = [np.sin(2 * np.pi * pitch * n * times) / n for n in range(1, overtones + 1) if pitch * n < 3800]
    return np.asarray(np.sum(tones, axis=0))


def _series(pieces: list[Linear], gaps: list[float]) -> Linear:
    """Pieces one after the other, with so much silence after each."""
    rests = [np.zeros(round(gap * audio.RATE)) for gap in gaps]
    return np.concatenate([part for pair in zip(pieces, rests, strict=True) for part in pair])


# --- the noises -------------------------------------------------------------------------------------------------


def _cough(random: Generator) -> Linear:
    times = int(random.integers(1, 4))
    return _series([_hack(random) for _ in range(times)], list(random.uniform(0.05, 0.2, times)))


def _hack(random: Generator) -> Linear:
    blow = _burst(random.uniform(0.12, 0.25), 400, 2500, random)
    voiced = _buzz(random.uniform(120, 300), len(blow) / audio.RATE)[: len(blow)]
    return np.asarray(blow / np.abs(blow).max() + 0.3 * voiced * np.exp(-np.arange(len(blow)) / 600))


def _throat(random: Generator) -> Linear:
    growl = _buzz(random.uniform(70, 110), random.uniform(0.2, 0.5), 12)
    rough = 1 + 0.8 * np.sin(2 * np.pi * random.uniform(18, 30) * np.arange(len(growl)) / audio.RATE)
    return np.asarray(growl * rough * np.hanning(len(growl)))


def _sneeze(random: Generator) -> Linear:
    parts = [_swell(0.25, 600, 2500, random) * 0.3, _burst(random.uniform(0.25, 0.4), 1000, 3600, random)]
    return _series(parts, [0.03, 0.0])


def _click(random: Generator) -> Linear:
    return _burst(random.uniform(0.004, 0.03), 800, 3500, random)


def _double_click(random: Generator) -> Linear:
    return _series([_click(random), _click(random)], [random.uniform(0.06, 0.15), 0.0])


def _door(random: Generator) -> Linear:
    slam = _burst(random.uniform(0.25, 0.5), 60, 500, random)
    latch = _burst(0.03, 1000, 3500, random)
    return _series([latch / np.abs(latch).max() * 0.5, slam / np.abs(slam).max()], [random.uniform(0.02, 0.1), 0.0])


def _cup(random: Generator) -> Linear:
    knock = _burst(random.uniform(0.08, 0.2), 150, 900, random)
    times = np.arange(len(knock)) / audio.RATE
    return np.asarray(knock + np.sin(2 * np.pi * random.uniform(1200, 3000) * times) * np.exp(-40 * times))


def _keyboard(random: Generator) -> Linear:
    keys = int(random.integers(3, 9))
    return _series(
        [_burst(random.uniform(0.008, 0.02), 1000, 3600, random) for _ in range(keys)],
        list(random.uniform(0.06, 0.14, keys)),
    )


def _breath(random: Generator) -> Linear:
    return _swell(random.uniform(0.3, 1.0), 300, 1800, random)


def _chair(random: Generator) -> Linear:
    seconds = random.uniform(0.2, 0.6)
    times = _times(seconds)
    pitch = random.uniform(300, 900) * (1 + random.uniform(-0.3, 0.3) * times / seconds)
    squeak = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / audio.RATE))
    return np.asarray(squeak * np.abs(_band(5, 40, len(times), random)) * np.hanning(len(times)))


def _paper(random: Generator) -> Linear:
    seconds = random.uniform(0.3, 1.1)
    rustle = _band(1500, 3800, len(_times(seconds)), random)
    return np.asarray(rustle * np.maximum(0, _band(1, 15, len(rustle), random)) ** 2)


def _hum(random: Generator) -> Linear:
    hum = _buzz(random.choice([100, 120]), random.uniform(0.5, 1.2), 6)
    return hum * np.minimum(1, np.minimum(np.arange(len(hum)), np.arange(len(hum))[::-1]) / 400)


def _music(random: Generator) -> Linear:
    notes = int(random.integers(1, 5))
    tones = [_buzz(220 * 2 ** (random.integers(0, 25) / 12), random.uniform(0.15, 0.3), 5) for _ in range(notes)]
    return _series([tone * np.exp(-np.arange(len(tone)) / 1500) for tone in tones], [0.0] * notes)


def _beep(random: Generator) -> Linear:
    return _buzz(random.uniform(500, 1800), random.uniform(0.1, 0.4), 1)


NOISES: dict[str, Callable[[Generator], Linear]] = {
    "cough": _cough,
    "click": _click,
    "door": _door,
    "keyboard": _keyboard,
    "breath": _breath,
    "chair": _chair,
    "paper": _paper,
    "throat": _throat,
    "cup": _cup,
    "hum": _hum,
    "music": _music,
    "double click": _double_click,
    "sneeze": _sneeze,
    "beep": _beep,
}


# --- what never stops -------------------------------------------------------------------------------------------


def _hiss(size: int, random: Generator) -> Linear:
    return random.normal(0, 1, size)


def _fan(size: int, random: Generator) -> Linear:
    blades = 1 + 0.2 * np.sin(2 * np.pi * random.uniform(8, 20) * np.arange(size) / audio.RATE)
    return _band(50, 600, size, random) * blades


def _street(size: int, random: Generator) -> Linear:
    """Cars that pass, each for some seconds."""
    seconds = np.arange(size) / audio.RATE
    cars = np.interp(seconds, np.arange(int(seconds[-1]) + 2), random.exponential(2, int(seconds[-1]) + 2))
    return _band(80, 1200, size, random) * (1 + cars)


def _hold_music(size: int, random: Generator) -> Linear:
    chords: list[Linear] = []
    while sum(map(len, chords)) < size:
        root, seconds = 220 * 2 ** (random.integers(0, 12) / 12), random.uniform(0.3, 0.6)
        chords.append(_buzz(root, seconds, 4) + _buzz(root * 1.25, seconds, 4) + _buzz(root * 1.5, seconds, 4))
    return np.concatenate(chords)[:size]


BACKGROUNDS: dict[str, Callable[[int, Generator], Linear]] = {
    "hiss": _hiss,
    "fan": _fan,
    "street": _street,
    "music": _hold_music,
}
