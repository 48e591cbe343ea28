"""Times of day in a text, as people write and say them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from backend.call.grounding.facts.amounts import Number, Speech
from backend.call.grounding.facts.days import weekdays_at

PARTS = {
    "morning": (0, 720),
    "mornings": (0, 720),
    "noon": (690, 840),
    "lunchtime": (660, 840),
    "afternoon": (720, 1080),
    "afternoons": (720, 1080),
    "evening": (1020, 1440),
    "evenings": (1020, 1440),
    "night": (1080, 1440),
}
_NAMED = {"noon": 720, "midday": 720, "midnight": 0}
LEADS = frozenset("at until till by before after around about since from between for to past".split())
_FROM = frozenset(("from", "after", "since"))
_UNTIL = frozenset(("until", "till", "by", "before", "to"))
_BOUNDS = _FROM | _UNTIL | {"between"}
_CUES = frozenset("at until till by before after around since past".split())
CLOCK_OPENERS = frozenset((*PARTS, *_NAMED, "half", "quarter"))
"""Words that a time may begin with, besides a number."""
_UNITS_AFTER = frozenset("percent people dollar euro pound cent minute hour day week month year of more other".split())
_VERBS_IN_S = frozenset("works suits does this sounds fits starts ends begins always unless perhaps tuesdays".split())


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day: the minutes since midnight that it may mean."""

    minutes: frozenset[int]
    lead: str = ""
    """The word before it that is not "at", such as "until"."""

    @property
    def sure(self) -> bool:
        """Whether morning or afternoon is known."""
        return len(self.minutes) == 1

    @property
    def bounds(self) -> bool:
        """Whether something begins or ends then, as in "from nine to eleven"."""
        return self.lead in _BOUNDS

    def agrees(self, known: Clock) -> bool:
        """Whether one is not the beginning of something and the other an end."""
        return not ((self.lead in _FROM and known.lead in _UNTIL) or (self.lead in _UNTIL and known.lead in _FROM))

    def within(self, part: Part) -> Clock:
        return replace(self, minutes=frozenset(m for m in self.minutes if part.first <= m < part.end))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day, in minutes since midnight."""

    first: int
    end: int


class Clocks:
    """Reads times of day at a place of a text."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def part(self, place: int) -> Part | None:
        """The part of the day that is named there."""
        low = self._speech.low(place)
        return Part(*PARTS[low]) if low in PARTS and low not in _NAMED else None

    def at(self, place: int) -> tuple[Clock, int] | None:
        """A time of day that can be nothing else, and its last word."""
        found = self._named(place) or self._fraction(place) or self._counted(place)
        if not found:
            return None
        clock, last = found
        lead = self._speech.low(place - 1)
        if lead == "and" and any(self._speech.low(at) == "between" for at in range(place - 7, place - 1)):
            lead = "between"
        return replace(clock, lead=lead if lead in LEADS - {"at"} else ""), last

    def loosely(self, place: int) -> tuple[Clock, int] | None:
        """What would be a time of day if it were meant as one, such as "two forty"."""
        return self._hour_and_minutes(place)

    def _named(self, place: int) -> tuple[Clock, int] | None:
        minutes = _NAMED.get(self._speech.low(place))
        return None if minutes is None else (Clock(frozenset({minutes})), place)

    def _fraction(self, place: int) -> tuple[Clock, int] | None:
        """ "half past two", "a quarter to nine", "ten after four" """
        number = self._speech.number(place)
        low = self._speech.low(place)
        minutes = {"half": 30, "quarter": 15}.get(low) or (int(number.value) if number else 0)
        way = (number.last if number else place) + 1
        way += self._speech.low(way) in ("minutes", "minute")
        hour = self._hour(way + 1)
        if hour is None or self._speech.low(way) not in ("past", "to", "after", "before", "till", "of"):
            return None
        after = self._speech.low(way) in ("past", "after")
        if minutes not in (5, 10, 15, 20, 25, 30) or (low != "half" and low != "quarter" and self._ranged(place)):
            return None
        if self._speech.low(way) in ("of", "before") and low != "quarter":
            return None
        return self._halved((60 * hour[0] + (minutes if after else -minutes)) % 1440, hour[0], hour[1])

    def _ranged(self, place: int) -> bool:
        """Whether "ten to eleven" is a range."""
        number = self._speech.number(place)
        return self._speech.low(place - 1) in ("from", "between") or not number or number.value not in (5, 10, 20, 25)

    def _hour(self, place: int) -> tuple[int, int] | None:
        if self._speech.low(place) in _NAMED:
            return _NAMED[self._speech.low(place)] // 60, place
        number = self._speech.number(place)
        valid = number and number.value in range(25) and not number.ordinal
        return (int(number.value), number.last) if number and valid else None

    def _counted(self, place: int) -> tuple[Clock, int] | None:
        found = self._hour_and_minutes(place)
        if not found:
            return None
        clock, last = found
        return found if self._is_meant(place, clock, last) else None

    def _hour_and_minutes(self, place: int) -> tuple[Clock, int] | None:
        number = self._speech.number(place)
        if not number or number.ordinal:
            return None
        split = self._written_together(number)
        if split:
            return self._halved(60 * split[0] + split[1], split[0], number.last)
        if number.value not in range(25):
            return None
        minutes, last = self._minutes(number.last + 1)
        last = last or number.last
        if self._speech.low(last + 1) in _NAMED and number.value == 12:
            return self._named(last + 1)
        return self._halved(int(number.value) % 24 * 60 + minutes, int(number.value), last)

    def _written_together(self, number: Number) -> tuple[int, int] | None:
        """ "2.30 p.m." and what recognisers write, "230 p.m." """
        if not self._half(number.last + 1)[0]:
            return None
        text = self._speech.words[number.first].text
        if re.fullmatch(r"\d{1,2}\.[0-5]\d", text):
            hour, minutes = text.split(".")
            return int(hour), int(minutes)
        if re.fullmatch(r"\d{3,4}", text) and number.value % 100 < 60 and number.value // 100 <= 24:
            return int(number.value // 100), int(number.value % 100)
        return None

    def _minutes(self, place: int) -> tuple[int, int]:
        number = self._speech.number(place)
        if not number or number.ordinal or number.value not in range(60):
            return 0, 0
        if self._speech.gap(place) == ":":
            return int(number.value), number.last
        if not self._speech.tight(place) or ("-" in self._speech.gap(place) and self._speech.words[place].numeric):
            return 0, 0
        if number.digits == "0":
            unit = self._speech.number(number.last + 1)
            ok = unit and self._speech.tight(unit.first) and 0 < unit.value < 10
            return (int(unit.value), unit.last) if unit and ok else (0, 0)
        return (int(number.value), number.last) if len(number.digits) == 2 else (0, 0)

    def _halved(self, minutes: int, hour: int, last: int) -> tuple[Clock, int]:
        """With "a.m.", "p.m." and "o'clock", where they follow."""
        if self._speech.low(last + 1) in ("o'clock", "sharp"):
            last += 1
        half, end = self._half(last + 1)
        minutes %= 1440
        if half:
            return Clock(frozenset({minutes % 720 + (720 if half == "p" else 0)})), end
        wide = hour > 12 or (hour == 0 and self._speech.low(last) not in _NAMED)
        if wide or self._speech.low(last) in _NAMED:
            return Clock(frozenset({minutes})), last
        return Clock(frozenset({minutes % 720, minutes % 720 + 720})), last

    def _half(self, place: int) -> tuple[str, int]:
        """ "a" or "p", and the last word of what says so."""
        low = self._speech.low(place)
        if low in ("am", "pm") and self._speech.gap(place).strip() == "":
            return low[0], place
        spaced = low in ("a", "p") and self._speech.low(place + 1) == "m"
        if spaced and self._speech.gap(place).strip() == "" and self._speech.gap(place + 1).strip() in ("", "."):
            return low, place + 1
        return "", place

    def _is_meant(self, place: int, clock: Clock, last: int) -> bool:
        return self._is_led(place, last) or (not self._is_counting(last + 1) and self._in_range(place, last))

    def _is_led(self, place: int, last: int) -> bool:
        """Whether the words beside it say that it is one."""
        if self._is_marked(place, last):
            return True
        before = self._speech.low(place - 1)
        led = before in _CUES or weekdays_at(self._speech, place - 1) or before in ("today", "tomorrow", "tonight")
        if before not in ("for", "of", "on") and self._speech.tight(last + 1):
            # "three on Friday", but not "a table for three on Friday"
            dated = self._speech.low(last + 1) in ("on", "this", "next") and weekdays_at(self._speech, last + 2)
            led = led or dated or self._speech.low(last + 1) == "tomorrow"
        return bool(led or (before in PARTS and self._speech.tight(place))) and not self._is_counting(last + 1)

    def _is_marked(self, place: int, last: int) -> bool:
        """Whether it is written as a time, or the part of the day follows."""
        if any(self._speech.gap(at) == ":" for at in range(place + 1, last + 1)):
            return True
        if self._speech.low(last) in ("o'clock", "am", "pm", "m", *_NAMED):
            return True
        low, following = self._speech.low(last + 1), self._speech.low(last + 3)
        return low == "in" and self._speech.low(last + 2) == "the" and following in PARTS

    def _in_range(self, place: int, last: int) -> bool:
        """Whether it is one end of "nine to eleven a.m." or "from eight to five"."""
        speech = self._speech
        scale = any(speech.low(at) in ("scale", "rate", "numbers") for at in range(place - 5, place))
        before, after = speech.low(place - 1), speech.low(last + 1) if speech.tight(last + 1) else ""
        dash = speech.gap(last + 1).strip() in ("-", "–")
        if after in ("to", "and", "until", "till", "through") or dash:
            end = last + 1 if dash else last + 2
            other = self._named(end) or self._hour_and_minutes(end)
            if not other or self._is_counting(other[1] + 1):
                return False
            led = before in ("from", "between") or self._speech.low(place - 2) in ("open", "from", "between")
            return self._is_marked(end, other[1]) or ((led or before in ("open", "hours")) and not scale)
        joint = place - 1
        dash = speech.gap(place).strip() in ("-", "–")
        if before in ("to", "and", "until", "till", "through") or dash:
            start = next((at for at in range(place - 1, max(-1, place - 7), -1) if speech.low(at) in
                          ("from", "between", "open", "hours")), None)  # fmt: skip
            if start is not None and not scale:
                return speech.number(start + 1) is not None or start == joint
            first = speech.number_before(place if dash else joint)
            return bool(first and (speech.gap(first.first) == ":" or self._is_led(first.first, first.last)))
        return False

    def _is_counting(self, place: int) -> bool:
        """Whether the word there is what the number before it counts."""
        low = self._speech.low(place)
        if not low or not self._speech.tight(place) or self._speech.number(place):
            return False
        if low in _UNITS_AFTER:
            return True
        return low.endswith("s") and len(low) > 3 and low not in _VERBS_IN_S
