"""Another program is told what came of a call: signed, again if it was not taken, and given up in the end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response

from backend.models import Brief, Call, Claim, Outcome, Report, Status
from backend.outcome import errands
from backend.outcome import messenger as telling
from backend.outcome.messenger import Messenger
from backend.serving import free_port, serve
from backend.storage.store import Store
from tests.served import until, world

SECRET = "a secret that both know"
CALL = Call(
    "call",
    Brief("+12025550143", "Confirm the visit", callee_name="María"),
    Status.COMPLETED,
    Outcome.CONFIRMED,
    report=Report(Outcome.CONFIRMED, Claim("Tuesday at 10 a.m.", (1, 2), 0.9), author="rules"),
)


class Program:
    """Takes results, with these answers; the last one again and again."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.got: list[tuple[bytes, str]] = []

    @property
    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/results/")
        async def take(request: Request) -> Response:
            self.got.append((await request.body(), request.headers.get("X-Signature", "")))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return Response(status_code=answer, headers={"Location": "/elsewhere"})

        return app


@asynccontextmanager
async def messages(folder: Path, url: str) -> AsyncIterator[tuple[Messenger, Store]]:
    with Store(folder / "calls.db") as store:
        store.add(CALL)
        async with Messenger(store, url, SECRET) as messenger:
            yield messenger, store


def troubles(store: Store) -> tuple[str, ...]:
    call = store.call("call")
    assert call
    return call.troubles


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "AGAIN", (0.0, 0.0))


async def test_the_call_and_its_report_are_sent_once_and_signed(tmp_path: Path) -> None:
    program = Program(204)
    async with serve(program.app) as port, messages(tmp_path, f"http://127.0.0.1:{port}/results/") as (told, store):
        told.tell("call")
        await told.done()
        [(body, signed)] = program.got
        assert signed == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        call = json.loads(body)["call"]
        assert (call["id"], call["outcome"], call["brief"]["callee_name"]) == ("call", "confirmed", "María")
        assert call["report"]["result"] == {
            "text": "Tuesday at 10 a.m.",
            "turns": [1, 2],
            "confidence": 0.9,
            "ground": "",
        }
        assert troubles(store) == ()


async def test_what_was_not_taken_is_sent_again(tmp_path: Path) -> None:
    program = Program(500, 302, 200)
    async with serve(program.app) as port, messages(tmp_path, f"http://127.0.0.1:{port}/results/") as (told, store):
        told.tell("call")
        await until(lambda: len(program.got) == 3)
        await told.done()
        assert len({body for body, _ in program.got}) == 1
        assert troubles(store) == ()


async def test_after_three_times_it_is_given_up_and_the_row_says_so(tmp_path: Path) -> None:
    program = Program(503)
    async with serve(program.app) as port, messages(tmp_path, f"http://127.0.0.1:{port}/results/") as (told, store):
        told.tell("call")
        await until(lambda: troubles(store) != ())
        assert troubles(store) == ("RESULT_URL was not told of this call: it answered HTTP 503.",)
        assert len(program.got) == 3


async def test_a_program_that_is_gone_is_no_fault_of_the_call(tmp_path: Path) -> None:
    async with messages(tmp_path, f"http://127.0.0.1:{free_port()}/") as (told, store):
        told.tell("call")
        await until(lambda: troubles(store) != ())
        assert troubles(store) == ("RESULT_URL was not told of this call: it cannot be reached (ConnectError).",)


async def test_a_program_that_does_not_answer_is_waited_for_no_longer_than_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "DEADLINE", 0.05)
    over = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()
        await writer.wait_closed()

    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, messages(tmp_path, f"http://127.0.0.1:{port}/") as (told, store):
        told.tell("call")
        await until(lambda: troubles(store) != ())
        assert troubles(store) == ("RESULT_URL was not told of this call: it did not answer within 0 s.",)
        over.set()


async def test_more_than_can_wait_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "_MOST_WAITING", 1)
    async with messages(tmp_path, f"http://127.0.0.1:{free_port()}/") as (told, store):
        told.tell("another")
        told.tell("call")
        assert troubles(store) == ("RESULT_URL was not told of this call: too many others wait.",)


async def test_a_call_that_is_over_is_told_by_the_server_when_its_report_is_written(tmp_path: Path) -> None:
    program = Program(200)
    async with serve(program.app) as port:
        where = {"result_url": f"http://127.0.0.1:{port}/results/", "result_secret": SECRET}
        async with world(tmp_path, lambda _: Status.BUSY, **where) as server:
            call = await server.placed()
            await until(lambda: bool(program.got))
    told = json.loads(program.got[0][0])["call"]
    assert (told["id"], told["status"], told["report"]["outcome"]) == (call, "busy", "no answer")
