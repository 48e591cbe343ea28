"""The loopback ElevenLabs is honest: the vendor's own SDK can talk to it, and it refuses what the vendor refuses."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from math import inf
from typing import Any
from urllib.parse import urlencode

import pytest
from elevenlabs.client import ElevenLabs as Sdk
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import (
    AudioOutputMulti,
    CloseContext,
    FinalOutputMulti,
    InitializeConnectionMulti,
    SendTextMulti,
)
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from backend.loopback.elevenlabs import Complain, Die, LoopbackElevenLabs, Stall, sound_of
from backend.loopback.elevenlabs_speech import LETTER, Speech

MODEL = "eleven_flash_v2_5"


def quick(**options: Any) -> LoopbackElevenLabs:
    return LoopbackElevenLabs(**{"first_byte": 0, "speed": inf} | options)


def dial(
    server: LoopbackElevenLabs, endpoint: str = "multi", voice: str = "", key: str | None = "", **query: str
) -> connect:
    """A bare client; a query of "" leaves that parameter out."""
    asked = {"model_id": MODEL, "output_format": "ulaw_8000", "auto_mode": "true"} | query
    path = "multi-stream-input" if endpoint == "multi" else "stream-input"
    return connect(
        f"{server.url}/v1/text-to-speech/{voice or server.voice}/{path}?{urlencode(asked)}",
        additional_headers={} if key is None else {"xi-api-key": key or server.key},
        compression=None,
        proxy=None,
    )


async def send(socket: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message = json.loads(await socket.recv())
    assert isinstance(message, dict)
    return message


async def until_final(socket: ClientConnection) -> list[dict[str, Any]]:
    messages = [await receive(socket)]
    while not (messages[-1].get("isFinal") or messages[-1].get("is_final")):
        messages.append(await receive(socket))
    return messages


def sound_in(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(message["audio"] or "") for message in messages)


def clause(name: str, text: str) -> list[dict[str, Any]]:
    return [
        {"text": " ", "context_id": name},
        {"text": text, "context_id": name, "flush": True},
        {"context_id": name, "close_context": True},
    ]


async def refusal(socket: ClientConnection) -> str:
    """The name of the error that came, once the socket was closed with 1008 after it."""
    message = await receive(socket)
    assert message["message"] and message["code"] == 1008
    with pytest.raises(ConnectionClosedError):
        await receive(socket)
    assert socket.close_code == 1008
    return str(message["error"])


# --- against the official SDK -----------------------------------------------------------------------------------

sdk_is_behind = pytest.mark.filterwarnings("ignore:ConnectionClosed\\.:DeprecationWarning")
"""The SDK still reads attributes that websockets has deprecated."""


def sdk(server: LoopbackElevenLabs, key: str) -> Sdk:
    client = Sdk(api_key=key, base_url=server.url.replace("ws", "http", 1))
    # The SDK insists on TLS for websockets, whatever the base URL says.
    client.text_to_speech._ws_base_url = server.url
    return client


async def sdk_says(server: LoopbackElevenLabs, key: str, texts: list[str]) -> bytes:
    def run() -> bytes:
        given: Iterator[str] = iter(texts)
        speech = sdk(server, key).text_to_speech.convert_realtime(
            server.voice, text=given, model_id=MODEL, output_format="ulaw_8000"
        )
        return b"".join(speech)

    return await asyncio.to_thread(run)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@sdk_is_behind
async def test_the_official_sdk_hears_every_word_in_order() -> None:
    async with quick() as server:
        heard = await sdk_says(server, server.key, ["Good morning, this is", " Alex. ", "How are you today?"])
    assert heard == sound_of("Good morning, this is Alex. How are you today? ")
    assert server.spoken == len(heard)


@sdk_is_behind
async def test_the_official_sdk_reports_a_wrong_key() -> None:
    async with quick() as server:
        with pytest.raises(ApiError, match="Invalid API key"):
            await sdk_says(server, "wrong", ["Hello."])


async def test_messages_of_the_multi_endpoint_are_those_of_the_sdk() -> None:
    async with quick() as server, dial(server, sync_alignment="true") as socket:
        sent = clause("1", "Hello. ")
        await send(socket, *sent)
        *sounds, last = await until_final(socket)
    for message in sounds:
        piece = AudioOutputMulti.model_validate({key: message[key] for key in message if key != "isFinal"})
        assert piece.context_id == "1" and piece.alignment and piece.model_extra == {}
        assert piece.alignment.model_extra == {} and piece.alignment.chars
    assert FinalOutputMulti.model_validate(last).context_id == "1"
    models: tuple[type[BaseModel], ...] = (InitializeConnectionMulti, SendTextMulti, CloseContext)
    for model, given in zip(models, sent, strict=True):
        assert model.model_validate(given).model_extra == {}


# --- speech -----------------------------------------------------------------------------------------------------


def test_every_character_sounds_different_and_blanks_are_quieter() -> None:
    printable = [chr(code) for code in range(32, 127)]
    assert len({sound_of(char) for char in printable}) == len(printable)
    assert all(len(sound_of(char)) == LETTER for char in printable)


@pytest.mark.parametrize("chunks", [(1601, 799, 2403), (7,), (100_000,)])
async def test_sound_and_timings_add_up_whatever_the_chunks(chunks: tuple[int, ...]) -> None:
    async with quick(chunks=chunks) as server, dial(server) as socket:
        await send(socket, *clause("1", "Sure, Thursday. "))
        messages = await until_final(socket)
    assert sound_in(messages) == sound_of("Sure, Thursday. ")
    at, told = 0, []
    for message in messages[:-1]:
        timing = message["alignment"]
        told += [
            (char, round((at + start * 8) / LETTER, 1))
            for char, start in zip(timing["chars"], timing["charStartTimesMs"], strict=True)
        ]
        at += len(base64.b64decode(message["audio"]))
    assert told == [(char, place) for place, char in enumerate("Sure, Thursday. ")]


async def test_keys_can_be_spelt_in_snake_case() -> None:
    async with quick(snake=True) as server, dial(server) as socket:
        await send(socket, *clause("1", "Hi. "))
        first, *_, last = await until_final(socket)
    assert set(first) == {"audio", "is_final", "alignment", "normalized_alignment", "context_id"}
    assert set(first["alignment"]) == {"chars", "char_start_times_ms", "char_durations_ms"}
    assert last == {"audio": None, "is_final": True, "context_id": "1"}


async def test_sound_comes_after_the_first_byte_delay_and_at_the_speed_asked_for() -> None:
    clock = asyncio.get_running_loop()
    async with quick(first_byte=0.05, speed=20) as server, dial(server) as socket:
        begun = clock.time()
        await send(socket, *clause("1", "One two "))
        await receive(socket)
        first = clock.time() - begun
        await until_final(socket)
        everything = clock.time() - begun
    assert 0.05 <= first < everything
    assert everything >= 0.05 + 8 * 0.06 / 20


async def test_without_auto_mode_short_text_waits_for_a_flush() -> None:
    async with quick() as server, dial(server, auto_mode="false") as socket:
        await send(socket, {"text": " ", "context_id": "1"}, {"text": "Short. ", "context_id": "1"})
        await server.until(lambda: len(server.connections[0].messages) == 2)
        assert server.spoken == 0
        await send(socket, {"context_id": "1", "flush": True}, {"context_id": "1", "close_context": True})
        assert sound_in(await until_final(socket)) == sound_of("Short. ")


async def test_a_closed_context_is_still_voiced_to_its_end() -> None:
    async with quick() as server, dial(server) as socket:
        await send(socket, *clause("1", "Not so fast. "))
        assert sound_in(await until_final(socket)) == sound_of("Not so fast. ")


# --- rules of the two endpoints ---------------------------------------------------------------------------------


async def test_the_single_endpoint_wants_one_blank_first() -> None:
    async with quick() as server, dial(server, "single") as socket:
        await send(socket, {"text": "Hello. "})
        assert await refusal(socket) == "invalid_first_message"


async def test_empty_text_ends_the_single_endpoint_and_a_blank_does_not() -> None:
    async with quick() as server, dial(server, "single") as socket:
        await send(socket, {"text": " "}, {"text": "Hello. "}, {"text": " "}, {"text": "Bye. "}, {"text": ""})
        messages = await until_final(socket)
        with pytest.raises(ConnectionClosedOK):
            await receive(socket)
    assert sound_in(messages) == sound_of("Hello. Bye. ")
    assert "contextId" not in messages[0]


async def test_empty_text_keeps_the_multi_endpoint_open() -> None:
    async with quick() as server, dial(server) as socket:
        await send(socket, {"text": ""}, {"text": " ", "context_id": "1"}, {"text": "", "context_id": "1"})
        await send(socket, *clause("2", "Hello. "))
        assert sound_in(await until_final(socket)) == sound_of("Hello. ")


async def test_closing_the_socket_finishes_every_context_first() -> None:
    async with quick() as server, dial(server) as socket:
        await send(socket, {"text": "One. ", "context_id": "1"}, {"text": "Two. ", "context_id": "2"})
        await send(socket, {"close_socket": True})
        messages = [*await until_final(socket), *await until_final(socket)]
        with pytest.raises(ConnectionClosedOK):
            await receive(socket)
    for name, text in {"1": "One. ", "2": "Two. "}.items():
        assert sound_in([message for message in messages if message["contextId"] == name]) == sound_of(text)


async def test_a_sixth_live_context_closes_the_socket() -> None:
    async with quick() as server, dial(server) as socket:
        await send(socket, *({"text": " ", "context_id": str(number)} for number in range(6)))
        assert await refusal(socket) == "max_active_conversations"
    assert server.connections[0].most_contexts == 5


@pytest.mark.parametrize("first", [{}, {"voice_settings": {"stability": 0.5}}])
async def test_voice_settings_may_not_change_later(first: dict[str, Any]) -> None:
    async with quick() as server, dial(server) as socket:
        await send(socket, {"text": " ", "context_id": "1"} | first)
        await send(socket, {"text": " ", "context_id": "2", "voice_settings": {"stability": 0.7}})
        assert await refusal(socket) == "policy_violation"


async def test_a_silent_client_is_closed_and_a_keepalive_prevents_it() -> None:
    async with quick(second=0.3) as server, dial(server, inactivity_timeout="1") as socket:
        for _ in range(4):
            await asyncio.sleep(0.1)
            await send(socket, {"text": ""})
        assert await refusal(socket) == "input_timeout_exceeded"
    assert len(server.connections[0].messages) == 4


async def test_a_context_left_alone_gets_its_final_message_after_the_timeout() -> None:
    async with quick(second=0.3) as server, dial(server, inactivity_timeout="1") as socket:
        await send(socket, {"text": " ", "context_id": "1"}, {"text": "Hello. ", "context_id": "1"})
        keeping = asyncio.create_task(keep_alive(socket))
        assert sound_in(await until_final(socket)) == sound_of("Hello. ")
        keeping.cancel()
        await asyncio.wait([keeping])


async def keep_alive(socket: ClientConnection) -> None:
    while True:
        await send(socket, {"text": ""})
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"key": "wrong"}, "invalid_api_key"),
        ({"voice": "nobody"}, "voice_not_found"),
        ({"model_id": "eleven_v3"}, "model_not_found"),
        ({"model_id": "eleven_flash_v2", "language_code": "de"}, "unsupported_language"),
        ({"output_format": "mp3_44100_128"}, "output_format_not_allowed"),
        ({"inactivity_timeout": "181"}, "invalid_inactivity_timeout"),
    ],
)
@pytest.mark.parametrize("endpoint", ["single", "multi"])
async def test_what_the_vendor_does_not_have_is_refused_after_the_upgrade(
    endpoint: str, asked: dict[str, str], error: str
) -> None:
    async with quick() as server, dial(server, endpoint, **asked) as socket:
        assert await refusal(socket) == error


async def test_the_key_may_come_with_the_first_message_but_must_come() -> None:
    async with quick() as server:
        async with dial(server, key=None) as socket:
            await send(socket, {"text": " ", "context_id": "1", "xi_api_key": server.key})
            await send(socket, *clause("1", "Hello. ")[1:])
            assert sound_in(await until_final(socket)) == sound_of("Hello. ")
        async with dial(server, key=None) as socket:
            await send(socket, {"text": " ", "context_id": "1"})
            assert await refusal(socket) == "invalid_api_key"


async def test_what_is_no_json_object_is_refused() -> None:
    async with quick() as server, dial(server) as socket:
        await socket.send("hello")
        assert await refusal(socket) == "invalid_input_message"


async def test_any_other_address_is_not_found() -> None:
    async with quick() as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.url}/v1/speech-to-text", proxy=None)
    assert refused.value.response.status_code == 404


# --- faults -----------------------------------------------------------------------------------------------------


async def test_a_connection_dies_after_so_many_bytes_and_the_next_one_lives() -> None:
    async with quick(faults=[Die(after=1000)]) as server:
        messages = []
        async with dial(server) as socket:
            await send(socket, *clause("1", "Hello. "))
            with pytest.raises(ConnectionClosed):
                while True:
                    messages.append(await receive(socket))
        assert sound_in(messages) == sound_of("Hello. ")[:1000]
        async with dial(server) as socket:
            await send(socket, *clause("1", "Hello. "))
            assert sound_in(await until_final(socket)) == sound_of("Hello. ")


async def test_a_stalled_connection_stays_open_without_sound() -> None:
    async with quick(faults=[Stall(after=500)]) as server, dial(server) as socket:
        await send(socket, *clause("1", "Hello. "))
        assert sound_in([await receive(socket)]) == sound_of("Hello. ")[:500]
        await (await socket.ping())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await socket.recv()


async def test_an_error_can_be_asked_for() -> None:
    async with quick(faults=[Complain("quota_exceeded")]) as server, dial(server) as socket:
        await send(socket, *clause("1", "Hello. "))
        assert await refusal(socket) == "quota_exceeded"


async def test_leaving_closes_what_is_still_connected() -> None:
    async with quick(speed=1) as server:
        socket = await dial(server)
        await send(socket, *clause("1", "A sentence that takes some time to say. "))
        await server.until(lambda: server.spoken > 0)
        assert server.open_sockets == 1
    assert server.open_sockets == 0
    await socket.wait_closed()


async def test_another_reader_may_lend_its_voice_and_its_timings_are_told() -> None:
    async def read(text: str) -> Speech:
        return Speech(text, bytes(range(256)) * 10, (800, 1600))

    async with quick(read=read, chunks=[1000]) as server, dial(server) as socket:
        await send(socket, {"text": " ", "context_id": "a"}, {"text": "hi", "context_id": "a", "flush": True})
        await send(socket, {"context_id": "a", "close_context": True})
        messages = await until_final(socket)
    timings = [message["alignment"] for message in messages if message.get("alignment")]
    # Each is timed from the beginning of its own piece: the second character begins 600 bytes into the second.
    assert [(timing["chars"], timing["charStartTimesMs"]) for timing in timings] == [
        (["h"], [100]),
        (["i"], [75]),
        ([], []),
    ]
    assert sound_in(messages) == bytes(range(256)) * 10
    assert server.voiced[0].speech.starts == (800, 1600)


async def test_a_context_is_closed_once() -> None:
    async with quick() as server, dial(server) as socket:
        await send(socket, {"text": " ", "context_id": "1"}, {"text": "Hi. ", "context_id": "1", "flush": True})
        await send(socket, *[{"context_id": "1", "close_context": True}] * 2)
        assert await refusal(socket) == "context_not_found"
