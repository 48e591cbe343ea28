"""A running call in a terminal: each turn as a line once it is out, and what is being said now, replaced in place."""

from __future__ import annotations

import time
from contextlib import nullcontext

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from backend.client import Client
from backend.models import Call, Claim, Report, Speaker, Turn, TurnState

_EVERY = 0.3
"""Seconds between two looks; people do not speak faster than that."""
_REPORT_WAIT = 20.0
"""Seconds that a call's report is waited for; one by rules takes less than one."""
_NAMES = {Speaker.AGENT: "Agent ", Speaker.CALLEE: "Callee", Speaker.OPERATOR: "Desk  ", Speaker.NOTE: "Note  "}
_COLOURS = {Speaker.AGENT: "cyan", Speaker.CALLEE: "green", Speaker.OPERATOR: "magenta", Speaker.NOTE: "yellow"}


def watch(client: Client, call_id: str, out: Console | None) -> Call:
    """Follow a call until it is over, and return how it ended; without `out` only wait.

    Raises:
        ServerError: as the client does.
    """
    printed = 0
    # Only a terminal can take a line back; a file gets each turn once, when it is final.
    live = Live(console=out, auto_refresh=False, transient=True) if out and out.is_terminal else None
    with live or nullcontext():
        while True:
            found = client.call(call_id)
            over = found.call.status.final
            ready = found.turns[printed:] if over else finished(found.turns[printed:])
            if live:
                live.update(_now(found.call, [] if over else found.turns[printed + len(ready) :]), refresh=True)
            if out:
                out.print(*map(spoken, ready), sep="\n", end="\n" if ready else "")
            printed += len(ready)
            if over:
                return found.call
            time.sleep(_EVERY)


def finished(turns: list[Turn]) -> list[Turn]:
    """The turns that will not change any more, up to the first that may: the order on the screen stays true."""
    for place, turn in enumerate(turns):
        if turn.state is TurnState.OPEN:
            return turns[:place]
    return turns


def spoken(turn: Turn) -> Text:
    """One turn as one line; the agent's words that the callee never heard are struck out."""
    line = Text(f"{turn.number:>3} ", style="dim").append(f"{_NAMES[turn.speaker]}  ", style=_COLOURS[turn.speaker])
    heard, text = clean(turn.heard), clean(turn.text)
    if turn.speaker is not Speaker.AGENT or turn.state is not TurnState.CUT:
        return line.append(text or heard, style="default")
    line.append(heard or "(not heard)", style="default")
    unheard = text.removeprefix(heard).strip() if text.startswith(heard) else ""
    return line.append(f" [cut off before: {unheard}]" if unheard else " [cut off]", style="dim")


def reported(client: Client, call: Call) -> Call:
    """The call with its report, if that comes soon enough.

    Raises:
        ServerError: as the client does.
    """
    until = time.monotonic() + _REPORT_WAIT
    while call.report is None and time.monotonic() < until:
        time.sleep(_EVERY)
        call = client.call(call.id).call
    return call


def evidence(report: Report) -> list[Text]:
    """What came of a call, a line for each claim, with the numbers of the turns that prove it."""
    named = [("Result ", report.result), *(("Summary", claim) for claim in report.summary)]
    named += [("Agreed ", claim) for claim in report.agreed]
    named += [("Open   ", claim) for claim in report.questions]
    return [_claim(name, claim) for name, claim in named]


def _claim(name: str, claim: Claim) -> Text:
    line = Text(f"{name}  ", style="dim").append(clean(claim.text), style="default")
    if claim.turns:
        line.append(f"  [turn{'s' * (len(claim.turns) > 1)} {', '.join(map(str, claim.turns))}]", style="dim")
    return line.append("  to review", style="yellow") if claim.doubtful else line


def clean(text: str) -> str:
    """Without what could steer a terminal: these words come from a stranger on the phone."""
    return "".join(letter for letter in text if letter.isprintable())


def _now(call: Call, turns: list[Turn]) -> Group:
    status = Text(f"… {call.status}", style="dim")
    return Group(*(spoken(turn).append(" …", style="dim") for turn in turns), status)
