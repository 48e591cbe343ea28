"""When the callee's side becomes loud and quiet again: a cheap, clock-free detector on the frames themselves.

It knows what the agent itself is playing, so that the echo of a speakerphone is not taken for the callee.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from math import log10
from operator import add

import numpy as np

from backend import audio

_linear = audio.decode(bytes(range(256))).take
"""Of mu-law, as numbers."""
_BYTE = np.dtype(np.uint8)
_SECONDS = audio.seconds(audio.FRAME)
_NOTHING = -100.0
"""dB below full scale of digital silence."""


class Change(Enum):
    ON = "on"
    OFF = "off"


@dataclass(slots=True)
class Loudness:
    """Feed it every frame; time is counted from the sound. Loud means clearly above the line's noise and our echo."""

    threshold: float = -42.0
    """dB below full scale that speech on a phone line exceeds."""
    margin: float = 10.0
    """dB above the noise floor that also must be exceeded."""
    attack: float = 0.06
    """Seconds of loud sound before it counts: clicks are shorter."""
    release: float = 0.24
    """Seconds of quiet before it counts as over: gaps between words are shorter, pauses at a comma are not."""
    fading: float = 8.0
    """dB below `threshold` that still count once sound has begun: words fade."""
    nearing: float = 3.0
    """dB that sound may then also come nearer to the line's noise, and to the echo that is expected."""
    quiet: float = float("inf")
    """Seconds since the last loud frame."""
    _noise: _Noise = field(default_factory=lambda: _Noise())
    _echo: _Echo = field(default_factory=lambda: _Echo())
    _on: bool = False
    _held: float = 0.0
    """Seconds that the sound has been the opposite of `_on`; on the way to on, less those that it has not."""
    _rest: bytes = b""
    _rest_ours: bytes = b""

    def feed(self, mulaw: bytes, ours: bytes = b"") -> Change | None:
        """What this sound changed; of several changes in one long piece the last.

        Args:
            mulaw: what the callee's side sent, of any length.
            ours: the agent's sound that the carrier is believed to play meanwhile; none when it is quiet. Its echo is
                expected at any time in the next 0.6 s, until the delay is known.
        """
        if len(mulaw) == audio.FRAME and not self._rest:
            return self._judge(mulaw, ours)
        self._rest_ours += ours[: len(mulaw)].ljust(len(mulaw), audio.SILENCE)
        self._rest += mulaw
        change = None
        while len(self._rest) >= audio.FRAME:
            change = self._judge(self._rest[: audio.FRAME], self._rest_ours[: audio.FRAME]) or change
            self._rest, self._rest_ours = self._rest[audio.FRAME :], self._rest_ours[audio.FRAME :]
        return change

    def _judge(self, mulaw: bytes, ours: bytes) -> Change | None:
        level, echo = _level(mulaw), self._echo.expect(ours)
        if self._on:
            near = max(self._noise.floor + self.margin, echo) - self.nearing
            loud = level > max(self.threshold - self.fading, near)
        else:
            loud = level > max(self.threshold, self._noise.floor + self.margin, echo)
        self._noise.follow(level, loud or echo > _NOTHING)
        if echo > _NOTHING:
            self._echo.learn(level, loud)
        self.quiet = 0.0 if loud else self.quiet + _SECONDS
        return self._decide(loud)

    def _decide(self, loud: bool) -> Change | None:
        if loud != self._on:
            self._held += _SECONDS
        else:
            self._held = 0.0 if self._on else max(0.0, self._held - _SECONDS)
        if self._held < (self.release if self._on else self.attack) - 1e-6:
            return None
        self._on, self._held = not self._on, 0.0
        return Change.ON if self._on else Change.OFF


# --- the line's noise -------------------------------------------------------------------------------------------

_HALF = 25
"""Frames in half a second."""


class _Noise:
    """How loud the line is when nobody speaks, in dB below full scale."""

    def __init__(self) -> None:
        self.floor = -60.0
        # Three seconds in which nobody drew breath are noise; the first two of a call already are.
        self._lowest = [0.0] * 3 + [_NOTHING] * 3
        """The quietest frame of each half second, the one under way first."""
        self._age = 0

    def follow(self, level: float, other: bool) -> None:
        """Learn from a frame; with something other than noise in it, only that noise cannot be louder."""
        if level < self._lowest[0]:
            self._lowest[0] = level
        self._age += 1
        if self._age == _HALF:
            self.floor = max(self.floor, min(self._lowest))
            self._lowest = [0.0, *self._lowest[:-1]]
            self._age = 0
        if level < self.floor or not other:
            self.floor += 0.05 * (max(level, -80.0) - self.floor)


# --- our own echo -----------------------------------------------------------------------------------------------

_REACH = 30
"""Frames that an echo may take: 0.6 s, for network, phone and room together."""
_GAIN = -14.0
"""dB from our sound to its echo that are believed of any phone until more is known."""
_LEAST = -36.0
"""dB to which a gain is lowered: what is quieter than that is below `threshold`, and might still become louder."""
_SPARE = 6.0
"""dB that an echo may be louder than what was learned: rooms and small speakers favour some sounds."""
_TELLING = -40.0
"""dB below full scale that our sound exceeds where something can be learned from its echo, or from there being none."""
_FALL = 0.04
"""Share of the difference by which a quieter frame lowers a gain."""
_RISE = 0.3
"""Share of the difference by which a louder frame raises the gains: too much caution does less harm than too little."""
_DOUBTED = 0.2
"""dB by which a frame that counts as the callee's raises them: it may be echo all the same, and not for ever."""


_SPARING = 3
"""Where there is no echo, our own loudness is looked at only every so many frames."""


class _Echo:
    """How loud the agent's own sound comes back, and after how long, learned while it speaks.

    For each delay there is a gain, and all are high at first. Whenever we were loud so long ago and the other side is
    quiet now, that delay's gain was believed too high; in the end only the true ones are left.
    """

    def __init__(self) -> None:
        self._levels = deque([_NOTHING] * _REACH, maxlen=_REACH)
        """Ours, the newest first."""
        self._gains = [_GAIN] * _REACH
        """By the frames that the echo took."""
        self._frames = 0
        self._silent = _REACH
        """Frames since we were heard."""
        self._most = _NOTHING
        """The echo now: of all that may be heard, the loudest."""
        self._ours = _NOTHING
        self._settled = False
        """Whether every gain is as low as it gets: on most lines there is no echo, and nothing left to learn."""

    def expect(self, ours: bytes) -> float:
        """dB below full scale that no echo exceeds now; that of silence, when there cannot be one."""
        if ours and not (self._settled and self._frames % _SPARING):
            self._ours = _level(ours)
        level = self._ours if ours else _NOTHING
        self._silent = 0 if level > -60 else self._silent + 1
        if self._silent > _REACH:
            return _NOTHING
        self._frames += 1
        self._levels.appendleft(level)
        self._most = max(self._levels) + _LEAST if self._settled else max(map(add, self._levels, self._gains))
        return max(self._most + _SPARE, _NOTHING + 1)

    def learn(self, level: float, loud: bool) -> None:
        """Take a frame of the callee's side as our echo; hardly, if it counts as the callee's."""
        if self._settled and level <= self._most:
            return
        rise = 0.0
        if level > self._most:
            rise = _DOUBTED if loud else _RISE * (level - self._most)
        for delay, ours in enumerate(self._levels):
            if ours > _TELLING:
                gain = self._gains[delay]
                fall = _FALL * min(level - (ours + gain), 0.0)
                self._gains[delay] = max(gain + rise + fall, _LEAST)
        self._settled = max(self._gains) <= _LEAST


def _level(mulaw: bytes) -> float:
    """As `audio.level`, in less than half the time: this runs for every frame of every call."""
    sound = _linear(np.frombuffer(mulaw, _BYTE))
    return 10 * log10(float(sound.dot(sound)) / len(mulaw) + 1e-10)
