"""Every call of the real server gets its report: at its end, or at the next start if the server died under it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backend.answers import CallInFull
from backend.client import _ANSWERS
from backend.models import Brief, Call, LineKind, Outcome, Speaker, Status, Turn, TurnState
from backend.storage.store import Store
from backend.switchboard.switchboard import _MOST_REPORTS, _REPORT_WITHIN
from tests.served import until, world

BRIEF = Brief("+12025550143", "Confirm the cleaning on Tuesday at 10 a.m.", callee_name="Maria Gomez")
PUT = "I'm calling to confirm the cleaning on Tuesday at ten. Does that still work for you?"
SAID = (
    Turn(1, Speaker.AGENT, PUT, PUT, TurnState.DONE, 1.0, 2.0),
    Turn(2, Speaker.CALLEE, "Yes, that works for me.", "Yes, that works for me.", TurnState.DONE, 3.0, 4.0),
)


def left_behind(folder: Path, **row: object) -> None:
    """What a server that is gone left in the database."""
    now = time.time()
    known: dict[str, object] = {"status": Status.IN_PROGRESS, "created": now - 60, "answered": now - 50}
    with Store(folder / "calls.db") as store:
        store.add(Call(**{"id": "left", "brief": BRIEF} | known | row))  # type: ignore[arg-type]
        for turn in SAID:
            store.write_turn("left", turn)


async def test_a_call_whose_server_died_gets_its_outcome_when_the_server_is_back(tmp_path: Path) -> None:
    left_behind(tmp_path)
    async with world(tmp_path) as server:
        await until(lambda: server.row("left").report is not None)
        row = server.row("left")
        assert (row.status, row.ending) == (Status.FAILED, "The media server stopped during this call.")
        assert row.report and (row.outcome, row.report.result.turns) == (Outcome.CONFIRMED, (1, 2))
        answer = await server.operator.get("/api/calls/left")
        told: CallInFull = _ANSWERS[CallInFull].validate_json(answer.content)
        assert told.call.report == row.report


@pytest.mark.parametrize("line", LineKind)
async def test_a_finished_call_without_a_report_gets_one_on_either_line(tmp_path: Path, line: LineKind) -> None:
    brief = Brief(BRIEF.to, BRIEF.action, line=line)
    left_behind(tmp_path, brief=brief, status=Status.COMPLETED, outcome=Outcome.HUNG_UP, ended=time.time())
    async with world(tmp_path) as server:
        await until(lambda: server.row("left").report is not None)
        assert server.row("left").outcome is Outcome.CONFIRMED


async def test_old_calls_are_left_alone(tmp_path: Path) -> None:
    long_ago = time.time() - _REPORT_WITHIN - 60
    left_behind(tmp_path, status=Status.COMPLETED, outcome=Outcome.HUNG_UP, created=long_ago)
    async with world(tmp_path) as server:
        await server.switchboard._reporter.done()
        assert server.row("left").report is None
    assert _MOST_REPORTS <= 500


async def test_a_call_that_nobody_took_is_reported_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Status.BUSY) as server:
        call = await server.placed()
        await until(lambda: server.row(call).report is not None)
        found = server.row(call).report
        assert found and (found.outcome, found.result.text) == (Outcome.NO_ANSWER, "The line was busy.")
        assert not found.doubtful
