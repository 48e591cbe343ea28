"""What a call is going to cost, from the price table and the calls that were. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from backend.models import Brief, Call
from backend.money.costs import Costs, cost
from backend.money.prices import Prices
from backend.money.tally import HANDED_OVER, Unit, key

LEAST = 5
"""Earlier calls; fewer of them show nothing."""
_SHORT, _LONG = 45.0, 180.0
"""Seconds of talk between which most calls end, while there are no earlier ones to go by."""
_RINGING = 15.0
"""Seconds that recognition listens before anybody talks."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The models that will serve; an empty name is a part of this machine, which costs nothing."""

    hearing: str = ""
    thinking: str = ""
    speaking: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Between what and what a call that is answered will probably cost, in US dollars."""

    low: float
    high: float
    shortest: float
    """Seconds of talk behind `low`."""
    longest: float
    """Seconds of talk behind `high`."""
    earlier: int
    """How many earlier calls it goes by; 0: none, and the lengths are assumed."""
    unpriced: tuple[str, ...]
    """The models and numbers that the table has no price for, and the forecast leaves out."""
    version: str


def forecast(brief: Brief, parts: Parts, prices: Prices, history: Sequence[Call], limit: float) -> Forecast:
    """
    Args:
        history: earlier calls, of which those like this one are gone by; the others are passed over.
        limit: seconds after which a call is ended.
    """
    earlier = _like(brief, history)
    shortest, longest = (min(seconds, limit) for seconds in _lengths(earlier))
    low, high = (_priced(brief, parts, prices, earlier, seconds) for seconds in (shortest, longest))
    return Forecast(low.known, high.known, shortest, longest, len(earlier), high.unpriced, prices.version)


def _like(brief: Brief, history: Sequence[Call]) -> list[Call]:
    """The earlier calls that tell something about this one: talked to, to the end, and on the same line."""
    over = [call for call in history if call.answered and call.ended and HANDED_OVER not in call.counts]
    same = [call for call in over if call.brief.line is brief.line]
    return next((calls for calls in (same, over) if len(calls) >= LEAST), [])


def _seconds(call: Call) -> float:
    return max(1.0, (call.ended or 0.0) - (call.answered or 0.0))


def _lengths(earlier: Sequence[Call]) -> tuple[float, float]:
    """Between which lengths, in seconds, eight of ten calls lie."""
    if not earlier:
        return _SHORT, _LONG
    tenths = quantiles(map(_seconds, earlier), n=10, method="inclusive")
    return tenths[0], tenths[-1]


def _priced(brief: Brief, parts: Parts, prices: Prices, earlier: Sequence[Call], seconds: float) -> Costs:
    counts = {name: round(amount) for name, amount in _used(brief, parts, earlier, seconds)}
    imagined = Call("", brief, answered=1.0, ended=1.0 + seconds, counts=counts)
    return cost(imagined, prices, 0.0)


def _used(brief: Brief, parts: Parts, earlier: Sequence[Call], seconds: float) -> Iterator[tuple[str, float]]:
    """What a call of this length uses: at the pace of the earlier ones where they used the same model."""
    if parts.hearing:
        yield key(Unit.SOUND, parts.hearing), (seconds + _RINGING) * 1000
    paces = {Unit.CHARACTERS: parts.speaking} | dict.fromkeys(_TOKENS, parts.thinking)
    known = _assumed(brief)
    for unit, model in paces.items():
        if model:
            name = key(unit, model)
            seen = [call.counts[name] / _seconds(call) for call in earlier if name in call.counts]
            yield name, seconds * (median(seen) if len(seen) >= LEAST else known[unit])


_TOKENS = (Unit.INPUT, Unit.OUTPUT, Unit.CACHE_READ, Unit.CACHE_WRITE)


def _assumed(brief: Brief) -> dict[Unit, float]:
    """What a second of talk uses, for as long as no call has shown it.

    The agent speaks half of the time, at 15 characters a second; it is asked for an answer every 6 seconds, some of
    them in vain. The task and what it may say travel with each request, from the cache but for the first time.
    """
    rules = 2_000 + (len(brief.action) + len(brief.context)) / 3
    return {
        Unit.CHARACTERS: 7.5,
        Unit.INPUT: 400 / 6,
        Unit.OUTPUT: 40 / 6,
        Unit.CACHE_READ: rules / 6,
        Unit.CACHE_WRITE: rules / 60,
    }
