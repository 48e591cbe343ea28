"""The benchmark's arithmetic, and one small run of the real thing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from backend.bench.caller import Turn
from backend.bench.figures import (
    CallSeen,
    Cost,
    Delays,
    Figure,
    ReplySeen,
    Seen,
    figure,
    figures,
    first_loud,
    last_loud,
    lateness,
    percentile,
    silence,
    whole_frames,
)
from backend.bench.meter import Meter
from backend.bench.report import as_json, failures, table, watched
from backend.bench.stage import Plan, first_clause, pieces_of

NAMES = [
    "opening",
    "opening, slow vendors",
    "voice to voice",
    "  decide",
    "  first token",
    "  first clause",
    "  first voice byte",
    "  deliver",
    "reply delivery",
    "interruption",
    "lateness",
    "silence in a reply",
    "CPU per call minute",
    "memory per call",
]
REPLY = ReplySeen(10.0, 10.3, 10.66, 10.77, 10.9, 10.905, 10.92, pieces=8)
CALL = CallSeen(1.205, (REPLY,), (0.76,), (-0.01, 0.002), (0.0,))
COST = Cost(cpu=3.0, talked=120.0, memory=9.0, at_once=3)


def seen(*calls: CallSeen, cost: Cost = COST) -> Seen:
    return Seen(Delays(), calls, (CallSeen(1.21),), cost)


def by_name(run: Seen) -> dict[str, Figure]:
    return {line.name.strip(): line for line in figures(run)}


# --- arithmetic -------------------------------------------------------------------------------------------------


def test_the_earliest_reply_is_all_delays_in_a_row_up_to_the_next_frame() -> None:
    # 260 + 350 + 8 tokens at 12.5 + 130 ms = 840 ms, which is a frame; one token more begins another.
    assert Delays().reply(8) == pytest.approx(0.84)
    assert Delays().reply(9) == pytest.approx(0.86)


def test_the_earliest_interruption_is_two_words_and_their_recognition() -> None:
    assert Delays().interruption == pytest.approx(0.72)
    assert Delays(word=0.4, lag=0.11).interruption == pytest.approx(0.92)


def test_frames_are_counted_up_but_not_for_an_error_of_rounding() -> None:
    assert whole_frames(0.1 + 0.2) == pytest.approx(0.3)
    assert whole_frames(0.301) == pytest.approx(0.32)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, part) for part in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.5) is None


def test_what_the_product_adds_is_reckoned_for_each_value_and_not_from_the_medians() -> None:
    line = figure("any", [0.9, 0.8, 1.0], fixed=[0.82, 0.79, 0.88])
    assert (line.median, line.fixed, line.ours) == (900, 820, 80)


def test_the_stages_of_a_reply_add_up_to_all_of_it() -> None:
    lines = by_name(seen(CALL))
    stages = [lines[name].median for name in ("decide", "first token", "first clause", "first voice byte", "deliver")]
    assert sum(value or 0 for value in stages) == pytest.approx(lines["voice to voice"].median)
    assert lines["voice to voice"].ours == pytest.approx(80)
    assert lines["reply delivery"].median == pytest.approx(5)


def test_costs_are_shared_among_minutes_and_calls() -> None:
    lines = by_name(seen(CALL))
    assert (lines["CPU per call minute"].median, lines["memory per call"].median) == (1.5, 3.0)


def test_a_run_in_which_nothing_happened_still_has_every_line() -> None:
    run = Seen(Delays(), (), (), Cost(None, 0.0, None, 1))
    assert [line.name for line in figures(run)] == NAMES
    assert all(line.median is None and not line.count for line in figures(run))


def test_pieces_that_come_when_they_are_due_are_not_late() -> None:
    # Three at once fill a lead of 0.2 s; then one each 0.1 s, the last of which comes 30 ms after its moment.
    arrivals = [(5.0, 800), (5.0, 800), (5.0, 800), (5.1, 800), (5.2, 800), (5.33, 800)]
    assert list(lateness(arrivals, lead=0.2)) == pytest.approx([0.0, 0.0, 0.03])


def test_a_carrier_that_ran_dry_counts_the_next_piece_from_there() -> None:
    arrivals = [(5.0, 1600), (5.0, 800), (6.0, 800), (6.0, 800), (6.0, 800), (6.1, 800)]
    late = list(lateness(arrivals, lead=0.2))
    assert (late[0], late[-1]) == pytest.approx((0.9, 0.0))


def test_silence_counts_only_between_the_first_and_the_last_sound() -> None:
    loud = [False, True, True, False, False, True, False]
    frames = [(1 + place * 0.02, value) for place, value in enumerate(loud)]
    assert silence(frames, 0, 9) == pytest.approx(0.04)
    assert silence(frames, 0, 1.05) == 0
    assert first_loud(frames, 1.05) == pytest.approx(1.1)
    assert last_loud(frames, 1.0, 1.09) == pytest.approx(1.06)
    assert (first_loud(frames, 2), last_loud(frames, 2, 3)) == (None, None)


def test_first_clauses_are_told_apart_and_differ_in_length() -> None:
    clauses = [first_clause(call, turn) for call in range(20) for turn in range(1, 5)]
    assert not any(one != other and other.startswith(one) for one in clauses for other in clauses)
    assert len({pieces_of(clause) for clause in clauses}) > 2
    assert all(len(clause) >= 25 for clause in clauses), "too short to be voiced before its sentence is over"


def test_doubtful_figures_are_said_to_be_doubtful() -> None:
    assert failures(seen(CALL)) == []
    broken = CallSeen(None, missing=2, faults=("31950: a binary message",))
    assert failures(seen(CALL, broken)) == [
        "1 of 3 calls had no opening.",
        "2 replies never came; the figures are of the others.",
        "The carrier found a fault: 31950: a binary message",
    ]


# --- the real thing ---------------------------------------------------------------------------------------------


def test_a_small_run_measures_every_line(tmp_path: Path) -> None:
    plan = Plan(
        calls=1,
        turns=(Turn(0.8, interrupts=0.2),),
        openings=1,
        rings=0.2,
        slow=Delays(first_byte=0.3),
        slow_rings=0.5,
    )
    console = Console(file=(tmp_path / "out.txt").open("w"), width=120)
    with console.file:
        run = watched(plan, console)
        lines = figures(run)
        console.print(table(lines))
    assert failures(run) == []
    assert [line.name for line in lines] == NAMES
    counts = {line.name.strip(): line.count for line in lines}
    assert (counts["opening"], counts["voice to voice"], counts["interruption"]) == (1, 1, 1)
    assert all(line.median is not None and line.median >= 0 for line in lines if line.unit == "ms")
    known = {line.name.strip(): line.median for line in lines}
    assert 1200 <= (known["opening"] or 0) < 5000 and 1200 <= (known["opening, slow vendors"] or 0) < 5000
    assert (known["first token"] or 0) >= 349 and (known["first voice byte"] or 0) >= 129
    assert "voice to voice" in (tmp_path / "out.txt").read_text()
    assert json.loads(json.dumps(as_json(plan, run, lines, [])))["seen"]["calls"][0]["replies"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
async def test_a_process_is_weighed_from_the_moment_it_is_asked_for() -> None:
    async with Meter(os.getpid()) as meter:
        deadline = time.process_time() + 0.05
        while time.process_time() < deadline:
            pass
        assert 0.03 <= (meter.cpu() or 0) < 5
        assert (meter.grown() or 0) >= 0
        meter.reset()
        assert (meter.cpu() or 0) < 0.05


async def test_a_process_that_is_gone_costs_nothing_that_is_known() -> None:
    async with Meter(2**22 + 1) as meter:
        await asyncio.sleep(0)
        assert (meter.cpu(), meter.grown()) == (None, None)
