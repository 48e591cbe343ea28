"""WebSocket frames (RFC 6455, section 5.2) built in one step, for the messages of which a call sends hundreds a minute.

Only whole messages; handshakes, pings and closing stay with the libraries that own the sockets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from secrets import token_bytes

try:
    # The library's public name is the slow one, which it keeps for machines without a compiler.
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

__all__ = ["apply_mask", "binary_from_client", "text_from_server"]

_TEXT, _BINARY, _MASKED = 0x81, 0x82, 0x80


def text_from_server(payload: bytes) -> bytes:
    """A message of text (UTF-8) as servers send it, unmasked."""
    return _start(_TEXT, len(payload), 0) + payload


def binary_from_client(payload: bytes) -> bytes:
    """A message of bytes as clients send it, under a mask that nobody can foresee."""
    mask = next(_masks)
    return _start(_BINARY, len(payload), _MASKED) + mask + apply_mask(payload, mask)


def _drawn() -> Iterator[bytes]:
    """Masks, from what the system draws for a thousand of them: asking it for each costs as much as the masking."""
    while True:
        pool = token_bytes(4096)
        yield from (pool[place : place + 4] for place in range(0, len(pool), 4))


_masks = _drawn()


def _start(first: int, size: int, masked: int) -> bytes:
    if size < 126:
        return bytes((first, masked | size))
    if size < 1 << 16:
        return struct.pack("!BBH", first, masked | 126, size)
    return struct.pack("!BBQ", first, masked | 127, size)
