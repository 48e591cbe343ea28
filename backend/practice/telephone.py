"""The phone at the far end: what its holder hears and speaks, moved on by the call's clock one frame at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from backend.audio import FRAME, SILENCE

EAR = 100
"""Frames a listener may fall behind, 2 s; then it misses the oldest."""
KEYS = frozenset("0123456789*#")


class Telephone:
    """A `Handset` for whoever holds it, and two frames a tick for the carrier: one in, one out."""

    def __init__(self) -> None:
        self._ears: set[asyncio.Queue[bytes]] = set()
        self._mouth = bytearray()
        self._speaking = asyncio.Lock()
        self._spoken = asyncio.Event()
        self._pressed: list[str] = []
        self._over = False

    async def hear(self) -> AsyncIterator[bytes]:
        """20 ms frames from now until the call is over; several may listen at once."""
        ear: asyncio.Queue[bytes] = asyncio.Queue(EAR)
        self._ears.add(ear)
        try:
            while not self._over and (frame := await ear.get()):
                yield frame
        finally:
            self._ears.discard(ear)

    async def speak(self, sound: bytes) -> None:
        """Returns when less than a frame is left: what is spoken next joins on without a gap."""
        async with self._speaking:
            self._mouth += b"" if self._over else sound
            try:
                while len(self._mouth) >= FRAME and not self._over:
                    self._spoken.clear()
                    await self._spoken.wait()
            except asyncio.CancelledError:
                self._mouth.clear()
                raise

    async def press(self, digit: str) -> None:
        if digit not in KEYS:
            raise ValueError(f"a phone has no key {digit!r}, only 0-9, * and #")
        if len(self._pressed) < EAR:
            self._pressed.append(digit)

    def take(self) -> tuple[bytes, list[str]]:
        """The carrier's: 20 ms from the microphone, and the keys pressed since the last frame."""
        sound = bytes(self._mouth[:FRAME]).ljust(FRAME, SILENCE)
        del self._mouth[:FRAME]
        self._spoken.set()
        pressed, self._pressed = self._pressed, []
        return sound, pressed

    def give(self, frame: bytes) -> None:
        """The carrier's: 20 ms for the earpiece."""
        for ear in self._ears:
            if ear.full():
                ear.get_nowait()
            ear.put_nowait(frame)

    def hang_up(self) -> None:
        """The call is over: listeners come to their end, and nobody waits to have spoken."""
        self._over = True
        self._spoken.set()
        self.give(b"")
