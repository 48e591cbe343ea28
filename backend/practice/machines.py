"""What machines that pick up do after their first words, step by step, and the sounds that they make. Pure."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend import audio
from backend.audio import Samples


@dataclass(frozen=True, slots=True)
class Beep:
    """What answering machines play before they record: 0.4 s of 1000 Hz."""


@dataclass(frozen=True, slots=True)
class Record:
    """Take a message, and hang up after it."""


@dataclass(frozen=True, slots=True)
class Says:
    words: str
    """Where `{name}` may stand for the callee's."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Until something was said to it, as far as that may take."""


@dataclass(frozen=True, slots=True)
class Music:
    seconds: float


@dataclass(frozen=True, slots=True)
class Menu:
    """Waits for one of these keys, and reads its first words again until it is heard."""

    right: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody comes to the phone, with these first words; from here on it talks as any persona."""

    hello: str = "Hello, this is {name}."
    nameless_hello: str = "Hello?"


Step = Beep | Record | Says | Wait | Music | Menu | Person
Steps = tuple[Step, ...]

RECORDS: Steps = (Beep(), Record())

_NOTES = (523.25, 659.25, 783.99, 659.25, 587.33, 698.46, 880.0, 698.46)
"""Hz: a melody without words, in the middle of what a telephone lets through."""
_NOTE = 0.4
"""Seconds."""


@functools.cache
def beep() -> bytes:
    times = np.arange(round(0.4 * audio.RATE)) / audio.RATE
    return audio.encode((0.3 * np.sin(2 * np.pi * 1000 * times)).astype(np.float32))


def music(seconds: float) -> bytes:
    """A simple tune, over and over, that dies away within each note as a plucked string does."""
    tune = [_pluck(pitch) for pitch in _NOTES]
    count = round(seconds / _NOTE)
    return audio.encode(np.concatenate([tune[place % len(tune)] for place in range(count)]))


def _pluck(pitch: float) -> Samples:
    times = np.arange(round(_NOTE * audio.RATE)) / audio.RATE
    swell = np.minimum(1, times / 0.01) * np.exp(-2.5 * times / _NOTE)
    strings: Sequence[Samples] = [
        np.asarray(np.sin(2 * np.pi * part * pitch * times) / part**1.5, np.float32) for part in (0.5, 1, 2, 3)
    ]
    return np.asarray(0.15 * swell * np.sum(strings, axis=0), np.float32)
