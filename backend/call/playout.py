"""What of a reply was played: sound goes out a short lead ahead of real time, and only confirmed sound was heard.

Pure bookkeeping for one reply: the caller sends what `due` returns, reports the marks that come back to `played`, and
reads `heard` at any moment. Marks carry the reply's number: after a `clear` the carrier returns the marks of sound it
dropped, and since the next reply has another number, those count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.audio import RATE
from backend.models import Spoken


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound to send now, and the mark to send right after it."""

    sound: bytes
    mark: str


@dataclass(slots=True)
class Playout:
    number: int
    """The reply this sound belongs to."""
    lead: float = 0.2
    """Seconds of sound the carrier may hold unplayed: enough to ride out a late tick, little enough to stop at once."""
    piece: float = 0.1
    """Seconds of sound in one piece; a mark follows each, so what was heard is known this finely."""
    text: str = ""
    """All characters voiced so far."""
    finished: bool = False
    """No more sound will be added."""
    _sound: bytearray = field(default_factory=bytearray)
    _starts: list[int] = field(default_factory=list)
    """For each character of `text`, the byte at which its sound begins."""
    _sent: int = 0
    _confirmed: int = 0
    _runs_dry: float = 0.0
    """When the carrier will have played all that was sent."""

    def add(self, spoken: Spoken) -> None:
        """Append voiced speech; its timings count from where the sound so far ends."""
        base = len(self._sound)
        if len(spoken.starts) != len(spoken.text):
            raise ValueError(f"{len(spoken.text)} characters came with {len(spoken.starts)} times")
        self._starts += [base + start * RATE // 1000 for start in spoken.starts]
        self.text += spoken.text
        self._sound += spoken.sound

    def pause(self) -> None:
        """A word boundary between two clauses."""
        if self.text and not self.text[-1].isspace():
            self._starts.append(len(self._sound))
            self.text += " "

    def finish(self) -> None:
        self.finished = True

    def due(self, now: float) -> Piece | None:
        """What must be sent now. The sound counts as sent from then on."""
        wake = self.wake()
        if wake is None or now < wake:
            return None
        sound = bytes(self._sound[self._sent : self._sent + round(self.piece * RATE)])
        self._sent += len(sound)
        self._runs_dry = max(self._runs_dry, now) + len(sound) / RATE
        return Piece(sound, f"{self.number}:{self._sent}")

    def wake(self) -> float | None:
        """When `due` will return the next piece; None when it waits for more sound instead."""
        return None if self._sent == len(self._sound) else self._runs_dry - self.lead

    def played(self, mark: str) -> bool:
        """The carrier returned this mark. Returns whether it was one of this reply's."""
        number, _, byte = mark.partition(":")
        if number != str(self.number) or not byte.isdigit() or int(byte) > self._sent:
            return False
        self._confirmed = max(self._confirmed, int(byte))
        return True

    @property
    def begun(self) -> bool:
        """Whether any sound has left."""
        return self._sent > 0

    @property
    def done(self) -> bool:
        """Whether everything there will ever be was played."""
        return self.finished and self._confirmed == len(self._sound)

    @property
    def overdue(self) -> float:
        """When the last sound sent should have been played."""
        return self._runs_dry

    @property
    def heard(self) -> str:
        """The words whose sound was confirmed to its end: never half a word, never one too many."""
        if self.done or (self._confirmed == len(self._sound) and self._sound):
            return self.text.strip()
        reached = sum(1 for start in self._starts if start < self._confirmed)
        # The character under the needle is still sounding: its word is not over, unless a blank is being played.
        while reached and not self.text[reached - 1].isspace():
            reached -= 1
        return self.text[:reached].strip()
