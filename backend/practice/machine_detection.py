"""Answering-machine detection on the callee's sound, by the rules Twilio documents; free of I/O and clocks.

A person says a word or two and waits; a machine talks on, and beeps when it is done.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.audio import FRAME, RATE, decode, level

SPEECH_DB = -40.0
"""Louder than this is speech; line noise stays below."""
BEEP_MS = 200
LOWEST_BEEP, HIGHEST_BEEP = 400.0, 2000.0
"""Hz. Lower pure tones occur in long vowels; higher ones are fax machines."""
PURITY = 0.9
"""Share of a frame's power that a pure tone has around its peak; speech is spread over many harmonics."""

_WINDOW = np.hanning(FRAME)
_BIN = RATE / FRAME


@dataclass(frozen=True, slots=True)
class Rules:
    """How to listen; the fields are Twilio's, in milliseconds, and so are their defaults."""

    until_message_end: bool = False
    """`DetectMessageEnd`: a machine is reported when one may speak to it. Otherwise as soon as it is known."""
    timeout: int = 30_000
    speech_threshold: int = 2_400
    """A greeting that is at least this long is a machine's."""
    speech_end_threshold: int = 1_200
    """After this much silence a greeting is over."""
    silence_timeout: int = 5_000
    """Without a word for this long nobody knows."""


@dataclass(frozen=True, slots=True)
class Verdict:
    answered_by: str
    """Twilio's `AnsweredBy`: human, machine_start, machine_end_beep, _end_silence or _end_other, or unknown."""
    after_ms: int
    """Since the call was answered."""


class MachineDetection:
    """Hears one call from its first frame and judges once."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._now = 0
        self._quiet = 0
        self._speech_began: int | None = None
        self._pitch: float | None = None
        self._tone_ms = 0
        self._judged = False

    def hear(self, frame: bytes) -> Verdict | None:
        """Take the next 20 ms; returns the verdict at the frame that settles it, and None before and after."""
        if self._judged:
            return None
        self._listen(frame)
        answered_by = self._judge()
        self._judged = answered_by is not None
        return Verdict(answered_by, self._now) if answered_by else None

    def _listen(self, frame: bytes) -> None:
        length = 1000 * len(frame) // RATE
        loud = level(frame) > SPEECH_DB
        if loud and self._speech_began is None:
            self._speech_began = self._now
        self._now += length
        self._quiet = 0 if loud else self._quiet + length

        pitch = tone(frame) if loud else None
        steady = pitch is not None and self._pitch is not None and abs(pitch - self._pitch) <= _BIN
        self._tone_ms = self._tone_ms + length if steady else length if pitch else 0
        self._pitch = pitch

    def _judge(self) -> str | None:
        rules = self._rules
        if self._tone_ms >= BEEP_MS:
            return "machine_end_beep" if rules.until_message_end else "machine_start"
        if self._speech_began is None:
            return "unknown" if self._now >= min(rules.silence_timeout, rules.timeout) else None

        machine = self._now - self._quiet - self._speech_began >= rules.speech_threshold
        if machine and not rules.until_message_end:
            return "machine_start"
        if self._quiet >= rules.speech_end_threshold:
            return "machine_end_silence" if machine else "human"
        if self._now >= rules.timeout:
            return "machine_end_other" if machine else "unknown"
        return None


def tone(frame: bytes) -> float | None:
    """The frequency of a pure tone in the range of beeps, to about 50 Hz; None for any other sound."""
    if len(frame) != FRAME:
        return None
    power = np.abs(np.fft.rfft(decode(frame) * _WINDOW)) ** 2
    peak = int(power.argmax())
    pure = power[max(peak - 1, 0) : peak + 2].sum() >= PURITY * power.sum()
    return peak * _BIN if pure and LOWEST_BEEP <= peak * _BIN <= HIGHEST_BEEP else None
