"""What a fact may mean, apart from times, days, durations and codes, which have files of their own. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from backend.call.grounding.facts.clocks import Clock, Part
from backend.call.grounding.facts.codes import Code
from backend.call.grounding.facts.days import Day
from backend.call.grounding.facts.durations import Span


@dataclass(frozen=True, slots=True)
class Money:
    cents: int
    currency: str = ""
    """Its sign; empty where it was not said."""


@dataclass(frozen=True, slots=True)
class Percent:
    value: float
    """From 0 to 100."""


@dataclass(frozen=True, slots=True)
class Count:
    """So many of something."""

    value: float
    noun: str
    """In the singular."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A number of nothing that is named."""

    value: float
    digits: str = ""
    """As they would be dialled; empty where it is a reading of several numbers."""


@dataclass(frozen=True, slots=True)
class Address:
    number: str
    street: frozenset[str]
    """The words of its name, without "street" and the like."""


@dataclass(frozen=True, slots=True)
class Link:
    """An e-mail address or a website as `spelled_out`, maybe with words that came before it."""

    text: str


Value = Clock | Part | Day | Money | Percent | Span | Count | Bare | Code | Address | Link


def alike(number: Bare, measured: Value) -> Value | None:
    """The number as what the other one measures."""
    match measured:
        case Money():
            return Money(round(number.value * 100), measured.currency)
        case Percent():
            return Percent(number.value)
        case Count():
            return Count(number.value, measured.noun)
        case _:
            return None
