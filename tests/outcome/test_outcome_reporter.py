"""Who gets a report when: a failing model is asked again a little later, then the rules write; calls never wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.bench.virtual_time import in_virtual_time
from backend.models import Brief, Call, Claim, Outcome, ProviderError, Report, Speaker, Status, Turn, TurnState
from backend.money.tally import Tally
from backend.outcome import errands
from backend.outcome.reporter import AGAIN, DEADLINE, Reporter
from backend.storage.store import Store

CALL = Call(
    "call",
    Brief("+12025550143", "Confirm the cleaning on Tuesday at 10 a.m.", callee_name="Maria"),
    Status.COMPLETED,
    Outcome.UNCLEAR,
    ending="They said goodbye.",
    answered=1.0,
)
SAID = (
    Turn(
        1,
        Speaker.AGENT,
        "Your cleaning is on Tuesday at ten.",
        "Your cleaning is on Tuesday at ten.",
        TurnState.DONE,
        1,
    ),
    Turn(2, Speaker.CALLEE, "Yes, that works for me.", "Yes, that works for me.", TurnState.DONE, 2),
)
GOOD = Report(Outcome.CONFIRMED, Claim("Confirmed for Tuesday at 10 a.m.", (1, 2), 0.9), author="the model")
BAD = replace(GOOD, outcome=Outcome.DECLINED, result=Claim("Declined.", (7,), 0.9))


class Writes:
    """A writer that does what its script says, one thing for each request."""

    def __init__(self, *script: Report | Exception | float) -> None:
        self._script = list(script)
        self.asked: list[tuple[str, float]] = []

    async def write(self, call: Call, turns: Sequence[Turn], tally: Tally) -> Report:
        self.asked.append((call.id, asyncio.get_running_loop().time()))
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            return GOOD
        return step


@asynccontextmanager
async def reports(folder: Path, writer: Writes | None, *calls: Call) -> AsyncIterator[tuple[Reporter, Store]]:
    with Store(folder / "calls.db") as store:
        for call in calls or (CALL,):
            store.add(call)
            for turn in SAID:
                store.write_turn(call.id, turn)
        async with Reporter(store, writer) as reporter:
            yield reporter, store


def row(store: Store, call_id: str = "call") -> Call:
    call = store.call(call_id)
    assert call
    return call


@pytest.fixture(autouse=True)
def in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time stands still for threads, so what is done in one is done at once."""

    async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


@in_virtual_time
async def test_a_report_with_proof_overrules_the_first_judgement(tmp_path: Path) -> None:
    async with reports(tmp_path, Writes(GOOD)) as (reporter, store):
        reporter.request("call")
        await reporter.done()
        assert (row(store).outcome, row(store).report) == (Outcome.CONFIRMED, GOOD)


@in_virtual_time
async def test_a_report_without_proof_is_kept_for_review_and_overrules_nothing(tmp_path: Path) -> None:
    async with reports(tmp_path, Writes(BAD)) as (reporter, store):
        reporter.request("call")
        await reporter.done()
        found = row(store).report
        assert found and found.result.doubtful and found.result.turns == ()
        assert row(store).outcome is Outcome.UNCLEAR


@in_virtual_time
async def test_without_a_model_the_rules_report(tmp_path: Path) -> None:
    async with reports(tmp_path, None) as (reporter, store):
        reporter.request("call")
        await reporter.done()
        found = row(store).report
        assert found and (found.author, found.outcome) == ("rules", Outcome.CONFIRMED)


@in_virtual_time
async def test_a_model_that_fails_is_asked_again_later_and_then_no_more(tmp_path: Path) -> None:
    writer, loop = Writes(*[ProviderError("Claude is overloaded")] * 3), asyncio.get_running_loop()
    async with reports(tmp_path, writer) as (reporter, store):
        began = loop.time()
        reporter.request("call")
        await asyncio.sleep(sum(AGAIN) - 1)
        assert row(store).report is None
        await asyncio.sleep(2)
        found = row(store).report
        assert found and found.author == "rules"
        assert [at - began for _, at in writer.asked] == pytest.approx([0, AGAIN[0], sum(AGAIN)], abs=0.1)


@in_virtual_time
async def test_a_model_that_recovers_writes_the_report_after_all(tmp_path: Path) -> None:
    async with reports(tmp_path, Writes(ProviderError("busy"), GOOD)) as (reporter, store):
        reporter.request("call")
        await asyncio.sleep(AGAIN[0] + 1)
        assert row(store).report == GOOD


@in_virtual_time
async def test_a_model_that_takes_for_ever_holds_up_one_report_for_a_while_only(tmp_path: Path) -> None:
    writer = Writes(1e6, GOOD, GOOD)
    async with reports(tmp_path, writer, CALL, replace(CALL, id="next")) as (reporter, store):
        reporter.request("call")
        reporter.request("next")
        await asyncio.sleep(DEADLINE + 1)
        assert (row(store).report, row(store, "next").report) == (None, GOOD)
        await asyncio.sleep(AGAIN[0])
        assert row(store).report == GOOD


@in_virtual_time
async def test_a_fault_in_one_report_has_the_rules_write_it_and_leaves_the_others(tmp_path: Path) -> None:
    writer = Writes(KeyError("bug"), GOOD)
    async with reports(tmp_path, writer, CALL, replace(CALL, id="next")) as (reporter, store):
        for call_id in ("call", "next", "call"):
            reporter.request(call_id)
        await reporter.done()
        found = row(store).report
        assert found and (found.author, row(store, "next").report) == ("rules", GOOD)
        assert [call_id for call_id, _ in writer.asked] == ["call", "next"]


@in_virtual_time
async def test_nobody_is_asked_about_a_call_that_runs_or_has_its_report_or_that_nobody_took(tmp_path: Path) -> None:
    running = replace(CALL, id="running", status=Status.IN_PROGRESS)
    known = replace(CALL, id="known", report=GOOD)
    busy = replace(CALL, id="busy", status=Status.BUSY, outcome=Outcome.NO_ANSWER, ending="The line was busy.")
    writer = Writes()
    with Store(tmp_path / "calls.db") as store:
        for call in (running, known, busy):
            store.add(call)
        async with Reporter(store, writer) as reporter:
            for name in ("running", "known", "busy", "nobody"):
                reporter.request(name)
            await reporter.done()
        found = row(store, "busy").report
        assert found and (found.result.text, found.doubtful) == ("The line was busy.", False)
        assert row(store, "running").report is None
    assert writer.asked == []


@in_virtual_time
async def test_leaving_stops_at_once_and_leaves_nothing_running(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with reports(tmp_path, Writes(1e6)) as (reporter, _):
        reporter.request("call")
        await asyncio.sleep(1)
    assert asyncio.all_tasks() == before


@in_virtual_time
async def test_more_than_can_wait_is_left_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(errands, "_MOST_WAITING", 1)
    async with reports(tmp_path, Writes(GOOD)) as (reporter, _):
        for _ in range(3):
            reporter.request("call")
        assert "at the next start" in caplog.text
