"""What one call has used of its providers, counted where it is used. Pure.

Kept in `Call.counts` under plain names such as "output tokens: claude-haiku-5-5", since a price belongs to a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Unit(StrEnum):
    """What providers count by."""

    SOUND = "milliseconds heard"
    """Sound sent to speech recognition, silence and sound sent again included."""
    CHARACTERS = "characters voiced"
    """Text sent to the voice, whether its sound was heard or not."""
    INPUT = "input tokens"
    """Neither read from nor written to the prompt cache; Anthropic counts those apart."""
    OUTPUT = "output tokens"
    CACHE_READ = "cached tokens read"
    CACHE_WRITE = "cached tokens written"


HANDED_OVER = "seconds until handed over"
"""The key under which a call that goes on without us tells how long it was ours."""

_WASTED = " wasted"


def key(unit: Unit, model: str) -> str:
    """The name in `Call.counts`."""
    return f"{unit}: {model}"


def entries(counts: Mapping[str, int]) -> Iterator[tuple[Unit, str, int, int]]:
    """The unit, the model, how much was used and how much of that was wasted, for each kind in `Call.counts`."""
    for name, used in counts.items():
        unit, _, model = name.partition(": ")
        if model and unit in _UNITS:
            yield Unit(unit), model, used, counts.get(f"{unit}{_WASTED}: {model}", 0)


_UNITS = frozenset(map(str, Unit))


@dataclass(frozen=True, slots=True)
class Mark:
    """How much had been used and wasted at some moment."""

    used: Counter[str]
    wasted: Counter[str]


@dataclass(slots=True)
class Tally:
    """One call's counts; whoever uses something adds to it."""

    used: Counter[str] = field(default_factory=Counter)
    """By `key`."""
    wasted: Counter[str] = field(default_factory=Counter)
    """How much of it served nothing: replies prepared in vain, requests left before their first word."""

    def use(self, unit: Unit, model: str, amount: int, wasted: bool = False) -> None:
        if amount:
            name = key(unit, model)
            self.used[name] += amount
            self.wasted[name] += amount if wasted else 0

    def mark(self) -> Mark:
        return Mark(self.used.copy(), self.wasted.copy())

    def discard(self, since: Mark) -> None:
        """Speech and thought used since then turned out to be for nothing.

        Listening goes on meanwhile, and is not part of it.
        """
        spent = self.used - since.used
        heard = {name: n for name, n in spent.items() if name.startswith(Unit.SOUND)}
        self.wasted = since.wasted + spent - Counter(heard)

    @property
    def counts(self) -> dict[str, int]:
        """As `Call.counts`."""
        wasted = {name.replace(": ", f"{_WASTED}: ", 1): n for name, n in self.wasted.items() if n}
        return dict(self.used) | wasted
