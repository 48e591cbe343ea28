"""Sound as the phone network has it: 8 kHz mu-law (ITU-T G.711), one byte a sample, silence is 0xFF."""

from __future__ import annotations

import math

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 8000
"""Samples, and so bytes, a second."""
FRAME = 160
"""Bytes in the 20 ms that carriers send at a time."""
SILENCE = b"\xff"

Samples = NDArray[np.float32]
"""Linear samples from -1 to 1."""

_BIAS, _CLIP = 132, 32635


def _decoded() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 128, -size, size).astype(np.int16)


def _encoded() -> NDArray[np.uint8]:
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum(np.abs(linear), _CLIP) + _BIAS
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 15
    code: NDArray[np.uint8] = (~(np.where(linear < 0, 128, 0) | (exponent << 4) | mantissa)).astype(np.uint8)
    return code


_TO_LINEAR = (_decoded() / 32768).astype(np.float32)
_TO_MULAW = _encoded()
_POWER = _TO_LINEAR.astype(np.float64) ** 2


def decode(mulaw: bytes) -> Samples:
    """Mu-law to linear samples."""
    return _TO_LINEAR[np.frombuffer(mulaw, np.uint8)]


def encode(samples: Samples) -> bytes:
    """Linear samples to mu-law; what is louder than full scale is clipped."""
    linear = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    return _TO_MULAW[linear.view(np.uint16)].tobytes()


def resample(samples: Samples, rate: int, to: int = RATE) -> Samples:
    """A whole piece of sound at another rate, low-passed so that nothing aliases."""
    return np.asarray(soxr.resample(samples, rate, to), np.float32)


def level(mulaw: bytes) -> float:
    """Mean power in dB below full scale, -100 for silence."""
    if not mulaw:
        return -100.0
    # For 20 ms numpy's `mean` alone takes longer than all of this.
    power = np.add.reduce(_POWER[np.frombuffer(mulaw, np.uint8)]) / len(mulaw)
    return 10 * math.log10(max(power, 1e-10))


def seconds(mulaw: bytes | int) -> float:
    """How long this sound, or this many bytes of it, plays."""
    return (mulaw if isinstance(mulaw, int) else len(mulaw)) / RATE
