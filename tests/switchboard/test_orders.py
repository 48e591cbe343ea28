"""What operators order over the API: done and written down when the request is answered, with who ordered it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from backend.audio import FRAME
from backend.bench.stand_ins import voiced
from backend.call import manners as known
from backend.client import OPERATOR
from backend.models import Hands, LineKind, Outcome, Speaker, Status
from backend.routes.operator import HEADER
from backend.storage.store import Archive
from tests.practice_world import Person
from tests.served import Served, until, world

MAYA = {HEADER: quote("Maya Müller")}


@asynccontextmanager
async def talking(path: Path, **more: str) -> AsyncIterator[tuple[Served, str]]:
    """A call in which the agent has just begun its opening."""
    async with world(path, lambda _: Person(), **more) as server:
        call = (await server.operator.post("/api/calls", json=_NEW, headers=MAYA)).json()["id"]
        await until(lambda: bool(server.handed(call, "Speaking")))
        yield server, call
        await server.operator.post(f"/api/calls/{call}/hangup", headers=MAYA)
        await server.over(call)


_NEW = {"to": "+12025550143", "action": "Confirm the visit"}


def written(server: Served, call: str) -> list[tuple[Speaker, str]]:
    """The turns that another program finds in the database."""
    archive = Archive.open(server.settings.database_path)
    try:
        return [(turn.speaker, turn.text) for turn in archive.turns(call)]
    finally:
        archive.close()


@pytest.mark.parametrize(
    ("command", "body", "note"),
    [
        ("pause", None, "Maya Müller paused the agent."),
        ("take-over", None, "Maya Müller took the call over."),
        ("keys", {"keys": "12#"}, "Maya Müller pressed 12#."),
        ("say", {"text": "Good news."}, "Maya Müller wants said: Good news."),
        ("hint", {"text": "Be brief."}, "Maya Müller's hint: Be brief."),
    ],
)
async def test_an_order_is_in_the_database_when_its_request_is_answered(
    tmp_path: Path, command: str, body: dict[str, str] | None, note: str
) -> None:
    async with talking(tmp_path) as (server, call):
        answer = await server.operator.post(f"/api/calls/{call}/{command}", json=body, headers=MAYA)
        assert answer.status_code == 202
        assert (Speaker.NOTE, note) in written(server, call)


async def test_the_server_tells_in_whose_hands_each_call_is(tmp_path: Path) -> None:
    async with talking(tmp_path) as (server, call):
        steps = (("pause", "paused"), ("resume", "agent"), ("take-over", "operator"), ("hand-back", "agent"))
        for command, hands in steps:
            await server.operator.post(f"/api/calls/{call}/{command}")
            (running,) = (await server.operator.get("/api/running")).json()
            assert (running["call_id"], running["hands"]) == (call, hands)
        other = await server.placed()
        running = {row["call_id"]: row["hands"] for row in (await server.operator.get("/api/running")).json()}
        assert running == {call: "agent", other: Hands.AGENT}
        await server.operator.post(f"/api/calls/{other}/hangup")


async def test_the_operators_voice_goes_to_the_call_they_took_over_and_to_no_other(tmp_path: Path) -> None:
    async with talking(tmp_path) as (server, call):
        other = await server.placed()
        await server.connected(other)
        await server.switchboard.take_over(call, "Maya")
        sound = voiced("#" * 20)
        for place in range(0, len(sound), FRAME):
            assert server.switchboard.speak(call, sound[place : place + FRAME])
            assert not server.switchboard.speak(other, sound[place : place + FRAME])
            await asyncio.sleep(0.02)
        played = server.record(call).played
        await until(lambda: sum(played.count(byte) for byte in set(sound)) > 0.8 * len(sound))
        assert not set(sound) & set(server.record(other).played)
        assert not server.switchboard.speak("no such call", b"")
        await server.switchboard.hand_back(call, "Maya")
        assert not server.switchboard.speak(call, sound)
        await server.operator.post(f"/api/calls/{other}/hangup")


async def test_a_call_cannot_be_taken_over_while_it_rings(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        call = await server.placed()
        await until(lambda: server.row(call).status is Status.RINGING)
        (running,) = (await server.operator.get("/api/running")).json()
        assert running["phase"] == "ringing"
        for command in ("take-over", "pause", "hand-back", "resume", "transfer"):
            early = await server.operator.post(f"/api/calls/{call}/{command}")
            assert early.status_code == 409, command
        await server.operator.post(f"/api/calls/{call}/hangup", headers=MAYA)
        assert server.row(call).ending == "Maya Müller hung up."


async def test_without_a_phone_to_hand_it_to_a_call_stays_where_it_is(tmp_path: Path) -> None:
    async with talking(tmp_path) as (server, call):
        assert server.row(call).brief.line is LineKind.PHONE
        refused = await server.operator.post(f"/api/calls/{call}/transfer")
        assert (refused.status_code, "TRANSFER_NUMBER" in refused.json()["detail"]) == (409, True)


async def test_a_call_is_handed_over_to_the_operators_phone(tmp_path: Path) -> None:
    async with talking(tmp_path, transfer_number="+12025550199") as (server, call):
        assert (await server.operator.post(f"/api/calls/{call}/transfer", headers=MAYA)).status_code == 202
        row = await server.over(call)
        assert (row.outcome, row.status) == (Outcome.TRANSFERRED, Status.COMPLETED)
        late = await server.operator.post(f"/api/calls/{call}/pause")
        assert late.status_code == 409


@pytest.mark.parametrize("keys", ["", "5x", "1 2", "1" * 41])
async def test_only_keys_that_a_phone_has_are_pressed(tmp_path: Path, keys: str) -> None:
    async with talking(tmp_path) as (server, call):
        answer = await server.operator.post(f"/api/calls/{call}/keys", json={"keys": keys})
        assert answer.status_code == 422
        assert server.handed(call, "Press") == []


async def test_the_log_says_who_placed_the_call_and_who_ordered_what(tmp_path: Path) -> None:
    async with talking(tmp_path) as (server, call):
        await server.operator.post(f"/api/calls/{call}/pause", headers={HEADER: "Ann"})
        await server.operator.post(f"/api/calls/{call}/resume")
        await server.operator.post(f"/api/calls/{call}/hangup", headers=MAYA)
        orders = [(deed.did, deed.by) for deed in server.store.deeds(call)]
        assert orders == [("Place", "Maya Müller"), ("Pause", "Ann"), ("Resume", ""), ("HangUp", "Maya Müller")]
        assert (await server.over(call)).ending == "Maya Müller hung up."


async def test_the_opening_is_said_by_an_agent_that_gets_the_call_back_before_it_greeted(tmp_path: Path) -> None:
    async with talking(tmp_path) as (server, call):
        await server.operator.post(f"/api/calls/{call}/pause")
        await server.operator.post(f"/api/calls/{call}/resume")
        whole = known.opening(server.row(call).brief)
        await until(lambda: whole in server.earpiece(call))


def test_the_client_and_the_server_speak_of_the_same_header() -> None:
    assert OPERATOR == HEADER
