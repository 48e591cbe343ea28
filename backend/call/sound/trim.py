"""Speech without the silence a voice puts around it: before it, where somebody waits, and too much of it after."""

from __future__ import annotations

import numpy as np

from backend import audio
from backend.call.text import ends_sentence
from backend.models import Spoken

QUIET = -45.0
"""dB below full scale. No sample above it is ever dropped."""
FAINT = -50.0
"""dB below full scale, mean of 20 ms: soft consonants are louder, what a voice breathes in a pause is not."""
LEAD = 0.02
"""Seconds of quiet that stay before the first sound: soft consonants begin below the threshold."""
MOST = 0.4
"""Of a longer quiet at the beginning, no more than this is dropped: it may be meant."""
AFTER_SENTENCE, AFTER_CLAUSE, AFTER_WORD = 0.23, 0.15, 0.06
"""Seconds of quiet that stay at the end; with the next clause's lead that is a natural pause. The last is for a clause
that was cut where no mark stands."""

_MS = audio.RATE // 1000
_LOUD = np.abs(audio.decode(bytes(range(256)))) > 10 ** (QUIET / 20)


class Trim:
    """One clause on its way from a voice. Sound goes in as it comes, and what may be played comes out at once.

    Only quiet is ever held back: at the beginning until sound comes, and beyond the pause that the clause's end may
    have until more sound comes, since only then it is a pause within the clause. Every character keeps its place in
    the sound, and none is lost.
    """

    def __init__(self, text: str) -> None:
        self._pause = round(_pause_after(text) * audio.RATE)
        self._sound = b""
        """Held back."""
        self._letters: list[tuple[str, int]] = []
        """Held back, each with the byte of `_sound` at which it begins."""
        self._dropped = 0
        """Bytes of quiet left out at the beginning."""
        self._begun = False
        self._quiet = 0
        """Bytes of quiet at the end of what came out."""

    def take(self, spoken: Spoken) -> Spoken | None:
        """Add a piece; what may be played by now, if anything."""
        base = len(self._sound)
        self._letters += [(char, base + start * _MS) for char, start in zip(spoken.text, spoken.starts, strict=True)]
        self._sound += spoken.sound
        loud = np.flatnonzero(_LOUD[np.frombuffer(self._sound, np.uint8)])
        if not self._begun:
            self._drop(int(loud[0]) if len(loud) else len(self._sound), heard=bool(len(loud)))
            loud = np.flatnonzero(_LOUD[np.frombuffer(self._sound, np.uint8)])
        if not self._begun:
            return None
        if len(loud):
            self._quiet = -int(loud[-1]) - 1
        return self._let_out(min(len(self._sound), self._pause - self._quiet))

    def finish(self) -> Spoken | None:
        """No more sound will come: the characters still held back, and of the quiet nothing."""
        letters, self._letters, self._sound = self._letters, [], b""
        return Spoken(b"", "".join(char for char, _ in letters), (0,) * len(letters)) if letters else None

    def _drop(self, quiet: int, heard: bool) -> None:
        """Of this much quiet at the beginning, drop what may be dropped."""
        room = round(MOST * audio.RATE) - self._dropped
        size = min(max(0, quiet - round(LEAD * audio.RATE)), room)
        self._dropped += size
        self._sound = self._sound[size:]
        self._letters = [(char, max(0, start - size)) for char, start in self._letters]
        self._begun = heard or size == room

    def _let_out(self, size: int) -> Spoken | None:
        whole = size == len(self._sound)
        count = len(self._letters) if whole else sum(start < size for _, start in self._letters)
        letters, self._letters = self._letters[:count], self._letters[count:]
        sound, self._sound = self._sound[:size], self._sound[size:]
        self._letters = [(char, start - size) for char, start in self._letters]
        self._quiet += size
        if not (sound or letters):
            return None
        return Spoken(sound, "".join(char for char, _ in letters), tuple(start // _MS for _, start in letters))


def quiet_before(sound: bytes) -> int:
    """Bytes that may be dropped where speech goes on with this sound: the rest of a pause, if it ends here."""
    frames = range(0, len(sound), audio.FRAME)
    heard = next((at for at in frames if audio.level(sound[at : at + audio.FRAME]) > FAINT), 0)
    return max(0, heard - round(LEAD * audio.RATE))


def _pause_after(text: str) -> float:
    if ends_sentence(text):
        return AFTER_SENTENCE
    return AFTER_CLAUSE if text.rstrip(" \"'”’)").endswith((",", ";", ":", "-", "–", "—")) else AFTER_WORD
