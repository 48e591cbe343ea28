"""Days in a text, as people write and say them, measured against the day of the call. Pure."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from datetime import timedelta

from backend.call.grounding.facts.amounts import Number, Speech

_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_WEEKDAY = {name: frozenset({place}) for place, name in enumerate(_WEEKDAYS)}
_WEEKDAY |= {f"{name}s": days for name, days in _WEEKDAY.items()}
_SHORT_WEEKDAY = {short: frozenset({place // 3}) for place, short in enumerate(
    "mon mon mon tue tues tue wed weds wed thu thur thurs fri fri fri sat sat sat sun sun sun".split()
)}  # fmt: skip
_WORKDAYS = frozenset(range(5))
_SPANS = {"weekday": _WORKDAYS, "weekdays": _WORKDAYS, "weekend": frozenset({5, 6}), "weekends": frozenset({5, 6})}
_SPANS |= {"daily": frozenset(range(7))}
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)}
_SHORT_MONTH = {name[:3]: number for name, number in _MONTH.items()} | {"sept": 9}
_AMBIGUOUS = frozenset(("may", "march", "mar", "dec", "august"))
_THROUGH = frozenset(("to", "through", "thru", "until", "till"))
_NUMERIC_DATE = re.compile(
    r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b|\b(\d{1,2})([/.])(\d{1,2})\5(\d{4}|\d{2})\b|\b(\d{1,2})/(\d{1,2})\b"
)
_AFTER_DAY = frozenset(
    "at from between in on to until till through is there or and works would if we for with suits because".split()
)
DAY_OPENERS = frozenset((*_WEEKDAY, *_SHORT_WEEKDAY, *_SPANS, *_MONTH, *_SHORT_MONTH)) | frozenset(
    "today tonight tomorrow yesterday day next last".split()
)
"""Words that a day may begin with, besides a number."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day as far as it was said: by its date, by its weekday, or by both."""

    date: datetime.date | None = None
    weekdays: frozenset[int] = frozenset()
    """As they were said, Monday being 0; several for "weekdays" and "Monday to Friday"."""
    of_month: int = 0
    """For "the third", where no month was said."""
    month: int = 0
    """For "in March", where no day was said."""
    year: int = 0
    """Where one was said."""
    week: datetime.date | None = None
    """For "next week": its Monday."""

    def fits(self, known: Day, today: datetime.date) -> bool:
        """Whether this is true when `known` is."""
        if self.month or known.month:
            return self._fits_month(known)
        if self.week or known.week:
            return self._fits_week(known)
        if self.of_month or (known.of_month and self.date):
            return self._number == known._number != 0 and self._weekday_fits(known)
        if self.date and known.date:
            return self.date == known.date and self._weekday_fits(known)
        if self.date:
            near = -7 <= (self.date - today).days <= 7
            return near and self.date.weekday() in known.weekdays and self._weekday_fits(known)
        return bool(self.weekdays) and self.weekdays <= known._on

    @property
    def _on(self) -> frozenset[int]:
        return self.weekdays or (frozenset({self.date.weekday()}) if self.date else frozenset())

    @property
    def _number(self) -> int:
        return self.date.day if self.date else self.of_month

    def _weekday_fits(self, known: Day) -> bool:
        return not self.weekdays or self.weekdays <= (known._on or self.weekdays)

    def _fits_month(self, known: Day) -> bool:
        months = {day.month or (day.date.month if day.date else 0) for day in (self, known)}
        years = {day.year or (day.date.year if day.date else 0) for day in (self, known)} - {0}
        return bool(self.month) and len(months) == 1 and (not self.year or len(years) == 1)

    def _fits_week(self, known: Day) -> bool:
        if not self.week:
            return False
        return self.week == known.week or bool(known.date and 0 <= (known.date - self.week).days < 7)


def weekdays_at(speech: Speech, place: int) -> frozenset[int] | None:
    """The weekdays that the word there names, Monday being 0."""
    low = speech.low(place)
    if low in _SHORT_WEEKDAY and (speech.words[place].capital or speech.number(place + 1)):
        return _SHORT_WEEKDAY[low]
    return _WEEKDAY.get(low) or _SPANS.get(low)


class Days:
    """Reads days at a place of a text."""

    def __init__(self, speech: Speech, today: datetime.date) -> None:
        self._speech = speech
        self._today = today

    def at(self, place: int) -> tuple[Day, int] | None:
        """The day that begins there, and its last word."""
        found = self._relative(place) or self._date(place)
        if found:
            return self._with_weekday_after(*found)
        weekday = self._weekday(place)
        if not weekday:
            return None
        days, last = weekday
        after = last + 1 + (self._speech.low(last + 1) == "the")
        dated = self._date(after) if self._speech.gap(after).strip() in ("", ",", ".") else None
        return (self._on_weekday(dated[0], days), dated[1]) if dated else (Day(weekdays=days), last)

    def _on_weekday(self, day: Day, weekdays: frozenset[int]) -> Day:
        """ "Tuesday the first": the next first that is a Tuesday."""
        if not day.of_month:
            return replace(day, weekdays=weekdays)
        ahead = (self._today + timedelta(days) for days in range(366))
        fitting = (each for each in ahead if each.day == day.of_month and each.weekday() in weekdays)
        return Day(next(fitting, None), weekdays, of_month=day.of_month)

    def _with_weekday_after(self, day: Day, last: int) -> tuple[Day, int]:
        """ "the ninth of December, a Wednesday" """
        after = last + 1 + (self._speech.low(last + 1) == "a")
        weekday = self._weekday(after) if day.date and self._speech.gap(last + 1).strip() in (",", "(") else None
        named_as_date = weekday and self._date(weekday[1] + 1)
        if weekday and not named_as_date and (after > last + 1 or self._speech.gap(last + 1).strip() == "("):
            return replace(day, weekdays=weekday[0]), weekday[1]
        return day, last

    def _weekday(self, place: int) -> tuple[frozenset[int], int] | None:
        days = weekdays_at(self._speech, place)
        if days is None:
            return None
        end = place + 1
        if self._speech.low(end) in _THROUGH or self._speech.gap(end).strip() in ("-", "–"):
            end += self._speech.low(end) in _THROUGH
            until = weekdays_at(self._speech, end)
            if until and len(days) == len(until) == 1:
                (first,), (last,) = days, until
                return frozenset((first + step) % 7 for step in range((last - first) % 7 + 1)), end
        return days, place

    def _relative(self, place: int) -> tuple[Day, int] | None:
        low, following = self._speech.low(place), self._speech.low(place + 1)
        if low in ("today", "tonight", "tomorrow", "yesterday"):
            ahead = {"tomorrow": 1, "yesterday": -1}.get(low, 0)
            return Day(self._today + timedelta(ahead)), place
        if low == "day" and following in ("after", "before"):
            anchor = self._speech.low(place + 2)
            if (following, anchor) in (("after", "tomorrow"), ("before", "yesterday")):
                return Day(self._today + timedelta(2 if following == "after" else -2)), place + 2
        if low in ("next", "last") and following == "week":
            ahead = 7 if low == "next" else -7
            return Day(week=self._today + timedelta(ahead - self._today.weekday())), place + 1
        if low in ("next", "last") and following == "month":
            number = (self._today.month - 1 + (1 if low == "next" else -1)) % 12 + 1
            return Day(month=number), place + 1
        return None

    def _date(self, place: int) -> tuple[Day, int] | None:
        return self.written(place) or self._month_first(place) or self._day_first(place)

    def written(self, place: int) -> tuple[Day, int] | None:
        """ "2026-11-26", "11/26/2026", "26.11.2026", "11/26" """
        if not (0 <= place < len(self._speech.words)) or not self._speech.words[place].numeric:
            return None
        match = _NUMERIC_DATE.match(self._speech.text, self._speech.words[place].start)
        if not match:
            return None
        year, month, day = _parts(match)
        found = self._dated(month, day, year)
        last = place
        while last + 1 < len(self._speech.words) and self._speech.words[last + 1].end <= match.end():
            last += 1
        return (found, last) if found else None

    def _month_first(self, place: int) -> tuple[Day, int] | None:
        month = self._month(place)
        if not month:
            return None
        after = place + 1 + (self._speech.low(place + 1) == "the")
        number = self._speech.number(after)
        if number and _is_day(number) and self._speech.gap(place + 1).strip() in ("", "."):
            return self._with_year(month, int(number.value), number.last)
        if self._is_surely_month(place):
            year, last = self._year(place + 1 + (self._speech.low(place + 1) == "of"))
            return Day(month=month, year=year), last or place
        return None

    def _day_first(self, place: int) -> tuple[Day, int] | None:
        number = self._speech.number(place)
        if not number or not _is_day(number):
            return None
        after = number.last + 1 + (self._speech.low(number.last + 1) == "of")
        month = self._month(after)
        if month and self._speech.gap(after).strip() in ("", "."):
            return self._with_year(month, int(number.value), after)
        if self._speech.low(after) == "this" and self._speech.low(after + 1) == "month":
            dated = self._dated(self._today.month, int(number.value), self._today.year)
            return (dated, after + 1) if dated else None
        listed = self._listed(number)
        if listed:
            return listed, number.last
        lone = number.ordinal and self._speech.low(place - 1) == "the" and number.value <= 31
        return (Day(of_month=int(number.value)), number.last) if lone and self._stands_alone(number) else None

    def _listed(self, number: Number) -> Day | None:
        """The month of "December 5 and 6", and of "the fifth and sixth of December"."""
        speech = self._speech
        if speech.low(number.last + 1) in ("and", "or"):
            other = speech.number(number.last + 2 + (speech.low(number.last + 2) == "the"))
            after = other and self._month(other.last + 1 + (speech.low(other.last + 1) == "of"))
            if other and after and other.ordinal == number.ordinal and _is_day(other):
                return self._dated(after, int(number.value))
        joint = number.first - 1 - (speech.low(number.first - 1) == "the")
        if speech.low(joint) in ("and", "or") and (other := speech.number_before(joint)) and _is_day(other):
            before = self._month(other.first - 1 - (speech.low(other.first - 1) == "the"))
            unit = speech.low(number.last + 1)
            if before and (number.ordinal or unit in ("", "from", "at", "between", "are", "is", "would")):
                return self._dated(before, int(number.value))
        return None

    def _stands_alone(self, number: Number) -> bool:
        """Whether nothing is counted: "the third at ten", but not "the third floor"."""
        return not self._speech.tight(number.last + 1) or self._speech.low(number.last + 1) in _AFTER_DAY

    def _month(self, place: int) -> int:
        low = self._speech.low(place)
        if low in _MONTH:
            return _MONTH[low]
        return _SHORT_MONTH.get(low, 0) if low in _SHORT_MONTH and self._speech.words[place].capital else 0

    def _is_surely_month(self, place: int) -> bool:
        low, before = self._speech.low(place), self._speech.low(place - 1)
        if low not in _MONTH:
            return False
        led = before in ("in", "of", "until", "by", "since", "for", "this", "next", "last", "early", "late", "mid")
        return led or (self._speech.words[place].capital and low not in _AMBIGUOUS)

    def _with_year(self, month: int, day: int, last: int) -> tuple[Day, int] | None:
        year, year_last = self._year(last + 1)
        found = self._dated(month, day, year)
        return (found, year_last or last) if found else None

    def _year(self, place: int) -> tuple[int, int]:
        """The year there and its last word, else zeros."""
        number = self._speech.number(place)
        if not number or number.ordinal or self._speech.gap(place).strip() not in ("", ","):
            return 0, 0
        if 1900 <= number.value < 2100:
            return int(number.value), number.last
        second = self._speech.number(number.last + 1)
        if number.value in (19, 20) and second and 10 <= second.value < 100 and self._speech.tight(second.first):
            return int(number.value * 100 + second.value), second.last
        return 0, 0

    def _dated(self, month: int, day: int, year: int = 0) -> Day | None:
        """Without a year the date that is nearest, rather ahead than behind."""
        years = [year] if year else [self._today.year + step for step in (-1, 0, 1)]
        dates = [made for each in years if (made := _made(each, month, day))]
        near = [made for made in dates if year or -120 <= (made - self._today).days < 246] or dates
        return Day(near[0], year=year) if near else None


def _is_day(number: Number) -> bool:
    return number.value in range(1, 32)


def _parts(match: re.Match[str]) -> tuple[int, int, int]:
    if match[1]:
        return int(match[1]), int(match[2]), int(match[3])
    if match[4]:
        first, second, year = int(match[4]), int(match[6]), int(match[7])
        year += 2000 if year < 100 else 0
        return (year, second, first) if match[5] == "." or first > 12 else (year, first, second)
    first, second = int(match[8]), int(match[9])
    return (0, second, first) if first > 12 else (0, first, second)


def _made(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
