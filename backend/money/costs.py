"""What a call costs, from what it used and a price table. Pure.

Rounded as the bills are: Twilio takes each begun minute as a whole one, Deepgram each second, the others nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from backend.models import Call, Direction, LineKind
from backend.money.prices import Prices
from backend.money.tally import HANDED_OVER, Unit, entries


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill."""

    provider: str
    what: str
    """Such as "Minutes on the phone" or "Output tokens"."""
    of: str
    """The model, or the number that is called; empty where the price depends on neither."""
    amount: int
    """In the unit that is billed."""
    cost: float | None
    """In US dollars; None: the table has no price for it."""
    wasted: float = 0.0
    """How much of the cost served nothing."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a call has cost so far. Practice parts cost nothing and are not among the items."""

    items: tuple[Item, ...]
    version: str
    """The price table's."""

    @property
    def known(self) -> float:
        """The sum of what has a price."""
        return sum(item.cost or 0.0 for item in self.items)

    @property
    def total(self) -> float | None:
        """None: something of it has no price in the table, so that nobody knows."""
        return None if self.unpriced else self.known

    @property
    def wasted(self) -> float:
        """Spent on replies prepared in vain, and on requests left for a faster one."""
        return sum(item.wasted for item in self.items)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The models and numbers that the table has no price for."""
        return tuple(dict.fromkeys(item.of for item in self.items if item.cost is None))

    @property
    def by_provider(self) -> dict[str, float | None]:
        """The sum for each provider; None where a price is missing."""
        sums: dict[str, float | None] = {}
        for item in self.items:
            before = sums.get(item.provider, 0.0)
            sums[item.provider] = None if before is None or item.cost is None else before + item.cost
        return sums


def cost(call: Call, prices: Prices, now: float) -> Costs:
    """What this call has cost until now, in Unix seconds, or altogether once it is over."""
    items = (*_line(call, prices, now), *_engines(call, prices))
    return Costs(items, prices.version)


def _line(call: Call, prices: Prices, now: float) -> Iterator[Item]:
    """The carrier's part. It charges nothing for ringing."""
    if call.brief.line is LineKind.PRACTICE or call.answered is None:
        return
    twilio, outgoing = prices.twilio, call.brief.direction is Direction.OUTBOUND
    seconds = max(0.0, (now if call.ended is None else call.ended) - call.answered)
    ours = min(seconds, call.counts.get(HANDED_OVER, seconds))
    called, minute = (call.brief.to, twilio.outbound(call.brief.to)) if outgoing else ("", twilio.inbound_minute)
    yield _item("Twilio", "Minutes on the phone", called, _minutes(seconds), minute)
    yield _item("Twilio", "Minutes of sound to and from the agent", "", _minutes(ours), twilio.stream_minute)
    if outgoing:
        yield _item("Twilio", "Finding out who picked up", "", 1, twilio.machine_detection)
    if HANDED_OVER in call.counts:
        yield _item("Twilio", "Minutes on the operator's phone", "", _minutes(seconds - ours), twilio.transfer_minute)


def _minutes(seconds: float) -> int:
    return max(1, ceil(seconds / 60))


_KINDS = {
    Unit.SOUND: ("Deepgram", "Seconds heard"),
    Unit.INPUT: ("Claude", "Input tokens"),
    Unit.CACHE_READ: ("Claude", "Cached tokens read"),
    Unit.CACHE_WRITE: ("Claude", "Cached tokens written"),
    Unit.OUTPUT: ("Claude", "Output tokens"),
    Unit.CHARACTERS: ("ElevenLabs", "Characters voiced"),
}
"""In the order of the bill."""
_PLACES = {unit: place for place, unit in enumerate(_KINDS)}


def _engines(call: Call, prices: Prices) -> Iterator[Item]:
    """Who hears, thinks and speaks; only what is paid for is counted at all."""
    for unit, model, used, wasted in sorted(entries(call.counts), key=lambda entry: (_PLACES[entry[0]], entry[1])):
        provider, kind = _KINDS[unit]
        amount = ceil(used / 1000) if unit is Unit.SOUND else used
        yield _item(provider, kind, model, amount, _each(prices, unit, model), wasted)


def _each(prices: Prices, unit: Unit, model: str) -> float | None:
    """The price of one second, character or token."""
    if unit is Unit.SOUND:
        return _part(prices.listening(model), 60)
    if unit is Unit.CHARACTERS:
        return _part(prices.voicing(model), 1000)
    tokens = prices.thinking(model)
    if tokens is None:
        return None
    million = {
        Unit.INPUT: tokens.input,
        Unit.OUTPUT: tokens.output,
        Unit.CACHE_READ: tokens.cache_read,
        Unit.CACHE_WRITE: tokens.cache_write,
    }[unit]
    return million / 1_000_000


def _part(price: float | None, of: int) -> float | None:
    return None if price is None else price / of


def _item(provider: str, what: str, of: str, amount: int, each: float | None, wasted: int = 0) -> Item:
    if each is None:
        return Item(provider, what, of, amount, None)
    return Item(provider, what, of, amount, amount * each, min(wasted, amount) * each)
