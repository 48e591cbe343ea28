"""Which characters of a clause its sound has reached, so that it is known what was heard and what is left to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backend.audio import RATE
from backend.models import Spoken

_MS = RATE // 1000
"""Bytes in a millisecond."""

_LONGEST_WORD = 600 * _MS
"""Sound is held back for the end of its word no longer than this: some languages write without blanks."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One voiced character, in milliseconds from the start of the sound it came with."""

    char: str
    start: int
    end: int


class Alignment:
    """One clause on its way from a voice. Sound goes in as it comes and comes out in whole words.

    The word that is still being voiced is held back. So when a voice dies, what came out ends with a word, and `rest`
    can be voiced anew without half a word lost or said twice. Only the very first sound is not held back, since a
    person is waiting for it: should the voice die within the first word, that word begins again. The texts that come
    out add up to exactly the clause.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._out = 0
        """How many characters have come out."""
        self._early = 0
        """How many of them came out first, if that was within a word."""
        self._again = 0
        """How many characters have come out before and are being voiced once more."""
        self._sound = b""
        self._letters: list[Letter] = []
        """Voiced characters held back, after those that are out; times are in bytes from the start of `_sound`."""

    @property
    def rest(self) -> str:
        """The characters whose sound has not come out."""
        return self._text[self._out :]

    def take(self, sound: bytes, letters: Iterable[Letter]) -> Spoken | None:
        """Add sound; the piece that is complete by now, if any."""
        for letter in letters:
            self._match(letter, len(self._sound))
        self._sound += sound
        return self._let_out(*self._complete())

    def finish(self) -> Spoken | None:
        """No more sound will come: all that is held back. Characters never timed count from the end of the sound."""
        untimed = self.rest[len(self._letters) :]
        self._letters += [Letter(char, len(self._sound), len(self._sound)) for char in untimed]
        return self._let_out(len(self._letters), len(self._sound))

    def restart(self) -> None:
        """The voice died and `rest` is about to be voiced anew: forget the sound of the unfinished word."""
        self._sound, self._letters = b"", []
        within_word = self._next and not self._next.isspace()
        if within_word and self._out == self._early:
            self._again, self._out = self._out, 0

    def _match(self, letter: Letter, offset: int) -> None:
        """Find the character of the text that this letter voices.

        They are matched by order, blanks aside: a voice adds blanks, drops them and merges them.
        """
        start, end = offset + letter.start * _MS, offset + letter.end * _MS
        if not letter.char.isspace():
            while self._next.isspace():
                self._letters.append(Letter(self._next, start, start))
        if self._next and self._next.isspace() == letter.char.isspace():
            self._letters.append(Letter(self._next, start, end))

    @property
    def _next(self) -> str:
        """The first character that is not timed yet, or nothing at the end of the clause."""
        return self._text[self._out + len(self._letters) :][:1]

    def _complete(self) -> tuple[int, int]:
        """How many of the letters held back, and how many bytes, can come out."""
        voiced = sum(letter.end <= len(self._sound) for letter in self._letters)
        everything = voiced == len(self._letters) and not self.rest[voiced:].strip()
        if everything or not self._letters:
            return voiced, len(self._sound)
        overdue = len(self._sound) > _LONGEST_WORD
        words = max((place for place in range(1, voiced + 1) if self._letters[place - 1].char.isspace()), default=0)
        count = words or (voiced if overdue or not self._out else 0)
        if not count and not self._out:
            # Nobody waits for the end of a first letter; it comes out with its beginning.
            count = sum(letter.start < len(self._sound) for letter in self._letters)
        if not count:
            return 0, len(self._sound) if overdue else 0
        return count, min([letter.start for letter in self._letters[count:]] + [len(self._sound)])

    def _let_out(self, count: int, size: int) -> Spoken | None:
        letters, held = self._letters[:count], self._letters[count:]
        sound, self._sound = self._sound[:size], self._sound[size:]
        self._letters = [Letter(letter.char, max(0, letter.start - size), letter.end - size) for letter in held]
        if letters and not self._out and not letters[-1].char.isspace():
            self._early = count
        self._out += count
        new, self._again = letters[self._again :], max(0, self._again - count)
        if not (sound or new):
            return None
        return Spoken(sound, "".join(letter.char for letter in new), tuple(letter.start // _MS for letter in new))
