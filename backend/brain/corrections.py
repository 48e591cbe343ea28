"""Taking back what was just said: "Friday, no wait, Wednesday at four". Pure.

What was taken back is left out, so that whoever reads the words finds only what holds.
"""

from __future__ import annotations

import re
from itertools import pairwise

from backend.brain import times
from backend.brain.times import When

_MARK = (
    r"(?:no wait|wait no|no hang on|hang on no|no hold on|no sorry|sorry no|no i mean|no i meant|i mean|i meant"
    r"|no make (?:it|that)|make (?:it|that)|scratch that|no rather|or rather|rather|correction"
    r"|(?:no )?let's say|no let's say|no better|no not that|actually no|no actually|no)"
)
_FILLER = r"(?:uh|um|er|erm|ah|oh|well|then|wait|sorry|actually|is|works|fine|good|okay|please)"
# Between what is taken back and what counts there is only the taking back itself.
_TAKEN_BACK = re.compile(
    rf"[\s,.;-]*(?:{_FILLER}[\s,.;-]+)*{_MARK}(?:[\s,.;-]+(?:{_FILLER}|{_MARK}|on|at|the|for))*[\s,.;-]*", re.I
)
_AGAIN = re.compile(
    r"\b(?:(?:no )?(?:sorry )?(?:i|we) meant|(?:no )?(?:sorry )?make (?:it|that)|(?:no )?scratch that|my mistake"
    r"|that was wrong|(?:no )?(?:sorry )?i mean|^(?:oh )?no sorry|correction|(?:no )?(?:hang|hold) on (?:i|we) mean)\b",
    re.I,
)


def corrected(text: str) -> str:
    """The words without the times and numbers that were taken back in the same breath."""
    found = times.find(text)
    for taken, meant in pairwise(found):
        text = _without(text, taken, meant)
    return text


def takes_back(text: str) -> bool:
    """Whether something is put right within these words."""
    return bool(_MARKED.search(text))


_MARKED = re.compile(r"\b(?:no|sorry|wait|mean|meant|rather|correction|scratch that)\b", re.IGNORECASE)


def corrects(text: str) -> bool:
    """Whether something said before is put right with these words."""
    return bool(_AGAIN.search(text.lower()))


def _without(text: str, taken: When, meant: When) -> str:
    """The text in which only the later of two times is left, if it took back the earlier one."""
    first = text.lower().find(taken.text.lower())
    second = text.lower().find(meant.text.lower(), first + len(taken.text))
    if first < 0 or second < 0 or not _TAKEN_BACK.fullmatch(text[first + len(taken.text) : second]):
        return text
    return f"{text[:first]}{_completed(taken, meant)}{text[second + len(meant.text) :]}"


def _completed(taken: When, meant: When) -> str:
    """Another hour is meant on the same day; another day need not be meant at the same hour."""
    if meant.clock is not None and taken.day and not (meant.day or meant.date):
        return f"{taken.day} at {meant.text}"
    return meant.text
