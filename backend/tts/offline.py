"""The voice that needs no keys: hibari, which reads a sentence a hundred times faster than it is spoken."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from backend import audio
from backend.engines.installed import mute
from backend.engines.pool import VOICES, Engines, Voice
from backend.engines.synthesiser import BREATH
from backend.models import ProviderError, Spoken, Voiced

CATCH = 0.06
"""Seconds of silence after a clause that goes on."""


class OfflineVoice:
    """Text to speech by the engines of this machine, one sentence at a time."""

    def __init__(self, engines: Engines, voice: Voice = VOICES["agent"]) -> None:
        self._engines = engines
        self._voice = voice

    async def __aenter__(self) -> Self:
        if why := mute():
            raise ProviderError(why)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def say(self, text: str) -> AsyncIterator[Voiced]:
        for sentence in sentences(text):
            words = pronounceable(sentence)
            yield spoken(sentence, await self._engines.synthesise(words, self._voice) if words else b"")


def spoken(sentence: str, sound: bytes) -> Spoken:
    """The sentence with the silence after it. The engine tells no timings, so the characters share the sound evenly."""
    length = audio.seconds(sound) * 1000 / max(1, len(sentence))
    pause = BREATH if re.search(r"[.!?…][\"'”’)]*\s*$", sentence) else CATCH
    silence = audio.SILENCE * round(pause * audio.RATE) if sound else b""
    return Spoken(sound + silence, sentence, tuple(int(place * length) for place in range(len(sentence))))


# --- what is read, and how --------------------------------------------------------------------------------------

_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[^\sa-z])|\n\s*(?=\S)")
_TITLE = re.compile(r"\b(mr|mrs|ms|dr|st|prof|vs|approx|[a-z])\.$", re.IGNORECASE)
_NUMBERED = re.compile(r"\b(no|ext)\.$", re.IGNORECASE)
_TIME = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_DAY = re.compile(r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|\W|\d")


def sentences(text: str) -> list[str]:
    """The text in sentences; joined again they are the text to the last character."""
    found, start = [], 0
    for end in _END.finditer(text):
        if any(map(str.isalnum, text[start : end.end()])) and _is_end(text[: end.end()].rstrip(), text[end.end() :]):
            found.append(text[start : end.end()])
            start = end.end()
    if found and not any(map(str.isalnum, text[start:])):
        found[-1] += text[start:]
    elif text:
        found.append(text[start:])
    return found


def _is_end(before: str, after: str) -> bool:
    """Whether the full stop between these ends a sentence, or only an abbreviation."""
    if _TIME.search(before):
        return not _DAY.match(after)
    if _NUMBERED.search(before):
        return not after[0].isdigit()
    return not _TITLE.search(before)


_DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))
_DATE = r"\d{4}-\d\d-\d\d"
_PHONE = rf"(?<![\w$.,:/-])(?!{_DATE})\+?\(?\d[\d ().-]{{5,}}\d(?![\w%:/]|[.,]\d)"
_CODE = r"(?<![\w$.,:/-])0\d+(?![\w%:/]|[.,]\d)"


def pronounceable(text: str) -> str:
    """The text as the engine reads it rightly: it reads "555 0143" as a number of hundreds and loses the zero.

    Empty when there is no word in it: the engine would sigh.
    """
    if not any(map(str.isalnum, text)):
        return ""
    text = re.sub(r"\bNo\.(?=\s*\d)", "number", text)
    text = re.sub(r"\bext\.(?=\s*\d)", "extension", text, flags=re.IGNORECASE)
    text = re.sub(r"\b24/7\b", "twenty-four seven", text)
    text = re.sub(_PHONE, lambda found: _read_out(found[0]), text)
    text = re.sub(_CODE, lambda found: _read_out(found[0]), text)
    return " ".join(text.split())


def _read_out(number: str) -> str:
    """Digit by digit, with a pause after each group: "+1 202 555 0143" in four, ten digits without groups as 3-3-4."""
    groups = re.findall(r"\d+", number)
    if sum(map(len, groups)) < 7 and len(groups) > 1:
        return number
    if len(groups) == 1 and len(number) >= 7:
        groups = re.findall(r"\d{1,3}(?=(?:\d{3})*\d{4}$)|\d{4}$", groups[0])
    plus = "plus " if number.startswith("+") else ""
    return plus + ", ".join(" ".join(_DIGITS[digit] for digit in group) for group in groups)
