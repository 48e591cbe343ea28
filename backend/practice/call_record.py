"""What the carrier knows of one call, while it lasts and afterwards: bounded, for tests and benchmarks to inspect."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from backend.audio import RATE
from backend.models import Direction, Status
from backend.practice.dialled_call import DialledCall

LONGEST = 600 * RATE
"""Bytes of played sound that are kept."""
MOST = 10_000
"""Entries kept of each kind; then the oldest go."""


@dataclass(slots=True)
class CallRecord:
    sid: str
    dialled: DialledCall
    direction: Direction
    status: Status = Status.QUEUED
    created: float = field(default_factory=time.time)
    """Unix seconds, as are the next two."""
    answered: float | None = None
    ended: float | None = None
    duration: int = 0
    """Seconds from answer to end, on the carrier's clock."""
    ending: str = ""
    """Which side ended the call, or what."""
    answered_by: str = ""
    statuses: list[Status] = field(default_factory=list)
    """Every state the call was in, whether it was to be reported or not."""
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=MOST))
    """What the product did wrong, each with Twilio's code; the same error only once, as Twilio logs it."""
    said: deque[str] = field(default_factory=lambda: deque(maxlen=MOST))
    """Texts the carrier spoke with its own voice."""

    # The media streams of the call, in `loop.time()`.
    stream_started: float | None = None
    """When the first `start` was sent."""
    first_media: float | None = None
    """When the product's first sound arrived."""
    arrivals: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=MOST))
    """When each piece of the product's sound arrived, and how many bytes it has."""
    marks: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=MOST))
    """Marks echoed, and when."""
    clears: deque[float] = field(default_factory=lambda: deque(maxlen=MOST))
    """When each `clear` arrived."""
    played: bytearray = field(default_factory=bytearray)
    """The product's sound that the far end heard, without the silence between."""

    def fault(self, what: str) -> None:
        if what not in self.errors:
            self.errors.append(what)

    def heard(self, sound: bytes) -> None:
        self.played += sound[: LONGEST - len(self.played)]
