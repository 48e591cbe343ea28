"""Numbers and letters as they are heard on the phone: "oh four one double two", "J O N". Pure.

A recogniser writes what was said, word by word or as figures; the operator needs the number or the name itself.
"""

from __future__ import annotations

import re

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT = {**{name: str(value) for value, name in enumerate(_DIGITS)}, "oh": "0", "o": "0", "nought": "0", "to": "2"}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_FIGURES = rf"(?:{'|'.join(_DIGITS)}|oh|o|nought|\d+)"
_STEP = rf"(?:(?:{'|'.join(_TIMES)}) )?{_FIGURES}"
# Words for figures count as a number only where several stand together: "one" may be anything, and so may "oh".
_NUMBER = re.compile(rf"\b(?:{_STEP}(?:[ ,-]+(?:{_STEP}|to(?= {_FIGURES}\b)))+|\d{{4,}})\b", re.IGNORECASE)
_LETTER = r"[a-z](?:(?: as in| for| like) [a-z]+)?"
_SPELLED = re.compile(rf"\b(?:double )?{_LETTER}\b(?:[ ,.-]+(?:double )?{_LETTER}\b){{2,}}", re.IGNORECASE)


def numbers(text: str) -> tuple[str, ...]:
    """Every number that was said figure by figure, as figures without spaces."""
    return tuple(found for match in _NUMBER.finditer(text) if len(found := _figures(match[0])) > 2)


def spelled(text: str) -> tuple[str, ...]:
    """Every word that was spelled, its letters joined by hyphens, such as `J-O-N`."""
    return tuple("-".join(_letters(match[0])) for match in _SPELLED.finditer(text) if not _NUMBER.fullmatch(match[0]))


def aloud(number: str) -> str:
    """A number to be read back figure by figure."""
    return " ".join(number)


def _figures(said: str) -> str:
    found, times = "", 1
    for word in re.split(r"[ ,-]+", said.lower()):
        if word in _TIMES:
            times = _TIMES[word]
            continue
        figure = _DIGIT.get(word, word)
        # "Double two" doubles one figure; a whole number after it was written by the recogniser as it should be.
        found, times = found + (figure * times if len(figure) == 1 else figure), 1
    return found


def _letters(said: str) -> list[str]:
    said = re.sub(r"\b([a-z])(?: as in| for| like) [a-z]+", r"\1", said, flags=re.IGNORECASE)
    said = re.sub(r"\bdouble ([a-z])\b", r"\1 \1", said, flags=re.IGNORECASE)
    return [letter.upper() for letter in re.findall(r"[a-z]", said, re.IGNORECASE)]
