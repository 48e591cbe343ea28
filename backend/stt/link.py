"""One socket to a recogniser, and how far the call's tape has been sent on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.protocol import State

from backend.frames import binary_from_client
from backend.stt.tape import Tape

_LARGEST = 640
"""Bytes in one message, 80 ms: as much as Deepgram recommends. Only a backlog is sent in so large pieces."""
_CONGESTED = 16_384
"""Bytes that the network has not taken, 2 s of sound, from which on the sender waits."""


@dataclass(slots=True)
class Link:
    """One socket, and where it stands on the tape."""

    socket: ClientConnection
    opened: float
    origin: int
    """The place at which the server's second 0 lies."""
    cursor: int
    """The next byte to send."""
    count: Callable[[int], None]
    """Told how many bytes are sent."""
    answered: bool = False
    _waits: bool = False
    """Whether sound that was taken waits for the network; what follows must not overtake it."""

    def take(self, tape: Tape, size: int) -> bytes:
        """The next sound to send. What fell off the tape, because the network took too little, is skipped."""
        lost = max(0, tape.start - self.cursor)
        sound = tape.read(self.cursor + lost, size)
        self.origin += lost
        self.cursor += lost + len(sound)
        self.count(len(sound))
        return sound

    def send_now(self, tape: Tape) -> bool:
        """Send the next sound; False where it would have to wait."""
        free = self.socket.state is State.OPEN and self.socket.transport.get_write_buffer_size() < _CONGESTED
        if not free or self._waits:
            return False
        # What the library does for such a message takes five times as long as everything else about it.
        self.socket.transport.write(binary_from_client(self.take(tape, _LARGEST)))
        return True

    async def send(self, tape: Tape) -> None:
        """Send the next sound, as soon as the network takes it.

        Raises:
            ConnectionClosed
        """
        self._waits = True
        try:
            await self.socket.send(self.take(tape, _LARGEST))
        finally:
            self._waits = False
