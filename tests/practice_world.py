"""A small product on loopback, the practice carrier, and the official SDK between them: only time is simulated."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI, Request, Response
from starlette.datastructures import ImmutableMultiDict
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Connect, VoiceResponse
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_sockets

from backend.models import Status
from backend.practice.call_record import CallRecord
from backend.practice.carrier import Carrier, practice_carrier
from backend.practice.clock import Clock
from backend.practice.dialled_call import DialledCall
from backend.practice.handset import FarEnd, Handset
from backend.serving import serve

CALLEE = "+12025550143"
# The SDK asks aiohttp for Basic auth in a way that aiohttp is going to remove.
SDK_WARNS = pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:DeprecationWarning")
PATIENCE = 10.0
"""Seconds for one test's calls to end; only a failing test waits that long."""
ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


# --- the far end ------------------------------------------------------------------------------------------------


async def stay(handset: Handset) -> None:
    await asyncio.Event().wait()


async def hang_up(handset: Handset) -> None:
    return


@dataclass
class Person:
    """Picks up after so many seconds, and does this with the phone."""

    act: Callable[[Handset], Awaitable[None]] = stay
    rings: float | None = 0.0
    picks_up: bool = True
    """False: declines instead."""
    hung_up_on: bool = False

    async def ring(self, clock: Clock) -> bool:
        await clock.sleep(self.rings)
        return self.picks_up

    async def answer(self, handset: Handset) -> None:
        try:
            await self.act(handset)
        except asyncio.CancelledError:
            self.hung_up_on = True
            raise


def says(sound: bytes) -> Person:
    async def act(handset: Handset) -> None:
        await handset.speak(sound)
        await stay(handset)

    return Person(act)


# --- the product ------------------------------------------------------------------------------------------------


class Peer:
    """The product's end of a stream."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.received: list[dict[str, Any]] = []
        self.sid = ""

    async def next(self, event: str) -> dict[str, Any]:
        """The next message of this kind; those before it are kept in `received`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = json.loads(await self.socket.recv())
                self.received.append(message)
                self.sid = message.get("streamSid", self.sid)
                if message["event"] == event:
                    return dict(message)

    async def send(self, event: str, **body: Any) -> None:
        await self.socket.send(json.dumps({"event": event, "streamSid": self.sid, **body}))

    async def play(self, sound: bytes) -> None:
        await self.send("media", media={"payload": b64encode(sound).decode()})

    async def mark(self, name: str) -> None:
        await self.send("mark", mark={"name": name})


async def listen(peer: Peer) -> None:
    await peer.next("stop")


@dataclass
class Product:
    """Answers webhooks with `twiml`, checks every signature, and talks on streams as told."""

    talk: Callable[[Peer], Awaitable[None]]
    url: str = ""
    stream_url: str = ""
    token: str = ""
    twiml: str | None = None
    content_type: str = "text/xml"
    posts: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    """Notified of each webhook and each stream that has started."""

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/{path:path}")
        async def webhook(path: str, request: Request) -> Response:
            fields = parse_qs((await request.body()).decode(), keep_blank_values=True)
            self.posts.append((path, {name: values[0] for name, values in fields.items()}))
            flat = ImmutableMultiDict([(name, value) for name, values in fields.items() for value in values])
            # The query must come back as it was written: it is part of what is signed.
            url = f"{self.url}{urlsplit(str(request.url))._replace(scheme='', netloc='').geturl()}"
            if not RequestValidator(self.token).validate(url, flat, request.headers["x-twilio-signature"]):
                self.forged.append(path)
            await self.tell()
            answer = (self.streaming() if self.twiml is None else self.twiml) if path == "voice" else "<Response/>"
            return Response(answer, media_type=self.content_type)

        return app

    async def stream(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        signature = socket.request.headers["x-twilio-signature"]
        if not RequestValidator(self.token).validate(self.stream_url, {}, signature):
            self.forged.append("stream")
        peer = Peer(socket)
        await peer.next("start")
        self.peers.append(peer)
        await self.tell()
        await self.talk(peer)

    async def tell(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(seen)

    async def started(self) -> Peer:
        """Our end of the first stream, once its `start` has come."""
        await self.until(lambda: bool(self.peers))
        return self.peers[0]

    def streaming(self, then: str = "<Hangup/>") -> str:
        response, connect = VoiceResponse(), Connect()
        connect.stream(url=self.stream_url, name="talk").parameter(name="token", value="a&b")
        response.append(connect)
        return str(response).replace("</Response>", f"{then}</Response>")

    def posted(self, to: str) -> list[dict[str, str]]:
        return [fields for path, fields in self.posts if path == to]

    def statuses(self) -> list[str]:
        return [fields["CallStatus"] for fields in self.posted("status")]


class Aimed(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's client, aimed at the practice carrier."""

    def __init__(self, api_url: str) -> None:
        super().__init__(timeout=10)
        self._api_url = api_url

    async def request(self, method: str, url: str, *rest: Any, **more: Any) -> Any:
        there = urlsplit(url)
        return await super().request(method, f"{self._api_url}{there.path}?{there.query}", *rest, **more)


@dataclass
class World:
    carrier: Carrier
    product: Product
    twilio: Any
    dialled: list[DialledCall]

    async def dial(self, **more: Any) -> Any:
        order = {
            "to": CALLEE,
            "from_": self.carrier.account.number,
            "url": f"{self.product.url}/voice?call=a%20b&x=",
            "status_callback": f"{self.product.url}/status",
            "status_callback_event": ALL_EVENTS,
        }
        return await self.twilio.calls.create_async(**order | more)

    async def over(self) -> CallRecord:
        """The last call's record, once all calls have ended."""
        async with asyncio.timeout(PATIENCE):
            await self.carrier.idle()
        return list(self.carrier.calls.values())[-1]


@asynccontextmanager
async def world(
    far_end: FarEnd | Status, talk: Callable[[Peer], Awaitable[None]] = listen, speed: float = 1.0, **more: Any
) -> AsyncIterator[World]:
    """A carrier, a product and an SDK client; on leaving, every signature must have been genuine."""
    product, dialled = Product(talk), list[DialledCall]()

    def answer(call: DialledCall) -> FarEnd | Status:
        dialled.append(call)
        return far_end

    async with (
        serve(product.app()) as port,
        serve_sockets(product.stream, "127.0.0.1", 0, compression=None) as sockets,
        practice_carrier(answer, speed=speed, **more) as carrier,
        Aimed(carrier.account.api_url) as http,
    ):
        product.url = f"http://127.0.0.1:{port}"
        product.stream_url = f"ws://127.0.0.1:{next(iter(sockets.sockets)).getsockname()[1]}/media"
        product.token = carrier.account.token
        client = Client(carrier.account.sid, carrier.account.token, http_client=http)
        yield World(carrier, product, client, dialled)
    assert product.forged == []
