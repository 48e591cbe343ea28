"""Days and times as people say them on the phone, found in text and compared without a calendar.

Only what was said is known: "Friday at ten" has a weekday and a clock time but no date, and stays that vague.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MINUTES = {
    "oh five": 5,
    "five": 5,
    "ten": 10,
    "a quarter": 15,
    "quarter": 15,
    "fifteen": 15,
    "twenty five": 25,
    "twenty": 20,
    "half": 30,
    "thirty five": 35,
    "thirty": 30,
    "forty five": 45,
    "forty": 40,
    "fifty five": 55,
    "fifty": 50,
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_TEENS = (
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth"),
)
_UNITS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_DAYS_OF_MONTH = {
    name: number
    for number, name in enumerate(
        (
            *_UNITS,
            *_TEENS,
            "twentieth",
            *(f"twenty {unit}" for unit in _UNITS),
            "thirtieth",
            "thirty first",
        ),
        start=1,
    )
}
_ORDINALS = "|".join(name.replace(" ", "[- ]") for name in sorted(_DAYS_OF_MONTH, key=len, reverse=True))
_PARTS = {"morning": (5, 12), "lunchtime": (11, 14), "afternoon": (12, 18), "evening": (17, 22), "night": (18, 24)}

_HOUR = rf"(?:2[0-3]|1\d|0?\d|{'|'.join(_HOURS)})"
_MINUTE = "|".join(sorted((word for word in _MINUTES if "quarter" not in word and word != "half"), key=len)[::-1])
_HALF = r"(?:[ap]\.?\s?m\b\.?)"
# A number that counts something, or stands in an address, is not a time of day.
_COUNTED = (
    r"(?!\d|[:.,]\d|[\s-]*(?:minutes?|mins?|hours?|days?|weeks?|months?|years?|dollars?|euros?|pounds?|cents?|percent"
    r"|people|persons?|guests?|times?|of\b|more|other|pieces?|(?-i:[A-Z])\w+\s+(?-i:[A-Z])|\w+\s+(?:street|road|avenue"
    r"|lane|drive|square)|%))"
)
_CLOCK = re.compile(
    rf"""(?<![\d$€£.:])\b(?:
      (?P<named>noon|midday|midnight)\b
    | (?P<off>half|a\ quarter|quarter|five|ten|twenty)\ (?P<way>past|after|to)\ (?P<offhour>{_HOUR})\b
        (?:\s*(?P<h0>{_HALF}))?
    | (?P<hour1>{_HOUR})(?:(?P<colon>:)|[.\s]?)(?P<min1>[0-5]\d)\b(?:\s*(?P<h1>{_HALF}))?
    | (?P<hour2>{_HOUR})\s*(?:(?P<h2>{_HALF})|o'?\s?clock\b(?:\s*(?P<h3>{_HALF}))?)
    | (?P<hour3>{"|".join(_HOURS)})\s(?P<min3>{_MINUTE})\b{_COUNTED}(?:\s*(?P<h4>{_HALF}))?
    | (?:(?<=\bat\s)|(?<=\bby\s)|(?<=around\s)|(?<=about\s)|(?<=after\s)|(?<=before\s)|(?<=until\s)|(?<=till\s)
        |(?<=day\s)|(?<=tomorrow\s)|(?<=\bor\sat\s))(?P<hour4>{_HOUR})\b{_COUNTED}
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_RANGE = re.compile(
    rf"\b(?:between|from) (?P<hour>{_HOUR})(?::(?P<min>[0-5]\d))?\s*(?P<first>{_HALF})?"
    rf" (?:and|to|until|till) (?P<end>{_HOUR})(?::[0-5]\d)?\s*(?P<last>{_HALF}|o'clock)",
    re.IGNORECASE,
)
_DAY = re.compile(
    rf"\b(?:(?:next|this|coming)\s+)?(?P<weekday>{'|'.join(WEEKDAYS)})s?\b"
    r"|\b(?P<loose>the day after tomorrow|tomorrow|today|tonight"
    r"|(?:next|this|the following|the) (?:week(?:end)?|month)\b|(?:the )?end of the (?:week|month)"
    r"|in (?:an?|\d+|one|two|three|five|ten|fifteen|twenty|thirty|a few|a couple of|half an)"
    r" (?:minutes?|hours?|days?|weeks?|months?))\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"\b(?:the )?(?P<d1>\d{{1,2}}(?:st|nd|rd|th)?|{_ORDINALS}) of (?P<m1>{_MONTHS})\b"
    rf"|\b(?P<m2>{_MONTHS}) (?:the )?(?P<d2>\d{{1,2}}(?:st|nd|rd|th)?|{_ORDINALS})\b"
    r"|\bthe (?P<d3>\d{1,2}(?:st|nd|rd|th))\b",
    re.IGNORECASE,
)
_PART = re.compile(rf"\b(?P<part>{'|'.join(_PARTS)})s?\b", re.IGNORECASE)
_JOINED = re.compile(
    r"[\s,]*(?:\b(?:at|on|in|the|around|about|of|by|for|after|before|from|like|say|maybe|until|till)\b[\s,]*)*",
    re.IGNORECASE,
)
# What recognisers make of days, measured on synthetic phone speech.
_MISHEARD = (
    (re.compile(r"\bone day(?=\s+(?:at|around|morning|afternoon|evening|in the|\d))", re.IGNORECASE), "Wednesday"),
    (re.compile(r"\b(mon|tues|wednes|thurs|fri|satur|sun) day\b", re.IGNORECASE), r"\1day"),
    (re.compile(r"\bthe ((?:mon|tues|wednes|thurs|fri|satur|sun)day) one\b", re.IGNORECASE), r"\1"),
    (
        re.compile(r"\bhalf (?=twelve|eleven|ten|nine|eight|seven|six|five|four|three|two|one)", re.IGNORECASE),
        "half past ",
    ),
    (re.compile(r"\b(?:wensday|wedensday|weds)\b", re.IGNORECASE), "Wednesday"),
    (re.compile(r"\b(?:thirsday|thurs)\b", re.IGNORECASE), "Thursday"),
    (re.compile(r"\btues\b", re.IGNORECASE), "Tuesday"),
    (re.compile(r"\bto morrow\b", re.IGNORECASE), "tomorrow"),
)


@dataclass(frozen=True, slots=True)
class When:
    """A day, a time of day, or both; empty parts were not said."""

    text: str
    """The words it was found in, fit to be said again."""
    day: str = ""
    """A weekday, or a loose word such as `tomorrow` or `next week`; lower case."""
    date: str = ""
    """Such as `march 3` or `5`; lower case."""
    clock: int | None = None
    """Minutes since midnight; on a twelve-hour clock when `half` is empty."""
    half: str = ""
    """`am` or `pm`, where said."""
    part: str = ""
    """A key of the parts of the day, such as `morning`."""

    @property
    def vague(self) -> bool:
        """Whether an appointment could not be made with this alone."""
        return self.clock is None or not (self.day or self.date)

    def fits(self, other: When) -> bool:
        """Whether both name the same time as far as both say it, and have at least one part in common."""
        return True in (facts := self._agreements(other)) and False not in facts

    def _agreements(self, other: When) -> list[bool]:
        facts = [mine == theirs for mine, theirs in ((self.day, other.day), (self.date, other.date)) if mine and theirs]
        if self.clock is not None and other.clock is not None:
            known = bool(self.half and other.half)
            facts.append(self._hour24 == other._hour24 if known else self.clock % 720 == other.clock % 720)
        elif self.part and other.part:
            facts.append(self.part == other.part)
        for part, clocked in ((self.part, other), (other.part, self)):
            if part and clocked.clock is not None:
                first, end = _PARTS[part]
                facts.append(first * 60 <= clocked._hour24 < end * 60)
        return facts

    @property
    def _hour24(self) -> int:
        """Minutes since midnight; without `half`, seven to twelve is taken for the morning."""
        assert self.clock is not None
        if self.half:
            return self.clock % 720 + (720 if self.half == "pm" else 0)
        return self.clock + 720 if self.clock < 7 * 60 else self.clock


def repaired(text: str) -> str:
    """The text with days that recognisers split or mishear put right."""
    for wrong, right in _MISHEARD:
        text = wrong.sub(right, text)
    return text


def find(text: str) -> tuple[When, ...]:
    """Every day and time in the text, in order; pieces that belong together ("Friday at ten") are one."""
    text = repaired(text)
    found: list[tuple[int, int, dict[str, object]]] = []
    for start, end, facts in sorted(_pieces(text), key=lambda piece: piece[0]):
        if found and not found[-1][2].keys() & facts.keys() and _JOINED.fullmatch(text, found[-1][1], start):
            found[-1] = (found[-1][0], end, found[-1][2] | facts)
        elif not found or start >= found[-1][1]:
            found.append((start, end, facts))
    return tuple(When(_said(text[start:end]), **facts) for start, end, facts in found)  # type: ignore[arg-type]


def _pieces(text: str) -> list[tuple[int, int, dict[str, object]]]:
    days = [(*match.span(), _day(match)) for match in _DAY.finditer(text)]
    dates = [(*match.span(), _date(match)) for match in _DATE.finditer(text)]
    clocks = [(_led_from(match), match.end(), _clock(match)) for match in _CLOCK.finditer(text)]
    parts: list[tuple[int, int, dict[str, object]]] = [
        (*match.span(), {"part": match["part"].lower()}) for match in _PART.finditer(text)
    ]
    ranges = [(*match.span(), _range(match)) for match in _RANGE.finditer(text)]
    return [piece for piece in (*days, *dates, *ranges, *clocks, *parts) if piece[2]]


def _led_from(match: re.Match[str]) -> int:
    """Where the time's words begin: "after five" is not "five"."""
    led = re.search(r"\b(?:after|before|around|about)\s+$", match.string[: match.start()], re.IGNORECASE)
    return led.start() if led else match.start()


def _day(match: re.Match[str]) -> dict[str, object]:
    if (match["loose"] or "").lower() == "tonight":
        return {"day": "today", "part": "evening"}
    return {"day": (match["weekday"] or match["loose"]).lower()}


def _date(match: re.Match[str]) -> dict[str, object]:
    said = (match["d1"] or match["d2"] or match["d3"]).lower().replace("-", " ")
    number = _DAYS_OF_MONTH.get(said) or re.sub(r"(?:st|nd|rd|th)$", "", said)
    return {"date": f"{(match['m1'] or match['m2'] or '').lower()} {number}".strip()}


def _clock(match: re.Match[str]) -> dict[str, object]:
    if match["named"]:
        return {"clock": 0, "half": "am"} if match["named"].lower() == "midnight" else {"clock": 720, "half": "pm"}
    half = next((match[name] for name in ("h0", "h1", "h2", "h3", "h4") if match[name]), "")
    hour = _number(next(match[name] for name in ("offhour", "hour1", "hour2", "hour3", "hour4") if match[name]))
    # "1 45" or "1.45" may be anything; a colon or a.m. makes it a time, and so does a word like "at" before it.
    led = re.search(
        r"\b(?:at|by|around|about|after|before|until|till|\w+day|tomorrow)\s+$", match.string[: match.start()], re.I
    )
    if match["min1"] and not (match["colon"] or half or led):
        return {}
    minutes = hour * 60 + int(match["min1"] or 0) + (_MINUTES[match["min3"].lower()] if match["min3"] else 0)
    if match["off"]:
        minutes += _MINUTES[match["off"].lower()] * (-1 if match["way"].lower() == "to" else 1)
    facts: dict[str, object] = {"clock": minutes % 1440}
    if half:
        facts["half"] = "am" if half.lower().startswith("a") else "pm"
    return facts


def _range(match: re.Match[str]) -> dict[str, object]:
    """A window is known by its beginning: "between 9 and 11 a.m."."""
    first, last = (match["first"] or "").lower(), match["last"].lower()
    backwards = _number(match["hour"]) > _number(match["end"])
    half = first or ("" if backwards or last[0] == "o" else last)
    facts: dict[str, object] = {"clock": _number(match["hour"]) * 60 + int(match["min"] or 0)}
    return facts | ({"half": "am" if half.startswith("a") else "pm"} if half else {})


def _number(hour: str) -> int:
    return int(hour) if hour.isdigit() else _HOURS.index(hour.lower()) + 1


def _said(text: str) -> str:
    # "10 am." ends a sentence, "10 a.m." does not.
    text = re.sub(r"(?<=\d)(\s?[ap]m)\.$", r"\1", text, flags=re.IGNORECASE)
    named = rf"\b(?:{'|'.join(WEEKDAYS)}|{_MONTHS})s?\b"
    return re.sub(named, lambda match: match[0].capitalize(), text.strip(" ,"), flags=re.IGNORECASE)
