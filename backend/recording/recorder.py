"""Where recordings are kept: begun for each call, mended after a crash, and deleted when their days are over."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from backend.call.tap import Tap
from backend.recording.names import begins, call_of
from backend.recording.recording import Recording
from backend.recording.wave import HEADER, repaired
from backend.storage.store import Store

_LOG = logging.getLogger(__name__)
_DAY = 86_400.0
_TOGETHER = 50
"""Rows that are changed before the calls may go on."""


class Recorder:
    """One per media server, entered to keep the folder in order."""

    def __init__(self, folder: Path, days: float, store: Store, clock: Callable[[], float] = time.time) -> None:
        """`days`: how long a recording is kept."""
        self._folder = folder
        self._days = days
        self._store = store
        self._clock = clock
        # One thread for all calls: what belongs to a file is written in its order, and a slow disk meets one writer.
        self._pen = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._tidying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._tidying = asyncio.create_task(self._keep_tidy(), name="recordings")
        return self

    async def __aexit__(self, *error: object) -> None:
        """Every recording was closed by its call; wait until all is on the disk."""
        if self._tidying:
            self._tidying.cancel()
            await asyncio.wait([self._tidying])
        await asyncio.to_thread(self._pen.shutdown)

    @contextmanager
    def recording(self, call_id: str, tap: Tap, trouble: Callable[[str], None]) -> Iterator[Recording]:
        """Record what the tap gives until the block is left; `trouble` is told what goes wrong."""
        made = Recording(
            self._folder,
            call_id,
            self._pen,
            lambda name: self._enter(call_id, name),
            trouble,
            self._clock,
        )
        tap.add(made.hear)
        try:
            yield made
        finally:
            tap.remove(made.hear)
            made.close()

    def _enter(self, call_id: str, name: str) -> None:
        """Note on the call's row where its recording is."""
        try:
            self._store.change(call_id, recording=name)
        except sqlite3.Error:
            # Such as on a full disk: it is found missing, but no call shall end because it is recorded.
            _LOG.exception("the row of call %s could not be told of its recording", call_id)

    # --- keeping the folder in order --------------------------------------------------------------------------

    async def _keep_tidy(self) -> None:
        while True:
            await self.tidy()
            await asyncio.sleep(_DAY)

    async def tidy(self) -> None:
        """Make whole what a crash has left, and delete what has been kept for long enough."""
        # By the thread that writes: no file is looked at in the middle of a write.
        await asyncio.get_running_loop().run_in_executor(self._pen, self._mend)
        await self._clear_out()

    def _mend(self) -> None:
        """Count in what a server that died had written and not counted."""
        for path in self._files():
            try:
                mend(path)
            except OSError:
                _LOG.warning("the recording %s could not be mended", path.name, exc_info=True)

    async def _clear_out(self) -> None:
        """Delete what has been kept for long enough."""
        old = await asyncio.to_thread(self._older_than, self._clock() - self._days * _DAY)
        for count, path in enumerate(old, start=1):
            call = self._store.call(call_of(path.name))
            if call and call.recording == path.name:
                self._store.change(call.id, recording="")
            if count % _TOGETHER == 0:
                await asyncio.sleep(0)
        # Last: whoever is stopped in between finds the files again, but never a row whose recording is gone.
        await asyncio.to_thread(_delete, old)

    def _older_than(self, moment: float) -> list[Path]:
        return [path for path in self._files() if (begins(path.name) or moment) < moment]

    def _files(self) -> Iterator[Path]:
        """Only what a recorder has named so: whatever else is in the folder is somebody else's."""
        return (path for path in self._folder.glob("*.wav") if begins(path.name) is not None)


def _delete(paths: list[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            _LOG.warning("the recording %s could not be deleted", path.name, exc_info=True)


def mend(path: Path) -> bool:
    """Give a recording the header that its length demands; whether it had another one.

    Raises:
        OSError
    """
    with path.open("r+b") as file:
        right = repaired(file.read(HEADER), path.stat().st_size)
        if right is not None:
            file.seek(0)
            file.write(right)
    return right is not None
