"""A speakerphone in a room: what its microphone takes up of what its speaker plays."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from backend import audio

_TAPS = 320
"""Samples of the room's answer: 40 ms."""


class Room:
    """The way from the phone's speaker to its microphone, network delays included. Has a memory: one per call."""

    def __init__(self, delay: float, gain: float, random: Generator, decay: float = 0.008, clips: bool = False) -> None:
        """A room of one's own measures.

        Args:
            delay: seconds from the sound's going out to its coming back.
            gain: dB from the agent's level to that of its echo; below 0.
            random: decides how the room colours the sound.
            decay: seconds in which the room's answer dies down to a third.
            clips: whether the speaker is too small for the sound, so that loud parts come back distorted.
        """
        answer = random.normal(0, 0.5, _TAPS) * np.exp(-np.arange(_TAPS) / (decay * audio.RATE))
        answer[0] = 1.0
        self._answer = (answer / np.sqrt(np.sum(answer**2)) * 10 ** (gain / 20)).astype(np.float32)
        self._clips = clips
        self._delayed = np.zeros(round(delay * audio.RATE), np.float32)
        self._before = np.zeros(_TAPS - 1, np.float32)
        self.delay, self.gain = delay, gain

    @classmethod
    def any(cls, random: Generator) -> Room:
        """One as there are: 60-350 ms away, 12-35 dB quieter, every third with a speaker that distorts."""
        delay, gain, decay = random.uniform(0.06, 0.35), random.uniform(-35, -12), random.uniform(0.003, 0.015)
        return cls(delay, gain, random, decay, bool(random.random() < 1 / 3))

    def hear(self, played: bytes) -> bytes:
        """The microphone's side while the speaker plays this, as many mu-law bytes. It wants silence too."""
        sound = np.concatenate([self._delayed, audio.decode(played)])
        leaving, self._delayed = sound[: len(played)], sound[len(played) :]
        if self._clips:
            leaving = np.clip(leaving, -0.2, 0.2)
        sound = np.concatenate([self._before, leaving])
        self._before = sound[len(leaving) :]
        return audio.encode(np.convolve(sound, self._answer, "valid"))
