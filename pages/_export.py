"""Calls as files that other programs read: CSV, JSON and plain text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from backend.models import Call, Claim, Report, Speaker, Turn, TurnState

Local = Callable[[float], datetime]
"""Unix seconds in the operator's time zone."""


def as_csv(calls: Iterable[Call], local: Local) -> str:
    """One row for each call, with a heading."""
    out = io.StringIO()
    # Spreadsheets take a file without this mark for one in an old encoding.
    out.write("\ufeff")
    writer: csv.DictWriter[str] | None = None
    for call in calls:
        row = _row(call, local)
        if writer is None:
            writer = csv.DictWriter(out, fieldnames=list(row))
            writer.writeheader()
        writer.writerow({name: _safe(cell) for name, cell in row.items()})
    return out.getvalue() if writer else "\ufeffid\r\n"


def as_json(calls: Iterable[Call]) -> str:
    """A list with one call on each line."""
    return "[" + ",".join("\n" + json.dumps(asdict(call), ensure_ascii=False) for call in calls) + "\n]\n"


def call_as_json(call: Call, turns: Sequence[Turn]) -> str:
    return json.dumps({"call": asdict(call), "turns": [asdict(turn) for turn in turns]}, indent=2, ensure_ascii=False)


def call_as_text(call: Call, turns: Sequence[Turn], local: Local) -> str:
    """To be read and printed: what it was about, what was said, what came of it."""
    lines = [f"{name}: {value}" for name, value in head(call, local).items()]
    lines += [f"{name}: {claim.text}{_proof(claim)}" for name, claim in claims(call.report)]
    lines += [f"Trouble: {trouble}" for trouble in call.troubles]
    return "\n".join([*lines, "", *(_spoken(call, turn, local) for turn in turns), ""])


def head(call: Call, local: Local) -> dict[str, str]:
    """What is to be known of a call before reading it; nothing that is empty."""
    brief = call.brief
    known = {
        "Call": f"{brief.callee_name} {brief.to}".strip(),
        "When": f"{local(call.created):%Y-%m-%d %H:%M:%S}",
        "Caller": ", ".join(filter(None, [brief.agent_name, brief.organization])),
        "Line": str(brief.line),
        "To get done": brief.action,
        "Outcome": str(call.outcome or call.status),
        "Note": call.note,
        "Ending": call.ending,
    }
    return {name: value for name, value in known.items() if value}


def claims(report: Report | None) -> list[tuple[str, Claim]]:
    """Everything the report says, each with what it is."""
    if report is None:
        return []
    named = [("Result", report.result), *(("Summary", claim) for claim in report.summary)]
    named += [("Agreed", claim) for claim in report.agreed]
    return named + [("Open question", claim) for claim in report.questions]


def speaker(call: Call, turn: Turn) -> str:
    """Who said it, as a reader should see it; empty where nobody did."""
    names = {
        Speaker.AGENT: call.brief.agent_name,
        Speaker.CALLEE: call.brief.callee_name or "Callee",
        Speaker.OPERATOR: "Operator",
        Speaker.NOTE: "",
    }
    return names[turn.speaker]


def _proof(claim: Claim) -> str:
    turns = [f"turns {', '.join(map(str, claim.turns))}"] if claim.turns else []
    notes = turns + (["to review"] if claim.doubtful else [])
    return f" ({'; '.join(notes)})" if notes else ""


def _spoken(call: Call, turn: Turn, local: Local) -> str:
    """Only what was heard counts as said."""
    place = f"{turn.number}. [{local(turn.started):%H:%M:%S}]"
    if turn.speaker is Speaker.NOTE:
        return f"{place} ({turn.text})"
    cut = " — (cut off)" if turn.state is TurnState.CUT else ""
    return f"{place} {speaker(call, turn)}: {turn.heard}{cut}"


def _row(call: Call, local: Local) -> dict[str, str]:
    def moment(at: float | None) -> str:
        return f"{local(at):%Y-%m-%d %H:%M:%S%z}" if at is not None else ""

    def number(value: float | None, form: str, unit: float = 1.0) -> str:
        return "" if value is None else format(value / unit, form)

    brief = call.brief
    return {
        "id": call.id,
        "placed": moment(call.created),
        "answered": moment(call.answered),
        "ended": moment(call.ended),
        "seconds of talk": number(call.ended - call.answered if call.ended and call.answered else None, ".0f"),
        "number": brief.to,
        "name": brief.callee_name,
        "direction": brief.direction,
        "line": brief.line,
        "agent": brief.agent_name,
        "organisation": brief.organization,
        "action": brief.action,
        "status": call.status,
        "picked up": call.answerer or "",
        "outcome": call.outcome or "",
        "result": call.report.result.text if call.report else "",
        "to review": "yes" if call.report and call.report.result.doubtful else "",
        "note": call.note,
        "ending": call.ending,
        "troubles": " ".join(call.troubles),
        "usual answer, seconds": number(call.delay_typical, ".2f", 1000),
        "slowest answer, seconds": number(call.delay_worst, ".2f", 1000),
        "dead air, seconds": number(call.dead_air, ".2f"),
        "cost, US dollars": number(call.cost, ".4f"),
    }


def _safe(cell: str) -> str:
    """A callee's words must not become a formula in somebody's spreadsheet; a phone number's plus is harmless."""
    return f"'{cell}" if re.match(r"[=@\t\r]|[+-](?!\d+$)", cell) else cell
