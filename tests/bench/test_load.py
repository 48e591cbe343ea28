"""The load benchmark: its own wire, vendors and carrier, and what it makes of what it saw."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from functools import partial

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from backend import audio
from backend.bench.delays import Delays
from backend.bench.load import levels, load
from backend.bench.load import vendors as load_vendors
from backend.bench.load.calls import Carrier, Habits, PhoneCall
from backend.bench.load.gauge import Gauge
from backend.bench.load.levels import Level, Load
from backend.bench.load.load import Plan
from backend.bench.load.vendors import REPLY, WORDS, noise
from backend.bench.load.wire import BINARY, Head, Wire, frame, unmasked
from backend.llm import claude
from backend.models import Brief, Conversation, EagerEnd, Partial, Said, Spoken, TurnEnd
from backend.stt.deepgram import Deepgram
from backend.tts.elevenlabs import ElevenLabs

QUICK = Delays(first_token=0.0, tokens_per_second=10_000, first_byte=0.0, speed=1000)


@asynccontextmanager
async def vendors(delays: Delays = QUICK) -> AsyncIterator[str]:
    """The address of the generator's vendors, without a scheme."""
    answer = partial(load_vendors.answer, delays=delays)
    server = await asyncio.get_running_loop().create_server(lambda: Wire(answer), "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


# --- the wire ---------------------------------------------------------------------------------------------------


@given(st.binary(max_size=70_000), st.binary(min_size=4, max_size=4))
def test_a_mask_taken_twice_is_none(payload: bytes, mask: bytes) -> None:
    assert unmasked(unmasked(payload, mask), mask) == payload
    assert unmasked(payload, b"") == payload


class Sink(asyncio.Transport):
    """A transport that keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 50), st.booleans())
def test_frames_come_out_whole_however_they_are_cut(payloads: list[bytes], step: int, masked: bool) -> None:
    heard: list[tuple[int, bytes]] = []
    wire = Wire(lambda *_: None)
    wire.connection_made(Sink())
    wire.upgraded(lambda opcode, payload, mask: heard.append((opcode, unmasked(payload, mask))))
    data = b"".join(frame(payload, masked, BINARY) for payload in payloads)
    for place in range(0, len(data), step):
        wire.data_received(data[place : place + step])
    assert heard == [(BINARY, payload) for payload in payloads]


async def test_the_wire_speaks_with_a_real_client_and_answers_its_pings() -> None:
    def echo(wire: Wire, head: Head, body: bytes) -> None:
        wire.upgrade(head, lambda _, payload, mask: wire.send(unmasked(payload, mask)))

    server = await asyncio.get_running_loop().create_server(lambda: Wire(echo), "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(url, proxy=None, compression=None) as client:
            await (await client.ping())
            for text in ("short", "x" * 200, "y" * 70_000):
                await client.send(text)
                assert await client.recv() == text.encode().decode()


# --- the vendors, by the product's own clients ------------------------------------------------------------------


async def test_the_recogniser_tells_a_spoken_turn_from_its_sound_alone() -> None:
    async def line() -> AsyncIterator[bytes]:
        spoken, silent = noise(audio.FRAME), audio.SILENCE * audio.FRAME
        for piece in [spoken] * 120 + [silent] * 50:
            yield piece
            await asyncio.sleep(0)

    async with vendors() as address, Deepgram(f"ws://{address}", "key", "flux-general-en") as ears:
        heard = [event async for event in ears.listen(line())]
    words = " ".join(WORDS)
    assert heard[0] in [Partial(" ".join(WORDS[:count])) for count in range(1, 5)]
    assert heard[-2:] == [EagerEnd(words), TurnEnd(words)]


async def test_the_model_answers_in_a_stream_and_warms_up() -> None:
    async with vendors() as address:
        client = claude.connect("key", f"http://{address}")
        model = claude.Claude(client, "claude-haiku-5-5")
        talk = Conversation(Brief(to="+12025550143", action="Ask"))
        await model.warm(talk)
        said = [piece async for piece in model.answer(talk)]
        await client.close()
    assert "".join(piece.text for piece in said if isinstance(piece, Said)) == REPLY


async def test_the_voice_voices_every_character() -> None:
    async with vendors() as address, ElevenLabs(f"ws://{address}", "key", "voice", "model") as voice:
        pieces = [piece async for piece in voice.say("Thank you, that is good.")]
    spoken = [piece for piece in pieces if isinstance(piece, Spoken)]
    assert "".join(piece.text for piece in spoken) == "Thank you, that is good."
    length = sum(len(piece.sound) for piece in spoken)
    assert length == round(QUICK.lead_in * audio.RATE) + 24 * 65 * audio.RATE // 1000


async def test_a_closed_context_is_voiced_to_its_end() -> None:
    async with vendors(QUICK) as address:
        url = f"ws://{address}/v1/text-to-speech/voice/multi-stream-input"
        async with connect(url, proxy=None, compression=None) as client:
            await client.send(json.dumps({"text": "Words.", "context_id": "1"}))
            await client.send(json.dumps({"context_id": "1", "close_context": True}))
            messages = [json.loads(await client.recv())]
            while not messages[-1].get("isFinal"):
                messages.append(json.loads(await client.recv()))
    assert messages[0]["audio"] and messages[-1] == {"audio": None, "isFinal": True, "contextId": "1"}


# --- the callees ------------------------------------------------------------------------------------------------


def a_call(habits: Habits) -> PhoneCall:
    carrier = Carrier(habits, httpx2.AsyncClient(trust_env=False))
    call = PhoneCall(carrier, {})
    call.began = 100.0
    return call


def loud(call: PhoneCall, now: float) -> bool:
    return call._talks(now)


async def test_a_callee_speaks_after_the_agent_has_and_then_waits_for_an_answer() -> None:
    call = a_call(Habits(speaks=2.0, after=0.6))
    call._quiet_since = 100.0
    call.replies[-1].append((100.0, 800))
    moments = [(100.5, False), (100.7, False), (100.8, True), (102.6, True), (102.8, False), (103.8, False)]
    assert [loud(call, now) for now, _ in moments] == [talks for _, talks in moments]
    assert (call.turns, call.missing, len(call.replies)) == (1, 0, 2)


async def test_a_callee_without_an_answer_speaks_again_and_counts_it() -> None:
    call = a_call(Habits())
    call._quiet_since = 100.0
    assert not loud(call, 107.9)
    loud(call, 108.1)
    assert (call.turns, call.missing) == (1, 1)


async def test_only_pieces_after_the_first_burst_have_a_moment() -> None:
    call = a_call(Habits())
    call.replies = [[*[(0.0, 800)] * 6, (0.13, 800)]]
    assert list(call.late(0, 1)) == [pytest.approx(0.03)]
    assert list(call.late(1, 2)) == []


# --- what is made of it -----------------------------------------------------------------------------------------


def level(calls: int, late: float | None, **changes: object) -> Level:
    given = {"late_median": 0.0, "late_worst": late, "pieces": 100, "turns": 9, "missing": 0} | changes
    return Level(calls=calls, late=late, **given)  # type: ignore[arg-type]


def test_the_most_calls_are_those_below_the_first_level_that_failed() -> None:
    levels = (level(25, 0.004), level(50, 0.019), level(75, 0.05), level(100, 0.01))
    assert Load(levels, pinned=True).at_once == 50


@pytest.mark.parametrize("bad", [{"missing": 1}, {"faults": ("x",)}])
def test_a_level_with_unanswered_turns_or_faults_was_not_borne(bad: dict[str, object]) -> None:
    assert not level(25, 0.001, **bad).held
    assert not level(25, None).held


def test_the_figures_are_those_of_the_highest_level_that_was_borne_and_the_cpu_of_all() -> None:
    seen = (level(25, 0.004, cpu=0.5, memory=0.6, slip=0.0012), level(50, 0.05, cpu=0.7, memory=0.8))
    lines = levels.figures(Load(seen, pinned=True))
    assert [(line.name, line.unit, line.median) for line in lines] == [
        ("calls at once on one core", "calls", 25),
        ("lateness, 25 calls", "ms", 0.0),
        ("- the load generator's own clock", "ms", None),
        ("CPU per call minute, 25 calls", "s", 0.5),
        ("CPU per call minute, 50 calls", "s", 0.7),
        ("memory per call, 25 calls", "MB", 0.6),
    ]
    assert (lines[1].p99, lines[1].worst, lines[2].p99) == (4.0, 4.0, 1.2)


def test_what_a_call_costs_is_also_told_for_a_core_that_is_as_quick_all_the_time_as_it_was_at_best() -> None:
    taken = [[0.002] * 9 + [0.001] * 2, [0.001] * 8 + [0.003] * 2]
    first, second = levels.slowed((level(25, 0.0, cpu=1.0), level(50, 0.0, cpu=0.7)), taken)
    assert [first.slowed, second.slowed] == [pytest.approx(20 / 11), pytest.approx(1.4)]
    lines = levels.figures(Load((first, second), pinned=True))
    assert [(line.name, line.median) for line in lines[3:7]] == [
        ("CPU per call minute, 25 calls", 1.0),
        ("- on an undisturbed core, 25 calls", 0.55),
        ("CPU per call minute, 50 calls", 0.7),
        ("- on an undisturbed core, 50 calls", 0.5),
    ]
    assert levels.doubts(Load((first,), pinned=True))[0].startswith("At 25 calls the same work took 1.8 times as long")
    assert not levels.doubts(Load((level(25, 0.0, cpu=0.9, slowed=1.1),), pinned=True))


def test_where_nobody_looked_at_the_core_nothing_is_said_of_it() -> None:
    [seen] = levels.slowed((level(25, 0.0, cpu=0.9),), [[]])
    assert seen == level(25, 0.0, cpu=0.9)
    assert not [line for line in levels.figures(Load((seen,), pinned=True)) if "undisturbed" in line.name]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux gives a process a core of its own")
async def test_the_gauge_works_on_the_core_that_it_was_given_and_ends_with_the_measurement() -> None:
    core = max(os.sched_getaffinity(0))
    async with Gauge(core) as gauge, asyncio.timeout(20):
        while len(gauge.taken) < 3:
            await asyncio.sleep(0.05)
        assert os.sched_getaffinity(gauge.pid) == {core}
        assert os.sched_getscheduler(gauge.pid) == os.SCHED_IDLE
    assert min(gauge.taken) > 0
    with pytest.raises(ProcessLookupError):
        os.kill(gauge.pid, 0)


def test_a_late_load_generator_is_doubted() -> None:
    said = levels.doubts(Load((level(25, 0.03, slip=0.009, missing=2, faults=("It broke.",)),), pinned=False))
    assert [sentence.partition(":")[0] for sentence in said] == [
        "This system does not pin processes to cores",
        "At 25 calls the load generator itself was 9 ms late",
        "At 25 calls 2 of 9 turns were not answered in time.",
        "At 25 calls",
    ]


def test_plan_and_result_survive_the_way_between_the_processes() -> None:
    plan, seen = Plan(levels=(1, 2)), Load((level(25, 0.004, faults=("x",)),), pinned=True)
    assert load._plan(json.loads(json.dumps(asdict(plan)))) == replace(plan, levels=[1, 2])
    assert load._load(json.loads(json.dumps(asdict(seen)))) == seen
