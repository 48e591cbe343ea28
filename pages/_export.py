"""Calls as files that other programs read: CSV, JSON and plain text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

from backend.models import Call, Claim, Report, Speaker, Turn, TurnState

Local = Callable[[float], datetime]
"""Unix seconds in the operator's time zone."""


def as_csv(calls: Sequence[Call], local: Local) -> str:
    """One row for each call, with a heading."""
    out = io.StringIO()
    rows = [_row(call, local) for call in calls]
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["id"])
    writer.writeheader()
    writer.writerows({name: _safe(cell) for name, cell in row.items()} for row in rows)
    # Spreadsheets take a file without this mark for one in an old encoding.
    return "\ufeff" + out.getvalue()


def as_json(calls: Sequence[Call]) -> str:
    return json.dumps([asdict(call) for call in calls], indent=2, ensure_ascii=False)


def call_as_json(call: Call, turns: Sequence[Turn]) -> str:
    return json.dumps({"call": asdict(call), "turns": [asdict(turn) for turn in turns]}, indent=2, ensure_ascii=False)


def call_as_text(call: Call, turns: Sequence[Turn], local: Local) -> str:
    """To be read and printed: what it was about, what was said, what came of it."""
    brief = call.brief
    head = {
        "Call": f"{brief.callee_name} {brief.to}".strip(),
        "When": f"{local(call.created):%Y-%m-%d %H:%M:%S}",
        "Caller": ", ".join(filter(None, [brief.agent_name, brief.organization])),
        "Line": str(brief.line),
        "To get done": brief.action,
        "Outcome": str(call.outcome or call.status),
        "Note": call.note,
        "Ending": call.ending,
    }
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    lines += _reported(call.report) if call.report else []
    lines += [f"Trouble: {trouble}" for trouble in call.troubles]
    return "\n".join([*lines, "", *(_spoken(call, turn, local) for turn in turns), ""])


def _reported(report: Report) -> list[str]:
    """One line for each claim, with the numbers of the turns that prove it."""
    named = [("Result", report.result), *(("Summary", claim) for claim in report.summary)]
    named += [("Agreed", claim) for claim in report.agreed]
    named += [("Open question", claim) for claim in report.questions]
    return [f"{name}: {claim.text}{_proof(claim)}" for name, claim in named]


def _proof(claim: Claim) -> str:
    turns = [f"turns {', '.join(map(str, claim.turns))}"] if claim.turns else []
    notes = turns + (["to review"] if claim.doubtful else [])
    return f" ({'; '.join(notes)})" if notes else ""


def _spoken(call: Call, turn: Turn, local: Local) -> str:
    """Only what was heard counts as said."""
    name = call.brief.agent_name if turn.speaker is Speaker.AGENT else call.brief.callee_name or "Callee"
    cut = " — (cut off)" if turn.state is TurnState.CUT else ""
    return f"{turn.number}. [{local(turn.started):%H:%M:%S}] {name}: {turn.heard}{cut}"


def _row(call: Call, local: Local) -> dict[str, str]:
    def moment(at: float | None) -> str:
        return f"{local(at):%Y-%m-%d %H:%M:%S%z}" if at is not None else ""

    brief = call.brief
    talk = call.ended - call.answered if call.ended and call.answered else None
    return {
        "id": call.id,
        "placed": moment(call.created),
        "answered": moment(call.answered),
        "ended": moment(call.ended),
        "seconds of talk": "" if talk is None else f"{talk:.0f}",
        "number": brief.to,
        "name": brief.callee_name,
        "direction": brief.direction,
        "line": brief.line,
        "agent": brief.agent_name,
        "organisation": brief.organization,
        "action": brief.action,
        "status": call.status,
        "outcome": call.outcome or "",
        "note": call.note,
        "ending": call.ending,
        "troubles": " ".join(call.troubles),
    }


def _safe(cell: str) -> str:
    """A callee's words must not become a formula in somebody's spreadsheet; a phone number's plus is harmless."""
    return f"'{cell}" if re.match(r"[=@\t\r]|[+-](?!\d+$)", cell) else cell
