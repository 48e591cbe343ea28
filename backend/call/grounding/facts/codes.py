"""Digits and letters that are read one after the other: phone numbers, plates, reference numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from backend.call.grounding.facts.amounts import Speech, singular
from backend.call.grounding.facts.durations import UNITS

LABELS = frozenset(
    "room floor suite apartment apt flat unit gate platform building level extension ext box house step question "
    "option section line class flight order invoice reference ticket case policy plate zip code pin id account bus "
    "studio number ward bay dock locker".split()
)
_CODED = frozenset("extension ext number code pin id order invoice reference ticket case policy plate zip account "
                   "flight ending ends".split())  # fmt: skip
_EMERGENCIES = frozenset(("911", "112", "999"))
_MEASURES = UNITS | frozenset("percent dollar euro pound buck cent pence".split())


@dataclass(frozen=True, slots=True)
class Code:
    """Digits, and maybe letters, that are read one by one, or a number that is a name: "room B12"."""

    text: str
    label: str = ""


class Codes:
    """Reads codes at a place of a text."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def at(self, place: int) -> tuple[Code | None, int] | None:
        """The code that begins there, and its last word; None for one that everybody knows."""
        if self.always(place):
            return Code("24/7"), place + 1 + (self._speech.words[place].low == "twenty")
        pieces: list[list[str]] = [[]]
        at, last = place, place - 1
        while at < len(self._speech.words):
            if at > place and not self._goes_on(at, pieces):
                break
            if at > place and "," in self._speech.gap(at):
                pieces.append([])
            number = self._speech.number(at)
            if number and number.value % 1 == 0 and not number.ordinal:
                pieces[-1].append(number.digits)
                last = number.last
            elif self._is_letter(at, place):
                pieces[-1].append(self._speech.low(at))
                last = at
            else:
                break
            at = last + 1
        parts = [part for piece in pieces for part in piece]
        if not parts:
            return None
        return self._as_code(place, last, parts)

    def _as_code(self, place: int, last: int, parts: list[str]) -> tuple[Code | None, int] | None:
        text = "".join(parts)
        letters, digits = any(part.isalpha() for part in parts), sum(char.isdigit() for char in text)
        before = self._speech.low(place - 1)
        label = before if before in LABELS else ""
        if text in _EMERGENCIES and before in ("call", "dial", "ring"):
            return None, last
        if letters and digits:
            return Code(text, label), last
        if letters:
            return (Code(text), last) if len(parts) >= 3 else None
        singles = sum(len(part) == 1 for part in parts)
        told = any(self._speech.low(at) in _CODED for at in range(place - 3, place))
        dialled = singles >= 3 or (len(parts) > 1 and digits >= 7) or (digits >= 7 and self._is_plain(place))
        if not dialled and not (told and (len(parts) > 1 or digits > 2)):
            return None
        if singles < 3 and singular(self._speech.low(last + 1)) in _MEASURES:
            return None
        return Code(text, label), last

    def always(self, place: int) -> bool:
        """Whether "24/7" is there."""
        number = self._speech.number(place)
        seven = number and self._speech.number(number.last + 1)
        if not number or not seven or (number.value, seven.value) != (24, 7):
            return False
        return self._speech.gap(seven.first) in ("/", " ", "-", " / ")

    def _is_plain(self, place: int) -> bool:
        return self._speech.words[place].text.isdigit()

    def _goes_on(self, at: int, pieces: list[list[str]]) -> bool:
        gap = self._speech.gap(at)
        if self.always(at):
            return False
        if gap in ("", " ", "-", ".", ") ", " (", " - ", "/"):
            return True
        number = self._speech.number(at)
        following = self._speech.number(number.last + 1) if number else None
        grouped = number is not None and (following is not None or len(number.digits) > 2)
        return gap in (", ", ". ", ",") and len(pieces[-1]) + (len("".join(pieces[-1])) > 2) > 1 and grouped

    def _is_letter(self, at: int, place: int) -> bool:
        """Whether the word there is one or a few letters of a code."""
        word = self._speech.words[at]
        if not word.text.isalpha() or not word.text.isupper():
            return False
        beside = self._speech.gap(at) in ("", "-") and at > 0 and self._speech.words[at - 1].numeric
        next_gap = self._speech.gap(at + 1) if at + 1 < len(self._speech.words) else "\n"
        glued = beside or (next_gap in ("", "-") and self._speech.words[at + 1].numeric)
        if glued and word.text in ("AM", "PM"):
            return False
        if len(word.text) > 1:
            return glued
        begins = at == 0 or self._speech.gap(at).strip() in (".", "!", "?")
        return glued or word.text not in ("A", "I") or not (begins or at == place)
