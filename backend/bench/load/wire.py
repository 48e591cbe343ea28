"""The load generator's HTTP and WebSocket: only what loopback needs of either, so that a hundred calls cost it little.

RFC 9112 with bodies of known length, and RFC 6455 without fragments and extensions. A client's frames are masked with
zeros, which is a mask like any other and leaves the bytes as they were prepared.
"""

from __future__ import annotations

import asyncio
import struct
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from typing import cast

TEXT, BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="

Listener = Callable[[int, bytes, bytes], None]
"""Told of each data frame: its opcode, its payload as it came, and the payload's mask (empty from a server)."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the headers of a request or a response; header names in lower case."""

    line: str
    headers: dict[str, str]

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", 0))


Answer = Callable[["Wire", Head, bytes], None]
"""Told of each request and its body; it calls `reply`, `upgrade` or `send_raw` then or later."""


class Wire(asyncio.Protocol):
    """One connection, either way: requests or a response first, then a WebSocket's frames once it was upgraded."""

    def __init__(self, answer: Answer, over: Callable[[], None] = lambda: None) -> None:
        self.closed = False
        self._answer = answer
        self._over = over
        self._buffer = bytearray()
        self._head: Head | None = None
        self._listener: Listener | None = None
        self._masked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self._over()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._frame() if self._listener else self._message():
            pass

    # --- HTTP -------------------------------------------------------------------------------------------------

    def _message(self) -> bool:
        """Take one request or response from the buffer, if it is there."""
        if self._head is None:
            text, end, _ = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return False
            self._head = _head(text.decode("latin-1"))
            del self._buffer[: len(text) + 4]
        head = self._head
        if len(self._buffer) < head.length:
            return False
        body, self._head = bytes(self._buffer[: head.length]), None
        del self._buffer[: head.length]
        self._answer(self, head, body)
        return True

    def reply(self, body: bytes = b"", kind: str = "application/json", status: str = "200 OK") -> None:
        self.send_raw(response(status, {"content-type": kind, "content-length": str(len(body))}) + body)

    def upgrade(self, head: Head, listener: Listener) -> None:
        """Answer a request for a WebSocket, and tell `listener` of its frames from now on."""
        accept = b64encode(sha1(head.headers["sec-websocket-key"].encode() + _GUID).digest()).decode()
        names = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept}
        self.send_raw(response("101 Switching Protocols", names))
        self._listener = listener

    def upgraded(self, listener: Listener) -> None:
        """The server has answered our request for a WebSocket."""
        self._listener, self._masked = listener, True

    # --- WebSocket --------------------------------------------------------------------------------------------

    def _frame(self) -> bool:
        """Take one frame from the buffer, if all of it is there."""
        buffer = self._buffer
        place = _measure(buffer)
        if place is None or len(buffer) < place[1]:
            return False
        begins, ends = place
        mask = bytes(buffer[begins - 4 : begins]) if buffer[1] & 0x80 else b""
        opcode, payload = buffer[0] & 15, bytes(buffer[begins:ends])
        del buffer[:ends]
        if opcode in (TEXT, BINARY):
            assert self._listener
            self._listener(opcode, payload, mask)
        elif opcode == _PING:
            self.send_raw(frame(unmasked(payload, mask), self._masked, _PONG))
        elif opcode == _CLOSE:
            self.close()
        return True

    def send(self, text: bytes) -> None:
        self.send_raw(frame(text, self._masked))

    def send_raw(self, data: bytes) -> None:
        """Write bytes that are framed already."""
        if not self.closed:
            self._transport.write(data)

    def close(self, code: int = 1000) -> None:
        if not self.closed:
            if self._listener:
                self.send_raw(frame(struct.pack("!H", code), self._masked, _CLOSE))
            self.closed = True
            self._transport.close()


async def websocket(host: str, port: int, path: str, headers: dict[str, str], wire: Wire) -> None:
    """Connect `wire` and ask for a WebSocket; its `answer` is told of the server's response."""
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: wire, host, port)
    asked = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13", "sec-websocket-key": _KEY}
    wire.send_raw(_lines(f"GET {path} HTTP/1.1", {"host": f"{host}:{port}", **asked, **headers}))


# --- bytes ------------------------------------------------------------------------------------------------------


def frame(payload: bytes, masked: bool = False, opcode: int = TEXT) -> bytes:
    """One whole frame."""
    size, bit = len(payload), 0x80 if masked else 0
    if size < 126:
        start = bytes((0x80 | opcode, bit | size))
    elif size < 1 << 16:
        start = struct.pack("!BBH", 0x80 | opcode, bit | 126, size)
    else:
        start = struct.pack("!BBQ", 0x80 | opcode, bit | 127, size)
    return start + (bytes(4) if masked else b"") + payload


def unmasked(payload: bytes, mask: bytes) -> bytes:
    """The payload as it was meant."""
    if not mask:
        return payload
    size = len(payload)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")


def response(status: str, headers: dict[str, str]) -> bytes:
    """The head of a response."""
    return _lines(f"HTTP/1.1 {status}", headers)


def _lines(first: str, headers: dict[str, str]) -> bytes:
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


def _head(text: str) -> Head:
    line, *rest = text.split("\r\n")
    pairs = (one.partition(":") for one in rest)
    return Head(line, {name.lower(): value.strip() for name, _, value in pairs})


def _measure(buffer: bytearray) -> tuple[int, int] | None:
    """Where the payload of the buffer's first frame begins and ends; None while that cannot be told."""
    if len(buffer) < 2:
        return None
    size, begins = buffer[1] & 127, 2
    if size >= 126:
        begins = 4 if size == 126 else 10
        if len(buffer) < begins:
            return None
        size = int.from_bytes(buffer[2:begins], "big")
    begins += 4 if buffer[1] & 0x80 else 0
    return begins, begins + size
