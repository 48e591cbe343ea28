"""An operator's headset at the server's door: both sides of its own call and of no other, and a voice in it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from backend import tickets
from backend.audio import FRAME, SILENCE
from backend.headset import headset
from backend.models import Hands, Speaker
from backend.practice.dialled_call import DialledCall
from backend.practice.handset import FarEnd, Handset
from tests.practice_world import CALLEE, Person
from tests.served import TOKEN, Served, until, world

OTHER = "+12025550144"
SAYS = {CALLEE: b"\x11", OTHER: b"\x22"}
"""What each callee says all the time: a sound that nobody else makes."""
VOICE = b"\x33" * FRAME


def ticket(call_id: str, by: str = "Maya", purpose: str = "headset", token: str = TOKEN, since: float = 0.0) -> str:
    return tickets.issue(token, purpose, call_id, time.time() - since, by)


def headset_of(server: Served, call_id: str, given: str | None = None, origin: str | None = None) -> connect:
    """The page's websocket."""
    asked = urlencode({"call": call_id, "ticket": ticket(call_id) if given is None else given})
    headers = {"Origin": server.url if origin is None else origin}
    url = f"ws{server.url.removeprefix('http')}/headset/sound?{asked}"
    return connect(url, additional_headers=headers, proxy=None, compression=None, max_queue=None)


def talkative(call: DialledCall) -> FarEnd:
    """Says the same sound all the time, so softly that the agent is not interrupted."""

    async def act(handset: Handset) -> None:
        while True:
            await handset.speak(SAYS[call.to] * FRAME)

    return Person(act)


async def news(socket: ClientConnection, **wanted: object) -> dict[str, Any]:
    """The next news that say all this; sound before it is not listened to."""
    async with asyncio.timeout(8):
        while True:
            message = await socket.recv()
            if isinstance(message, str):
                told = dict(json.loads(message))
                if wanted.items() <= told.items():
                    return told


async def trouble(socket: ClientConnection) -> str:
    async with asyncio.timeout(8):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and "trouble" in (told := json.loads(message)):
                return str(told["trouble"])


async def heard(socket: ClientConnection, seconds: float) -> tuple[bytes, bytes]:
    """So much of both sides."""
    callee = agent = b""
    async with asyncio.timeout(8 + seconds):
        while len(callee) < seconds * 8000:
            message = await socket.recv()
            if isinstance(message, bytes):
                callee += message[: len(message) // 2]
                agent += message[len(message) // 2 :]
    return callee, agent


@asynccontextmanager
async def on_the_call(path: Path, **more: Any) -> AsyncIterator[tuple[Served, str]]:
    """A call with somebody at the other end who says nothing."""
    async with world(path, lambda _: Person(), **more) as server:
        call = await server.placed()
        await server.connected(call)
        yield server, call
        if server.switchboard.live:
            await server.switchboard.hang_up(call)
            await server.over(call)


async def speak(socket: ClientConnection, frames: int) -> None:
    for _ in range(frames):
        await socket.send(VOICE)
        await asyncio.sleep(0.02)


# --- listening in -------------------------------------------------------------------------------------------------


async def test_each_headset_hears_its_own_call_and_no_other(tmp_path: Path) -> None:
    async with world(tmp_path, talkative) as server:
        calls = {number: await server.placed(to=number) for number in SAYS}
        for call in calls.values():
            await server.connected(call)
        async with headset_of(server, calls[CALLEE]) as one, headset_of(server, calls[OTHER]) as other:
            sockets = {CALLEE: one, OTHER: other}
            for socket in sockets.values():
                await news(socket, state="talking")
                await socket.send("listen")
            for number, socket in sockets.items():
                callee, agent = await heard(socket, 1.5)
                assert set(callee) <= {SAYS[number][0], 0xFF}, "somebody else's callee"
                assert callee.count(SAYS[number]) > 10_000
                assert not set(agent) & {SAYS[CALLEE][0], SAYS[OTHER][0]}, "the callee is heard on the agent's side"
        for call in calls.values():
            await server.switchboard.hang_up(call)


async def test_the_agents_side_is_what_the_callee_hears(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person()) as server:
        call = await server.placed()
        async with headset_of(server, call) as socket:
            await socket.send("listen")
            _, agent = await heard(socket, 3.0)
        # Where a busy machine is late, there is silence in between, or a frame is missing.
        spoken, played = (sound.replace(SILENCE, b"") for sound in (agent, bytes(server.record(call).played)))
        assert len(spoken) > 4000
        pieces = [spoken[start : start + 400] for start in range(0, len(spoken) - 400, 400)]
        assert sum(piece in played for piece in pieces) >= 0.8 * len(pieces)
        await server.switchboard.hang_up(call)


async def test_nothing_is_sent_before_somebody_wants_to_listen_nor_after(tmp_path: Path) -> None:
    async with on_the_call(tmp_path) as (server, call), headset_of(server, call) as socket:
        await news(socket, state="talking")
        assert server.switchboard.tap(call).hears == ()
        await socket.send("listen")
        await heard(socket, 0.2)
        await socket.send("stop")
        await until(lambda: server.switchboard.tap(call).hears == ())


async def test_it_says_that_it_rings_that_they_talk_and_that_it_is_over(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(rings=0.6)) as server:
        call = await server.placed()
        async with headset_of(server, call) as socket:
            await news(socket, state="ringing")
            await news(socket, state="talking", hands="agent", yours=False)
            await server.switchboard.hang_up(call)
            await news(socket, state="over")
            async with asyncio.timeout(8):
                await socket.wait_closed()
        async with headset_of(server, call) as socket:
            await news(socket, state="over")


# --- talking ------------------------------------------------------------------------------------------------------


async def test_the_operators_voice_reaches_the_callee_while_it_has_taken_over(tmp_path: Path) -> None:
    async with on_the_call(tmp_path) as (server, call), headset_of(server, call) as socket:
        await news(socket, state="talking")
        await speak(socket, 5)
        await socket.send("take-over")
        await news(socket, yours=True, hands="operator")
        await speak(socket, 25)
        await until(lambda: bytes(server.record(call).played).count(b"\x33") >= 20 * FRAME)
        await socket.send("hand-back")
        await news(socket, yours=False, hands="agent")
        await speak(socket, 10)
        # Neither the five frames before the taking over nor the ten after the handing back.
        assert bytes(server.record(call).played).count(b"\x33") <= 25 * FRAME
        told = [turn.text for turn in server.store.turns(call) if turn.speaker is Speaker.NOTE]
        assert any("Maya" in text for text in told), told


async def test_who_leaves_while_talking_gives_the_call_back(tmp_path: Path) -> None:
    async with on_the_call(tmp_path) as (server, call):
        async with headset_of(server, call) as socket:
            await socket.send("take-over")
            await news(socket, yours=True)
            assert hands(server, call) is Hands.OPERATOR
        await until(lambda: hands(server, call) is Hands.AGENT)


async def test_a_microphone_that_falls_silent_gives_the_call_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headset, "_MUTE", 0.3)
    async with on_the_call(tmp_path) as (server, call), headset_of(server, call) as socket:
        await socket.send("take-over")
        await news(socket, yours=True)
        assert await trouble(socket) == headset.LOST_VOICE
        await until(lambda: hands(server, call) is Hands.AGENT)
        await news(socket, yours=False)


async def test_only_one_operator_talks_at_a_time(tmp_path: Path) -> None:
    async with (
        on_the_call(tmp_path) as (server, call),
        headset_of(server, call) as one,
        headset_of(server, call, ticket(call, "Noor")) as other,
    ):
        await one.send("take-over")
        await news(one, yours=True)
        await other.send("take-over")
        assert await trouble(other) == "Maya is talking to them already."
        await one.send("hand-back")
        await news(one, yours=False)
        await other.send("take-over")
        await news(other, yours=True)


async def test_a_call_that_is_handed_back_elsewhere_is_out_of_the_headsets_hands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headset, "_TAKES_EFFECT", 0.1)
    async with on_the_call(tmp_path) as (server, call), headset_of(server, call) as socket:
        await socket.send("take-over")
        await news(socket, yours=True)
        talking = asyncio.create_task(speak(socket, 100))
        await asyncio.sleep(0.2)
        await server.switchboard.hand_back(call, "Noor")
        await news(socket, yours=False, hands="agent")
        await talking


async def test_a_call_that_only_rings_cannot_be_taken_over(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        call = await server.placed()
        async with headset_of(server, call) as socket:
            await socket.send("take-over")
            assert await trouble(socket) == "Nobody has picked up yet."
        await server.switchboard.hang_up(call)


def hands(server: Served, call: str) -> Hands:
    return next(running.hands for running in server.switchboard.running() if running.call_id == call)


# --- strangers ----------------------------------------------------------------------------------------------------


async def test_strangers_get_neither_the_page_nor_the_sound(tmp_path: Path) -> None:
    async with (
        on_the_call(tmp_path) as (server, call),
        httpx2.AsyncClient(base_url=server.url, trust_env=False) as http,
    ):
        wrong = ["", "x", ticket("another"), ticket(call, purpose="softphone"), ticket(call, since=1e5)]
        for given in [*wrong, ticket(call, token="another-token")]:
            with pytest.raises(InvalidStatus, match="403"):
                await headset_of(server, call, given)
            assert (await http.get("/headset", params={"call": call, "ticket": given})).status_code == 403
        for origin in ("", "null", "https://example.com"):
            with pytest.raises(InvalidStatus, match="403"):
                await headset_of(server, call, origin=origin)
        page = await http.get("/headset", params={"call": call, "ticket": ticket(call)})
        assert page.status_code == 200
        assert "frame-ancestors 'self' http://localhost:*" in page.headers["content-security-policy"]


@pytest.mark.parametrize("said", ["", "hang-up", "{}", b"\x00" * 5000])
async def test_what_no_page_of_ours_says_ends_the_connection(tmp_path: Path, said: str | bytes) -> None:
    async with on_the_call(tmp_path) as (server, call), headset_of(server, call) as socket:
        await socket.send(said)
        async with asyncio.timeout(8):
            await socket.wait_closed()
        assert server.switchboard.live == 1, "the call goes on"
