"""What requests to Claude cost, in tokens: as Anthropic tells it, estimated where a request was left before that."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from backend.models import ProviderError
from backend.money.tally import Tally, Unit

if TYPE_CHECKING:
    from anthropic.types import Message

_FIELDS = {
    "input_tokens": Unit.INPUT,
    "cache_read_input_tokens": Unit.CACHE_READ,
    "cache_creation_input_tokens": Unit.CACHE_WRITE,
    "output_tokens": Unit.OUTPUT,
}
"""Anthropic's names. Each token sent is in just one of the first three."""
_CHARACTERS_A_TOKEN = 4


class Account:
    """All requests of one call to one model."""

    def __init__(self, tally: Tally, model: str) -> None:
        self._tally, self._model = tally, model
        self._like_the_last: Mapping[Unit, int] = {}
        """What the latest request sent, that told: the next one sends the same conversation, and little more."""

    def bill(self, request: Mapping[str, Any]) -> Bill:
        return Bill(self, request)

    def charge(self, message: Message) -> None:
        """Put down what an answer that came whole says it has used."""
        # What came over the network is not checked by the SDK, and may lack anything.
        if usage := getattr(message, "usage", None):
            self.put(_tokens(usage.model_dump()))

    def put(self, tokens: Mapping[Unit, int], wasted: bool = False) -> None:
        for unit, amount in tokens.items():
            self._tally.use(unit, self._model, amount, wasted)
        sent = Counter[Unit](tokens)
        del sent[Unit.OUTPUT]
        # What was written to the cache is there to be read the next time.
        sent[Unit.CACHE_READ] += sent.pop(Unit.CACHE_WRITE, 0)
        self._like_the_last = +sent or self._like_the_last

    def guess(self, request: Mapping[str, Any]) -> Mapping[Unit, int]:
        """What a request that never told has sent."""
        return self._like_the_last or {Unit.INPUT: len(json.dumps(request)) // _CHARACTERS_A_TOKEN}


class Bill:
    """One streamed request, as `with account.bill(...) as bill:` around everything about it."""

    def __init__(self, account: Account, request: Mapping[str, Any]) -> None:
        self.written = 0
        """Characters of the answer that have come."""
        self.taken = False
        """Whether anybody took anything of the answer."""
        self._account = account
        self._request = request
        self._tokens: dict[Unit, int] = {}
        self._complete = False

    def told(self, usage: object, complete: bool = False) -> None:
        """Anthropic says what was used; the last word of it with the end of the answer. Each word is of all so far."""
        if isinstance(usage, dict):
            self._tokens |= _tokens(usage)
            self._complete = complete

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        failed = isinstance(error, ProviderError)
        if failed and not self._tokens:
            # Refused, or never reached: Anthropic charges nothing for that.
            return
        tokens = self._tokens or dict(self._account.guess(self._request))
        if not self._complete:
            tokens[Unit.OUTPUT] = max(tokens.get(Unit.OUTPUT, 0), -(-self.written // _CHARACTERS_A_TOKEN))
        self._account.put(tokens, wasted=error is not None and not failed and not self.taken)


def _tokens(usage: Mapping[str, object]) -> dict[Unit, int]:
    """What of it has a price. Fields may be missing or null."""
    told = {unit: usage.get(name) for name, unit in _FIELDS.items()}
    return {unit: amount for unit, amount in told.items() if isinstance(amount, int)}
