"""Deleting calls for good: one that is asked for, and all that have been kept for long enough."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self

from backend.recording.names import call_of
from backend.storage.store import Store

_LOG = logging.getLogger(__name__)
_DAY = 86_400.0
_TOGETHER = 200
"""Calls that are looked for at once."""
_PAUSE = 0.02
"""Seconds between two of them, in which the calls that run go on."""


class Retention:
    """One per media server, entered to keep no call for longer than it should be."""

    def __init__(self, store: Store, recordings: Path, days: float, clock: Callable[[], float] = time.time) -> None:
        """Args:
        recordings: the folder they are in.
        days: how long a call is kept; 0: until somebody deletes it.
        """
        self._store = store
        self._recordings = recordings
        self._days = days
        self._clock = clock
        self._tidying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._days:
            self._tidying = asyncio.create_task(self._keep_tidy(), name="retention")
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._tidying:
            self._tidying.cancel()
            await asyncio.wait([self._tidying])

    async def remove(self, call_id: str) -> None:
        """Delete a call that is over: its row, its turns, its events, its questions, its report and its recording."""
        await self._remove([call_id])

    async def remove_recording(self, call_id: str) -> None:
        """Delete only what was recorded of it."""
        self._store.change(call_id, recording="")
        await asyncio.to_thread(_delete, {call_id}, self._recordings)

    async def tidy(self) -> None:
        """Delete every call that has been kept for long enough."""
        moment = self._clock() - self._days * _DAY
        while old := self._store.older_than(moment, _TOGETHER):
            await self._remove(old)

    async def _remove(self, call_ids: Sequence[str]) -> None:
        # The files first: whoever is stopped in between finds the rows again, but no sound without its call is left.
        await asyncio.to_thread(_delete, set(call_ids), self._recordings)
        for call_id in call_ids:
            self._store.remove(call_id)
            await asyncio.sleep(_PAUSE if len(call_ids) > 1 else 0)

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await self.tidy()
            except Exception:
                # Such as on a full disk: the calls that run are no matter of this, and tomorrow is another day.
                _LOG.exception("calls that are old enough could not be deleted")
            await asyncio.sleep(_DAY)


def _delete(call_ids: Collection[str], folder: Path) -> None:
    """By the names of the files, which also tells of those that a crash kept from the call's row.

    Raises:
        OSError: one cannot be deleted.
    """
    for path in folder.glob("*.wav"):
        if call_of(path.name) in call_ids:
            path.unlink(missing_ok=True)
