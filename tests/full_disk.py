"""A database that takes nothing, as on a full disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backend.storage.store import Store


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """Within this, whatever this store writes fails with `sqlite3.OperationalError`."""
    store._db.execute("pragma query_only = on")
    try:
        yield
    finally:
        store._db.execute("pragma query_only = off")
