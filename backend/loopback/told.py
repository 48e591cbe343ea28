"""The hearing of a loopback recogniser that is told what is said: whoever makes the sound notes each frame's words.

So the words of one voice among noise and echo are recognised when they are really said, and nothing else is.
"""

from __future__ import annotations

import math
from collections import deque

from backend.loopback.ear import STEP, Pace, Word

KEPT = 50_000
"""Frames that are remembered; each is asked for within a second of being made."""


class Lexicon:
    """What each frame of speech says. The sound reaches the recogniser byte for byte, so a frame is its own name."""

    def __init__(self) -> None:
        self._words: dict[bytes, str] = {}

    def tell(self, frame: bytes, words: str) -> None:
        """There is speech in this frame, and these words, or none, are over with it."""
        self._words.pop(frame, None)
        self._words[frame] = words
        if len(self._words) > KEPT:
            del self._words[next(iter(self._words))]

    def said(self, frame: bytes) -> str | None:
        """The words that are over with this frame; None where nobody speaks."""
        return self._words.get(frame)


class ToldEar:
    """As `Ear`, but it recognises the words that the lexicon has for a frame, and takes all else for silence."""

    def __init__(self, lexicon: Lexicon, pace: Pace) -> None:
        self._lexicon, self._lag = lexicon, pace.lag
        self._from = 0.0
        self._coming: deque[Word] = deque()
        self._frames = 0
        self.quiet = math.inf
        self.words: list[Word] = []

    @property
    def now(self) -> float:
        return self._frames * STEP

    @property
    def settled(self) -> float:
        if self._coming:
            return self._coming[0].start
        return self._from if self.quiet == 0 else self.now

    def hear(self, frame: bytes) -> None:
        self._frames += 1
        words = self._lexicon.said(frame)
        if words is None:
            self.quiet += STEP
        else:
            self._speech(words)
        while self._coming and self._coming[0].end + self._lag <= self.now + STEP / 2:
            self.words.append(self._coming.popleft())

    def flush(self) -> None:
        """All that was said so far is recognised."""
        self.words += self._coming
        self._coming.clear()

    def _speech(self, words: str) -> None:
        if self.quiet:
            self._from = self.now - STEP
        self.quiet = 0.0
        for word in words.split():
            self._coming.append(Word(word, self._from, self.now))
            self._from = self.now
