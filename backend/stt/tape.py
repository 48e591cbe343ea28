"""What a recogniser was sent and is still to be sent: the backlog, and what a replacement has to hear again."""

from __future__ import annotations

from backend import audio


class Tape:
    """The last half minute of the call's sound, sent or not. Places on it are bytes since the call's first."""

    LIMIT = 30 * audio.RATE

    def __init__(self) -> None:
        self.start = 0
        self.ended = False
        self._sound = bytearray()

    @property
    def end(self) -> int:
        return self.start + len(self._sound)

    def add(self, sound: bytes) -> None:
        self._sound += sound
        if (excess := len(self._sound) - self.LIMIT) > 0:
            del self._sound[:excess]
            self.start += excess

    def read(self, place: int, size: int) -> bytes:
        return bytes(self._sound[place - self.start : place - self.start + size])
