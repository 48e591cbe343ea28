"""The benchmark as the operator sees it: progress while it runs, a table for each part, and a JSON file."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from backend.bench.figures import Figure, Sheet
from backend.bench.parts import PARTS, Part

_WIDTH = 120
"""Characters of a line where the output is not a terminal: enough for every column."""


def bench(names: Sequence[str], quick: bool, path: Path, console: Console) -> int:
    """Run these parts, or all; print the tables and write the JSON; the exit code is 1 when a promise was broken.

    Raises:
        CannotStart: a part could not be measured; the message says why.
    """
    if not console.is_terminal:
        # A file or a pipe has no width of its own, and would be given one that cuts the columns off.
        console.width = _WIDTH
    sheets: dict[str, Sheet] = {}
    for name in names or PARTS:
        sheets[name] = sheet = watched(PARTS[name], quick, console)
        show(sheet, console)
        path.write_text(json.dumps(as_json(sheets, quick), indent=2) + "\n")
    console.print(Text(f"Written to {path}; docs/performance.md says what each line means."))
    console.print(Text(verdict(sheets.values()), style="bold"))
    return int(any(sheet.broken or sheet.problems for sheet in sheets.values()))


def watched(part: Part, quick: bool, console: Console) -> Sheet:
    """Measure one part, and show how much of it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(part.says.capitalize(), total=None)
        return part.measure(quick, lambda done, total: progress.update(bar, completed=done, total=total))


def verdict(sheets: Iterable[Sheet]) -> str:
    """All of it in one sentence."""
    lines = [line for sheet in sheets for line in sheet.lines if line.targets]
    broken = [line for line in lines if not line.kept]
    if not broken:
        return f"All {len(lines)} promises were kept."
    return f"{len(broken)} of {len(lines)} promises were not kept: {', '.join(line.name.strip() for line in broken)}."


# --- what is shown ----------------------------------------------------------------------------------------------


def show(sheet: Sheet, console: Console) -> None:
    """One part's table, with what must be known to read it."""
    console.print(table(sheet))
    for note in sheet.notes:
        console.print(Text(note, style="dim"))
    for problem in sheet.problems:
        console.print(Text(problem, style="yellow"))
    console.print()


def table(sheet: Sheet) -> Table:
    """A single value, such as a share, stands in the column of medians."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column(sheet.title, no_wrap=True)
    for heading in ("median", "p95", "worst", "unit", "times", "target", "kept"):
        shown.add_column(
            heading, no_wrap=True, justify="right" if heading in {"median", "p95", "worst", "times"} else "left"
        )
    for line in sheet.lines:
        shown.add_row(*map(Text, _row(line)), _mark(line))
    return shown


def _row(line: Figure) -> tuple[str, ...]:
    numbers = (line.median, line.p95, line.worst)
    target = ", ".join(map(str, line.targets))
    # What is promised of the p99 is shown where there is no p95.
    if line.p95 is None and line.p99 is not None:
        numbers = (line.median, line.p99, line.worst)
    return line.name, *(number(line.unit, value) for value in numbers), line.unit, str(line.count), target


def number(unit: str, value: float | None) -> str:
    if value is None:
        return ""
    return (
        f"{value:.0f}" if unit == "ms" and value >= 100 else f"{value:.2f}" if unit in {"s", "MB"} else f"{value:.1f}"
    )


def _mark(line: Figure) -> Text:
    if line.kept is None:
        return Text("")
    return Text("yes", style="green") if line.kept else Text("no", style="bold red")


def as_json(sheets: dict[str, Sheet], quick: bool) -> dict[str, Any]:
    """The run for a machine: on what, and all figures with their targets."""
    machine = {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine,
        "quick": quick,
        "parts": {name: _part(sheet) for name, sheet in sheets.items()},
    }


def _part(sheet: Sheet) -> dict[str, Any]:
    lines = [asdict(line) | {"kept": line.kept} for line in sheet.lines]
    return {"lines": lines, "notes": sheet.notes, "problems": sheet.problems}
