"""The operator's live sound on its way to the line: how far ahead of the callee's ear it is, and what to drop. Pure.

A microphone brings sound in real time, more or less: late by a little, and at a clock of its own. The carrier plays all
that it is sent, one after the other. So each gap in what is sent would be heard, and whatever came too early once would
stay in front of everything that follows, for as long as the talk lasts.
"""

from __future__ import annotations

from backend import audio
from backend.audio import RATE, SILENCE

_CUSHION = 0.04
"""Seconds of silence sent ahead of sound that follows a pause: what comes a little late then leaves no gap."""
_MUCH, _MOST = 0.12, 0.3
"""Seconds that may wait with the carrier: of more than the first, quiet is dropped; of more than the second, all."""
_QUIET = -45.0
"""dB below full scale: nobody talks as softly as that into a microphone."""
_KEPT = 1.0
"""Seconds of sound that are remembered, for telling an echo."""


class Passage:
    """One taking over's. Moments are seconds on the caller's clock."""

    def __init__(self) -> None:
        self._runs_dry = 0.0
        """When the carrier will have played all that was sent."""
        self._sent = bytearray()
        """The end of it."""

    def take(self, mulaw: bytes, now: float) -> bytes:
        """What to send of this, now: all of it, with a cushion where it is needed, or nothing."""
        waiting = self._runs_dry - now
        if waiting + audio.seconds(mulaw) > _MOST or (waiting > _MUCH and audio.level(mulaw) < _QUIET):
            return b""
        sound = mulaw if waiting > 0 else SILENCE * round(_CUSHION * RATE) + mulaw
        self._runs_dry = max(now, self._runs_dry) + audio.seconds(sound)
        self._sent += sound
        del self._sent[: -round(_KEPT * RATE)]
        return sound

    def sounding(self, now: float, seconds: float) -> bytes:
        """The last so many seconds of what the carrier has played by now, as far as can be told from here."""
        if now >= self._runs_dry:
            return b""
        end = max(0, len(self._sent) - round((self._runs_dry - now) * RATE))
        return bytes(self._sent[max(0, end - round(seconds * RATE)) : end])
