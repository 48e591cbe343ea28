"""When the callee's side becomes loud and quiet again: a cheap, clock-free detector on the frames themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from backend import audio


class Change(Enum):
    ON = "on"
    OFF = "off"


@dataclass(slots=True)
class Loudness:
    """Feed it every frame; time is counted from the sound. Loud means clearly above the line's own noise."""

    threshold: float = -42.0
    """dB below full scale that speech on a phone line exceeds."""
    margin: float = 10.0
    """dB above the noise floor that also must be exceeded."""
    attack: float = 0.06
    """Seconds of loud sound before it counts: clicks are shorter."""
    release: float = 0.3
    """Seconds of quiet before it counts as over: gaps between words are shorter."""
    quiet: float = 0.0
    """Seconds since the last loud frame."""
    _floor: float = -60.0
    _on: bool = False
    _held: float = 0.0
    """Seconds that the sound has been the opposite of `_on`."""

    def feed(self, mulaw: bytes) -> Change | None:
        """What this frame changed."""
        level = audio.level(mulaw)
        loud = level > max(self.threshold, self._floor + self.margin)
        # Follow the line's noise, slowly upwards: a hum is not speech for the whole call, and speech is no hum.
        self._floor += (0.002 if loud else 0.05) * (level - self._floor)
        self.quiet = 0.0 if loud else self.quiet + audio.seconds(mulaw)
        self._held = self._held + audio.seconds(mulaw) if loud != self._on else 0.0
        if self._held < (self.release if self._on else self.attack):
            return None
        self._on, self._held = not self._on, 0.0
        return Change.ON if self._on else Change.OFF
