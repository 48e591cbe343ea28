"""Somebody calls back: the agent knows that we called, and nobody hears from it what about."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from backend.models import Brief, Call, Direction, LineKind, Outcome, Status
from backend.switchboard.returned import missed
from tests.practice_world import Person
from tests.served import until, world

MONDAY = datetime(2026, 11, 23, 12).timestamp()
MATTER = "Tell Dana that the biopsy's results are here"
CALLED = Call(
    "out",
    Brief("+12025550177", MATTER, callee_name="Dana Miller", line=LineKind.PHONE),
    Status.COMPLETED,
    Outcome.VOICEMAIL,
    created=MONDAY,
)


def test_a_call_that_reached_nobody_is_known_by_its_day_and_not_by_its_matter() -> None:
    said = missed([CALLED], MONDAY + 3600)
    assert said.startswith("We called this number on Monday, November 23, and left a message. A colleague knows")
    assert "biopsy" not in said and "Dana" not in said
    assert "and nobody picked up" in missed([replace(CALLED, outcome=Outcome.NO_ANSWER)], MONDAY + 3600)


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [replace(CALLED, outcome=Outcome.CONFIRMED), CALLED],
        [replace(CALLED, brief=replace(CALLED.brief, line=LineKind.PRACTICE))],
        [replace(CALLED, brief=replace(CALLED.brief, direction=Direction.INBOUND))],
        [replace(CALLED, created=MONDAY - 8 * 86_400)],
        [replace(CALLED, outcome=None, status=Status.RINGING)],
    ],
)
def test_where_we_did_not_call_in_vain_nothing_is_said(calls: list[Call]) -> None:
    assert missed(calls, MONDAY + 3600) == ""


async def test_who_calls_back_reaches_an_agent_that_knows_of_the_call(tmp_path: Path) -> None:
    async with world(tmp_path, inbound_action="Take a message", inbound_context="We close at six.") as server:
        server.store.add(replace(CALLED, created=time.time() - 600))
        record = await server.carrier.call_in("+12025550177", f"{server.url}/twilio/voice", Person())
        await until(lambda: server.store.call_of(record.sid) is not None)
        row = server.store.call_of(record.sid)
        assert row
        lines = row.brief.context.splitlines()
        assert lines[0] == "We close at six."
        assert lines[1].startswith("We called this number on ")
        assert MATTER not in row.brief.context and row.brief.callee_name == ""
        await server.switchboard.hang_up(row.id)
        await server.over(row.id)
