"""Sound on its way to recognition, or to the line: frames in, without ever waiting, and out to one listener."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Self

from backend.bell import Bell

_KEPT = 500
"""Frames (10 s) kept while the listener is catching up; the oldest are dropped beyond."""


class Feed:
    """An async iterator of sound, without end unless it is told. One listener at a time.

    An `asyncio.Queue` does the same at three times the cost, which fifty frames a second in every call add up to.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        """`kept`: frames that wait at most."""
        self._frames: deque[bytes] = deque(maxlen=kept)
        self._news = Bell()
        self._take: Callable[[bytes], None] | None = None
        self._ended = False

    def put(self, frame: bytes) -> None:
        if self._take:
            self._take(frame)
        else:
            self._frames.append(frame)
            self._news.ring()

    def end(self) -> None:
        """Nothing follows what was put."""
        self._ended = True
        self._news.ring()

    async def pour(self, take: Callable[[bytes], None]) -> None:
        """Hand over what waits, and from then on every frame as it is put, until the end: a listener that never has to
        wait for anything itself needs no waking, which costs more than all else about a frame."""
        while self._frames:
            take(self._frames.popleft())
        self._take = take
        try:
            while not self._ended:
                await self._news.wait()
        finally:
            self._take = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._frames:
            if self._ended:
                raise StopAsyncIteration
            await self._news.wait()
        return self._frames.popleft()
