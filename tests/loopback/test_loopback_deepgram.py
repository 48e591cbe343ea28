"""The loopback Deepgram is honest: the vendor's own client understands it, and it refuses what the vendor refuses."""

from __future__ import annotations

import asyncio
import importlib
import json
import warnings
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from backend import audio
from backend.loopback.deepgram import Fault, LoopbackDeepgram
from backend.loopback.ear import Ear, Pace
from backend.loopback.told import KEPT, Lexicon

with warnings.catch_warnings():
    # The vendor's client still imports the old half of `websockets`, and only when it is first used.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("deepgram.listen.v1.client")
    importlib.import_module("deepgram.listen.v2.client")
    from deepgram import AsyncDeepgramClient
    from deepgram.core.api_error import ApiError
    from deepgram.environment import DeepgramClientEnvironment

FLUX = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": "8000"}
NOVA = {"model": "nova-3", "encoding": "mulaw", "sample_rate": "8000", "interim_results": "true", "endpointing": "300"}


def speech(seconds: float, seed: int = 1) -> bytes:
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * audio.RATE))
    return audio.encode(noise.astype(np.float32))


def silence(seconds: float) -> bytes:
    return audio.SILENCE * round(seconds * audio.RATE)


def official(server: LoopbackDeepgram, key: str | None = None) -> AsyncDeepgramClient:
    rest = server.url.replace("ws", "http", 1)
    environment = DeepgramClientEnvironment(base=rest, production=server.url, agent=server.url, agent_rest=rest)
    return AsyncDeepgramClient(api_key=key or server.key, environment=environment)


def raw(server: LoopbackDeepgram, path: str, query: dict[str, str], key: str | None = None) -> connect:
    headers = {"Authorization": f"Token {key or server.key}"}
    return connect(f"{server.url}{path}?{urlencode(query)}", additional_headers=headers, proxy=None, compression=None)


async def received(socket: ClientConnection) -> list[dict[str, Any]]:
    """All messages until the server closes."""
    return [json.loads(message) async for message in socket]


async def test_the_official_client_hears_a_turn_in_flux() -> None:
    async with (
        LoopbackDeepgram(["Yes, Thursday works."]) as server,
        official(server).listen.v2.connect(
            model="flux-general-en",
            encoding="mulaw",
            sample_rate=8000,
            eager_eot_threshold=0.5,
            eot_threshold=0.7,
            eot_timeout_ms=3000,
            keyterm=["Zoë & Sons"],
        ) as socket,
    ):
        await socket.send_media(speech(0.9) + silence(0.6))
        await socket.send_close_stream()
        messages = [message async for message in socket]
    kinds = [getattr(message, "event", message.type) for message in messages]
    assert [type(message).__name__ for message in messages[:2]] == ["ListenV2Connected", "ListenV2TurnInfo"]
    assert kinds[:2] == ["Connected", "StartOfTurn"]
    assert kinds[-2:] == ["EagerEndOfTurn", "EndOfTurn"]
    assert messages[-1].transcript == "Yes, Thursday works."
    assert messages[-1].trigger == "model"
    assert [message.sequence_id for message in messages] == list(range(len(messages)))
    assert server.connections[0].query["keyterm"] == ["Zoë & Sons"]


async def test_the_official_client_hears_an_utterance_in_v1() -> None:
    async with (
        LoopbackDeepgram(["Yes, Thursday works."]) as server,
        official(server).listen.v1.connect(
            model="nova-3",
            encoding="mulaw",
            sample_rate=8000,
            interim_results="true",
            endpointing="300",
            utterance_end_ms="1000",
            vad_events="true",
        ) as socket,
    ):
        await socket.send_media(speech(0.9) + silence(1.5))
        await socket.send_keep_alive()
        await socket.send_close_stream()
        messages = [message async for message in socket]
    names = [type(message).__name__ for message in messages]
    assert names[0] == "ListenV1SpeechStarted"
    assert names[-2:] == ["ListenV1UtteranceEnd", "ListenV1Metadata"]
    results = [message for message in messages if message.type == "Results"]
    assert [result.is_final for result in results[:2]] == [False, False]
    last = results[-1]
    assert last.is_final
    assert last.speech_final
    assert last.channel.alternatives[0].transcript == "Yes, Thursday works."
    assert [word.punctuated_word for word in last.channel.alternatives[0].words] == ["Yes,", "Thursday", "works."]


async def test_the_official_client_is_refused_with_a_wrong_key() -> None:
    async with LoopbackDeepgram() as server:
        with pytest.raises(ApiError) as refused:
            async with official(server, "wrong").listen.v2.connect(model="flux-general-en"):
                pass
    assert refused.value.status_code == 401


@pytest.mark.parametrize(
    ("path", "query", "reason"),
    [
        ("/v1/listen", {**NOVA, "interim_results": "false", "utterance_end_ms": "1000"}, "interim_results"),
        ("/v1/listen", {**NOVA, "utterance_end_ms": "999"}, "Invalid 'utterance_end_ms' value of '999'."),
        ("/v1/listen", {"model": "nova-3", "encoding": "mulaw"}, "sample_rate"),
        ("/v1/listen", {**NOVA, "model": "nova-2", "keyterm": "Zoë"}, "keyterm"),
        ("/v1/listen", {**NOVA, "keyterm": "word " * 101}, "Keyterm limit"),
        ("/v1/listen", {**NOVA, "eot_threshold": "0.7"}, "Unknown query parameter 'eot_threshold'."),
        ("/v1/listen", {**NOVA, "model": "nova-3-typo"}, "No such model."),
        ("/v2/listen", {**FLUX, "model": "flux-general-klingon"}, "No such model."),
        ("/v1/listen", FLUX, "/v2/listen"),
        ("/v2/listen", {**FLUX, "interim_results": "true"}, "interim_results"),
        ("/v2/listen", {**FLUX, "eot_threshold": "high"}, "eot_threshold"),
        ("/v2/listen", {**FLUX, "eager_eot_threshold": "0.8"}, "eager_eot_threshold"),
        ("/v2/listen", {**FLUX, "model": "nova-3"}, "Flux"),
        ("/v2/listen", {"model": "flux-general-en", "encoding": "mulaw"}, "sample_rate"),
    ],
)
async def test_a_bad_parameter_is_refused_with_its_reason(path: str, query: dict[str, str], reason: str) -> None:
    async with LoopbackDeepgram() as server:
        with pytest.raises(InvalidStatus) as refused:
            await raw(server, path, query)
    assert refused.value.response.status_code == 400
    assert reason in refused.value.response.headers["dg-error"]


async def test_a_wrong_key_is_refused_before_anything_else() -> None:
    async with LoopbackDeepgram() as server:
        with pytest.raises(InvalidStatus) as refused:
            await raw(server, "/v1/listen", {"encoding": "mulaw"}, key="wrong")
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["dg-error"] == "Invalid credentials."


async def test_an_unknown_path_is_not_found() -> None:
    async with LoopbackDeepgram() as server:
        with pytest.raises(InvalidStatus) as refused:
            await raw(server, "/v3/listen", FLUX)
    assert refused.value.response.status_code == 404


async def test_sound_of_zero_bytes_closes_the_stream() -> None:
    async with LoopbackDeepgram(["Never mind."]) as server, raw(server, "/v1/listen", NOVA) as socket:
        await socket.send(speech(0.2))
        await socket.send(b"")
        messages = await received(socket)
    assert socket.close_code == 1000
    assert [message["type"] for message in messages] == ["Results", "Metadata"]


@pytest.mark.parametrize(("path", "query"), [("/v1/listen", NOVA), ("/v2/listen", FLUX)])
async def test_a_socket_without_sound_is_closed(path: str, query: dict[str, str]) -> None:
    async with LoopbackDeepgram(pace=Pace(idle=0.05)) as server, raw(server, path, query) as socket:
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code == 1011
    assert (socket.close_reason or "").startswith("NET-0001")


async def test_keepalive_alone_does_not_keep_a_fresh_socket_open() -> None:
    async with LoopbackDeepgram(pace=Pace(idle=0.2)) as server, raw(server, "/v1/listen", NOVA) as socket:
        began = asyncio.get_running_loop().time()
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.send('{"type":"KeepAlive"}')
                await asyncio.sleep(0.02)
        lasted = asyncio.get_running_loop().time() - began
    assert 0.15 < lasted < 1
    assert {"type": "KeepAlive"} in server.connections[0].controls


async def test_keepalive_keeps_a_socket_open_that_had_sound() -> None:
    async with LoopbackDeepgram(pace=Pace(idle=0.3)) as server, raw(server, "/v1/listen", NOVA) as socket:
        await socket.send(silence(0.1))
        for _ in range(10):
            await asyncio.sleep(0.05)
            await socket.send('{"type":"KeepAlive"}')
        await socket.send('{"type":"CloseStream"}')
        assert [message["type"] for message in await received(socket)] == ["Metadata"]


async def test_flux_does_not_know_keepalive() -> None:
    async with LoopbackDeepgram() as server, raw(server, "/v2/listen", FLUX) as socket:
        await socket.send('{"type":"KeepAlive"}')
        assert [message["type"] for message in await received(socket)] == ["Connected", "Error"]


async def test_flux_ends_no_turn_while_no_sound_comes() -> None:
    async with LoopbackDeepgram(["Fine."]) as server, raw(server, "/v2/listen", FLUX) as socket:
        await socket.send(speech(0.6) + silence(0.2))
        events = []
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                while True:
                    events.append(json.loads(await socket.recv()).get("event"))
        assert "StartOfTurn" in events
        assert "EndOfTurn" not in events
        await socket.send(silence(0.1))
        assert json.loads(await socket.recv())["event"] == "EndOfTurn"


async def test_an_unfinished_sentence_ends_only_by_timeout() -> None:
    query = {**FLUX, "eot_timeout_ms": "1000"}
    async with LoopbackDeepgram(["The earliest is, um,"]) as server, raw(server, "/v2/listen", query) as socket:
        await socket.send(speech(0.6) + silence(1.2))
        await socket.send('{"type":"CloseStream"}')
        last = (await received(socket))[-1]
    assert (last["event"], last["trigger"], last["audio_window_end"]) == ("EndOfTurn", "timeout", pytest.approx(1.6))


async def test_a_turn_can_be_forced_to_end() -> None:
    async with LoopbackDeepgram(["One two three"]) as server, raw(server, "/v2/listen", FLUX) as socket:
        await socket.send(speech(0.3))
        await socket.send('{"type":"ForceEndTurn"}')
        await socket.send('{"type":"CloseStream"}')
        last = (await received(socket))[-1]
    assert (last["event"], last["trigger"], last["transcript"]) == ("EndOfTurn", "manual", "One two three")


async def test_finalize_makes_the_words_so_far_final() -> None:
    async with LoopbackDeepgram(["One two three"]) as server, raw(server, "/v1/listen", NOVA) as socket:
        await socket.send(speech(0.1))
        await socket.send('{"type":"Finalize"}')
        await socket.send('{"type":"CloseStream"}')
        first = (await received(socket))[0]
    assert (first["from_finalize"], first["channel"]["alternatives"][0]["transcript"]) == (True, "One two three")


async def test_a_text_that_is_no_command_is_answered_with_an_error() -> None:
    async with LoopbackDeepgram() as server, raw(server, "/v1/listen", NOVA) as socket:
        await socket.send("hello")
        await socket.send('{"type":"CloseStream"}')
        assert [message["type"] for message in await received(socket)] == ["Error", "Metadata"]


async def test_silence_gives_empty_finals() -> None:
    async with LoopbackDeepgram() as server, raw(server, "/v1/listen", NOVA) as socket:
        await socket.send(silence(6.1))
        await socket.send('{"type":"CloseStream"}')
        messages = await received(socket)
    assert [(message.get("is_final"), message.get("start")) for message in messages[:2]] == [
        (True, 0.0),
        (True, pytest.approx(3.0)),
    ]


async def test_a_connection_can_be_told_to_die() -> None:
    faults = [Fault(die=8000)]
    async with LoopbackDeepgram(faults=faults) as server, raw(server, "/v2/listen", FLUX) as socket:
        await socket.send(silence(3))
        with pytest.raises(ConnectionClosed) as closed:
            await received(socket)
        await server.all_closed()
        assert server.open_sockets == 0
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert server.connections[0].received == 8000


async def test_each_connection_may_have_its_own_script() -> None:
    async with LoopbackDeepgram(lambda number: [f"Call {number}."]) as server:
        for number in (1, 2):
            async with raw(server, "/v2/listen", FLUX) as socket:
                await socket.send(speech(0.6) + silence(0.5))
                await socket.send('{"type":"CloseStream"}')
                assert (await received(socket))[-1]["transcript"] == f"Call {number}."


def hear(ear: Ear, sound: bytes) -> list[str]:
    for place in range(0, len(sound), audio.FRAME):
        ear.hear(sound[place : place + audio.FRAME])
    return [word.text for word in ear.words]


def test_words_come_as_the_burst_goes_on() -> None:
    ear = Ear(["one two three four"], Pace(word=0.2, lag=0.1))
    assert hear(ear, speech(0.28)) == []
    assert hear(ear, speech(0.22, seed=2)) == ["one", "two"]
    assert hear(ear, silence(0.1)) == ["one", "two", "three", "four"]


def test_what_was_said_in_time_has_its_times() -> None:
    ear = Ear(["one two"], Pace(word=0.2, lag=0.1))
    hear(ear, silence(1) + speech(0.4) + silence(0.2))
    assert [word.start for word in ear.words] == pytest.approx([1.0, 1.2])
    assert [word.end for word in ear.words] == pytest.approx([1.2, 1.4])


def test_a_line_that_is_louder_than_the_script_is_long_says_nothing() -> None:
    assert hear(Ear([], Pace()), speech(1) + silence(1)) == []


@pytest.mark.parametrize(("again_from", "heard"), [(0.0, ["one", "two", "three"]), (0.3, ["two", "three"])])
def test_an_heir_hears_the_same_words_in_the_same_sound(again_from: float, heard: list[str]) -> None:
    sound = silence(0.5) + speech(0.9) + silence(0.3)
    first = Ear(["one two three", "four"], Pace())
    hear(first, sound[: audio.RATE])
    heir = Ear((), Pace(), first)
    assert hear(heir, sound[round((0.5 + again_from) * audio.RATE) :]) == heard
    assert hear(heir, speech(0.3, seed=2) + silence(0.3)) == [*heard, "four"]


# --- told what is said ------------------------------------------------------------------------------------------


def told(lexicon: Lexicon, words: list[str], seed: int) -> bytes:
    """Sound in which a word is over every 200 ms."""
    sound = speech(0.2 * len(words), seed)
    for place, at in enumerate(range(0, len(sound), audio.FRAME)):
        lexicon.tell(sound[at : at + audio.FRAME], words[place // 10] if place % 10 == 9 else "")
    return sound


async def flux_events(server: LoopbackDeepgram, sound: bytes) -> list[tuple[str, str, float]]:
    async with raw(server, "/v2/listen", FLUX | {"eager_eot_threshold": "0.5"}) as socket:
        await socket.send(sound)
        await socket.send(json.dumps({"type": "CloseStream"}))
        messages = await received(socket)
    return [
        (message["event"], message["transcript"], round(message["audio_window_end"], 2))
        for message in messages
        if message.get("event") not in (None, "Update")
    ]


async def test_a_told_ear_hears_only_the_words_it_is_told_and_when_they_are_said() -> None:
    lexicon = Lexicon()
    said = told(lexicon, ["Yes,", "please."], seed=3)
    async with LoopbackDeepgram(lexicon, pace=Pace(eager=0.16, end=0.26)) as server:
        events = await flux_events(server, speech(0.6, seed=9) + said + speech(0.6, seed=10))
    # Noise before and after is no speech; the first word is over at 0.8 s and known 0.12 s later.
    assert events == [
        ("StartOfTurn", "Yes,", 0.92),
        ("EagerEndOfTurn", "Yes, please.", 1.16),
        ("EndOfTurn", "Yes, please.", 1.26),
    ]


async def test_the_words_before_an_early_end_are_known_by_then_even_if_it_comes_before_the_lag() -> None:
    lexicon = Lexicon()
    said = told(lexicon, ["Yes,", "please."], seed=3)
    async with LoopbackDeepgram(lexicon, pace=Pace(lag=0.12, eager=0.08)) as server:
        events = await flux_events(server, said + silence(0.5))
    assert ("EagerEndOfTurn", "Yes, please.", 0.48) in events


async def test_a_hasty_recogniser_takes_a_pause_in_a_sentence_for_an_early_end_and_takes_it_back() -> None:
    lexicon = Lexicon()
    first, rest = told(lexicon, ["I", "would"], seed=3), told(lexicon, ["like", "that."], seed=4)
    async with LoopbackDeepgram(lexicon, pace=Pace(hasty=0.3)) as server:
        events = await flux_events(server, first + silence(0.6) + rest + silence(0.5))
    assert [event for event, _, _ in events] == [
        "StartOfTurn",
        "EagerEndOfTurn",
        "TurnResumed",
        "EagerEndOfTurn",
        "EndOfTurn",
    ]
    assert events[-1][1] == "I would like that."


def test_a_lexicon_forgets_what_was_said_long_ago() -> None:
    lexicon = Lexicon()
    for number in range(KEPT + 1):
        lexicon.tell(number.to_bytes(4), "word")
    assert lexicon.said((0).to_bytes(4)) is None
    assert lexicon.said((1).to_bytes(4)) == "word"


async def test_the_ends_of_turns_are_noted_with_their_words() -> None:
    async with LoopbackDeepgram(["Yes, Thursday works."]) as server:
        await flux_events(server, speech(0.9) + silence(0.6))
        assert [words for _, words in server.connections[0].ends] == ["Yes, Thursday works."]
