"""The carrier's playback buffer: sound in at any pace, out in real time, with marks between; free of I/O and clocks.

Time is counted in frames of 20 ms: whoever owns the clock asks for one frame at each tick.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from backend.audio import FRAME, RATE, SILENCE

LONGEST = 600 * RATE
"""Bytes that may wait; Twilio refuses more after about ten minutes (31931)."""
MOST_MARKS = 10_000


class Overflow(Exception):
    """More was sent than the buffer takes; what was sent last is dropped."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the callee hears for 20 ms."""

    sound: bytes
    """Mu-law, always 160 bytes: filled up with silence."""
    spoken: int
    """How many of the bytes, from the first, came from the buffer."""
    marks: tuple[str, ...]
    """Marks that fall due as this frame begins: all sound before them has been heard."""


class Playback:
    """Positions count bytes since the beginning; cleared bytes do not count."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        self._begun = 0
        # A frame that has begun is heard only when the next one begins, and a mark behind it waits until then.
        self._heard = 0

    @property
    def waiting(self) -> int:
        """Bytes that have not begun to play."""
        return len(self._waiting)

    def add(self, sound: bytes) -> None:
        if len(self._waiting) + len(sound) > LONGEST:
            raise Overflow(f"more than {LONGEST // RATE} s of sound waiting to be played")
        self._waiting += sound

    def mark(self, name: str) -> tuple[str, ...]:
        """Put a mark behind all sound so far; returns the marks to echo at once: this one, if nothing plays."""
        if len(self._marks) >= MOST_MARKS:
            raise Overflow(f"more than {MOST_MARKS} marks waiting")
        self._marks.append((self._begun + len(self._waiting), name))
        return self._due()

    def clear(self) -> tuple[str, ...]:
        """Drop what has not begun to play; returns every pending mark, to be echoed at once."""
        self._waiting.clear()
        dropped = tuple(name for _, name in self._marks)
        self._marks.clear()
        return dropped

    def next_frame(self) -> Frame:
        """The frame that begins now; the one before it has been heard."""
        self._heard = self._begun
        sound = bytes(self._waiting[:FRAME])
        del self._waiting[:FRAME]
        self._begun += len(sound)
        return Frame(sound.ljust(FRAME, SILENCE), len(sound), self._due())

    def _due(self) -> tuple[str, ...]:
        due = []
        while self._marks and self._marks[0][0] <= self._heard:
            due.append(self._marks.popleft()[1])
        return tuple(due)
