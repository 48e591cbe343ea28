"""What a callee hears of the agent's voice, read back from the bytes: which text, from where to where, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice

from backend import audio
from backend.audio import FRAME, SILENCE
from backend.loopback.elevenlabs_speech import Speech

LOUD = -50.0
"""dBFS; a frame of speech is above, also where it is soft."""
TIP = 60
"""Bytes by which sound is recognised where it begins anew; fewer, and soft ones, may be like others."""
RECENT = 300
"""Texts among which it is looked for."""


@dataclass(slots=True)
class Piece:
    """One stretch of a text's sound that was played without a break. Times are in `loop.time()`."""

    speech: Speech
    start: int
    """The byte of the text's sound with which it begins, and the one before which it ends."""
    end: int
    began: float
    ended: float
    loud_from: float | None = None
    """From its first to the end of its last frame that can be heard."""
    loud_until: float = 0.0


@dataclass
class Earpiece:
    """Follows what the earpiece plays, frame by frame."""

    recent: Callable[[], Iterable[Speech]]
    """What was voiced lately, the newest first."""
    pieces: list[Piece] = field(default_factory=list)
    unknown: int = 0
    """Loud frames that are nothing the voice has said, such as the carrier's own announcements."""
    _open: bool = False

    @property
    def speaking(self) -> bool:
        """Whether the last frame was of the agent's speech."""
        return self._open

    def hear(self, frame: bytes, now: float) -> bool:
        """Take the frame that begins now; whether it can be heard."""
        loud = audio.level(frame) > LOUD
        left = self._follow(frame, now, loud) if self._open else frame
        tip = left.lstrip(SILENCE)
        if not tip.rstrip(SILENCE):
            # Silence that is not the speech's own: it broke off, or waits.
            self._open = self._open and not left
            return loud
        if len(left) == FRAME or len(tip) >= TIP:
            self._begin(tip, now, loud)
        return loud

    def _follow(self, frame: bytes, now: float, loud: bool) -> bytes:
        """Whatever of the frame does not go on where the last one ended."""
        piece = self.pieces[-1]
        wanted = piece.speech.sound[piece.end : piece.end + FRAME]
        same = next((place for place, (one, two) in enumerate(zip(frame, wanted, strict=False)) if one != two), None)
        size = min(len(frame), len(wanted)) if same is None else same
        if not size:
            return frame
        piece.end += size
        _stretch(piece, now, size, loud)
        return frame[size:]

    def _begin(self, tip: bytes, now: float, loud: bool) -> None:
        self._open = False
        found = self._place(tip)
        if found is None:
            self.unknown += loud
            return
        speech, start = found
        self._open = True
        if self.pieces and self.pieces[-1].end - self.pieces[-1].start < FRAME:
            # Less than a frame, and then something else: it was taken for what it is not.
            self.pieces.pop()
        began = now + audio.seconds(FRAME - len(tip))
        self.pieces.append(Piece(speech, start, start, began, began))
        self._follow(tip, now, loud)

    def _place(self, tip: bytes) -> tuple[Speech, int] | None:
        """Where this sound is from: the text that was being said if possible, and there near the last place."""
        sound = tip.rstrip(SILENCE)
        if self.pieces:
            last = self.pieces[-1]
            if (near := last.speech.sound.rfind(sound, 0, last.end + len(sound))) >= 0:
                return last.speech, near
        for speech in islice(self.recent(), RECENT):
            if (start := speech.sound.find(sound)) >= 0:
                return speech, start
        return None


def _stretch(piece: Piece, now: float, size: int, loud: bool) -> None:
    piece.ended = now + audio.seconds(size)
    if loud:
        piece.loud_from = now if piece.loud_from is None else piece.loud_from
        piece.loud_until = piece.ended


# --- words ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: int
    end: int
    """Bytes of the speech's sound; the end is where its last letter begins."""


def words_of(speech: Speech) -> list[Word]:
    spaces = accumulate(speech.text.split(" "), lambda at, word: at + len(word) + 1, initial=0)
    return [
        Word(word, speech.starts[at], speech.starts[at + len(word) - 1])
        for at, word in zip(spaces, speech.text.split(" "), strict=False)
        if word
    ]


def played_words(pieces: Sequence[Piece]) -> list[str]:
    """The words that were heard to their end, each once, in the order of the texts."""
    speeches = list({id(piece.speech): piece.speech for piece in pieces}.values())
    return [
        word.text
        for speech in speeches
        for word in words_of(speech)
        if any(piece.speech is speech and piece.start <= word.end < piece.end for piece in pieces)
    ]


def joint(before: Piece, after: Piece, back: bool = False) -> tuple[int, int]:
    """Words repeated and words lost where speech broke off and went on, be it in another text.

    Args:
        back: whether that other text is an earlier one, and not the next.
    """
    if back:
        again = sum(after.start - _SLACK <= word.start for word in words_of(after.speech))
        return again + sum(word.start + _SLACK < before.end for word in words_of(before.speech)), 0
    if before.speech is after.speech:
        words = words_of(before.speech)
        repeated = sum(after.start - _SLACK <= word.start < before.end - _SLACK for word in words)
        lost = sum(word.end >= before.end and word.start < after.start - _SLACK for word in words)
        return repeated, lost
    lost = sum(word.end >= before.end for word in words_of(before.speech))
    return 0, lost + sum(word.start < after.start - _SLACK for word in words_of(after.speech))


_SLACK = round(0.05 * audio.RATE)
"""Bytes by which a piece's beginning or end may be misread, and of which nobody would say that they were a word."""
