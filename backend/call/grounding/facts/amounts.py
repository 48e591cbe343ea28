"""Numbers in a text, in digits or in words, wherever they stand: "45", "forty-five", "two hundred and forty". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)*")
_UNITS = "zero one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = {word: number for number, word in enumerate((*_UNITS, *_TEENS))} | {"nought": 0}
_TEN = {word: 10 * number for number, word in enumerate(_TENS, 2)}
_ORDINAL_UNITS = "first second third fourth fifth sixth seventh eighth ninth".split()
_ORDINAL_TEENS = (
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split()
)
_ORDINAL = {word: number for number, word in enumerate((*_ORDINAL_UNITS, *_ORDINAL_TEENS), 1)}
_ORDINAL_TEN = {word[:-1] + "ieth": number for word, number in _TEN.items()}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_SUFFIXES = frozenset(("st", "nd", "rd", "th"))
_TIGHT = re.compile(r"\s+|\s?-\s?")
_REPEATED = {"double": 2, "triple": 3}


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a number in digits, with what stands before it."""

    text: str
    low: str
    """In lower case, without a possessive's ending."""
    gap: str
    """What stands between the word before and this one."""
    start: int
    end: int

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def numeric(self) -> bool:
        return self.text[0].isdecimal()


@dataclass(frozen=True, slots=True)
class Number:
    """One number as it was written or said."""

    value: float
    digits: str
    """Its digits as they would be dialled: "0143" keeps its zero."""
    first: int
    """The place of its first word."""
    last: int
    ordinal: bool = False


def singular(word: str) -> str:
    """A noun without the ending of its plural."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and len(word) > 2 and not word.endswith("ss") else word


class Speech:
    """A text's words and numbers, by their places; a place outside of it is an empty word."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words_of(text)
        self.numbers = numbers_of(self.words)
        self._at = {number.first: number for number in self.numbers}
        self._until = {number.last: number for number in self.numbers}

    def low(self, place: int) -> str:
        return self.words[place].low if 0 <= place < len(self.words) else ""

    def gap(self, place: int) -> str:
        """What stands before the word at this place."""
        return self.words[place].gap if 0 <= place < len(self.words) else "\n"

    def number(self, place: int) -> Number | None:
        """The number whose first word is there."""
        return self._at.get(place)

    def number_before(self, place: int) -> Number | None:
        return self._until.get(place - 1)

    def tight(self, place: int) -> bool:
        """Whether nothing but a blank or a hyphen stands before the word at this place."""
        return 0 <= place < len(self.words) and tight(self.words[place])


def words_of(text: str) -> list[Word]:
    found: list[Word] = []
    end = 0
    for match in _WORD.finditer(text):
        word = match[0]
        low = word.lower().replace("’", "'")
        found.append(Word(word, low.removesuffix("'s"), text[end : match.start()], match.start(), match.end()))
        end = match.end()
    return found


def tight(word: Word) -> bool:
    """Whether nothing but a blank or a hyphen parts this word from the one before."""
    return word.gap == " " or _TIGHT.fullmatch(word.gap) is not None


def numbers_of(words: list[Word]) -> list[Number]:
    """Every number, in order; "two forty" is two of them. "Oh" is one only beside another."""
    found: list[Number] = []
    place = 0
    while place < len(words):
        number = _Reader(words, place).number()
        if number:
            found.append(number)
        place = number.last + 1 if number else place + 1
    return [number for number in found if words[number.first].low not in ("oh", "o") or _beside(number, found, words)]


def _beside(oh: Number, found: list[Number], words: list[Word]) -> bool:
    before = any(other.last == oh.first - 1 for other in found) and tight(words[oh.first])
    after = any(other.first == oh.last + 1 and other is not oh for other in found) and tight(words[oh.last + 1])
    return before or after


class _Reader:
    """Reads one number from its first word on."""

    def __init__(self, words: list[Word], place: int) -> None:
        self._words = words
        self._first = self._next = place

    def number(self) -> Number | None:
        word = self._words[self._first]
        if word.numeric:
            return self._in_digits(word)
        if word.low in ("oh", "o"):
            return Number(0, "0", self._first, self._first)
        if word.low in _REPEATED:
            return self._repeated(_REPEATED[word.low])
        return self._in_words()

    def _low(self, ahead: int = 0) -> str:
        """The next word, "" where something other than a blank or a hyphen comes first."""
        place = self._next + ahead
        if place >= len(self._words):
            return ""
        joined = all(tight(self._words[at]) for at in range(max(self._next, self._first + 1), place + 1))
        return self._words[place].low if joined else ""

    def _in_digits(self, word: Word) -> Number:
        plain = word.text.replace(",", "")
        self._next += 1
        after = self._words[self._next] if self._next < len(self._words) else None
        if after and after.low in _SUFFIXES and not after.gap:
            return Number(float(plain), plain, self._first, self._next, ordinal=True)
        value, digits = float(plain), plain.replace(".", "")
        if self._low() in _SCALES:
            value *= _SCALES[self._low()]
            digits = f"{value:.0f}"
            self._next += 1
        return self._with_half(value, digits)

    def _repeated(self, times: int) -> Number | None:
        self._next += 1
        digit = self._low()
        value = 0 if digit == "oh" else _SMALL.get(digit, 10)
        digits = str(value) * times
        return Number(float(digits), digits, self._first, self._next) if value < 10 else None

    def _in_words(self) -> Number | None:
        read = self._below_hundred()
        value: float
        if read is None:
            if self._low() != "a" or self._low(1) not in _SCALES:
                return None
            self._next, value = self._next + 1, 1
        else:
            value, ordinal = read
            if ordinal:
                return Number(value, f"{value:.0f}", self._first, self._next - 1, ordinal=True)
        total, ordinal = self._scaled(value)
        if ordinal:
            return Number(total, f"{total:.0f}", self._first, self._next - 1, ordinal=True)
        return self._with_half(self._with_point(total), f"{total:.0f}")

    def _scaled(self, value: float) -> tuple[float, bool]:
        """With hundreds and thousands, and what follows them; and whether that makes it an ordinal."""
        total = 0.0
        while scale := _SCALES.get(self._low()):
            self._next += 1
            value *= scale
            skip = 1 if self._low() == "and" else 0
            self._next += skip
            rest = None if self._low(1) == "hundred" and (skip or scale == 100) else self._below_hundred()
            if rest is None:
                self._next -= skip
            elif self._low() in _SCALES and scale >= 1000:
                total, value = total + value, float(rest[0])
            else:
                value += rest[0]
                if rest[1]:
                    return total + value, True
        return total + value, False

    def _below_hundred(self) -> tuple[int, bool] | None:
        word = self._low()
        if word in _SMALL:
            self._next += 1
            return _SMALL[word], False
        if word in _ORDINAL or word in _ORDINAL_TEN:
            self._next += 1
            return _ORDINAL.get(word) or _ORDINAL_TEN[word], True
        if word not in _TEN:
            return None
        self._next += 1
        unit = self._low()
        if 0 < _SMALL.get(unit, 10) < 10:
            self._next += 1
            return _TEN[word] + _SMALL[unit], False
        if _ORDINAL.get(unit, 10) < 10:
            self._next += 1
            return _TEN[word] + _ORDINAL[unit], True
        return _TEN[word], False

    def _with_point(self, value: float) -> float:
        if self._low() != "point":
            return value
        decimals = ""
        self._next += 1
        while _SMALL.get(self._low(), 10) < 10:
            decimals += str(_SMALL[self._low()])
            self._next += 1
        if not decimals:
            self._next -= 1
            return value
        return float(f"{value:.0f}.{decimals}")

    def _with_half(self, value: float, digits: str) -> Number:
        if (self._low(), self._low(1), self._low(2)) == ("and", "a", "half"):
            self._next += 3
            value += 0.5
        return Number(value, digits, self._first, self._next - 1)
