"""The ElevenLabs voice against a loopback vendor: all the sound, all the characters, and every way it can fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import repeat
from math import inf
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from backend.loopback.elevenlabs import Complain, Die, LoopbackElevenLabs, Stall, sound_of
from backend.models import Denied, ProviderError, Spoken, Trouble, Voiced
from backend.seams import TextToSpeech
from backend.tts import elevenlabs_wire as wire
from backend.tts.elevenlabs import ElevenLabs, Patience, check

MODEL = "eleven_flash_v2_5"
TEXT = "Could you come on Thursday, the ninth?"
HASTE = Patience(opening=2, first_sound=2, stall=2, pauses=(0, 0.01))
IMPATIENCE = Patience(opening=2, first_sound=0.25, stall=0.25, pauses=(0, 0.01))


def quick(**options: Any) -> LoopbackElevenLabs:
    """No waiting, and message sizes that fit neither frames nor characters, but whole milliseconds."""
    ours: dict[str, Any] = {"first_byte": 0, "speed": inf, "chunks": (1608, 808, 2424)}
    return LoopbackElevenLabs(**ours | options)


def voice(server: LoopbackElevenLabs, patience: Patience = HASTE, **other: str) -> ElevenLabs:
    asked = {"key": server.key, "voice": server.voice, "model": MODEL} | other
    return ElevenLabs(server.url, asked["key"], asked["voice"], asked["model"], patience)


@asynccontextmanager
async def a_call(patience: Patience = HASTE, **options: Any) -> AsyncIterator[tuple[LoopbackElevenLabs, ElevenLabs]]:
    async with quick(**options) as server, voice(server, patience) as tts:
        yield server, tts


async def collect(pieces: AsyncIterator[Voiced], into: list[Voiced]) -> None:
    """Keep what came before an error, too."""
    async for piece in pieces:
        into += [piece]


async def said(tts: TextToSpeech, text: str) -> list[Voiced]:
    return [piece async for piece in tts.say(text)]


def spoken(pieces: list[Voiced]) -> list[Spoken]:
    return [piece for piece in pieces if isinstance(piece, Spoken)]


def troubles(pieces: list[Voiced]) -> list[Trouble]:
    return [piece for piece in pieces if isinstance(piece, Trouble)]


def sound(pieces: list[Voiced]) -> bytes:
    return b"".join(piece.sound for piece in spoken(pieces))


def characters(pieces: list[Voiced]) -> str:
    return "".join(piece.text for piece in spoken(pieces))


def sent(server: LoopbackElevenLabs, connection: int = 0) -> list[str]:
    """The texts a connection was asked to voice."""
    return [text for message in server.connections[connection].messages if (text := message.get("text", "").strip())]


def url_of(server: Server | asyncio.Server) -> str:
    return f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


# --- a clause ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snake", [False, True])
@pytest.mark.parametrize("chunks", [(1601, 799, 2403), (37,), (100_000,)])
async def test_all_the_sound_of_a_clause_comes_in_order(chunks: tuple[int, ...], snake: bool) -> None:
    async with a_call(chunks=chunks, snake=snake) as (_, tts):
        pieces = await said(tts, TEXT)
    assert sound(pieces) == sound_of(TEXT + " ")
    assert characters(pieces) == TEXT
    assert not troubles(pieces)


@pytest.mark.parametrize("chunks", [(1601, 799, 2403), (37,), (100_000,)])
async def test_every_character_is_timed_where_its_sound_begins(chunks: tuple[int, ...]) -> None:
    async with a_call(chunks=chunks) as (_, tts):
        pieces = spoken(await said(tts, TEXT))
    begins, at = [], 0
    for piece in pieces:
        assert len(piece.text) == len(piece.starts)
        begins += [at / 8 + start for start in piece.starts]
        at += len(piece.sound)
    assert begins == pytest.approx([60 * place for place in range(len(TEXT))], abs=1)


async def test_after_the_first_sound_pieces_end_with_whole_words() -> None:
    async with a_call(chunks=(1000, 200)) as (_, tts):
        pieces = spoken(await said(tts, TEXT))
    told = [piece.text for piece in pieces if piece.text]
    assert told == ["Co", "uld ", "you ", "come ", "on ", "Thursday, ", "the ", "ninth?"]


@pytest.mark.parametrize("text", ["  Hello.  ", " Two  blanks", "Line\nbreak"])
async def test_blanks_come_back_as_they_were_given(text: str) -> None:
    async with a_call() as (_, tts):
        assert characters(await said(tts, text)) == text


async def test_a_blank_clause_asks_for_nothing() -> None:
    async with a_call() as (server, tts):
        assert sound(await said(tts, "  ")) == b""
        await said(tts, "Hello.")
    assert sent(server) == ["Hello."]


async def test_clauses_share_one_socket_and_have_a_context_each() -> None:
    async with a_call() as (server, tts):
        first, second = await said(tts, "One moment."), await said(tts, "Here it is.")
    assert (sound(first), sound(second)) == (sound_of("One moment. "), sound_of("Here it is. "))
    [connection] = server.connections
    assert {message["context_id"] for message in connection.messages} == {"1", "2"}
    assert connection.query == {
        "model_id": MODEL,
        "output_format": "ulaw_8000",
        "auto_mode": "true",
        "sync_alignment": "true",
        "inactivity_timeout": "180",
    }
    assert connection.headers["xi-api-key"] == server.key


async def test_clauses_at_the_same_time_do_not_mix() -> None:
    texts = [f"This is sentence number {number}." for number in range(12)]
    async with a_call(speed=200) as (server, tts):
        heard = await asyncio.gather(*(said(tts, text) for text in texts))
    assert [sound(pieces) for pieces in heard] == [sound_of(text + " ") for text in texts]
    assert server.connections[0].most_contexts == wire.CONTEXTS


async def test_a_clause_nobody_takes_does_not_hold_up_another() -> None:
    async with a_call(chunks=(160,)) as (_, tts), aclosing(tts.say(TEXT * 5)) as waiting:
        beginning = await anext(waiting)
        assert sound(await said(tts, TEXT)) == sound_of(TEXT + " ")
        rest = [piece async for piece in waiting]
    assert sound([beginning, *rest]) == sound_of(TEXT * 5 + " ")


# --- interruption -----------------------------------------------------------------------------------------------


async def test_an_interruption_closes_the_context_and_leaks_no_sound() -> None:
    async with a_call(speed=20) as (server, tts):
        async with aclosing(tts.say(TEXT)) as pieces:
            await anext(pieces)
        assert sound(await said(tts, "Sorry, go on.")) == sound_of("Sorry, go on. ")
        [connection] = server.connections
    closings = [message["context_id"] for message in connection.messages if message.get("close_context")]
    assert closings == ["1", "2"]


async def test_a_cancelled_clause_leaves_the_socket_to_the_next_one() -> None:
    async with a_call(speed=20) as (server, tts):
        speaking = asyncio.create_task(said(tts, TEXT))
        await server.until(lambda: server.spoken > 0)
        speaking.cancel()
        await asyncio.wait([speaking])
        assert speaking.cancelled()
        assert characters(await said(tts, "Sorry, go on.")) == "Sorry, go on."
    assert len(server.connections) == 1


async def test_never_more_than_five_contexts_live_even_when_interrupting_again_and_again() -> None:
    async with a_call(speed=100) as (server, tts):
        for number in range(12):
            async with aclosing(tts.say(f"Attempt number {number}, and so on.")) as pieces:
                await anext(pieces)
    [connection] = server.connections
    assert connection.most_contexts <= wire.CONTEXTS


async def test_a_vendor_that_never_finishes_contexts_is_given_a_new_socket() -> None:
    async def never_final(socket: ServerConnection) -> None:
        async for raw in socket:
            if (message := json.loads(raw)).get("flush"):
                await socket.send(json.dumps({"contextId": message["context_id"], "audio": "/w=="}))

    async with (
        serve(never_final, "127.0.0.1", 0) as server,
        ElevenLabs(url_of(server), "k", "v", MODEL, IMPATIENCE) as tts,
    ):
        for _ in range(wire.CONTEXTS):
            async with aclosing(tts.say(TEXT)) as pieces:
                await anext(pieces)
        with pytest.raises(ProviderError, match="does not finish earlier sentences"):
            await said(tts, TEXT)
        async with aclosing(tts.say(TEXT)) as pieces:
            assert await anext(pieces) == Spoken(b"\xff")


# --- failures on the way ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(0, len(sound_of(TEXT)) + 400, 1192))
async def test_a_dying_socket_loses_and_doubles_no_word(after: int) -> None:
    async with a_call(faults=[Die(after)]) as (server, tts):
        pieces = await said(tts, TEXT)
    within_first_word = after < len(sound_of("Could "))
    begun = TEXT[: min(after, 1608) // len(sound_of("x"))] if within_first_word else ""
    assert sound(pieces).startswith(sound_of(begun + TEXT))
    assert len(sound(pieces)) <= len(sound_of(begun + TEXT + " "))
    assert characters(pieces) == TEXT
    assert len(troubles(pieces)) == 1
    [resent] = sent(server, 1)
    assert (" " + TEXT).endswith(" " + resent)
    assert len(resent) <= len(TEXT) - after // len(sound_of("x")) + len("Thursday, ")


async def test_a_socket_that_dies_after_the_last_sound_is_no_trouble() -> None:
    async with a_call(faults=[Die(len(sound_of(TEXT + " ")))]) as (server, tts):
        pieces = await said(tts, TEXT)
        await server.until(lambda: len(server.connections) == 2)
    assert sound(pieces) == sound_of(TEXT + " ")
    assert characters(pieces) == TEXT
    assert not troubles(pieces)
    assert sent(server, 1) == []


async def test_a_socket_lost_between_clauses_is_reopened_without_being_asked() -> None:
    async with a_call(faults=[Die(len(sound_of("Hello. ")))]) as (server, tts):
        await said(tts, "Hello.")
        await server.until(lambda: len(server.connections) == 2 and server.open_sockets == 1)
        assert not troubles(await said(tts, TEXT))


async def test_a_second_failure_ends_the_clause() -> None:
    async with a_call(faults=[Die(5000), Die(2000)]) as (_, tts):
        pieces: list[Voiced] = []
        with pytest.raises(ProviderError, match="closed the connection"):
            await collect(tts.say(TEXT), pieces)
        assert len(troubles(pieces)) == 1
        assert sound(pieces) and sound_of(TEXT).startswith(sound(pieces))
        assert sound(await said(tts, "Goodbye.")) == sound_of("Goodbye. ")


@pytest.mark.parametrize("after", [0, 4000])
async def test_a_stall_is_survived_once(after: int) -> None:
    async with a_call(IMPATIENCE, faults=[Stall(after)]) as (server, tts):
        pieces = await said(tts, TEXT)
        await server.until(lambda: server.open_sockets == 1)
    assert sound(pieces) == sound_of(TEXT + " ")
    assert "no sound in time" in troubles(pieces)[0].what


async def test_stalling_twice_is_an_error_in_bounded_time() -> None:
    clock = asyncio.get_running_loop()
    async with a_call(IMPATIENCE, faults=[Stall(0), Stall(0)]) as (_, tts):
        begun = clock.time()
        with pytest.raises(ProviderError, match="no sound in time"):
            await said(tts, TEXT)
        assert 0.5 <= clock.time() - begun < 2


@pytest.mark.parametrize("error", ["too_many_concurrent_requests", "system_busy", "something_new"])
async def test_a_passing_error_is_tried_again(error: str) -> None:
    async with a_call(faults=[Complain(error)]) as (_, tts):
        pieces = await said(tts, TEXT)
    assert sound(pieces) == sound_of(TEXT + " ")
    assert error in troubles(pieces)[0].what


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("quota_exceeded", "no characters left"),
        ("invalid_api_key", "ELEVENLABS_API_KEY"),
        ("missing_permissions", "ELEVENLABS_API_KEY"),
        ("voice_not_found", "ELEVENLABS_VOICE_ID"),
        ("model_not_found", "ELEVENLABS_MODEL"),
        ("detected_unusual_activity", "paid"),
    ],
)
async def test_a_final_error_is_not_tried_again_in_this_call(error: str, advice: str) -> None:
    async with a_call(faults=repeat(Complain(error))) as (server, tts):
        for _ in range(2):
            with pytest.raises(Denied, match=advice):
                await said(tts, TEXT)
        await server.until(lambda: server.open_sockets == 0)
    assert len(server.connections) == 1


async def test_a_sentence_that_ends_without_sound_is_an_error() -> None:
    async def nothing_to_say(socket: ServerConnection) -> None:
        async for raw in socket:
            if (message := json.loads(raw)).get("close_context"):
                await socket.send(json.dumps({"contextId": message["context_id"], "isFinal": True}))

    async with serve(nothing_to_say, "127.0.0.1", 0) as server, ElevenLabs(url_of(server), "k", "v", MODEL) as tts:
        with pytest.raises(ProviderError, match="without any sound"):
            await said(tts, TEXT)


async def test_more_sound_than_fits_fails_that_clause_alone_and_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.tts.elevenlabs._Inbox.LIMIT", 8)
    async with a_call(chunks=(480,)) as (server, tts), aclosing(tts.say(TEXT)) as waiting:
        pieces = [await anext(waiting)]
        await server.until(lambda: server.spoken == len(sound_of(TEXT + " ")))
        assert sound(await said(tts, "Hello.")) == sound_of("Hello. ")
        await collect(waiting, pieces)
    assert sound(pieces) == sound_of(TEXT + " ")
    assert "more sound than" in troubles(pieces)[0].what
    assert len(server.connections) == 1


# --- opening, keeping, leaving ----------------------------------------------------------------------------------


async def test_entering_while_the_vendor_is_down_does_not_raise_and_saying_does() -> None:
    async with quick() as server:
        pass
    async with voice(server, IMPATIENCE) as tts:
        with pytest.raises(ProviderError, match="cannot be reached"):
            await said(tts, TEXT)


async def test_a_vendor_that_does_not_answer_is_not_waited_for() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    patience = Patience(opening=0.05, first_sound=0.15)
    async with (
        await asyncio.start_server(silence, "127.0.0.1", 0) as server,
        ElevenLabs(url_of(server), "k", "v", MODEL, patience) as tts,
    ):
        with pytest.raises(ProviderError, match="no answer in time"):
            await said(tts, TEXT)


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (401, Denied, "ELEVENLABS_API_KEY"),
        (404, Denied, "ELEVENLABS_VOICE_ID"),
        (429, ProviderError, "place fewer"),
        (503, ProviderError, "overloaded.*503"),
    ],
)
async def test_a_refused_upgrade_says_why(status: int, kind: type[ProviderError], advice: str) -> None:
    async def never(socket: ServerConnection) -> None:
        raise AssertionError("nothing is upgraded here")

    def refuse(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(status, "no")

    async with (
        serve(never, "127.0.0.1", 0, process_request=refuse) as server,
        ElevenLabs(url_of(server), "k", "v", MODEL, IMPATIENCE) as tts,
    ):
        with pytest.raises(ProviderError, match=advice) as error:
            await said(tts, TEXT)
    assert type(error.value) is kind


async def test_a_vendor_that_comes_back_is_used_again() -> None:
    async with quick() as server:
        pass
    port = int(server.url.rsplit(":", 1)[1])
    async with voice(server, IMPATIENCE) as tts:
        with pytest.raises(ProviderError):
            await said(tts, TEXT)
        async with quick(port=port) as again:
            assert sound(await said(tts, TEXT)) == sound_of(TEXT + " ")
            assert len(again.connections) == 1


async def test_the_socket_is_open_before_anything_is_said_and_kept_alive() -> None:
    async with a_call(Patience(keepalive=0.02)) as (server, _):
        await server.until(lambda: bool(server.connections) and len(server.connections[0].messages) >= 3)
    assert all(message == {"text": ""} for message in server.connections[0].messages)


async def test_keepalives_hold_the_socket_past_the_inactivity_timeout() -> None:
    async with a_call(Patience(keepalive=0.03), second=0.3 / 180) as (server, tts):
        await server.until(lambda: bool(server.connections) and len(server.connections[0].messages) >= 12)
        await said(tts, TEXT)
    assert len(server.connections) == 1


async def test_leaving_leaves_no_task_and_no_socket() -> None:
    async with quick(speed=1) as server:
        before = asyncio.all_tasks()
        async with voice(server) as tts, aclosing(tts.say(TEXT)) as pieces:
            await anext(pieces)
        await server.until(lambda: server.open_sockets == 0)
        assert {task for task in asyncio.all_tasks() if task not in before} == set()


async def test_an_error_inside_the_block_comes_out_as_it_is() -> None:
    async with quick() as server:
        with pytest.raises(ProviderError, match="mine"):
            async with voice(server):
                raise ProviderError("mine")


# --- the check for the command line -----------------------------------------------------------------------------


async def test_check_accepts_what_works() -> None:
    async with quick() as server:
        await check(server.url, server.key, server.voice, MODEL)
        assert 0 < server.spoken <= len(sound_of("Hello. "))


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"key": "wrong"}, "refused the API key: check ELEVENLABS_API_KEY in .env"),
        ({"voice": "nobody"}, "check ELEVENLABS_VOICE_ID in .env"),
        ({"model": "eleven_v3"}, "check ELEVENLABS_MODEL in .env"),
    ],
)
async def test_check_says_what_is_wrong(wrong: dict[str, str], advice: str) -> None:
    async with quick() as server:
        asked = {"key": server.key, "voice": server.voice, "model": MODEL} | wrong
        with pytest.raises(ProviderError, match=advice) as refused:
            await check(server.url, **asked)
    assert asked["key"] not in str(refused.value)
