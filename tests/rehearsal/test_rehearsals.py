"""Rehearsals over the real API: what is told arrives typed, and nothing is left when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

from backend.answers import Findings, RehearsalBegun, RehearsalTurn, Rehearsed
from backend.client import Client, ServerDown, ServerError
from backend.llm.offline import OfflineBrain
from backend.models import Answered, Conversation, LineKind, Said
from backend.routes import rehearsals as rehearsing
from backend.seams import LanguageModel
from backend.serving import free_port
from tests.media_server import TOKEN, MediaServer, media_server
from tests.served import Served, until, world

ACTION = "Confirm the check-up on Tuesday at ten in the morning."
BODY = {"action": ACTION, "callee_name": "John Smith"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MediaServer]:
    with media_server(tmp_path / "calls.db") as server:
        yield server


@pytest.fixture
def client(server: MediaServer) -> Iterator[Client]:
    with Client(server.url, TOKEN) as client:
        yield client


class Slow:
    """A model that says one word, and then nothing for ever."""

    asked = 0
    left = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def warm(self, conversation: Conversation) -> None:
        pass

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncGenerator[Answered, None]:
        Slow.asked += 1
        try:
            yield Said("Well")
            await asyncio.Event().wait()
        finally:
            Slow.left += 1


@asynccontextmanager
async def slow(line: LineKind) -> AsyncIterator[LanguageModel]:
    yield Slow()


@pytest.fixture(autouse=True)
def nobody_asked() -> None:
    Slow.asked = Slow.left = 0


def test_everybody_picks_up_and_the_findings_come_last(client: Client) -> None:
    begun, *middle, found = client.rehearse(ACTION, "It takes an hour.", callee_name="John Smith")
    assert isinstance(begun, RehearsalBegun) and isinstance(found, Findings)
    keys = [persona.key for persona in begun.personas]
    assert sorted(call.persona.key for call in middle if isinstance(call, Rehearsed)) == sorted(keys)
    assert {one.persona for one in middle if isinstance(one, RehearsalTurn)} == {*keys} - {"voicemail"}
    assert "How much does it cost?" in found.questions
    assert "It costs ___." in found.addition


def test_only_those_who_are_chosen_pick_up(client: Client) -> None:
    begun = next(client.rehearse(ACTION, personas=["hostile", "curious", "hostile"]))
    assert isinstance(begun, RehearsalBegun)
    assert [persona.key for persona in begun.personas] == ["hostile", "curious"]


@pytest.mark.parametrize(
    ("action", "personas", "said"),
    [("  ", [], "What to get done is missing"), (ACTION, ["nemo"], "Nobody called “nemo” picks up")],
)
def test_what_cannot_be_rehearsed_is_refused_in_a_sentence(
    client: Client, action: str, personas: list[str], said: str
) -> None:
    with pytest.raises(ServerError, match=said) as refused:
        next(client.rehearse(action, personas=personas))
    assert refused.value.status == 422


async def test_the_line_that_would_be_dialled_is_the_one_that_is_rehearsed(tmp_path: Path) -> None:
    asked: list[LineKind] = []

    @asynccontextmanager
    async def noted(line: LineKind) -> AsyncIterator[LanguageModel]:
        asked.append(line)
        yield OfflineBrain()

    async with world(tmp_path) as server:
        server.app.state.providers.thinker = noted
        for body in ({}, {"line": "practice"}):
            answer = await server.operator.post("/api/rehearsals", json=BODY | {"personas": ["hostile"]} | body)
            assert answer.status_code == 200, answer.text
    assert asked == [LineKind.PHONE, LineKind.PRACTICE]


def test_without_a_server_it_says_what_to_start() -> None:
    port = free_port()
    with Client(f"http://127.0.0.1:{port}", TOKEN) as nobody, pytest.raises(ServerDown, match="make run"):
        next(nobody.rehearse(ACTION))


def serve_slowly(server: Served) -> None:
    server.app.state.providers.thinker = slow


async def test_when_the_client_leaves_nothing_is_asked_any_more(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        serve_slowly(server)
        async with server.operator.stream("POST", "/api/rehearsals", json=BODY) as response:
            await anext(response.aiter_lines())
            await until(lambda: Slow.asked == 3)
            assert server.app.state.rehearsals._value == 1
        await until(lambda: Slow.left == Slow.asked)
        await until(lambda: server.app.state.rehearsals._value == 2)
        assert Slow.asked == 3


async def test_the_third_rehearsal_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsing, "_ROOM_WITHIN", 0.05)
    async with world(tmp_path) as server:
        serve_slowly(server)
        first = server.operator.stream("POST", "/api/rehearsals", json=BODY)
        second = server.operator.stream("POST", "/api/rehearsals", json=BODY)
        async with first as one, second as other:
            # Kept, since a reader that is thrown away hangs up.
            lines = one.aiter_lines(), other.aiter_lines()
            for line in lines:
                await anext(line)
            third = await server.operator.post("/api/rehearsals", json=BODY)
            assert third.status_code == 422
            assert third.json()["detail"].startswith("2 rehearsals are under way already")
        await until(lambda: server.app.state.rehearsals._value == 2)
        again = await server.operator.post("/api/rehearsals", json=BODY | {"personas": ["voicemail"]})
        assert again.status_code == 200
