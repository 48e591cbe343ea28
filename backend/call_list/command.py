"""`phone-agent call-list`: from the file on disk to the exit code."""

from __future__ import annotations

from datetime import date
from itertools import count
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from backend.call_list.calling import MOST_FAILURES, Calling, Tally, results_of
from backend.call_list.rows import Row, rows, table
from backend.client import Client
from backend.config import load
from backend.models import Brief, LineKind, Refused
from backend.running import terminal
from backend.running.exits import Exit
from backend.running.watch import clean
from backend.templates import Template, listed


def call_list(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file with the columns number, name and the template's fields.", exists=True, dir_okay=False
        ),
    ],
    template: Annotated[str, typer.Option(help="The template's name, as in the dashboard.", show_default=False)],
    at_once: Annotated[int, typer.Option(min=1, max=50, help="So many calls at the same time.")] = 1,
    agent: Annotated[str, typer.Option(help="The agent's name.")] = "Alex",
    org: Annotated[str, typer.Option(help="For whom the agent calls.", show_default=False)] = "",
    line: Annotated[
        LineKind | None, typer.Option(help="Which line; the phone if it is set up.", show_default=False)
    ] = None,
) -> None:
    """Call everybody on a list, and write what came of it beside it. What has a result already is passed over."""
    settings, lines = load(), table(_text(file))
    usual = Brief("", "", agent_name=agent, organization=org, line=line or settings.default_line)
    with Client(settings.server_url, settings.token) as client:
        wanted = rows(lines, _named(template, client.templates()), usual)
        numbers = count(1)

        def tell(row: Row, said: str) -> None:
            terminal.out.print(Text(clean(f"{next(numbers)}  {row.brief.callee_name} {row.brief.to}  {said}")))

        calling = Calling(client, file, lines[0], tell)
        left = sum(row.cells not in calling.done for row in wanted)
        terminal.out.print(f"{left} to call, {len(wanted) - left} have a result already.")
        try:
            tally = calling.run(wanted, at_once, date.today())
        except KeyboardInterrupt:
            terminal.err.print("\nNobody else is called. Calls under way go on; the same command asks after them.")
            raise typer.Exit(130) from None
    raise typer.Exit(_ended(tally, left, file))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{file} is not in UTF-8: save it as “CSV UTF-8”.") from None


def _named(name: str, templates: list[Template]) -> Template:
    """
    Raises:
        Refused: there is none of this name; capitals do not matter.
    """
    for one in templates:
        if one.name.casefold() == name.casefold():
            return one
    names = listed([f"“{one.name}”" for one in templates]) or "none"
    raise Refused(f"There is no template “{name}”. There are: {names}.")


def _ended(tally: Tally, left: int, file: Path) -> Exit:
    """What is said at the end."""
    if tally.called:
        terminal.out.print(Text(f"{tally.called} called. The results are in {results_of(file)}."))
    if tally.broken:
        terminal.complain(
            f"Stopped: {MOST_FAILURES} calls in a row were not taken. The same command goes on from here."
        )
        return Exit.PROVIDER
    if tally.called < left:
        terminal.complain(f"{left - tally.called} were not called, as said above; the same command tries again.")
        return Exit.NOT_COMPLETED
    return Exit.OK
