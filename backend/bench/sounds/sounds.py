"""Labelled telephone sound, made on this machine: what callees say and what their rooms do. The same for the same seed.

All sound is 8 kHz mu-law. `clips` is the way in; `Room` gives what a speakerphone adds, `mix` puts sounds together.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.random import Generator

from backend import audio
from backend.audio import Samples
from backend.bench.sounds import words as said
from backend.bench.sounds.noises import BACKGROUNDS, NOISES, background, noise
from backend.bench.sounds.room import Room
from backend.bench.sounds.words import SENTENCES, Words
from backend.engines.pool import VOICES, Engines, Voice

__all__ = ["BACKGROUNDS", "CAST", "SENTENCES", "Clip", "Kind", "Part", "Room", "clips", "frames", "line_noise", "mix"]


class Kind(StrEnum):
    """Why there is sound on the callee's side."""

    BACKCHANNEL = "backchannel"
    """Words that say: go on."""
    NOISE = "noise"
    INTERRUPTION = "interruption"
    """Words that want the floor."""
    GREETING = "greeting"
    HESITATING = "hesitating"
    """One sentence with pauses of 0.4-1.2 s inside."""


@dataclass(frozen=True, slots=True)
class Part:
    """Words between two pauses, and the seconds from the clip's beginning where they can be heard."""

    text: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance, or one noise."""

    sound: bytes = field(repr=False)
    text: str
    """What is said; for a noise which it is, in brackets."""
    kind: Kind
    voice: str
    level: float
    """dB below full scale while there is sound."""
    parts: tuple[Part, ...]

    @property
    def onset(self) -> float:
        """Seconds from the clip's beginning to the first that can be heard."""
        return self.parts[0].begins

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return audio.seconds(self.sound)


CAST = {name: voice for name, voice in VOICES.items() if name != "agent"} | {
    "deep": Voice(pitch=0.58, formant=0.86, speed=0.95),
    "bright": Voice(pitch=1.25, formant=1.10, speed=1.05),
    "brisk": Voice(pitch=0.78, formant=0.94, speed=1.2),
}
"""The callees' voices; none is the agent's."""

_WORDS: dict[Kind, tuple[Words, ...]] = {
    Kind.BACKCHANNEL: said.BACKCHANNELS,
    Kind.INTERRUPTION: said.INTERRUPTIONS,
    Kind.GREETING: said.GREETINGS,
    Kind.HESITATING: said.HESITATING,
}
_PAUSES = {Kind.HESITATING: (0.4, 1.2), Kind.GREETING: (0.25, 0.6)}
"""Seconds between two parts."""
_LOUDEST, _QUIETEST = -14.0, -30.0


async def clips(engines: Engines, kind: Kind, count: int, seed: int = 1) -> list[Clip]:
    """So many of a kind: every text or noise before any comes again, with voices and levels (-14 to -30 dB) that vary.

    The first ones of a seed are the same for every count.

    Raises:
        ProviderError: the offline voice does not work here. Noises need none.
    """
    random = np.random.default_rng([zlib.crc32(kind.encode()), seed])
    if kind is Kind.NOISE:
        names = list(NOISES)
        return [_noise(names[place % len(names)], random) for place in range(count)]
    return [await _speech(engines, kind, place, random) for place in range(count)]


async def _speech(engines: Engines, kind: Kind, place: int, random: Generator) -> Clip:
    words, voices = _WORDS[kind], list(CAST)
    turn, text = divmod(place, len(words))
    # Another voice for each text, and for each text another voice in the next round.
    voice = voices[(text + turn) % len(voices)]
    said_so = words[text]
    parts = (said_so,) if isinstance(said_so, str) else said_so
    level, pauses = random.uniform(_QUIETEST, _LOUDEST), random.uniform(*_PAUSES.get(kind, (0, 0)), len(parts))
    sounds = [_telephone(audio.decode(await engines.synthesise(part, CAST[voice]))) for part in parts]
    return _joined(parts, sounds, pauses.tolist(), Clip(b"", " ".join(parts), kind, voice, level, ()))


def _noise(name: str, random: Generator) -> Clip:
    sound, level = _telephone(noise(name, random)), random.uniform(_QUIETEST, _LOUDEST)
    return _joined((f"[{name}]",), [sound], [0.0], Clip(b"", f"[{name}]", Kind.NOISE, "", level, ()))


def _joined(texts: Sequence[str], sounds: list[Samples], pauses: list[float], label: Clip) -> Clip:
    """The parts with pauses between what can be heard of them, at the label's level."""
    trimmed = [sound[slice(*_audible(sound))] for sound in sounds]
    loudness = np.sqrt(np.mean(np.concatenate(trimmed) ** 2))
    scale = np.float32(10 ** (label.level / 20) / max(loudness, 1e-6))
    edge = np.zeros(audio.FRAME, np.float32)
    pieces, parts, at = [edge], [], len(edge)
    for text, sound, pause in zip(texts, trimmed, pauses, strict=True):
        parts.append(Part(text, at / audio.RATE, (at + len(sound)) / audio.RATE))
        rest = np.zeros(round(pause * audio.RATE) if len(parts) < len(trimmed) else 0, np.float32)
        pieces += [sound * scale, rest]
        at += len(sound) + len(rest)
    whole = np.concatenate([*pieces, edge])
    return Clip(audio.encode(whole), label.text, label.kind, label.voice, label.level, tuple(parts))


def _audible(sound: Samples) -> tuple[int, int]:
    """From where to where it is less than 30 dB below its loudest, to 5 ms."""
    step = audio.RATE // 200
    power = np.array([np.mean(sound[at : at + step] ** 2) for at in range(0, len(sound), step)])
    heard = np.flatnonzero(power > power.max(initial=0) * 1e-3)
    return (int(heard[0]) * step, int(heard[-1] + 1) * step) if len(heard) else (0, len(sound))


def _telephone(sound: Samples) -> Samples:
    """What a telephone lets through: 250 to 3500 Hz."""
    pitch = np.fft.rfftfreq(len(sound), 1 / audio.RATE)
    shape = 1 / (1 + (250 / np.maximum(pitch, 1)) ** 6) / (1 + (pitch / 3500) ** 12)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * shape, len(sound)), np.float32)


# --- putting sounds together ------------------------------------------------------------------------------------


def mix(first: bytes, second: bytes) -> bytes:
    """Both at once, as long as the longer; what is too loud together is clipped."""
    size = max(len(first), len(second))
    both = [audio.decode(sound.ljust(size, audio.SILENCE)) for sound in (first, second)]
    return audio.encode(both[0] + both[1])


def frames(sound: bytes) -> list[bytes]:
    """The sound in 20 ms pieces, the last filled up with silence."""
    return [sound[at : at + audio.FRAME].ljust(audio.FRAME, audio.SILENCE) for at in range(0, len(sound), audio.FRAME)]


def line_noise(name: str, seconds: float, level: float, seed: int = 1) -> bytes:
    """A background that never stops, one of `BACKGROUNDS`, at this many dB below full scale; to be mixed in."""
    return audio.encode(background(name, seconds, level, np.random.default_rng(seed)))
