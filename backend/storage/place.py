"""The folder in which calls are kept: whether it can be used, tried out and said in a sentence."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

_LEAST_SPACE = 500_000_000
"""Bytes free where calls are written down. A call takes about 100 kB."""


class Unusable(Exception):
    """Calls cannot be kept there; the message says why and what to do."""


def check(database: Path) -> None:
    """Whether this database, or its folder while there is none, can be written to.

    Raises:
        Unusable
    """
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=database.parent):
            pass
        if database.exists():
            _try(database)
    except OSError as error:
        raise Unusable(refusal(error, database.parent)) from None


def _try(database: Path) -> None:
    """A transaction that writes nothing; it waits for the media server's, if that is at it."""
    with database.open("r+b"):
        pass
    try:
        with closing(sqlite3.connect(database, timeout=5)) as connection:
            connection.execute("begin immediate")
            connection.rollback()
    except sqlite3.Error as error:
        raise Unusable(
            f"{database} cannot be opened ({error}): put a backup in its place, or set another DATABASE_PATH in .env"
        ) from None


def room(database: Path) -> int:
    """Bytes free there.

    Raises:
        Unusable: that is too little.
    """
    free = shutil.disk_usage(database.parent).free
    if free < _LEAST_SPACE:
        raise Unusable(f"only {free / 1e6:.0f} MB are free in {database.parent}: make room, or move DATABASE_PATH")
    return free


def refusal(error: OSError, where: Path | None = None) -> str:
    """What the system does not allow with a file, and what to do about it; `where` if it does not say itself."""
    path = error.filename if isinstance(error.filename, (str, Path)) else where
    if path is None:
        return str(error)
    return (
        f"{path} cannot be used ({error.strerror or error}): change its owner or rights, or choose another place; "
        "calls and the token are in the folder of DATABASE_PATH, which .env sets"
    )
