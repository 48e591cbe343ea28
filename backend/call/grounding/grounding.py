"""Whether what the agent is about to say was given to it: every number, time, price, name and address. Pure.

Sources are the brief, what the callee said, and what the operator answered; each is read once. A fact is true when a
source says the same in whatever writing. A time that stands with a day, and an amount whose words point to another
amount of the sources, must also be the right one: swapped times and prices do most harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from operator import is_not

from backend.call.grounding.facts.appointments import Appointment, appointments
from backend.call.grounding.facts.clocks import Clock, Part
from backend.call.grounding.facts.codes import Code
from backend.call.grounding.facts.days import Day
from backend.call.grounding.facts.durations import Span
from backend.call.grounding.facts.found import Facts, Found
from backend.call.grounding.facts.names import Name, names
from backend.call.grounding.facts.values import Address, Bare, Count, Link, Money, Percent, Value
from backend.call.grounding.sources import Ground, Source, Sources, stands_in, stems, topic_of
from backend.models import Brief, Fact, Speaker, Utterance

_DUE = frozenset("due by until arrives arrive comes expires ends delivered here".split())
"""Before "today" they make it a promise."""
_BOUNDARIES = frozenset(
    "open opens opening close closes closing closed start starts starting begin begins beginning end ends ending "
    "earliest latest off hours deadline".split()
)
"""Words of a time at which something begins or ends."""
_SAMPLE = 200
"""Characters."""
_AMOUNTS = (Money, Percent, Bare)
_KINDS: dict[type, tuple[type, ...]] = {
    Clock: (Clock, Bare),
    Day: (Day,),
    Money: (Money, Bare),
    Percent: (Percent, Bare),
    Span: (Span, Bare),
    Count: (Count, Bare),
    Bare: (Bare, Count, Money, Percent, Span, Clock, Code, Address, Day),
    Code: (Code, Bare, Count),
    Address: (Address,),
    Link: (Link,),
}
"""What each may rest on."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a sentence states."""

    facts: tuple[Fact, ...]
    """Everything that has a source."""
    unknown: tuple[str, ...]
    """What has none, as it stands in the sentence; when there is any, the sentence must not be spoken."""


class Grounding:
    """The sources of one call, against which its sentences are checked."""

    def __init__(self, brief: Brief, today: date) -> None:
        """
        Args:
            today: the date where the callee is.
        """
        self._today = today
        self._brief = brief
        self._heard: dict[tuple[str, str, int], Source] = {}
        self._latest: Sources | None = None

    def prepare(self) -> None:
        """Read the brief, which takes tens of milliseconds where that is long, and the first answer otherwise."""
        for source in self._given:
            # What all checks need is read with the first; the rest of a long brief would only be held against itself.
            self.check(source.text[:_SAMPLE])

    @cached_property
    def _given(self) -> list[Source]:
        brief, today = self._brief, self._today
        people = "\n".join(part for part in (brief.callee_name, brief.agent_name, brief.organization) if part)
        given = (("action", brief.action), ("context", brief.context), ("names", people), ("names", brief.to))
        return [Source(label, text, today) for label, text in given if text.strip()]

    @cached_property
    def _calendar(self) -> Source:
        today = self._today
        return Source("today", f"Today is {today:%A}, {today:%B} {today.day}, {today.year}.", today)

    def check(self, words: str, lines: Sequence[Utterance] = (), before: str = "") -> Checked:
        """What these words of the agent state, and where it comes from. Never raises.

        Args:
            words: a sentence or a clause.
            lines: the call so far.
            before: what the agent has already said of the same answer. With it a time at the beginning of `words`
                is held against the day before it, and a name there is known to be one.
        """
        told = [source for line in lines if (source := self._told(line))]
        led = f"{before.strip()} " if before.strip() else ""
        return _Check(led + words, len(led), self._sources(told), self._today).result()

    def _sources(self, told: list[Source]) -> Sources:
        latest = self._latest
        if latest is None or len(told) != len(latest.told) or any(map(is_not, told, latest.told)):
            self._latest = latest = Sources(self._given, told, self._calendar)
        return latest

    def _told(self, line: Utterance) -> Source | None:
        """The line as a source. The agent's own words prove nothing."""
        if line.speaker is Speaker.AGENT or not line.text.strip():
            return None
        label = "callee" if line.speaker is Speaker.CALLEE else "operator"
        key = (label, line.text, line.turn)
        if key not in self._heard:
            self._heard[key] = Source(label, line.text, self._today, line.turn)
        return self._heard[key]


class _Check:
    """One sentence against its sources."""

    def __init__(self, text: str, since: int, sources: Sources, today: date) -> None:
        self._text, self._since, self._today, self._sources = text, since, today, sources
        self._facts = Facts(text, today)
        self._lows = {word.low for word in self._facts.speech.words}
        self._known: list[tuple[int, Fact]] = []
        self._unknown: list[tuple[int, str]] = []

    def result(self) -> Checked:
        judged = [found for meant in appointments(self._facts) for found in self._appointment(meant)]
        for found in self._facts.found:
            if found.end > self._since and found not in judged:
                self._single(found)
        taken = {place for found in self._facts.found for place in range(found.first, found.last + 1)}
        for name in names(self._facts.speech, taken):
            if name.end > self._since:
                self._name(name)
        return Checked(
            tuple(fact for _, fact in sorted(self._known, key=lambda known: known[0])),
            tuple(text for _, text in sorted(self._unknown)),
        )

    def _says(self, start: int, end: int) -> str:
        return self._text[max(start, self._since) : end].strip()

    # --- days with times --------------------------------------------------------------------------------------------

    def _appointment(self, meant: Appointment) -> list[Found]:
        """Judges day and time together where the sources settle it; returns what needs no other judgement."""
        start, end = meant.first.start, meant.last.end
        if end <= self._since:
            return []
        pairings = [self._pairings(day, time) for day in meant.days for time in meant.times]
        together = [known for known in pairings if known]
        if None in pairings or any(self._is_other_matter(meant, known) for known in together):
            self._unknown.append((start, self._says(start, end)))
        elif len(together) == len(pairings):
            source, known = together[0][0]
            self._known.append((start, source.fact(self._says(start, end), known.first.start, known.last.end)))
        else:
            return []
        return [found for found in self._facts.found if start <= found.start and found.end <= end]

    def _pairings(self, day: Day, time: Clock | Part) -> list[tuple[Source, Appointment]] | None:
        """Where both stand together; None: nowhere, and one of them stands with another."""
        together: list[tuple[Source, Appointment]] = []
        elsewhere = False
        for source, known in self._sources.appointments:
            dated = any(day.fits(other, self._today) for other in known.days)
            timed = any(_is_time(time, other) for other in known.times)
            if dated and timed and any(self._is_time(time, other, source) for other in known.times):
                together.append((source, known))
            elsewhere |= dated or (timed and isinstance(time, Clock))
        free = not elsewhere or (isinstance(time, Clock) and self._is_free(time))
        return together if together or free else None

    def _is_other_matter(self, meant: Appointment, known: list[tuple[Source, Appointment]]) -> bool:
        """Whether the words beside it tell of what takes place at another time."""
        grounds = [ground for source, each in known for ground in source.grounds if ground.found is each.first]
        return bool(grounds) and self._is_swapped(meant.first, grounds)

    def _is_time(self, time: Clock | Part, known: Clock | Part, source: Source) -> bool:
        return _is_time(time, known) and self._is_point(time, known, source)

    def _is_point(self, time: Value, known: Value, source: Source) -> bool:
        """Not "at nine" where it is written "between nine and eleven", unless the sentence tells of a beginning."""
        if source.spoken or not (isinstance(time, Clock) and isinstance(known, Clock)):
            return True
        return time.agrees(known) and (time.bounds or not known.bounds or not _BOUNDARIES.isdisjoint(self._lows))

    def _is_free(self, time: Clock) -> bool:
        """Whether the callee named the time without a day, or a source says "until six" of any day."""
        for ground in self._sources.of(Clock, Bare):
            if not ground.paired and _fits(time, ground.value, ground.source, self._today):
                led = isinstance(ground.value, Clock) and ground.value.lead == time.lead != ""
                if ground.source.spoken or led:
                    return True
        return False

    # --- everything else --------------------------------------------------------------------------------------------

    def _single(self, found: Found) -> None:
        if isinstance(found.values[0], Part) or self._is_just_today(found):
            return
        text, grounds = self._says(found.start, found.end), self._grounds(found) or self._begun(found)
        if not grounds and (heard := self._dictated(found.values[0])):
            self._known.append((found.start, heard.fact(text, 0, len(heard.text))))
        elif not grounds or self._is_swapped(found, grounds):
            self._unknown.append((found.start, text))
        else:
            ground = grounds[0]
            self._known.append((found.start, ground.source.fact(text, ground.found.start, ground.found.end)))

    def _is_just_today(self, found: Found) -> bool:
        """ "How are you today?" states nothing, "it is due today" does."""
        word, before = self._facts.speech.low(found.first), self._facts.speech.low(found.first - 1)
        return word in ("today", "tonight") and found.first == found.last and before not in _DUE

    def _dictated(self, value: Value) -> Source | None:
        """The last line of a number that the callee gave in several."""
        if not isinstance(value, Code) or len(value.text) < 3 or value.text not in self._sources.dictated:
            return None
        return next((source for source in reversed(self._sources.told) if source.label == "callee"), None)

    def _grounds(self, found: Found) -> list[Ground]:
        """Where a source says the same, the best first."""
        return [ground for value in found.values for ground in self._grounds_of(value)]

    def _begun(self, found: Found) -> list[Ground]:
        """Where the cents of a price may be still to come, since the clause ends in the middle of a sentence."""
        price = found.values[0]
        if not isinstance(price, Money) or found.end < len(self._text.rstrip()):
            return []
        return [
            ground
            for ground in self._sources.of(Money)
            if isinstance(ground.value, Money) and ground.value.cents // 100 * 100 == price.cents
        ]

    def _grounds_of(self, value: Value) -> list[Ground]:
        candidates = list(self._sources.of(*_KINDS.get(type(value), ())))
        if isinstance(value, Day) and "today" in self._lows:
            candidates += self._sources.calendar.grounds
        fitting = [ground for ground in candidates if _fits(value, ground.value, ground.source, self._today)]
        if not fitting or self._is_contradicted(value, fitting, candidates):
            return []
        return [ground for ground in fitting if self._is_close(value, ground)]

    def _is_contradicted(self, value: Value, fitting: list[Ground], candidates: list[Ground]) -> bool:
        """Whether a source that is more precise than all that allow it says otherwise."""
        known = [ground.value for ground in candidates]
        match value:
            case Clock() if value.sure:
                alike = {minute % 720 for minute in value.minutes}
                precise = any(isinstance(k, Clock) and k.sure and {m % 720 for m in k.minutes} == alike for k in known)
                return precise and not any(isinstance(g.value, Clock) and g.value.sure for g in fitting)
            case Day() if value.date and not any(isinstance(g.value, Day) and g.value.date for g in fitting):
                return any(isinstance(k, Day) and k.date and k.date.weekday() == value.date.weekday() for k in known)
            case Count():
                same = [k for k in known if isinstance(k, Count) and k.noun == value.noun]
                told = any(g.source.spoken and isinstance(g.value, Bare) for g in fitting)
                return bool(same) and not told and not any(ground.value in same for ground in fitting)
            case Code() if value.label:
                labelled = [k for k in known if isinstance(k, Code) and k.label == value.label]
                return bool(labelled) and not any(ground.value in labelled for ground in fitting)
            case _:
                return False

    def _is_close(self, value: Value, ground: Ground) -> bool:
        """Whether it is not merely contained in what the source says."""
        known = ground.value
        if isinstance(value, Bare) and isinstance(known, Span) and "scale" in self._lows:
            return False
        if isinstance(value, Day) and isinstance(known, Day) and len(value.weekdays) < 2 < len(known.weekdays):
            # "Monday to Friday" gives a Wednesday only to a sentence on the same matter.
            return bool(ground.source.topic(ground.found) & stems(self._facts, 0, len(self._facts.speech.words)))
        return self._is_point(value, known, ground.source)

    def _is_swapped(self, found: Found, grounds: list[Ground]) -> bool:
        """Whether its words tell of another amount: "the deluxe wash is twenty" when the basic one is."""
        value, speech = grounds[0].value, self._facts.speech
        if isinstance(found.values[0], Code) or not isinstance(value, Money | Percent | Bare | Span | Clock | Day):
            return False
        # The end of a range shares its words with the beginning.
        ranged = speech.low(found.first - 1) in ("to", "and") and speech.number_before(found.first - 1)
        if ranged or any(ground.source.spoken for ground in grounds):
            return False
        about, owns = topic_of(self._facts, found), [ground.source.topic(ground.found) for ground in grounds]
        if not about or not all(owns):
            return False
        others = [other.source.topic(other.found) for other in self._others(value, grounds)]
        return any(all((other & about) - own and not (own & about) - other for own in owns) for other in others)

    def _others(self, value: Value, grounds: list[Ground]) -> Iterator[Ground]:
        """The other amounts of this kind that were written."""
        own = {(id(ground.source), ground.found.first) for ground in grounds}
        for other in self._sources.of(*(_AMOUNTS if isinstance(value, _AMOUNTS) else (type(value),))):
            if not other.source.spoken and (id(other.source), other.found.first) not in own:
                yield other

    def _name(self, name: Name) -> None:
        text = self._says(name.start, name.end)
        source = next((source for source in self._sources.all if stands_in(name.words, source)), None)
        if source is None:
            self._unknown.append((name.start, text))
            return
        if name.opening and not any(name.opening in other.places for other in self._sources.all):
            self._unknown.append((name.start, f"{name.opening.capitalize()} {text}"))
            return
        place = next((source.places[word][0] for word in reversed(name.words) if word in source.places), 0)
        word = source.facts.speech.words[place]
        self._known.append((name.start, source.fact(text, word.start, word.end)))


def _is_time(time: Clock | Part, known: Clock | Part) -> bool:
    match time, known:
        case Clock(), Clock():
            return not time.minutes.isdisjoint(known.minutes)
        case Part(), Part():
            return time == known
        case Part(), Clock():
            return any(time.first <= minute < time.end for minute in known.minutes)
        case _:
            return False


def _fits(value: Value, known: Value, source: Source, today: date) -> bool:
    """Whether a sentence that says `value` is true when this source says `known`."""
    match value, known:
        case (Clock(), Clock()):
            return _is_time(value, known)
        case (Day(), Day()):
            return value.fits(known, today)
        case (Money(), Money()):
            alike = value.currency == known.currency or not (value.currency and known.currency)
            return value.cents == known.cents and alike
        case (Span(), Span()):
            return value == known
        case (Percent(), Percent()):
            return value == known
        case (Count(), Count(value=number) | Bare(value=number)):
            return value.value == number
        case (Code(), _):
            return _is_code(value, known)
        case (Bare(), _):
            return _may_be(value, known)
        case (_, Bare()):
            # What was written would have had its unit; a callee says "ten is fine".
            return source.spoken and _may_be(known, value)
        case (Address(), Address()):
            return value.number == known.number and not value.street.isdisjoint(known.street)
        case (Link(), Link()):
            return value.text.endswith(known.text)
        case _:
            return False


def _may_be(number: Bare, known: Value) -> bool:
    """Whether a number of nothing in particular can be this."""
    match known:
        case Clock():
            return 0 < number.value <= 12 and number.value * 60 % 1440 in known.minutes
        case Money():
            return round(number.value * 100) == known.cents
        case Span():
            return number.value == known.value and not known.months
        case Bare() | Count() | Percent():
            return number.value == known.value
        case Code():
            return number.digits != "" and number.digits == known.text
        case Address():
            return number.digits == known.number
        case Day():
            return number.value == known.year != 0
        case _:
            return False


def _is_code(code: Code, known: Value) -> bool:
    match known:
        case Code():
            if code.label and known.label and code.label != known.label:
                return False
            return code.text == known.text or (len(code.text) > 2 and code.text in known.text)
        case Bare():
            return code.text == known.digits
        case Count():
            return code.text == f"{known.value:g}"
        case _:
            return False
