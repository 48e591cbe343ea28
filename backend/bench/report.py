"""The benchmark as the operator sees it: progress while it runs, a table, and a JSON file to compare runs with."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import platform
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from backend.bench.caller import Turn
from backend.bench.figures import Figure, Seen, figures
from backend.bench.stage import Plan, perform
from backend.launcher import CannotStart

QUICK = Plan(calls=3, turns=(Turn(), Turn(interrupts=1.0), Turn()), openings=1)
"""Half a minute or so: enough to see that nothing is badly wrong."""


def bench(calls: int | None, quick: bool, path: Path, console: Console) -> int:
    """Run the benchmark, print the table and write the JSON; the exit code is 1 when not every call went well.

    Raises:
        CannotStart: nothing could be measured; the message says why.
    """
    plan = QUICK if quick else Plan()
    plan = replace(plan, calls=calls) if calls else plan
    seen = watched(plan, console)
    lines, problems = figures(seen), failures(seen)
    console.print(table(lines), soft_wrap=False)
    for problem in problems:
        console.print(problem, style="yellow")
    path.write_text(json.dumps(as_json(plan, seen, lines, problems), indent=2) + "\n")
    console.print(f"Written to {path}; docs/performance.md says what each line means.")
    return int(bool(problems))


def failures(seen: Seen) -> list[str]:
    """What makes these figures doubtful, each as a sentence."""
    calls = seen.calls + seen.slowed
    missing = sum(call.missing for call in calls)
    silent = sum(call.opening is None for call in calls)
    said = [f"{silent} of {len(calls)} calls had no opening."] if silent else []
    said += [f"{missing} replies never came; the figures are of the others."] if missing else []
    faults = dict.fromkeys(fault for call in calls for fault in call.faults)
    return said + [f"The carrier found a fault: {fault}" for fault in faults]


# --- the run, in a process of its own ---------------------------------------------------------------------------


def watched(plan: Plan, console: Console) -> Seen:
    """Run the stage in its own process, so that drawing does not delay what is being measured, and show progress."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    stage = context.Process(target=_stage, args=(plan, there), daemon=True)
    stage.start()
    there.close()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task("Calling", total=plan.total)
            return _outcome(here, lambda: progress.advance(bar))
    finally:
        stage.terminate()
        stage.join()
        here.close()


def _outcome(pipe: Connection, ended: Callable[[], object]) -> Seen:
    """What the stage has seen at its end; until then, one message for each call that ended."""
    while True:
        try:
            message = pipe.recv()
        except EOFError:
            raise CannotStart("The benchmark's own process ended early; what it printed above says why.") from None
        if isinstance(message, Seen):
            return message
        if isinstance(message, str):
            raise CannotStart(message)
        ended()


def _stage(plan: Plan, pipe: Connection) -> None:
    # Ctrl-C is for whoever watches, who then terminates this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pipe.send(asyncio.run(_performed(plan, lambda: pipe.send(None))))
    except* asyncio.CancelledError:
        pass
    except* (CannotStart, RuntimeError) as failed:
        pipe.send("\n".join(_sentences(failed)))


async def _performed(plan: Plan, ended: Callable[[], object]) -> Seen:
    """The run; being terminated cancels it, so that its media server and its files go with it."""
    task = asyncio.current_task()
    assert task
    with suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await perform(plan, ended)


def _sentences(failed: BaseExceptionGroup[BaseException]) -> list[str]:
    said: list[str] = []
    for error in failed.exceptions:
        if isinstance(error, BaseExceptionGroup):
            said += _sentences(error)
        else:
            said.append(str(error))
    return list(dict.fromkeys(said))


# --- what is shown ----------------------------------------------------------------------------------------------


def table(lines: Sequence[Figure]) -> Table:
    """`fixed` is what the vendors' delays and the agent's manners take alone, and `ours` what the product adds."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("")
    for heading in ("median", "p95", "p99", "worst", "fixed", "ours", "unit", "times"):
        shown.add_column(heading, justify="left" if heading == "unit" else "right")
    for line in lines:
        values = (line.median, line.p95, line.p99, line.worst, line.fixed, line.ours)
        shown.add_row(line.name, *(_number(line.unit, value) for value in values), line.unit, str(line.count))
    return shown


def _number(unit: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if unit == "s" else f"{value:.1f}"


def as_json(plan: Plan, seen: Seen, lines: Sequence[Figure], problems: Sequence[str]) -> dict[str, Any]:
    """The run for a machine: on what, with which delays, all figures, and everything they were made from."""
    machine = {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine,
        "plan": asdict(plan),
        "figures": [asdict(line) for line in lines],
        "problems": list(problems),
        "seen": asdict(seen),
    }
