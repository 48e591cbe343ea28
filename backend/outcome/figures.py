"""The numbers, days and times in a text, however they are written, for comparing a claim with what was said. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.brain import times
from backend.brain.times import When

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth \
fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split()
_VALUES = (
    {word: value for value, word in enumerate(_ONES)}
    | {word: 10 * ten for ten, word in enumerate(_TENS, start=2)}
    | {word: value for value, word in enumerate(_ORDINALS, start=1)}
    | {"thirtieth": 30, "oh": 0, "dozen": 12}
)
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_DASHES = re.compile(r"(?<=\w)[-–](?=\w)")
_NOBODY = re.compile(r"\b(?:no|any|every|some|this|that|which|another|last) one\b|\bone another\b", re.IGNORECASE)
_DIGIT = rf"(?:{'|'.join(['oh', *_ONES[:10]])})"
_SPELT = re.compile(rf"\b{_DIGIT}(?:[\s,]+{_DIGIT}){{2,}}\b", re.IGNORECASE)
"""Digits said one by one."""
_NUMBER = rf"(?:{'|'.join([*_VALUES, *_SCALES])}|[0-9]+)"
_LARGE = re.compile(rf"\b(?:{_NUMBER} )*(?:{'|'.join(_SCALES)})\b(?: (?:and )?{_NUMBER}\b)*", re.IGNORECASE)
"""A number with a hundred or more in it."""
_TELEPHONE = 7
"""So many digits are a telephone number or alike, which people say and write in pieces."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What of a text can be checked without understanding it."""

    whens: tuple[When, ...]
    numbers: tuple[str, ...]
    """All others, as digits, in order; digits said one by one are one number."""

    @classmethod
    def of(cls, text: str) -> Figures:
        text = times.repaired(_DASHES.sub(" ", text.replace("’", "'")))
        text = _NOBODY.sub(" ", re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
        text = _SPELT.sub(lambda run: "".join(_numbers(run[0])), text)
        text = _LARGE.sub(lambda run: " ".join(_numbers(run[0])), text)
        whens = times.find(text)
        rest = text
        for when in whens:
            rest = _without(rest, when.text)
        return cls(whens, _numbers(rest))

    def missing(self, said: Sequence[Figures]) -> tuple[str, ...]:
        """What of these does not occur in what was said, turn by turn, as it stands in the claim."""
        whens = [when for figures in said for when in figures.whens]
        loose = [number for figures in said for number in figures.numbers]
        hours = {str(when.clock // 60) for when in whens if when.clock is not None and when.clock % 60 == 0}
        # What was found in a day such as "in ten minutes" or "the third of May" may be claimed as a number.
        # So may what is a time only by its looks: "about 100".
        unclear = [when for when in whens if when.clock is None or re.search(r"\b\d{3,}\b", when.text)]
        dated = [number for when in unclear for number in _numbers(when.text)]
        numbers = [*loose, *dated, *hours]
        lacking = [when.text for when in self.whens if not _told(when, whens, loose)]
        return (*lacking, *(number for number in self.numbers if not _counted(number, numbers, loose)))


def _without(text: str, piece: str) -> str:
    place = text.lower().find(piece.lower())
    return text if place < 0 else f"{text[:place]} . {text[place + len(piece) :]}"


def _counted(number: str, said: Iterable[str], loose: Sequence[str]) -> bool:
    if number in said:
        return True
    if len(number) >= _TELEPHONE:
        return number in "".join(loose)
    return len(number) >= 3 and any(number in whole for whole in loose if len(whole) >= _TELEPHONE)


# --- days and times -------------------------------------------------------------------------------------------


def _told(claimed: When, said: Sequence[When], loose: Sequence[str]) -> bool:
    """Whether every part of the time was said, and its day and hour not each with another partner."""
    whole = [when for when in said if _covers(when, claimed)]
    if whole:
        return True
    rivals = [when for when in said if not when.vague and _shares(when, claimed)]
    if rivals and not claimed.vague:
        return False
    hours = [When("", clock=int(number) * 60) for number in loose if len(number) <= 2 and 1 <= int(number) <= 23]
    parts = (
        not claimed.day or any(_same_day(claimed, when) for when in said),
        not claimed.date or any(_same_date(claimed, when) for when in said) or _dated(claimed, said, loose),
        claimed.clock is None or any(_same_hour(claimed, when) for when in (*said, *hours)),
        not claimed.part or any(_same_part(claimed, when) for when in said),
    )
    return all(parts)


def _covers(said: When, claimed: When) -> bool:
    return (
        claimed.fits(said)
        and (not claimed.day or _same_day(claimed, said))
        and (not claimed.date or _same_date(claimed, said))
        and (claimed.clock is None or _same_hour(claimed, said))
        and (not claimed.part or _same_part(claimed, said))
    )


def _shares(said: When, claimed: When) -> bool:
    return (bool(claimed.day) and said.day == claimed.day) or (claimed.clock is not None and _same_hour(claimed, said))


def _same_day(claimed: When, said: When) -> bool:
    return bool(said.day) and _numeric(claimed.day) == _numeric(said.day)


def _numeric(day: str) -> str:
    """Days such as "in 10 minutes" and "in ten minutes" alike."""
    return " ".join(str(_VALUES.get(word, word)) for word in day.removeprefix("the ").split())


def _same_date(claimed: When, said: When) -> bool:
    return bool(said.date) and (claimed.date == said.date or claimed.date == said.date.split()[-1])


def _dated(claimed: When, said: Sequence[When], loose: Sequence[str]) -> bool:
    """The month and the day of the month, each said somewhere."""
    *month, day = claimed.date.split()
    dates = [when.date for when in said if when.date]
    return any(date.split()[0] in month for date in dates) and (day in loose or any(d == day for d in dates))


def _same_hour(claimed: When, said: When) -> bool:
    if claimed.clock is None or said.clock is None:
        return False
    mine, theirs = (When("", clock=w.clock, half=w.half, part="" if w.half else w.part) for w in (claimed, said))
    return mine.fits(theirs)


def _same_part(claimed: When, said: When) -> bool:
    if said.part:
        return claimed.part == said.part
    return said.clock is not None and When("", part=claimed.part).fits(When("", clock=said.clock, half=said.half))


# --- numbers --------------------------------------------------------------------------------------------------


def _numbers(text: str) -> tuple[str, ...]:
    """Such as ("45", "0143") for "forty five dollars, 0143"."""
    counting = _Counting()
    for word in re.findall(r"[0-9]+|[a-z]+", text.lower()):
        counting.take(word)
    return tuple(counting.end())


class _Counting:
    """Puts the words of a number together: "one hundred" and "twenty" and "five"."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._total = 0
        """The thousands of the number under way."""
        self._part: int | None = None
        """What comes after them, so far."""
        self._text = ""
        """As it was written, where it was written in digits."""

    def take(self, word: str) -> None:
        if word.isdigit():
            self.end()
            self._part, self._text = int(word), word
        elif word == "hundred":
            self._part, self._text = (self._part or 1) * 100, ""
        elif word in _SCALES:
            self._total += (self._part or 1) * _SCALES[word]
            self._part, self._text = None, ""
        elif word in _VALUES:
            self._add(_VALUES[word])
        elif word != "and":
            self.end()

    def _add(self, value: int) -> None:
        part = self._part or 0
        fits = (part >= 100 and part % 100 == 0) or (part % 100 >= 20 and part % 10 == 0 and 0 < value < 10)
        if self._text or not (self._part is None or (fits and value < 100)):
            self.end()
            part = 0
        self._part = part + value

    def end(self) -> list[str]:
        """Close the number under way, and return all there are."""
        if self._part is not None or self._total:
            self._found.append(self._text or str(self._total + (self._part or 0)))
        self._total, self._part, self._text = 0, None, ""
        return self._found
