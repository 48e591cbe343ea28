"""The hearing of the loopback recogniser: each burst of loud sound is taken for the next text of a script."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from backend import audio

LOUD = -40.0
"""dBFS; speech on a phone is above."""
STEP = audio.seconds(audio.FRAME)
"""Seconds in a frame."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When the server says what. Seconds of sound, except `idle`: sent faster than real time, all comes faster."""

    word: float = 0.3
    """For each word of a burst; what is left when the burst ends was said in its last moment."""
    lag: float = 0.12
    """From a word's end to its being heard; and the silence that ends a burst."""
    eager: float = 0.16
    """Silence after a complete sentence until Flux's EagerEndOfTurn; its words are known by then, whatever the lag."""
    hasty: float = math.inf
    """Silence after an unfinished sentence until Flux takes it for an early end all the same."""
    end: float = 0.26
    """Silence after a complete sentence until Flux's EndOfTurn."""
    window: float = 3.0
    """After which v1 makes its guesses final, also in the middle of speech, and also when there are none."""
    idle: float = 10.0
    """Of real time without sound, until the socket is closed."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: float
    """Seconds of this connection's sound, as is the next."""
    end: float


class Hearing(Protocol):
    """What was recognised in the frames so far, by the clock of the sound."""

    quiet: float
    """Seconds of silence since the last loud frame."""
    words: list[Word]
    """All that was recognised so far."""

    @property
    def now(self) -> float: ...
    @property
    def settled(self) -> float:
        """Up to here, all that was said is recognised."""
        ...

    def hear(self, frame: bytes) -> None: ...
    def flush(self) -> None:
        """What was said so far is recognised at once."""
        ...


class Ear:
    """Hears bursts of speech by their loudness, and gives each the next text, word by word as the burst goes on.

    Its only clock is the sound. An heir knows the loud frames that its forebears heard, and hears the same words in
    them: so it shows whether a client replays too little or too much. That needs sound that never repeats exactly, as
    speech and noise do not.
    """

    def __init__(self, texts: Iterable[str], pace: Pace, forebear: Ear | None = None, remembers: bool = True) -> None:
        """`remembers`: for an heir; about 10 KB for each second of speech."""
        self._texts: Iterator[str] = forebear._texts if forebear else iter(texts)
        self._bursts: list[list[str]] = forebear._bursts if forebear else []
        self._known: dict[bytes, tuple[int, int]] = {**forebear._known, **forebear._heard} if forebear else {}
        self._heard: dict[bytes, tuple[int, int]] = {}
        self._frames_per_word, self._lag, self._remembers = round(pace.word / STEP), pace.lag, remembers
        self._burst: tuple[int, int] | None = None
        self._said = 0
        self._from = 0.0
        self._coming: deque[Word] = deque()
        self._frames = 0
        self.quiet = math.inf
        """Seconds of silence since the last loud frame."""
        self.words: list[Word] = []
        """All that was recognised so far."""

    @property
    def now(self) -> float:
        return self._frames * STEP

    @property
    def settled(self) -> float:
        """Up to here, all that was said is recognised."""
        if self._coming:
            return self._coming[0].start
        return self.now if self._burst is None else self._from

    def hear(self, frame: bytes) -> None:
        self._frames += 1
        if audio.level(frame) > LOUD:
            self._loud(frame)
        else:
            self.quiet += STEP
        if self.quiet >= self._lag - STEP / 2:
            self.flush()
        while self._coming and self._coming[0].end + self._lag <= self.now:
            self.words.append(self._coming.popleft())

    def flush(self) -> None:
        """The burst is over: the rest of its words are recognised."""
        if self._burst is not None:
            self._say(len(self._bursts[self._burst[0]]), self.now - min(self.quiet, self.now))
            self._burst = None
        self.words += self._coming
        self._coming.clear()

    def _loud(self, frame: bytes) -> None:
        place = self._known.get(frame) or self._next_place()
        if self._burst is None or place != (self._burst[0], self._burst[1] + 1):
            self._said, self._from = math.ceil(place[1] / self._frames_per_word), self.now - STEP
        self._burst = place
        if self._remembers:
            self._heard[frame] = place
        self.quiet = 0.0
        self._say((place[1] + 1) // self._frames_per_word, self.now)

    def _next_place(self) -> tuple[int, int]:
        if self._burst is not None:
            return self._burst[0], self._burst[1] + 1
        self._bursts.append(next(self._texts, "").split())
        return len(self._bursts) - 1, 0

    def _say(self, until: int, end: float) -> None:
        if self._burst is None:
            return
        for word in self._bursts[self._burst[0]][self._said : until]:
            self._coming.append(Word(word, self._from, end))
            self._from = end
            self._said += 1
