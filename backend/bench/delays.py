"""What the vendors of the benchmark take, and the earliest moments at which anything can be heard after that."""

from __future__ import annotations

import math
from dataclasses import dataclass

from backend import audio
from backend.loopback.ear import Pace
from backend.models import Outcome

FRAME = audio.seconds(audio.FRAME)
"""The carrier plays in frames of 20 ms, so that is as finely as anybody hears."""


@dataclass(frozen=True, slots=True)
class Delays:
    """The same in every run, so that runs can be compared. Seconds unless said otherwise."""

    word: float = 0.3
    """A word of the callee's, where it has no sound that says so."""
    lag: float = 0.12
    """From the end of a word of the callee's to its being recognised."""
    eager_end: float = 0.08
    """Silence after a complete sentence until the recogniser takes the turn for probably over."""
    end_of_turn: float = 0.26
    """Silence after a complete sentence until the recogniser ends the turn."""
    first_token: float = 0.35
    tokens_per_second: float = 80.0
    first_byte: float = 0.13
    """From a text to the first of its sound."""
    lead_in: float = 0.15
    """Silence with which all synthesised sound begins."""
    kept: float = 0.02
    """What of that silence anybody must leave, since consonants begin softly."""
    speed: float = 6.0
    """At which the voice is sent, in multiples of real time."""

    def pace(self, hasty: float = math.inf) -> Pace:
        """The recogniser's part in this; for `hasty` see there."""
        return Pace(word=self.word, lag=self.lag, eager=self.eager_end, end=self.end_of_turn, hasty=hasty)

    def clause(self, pieces: int) -> float:
        """From the first token to the one that shows that a clause of so many tokens is over: the one after it."""
        return pieces / self.tokens_per_second

    def reply(self, pieces: int, speculates: bool, slip: float = 0.0) -> float:
        """The earliest moment at which a callee can hear an answer, from the end of their sound.

        Thinking and voicing begin at the early end where one `speculates`, and nothing is heard before the end of the
        turn. Up to the carrier's next frame, since their sound ended with one.

        Args:
            slip: by how much model and voice were late themselves.
        """
        work = self.first_token + self.clause(pieces) + self.first_byte + slip
        ready = max(self.end_of_turn, self.eager_end + work) if speculates else self.end_of_turn + work
        return whole_frames(ready + self.kept)


def whole_frames(seconds: float) -> float:
    """Rounded up to the carrier's frames; a thousandth of one is only rounding."""
    return math.ceil(round(seconds / FRAME, 3)) * FRAME


REPORT: dict[str, object] = {
    "outcome": Outcome.UNCLEAR.value,
    "result": {"text": "Nothing came of it.", "turns": [], "confidence": 0.1},
    **{name: [] for name in ("summary", "agreed", "questions")},
}
"""What the model reports of any call that is over."""
