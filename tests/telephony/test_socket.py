"""The media stream's socket: quick for whole messages of text, and as right as the library's for everything else."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from backend.frames import binary_from_client, text_from_server
from backend.telephony.socket import DIRECT, MediaSocket

Heard = asyncio.Queue[Message]


class Application:
    """Accepts one socket and keeps what it says, as ASGI messages."""

    def __init__(self) -> None:
        self.heard: Heard = asyncio.Queue()
        self.socket: asyncio.Future[MediaSocket] = asyncio.get_running_loop().create_future()
        self.slow = asyncio.Event()
        self.slow.set()
        self.taken = asyncio.Event()
        """Unset while a test takes the messages itself, from the socket."""
        self.taken.set()
        self.over = False
        """Whether a test has taken the end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.socket.set_result(scope["extensions"][DIRECT]["socket"])
        await self.taken.wait()
        kind = "websocket.disconnect" if self.over else ""
        while kind != "websocket.disconnect":
            await self.slow.wait()
            message = await receive()
            self.heard.put_nowait(message)
            kind = message["type"]

    async def messages(self, count: int) -> list[object]:
        async with asyncio.timeout(5):
            heard = [await self.heard.get() for _ in range(count)]
        return [message.get("text", message.get("bytes", message.get("code"))) for message in heard]


@asynccontextmanager
async def line(largest: int = 1 << 20, poured: bool = False) -> AsyncIterator[tuple[Application, ClientConnection]]:
    app = Application()
    if poured:
        app.taken.clear()
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws=MediaSocket, ws_max_size=largest)
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        try:
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
            async with connect(url, proxy=None, compression=None, close_timeout=1) as client:
                yield app, client
        finally:
            await server.shutdown([listener])


async def test_text_of_every_length_is_heard_in_order() -> None:
    texts = ["", "a", "é" * 70, "b" * 125, "c" * 126, "d" * 65_535, "e" * 65_536, "f"]
    async with line() as (app, client):
        for text in texts:
            await client.send(text)
        assert await app.messages(len(texts)) == texts


async def test_fragments_binary_messages_and_pings_go_the_general_way() -> None:
    async with line() as (app, client):
        await client.send("before")
        await (await client.ping())
        await client.send(["in ", "three ", "pieces"])
        await client.send(b"\x00\xff")
        await client.send("after")
        assert await app.messages(4) == ["before", "in three pieces", b"\x00\xff", "after"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=200), min_size=1, max_size=5), st.integers(1, 40))
async def test_messages_are_whole_however_the_network_cuts_them(texts: list[str], step: int) -> None:
    ping = Frame(Opcode.PING, b"p").serialize(mask=True)
    data = b"".join(ping + Frame(Opcode.TEXT, text.encode()).serialize(mask=True) for text in texts)
    async with line() as (app, client):
        for place in range(0, len(data), step):
            client.transport.write(data[place : place + step])
            await asyncio.sleep(0)
        assert await app.messages(len(texts)) == texts


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True), 1007),
        (Frame(Opcode.TEXT, b"unmasked").serialize(mask=False), 1002),
        (b"\xc1\x81\x00\x00\x00\x00x", 1002),
    ],
    ids=["no text", "no mask", "reserved bits"],
)
async def test_what_breaks_the_rules_ends_the_connection(bad: bytes, code: int) -> None:
    async with line() as (_, client):
        client.transport.write(bad)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


async def test_a_message_beyond_the_limit_ends_the_connection() -> None:
    async with line(largest=1 << 17) as (_, client):
        await client.send("x" * 200_000)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_the_end_comes_after_the_last_message() -> None:
    async with line() as (app, client):
        await client.send("last words")
        await client.close()
        assert await app.messages(2) == ["last words", 1000]


async def test_reading_stops_while_the_application_takes_nothing_and_no_message_is_lost() -> None:
    async with line() as (app, client):
        app.slow.clear()
        texts = [f"{number}" for number in range(500)]
        for text in texts:
            await client.send(text)
        app.slow.set()
        assert await app.messages(500) == texts


class Glass:
    """Takes what is poured, until it is full."""

    def __init__(self, room: float = inf) -> None:
        self.taken: list[str | None] = []
        self.news = asyncio.Event()
        self._room = room

    def take(self, text: str | None) -> bool:
        self.taken.append(text)
        self.news.set()
        if text == "poison":
            raise ValueError("poison")
        return len(self.taken) < self._room and text is not None

    async def has(self, count: int) -> list[str | None]:
        async with asyncio.timeout(5):
            while len(self.taken) < count:
                self.news.clear()
                await self.news.wait()
        return self.taken


async def test_what_waits_and_what_comes_is_poured_in_order_by_whichever_way_it_came_and_then_the_end() -> None:
    glass = Glass()
    async with line(poured=True) as (app, client):
        socket = await app.socket
        before = [f"{number}" for number in range(200)]
        for text in before:
            await client.send(text)
        pouring = asyncio.create_task(socket.pour(glass.take))
        await glass.has(200)
        await client.send("é")
        await client.send(["in ", "pieces"])
        await client.send(b"\x00")
        await client.send("x" * 70_000)
        await client.send("last words")
        await client.close()
        await pouring
        app.over = True
        app.taken.set()
    assert glass.taken == [*before, "é", "in pieces", "", "x" * 70_000, "last words", None]


async def test_what_comes_after_the_last_one_that_is_wanted_waits_for_who_receives_it() -> None:
    glass = Glass(room=2)
    async with line(poured=True) as (app, client):
        for text in ("one", "two", "three", "four"):
            await client.send(text)
        await (await app.socket).pour(glass.take)
        app.taken.set()
        assert await app.messages(2) == ["three", "four"]
    assert glass.taken == ["one", "two"]


async def test_who_pours_learns_of_a_fault_in_what_takes_and_the_socket_lives_on() -> None:
    glass = Glass()
    async with line(poured=True) as (app, client):
        pouring = asyncio.create_task((await app.socket).pour(glass.take))
        for text in ("one", "poison", "three"):
            await client.send(text)
        with pytest.raises(ValueError, match="poison"):
            await pouring
        app.taken.set()
        assert await app.messages(1) == ["three"]


async def test_a_pouring_that_was_cancelled_takes_nothing_more() -> None:
    glass = Glass()
    async with line(poured=True) as (app, client):
        pouring = asyncio.create_task((await app.socket).pour(glass.take))
        await client.send("one")
        await glass.has(1)
        pouring.cancel()
        await asyncio.wait([pouring])
        await client.send("two")
        app.taken.set()
        assert await app.messages(1) == ["two"]
    assert glass.taken == ["one"]


async def test_what_is_written_directly_arrives_until_the_socket_closes() -> None:
    texts = ["short", "é" * 100, "x" * 70_000]
    async with line() as (app, client):
        socket = await app.socket
        assert [socket.write(text) for text in texts] == [True] * 3
        assert [await client.recv() for _ in texts] == texts
        await client.close()
        await app.messages(1)
        assert not socket.write("too late")


async def test_nothing_is_written_directly_while_the_peer_reads_nothing() -> None:
    async with line() as (app, client):
        socket = await app.socket
        client.transport.pause_reading()
        written = 0
        while socket.write("x" * 100_000) and written < 1000:
            written += 1
        assert written < 1000
        client.transport.abort()


# --- frames -----------------------------------------------------------------------------------------------------


SIZES = st.sampled_from([0, 1, 125, 126, 65_535, 65_536]).map(bytes)


@given(st.binary(max_size=300) | SIZES)
def test_frames_are_those_that_the_library_reads(payload: bytes) -> None:
    size = len(payload)
    assert text_from_server(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    sent = binary_from_client(payload)
    head = 2 if size < 126 else 4 if size < 65_536 else 10
    plain = Frame(Opcode.BINARY, payload).serialize(mask=False)
    mask, body = sent[head : head + 4], sent[head + 4 :]
    assert sent[:head] == bytes([plain[0], plain[1] | 0x80]) + plain[2:head]
    assert bytes(byte ^ mask[place % 4] for place, byte in enumerate(body)) == payload


async def test_a_framework_that_knows_no_extension_works_as_before() -> None:
    async with line() as (app, client):
        socket = await app.socket
        await socket.send({"type": "websocket.send", "text": json.dumps({"a": 1})})
        assert json.loads(await client.recv()) == {"a": 1}
