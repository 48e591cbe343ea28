"""One at a time, across processes: a lock on a file, which the system lets go of whatever its holder dies of."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_LOOK_AGAIN = 0.05
"""Seconds between two tries."""


class Taken(Exception):
    """Another process has the lock."""


@contextmanager
def alone(path: Path, patience: float | None = None) -> Iterator[None]:
    """Nobody else is in a block of this file at the same time. The file stays, since removing it would be a race.

    Args:
        patience: seconds to wait for whoever is; None: as long as it takes.

    Raises:
        Taken: somebody still is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until = None if patience is None else time.monotonic() + patience
    with path.open("a") as file:
        while not _try(file):
            if until is not None and time.monotonic() >= until:
                raise Taken(path)
            time.sleep(_LOOK_AGAIN)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try(file: IO[str]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
