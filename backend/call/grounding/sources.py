"""What the agent was told and by whom, read for everything that a fact may rest on. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from backend.call.grounding.facts.amounts import singular
from backend.call.grounding.facts.appointments import appointments
from backend.call.grounding.facts.codes import Code
from backend.call.grounding.facts.found import STREETS, Facts, Found
from backend.call.grounding.facts.names import TITLES
from backend.call.grounding.facts.values import Value
from backend.models import Fact

_LONGEST_QUOTE = 160
"""Characters."""
_IDLE_WORDS = frozenset(
    "about again also already another appointment because been being before both call calling come comes cost costs "
    "does each either else even every free from have here into just last lasts later like make more most much need "
    "needs only other over possible right same should some still such take takes that their them then there these "
    "they this those through time until very want what when where which while will with work works would your yours "
    "available after minutes hours days weeks dollars euros pounds percent could than please than that's it's we're "
    "price total another extra alternatively instead offer offers today tomorrow least most around exactly roughly "
    "and are but can did for get got had has her him his how its let may not now off one our out own per say she "
    "the too was way who why yes you".split()
)
"""They tell nothing about what an amount is for."""
_PARTING = re.compile(r"[.;!?),\n]")
_WRAPPED = re.compile(r"\n(?=\s*[a-z])")
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?<!Dr\.)(?<!Mr\.)(?<!Ms\.)(?<!Mrs\.)(?<!Prof\.)(?<!St\.)(?=\s+[A-Z-])|\n|$)")


class Source:
    """One text that facts may rest on."""

    def __init__(self, label: str, text: str, today: date, turn: int = 0) -> None:
        # Where an operator's text is wrapped, a sentence goes on in the next line.
        text = _WRAPPED.sub(" ", text)
        self.label, self.text, self.turn = label, text, turn
        self.facts = Facts(text, today)
        self.spoken = label in ("callee", "operator")
        self.appointments = appointments(self.facts)
        self.words = _words(self.facts)
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(self.facts.speech.words):
            for low in {TITLES.get(word.low, word.low), STREETS.get(word.low, word.low)}:
                self.places.setdefault(low, []).append(place)
        paired = {id(time) for known in self.appointments for time in known.times}
        self.grounds = [
            Ground(self, found, value, id(value) in paired) for found in self.facts.found for value in found.values
        ]
        self._topics: dict[int, frozenset[str]] = {}
        self._sentences = [match.span() for match in _SENTENCE.finditer(text)]

    def topic(self, found: Found) -> frozenset[str]:
        """The words that tell what this is about."""
        if found.first not in self._topics:
            self._topics[found.first] = topic_of(self.facts, found)
        return self._topics[found.first]

    def quote(self, start: int, end: int) -> str:
        """The sentence that this stands in."""
        first = next((begin for begin, stop in self._sentences if begin <= start < stop), start)
        last = next((stop for begin, stop in self._sentences if begin < end <= stop), end)
        sentence = " ".join(self.text[first:last].split())
        return sentence if len(sentence) <= _LONGEST_QUOTE else " ".join(self.text[start:end].split())

    def fact(self, text: str, start: int, end: int) -> Fact:
        return Fact(text, self.label, self.quote(start, end), self.turn)


@dataclass(frozen=True, slots=True)
class Ground:
    """Something that a source says, which a fact may rest on."""

    source: Source
    found: Found
    value: Value
    paired: bool
    """Whether it is a time that stands with a day."""


class Sources:
    """All that was said and written so far."""

    def __init__(self, given: Sequence[Source], told: Sequence[Source], calendar: Source) -> None:
        """
        Args:
            given: what the operator wrote.
            told: what was said in the call, in its order.
            calendar: which day it is.
        """
        self.given, self.told, self.calendar = given, told, calendar
        self.all = (*given, *told)
        self.appointments = [(source, known) for source in self.all for known in source.appointments]
        self._grounds: dict[type, list[Ground]] = {}
        for source in self.all:
            for ground in source.grounds:
                self._grounds.setdefault(type(ground.value), []).append(ground)

    def of(self, *kinds: type) -> Iterator[Ground]:
        """Everything of these kinds."""
        return (ground for kind in kinds for ground in self._grounds.get(kind, ()))

    @cached_property
    def dictated(self) -> str:
        """All digits that the callee said, one line after the other."""
        heard = (source.facts.speech for source in self.told if source.label == "callee")
        return "".join(number.digits for speech in heard for number in speech.numbers)


def stands_in(name: Sequence[str], source: Source) -> bool:
    """Whether the source has these words in this order, close together."""
    if any(word not in source.places for word in name):
        return len(name) == 1 and name[0].replace("-", "") in source.words
    at = source.places[name[0]]
    for word in name[1:]:
        at = [place for place in source.places[word] if any(0 < place - before <= 3 for before in at)]
    return bool(at)


def _words(facts: Facts) -> frozenset[str]:
    """All words, and those that were spelled."""
    spelled = (value.text for found in facts.found for value in found.values if isinstance(value, Code))
    return frozenset(word.low for word in facts.speech.words) | frozenset(text for text in spelled if text.isalpha())


def topic_of(facts: Facts, found: Found) -> frozenset[str]:
    """The telling words of the clause that this stands in, up to the next fact of its kind."""
    kind, before = type(found.values[0]), _listed_before(facts, found)
    if before:
        return topic_of(facts, before) | _around(facts, found, kind)
    return _around(facts, found, kind)


def _listed_before(facts: Facts, found: Found) -> Found | None:
    """What stands before it in "7:30 and 8:00" and the like, and is about the same."""
    if facts.speech.low(found.first - 1) not in ("and", "or", "to"):
        return None
    kind = type(found.values[0])
    return next((one for one in facts.found if one.last == found.first - 2 and type(one.values[0]) is kind), None)


def _around(facts: Facts, found: Found, kind: type) -> frozenset[str]:
    alike = {at for each in facts.found if type(each.values[0]) is kind for at in range(each.first, each.last + 1)}
    first, last = found.first, found.last
    while first > 0 and not _parts(facts, first) and first - 1 not in alike:
        first -= 1
    while last + 1 < len(facts.speech.words) and not _parts(facts, last + 1) and last + 1 not in alike:
        last += 1
    return stems(facts, first, last + 1)


def _parts(facts: Facts, place: int) -> bool:
    """Whether a clause ends before the word there."""
    speech = facts.speech
    if speech.low(place) in ("and", "or", "but", "while", "whereas"):
        return True
    abbreviated = len(speech.low(place - 1)) == 1 or speech.low(place - 1) in ("am", "pm", "dr", "st", "approx", "incl")
    return bool(_PARTING.search(speech.gap(place).replace(".", "", abbreviated)))


def stems(facts: Facts, first: int, end: int) -> frozenset[str]:
    taken = {at for each in facts.found for at in range(each.first, each.last + 1)}
    words = (word.low for at, word in enumerate(facts.speech.words[first:end], first) if at not in taken)
    return frozenset(singular(low)[:5] for low in words if len(low) > 2 and low not in _IDLE_WORDS and low.isalpha())
