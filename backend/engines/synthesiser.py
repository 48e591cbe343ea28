"""Hibari: from a sentence to its sound, a hundred times faster than it is spoken, in any of the voices."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend import audio
from backend.audio import Samples

BREATH = 0.16
"""Seconds of silence after a sentence."""
LOUDNESS = 0.09
"""Root mean square of a sentence, of full scale: -21 dB."""


def synthesiser() -> Callable[[str, float, float, float], bytes]:
    """Load the model; the function takes a sentence with pitch, formant and speed and gives its sound as mu-law."""
    hibari, dsp = import_module("hibari"), import_module("hibari.dsp")
    model = hibari.Hibari(threads=1)

    def synthesise(sentence: str, pitch: float, formant: float, speed: float) -> bytes:
        sound: list[Samples] = []
        breath = np.zeros(round(BREATH * model.sample_rate), np.float32)
        noise = np.random.default_rng(7)  # the same sentence always sounds the same
        for phonemes in model.phonemize(sentence):
            *bands, tone = _spectrum(model, phonemes, speed)
            # The bands: size and phase of the harmonics, size of the noise, size and phase of the rest.
            bands = [_stretch(band, formant, phase=place in {1, 4}) for place, band in enumerate(bands)]
            sound += [breath, _trim(dsp.synth(*bands, tone * pitch, noise), model.sample_rate)]
        whole = np.concatenate([breath[:0], *sound[1:]])
        return audio.encode(audio.resample(_levelled(whole), model.sample_rate))

    synthesise("Warm up.", 0.65, 0.9, 1.0)
    return synthesise


def _spectrum(model: Any, phonemes: str, speed: float) -> list[NDArray[np.float32]]:
    inputs = {"ids": np.array([model.ids(phonemes)], np.int64), "speed": np.array([speed], np.float32)}
    return [part[0] for part in model.sess.run(None, inputs)]


def _stretch(band: NDArray[np.float32], by: float, phase: bool) -> NDArray[np.float32]:
    """Move the resonances in a spectrum (frequencies by frames) up or down. Sizes are averaged, phases cannot be."""
    if by == 1:
        return band
    place = np.clip(np.arange(len(band)) / by, 0, len(band) - 1.001)
    low = place.astype(int)
    share = (place - low).astype(np.float32)[:, None]
    share = np.rint(share) if phase else share
    stretched: NDArray[np.float32] = band[low] * (1 - share) + band[low + 1] * share
    return stretched


def _levelled(sound: Samples) -> Samples:
    """As loud as speech on the phone is, whichever the voice."""
    power = float(np.sqrt(np.mean(sound**2))) if len(sound) else 0.0
    return sound * np.float32(min(LOUDNESS / power, 0.95 / np.abs(sound).max())) if power else sound


def _trim(sound: Samples, rate: int, keep: float = 0.03) -> Samples:
    """Without the half second of silence the model puts around a sentence: it would be dead air on the line."""
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max(initial=0))
    if not len(loud):
        return sound[:0]
    margin = math.ceil(keep * rate)
    return sound[max(0, loud[0] - margin) : loud[-1] + margin]
