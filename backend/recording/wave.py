"""WAV files of two channels of mu-law, the callee left: what carriers send, as it came. Pure.

The format is that of Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" and its revision 3.0,
which asks other formats than PCM for the longer `fmt ` and for a `fact` chunk.
"""

from __future__ import annotations

import struct

import numpy as np

from backend.audio import RATE, decode

_HEADER = struct.Struct("<4sI4s 4sIHHIIHHH 4sII 4sI")
HEADER = _HEADER.size
"""Bytes before the sound."""
FRAME = 2
"""Bytes of one moment: a sample of each side."""
_MULAW, _FORMAT_SIZE, _BITS = 7, 18, 8
STEP = 160
"""Moments in one level: 20 ms."""


def header(moments: int) -> bytes:
    """What stands before so many moments of sound."""
    size, riff, form = moments * FRAME, b"RIFF", b"WAVE"
    about = (b"fmt ", _FORMAT_SIZE, _MULAW, FRAME, RATE, RATE * FRAME, FRAME, _BITS, 0)
    return _HEADER.pack(riff, HEADER - 8 + size, form, *about, b"fact", 4, moments, b"data", size)


def repaired(start: bytes, size: int) -> bytes | None:
    """The header that a file of this size should have; None where it has that, or is none of ours.

    Args:
        start: its first `HEADER` bytes.
        size: the file's, in bytes. Only the last write can be missing in the header, since each is followed by it.
    """
    ours = len(start) == HEADER and start.startswith(b"RIFF") and start[8:16] == b"WAVEfmt "
    right = header((size - HEADER) // FRAME) if ours else start
    return None if right == start else right


def interleaved(callee: bytes, agent: bytes) -> bytes:
    """Two sides of the same length, sample by sample."""
    both = bytearray(len(callee) * FRAME)
    both[0::2], both[1::2] = callee, agent
    return bytes(both)


def levels(sound: bytes) -> tuple[bytes, bytes]:
    """How loud the left and the right side are, a byte for each 20 ms: 0 at 60 dB below full scale, 255 at the top.

    Args:
        sound: what follows the header; what is less than 20 ms at its end is left out.
    """
    moments = len(sound) // FRAME // STEP * STEP
    power = decode(sound[: moments * FRAME]).astype(np.float64) ** 2
    mean = power.reshape(-1, STEP, FRAME).mean(axis=1)
    loud = np.clip(255 * (1 + 10 * np.log10(np.maximum(mean, 1e-10)) / 60), 0, 255).astype(np.uint8)
    return loud[:, 0].tobytes(), loud[:, 1].tobytes()
