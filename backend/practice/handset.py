"""The two sides of a practice phone: the handset the carrier offers, and whoever holds it at the far end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from backend.practice.clock import Clock


class Handset(Protocol):
    """A phone that has just been picked up. Sound is 8 kHz mu-law."""

    def hear(self) -> AsyncIterator[bytes]:
        """What the earpiece plays: 20 ms frames in real time, silence included, until the call is over."""
        ...

    async def speak(self, sound: bytes) -> None:
        """Speak into the microphone; returns once it has all been spoken, in real time. Cancelling stops it."""
        ...

    async def press(self, digit: str) -> None:
        """Press one key: 0-9, * or #."""
        ...


class FarEnd(Protocol):
    """Whoever is called: a synthetic callee, or a person at a browser."""

    async def ring(self, clock: Clock) -> bool:
        """Let the phone ring until it is picked up (True) or declined (False).

        Being cancelled is the end of the ringing: it was long enough, or the caller has given up.
        """
        ...

    async def answer(self, handset: Handset) -> None:
        """Hold the phone. Returning is hanging up; being cancelled is being hung up on."""
        ...
