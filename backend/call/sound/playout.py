"""What of a reply was played: sound goes out a short lead ahead of real time, and only confirmed sound was heard.

Pure bookkeeping for one reply: the caller sends what `due` returns, reports the marks that come back to `played`, and
reads `heard` at any moment. Its gate can be shut and opened: shut before the first sound, the reply is only prepared;
shut later, it is held, and goes on from the word at which it was.

Marks carry the reply's number and how often it was held: after a `clear` the carrier returns the marks of sound it
dropped, and those count for nothing. Which those are is known from the clock: what was sent in real time was played in
real time, and the `clear` takes the same way to the carrier as the sound did. Where the network stood still for so long
that the carrier ran dry, marks come later than before by just as much.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from math import inf

from backend.audio import RATE
from backend.call.sound.trim import MOST, quiet_before
from backend.models import LineKind, Spoken


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a line's carrier is from here. Everything in seconds of sound."""

    lead: float
    """What the carrier may hold unplayed: enough to ride out a late tick and a network that stands still for a moment.
    No interruption is slower for it, since a `clear` drops what is unplayed."""
    trust: float
    """What counts as played by the clock alone, while its marks are under way; nothing before the first of them."""


REACH = {LineKind.PHONE: Reach(lead=0.5, trust=0.6), LineKind.PRACTICE: Reach(lead=0.2, trust=0.35)}
"""A phone call's sound crosses the internet, where one lost packet holds up all that follow for 0.3 s and more; the
practice line is on this machine."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound to send now, and the mark to send right after it."""

    sound: bytes
    mark: str


@dataclass(slots=True)
class Playout:
    number: int
    """The reply this sound belongs to."""
    open: bool = True
    """Whether sound may leave."""
    reach: Reach = REACH[LineKind.PRACTICE]
    piece: float = 0.1
    """Seconds of sound in one piece; a mark follows each, so what was heard is known this finely."""
    stretch: float = 0.06
    """Seconds by which a piece may be longer or up to which it may be shorter, so that it ends with a word."""
    worth_holding: float = 0.3
    """Seconds: when less than this is left of a reply it is played out, since silence would gain nothing."""
    doubt: float = 0.05
    """Seconds by which the carrier may be behind our clock."""
    text: str = ""
    """All characters voiced so far."""
    finished: bool = False
    """No more sound will be added."""
    _sound: bytearray = field(default_factory=bytearray)
    _starts: list[int] = field(default_factory=list)
    """For each character of `text`, the byte at which its sound begins."""
    _held: int = 0
    """How often it was held."""
    _cleared_at: int = 0
    """The byte that surely was played when it was last held."""
    _sent: int = 0
    _confirmed: int = 0
    _furthest: int = 0
    """The last byte that ever left."""
    _runs_dry: float = 0.0
    """When the carrier will have played all that was sent."""
    _expected: dict[str, float] = field(default_factory=dict)
    """Marks under way, in order, and when the sound before each should have been played."""
    _late: float = -inf
    """Seconds after that moment at which the newest mark came back."""
    _least_late: float = inf
    """The same of the quickest: what the way there and back takes, where nothing is the matter."""

    def add(self, spoken: Spoken) -> None:
        """Append voiced speech; its timings count from where the sound so far ends."""
        base = len(self._sound)
        if len(spoken.starts) != len(spoken.text):
            raise ValueError(f"{len(spoken.text)} characters came with {len(spoken.starts)} times")
        for start in spoken.starts:
            # A voice's timings may step back a little; looking things up in them must not.
            self._starts.append(max(base + start * RATE // 1000, self._starts[-1] if self._starts else 0))
        self.text += spoken.text
        self._sound += spoken.sound

    def pause(self) -> None:
        """A clause is over, and with it its last word."""
        if self.text and not self.text[-1].isspace():
            self._starts.append(len(self._sound))
            self.text += " "

    def finish(self) -> None:
        self.finished = True

    # --- the gate -------------------------------------------------------------------------------------------

    def hold(self, now: float) -> bool:
        """Shut the gate, and take back what was not heard; False where it is not worth it, and nothing changes.

        True asks the caller to have the carrier drop what it has not played.
        """
        if self.finished and self.begun and len(self._sound) - self._position(now) < self.worth_holding * RATE:
            return False
        self.open = False
        self._held += 1
        self._cleared_at = self._position(now - self.doubt - self._behind(now))
        played = self._cleared_at
        marks_come = self._least_late < inf
        if not marks_come or not 0 < played - self._confirmed <= self.reach.trust * RATE:
            # Marks come late or not at all: what was heard is not known, and is said again rather than not at all.
            played = self._confirmed
        self._sent = self._resumption(played)
        self._runs_dry = now
        # The carrier drops what it was behind with.
        self._expected.clear()
        self._late = -inf
        return True

    def release(self) -> None:
        """Open the gate."""
        self.open = True

    def _resumption(self, played: int) -> int:
        """Where to go on: with the first word that was not heard to its end, without a pause before it."""
        place = self._reached(played)
        while place < len(self.text) and self.text[place].isspace():
            place += 1
        start = min([played, *self._starts[place : place + 1]])
        return start + quiet_before(bytes(self._sound[start : start + round(MOST * RATE)]))

    # --- sending --------------------------------------------------------------------------------------------

    def due(self, now: float) -> Piece | None:
        """What must be sent now. The sound counts as sent from then on."""
        wake = self.wake()
        if wake is None or now < wake:
            return None
        sound = bytes(self._sound[self._sent : self._piece_end()])
        self._sent += len(sound)
        self._furthest = max(self._furthest, self._sent)
        self._runs_dry = max(self._runs_dry, now) + len(sound) / RATE
        mark = f"{self.number}.{self._held}:{self._sent}"
        self._expected[mark] = self._runs_dry
        return Piece(sound, mark)

    def _piece_end(self) -> int:
        """Where the next piece ends: with a word if one ends about there, so that its mark tells of a whole word."""
        least, most = (self._sent + round(size * RATE) for size in (self.stretch, self.piece + self.stretch))
        for place in range(bisect_left(self._starts, least), bisect_right(self._starts, most)):
            if self.text[place].isspace():
                return self._starts[place]
        return self._sent + round(self.piece * RATE)

    def wake(self) -> float | None:
        """When `due` will return the next piece; None when it waits for more sound or for the gate instead."""
        return self._runs_dry - self.reach.lead if self.open and self._sent < len(self._sound) else None

    def played(self, mark: str, now: float) -> bool:
        """The carrier returned this mark now. Whether it was one of this reply's, and not of sound taken back."""
        ours, _, place = mark.partition(":")
        if not place.isdigit():
            return False
        byte = int(place)
        current = ours == f"{self.number}.{self._held}" and byte <= self._sent
        late = ours == f"{self.number}.{self._held - 1}" and byte <= self._cleared_at
        if mark in self._expected:
            self._time(mark, now)
        if current or late:
            self._confirmed = max(self._confirmed, byte)
        return current or late

    def _time(self, mark: str, now: float) -> None:
        self._late = now - self._expected[mark]
        self._least_late = min(self._least_late, self._late)
        while next(iter(self._expected)) != mark:
            del self._expected[next(iter(self._expected))]
        del self._expected[mark]

    def _behind(self, now: float) -> float:
        """Seconds by which the carrier surely is behind our clock: its network stood still for longer than the lead, so
        that marks come later than they did, or do not come.
        """
        oldest = next(iter(self._expected.values()), now)
        return max(0.0, max(self._late, now - oldest) - self._least_late)

    def sounding(self, now: float, seconds: float) -> bytes:
        """The last so many seconds of what the carrier has played by now, as far as we can tell from here."""
        if now >= self._runs_dry:
            return b""
        end = self._position(now)
        return bytes(self._sound[max(0, end - round(seconds * RATE)) : end])

    def _position(self, now: float) -> int:
        """The byte that is being played."""
        return max(0, self._sent - max(0, round((self._runs_dry - now) * RATE)))

    # --- what became of it ----------------------------------------------------------------------------------

    @property
    def begun(self) -> bool:
        """Whether any sound has left."""
        return self._furthest > 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to send, although nothing is kept back."""
        return self.open and self._sent == len(self._sound)

    @property
    def done(self) -> bool:
        """Whether everything there will ever be was played."""
        return self.finished and self._confirmed == self._sent == len(self._sound)

    @property
    def runs_dry(self) -> float:
        """When the last sound sent should have been played."""
        return self._runs_dry

    @property
    def heard(self) -> str:
        """The words whose sound was confirmed to its end: never half a word, never one too many."""
        return self.text[: self._reached(self._confirmed)].strip()

    @property
    def left(self) -> str:
        """The words voiced but not heard."""
        return self.text[self._reached(self._confirmed) :].strip()

    def _reached(self, played: int) -> int:
        """How many characters were heard when the sound was played up to this byte."""
        if self._sound and played == len(self._sound) and (self.finished or self.text[-1:].isspace()):
            return len(self.text)
        reached = bisect_left(self._starts, played)
        if self.text[reached : reached + 1].isspace() and self._starts[reached] == played:
            # Played up to where the word ends.
            reached += 1
        # The character under the needle is still sounding: its word is not over, unless a blank is being played.
        while reached and not self.text[reached - 1].isspace():
            reached -= 1
        return reached
