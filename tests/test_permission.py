"""Which calls the real server places and takes: by the hour, by how often, and by what was spent."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.models import Brief, Call, LineKind, Status
from backend.money.tally import Unit, key
from tests.practice_world import CALLEE, Person
from tests.served import ACTION, Served, until, world

NIGHT = datetime(2026, 1, 20, 8, 12, tzinfo=UTC).timestamp()
"""03:12 where the callee lives."""
OTHER = "+12025550199"


async def refused(server: Served, **more: Any) -> str:
    answer = await server.place(**more)
    assert answer.status_code == 422, answer.text
    return str(answer.json()["detail"])


def at_night(server: Served) -> None:
    server.switchboard._clock = lambda: NIGHT


def placed(call_id: str, number: str = CALLEE, ago: float = 60.0, **more: Any) -> Call:
    brief = Brief(number, ACTION, line=LineKind.PHONE)
    made = Call(call_id, brief, Status.COMPLETED, created=time.time() - ago)
    return replace(made, **more)


# --- by the hour ----------------------------------------------------------------------------------------------------


async def test_a_phone_is_not_rung_at_night_unless_the_call_is_expected(tmp_path: Path) -> None:
    async with world(tmp_path, calling_hours="8-21") as server:
        at_night(server)
        for dial in (True, False):
            said = await refused(server, dial=dial)
            assert said.startswith("It is 03:12 where (202) 555-0143 rings (United States)")
            assert "possible in 4 hours 48 minutes" in said
        assert (server.store.count(), server.carrier.calls) == (0, {})
        assert (await server.place(any_hour=True)).status_code == 201


async def test_a_practice_call_wakes_nobody(tmp_path: Path) -> None:
    async with world(tmp_path, calling_hours="8-21") as server:
        at_night(server)
        assert (await server.place(line="practice", dial=False)).status_code == 201


async def test_by_day_and_with_other_hours_it_rings(tmp_path: Path) -> None:
    async with world(tmp_path, calling_hours="3-4") as server:
        at_night(server)
        assert (await server.place()).status_code == 201


# --- by how often ---------------------------------------------------------------------------------------------------


async def test_one_number_is_called_three_times_an_hour_at_most(tmp_path: Path) -> None:
    async with world(tmp_path, max_calls_per_number=3) as server:
        for number, ago in ((CALLEE, 3000.0), (CALLEE, 2000.0), (OTHER, 5.0), (CALLEE, 4000.0)):
            server.store.add(placed(f"earlier {ago}", number, ago))
        await server.placed()
        said = await refused(server)
        assert said.startswith(f"{CALLEE} was called 3 times within an hour: the next call there is possible in 10 min")
        assert (await server.place(to=OTHER)).status_code == 201


async def test_what_rings_no_phone_does_not_use_up_the_limits(tmp_path: Path) -> None:
    async with world(tmp_path, max_calls_per_hour=1, max_calls_per_number=1) as server:
        for _ in range(2):
            await server.placed(line="practice", dial=False)
            await server.placed(dial=False)
        await server.placed()
        assert "The limit of 1 call an hour" in await refused(server, to=OTHER)


async def test_a_registered_call_counts_as_soon_as_somebody_has_dialled_it(tmp_path: Path) -> None:
    async with world(tmp_path, max_calls_per_hour=1) as server:
        call = await server.placed(dial=False)
        await server.token(call, "CA1")
        assert "The limit of 1 call an hour" in await refused(server, to=OTHER)


async def test_calls_that_are_just_being_dialled_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(tmp_path, max_calls_per_hour=1) as server:
        said: list[str] = []

        async def meanwhile() -> None:
            said.append(await refused(server, to=OTHER))

        dial = server.switchboard._carriers[LineKind.PHONE].dial

        async def slow(*arguments: Any, **more: Any) -> str:
            await meanwhile()
            return await dial(*arguments, **more)

        monkeypatch.setattr(server.switchboard._carriers[LineKind.PHONE], "dial", slow)
        await server.placed()
        assert "The limit of 1 call an hour" in said[0]


# --- by what was spent ----------------------------------------------------------------------------------------------


async def test_when_the_days_money_is_spent_nobody_is_called_and_callers_hear_a_busy_line(tmp_path: Path) -> None:
    async with world(tmp_path, max_cost_per_day=2.0, inbound_action="Take a message") as server:
        server.store.add(placed("dear", cost=1.5))
        await server.placed(dial=False)
        server.store.add(placed("yesterday", ago=90_000.0, cost=100.0))
        server.store.add(placed("dearer", OTHER, cost=0.5))
        assert "The limit of $2.00 a day is reached: $2.0" in await refused(server)
        assert "MAX_COST_PER_DAY" in await refused(server, line="practice", dial=False)
        before = server.store.count()
        record = await server.carrier.call_in("+12025550177", f"{server.url}/twilio/voice", Person())
        await until(lambda: record.status.final)
        assert (record.status, server.store.count()) == (Status.BUSY, before)


async def test_what_a_running_call_has_cost_so_far_counts(tmp_path: Path) -> None:
    async with world(tmp_path, max_cost_per_day=1.0) as server:
        running = placed("running", status=Status.IN_PROGRESS, ago=600.0, answered=time.time() - 590.0)
        server.store.add(running)
        await server.placed()
        heard = {key(Unit.CHARACTERS, "eleven_flash_v2_5"): 20_000}
        server.store.add(replace(running, id="talkative", counts=heard))
        assert "The limit of $1.00 a day is reached" in await refused(server)
