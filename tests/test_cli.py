"""The command line against a media server that says what the test wants."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from rich.console import Console

from backend.answers import CallInFull
from backend.cli import main
from backend.client import Client
from backend.config import Settings
from backend.models import Brief, Call, Claim, Outcome, Report, Speaker, Status, Turn, TurnState
from backend.running.exits import Exit
from backend.running.watch import clean, finished, spoken, watch
from backend.serving import free_port, serve

TOKEN = "a-token-for-this-test"
PLACE = ["call", "+12025550143", "Confirm the visit", "Tuesday at three", "Maya Chen"]
GREETING = Turn(1, Speaker.AGENT, "Hi Maya, have you a moment?", "Hi Maya, have you a moment?", TurnState.DONE, 1.0)
YES = Turn(2, Speaker.CALLEE, "Yes, of [bold]course.", "Yes, of [bold]course.", TurnState.DONE, 2.0)
RINGING = Call("abc", Brief("+12025550143", "Confirm the visit", callee_name="Maya Chen"), Status.RINGING, created=1.0)
TALKING = replace(RINGING, status=Status.IN_PROGRESS)
DONE = replace(
    TALKING, status=Status.COMPLETED, outcome=Outcome.CONFIRMED, note="Tuesday is fine.", ending="They hung up."
)

Story = list[CallInFull]
Cli = Callable[..., Any]


def opened(turn: Turn, text: str) -> Turn:
    return replace(turn, text=text, heard="", state=TurnState.OPEN)


STORY = [
    CallInFull(RINGING, []),
    CallInFull(TALKING, [opened(GREETING, "Hi Maya,")]),
    CallInFull(TALKING, [GREETING, opened(YES, "Yes")]),
    CallInFull(DONE, [GREETING, YES]),
]


@asynccontextmanager
async def media_server(story: Story = STORY, refusal: tuple[int, str] | None = None) -> AsyncIterator[FastAPI]:
    """Each look at the call shows the story's next page, and then the last for ever."""
    app, pages = FastAPI(), iter(story)
    app.state.asked = []
    page = story[0]

    @app.post("/api/calls", status_code=201)
    async def place(request: Request) -> Any:
        app.state.asked.append(await request.json())
        if refusal:
            return JSONResponse({"detail": refusal[1]}, status_code=refusal[0])
        return {"id": "abc", "provider_sid": "CA1", "twiml_url": ""}

    @app.get("/api/calls")
    async def calls(search: str, limit: int) -> list[Call]:
        app.state.asked.append((search, limit))
        return [] if search else [DONE]

    @app.get("/api/calls/{call_id}")
    async def one(call_id: str) -> Any:
        nonlocal page
        page = next(pages, page)
        return page if call_id == "abc" else JSONResponse({"detail": "There is no such call."}, status_code=404)

    @app.post("/api/calls/{call_id}/hangup", status_code=202)
    async def hang_up(call_id: str) -> None:
        app.state.asked.append(call_id)

    async with serve(app) as app.state.port:
        yield app


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("API_TOKEN", TOKEN)
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "calls.db"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("backend.running.watch._EVERY", 0.0)
    monkeypatch.setattr("backend.running.watch._REPORT_WAIT", 0.0)
    yield


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    async def call(app: FastAPI, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("MEDIA_SERVER_PORT", str(app.state.port))
        code = await asyncio.to_thread(main, list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


async def test_a_call_is_placed_and_its_ids_printed(cli: Cli) -> None:
    async with media_server() as app:
        assert await cli(app, *PLACE) == (0, "Call abc (CA1)\n", "")
    (asked,) = app.state.asked
    assert (asked["to"], asked["action"], asked["callee_name"]) == ("+12025550143", "Confirm the visit", "Maya Chen")
    assert asked["line"] is None


async def test_agent_organisation_line_and_persona_are_passed_on(cli: Cli) -> None:
    async with media_server() as app:
        code, *_ = await cli(app, *PLACE, "Sam", "Lakeside", "--line", "practice", "--persona", "busy")
    assert code == 0
    wanted = {"agent_name": "Sam", "organization": "Lakeside", "line": "practice", "persona": "busy"}
    assert app.state.asked[0].items() >= wanted.items()


async def test_a_call_at_night_is_expected_only_where_that_is_said(cli: Cli) -> None:
    async with media_server() as app:
        await cli(app, *PLACE)
        await cli(app, *PLACE, "--any-hour")
    assert [asked["any_hour"] for asked in app.state.asked] == [False, True]


async def test_watching_prints_each_turn_once_and_the_outcome(cli: Cli) -> None:
    async with media_server() as app:
        code, out, err = await cli(app, *PLACE, "--watch")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Call abc (CA1)",
        "  1 Agent   Hi Maya, have you a moment?",
        "  2 Callee  Yes, of [bold]course.",
        "completed: confirmed. Tuesday is fine. They hung up.",
    ]


async def test_watching_waits_for_the_report_and_prints_what_proves_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.running.watch._REPORT_WAIT", 10.0)
    report = Report(
        Outcome.CONFIRMED,
        Claim("Tuesday at three is \x1b[2Jconfirmed.", (1, 2), 0.9),
        agreed=(Claim("She brings the papers.", (), 0.9),),
        questions=(Claim("Is there parking?", (2,), 0.9),),
    )
    told = CallInFull(replace(DONE, report=report), [GREETING, YES])
    async with media_server([*STORY, STORY[-1], told]) as app:
        code, out, _ = await cli(app, *PLACE, "--watch")
    assert code == 0
    assert out.splitlines()[-3:] == [
        "Result   Tuesday at three is [2Jconfirmed.  [turns 1, 2]",
        "Agreed   She brings the papers.  to review",
        "Open     Is there parking?  [turn 2]",
    ]


async def test_a_call_that_nobody_picks_up_is_told_by_the_exit_code(cli: Cli) -> None:
    busy = replace(RINGING, status=Status.BUSY, outcome=Outcome.NO_ANSWER, ending="The line was busy.")
    async with media_server([CallInFull(busy, [])]) as app:
        code, out, _ = await cli(app, *PLACE, "--watch")
    assert code == 1
    assert out.splitlines()[-1] == "busy: no answer. The line was busy."


async def test_json_is_one_object_a_line(cli: Cli) -> None:
    async with media_server() as app:
        code, out, _ = await cli(app, *PLACE, "--watch", "--json")
    ids, whole = map(json.loads, out.splitlines())
    assert code == 0
    assert ids == {"id": "abc", "provider_sid": "CA1"}
    assert whole["call"]["outcome"] == "confirmed" and len(whole["turns"]) == 2


@pytest.mark.parametrize(("status", "code"), [(422, 3), (502, 5), (401, 3)])
async def test_a_call_that_is_not_placed_says_why(cli: Cli, status: int, code: int) -> None:
    async with media_server(refusal=(status, "This is why.")) as app:
        assert await cli(app, *PLACE) == (code, "", "This is why.\n")


def test_without_a_media_server_it_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIA_SERVER_PORT", str(free_port()))
    assert main(PLACE) == 4
    assert "start it with `make run`" in capsys.readouterr().err


@pytest.mark.parametrize("command", [PLACE, ["calls"], ["serve"], ["run"]])
def test_bad_settings_are_said_in_one_line(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIA_SERVER_PORT", "none")
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("MEDIA_SERVER_PORT: ")


@pytest.mark.parametrize("command", [["call", "+12025550143"], ["dial"], [*PLACE, "--line", "fax"]])
def test_wrong_usage_is_2(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    assert "Usage:" in capsys.readouterr().err


def test_a_folder_that_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "file" / "calls.db"))
    monkeypatch.delenv("API_TOKEN")
    for command in (PLACE, ["calls"], ["serve"]):
        assert main(command) == Exit.BAD_USAGE
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{tmp_path / 'file'} cannot be used (")
        assert "DATABASE_PATH" in line


def test_a_database_that_is_none_keeps_the_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "calls.db").write_text("These are no calls.")
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "calls.db"))
    assert main(["serve"]) == Exit.BAD_USAGE
    assert "calls.db cannot be opened (file is not a database)" in capsys.readouterr().err


def test_a_misspelt_key_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("MAX_CALL_PER_HOUR=5\nSTREAMLIT_SERVER_PORT=5\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    (tmp_path / "calls.db").write_text("These are no calls, so that nothing is served.")
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "calls.db"))
    main(["serve"])
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "MAX_CALL_PER_HOUR in .env is no setting: did you mean MAX_CALLS_PER_HOUR?"
    assert len(said) == 2


def test_help_lists_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "--help"]) == 0
    assert "4 the media server is not running" in " ".join(capsys.readouterr().out.split())


async def test_who_is_to_be_the_callee_is_told_where_it_rings(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_PORT", "8599")
    async with media_server() as app:
        _, out, _ = await cli(app, *PLACE, "--persona", "me")
        assert out == "Call abc (CA1)\nAnswer it at http://localhost:8599/live?call=abc\n"
        for elsewhere in (["--persona", "cooperative"], ["--persona", "me", "--line", "phone"]):
            _, out, _ = await cli(app, *PLACE, *elsewhere)
            assert "Answer" not in out


async def test_calls_are_listed(cli: Cli) -> None:
    async with media_server() as app:
        code, out, _ = await cli(app, "calls", "--limit", "5")
        assert (await cli(app, "calls", "--search", "zebra"))[1] == "No call has that in it.\n"
        listed = json.loads((await cli(app, "calls", "--json"))[1])
    assert code == 0
    assert all(words in out for words in ("abc", "Maya Chen", "completed", "confirmed", "Confirm the visit"))
    assert [call["id"] for call in listed] == ["abc"]
    assert app.state.asked[0] == ("", 5)


async def test_one_call_is_shown_with_its_troubles(cli: Cli) -> None:
    cut = replace(GREETING, heard="Hi Maya,", state=TurnState.CUT)
    troubled = replace(DONE, troubles=("Deepgram was lost for 2 s",))
    async with media_server([CallInFull(troubled, [cut, YES])]) as app:
        code, out, _ = await cli(app, "show", "abc")
    assert code == 0
    assert "Agent   Hi Maya, [cut off before: have you a moment?]" in out
    assert "Trouble: Deepgram was lost for 2 s" in out


async def test_an_unknown_call_is_refused(cli: Cli) -> None:
    async with media_server() as app:
        assert await cli(app, "show", "nope") == (3, "", "There is no such call.\n")


async def test_hangup_names_the_call(cli: Cli) -> None:
    async with media_server() as app:
        assert await cli(app, "hangup", "abc") == (0, "", "")
    assert app.state.asked == ["abc"]


async def test_a_terminal_sees_words_while_they_are_said() -> None:
    screen = io.StringIO()
    out = Console(file=screen, force_terminal=True, width=80, color_system=None)
    async with media_server() as app:
        with Client(f"http://127.0.0.1:{app.state.port}", TOKEN) as client:
            ended = await asyncio.to_thread(watch, client, "abc", out)
    assert ended.outcome is Outcome.CONFIRMED
    drawn = screen.getvalue()
    assert "Callee  Yes …" in drawn and "Callee  Yes, of [bold]course." in drawn
    assert "\x1b[2K" in drawn, "what was partial is taken back"


def test_a_turn_waits_for_those_before_it() -> None:
    assert finished([GREETING, opened(YES, "Yes"), replace(GREETING, number=3)]) == [GREETING]
    assert finished([GREETING, YES]) == [GREETING, YES]


def test_words_from_the_phone_cannot_steer_the_terminal() -> None:
    assert clean("Hi\x1b[2J\x07 there\n") == "Hi[2J there"
    assert "\x1b" not in spoken(replace(YES, text="\x1b]0;title\x07Yes")).plain


def test_a_taken_port_keeps_the_server_from_starting_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("MEDIA_SERVER_PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "calls.db"))
        monkeypatch.setattr("backend.providers.deaf", lambda: "Not installed here.")
        monkeypatch.setattr("backend.providers.mute", lambda: "Not installed here.")
        assert main(["serve"]) == Exit.SERVER_DOWN
    assert "could not start" in capfd.readouterr().err
