"""Puts down on a call's row what it has cost."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from backend.models import Call
from backend.money.costs import cost
from backend.money.prices import Prices, read
from backend.storage.store import Store

_LOG = logging.getLogger(__name__)


class Books:
    """The price file is looked at again for each call, so that a change counts from the next one on."""

    def __init__(self, store: Store, prices: Path | None = None) -> None:
        """`prices`: the operator's file, which may be missing."""
        self._store = store
        self._path = prices
        self._told = ""

    def close(self, call_id: str) -> None:
        """Write what a call that is over has cost."""
        if (call := self._store.call(call_id)) and call.status.final:
            self._store.change(call_id, cost=self._total(call))

    def add(self, call_id: str, used: Mapping[str, int]) -> None:
        """Add what was used for a call after its end, such as for its report.

        A row without a cost gets none: what was used during the call is not known then.
        """
        if used and (call := self._store.call(call_id)):
            call = replace(call, counts=dict(Counter(call.counts) + Counter(used)))
            total = None if call.cost is None else self._total(call)
            self._store.change(call_id, counts=call.counts, cost=total)

    def spent(self, since: float, now: float) -> list[tuple[float, float]]:
        """When the calls since then were placed, and what they have cost until now, as far as there are prices."""
        prices = self._prices()
        so_far = [(call.created, cost(call, prices, now).known) for call in self._store.uncosted_since(since)]
        return self._store.costs_since(since) + so_far

    def _total(self, call: Call) -> float | None:
        return cost(call, self._prices(), call.ended or call.created).total

    def _prices(self) -> Prices:
        table = read(self._path)
        if table.problem and table.problem != self._told:
            _LOG.warning("the price table that comes with the product counts: %s", table.problem)
        self._told = table.problem
        return table.prices
