"""What the command line prints: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.answers import CallInFull
from backend.models import Call
from backend.running.watch import clean, evidence, spoken

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def as_json(value: Any) -> None:
    """On one line, for scripts."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def complain(what: str) -> None:
    err.print(Text(what))


def listed(calls: Sequence[Call]) -> None:
    """A table, a call a line."""
    table = Table("Id", "When", "To", "Status", "Outcome", "What for", box=None, pad_edge=False)
    for one in calls:
        table.add_row(*map(Text, _row(one)))
    out.print(table, soft_wrap=False)


def in_full(found: CallInFull) -> None:
    """What was said in a call, what came of it, and what went wrong."""
    head = found.call
    out.print(Text(f"{_when(head)}  {head.brief.callee_name} {head.brief.to}  ({head.brief.line} line)".strip()))
    out.print(Text(clean(head.brief.action), style="italic"))
    for turn in found.turns:
        out.print(spoken(turn))
    result(head)
    for trouble in head.troubles:
        out.print(Text(f"Trouble: {clean(trouble)}", style="yellow"))


def result(one: Call) -> None:
    """What came of it, and what proves it."""
    out.print(Text(in_words(one), style="bold"))
    for line in evidence(one.report) if one.report else ():
        out.print(line)


def in_words(one: Call) -> str:
    """Such as "completed: confirmed. Thursday at three. They hung up."."""
    outcome = f"{one.status}: {one.outcome}" if one.outcome else one.status
    note = clean(one.note) if one.note != one.outcome else ""
    return " ".join(f"{said.rstrip('.')}." for said in (outcome, note, clean(one.ending)) if said)


def _when(one: Call) -> str:
    return datetime.fromtimestamp(one.created).strftime("%Y-%m-%d %H:%M")


def _row(one: Call) -> tuple[str, ...]:
    who = f"{clean(one.brief.callee_name)} {one.brief.to}".strip()
    return one.id, _when(one), who, one.status, one.outcome or "", clean(one.brief.action)[:60]
