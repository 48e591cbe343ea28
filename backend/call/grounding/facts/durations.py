"""How long something takes, as people write and say it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from backend.call.grounding.facts.amounts import Number, Speech, singular

_MINUTES = {"second": 1 / 60, "sec": 1 / 60, "minute": 1, "min": 1, "hour": 60, "hr": 60, "h": 60}
_MINUTES |= {"day": 1440, "week": 10080, "wk": 10080}
_MONTHS = {"month": 1, "year": 12, "yr": 12}
UNITS = frozenset((*_MINUTES, *_MONTHS))


@dataclass(frozen=True, slots=True)
class Span:
    """How long something takes."""

    value: float
    """Minutes, or months when they are `months`."""
    months: bool = False


class Durations:
    """Reads durations at a place of a text."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def of(self, number: Number) -> tuple[Span, int] | None:
        """ "forty-five minutes", "two and a half hours", "one hour and fifteen minutes", "3 working days" """
        place = number.last + 1
        place += self._speech.low(place) in ("working", "business", "full", "whole", "more")
        unit = singular(self._speech.low(place))
        if number.ordinal or not self._speech.tight(number.last + 1):
            glued = not number.ordinal and self._speech.gap(number.last + 1) == "" and unit in ("min", "hr", "h", "sec")
            if not glued:
                return None
        if unit in _MONTHS:
            return Span(number.value * _MONTHS[unit], months=True), place
        if unit not in _MINUTES:
            return None
        more, last = self._rest(place) if unit == "hour" else (0.0, place)
        return Span(round(number.value * _MINUTES[unit] + more, 3)), last

    def _rest(self, hour: int) -> tuple[float, int]:
        """The minutes after "hour", as in "an hour and a half"."""
        speech = self._speech
        joined = speech.low(hour + 1) == "and"
        place = hour + 1 + joined
        if joined and speech.low(place) == "a" and speech.low(place + 1) in ("half", "quarter"):
            return (30.0 if speech.low(place + 1) == "half" else 15.0), place + 1
        number = speech.number(place)
        if number and speech.tight(place) and singular(speech.low(number.last + 1)) in ("minute", "min"):
            return number.value, number.last + 1
        return 0.0, hour

    def in_words(self, place: int) -> tuple[Span, int] | None:
        """ "an hour", "half an hour", "three quarters of an hour", "within a week" """
        speech, low = self._speech, self._speech.low(place)
        if low == "half" and speech.low(place + 1) in ("an", "a", "hour"):
            last = place + 1 + (speech.low(place + 1) != "hour")
            return (Span(30.0), last) if speech.low(last) == "hour" else None
        number = speech.number(place)
        quarters = number.value if number else 1
        quarter = number.last + 1 if number else place
        if speech.low(quarter) in ("quarter", "quarters") and speech.low(quarter + 1) == "of":
            return (Span(15.0 * quarters), quarter + 3) if speech.low(quarter + 3) == "hour" else None
        if low == "an" and speech.low(place + 1) == "hour":
            if speech.low(place - 1) in ("dollars", "euros", "pounds", "cents", "fifty", "times"):
                return None
            more, last = self._rest(place + 1)
            return Span(60.0 + more), last
        if low == "a" and speech.low(place - 1) in ("within", "in", "for", "takes", "take", "about"):
            unit = speech.low(place + 1)
            if unit in ("day", "week"):
                return Span(float(_MINUTES[unit])), place + 1
            if unit in _MONTHS:
                return Span(float(_MONTHS[unit]), months=True), place + 1
        return None
