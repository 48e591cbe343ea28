"""The media stream: its messages, and the line over a real server with a WebSocket client in Twilio's place."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backend.models import Digit, Ended, LineEvent, Mark, ProviderError, Sound
from backend.seams import Line
from backend.telephony import stream
from backend.telephony.socket import MediaSocket
from backend.telephony.stream import MediaStream, Start, opened, parse
from backend.telephony.twiml import NOBODY_THERE

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
FRAME = bytes(range(160))


def start(**parameters: str) -> str:
    inner = {"streamSid": "MZ1", "accountSid": "AC1", "callSid": "CA1", "tracks": ["inbound"]}
    media = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    return json.dumps(
        {"event": "start", "streamSid": "MZ1", "start": {**inner, "mediaFormat": media, "customParameters": parameters}}
    )


def sound(mulaw: bytes = FRAME, **media: str) -> str:
    payload = base64.b64encode(mulaw).decode()
    return json.dumps({"event": "media", "streamSid": "MZ1", "media": {"track": "inbound", "payload": payload} | media})


STOP = '{"event":"stop","sequenceNumber":"9","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}'
MARK = '{"event":"mark","sequenceNumber":"6","streamSid":"MZ1","mark":{"name":"turn-3-end"}}'
DIGIT = '{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"#"}}'

JUNK = [
    "",
    "not json",
    "null",
    "7",
    "[]",
    "{}",
    '"media"',
    CONNECTED,
    '{"event":7}',
    '{"event":["media"]}',
    '{"event":"hold"}',
    '{"event":"media"}',
    '{"event":"media","media":null}',
    '{"event":"media","media":"x"}',
    '{"event":"media","media":{"track":"inbound"}}',
    '{"event":"media","media":{"track":"inbound","payload":7}}',
    '{"event":"media","media":{"track":"inbound","payload":"?"}}',
    '{"event":"media","media":{"track":"inbound","payload":"/////"}}',
    '{"event":"media","media":{"track":"inbound","payload":"é"}}',
    sound(b""),
    sound(track="outbound"),
    sound(bytes(60_000)),
    '{"event":"mark","mark":{}}',
    '{"event":"mark","mark":{"name":7}}',
    '{"event":"dtmf","dtmf":{"digit":"12"}}',
    '{"event":"dtmf","dtmf":{"digit":5}}',
    '{"event":"dtmf","dtmf":{"digit":""}}',
    '{"event":"start"}',
    '{"event":"start","start":{}}',
    '{"event":"start","start":{"streamSid":"MZ1"}}',
    '{"event":"start","start":{"streamSid":"MZ1","callSid":"../Accounts"}}',
    "[" * 50_000,
    "9" * 60_000,
]


# --- the messages --------------------------------------------------------------------------------------------


def test_every_message_of_twilio_is_understood() -> None:
    assert parse(start(token="t0ken")) == Start("MZ1", "CA1", {"token": "t0ken"})
    assert parse(sound()) == Sound(FRAME)
    assert parse(MARK) == Mark("turn-3-end")
    assert parse(DIGIT) == Digit("#")
    assert parse(STOP) == Ended("They hung up.")


@given(st.binary(min_size=1, max_size=400), st.integers(1, 9999))
def test_the_short_way_hears_what_json_says(mulaw: bytes, number: int) -> None:
    payload = base64.b64encode(mulaw).decode()
    text = (
        f'{{"event":"media","sequenceNumber":"{number}","streamSid":"MZ1","media":{{"track":"inbound",'
        f'"chunk":"{number}","timestamp":"{number}","payload":"{payload}"}}}}'
    )
    assert parse(text) == stream._heard(text) == Sound(mulaw)
    # The same in another order goes the long way.
    assert parse(json.dumps(dict(reversed(json.loads(text).items())))) == Sound(mulaw)


def test_a_message_that_only_quotes_a_sound_is_none() -> None:
    quoted = json.dumps({"event": "mark", "mark": {"name": sound()}})
    assert stream._heard(quoted) is None
    assert parse(quoted) == Mark(sound())


def test_a_start_may_come_without_parameters() -> None:
    bare = '{"event":"start","start":{"streamSid":"MZ1","callSid":"CA1"}}'
    assert parse(bare) == Start("MZ1", "CA1", {})
    assert parse(bare.replace('"CA1"', '"CA1","customParameters":null')) == Start("MZ1", "CA1", {})


def test_sound_of_any_length_is_taken() -> None:
    assert parse(sound(b"\xff")) == Sound(b"\xff")
    assert parse(sound(b"\xff" * 8000)) == Sound(b"\xff" * 8000)


@pytest.mark.parametrize("text", JUNK)
def test_junk_says_nothing(text: str) -> None:
    assert parse(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["start", "media", "mark", "dtmf", "stop"]), JSON, JSON)
def test_no_message_however_odd_raises(event: str, body: object, field: object) -> None:
    for inner in (body, {"track": "inbound", "payload": field, "name": field, "digit": field, "streamSid": field}):
        parse(json.dumps({"event": event, event: inner}))


def test_what_is_sent_is_what_twilio_documents() -> None:
    assert json.loads(stream.media("MZ1", FRAME)) == {
        "event": "media",
        "streamSid": "MZ1",
        "media": {"payload": base64.b64encode(FRAME).decode()},
    }
    assert json.loads(stream.marked("MZ1", 'a "name"')) == {
        "event": "mark",
        "streamSid": "MZ1",
        "mark": {"name": 'a "name"'},
    }
    assert json.loads(stream.clear("MZ1")) == {"event": "clear", "streamSid": "MZ1"}


# --- the line ------------------------------------------------------------------------------------------------

Talk = Callable[[WebSocket], Awaitable[None]]


@asynccontextmanager
async def phone(talk: Talk) -> AsyncIterator[ClientConnection]:
    """A server that runs `talk` on each socket, and Twilio's end of one such socket."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await talk(websocket)

    app = Starlette(routes=[WebSocketRoute("/media", endpoint)])
    config = uvicorn.Config(app, log_config=None, ws=MediaSocket, lifespan="off", timeout_graceful_shutdown=1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        try:
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}/media"
            async with connect(url, proxy=None, compression=None, close_timeout=1) as twilio:
                yield twilio
        finally:
            await server.shutdown([listener])


class Desk:
    """Our end of one socket: the line, what it brought, and how often the call was ended by REST."""

    def __init__(self, rest: Callable[[str], Awaitable[None]] | None = None) -> None:
        self.line: asyncio.Future[MediaStream] = asyncio.get_running_loop().create_future()
        self.events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self.over = asyncio.Event()
        self.farewells: list[str] = []
        self.transfers = 0
        self._rest = rest

    async def __call__(self, websocket: WebSocket) -> None:
        begun = await opened(websocket)
        assert begun is not None
        line = MediaStream(websocket, begun, self._end_call, self._transfer_call)
        self.line.set_result(line)
        await line.pour(self.events.put_nowait)
        self.over.set()

    async def _end_call(self, farewell: str) -> None:
        self.farewells.append(farewell)
        if self._rest is not None:
            await self._rest(farewell)

    async def _transfer_call(self) -> None:
        self.transfers += 1
        if self._rest is not None:
            await self._rest("")

    async def all_events(self) -> list[LineEvent]:
        async with asyncio.timeout(5):
            await self.over.wait()
        return [self.events.get_nowait() for _ in range(self.events.qsize())]


async def test_a_call_brings_its_sound_marks_and_digits_and_then_its_end() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        for message in (CONNECTED, start(token="t"), sound(), MARK, DIGIT, STOP):
            await twilio.send(message)
        assert await desk.all_events() == [
            Sound(FRAME),
            Mark("turn-3-end"),
            Digit("#"),
            Ended("They hung up."),
        ]


async def test_the_line_is_the_seam_that_calls_use() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        line: Line = await desk.line
        await line.play(FRAME, "m")
        await line.clear()
        assert [await twilio.recv() for _ in range(3)] == [
            stream.media("MZ1", FRAME),
            stream.marked("MZ1", "m"),
            stream.clear("MZ1"),
        ]


async def test_nothing_is_sent_for_no_sound() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        await (await desk.line).play(b"")
        await (await desk.line).clear()
        assert await twilio.recv() == stream.clear("MZ1")


async def test_junk_binary_frames_and_a_second_start_change_nothing() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        junk_frames: list[str | bytes] = [b"\x00\xff", *JUNK, start(token="another")]
        for junk in junk_frames:
            await twilio.send(junk)
        await twilio.send(sound())
        await twilio.send(STOP)
        assert await desk.all_events() == [Sound(FRAME), Ended("They hung up.")]


async def test_an_abrupt_loss_of_the_socket_is_one_end() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        await desk.line
        twilio.transport.abort()
        assert await desk.all_events() == [Ended("The connection to the carrier was lost.", lost=True)]


async def test_a_closed_socket_without_a_stop_is_one_end() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        await twilio.send(sound())
        await twilio.close()
        assert await desk.all_events() == [Sound(FRAME), Ended("The connection to the carrier was lost.", lost=True)]


async def test_a_stop_followed_by_more_is_still_one_end() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        for message in (start(), STOP, STOP, sound()):
            await twilio.send(message)
        assert await desk.all_events() == [Ended("They hung up.")]


async def test_a_carrier_that_falls_silent_ends_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_SILENCE", 0.05)
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        assert await desk.all_events() == [Ended("The carrier sent nothing for 0.05 seconds.", lost=True)]


async def test_sending_into_a_lost_line_raises_nothing() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        line = await desk.line
        twilio.transport.abort()
        for _ in range(50):
            await line.play(FRAME, "m")
            await line.clear()
        assert len(await desk.all_events()) == 1
        await line.play(FRAME)
        await line.hang_up()
    assert desk.farewells == [""]


async def test_a_carrier_that_stops_reading_ends_the_line_but_not_the_speaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_WRITE", 0.05)
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        line = await desk.line
        twilio.transport.pause_reading()
        for _ in range(300):  # far more than the sockets' buffers hold; once the line is given up, nothing waits
            await line.play(b"\xff" * 100_000)
        await twilio.send(sound())
        assert await desk.all_events() == [Ended("The connection to the carrier was lost.", lost=True)]
        twilio.transport.abort()


async def test_messages_of_several_tasks_leave_in_the_order_of_the_calls() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        line = await desk.line
        names = [f"m{number}" for number in range(200)]
        sent = [asyncio.create_task(line.play(b"", name)) for name in names]
        received = [json.loads(await twilio.recv())["mark"]["name"] for _ in names]
        await asyncio.gather(*sent)
        assert received == names


async def test_nothing_overtakes_what_waits_for_room_in_the_socket() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        line = await desk.line
        twilio.transport.pause_reading()
        names, begun = [f"m{number}" for number in range(60)], list[str]()

        async def fill() -> None:
            for name in names:
                begun.append(name)
                await line.play(b"\xff" * 100_000, name)

        filling = asyncio.create_task(fill())
        while not line._waiting:
            await asyncio.sleep(0)
        clearing = asyncio.create_task(line.clear())
        await asyncio.sleep(0)
        before = len(begun)
        twilio.transport.resume_reading()
        received: list[str] = []
        while len(received) <= len(names):
            message = json.loads(await twilio.recv())
            if message["event"] != "media":
                received.append(message.get("mark", {}).get("name", "clear"))
        await asyncio.gather(filling, clearing)
        assert received == [*names[:before], "clear", *names[before:]]


async def test_hanging_up_ends_the_call_once_and_then_closes_the_socket() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        line = await desk.line
        await asyncio.gather(line.hang_up("Goodbye."), line.hang_up("Bye."))
        await line.hang_up()
        with pytest.raises(ConnectionClosed):
            await twilio.recv()
        assert await desk.all_events() == [Ended("The call was hung up from here.")]
        assert desk.farewells == ["Goodbye."]
        await line.play(FRAME)


async def test_the_stop_that_follows_our_own_hang_up_does_not_blame_the_callee() -> None:
    async def rest(farewell: str) -> None:
        await twilio.send(STOP)
        await desk.over.wait()

    desk = Desk(rest)
    async with phone(desk) as twilio:
        await twilio.send(start())
        await (await desk.line).hang_up()
        assert await desk.all_events() == [Ended("The call was hung up from here.")]


@pytest.mark.parametrize("error", [ProviderError("Twilio did not hang up"), RuntimeError("a bug")])
async def test_a_failed_hang_up_is_logged_and_the_socket_closed_all_the_same(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def rest(farewell: str) -> None:
        raise error

    desk = Desk(rest)
    async with phone(desk) as twilio:
        await twilio.send(start())
        await (await desk.line).hang_up()
        with pytest.raises(ConnectionClosed):
            await twilio.recv()
        await desk.all_events()
    assert str(error) in caplog.text
    assert "closing the stream must end the call" in caplog.text


async def test_a_hang_up_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def rest(farewell: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(stream, "_END_CALL", 0.05)
    desk = Desk(rest)
    async with phone(desk) as twilio:
        await twilio.send(start())
        await (await desk.line).hang_up()
        with pytest.raises(ConnectionClosed):
            await twilio.recv()
        await desk.all_events()


async def test_a_call_is_handed_over_once_and_not_hung_up_after_that() -> None:
    desk = Desk()
    async with phone(desk) as twilio:
        await twilio.send(start())
        line = await desk.line
        await line.transfer()
        await line.transfer()
        await line.hang_up("Sorry.")
        with pytest.raises(ConnectionClosed):
            await twilio.recv()
        await desk.all_events()
    assert (desk.transfers, desk.farewells) == (1, [])


async def test_a_handing_over_that_fails_says_goodbye_instead(caplog: pytest.LogCaptureFixture) -> None:
    async def rest(farewell: str) -> None:
        if not farewell:
            raise ProviderError("Twilio is gone.")

    desk = Desk(rest)
    async with phone(desk) as twilio:
        await twilio.send(start())
        await (await desk.line).transfer()
        with pytest.raises(ConnectionClosed):
            await twilio.recv()
        await desk.all_events()
    assert desk.farewells == [NOBODY_THERE]
    assert "Handing over failed: Twilio is gone." in caplog.text


async def test_a_cancelled_hang_up_still_closes_the_socket() -> None:
    reached = asyncio.Event()

    async def rest(farewell: str) -> None:
        reached.set()
        await asyncio.Event().wait()

    desk = Desk(rest)
    async with phone(desk) as twilio:
        await twilio.send(start())
        leaving = asyncio.create_task((await desk.line).hang_up())
        await reached.wait()
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
        assert leaving.cancelled()
        with pytest.raises(ConnectionClosed):
            await twilio.recv()
        await desk.all_events()


async def began(within: float, *messages: str | bytes, close: bool = False) -> Start | None:
    result: asyncio.Future[Start | None] = asyncio.get_running_loop().create_future()

    async def talk(websocket: WebSocket) -> None:
        result.set_result(await opened(websocket, within))

    async with phone(talk) as twilio:
        for message in messages:
            await twilio.send(message)
        if close:
            await twilio.close()
        return await result


async def test_a_stream_is_opened_by_its_start_whatever_comes_before() -> None:
    assert await began(5, CONNECTED, start(token="t")) == Start("MZ1", "CA1", {"token": "t"})
    assert await began(5, b"\x00", "junk", sound(), start()) == Start("MZ1", "CA1", {})


async def test_a_stream_without_a_start_is_not_waited_for() -> None:
    assert await began(0.05, CONNECTED, sound(), STOP) is None
    assert await began(5, CONNECTED, close=True) is None
