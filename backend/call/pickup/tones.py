"""Tones on the callee's side: the beep of a voicemail, a fax, a busy or a ringing line, a dead number, pressed keys.

Every frame is looked at cheaply: is nearly all of its power in one or two narrow places? Only a tone that has ended is
measured closely, once. What is a tone to a frame may be a vowel; what keeps its pitch to half a percent from beginning
to end, and has nothing between its harmonics, is no voice.

Sources: ITU-T Q.23 (keys), T.30 (fax: CNG 1100 Hz for 0.5 s in every 3.5, CED 2100 Hz for 2.6 to 4 s), E.180 and its
list of national tones (ringing, busy), ANSI T1.401 and Telcordia SR-2275 (special information tones).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from backend import audio
from backend.call.pickup.steady import Steady, measured
from backend.call.sound.keys import HIGH, KEYS, LOW

_SECONDS = audio.seconds(audio.FRAME)


class Signal(StrEnum):
    """What a tone means."""

    BEEP = "beep"
    """Steady, 0.1 to 2 s long: a recording begins."""
    SIT = "number not in service"
    """Three rising tones before a network's announcement."""
    CNG = "calling fax"
    CED = "answering fax"
    BUSY = "busy"
    RINGING = "ringing"
    DIAL = "dial tone"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone that has ended; only that of an answering fax is told while it lasts."""

    signal: Signal
    seconds: float
    pitches: tuple[float, ...] = ()
    """Hz, the loudest first; of tones one after the other, those of the last."""
    key: str = ""
    """The key that was pressed."""


@dataclass(slots=True)
class Tones:
    """Feed it every frame of the callee's side; time is counted from the sound."""

    _rest: bytes = b""
    _run: list[bytes] = field(default_factory=list)
    """The frames of the tone under way."""
    _bins: tuple[int, int] = (-1, -1)
    _missed: list[bytes] = field(default_factory=list)
    """The frames without a tone since the last one with it."""
    _steps: list[Steady] = field(default_factory=list)
    """Tones that followed each other without a gap."""
    _frames: int = 0
    _last: list[tuple[Steady, float]] = field(default_factory=list)
    """The tones before, each with its end in seconds."""
    _told: bool = False

    @property
    def on(self) -> bool:
        """Whether something steady has been sounding for a tenth of a second."""
        return len(self._run) >= _SHORTEST and not self._missed

    def feed(self, mulaw: bytes) -> list[Tone]:
        """The tones that ended with this sound. A beep is told 80 ms after its end.

        Args:
            mulaw: what the callee's side sent, of any length.
        """
        if len(mulaw) == audio.FRAME and not self._rest:
            return self._hear(mulaw)
        self._rest += mulaw
        heard: list[Tone] = []
        while len(self._rest) >= audio.FRAME:
            frame, self._rest = self._rest[: audio.FRAME], self._rest[audio.FRAME :]
            heard += self._hear(frame)
        return heard

    def _hear(self, frame: bytes) -> list[Tone]:
        self._frames += 1
        bins = _bins(frame)
        if bins is None:
            return self._hear_none(frame) if self._run or self._steps else []
        if self._run:
            # Its phase tells whether it is steady, so that nothing may be left out.
            self._run += self._missed
        self._missed = []
        if self._run and not _alike(bins, self._bins):
            self._end_step()
        if len(self._run) < _SETTLED:
            self._bins = bins
        self._run.append(frame)
        if len(self._run) > _LONGEST:
            return self._lasting()
        return []

    def _hear_none(self, frame: bytes) -> list[Tone]:
        self._missed.append(frame)
        if len(self._missed) == 1 and len(self._run) >= _SHORTEST:
            # Noise may hide a tone for a frame.
            return []
        self._end_step()
        if len(self._missed) < _GAP:
            return []
        steps, self._steps = self._steps, []
        return self._judge(steps, max(map(audio.level, self._missed[1:]))) if steps else []

    def _end_step(self) -> None:
        run, self._run = self._run, []
        told, self._told = self._told, False
        if not told and len(run) >= _SHORTEST - 2 and (step := measured(run)):
            self._steps.append(step)

    def _lasting(self) -> list[Tone]:
        """What lasts so long is told of once, and then only that it lasts."""
        step = None if self._told else measured(self._run)
        del self._run[: _LONGEST // 2]
        self._told = True
        signal = step and (Signal.CED if step.near(2100, 25) else _named(step))
        return [Tone(signal, step.seconds, step.pitches)] if step and signal else []

    def _judge(self, steps: list[Steady], after: float) -> list[Tone]:
        """What these tones without a gap between them mean; `after`: the level of what follows."""
        ended, before = self._frames * _SECONDS - _GAP * _SECONDS, self._last
        self._last = [*before, (steps[-1], ended)][-3:]
        last = steps[-1]
        if len(steps) >= 3 and _is_sit(steps[-3:]):
            return [Tone(Signal.SIT, sum(step.seconds for step in steps), last.pitches)]
        if len(steps) == 1 and (key := _key(last)):
            return [Tone(Signal.KEY, last.seconds, last.pitches, key)]
        signal = _named(last) or (_repeated(last, ended, before) if len(steps) == 1 else None)
        if signal is None and _is_beep(steps) and after < last.level - _FALLS and not _is_melody(ended, before):
            signal = Signal.BEEP
        return [Tone(signal, sum(step.seconds for step in steps), last.pitches)] if signal else []


# --- a frame ----------------------------------------------------------------------------------------------------

_LINEAR = audio.decode(bytes(range(256)))
_SHORTEST = 5
"""Frames that certainly hold a tone of a tenth of a second."""
_SETTLED = 2
"""Frames after which a tone is where it stays: a frame in which two tones meet must not lead from one to the other."""
_LONGEST = 115
"""Frames: no beep lasts longer."""
_GAP = 4
"""Frames without a tone that end it."""
_FAINTEST = 10 ** (-46 / 10) * audio.FRAME * 0.375
"""Power of a windowed frame, summed, below which nothing is a tone: -46 dB below full scale."""
_STEP = 50.0
"""Hz between two places that are looked at."""
_FIRST = 6
"""Of `_STEP`: 300 Hz."""
_PLACES = 42
"""Up to 2350 Hz."""
_SPREAD = 2
"""Places on either side over which the window spreads a tone."""
_PEAK = 0.2
"""Share of a frame's power in its loudest place; of two tones, and these between two places, the louder has as much."""
_PURE = 0.8
"""Share of its power in one or two tones; the rest may be noise or distortion."""


_WINDOW = np.hanning(audio.FRAME + 2)[1:-1].astype(np.float32)


def _looks() -> NDArray[np.float32]:
    """Columns to multiply a windowed frame with: for each place cosine and sine, as shares of the frame's power."""
    angles = 2 * np.pi * np.outer(np.arange(audio.FRAME), np.arange(_FIRST, _FIRST + _PLACES) * _STEP / audio.RATE)
    both = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(both * math.sqrt(2 / audio.FRAME), np.float32)


_LOOKS = _looks()


def _bins(frame: bytes) -> tuple[int, int] | None:
    """In which places the frame's one or two tones are, in order; -1 for no second. None where it is no tone."""
    sound = _LINEAR[np.frombuffer(frame, np.uint8)] * _WINDOW
    power = float(sound.dot(sound))
    if power < _FAINTEST:
        return None
    seen = sound @ _LOOKS
    seen *= seen
    shares = seen[:_PLACES] + seen[_PLACES:]
    first = int(shares.argmax())
    if shares[first] < _PEAK * power:
        return None
    start = max(0, first - _SPREAD)
    around = shares[start : first + _SPREAD + 1]
    share = float(np.add.reduce(around))
    if share >= _ALONE * power:
        return first, -1
    around[:] = 0
    second = int(shares.argmax())
    share += float(np.add.reduce(shares[max(0, second - _SPREAD) : second + _SPREAD + 1]))
    return (min(first, second), max(first, second)) if share >= _PURE * power else None


_ALONE = 0.86
"""Share of the power at which no second tone is looked for."""


def _alike(bins: tuple[int, int], before: tuple[int, int]) -> bool:
    """Whether the loudest place, or both, are still where they were; noise may make a second come and go."""
    if -1 in bins or -1 in before:
        return any(abs(a - b) <= 1 for a in bins for b in before if a >= 0 and b >= 0)
    return all(abs(a - b) <= 1 for a, b in zip(bins, before, strict=True))


# --- what tones mean --------------------------------------------------------------------------------------------

_SIT_TONES = ((914, 985), (1371, 1429), (1777, 1777))
_NAMED = {
    Signal.RINGING: ((440, 480), (400, 450)),
    Signal.BUSY: ((480, 620),),
    Signal.DIAL: ((350, 440),),
}


def _named(step: Steady) -> Signal | None:
    """Pairs of tones that are nothing else."""
    return next((signal for signal, pairs in _NAMED.items() for pair in pairs if step.near(*pair, 7)), None)


def _is_sit(steps: Sequence[Steady]) -> bool:
    return all(
        any(step.near(pitch, 0.03 * pitch) for pitch in either) for step, either in zip(steps, _SIT_TONES, strict=True)
    )


def _key(step: Steady) -> str:
    """The key whose two tones these are; empty for others. Q.24 lets receivers accept up to 3.5 %."""
    if len(step.pitches) != 2:
        return ""
    low, high = sorted(step.pitches)
    row = next((place for place, pitch in enumerate(LOW) if abs(low - pitch) < 0.025 * pitch), None)
    column = next((place for place, pitch in enumerate(HIGH) if abs(high - pitch) < 0.025 * pitch), None)
    return "" if row is None or column is None else KEYS[4 * row + column]


def _repeated(step: Steady, ended: float, before: Sequence[tuple[Steady, float]]) -> Signal | None:
    """Tones that mean something by their rhythm: told from the second on, but for a fax's."""
    if step.near(2100, 25) and step.seconds > 1:
        return Signal.CED
    if step.near(1100, 12) and 0.42 <= step.seconds <= 0.58:
        return Signal.CNG
    if step.near(425, 7) and 0.9 <= step.seconds <= 1.6:
        return Signal.RINGING
    again = any(other.near(*step.pitches, 4) and ended - end < 1.2 for other, end in before)
    return Signal.BUSY if again and (step.near(425, 7) or step.near(400, 5)) else None


_FALLS = 8.0
"""dB by which it is quieter after a beep: what follows a vowel is the rest of the word."""


def _is_beep(steps: Sequence[Steady]) -> bool:
    longest = max(steps, key=lambda step: step.seconds)
    inside = all(380 <= pitch <= 2300 for step in steps for pitch in step.pitches)
    total = sum(step.seconds for step in steps)
    return inside and len(steps) <= 3 and total <= 2.2 and longest.seconds >= _least(longest.pitches)


def _least(pitches: tuple[float, ...]) -> float:
    """Seconds that tones of these pitches must last at least: longer where they might be a voice's harmonics."""
    return 0.1 if len(pitches) == 1 else 0.24


def _is_melody(ended: float, before: Sequence[tuple[Steady, float]]) -> bool:
    """Whether tones come one after the other, as in music and in busy lines."""
    return sum(ended - end < 3 for _, end in before) >= 2
