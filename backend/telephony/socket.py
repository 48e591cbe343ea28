"""uvicorn's WebSocket with a shorter way for what a call is made of: whole messages of text, fifty a second each way.

The general way parses and builds every frame step by step, and switches reading off and on again around each message;
it is some five times as dear, and still used for everything unusual: the handshake, pings, closing, fragments, binary
and large messages, and whatever breaks the rules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from backend.bell import Bell
from backend.frames import apply_mask, text_from_server

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent
    from websockets.http11 import Request

DIRECT = "phone-agent.direct"
"""The ASGI extension under which a connection offers itself, without the layers of a web framework in between."""

_TEXT = 0x81
"""The first byte of a whole message of text (RFC 6455, section 5.2)."""
_CONTROL = (0x88, 0x89, 0x8A)
_MOST_WAITING = 64
"""Messages that the application has not taken, at which reading stops until it has."""


Taker = Callable[[str | None], bool]
"""Is handed a message's text, empty if it has none, or None once the socket is gone; False: that was the last."""


class MediaSocket(WebSocketsSansIOProtocol):
    """Give it to uvicorn as `ws`. Applications see no difference, unless they ask for the extension."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._messages = _Messages()
        self.queue = self._messages  # type: ignore[assignment]
        self._rest = b""
        """The beginning of a frame whose end has not come."""
        self._unusual = False
        """Whether a frame came that only the general way understands; from there on it has all of them."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][DIRECT] = {"socket": self}

    # --- what comes in ----------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._unusual or not self.handshake_complete:
            # Who sends before the handshake's answer has frames in there already.
            self._unusual = self._unusual or self.handshake_initiated
            self._receive_generally(data)
            return
        if self._rest:
            data = self._rest + data
        place, length = 0, len(data)
        while length - place >= 6:  # the shortest frame of a client, whose frames are masked
            first, size, begins = data[place], data[place + 1] - 0x80, place + 6
            if size == 126:
                size, begins = data[place + 2] << 8 | data[place + 3], place + 8
            elif size == 127 or size < 0 or (first != _TEXT and first not in _CONTROL):
                self._unusual = True
                self._receive_generally(data[place:])
                return
            ends = begins + size
            if ends > length:
                break
            if first != _TEXT or not self._hear(apply_mask(data[begins:ends], data[begins - 4 : begins])):
                self._receive_generally(data[place:ends])
            place = ends
        self._rest = data[place:]

    def _hear(self, payload: bytes) -> bool:
        """Hand a message to the application; False when it is no text at all."""
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return False
        if self.close_sent:
            return True
        if self._messages.pouring:
            self._messages.hand_over(text)
            return True
        self._messages.put_nowait({"type": "websocket.receive", "text": text})
        if self._messages.qsize() >= _MOST_WAITING and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        return True

    def _receive_generally(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages.pouring:
            # Nobody comes for the messages, to switch on again what was switched off at each.
            self._read_on()

    def _read_on(self) -> None:
        if self.read_paused and self._messages.empty():
            self.read_paused = False
            self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        message = await self._messages.get()
        self._read_on()
        return message

    async def pour(self, take: Taker) -> None:
        """Hand over the text of what waits, and from then on of every message as it comes, until `take` wants no more:
        waking a reader for each of them would cost more than all else about it.

        Raises:
            Exception: what `take` raised.
        """
        self._messages.pour(take)
        self._read_on()
        try:
            await self._messages.poured()
        finally:
            self._messages.keep()

    # --- what goes out ----------------------------------------------------------------------------------------

    def write(self, *texts: str) -> bool:
        """Send messages at once; False where they would have to wait, or the socket is closing."""
        if self.close_sent or self.disconnected or not (self.handshake_complete and self.writable.is_set()):
            return False
        self.transport.write(b"".join([text_from_server(text.encode()) for text in texts]))
        return True


class _Messages:
    """What uvicorn uses of `asyncio.Queue`, for one reader, at a third of its price; or poured out to that reader."""

    def __init__(self) -> None:
        self._waiting: deque[ASGIReceiveEvent] = deque()
        self._news = Bell()
        self._take: Taker | None = None
        self._fault: Exception | None = None
        """What `take` raised: it is for whoever pours, and the socket's own life goes on."""

    def put_nowait(self, message: ASGIReceiveEvent) -> None:
        if self._take:
            self.hand_over(_text(message))
        else:
            self._waiting.append(message)
            self._news.ring()

    async def get(self) -> ASGIReceiveEvent:
        while not self._waiting:
            await self._news.wait()
        return self._waiting.popleft()

    @property
    def pouring(self) -> bool:
        return self._take is not None

    def pour(self, take: Taker) -> None:
        """Hand over what waits, and what comes from then on."""
        self._take = take
        while self._waiting and self.pouring:
            self.hand_over(_text(self._waiting.popleft()))

    def hand_over(self, text: str | None) -> None:
        try:
            if self._take is not None and not self._take(text):
                self.keep()
        except Exception as error:
            self._fault = error
            self.keep()

    def keep(self) -> None:
        """Hand over no more."""
        self._take = None
        self._news.ring()

    async def poured(self) -> None:
        """Until no more is handed over; raises what handing over raised."""
        while self.pouring:
            await self._news.wait()
        if self._fault:
            raise self._fault

    def qsize(self) -> int:
        return len(self._waiting)

    def empty(self) -> bool:
        return not self._waiting


def _text(message: ASGIReceiveEvent) -> str | None:
    return None if message["type"] == "websocket.disconnect" else str(message.get("text") or "")
