"""A rehearsal in a terminal: how far it is while it runs, then who came to what and what there is to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.answers import Findings, RehearsalBegun, RehearsalNews, RehearsalTurn, Rehearsed
from backend.running.watch import clean


async def followed(news: AsyncIterator[RehearsalNews], out: Console | None) -> tuple[list[Rehearsed], Findings]:
    """Read a rehearsal to its end, with progress on `out` where that is a terminal."""
    ended: dict[str, Rehearsed | None] = {}
    found, turns = Findings([], "", 0), 0
    with (out or Console(quiet=True)).status("Rehearsing…") as status:
        async for one in news:
            match one:
                case RehearsalBegun(personas):
                    ended = dict.fromkeys(persona.key for persona in personas)
                case RehearsalTurn():
                    turns += 1
                case Rehearsed():
                    ended[one.persona.key] = one
                case Findings():
                    found = one
            over = [call for call in ended.values() if call]
            status.update(f"Rehearsing… {len(over)} of {len(ended)} calls are over, {turns} answers so far")
    return [call for call in ended.values() if call], found


def outcomes(calls: list[Rehearsed]) -> Table:
    """A line for each call."""
    table = Table("Who picks up", "What came of it", "", box=None, pad_edge=False)
    for call in calls:
        mark = Text("fine", style="green") if call.fine else Text("look", style="bold red")
        table.add_row(call.persona.title, call.outcome or "no end", mark)
    return table


def advice(calls: list[Rehearsed], found: Findings) -> Iterator[Text]:
    """What went wrong, and what to add to the context."""
    for call in calls:
        yield from _wrong(call)
    if found.questions:
        yield Text("\nThe context does not answer:", style="bold")
        yield from (Text(f"  {clean(question)}") for question in found.questions)
    if found.addition:
        yield Text("Add to the context, with the blanks filled in:", style="bold")
        yield Text("\n".join(f"  {line}" for line in found.addition.splitlines()))


def _wrong(call: Rehearsed) -> Iterator[Text]:
    if call.fine:
        return
    yield Text(f"\n{call.persona.title}", style="bold")
    if call.should:
        yield Text(f"  {call.should}")
    for one in call.broken:
        yield Text(f"  {one.rule}: ", style="red").append(f"“{clean(one.said)}”", style="default")
    for trouble in call.troubles:
        yield Text(f"  {clean(trouble)}", style="yellow")


def conversation(call: Rehearsed) -> Iterator[Text]:
    """Every word of one call."""
    yield Text(f"\n{call.persona.title}: {call.persona.description}", style="bold")
    colours = {"agent": "cyan", "callee": "green", "note": "dim"}
    for line in call.lines:
        yield Text(f"{line.speaker.capitalize():<6}  ", style=colours[line.speaker]).append(clean(line.text), "default")
