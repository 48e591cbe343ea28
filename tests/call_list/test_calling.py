"""`phone-agent call-list` against a media server: in order, so many at once, stopping, and going on."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from backend.answers import CallInFull, Placed
from backend.cli import main
from backend.models import Brief, Call, Claim, Outcome, Report, Status
from backend.running.exits import Exit
from backend.serving import serve
from backend.templates import Template

Run = Callable[..., Awaitable[tuple[int, str]]]
PEOPLE = ["+12025550143,Maya Chen,Tuesday", "+12025550144,Jo Park,Friday", "+12025550145,Al Ruiz,Monday"]


class Desk:
    """A media server that answers for each number as it is told, and notes who rang at the same time."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {}
        self.asked: list[dict[str, Any]] = []
        self.ringing: set[str] = set()
        self.most = 0

    @property
    def numbers(self) -> list[str]:
        return [asked["to"][-4:] for asked in self.asked]

    def place(self, asked: dict[str, Any]) -> Any:
        self.asked.append(asked)
        code, said = self.answers.get(asked["to"], (0, ""))
        if code:
            return JSONResponse({"detail": said}, status_code=code)
        call = asked["to"][-4:]
        self.ringing.add(call)
        self.most = max(self.most, len(self.ringing))
        return Placed(call)

    def call(self, number: str) -> CallInFull:
        """Over with the second look."""
        if number in self.ringing:
            self.ringing.discard(number)
            return CallInFull(Call(number, Brief(number, "x"), Status.IN_PROGRESS), [])
        report = Report(Outcome.CONFIRMED, Claim("=Confirmed.", (1,), 0.9))
        return CallInFull(Call(number, Brief(number, "x"), Status.COMPLETED, Outcome.CONFIRMED, report=report), [])


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[int]:
    app = FastAPI()

    @app.get("/api/templates")
    async def templates() -> list[Template]:
        return [Template(1, "Visit", "Confirm {first name}'s visit on {day}.")]

    @app.post("/api/calls", status_code=201, response_model=None)
    async def place(request: Request) -> Any:
        return desk.place(await request.json())

    @app.get("/api/calls/{number}")
    async def call(number: str) -> CallInFull:
        return desk.call(number)

    async with serve(app) as port:
        yield port


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def run(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The exit code, and everything that is printed."""
    monkeypatch.setenv("API_TOKEN", "a-token-for-this-test")
    monkeypatch.setattr("backend.call_list.calling._EVERY", 0.0)

    async def run(lines: list[str], *more: str, template: str = "visit") -> tuple[int, str]:
        file = tmp_path / "people.csv"
        file.write_text("\n".join(["number,name,day", *lines]))
        async with served(desk) as port:
            monkeypatch.setenv("MEDIA_SERVER_PORT", str(port))
            code = await asyncio.to_thread(main, ["call-list", str(file), "--template", template, *more])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def results(folder: Path) -> list[list[str]]:
    with (folder / "people.results.csv").open(newline="") as file:
        return list(csv.reader(file))


async def test_everybody_is_called_in_order_and_the_results_are_written(desk: Desk, run: Run, tmp_path: Path) -> None:
    code, said = await run(PEOPLE, "--org", "Lakeside")
    assert code == Exit.OK, said
    assert desk.numbers == ["0143", "0144", "0145"] and desk.most == 1
    assert (desk.asked[0]["action"], desk.asked[0]["organization"]) == ("Confirm Maya's visit on Tuesday.", "Lakeside")
    assert not desk.asked[0]["any_hour"]
    heading, first, *_ = results(tmp_path)
    assert heading == ["number", "name", "day", "status", "outcome", "result", "call"]
    assert first == [*PEOPLE[0].split(","), "completed", "confirmed", "'=Confirmed.", "0143"]
    assert "1  Maya Chen +12025550143  completed confirmed" in said


async def test_so_many_are_called_at_once(desk: Desk, run: Run) -> None:
    assert (await run(PEOPLE * 2, "--at-once", "3"))[0] == Exit.OK
    assert 1 <= desk.most <= 3 and len(desk.asked) == 3, "the same line is called once"


async def test_who_has_a_result_is_not_called_again(desk: Desk, run: Run) -> None:
    await run(PEOPLE[:2])
    code, said = await run(PEOPLE)
    assert (code, desk.numbers) == (Exit.OK, ["0143", "0144", "0145"])
    assert "1 to call, 2 have a result already." in said


async def test_what_is_refused_is_said_passed_over_and_tried_again(desk: Desk, run: Run, tmp_path: Path) -> None:
    desk.answers["+12025550144"] = (422, "It is 03:12 where (202) 555-0144 rings.")
    code, said = await run(PEOPLE)
    assert code == Exit.NOT_COMPLETED and "It is 03:12" in said
    assert [line[0][-4:] for line in results(tmp_path)[1:]] == ["0143", "0145"]
    desk.answers.clear()
    assert (await run(PEOPLE))[0] == Exit.OK
    assert desk.numbers[3:] == ["0144"]


async def test_it_stops_after_three_calls_in_a_row_that_nobody_takes(desk: Desk, run: Run) -> None:
    people = [f"+1202555010{number},P{number},Friday" for number in range(8)]
    desk.answers |= {f"+1202555010{number}": (502, "Twilio is down.") for number in (0, 2, 3, 4)}
    code, said = await run(people)
    assert (code, desk.numbers) == (Exit.PROVIDER, ["0100", "0101", "0102", "0103", "0104"])
    assert "Stopped: 3 calls in a row were not taken." in said
    before = [asked["request"] for asked in desk.asked]
    desk.answers.clear()
    assert (await run(people))[0] == Exit.OK
    assert desk.numbers[5:] == ["0100", "0102", "0103", "0104", "0105", "0106", "0107"]
    assert not set(before) & {asked["request"] for asked in desk.asked[5:]}, "those calls failed, and are others now"


async def test_a_server_that_refuses_everybody_is_no_provider_that_failed(desk: Desk, run: Run) -> None:
    desk.answers["+12025550143"] = (401, "The bearer token is missing or wrong.")
    code, said = await run(PEOPLE)
    assert code == Exit.REFUSED and "bearer token" in said
    assert desk.numbers == ["0143"]


async def test_what_is_wrong_with_the_list_is_said_before_anybody_is_called(desk: Desk, run: Run) -> None:
    for lines, more, said in (
        (["+12025550143,Maya,"], {}, "line 2: there is nothing for “day”"),
        (PEOPLE, {"template": "Nonesuch"}, "There is no template “Nonesuch”. There are: “Visit”."),
    ):
        code, told = await run(lines, **more)
        assert (code, said in told) == (Exit.REFUSED, True), told
    assert desk.asked == []


async def test_the_results_of_another_list_are_not_taken_for_its_own(desk: Desk, run: Run, tmp_path: Path) -> None:
    (tmp_path / "people.results.csv").write_text("number,name,status,outcome,result,call\n")
    code, said = await run(PEOPLE)
    assert (code, desk.asked) == (Exit.REFUSED, []) and "has other columns than the list" in said
