"""Everything in a text that can be checked but its names: what it may mean, and where it stands. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from backend.call.grounding.facts.amounts import Number, Speech, singular
from backend.call.grounding.facts.clocks import CLOCK_OPENERS, LEADS, Clock, Clocks, Part
from backend.call.grounding.facts.codes import LABELS, Code, Codes
from backend.call.grounding.facts.days import DAY_OPENERS, Day, Days
from backend.call.grounding.facts.durations import UNITS, Durations
from backend.call.grounding.facts.values import Address, Bare, Count, Link, Money, Percent, Value, alike

_CURRENCIES = {"dollar": "$", "buck": "$", "usd": "$", "euro": "€", "eur": "€", "pound": "£", "quid": "£", "gbp": "£"}
_STREETS = frozenset(
    "street road avenue lane drive square boulevard court place way highway terrace plaza row crescent".split()
)
STREETS = {"st": "street", "rd": "road", "ave": "avenue", "blvd": "boulevard", "ln": "lane", "dr": "drive"}
_LOOSE = frozenset("option choice time slot thing way question possibility point of".split())
"""What an agent counts by itself: "two options"."""
_NO_NOUN = frozenset(
    "a an the and or but if to at on in of for from with by is are was were be will would can could does do i you we "
    "they he she it that this these those then so as than not no yes okay ok right please thank thanks instead too "
    "also now today tomorrow until till before after about around per each every there here when where what which who "
    "my your our their his her its plus minus dot work works suits".split()
)
_IDLE = frozenset(("second", "sec", "minute", "moment"))
_ASKING = frozenset("have got give spare need wait hold just".split())
_SURE = frozenset("sure certain right happy behind clear".split())
_ENDING = re.compile(r"[.;:!?()\n]")
_EACH = frozenset("a an per each every daily".split())
_OPENERS = DAY_OPENERS | CLOCK_OPENERS | {"a", "an", "quarters"}
_LINK = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:https?://)?(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|uk|de|io|co|us|eu|ca|info)\b"
    r"|\b[a-z0-9-]+(?:(?:\s+|\s?-\s?)[a-z0-9]+){0,5}\s+dot\s+(?:co(?:\s+dot\s+uk)?(?!m)|com|org|net|edu|gov|uk|de|io|us|eu|ca|info)\b"
    r"(?:\s+dot\s+\w{2,3}\b)?",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that can be checked, at its place in the text."""

    values: tuple[Value, ...]
    """All that it may mean."""
    first: int
    """The places of its words."""
    last: int
    start: int
    """The places of its characters."""
    end: int


Read = tuple[tuple[Value, ...], int]
"""What may be meant, and its last word; nothing is meant that needs a source when the first is empty."""
_FARTHEST = 3660
"""Days from today; beyond, nobody counts in days."""


class Facts:
    """Everything in a text that can be checked but its names, in order."""

    def __init__(self, text: str, today: date) -> None:
        self.speech = Speech(text)
        self._today = today
        self._days, self._clocks = Days(self.speech, today), Clocks(self.speech)
        self._durations, self._codes = Durations(self.speech), Codes(self.speech)
        self._links = list(_LINK.finditer(text)) if "." in text or "dot" in text.lower() else []
        self.found = self._listed(self._narrowed(self._find()))

    def _find(self) -> list[Found]:
        found: list[Found] = []
        place, words = 0, self.speech.words
        while place < len(words):
            read = self._read(place)
            if read and read[0]:
                start = words[place].start
                symbol = self.speech.gap(place)[-1:]
                start -= symbol in ("$", "€", "£") and symbol != ""
                end = words[read[1]].end
                end += self.speech.text[end : end + 1] == "%"
                found.append(Found(read[0], place, read[1], start, end))
            place = read[1] + 1 if read else place + 1
        return found

    def between(self, one: Found, other: Found) -> tuple[str, ...] | None:
        """The words between two of these; None where a sentence ends."""
        places = range(one.last + 1, other.first + 1)
        if any(self._ends_before(place) for place in places):
            return None
        return tuple(self.speech.low(place) for place in places[:-1])

    def _ends_before(self, place: int) -> bool:
        """Whether a sentence, or a part of one, ends there; not at the stop of "3 p.m. on Friday"."""
        gap, word = self.speech.gap(place), self.speech.words[place]
        if self.speech.low(place - 1) in ("m", "am", "pm") and not (word.capital and word.low not in DAY_OPENERS):
            gap = gap.replace(".", "", 1)
        return _ENDING.search(gap) is not None

    def _narrowed(self, found: list[Found]) -> list[Found]:
        """With "in the morning" as part of the time that it belongs to."""
        done: list[Found] = []
        for each in found:
            joined = self._joined(done[-1], each) if done else None
            if joined:
                done[-1] = joined
            else:
                done.append(each)
        return done

    def _joined(self, one: Found, other: Found) -> Found | None:
        (mine, theirs), words = (one.values[0], other.values[0]), self.between(one, other)
        if words is None:
            return None
        if isinstance(mine, Clock) and isinstance(theirs, Part) and _OF_DAY.issuperset(words):
            clock = mine.within(theirs)
        elif isinstance(mine, Part) and isinstance(theirs, Clock) and LEADS.issuperset(words):
            clock = theirs.within(mine)
        else:
            return None
        return Found((clock,), one.first, other.last, one.start, other.end)

    def _listed(self, found: list[Found]) -> list[Found]:
        """With the unit of "10, 20 or 50 euros" at each of its numbers."""
        for at in range(len(found) - 2, -1, -1):
            one, other = found[at], found[at + 1]
            if isinstance(one.values[0], Bare) and (words := self.between(one, other)) is not None:
                measured = alike(one.values[0], other.values[0])
                if measured and {"and", "or", "to"}.issuperset(words):
                    found[at] = Found((measured,), one.first, one.last, one.start, one.end)
        return found

    def _read(self, place: int) -> Read | None:
        word, number = self.speech.words[place], self.speech.number(place)
        if link := self._link(place):
            return link
        if word.numeric and not self._codes.always(place) and (dated := self._days.written(place)):
            return (dated[0],), dated[1]
        if repeated := self._often(place):
            return repeated
        if not number and word.low not in _OPENERS and not word.text.isupper():
            return None
        address = self._address(number) if number else None
        if address:
            return address
        coded = self._codes.at(place) if number or word.text.isupper() else None
        if coded:
            return ((coded[0],) if coded[0] else ()), coded[1]
        if part := self._clocks.part(place):
            return (part,), place
        moment = self._days.at(place) or self._durations.in_words(place)
        if moment:
            return (moment[0],), moment[1]
        if number:
            return self._number(number)
        clock = self._clocks.at(place)
        return ((clock[0],), clock[1]) if clock else None

    def _often(self, place: int) -> Read | None:
        """ "twice a day" """
        times = {"once": 1, "twice": 2}.get(self.speech.low(place))
        return ((Count(times, "time"),), place) if times and self.speech.low(place + 1) in _EACH else None

    def _link(self, place: int) -> Read | None:
        word = self.speech.words[place]
        match = next((m for m in self._links if m.start() <= word.start < m.end()), None)
        if not match:
            return None
        last = place
        while last + 1 < len(self.speech.words) and self.speech.words[last + 1].end <= match.end():
            last += 1
        return (Link(spelled_out(match[0])),), last

    # --- numbers ----------------------------------------------------------------------------------------------------

    def _number(self, number: Number) -> Read:
        return (
            self._idle(number)
            or self._ahead(number)
            or self._measured(number)
            or self._labelled(number)
            or self._timed(number)
            or self._counted(number)
        )

    def _idle(self, number: Number) -> Read | None:
        """Numbers that state nothing: "one moment", "first of all", "fifty-fifty"."""
        speech, after = self.speech, self.speech.low(number.last + 1)
        noun = singular(after)
        none: Read = ((), number.last)
        if number.ordinal:
            before = speech.low(number.first - 1)
            unit = noun in _IDLE | {"time", "one", "option", "question", "choice", "thing", "name"} or after == "of"
            free = number.value == 1 and noun not in LABELS
            if free or unit or (number.value == 2 and before in ("a", "one", "just", "another")):
                return none
        if (
            number.first == number.last
            and speech.low(number.first) == "one"
            and (noun in _IDLE or not self._is_amount(number))
        ):
            return none
        if noun in ("second", "sec", "minute") and number.value <= 5 and self._is_asked_for(number):
            return (), number.last + 1
        twin = speech.number(number.last + 1)
        if number.value == 50 and twin and twin.value == 50 and speech.tight(twin.first):
            return (), twin.last
        if number.value == 100 and after in ("percent", "per") and speech.low(number.last + 2) in _SURE:
            return (), number.last + 1
        often = noun == "time" and speech.low(number.last + 2) in _EACH
        if (
            number.value <= 4
            and noun in _LOOSE
            and not often
            and not speech.gap(number.first).endswith(("$", "€", "£"))
        ):
            return none
        if number.value <= 4 and speech.low(number.first - 1) in ("the", "those", "these", "of") and not noun:
            return none
        return None

    def _is_asked_for(self, number: Number) -> bool:
        return any(self.speech.low(at) in _ASKING for at in range(number.first - 4, number.first))

    def _is_amount(self, number: Number) -> bool:
        """Whether this "one" is a number rather than a thing."""
        if self._measured(number) or self._address(number) or self._clocks.at(number.first):
            return True
        before = self.speech.low(number.first - 1)
        return before in LABELS or self.speech.low(number.first - 2) == "scale"

    def _address(self, number: Number) -> Read | None:
        """ "12 Garden Street", and "three ten West Fourth Street" """
        digits, last = number.digits, number.last
        while (more := self.speech.number(last + 1)) and self.speech.tight(last + 1) and not more.ordinal:
            digits, last = digits + more.digits, more.last
        street: list[str] = []
        place = last + 1
        if self.speech.low(place).isalpha() and len(self.speech.low(place)) == 1 and self.speech.low(place) != "a":
            digits, place = digits + self.speech.low(place), place + 1
        while place <= last + 5 and self.speech.tight(place):
            low = self.speech.low(place)
            ordinal = self.speech.number(place)
            if STREETS.get(low, low) in _STREETS and street:
                return (Address(digits, frozenset(street)),), place
            if low in _NO_NOUN or singular(low) in UNITS or low in _CURRENCIES:
                return None
            street.append(ordinal.digits if ordinal else low)
            place = ordinal.last + 1 if ordinal else place + 1
        return None

    def _ahead(self, number: Number) -> Read | None:
        """ "in three days", "two weeks ago": a time that it takes, or a day."""
        span = self._durations.of(number)
        if not span or span[0].months or span[0].value % 1440 or span[1] > number.last + 1:
            return None
        days, last = int(span[0].value / 1440), span[1]
        if days > _FARTHEST:
            return None
        after = self.speech.low(last + 1), self.speech.low(last + 2)
        past = after[0] == "ago"
        last += past + 2 * (after == ("from", "now") or after == ("from", "today"))
        day = Day(self._today + timedelta(-days if past else days))
        soon = self.speech.low(number.first - 1) == "in" or last > span[1]
        return ((span[0], day), last) if soon and days < 400 else None

    def _measured(self, number: Number) -> Read | None:
        if number.ordinal:
            return None
        span = self._durations.of(number)
        if span:
            return (span[0],), span[1]
        after, last = self.speech.low(number.last + 1), number.last
        if after in ("percent", "pct") or (after == "per" and self.speech.low(last + 2) == "cent"):
            return (Percent(number.value),), last + 1 + (after == "per")
        if self.speech.text[self.speech.words[last].end :].lstrip().startswith("%"):
            return (Percent(number.value),), last
        return self._money(number)

    def _money(self, number: Number) -> Read | None:
        """ "$45.50", "forty-five dollars and fifty cents", "two pounds fifty" """
        speech, unit = self.speech, singular(self.speech.low(number.last + 1))
        symbol = speech.gap(number.first).rstrip()[-1:]
        if symbol and symbol in "$€£":
            return (Money(round(number.value * 100), symbol),), number.last + (unit in _CURRENCIES)
        if speech.low(number.first - 1) in _CURRENCIES and speech.low(number.first - 1) in ("usd", "eur", "gbp"):
            return (Money(round(number.value * 100), _CURRENCIES[speech.low(number.first - 1)]),), number.last
        trailing = speech.text[speech.words[number.last].end :].lstrip()[:1]
        if trailing and trailing in "€£":
            return (Money(round(number.value * 100), trailing),), number.last
        if unit in ("cent", "penny", "pence"):
            return (Money(round(number.value)),), number.last + 1
        if unit not in _CURRENCIES:
            return None
        cents, last = self._cents(number.last + 2)
        return (Money(round(number.value * 100) + cents, _CURRENCIES[unit]),), last or number.last + 1

    def _cents(self, place: int) -> tuple[int, int]:
        joined = self.speech.low(place) == "and"
        small = self.speech.number(place + joined)
        if not small or small.ordinal or small.value >= 100:
            return 0, 0
        named = singular(self.speech.low(small.last + 1)) in ("cent", "penny", "pence")
        if named or (not joined and self.speech.tight(place) and not self._measured(small)):
            return int(small.value), small.last + named
        return 0, 0

    def _labelled(self, number: Number) -> Read | None:
        """ "second floor", "question three", "extension 204" """
        after, before = self.speech.low(number.last + 1), self.speech.low(number.first - 1)
        if number.ordinal and after in LABELS:
            return (Code(number.digits, after),), number.last + 1
        if before in LABELS and self.speech.tight(number.first) and self.speech.number(number.last + 1) is None:
            return (Code(number.digits, before), Bare(number.value, number.digits)), number.last
        if number.ordinal:
            noun = after if after and after not in _NO_NOUN and self.speech.tight(number.last + 1) else ""
            return (Count(number.value, noun) if noun else Bare(number.value, number.digits),), number.last
        return None

    def _timed(self, number: Number) -> Read | None:
        clock = self._clocks.at(number.first)
        if clock:
            return (clock[0],), clock[1]
        second = self.speech.number(number.last + 1)
        if not second or second.ordinal or not self.speech.tight(second.first):
            return None
        loose = self._clocks.loosely(number.first)
        if loose and loose[1] < second.last:
            loose = None
        return self._run(number, second, loose)

    def _run(self, number: Number, second: Number, loose: tuple[Clock, int] | None) -> Read:
        """ "two forty", "fourteen fifty", "fifty-nine ninety": a time, a number or a price."""
        last = loose[1] if loose else second.last
        unit = singular(self.speech.low(last + 1))
        joined = number.digits + second.digits
        if second.digits == "0" and loose:
            joined += self.speech.words[last].text if self.speech.words[last].numeric else ""
        both = float(joined)
        decimal = number.value + second.value / 100
        if unit in _CURRENCIES:
            return (
                Money(round(both * 100), _CURRENCIES[unit]),
                Money(round(decimal * 100), _CURRENCIES[unit]),
            ), last + 1
        values: list[Value] = [loose[0]] if loose else []
        return (*values, Bare(both, joined), Bare(decimal)), last

    def _counted(self, number: Number) -> Read:
        place = number.last + 1
        low = self.speech.low(place)
        if low.isalpha() and low not in _NO_NOUN and self.speech.tight(place) and not self.speech.number(place):
            return (Count(number.value, self._noun(place)),), number.last
        return (Bare(number.value, number.digits),), number.last

    def _noun(self, place: int) -> str:
        """What is counted: the first word in the plural, where an adjective comes before."""
        for at in (place, place + 1, place + 2):
            low = self.speech.low(at)
            if (at > place and not self.speech.tight(at)) or low in _NO_NOUN:
                break
            if low.endswith("s") or low in ("people", "children"):
                return singular(low)
        return singular(self.speech.low(place))


_OF_DAY = frozenset(("in", "the", "at", "this"))


def spelled_out(text: str) -> str:
    """A link as it is compared: "desk at park clinic dot com" and "desk@park-clinic.com" are "deskatparkclinic.com"."""
    low = re.sub(r"\s+dot\s+", ".", text.lower()).replace("@", "at")
    return re.sub(r"^https?:/+|\bwww\.|\bdash\b|\bhyphen\b|[\s-]+", "", low)
