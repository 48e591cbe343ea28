"""Speech to text that needs no keys: Silero says when somebody speaks, Moonshine says what, and `Turn` when it is over.

Moonshine cannot stream, but reads a second of speech in well under a tenth, so a growing turn is simply read again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from backend import audio
from backend.call.words.completeness import unfinished
from backend.engines.installed import deaf
from backend.engines.pool import Engines
from backend.models import EagerEnd, Heard, Partial, ProviderError, Resumed, Trouble, TurnEnd
from backend.stt import vad

_SECOND = audio.RATE / vad.FRAME
"""Frames in a second; all of `Turn` counts time in frames of sound, never by a clock."""


class OfflineEar:
    """Speech to text by the engines of this machine.

    The sound is not taken from its iterator while a reading is under way (0.1 s; 2 s when a worker has to be replaced).
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    async def __aenter__(self) -> Self:
        if why := deaf():
            raise ProviderError(why)
        await asyncio.to_thread(vad.model)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def listen(self, sound: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
        turn, silero = Turn(), vad.Silero()
        async for piece in sound:
            for frame, probability in silero.feed(piece):
                for heard in turn.hear(frame, probability):
                    yield heard
                async for heard in self._look(turn, turn.wanted()):
                    yield heard
        async for heard in self._look(turn, turn.last_wanted()):
            yield heard
        for heard in turn.end():
            yield heard

    async def _look(self, turn: Turn, look: Look | None) -> AsyncIterator[Heard]:
        if look is None:
            return
        read = self._engines.transcribe if look.urgent else self._engines.glimpse
        try:
            text = await read(look.sound)
        except ProviderError as error:
            yield Trouble(str(error))
            text = await self._engines.transcribe(look.sound)
        for heard in turn.read(look, text):
            yield heard


@dataclass(frozen=True, slots=True)
class Look:
    """Sound of the turn to be read."""

    sound: bytes
    frames: int
    urgent: bool
    """A turn's end waits for it; else it is only for show and may be skipped when the engines are busy."""
    cut: bool = False
    """These frames are done with: what follows is read without them."""


class Turn:
    """When to read, what has been said so far, and when it is over. Pure: frames and texts in, events out.

    A turn is read every `GLIMPSE` while it is spoken, and once when a silence begins. That reading holds everything
    said, so when the silence lasts, the turn ends with it and nothing has to be waited for. A long turn is put away in
    pieces, preferably at its pauses, because the cost of a reading grows with its length.
    """

    START, GO_ON = 0.5, 0.35
    """Probability of speech at which speech begins, and above which it continues."""
    PRE_ROLL = round(0.3 * _SECOND)
    """Kept from before speech is detected: soft onsets come before."""
    SHORTEST = round(0.2 * _SECOND)
    """Less speech than this is a click or a cough and never read."""
    GLIMPSE = round(0.4 * _SECOND)
    """Between two readings of a growing turn; for a long piece, a share of its length."""
    GLIMPSE_SHARE = 0.15
    HUSH = round(0.13 * _SECOND)
    """Silence after which the turn is read: longer than within most words, much shorter than the end of a turn. Read
    earlier still, the last word suffers; later, an answer is begun later."""
    PIECE = round(6 * _SECOND)
    """A piece this long is put away at the next pause."""
    LONGEST = round(14 * _SECOND)
    """A piece this long is put away at the least speech-like moment of its last `SEAM`."""
    SEAM = round(3 * _SECOND)

    def __init__(self) -> None:
        self._begin(frames=[])

    def _begin(self, frames: list[tuple[bytes, float]]) -> None:
        self._frames = frames
        self._voiced = 0
        self._silent = 0
        self._said = ""
        """The words of the pieces put away."""
        self._text = ""
        """The words of this piece, as last read."""
        self._read_at = 0
        self._complete = 0
        """How many frames the last reading at a silence covered; 0 once more has been said."""
        self._eager = False

    def hear(self, frame: bytes, probability: float) -> list[Heard]:
        self._frames.append((frame, probability))
        if probability >= (self.START if self._silent or not self._voiced else self.GO_ON):
            return self._hear_speech()
        self._silent += 1
        if not self._voiced:
            del self._frames[: -self.PRE_ROLL]
        elif self._is_over():
            return self.end()
        return []

    def _hear_speech(self) -> list[Heard]:
        self._voiced += 1
        self._silent = 0
        if self._complete > self.PIECE:
            # The end of the pause stays, for the onset of what is being said now.
            self._put_away(self._complete - 3)
        self._complete = 0
        resumed: list[Heard] = [Resumed()] if self._eager else []
        self._eager = False
        return resumed

    def _is_over(self) -> bool:
        if self._voiced < self.SHORTEST or self._complete:
            return self._silent >= patience(self._all()) * _SECOND
        return False

    def wanted(self) -> Look | None:
        """What should be read now, if anything."""
        if self._voiced < self.SHORTEST:
            return None
        length = len(self._frames)
        if self._silent:
            return self._take(length) if self._silent >= self.HUSH and not self._complete else None
        if length >= self.LONGEST:
            seam = min(range(length - self.SEAM, length), key=lambda place: self._frames[place][1])
            return self._take(seam, cut=True)
        due = self._read_at + max(self.GLIMPSE, self.GLIMPSE_SHARE * length)
        return self._take(length, urgent=False) if length >= due else None

    def last_wanted(self) -> Look | None:
        """What should still be read when no more sound will come."""
        return self._take(len(self._frames)) if self._voiced >= self.SHORTEST and not self._complete else None

    def _take(self, frames: int, urgent: bool = True, cut: bool = False) -> Look:
        return Look(b"".join(frame for frame, _ in self._frames[:frames]), frames, urgent, cut)

    def read(self, look: Look, text: str | None) -> list[Heard]:
        """The words of a look; None when it was skipped."""
        self._read_at = look.frames
        before = self._all()
        if text is not None:
            # Words once reported are not taken back for none.
            self._text = words(text, look.frames / _SECOND) or self._text
        if look.cut:
            self._put_away(look.frames)
        elif look.urgent:
            self._complete = look.frames
            if self._all() and patience(self._all()) == FINISHED:
                self._eager = True
                return [EagerEnd(final(self._all()))]
        return [Partial(self._all())] if self._all() != before else []

    def end(self) -> list[Heard]:
        """The turn is over; a turn without words never was one."""
        text = final(self._all())
        self._begin(self._frames[-self.PRE_ROLL :])
        return [TurnEnd(text)] if text else []

    def _put_away(self, frames: int) -> None:
        self._said, self._text = self._all(), ""
        del self._frames[:frames]
        self._read_at = 0

    def _all(self) -> str:
        return f"{self._said} {self._text}".strip()


# --- what the words mean for the turn ---------------------------------------------------------------------------

FINISHED, UNFINISHED = 0.5, 1.35
"""Seconds of silence that end a turn. Voices pause up to 0.32 s within a sentence, people who think up to 1.2 s."""

_DIGITS = dict(zip("zero one two three four five six seven eight nine oh".split(), "01234567890", strict=True))


def patience(text: str) -> float:
    """How long a silence after these words ends the turn, in seconds."""
    return UNFINISHED if unfinished(text) else FINISHED


_TIME_WORD = r"(?:\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|half|a quarter|quarter)"
_REPAIRS = [
    # Seen again and again in this model's readings of telephone speech.
    (rf"\bone day(?=,? (?:(?:at|around|about|by|before|after|from) )?{_TIME_WORD}\b)", "Wednesday"),
    (r"\bone day(?=,? (?:morning|afternoon|evening)\b)", "Wednesday"),
    (r"(?<=day the )night\b", "ninth"),
    (r"^(?:Story|Thory)\b(?=,? (?:who|what|i|could|can|but|you)\b)", "Sorry"),
    (r"\ba\.? ?(?-i:M)\b\.*", "a.m."),
    (r"\bp\.? ?(?-i:M)\b\.*", "p.m."),
    (r"^(?:aha|ah-ha|eh-ha|uh-ha)\b!?", "Uh-huh."),
    (r"\bto-(day|morrow|night)\b", r"to\1"),
    (r"\bgood-bye\b", "goodbye"),
    (r",(?:\s*,)+", ","),
]
_DICTATED = rf"\b(?:(?:{'|'.join(_DIGITS)})\b[ ,.-]*\b){{6,}}(?:{'|'.join(_DIGITS)})\b"
_INVENTED = re.compile(r"[♪♫]+|\[[^\]]*\]|\([^)]*\)")
_CLOSING_CREDITS = re.compile(r"\W*thank(s| you)( so much)? for watching\W*", re.IGNORECASE)


def words(reading: str, seconds: float) -> str:
    """What was said, from what the model read in a piece of this length; empty when it only made something up."""
    text = " ".join(_INVENTED.sub(" ", reading).split())
    if not any(map(str.isalnum, text)) or _CLOSING_CREDITS.fullmatch(text):
        return ""
    too_fast = len(text.split()) > 8 * seconds + 4  # it sometimes falls into repeating itself
    lone_you = seconds < 1 and text.lower().strip(" .,!?") == "you"
    return "" if too_fast or lone_you else repaired(text)


def repaired(text: str) -> str:
    """With the model's known mishearings put right where the words around them leave no doubt."""
    for wrong, right in _REPAIRS:
        text = re.sub(wrong, right, text, flags=re.IGNORECASE)
    return re.sub(_DICTATED, _as_digits, text, flags=re.IGNORECASE)


def _as_digits(dictated: re.Match[str]) -> str:
    """ "two, zero, two, five, five, five, zero, one, four, three" as a phone number is written."""
    digits = "".join(_DIGITS[word] for word in re.findall(r"[a-z]+", dictated[0].lower()))
    return "-".join(part for part in (digits[:-10], digits[-10:-7], digits[-7:-4], digits[-4:]) if part)


def final(text: str) -> str:
    """As a turn's last word: recognition ends many a turn with a comma."""
    return text.rstrip(" ,")
