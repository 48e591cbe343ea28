"""The sound of a pickup, made from its score: speech in several voices, tones as machines make them, and noise.

A score is what somebody says, with what else sounds in brackets; `pickups.toml` explains them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from backend import audio
from backend.audio import Samples
from backend.bench.sounds.noises import noise
from backend.bench.sounds.sounds import CAST, line_noise, mix
from backend.call.sound.keys import tones_of
from backend.engines.pool import Engines
from backend.tts.offline import pronounceable, sentences

_BEEP_LEVEL, _MUSIC_LEVEL, _NOISE_LEVEL = -18.0, -24.0, -26.0
"""dB below full scale."""
_LEVEL = -21.0
"""The same, for the engine's speech."""
_BETWEEN = 0.18
"""Seconds between two sentences."""
_CADENCES = {"us": ((440.0, 480.0), 2.0, 4.0), "eu": ((425.0,), 1.0, 4.0), "uk": ((400.0, 450.0), 0.4, 0.2)}
"""Ringing: its tones, seconds on, seconds off."""
_SIT = ((985.2, 0.38), (1428.5, 0.274), (1776.7, 0.38))


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of a score that is to be spoken."""

    words: str
    voice: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One piece in brackets."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A pickup's sound with what is known of it. Seconds from pick-up."""

    sound: bytes
    spoken: tuple[tuple[str, float, float], ...]
    """Words, and from when to when they are said."""
    answers: tuple[float, ...]
    """When the agent has spoken, and what follows answers it."""
    arrives: float
    """When the last one to speak begins to; 0 where there is only one."""


def pieces(score: str, voice: str) -> list[Said | Sign]:
    """The score in order; words that follow each other are one piece."""
    found: list[Said | Sign] = []
    for part in re.split(r"(\[[^]]*\])", score):
        if part.startswith("["):
            name, *values = part.strip("[]").split()
            voice = values[0] if name == "voice" else voice
            found.append(Sign(name, tuple(values)))
        elif words := part.strip():
            found.append(Said(words, voice))
    return found


async def scene(engines: Engines, score: str, voice: str, level: float, line: str, seed: int) -> Scene:
    """Make it; the same for the same seed.

    Raises:
        ProviderError: the offline voice does not work here.
    """
    random = np.random.default_rng(seed)
    sounds: list[bytes] = []
    spoken: list[tuple[str, float, float]] = []
    answers: list[float] = []
    arrives = at = 0.0
    for piece in pieces(score, voice):
        sound = await _sound(engines, piece, level, random)
        if isinstance(piece, Said):
            spoken.append((piece.words, at, at + audio.seconds(sound)))
        elif piece.name == "agent":
            answers.append(at)
        elif piece.name == "voice":
            arrives = at
        sounds.append(sound)
        at += audio.seconds(sound)
    whole = b"".join(sounds)
    return Scene(_on_line(whole, line, seed), tuple(spoken), tuple(answers), arrives)


def _on_line(sound: bytes, line: str, seed: int) -> bytes:
    if not line:
        return sound
    name, level = line.split()
    return mix(sound, line_noise(name, audio.seconds(sound), float(level), seed))


async def _sound(engines: Engines, piece: Said | Sign, level: float, random: Generator) -> bytes:
    if isinstance(piece, Sign):
        return sign(piece, random)
    between = audio.SILENCE * round(_BETWEEN * audio.RATE)
    voiced = [await engines.synthesise(pronounceable(part), CAST[piece.voice]) for part in sentences(piece.words)]
    return _louder(between.join(voiced), level - _LEVEL)


def _louder(sound: bytes, gain: float) -> bytes:
    return audio.encode(audio.decode(sound) * np.float32(10 ** (gain / 20))) if gain else sound


def sign(one: Sign, random: Generator) -> bytes:
    """What stands in brackets, as sound; empty for what is none.

    Raises:
        ValueError: there is no such sign.
    """
    match one.name, one.values:
        case "pause", (seconds,):
            return audio.SILENCE * round(float(seconds) * audio.RATE)
        case "beep", (pitches, seconds, *level):
            return audio.encode(beep(pitches, float(seconds), float(level[0]) if level else _BEEP_LEVEL))
        case "ring", (country, times):
            return ringing(country, int(times))
        case "busy", (times,):
            on, off = _level(tones((480.0, 620.0), 0.5), _MUSIC_LEVEL), np.zeros(audio.RATE // 2, np.float32)
            return audio.encode(np.concatenate([on, off] * int(times)))
        case "sit", ():
            parts = [_level(tones((pitch,), seconds), _BEEP_LEVEL) for pitch, seconds in _SIT]
            return audio.encode(np.concatenate(parts)) + audio.SILENCE * (audio.RATE // 2)
        case "cng", ():
            return audio.encode(_level(tones((1100.0,), 0.5), _BEEP_LEVEL))
        case "ced", ():
            return audio.encode(_level(tones((2100.0,), 3.0), _BEEP_LEVEL))
        case "music", (seconds,):
            return line_noise("music", float(seconds), _MUSIC_LEVEL, int(random.integers(1 << 30)))
        case "keys", (digits,):
            return tones_of(digits)
        case "noise", (name,):
            return audio.encode(_level(noise(name, random), _NOISE_LEVEL))
        case ("voice", (_,)) | ("agent", ()):
            return b""
    raise ValueError(f"[{' '.join((one.name, *one.values))}] is in no pickup's language; pickups.toml explains it")


def beep(pitches: str, seconds: float, level: float) -> Samples:
    """As machines make it: "1000", "850+1400" at once, "850/1400" one after the other; slightly distorted."""
    steps = pitches.split("/")
    parts = [tones(tuple(map(float, step.split("+"))), seconds / len(steps)) for step in steps]
    whole = np.concatenate(parts)
    return _level(np.tanh(1.2 * whole / np.abs(whole).max()).astype(np.float32), level)


def ringing(country: str, times: int) -> bytes:
    pitches, on, off = _CADENCES[country]
    gap = np.zeros(round(off * audio.RATE), np.float32)
    return audio.encode(np.concatenate([_level(tones(pitches, on), _MUSIC_LEVEL), gap] * times))


def tones(pitches: Sequence[float], seconds: float) -> Samples:
    """These tones at once, equally loud, with edges of 3 ms."""
    times = np.arange(round(seconds * audio.RATE)) / audio.RATE
    edge = np.minimum(1, np.minimum(times, times[::-1]) / 0.003)
    return np.asarray(edge * sum(np.sin(2 * np.pi * pitch * times) for pitch in pitches), np.float32)


def _level(sound: Samples, level: float) -> Samples:
    return np.asarray(sound * 10 ** (level / 20) / max(float(np.sqrt(np.mean(sound**2))), 1e-6), np.float32)
