"""Both sides of a call's sound, for whoever listens in or records: what the callee says, and what they hear meanwhile.

The carrier tells nobody what it plays. But it plays in real time what it was sent, one piece after the other, and sends
the callee's side at the same pace: while so much sound comes in, it has played as much. `Mirror` counts that; `Tapped`
lets a line's sound pass through it; `Tap` hands the pairs on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from backend.audio import SILENCE
from backend.models import LineEvent, Sound
from backend.seams import Line

_KEPT = 25
"""Pairs that wait for a listener, half a second; who is slower loses the oldest."""


class Pair(NamedTuple):
    """The same moments of both sides: 8 kHz mu-law of the same length, usually 20 ms."""

    callee: bytes
    agent: bytes
    """What the callee hears: the agent, or the operator who has taken over."""


class Mirror:
    """What the carrier plays, as far as it can be known from here. Pure."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def play(self, sound: bytes) -> None:
        self._waiting += sound

    def clear(self) -> None:
        self._waiting.clear()

    def next(self, length: int) -> bytes:
        """What is played while so many bytes come in; silence where there is nothing."""
        sound = bytes(self._waiting[:length])
        del self._waiting[:length]
        return sound.ljust(length, SILENCE)

    def skip(self, length: int) -> None:
        """So many bytes come in, and nobody listens."""
        if self._waiting:
            del self._waiting[:length]


class Tap:
    """Where the sound of one call can be had, from the moment it is dialled."""

    def __init__(self) -> None:
        self.hears: tuple[Callable[[Pair], None], ...] = ()
        """Who is given each pair, within the loop: they must neither wait nor raise."""
        self._listeners: set[Listener] = set()
        self._closed = False

    def add(self, hear: Callable[[Pair], None]) -> None:
        self.hears = (*self.hears, hear)

    def remove(self, hear: Callable[[Pair], None]) -> None:
        self.hears = tuple(other for other in self.hears if other != hear)

    def listener(self) -> Listener:
        """Somebody who takes the pairs one by one; to be entered."""
        return Listener(self)

    def close(self) -> None:
        """The call is over: everybody has heard the last of it."""
        self._closed = True
        for listener in self._listeners:
            listener.wake()

    @property
    def closed(self) -> bool:
        return self._closed

    def join(self, listener: Listener) -> None:
        self._listeners.add(listener)
        self.add(listener.put)

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        self.remove(listener.put)


class Listener:
    """The pairs from its entering until the call is over, as an async iterator; one task at a time may take them."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._pairs: deque[Pair] = deque(maxlen=_KEPT)
        self._news = asyncio.Event()

    def __enter__(self) -> Self:
        self._tap.join(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._tap.leave(self)

    def put(self, pair: Pair) -> None:
        self._pairs.append(pair)
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Pair:
        while not self._pairs:
            if self._tap.closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._pairs.popleft()


class Tapped:
    """A `Line` whose sound can be listened to."""

    def __init__(self, line: Line, tap: Tap) -> None:
        self._line = line
        self._tap = tap
        self._mirror = Mirror()
        self.hang_up, self.transfer = line.hang_up, line.transfer

    async def pour(self, take: Callable[[LineEvent], None]) -> None:
        def tapped(event: LineEvent) -> None:
            if isinstance(event, Sound):
                self._pass(event.mulaw)
            take(event)

        await self._line.pour(tapped)

    def _pass(self, callee: bytes) -> None:
        if not self._tap.hears:
            self._mirror.skip(len(callee))
            return
        pair = Pair(callee, self._mirror.next(len(callee)))
        for hear in self._tap.hears:
            hear(pair)

    async def play(self, sound: bytes, mark: str = "") -> None:
        self._mirror.play(sound)
        await self._line.play(sound, mark)

    async def clear(self) -> None:
        self._mirror.clear()
        await self._line.clear()
