"""The command line: `phone-agent call`, and everything else that is done from a terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from backend.call_list.command import call_list
from backend.client import Client
from backend.config import load
from backend.models import ME, Brief, LineKind, Status
from backend.running import terminal
from backend.running.dashboard import run as run_both
from backend.running.exits import EXPLAINED, MENDABLE, Exit, code, sentence
from backend.running.launcher import CannotStart, end_with_parent
from backend.running.watch import reported, watch
from backend.settings.misspelt import unknown_here
from backend.signin.password import hashed
from backend.storage.place import check


class BenchPart(StrEnum):
    """What `bench` measures; all of it where nothing is named."""

    SPEED = "speed"
    MANNERS = "manners"
    DESK = "desk"
    FAULTS = "faults"
    LOAD = "load"
    PICKUPS = "pickups"
    VOICEMAIL = "voicemail"
    GROUNDING = "grounding"
    DIALOGUES = "dialogues"


app = typer.Typer(
    help=f"Phone Agent: an AI that calls people and gets things done.\n\n{EXPLAINED}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The call's id, as `call` printed it.", show_default=False)]


# --- commands ---------------------------------------------------------------------------------------------------


@app.command(epilog=EXPLAINED)
def call(
    number: Annotated[str, typer.Argument(help="Whom to call: with country code, or national.", show_default=False)],
    action: Annotated[str, typer.Argument(help="What to get done, in one sentence.", show_default=False)],
    context: Annotated[str, typer.Argument(help="What the agent may say about it.", show_default=False)],
    callee: Annotated[str, typer.Argument(help="The callee's name.", show_default=False)] = "",
    agent: Annotated[str, typer.Argument(help="The agent's name.")] = "Alex",
    org: Annotated[str, typer.Argument(help="For whom the agent calls.", show_default=False)] = "",
    follow: Annotated[bool, typer.Option("--watch", help="Show what is said, and wait for the outcome.")] = False,
    line: Annotated[
        LineKind | None, typer.Option(help="Which line; the phone if it is set up.", show_default=False)
    ] = None,
    persona: Annotated[
        str, typer.Option(help="Who picks up on the practice line; “me” rings in the dashboard.")
    ] = "cooperative",
    any_hour: Annotated[
        bool, typer.Option("--any-hour", help="They expect the call, whatever time it is there.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Place a call, and print its id and the carrier's."""
    with _client() as client:
        placed = client.place(
            number,
            action,
            context,
            callee_name=callee,
            agent_name=agent,
            organization=org,
            line=line,
            persona=persona,
            any_hour=any_hour,
        )
        ids = {"id": placed.id, "provider_sid": placed.provider_sid}
        if as_json:
            terminal.as_json(ids)
        else:
            terminal.out.print(Text(f"Call {placed.id} ({placed.provider_sid})"))
            if persona == ME and line is not LineKind.PHONE:
                terminal.out.print(Text(f"Answer it at http://localhost:{load().dashboard_port}/live?call={placed.id}"))
        if follow:
            raise typer.Exit(_follow(client, placed.id, as_json))


@app.command(epilog=EXPLAINED)
def rehearse(
    action: Annotated[str, typer.Argument(help="What to get done, in one sentence.", show_default=False)],
    context: Annotated[str, typer.Argument(help="What the agent may say about it.", show_default=False)],
    callee: Annotated[str, typer.Argument(help="The callee's name.", show_default=False)] = "",
    agent: Annotated[str, typer.Argument(help="The agent's name.")] = "Alex",
    org: Annotated[str, typer.Argument(help="For whom the agent calls.", show_default=False)] = "",
    persona: Annotated[list[str] | None, typer.Option(help="Only this one picks up; may repeat.")] = None,
    words: Annotated[bool, typer.Option("--words", help="Show every word that was said.")] = False,
    as_json: _Json = False,
) -> None:
    """Hold a call in text with everybody who might pick up, and say what to improve. No phone rings."""
    # Only here: what holds a conversation takes longer to load than most commands take to run.
    from backend.rehearsal.here import rehearse_here
    from backend.rehearsal.shown import advice, conversation, outcomes

    brief = Brief("", action, context, callee_name=callee, agent_name=agent, organization=org)
    calls, found = asyncio.run(rehearse_here(load(), brief, persona or (), None if as_json else terminal.out))
    if as_json:
        terminal.as_json({"calls": [asdict(one) for one in calls], "findings": asdict(found)})
    else:
        for line in (line for one in calls for line in conversation(one) if words):
            terminal.out.print(line)
        terminal.out.print(outcomes(calls), soft_wrap=False)
        for line in advice(calls, found):
            terminal.out.print(line)
    if all(one.troubles for one in calls):
        raise typer.Exit(Exit.PROVIDER)
    raise typer.Exit(Exit.OK if all(one.fine for one in calls) else Exit.NOT_COMPLETED)


def _follow(client: Client, call_id: str, as_json: bool) -> int:
    """The exit code, when the call is over or the operator has seen enough."""
    try:
        ended = watch(client, call_id, None if as_json else terminal.out)
    except KeyboardInterrupt:
        terminal.err.print(f"\nThe call goes on; `phone-agent hangup {call_id}` ends it.")
        return 130
    with suppress(KeyboardInterrupt):
        ended = reported(client, ended)
    if as_json:
        terminal.as_json(asdict(client.call(call_id)))
    else:
        terminal.result(ended)
    return Exit.OK if ended.status is Status.COMPLETED else Exit.NOT_COMPLETED


@app.command(epilog=EXPLAINED)
def calls(
    search: Annotated[str, typer.Option(help="Only calls with this text in them, said or written.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 20,
    as_json: _Json = False,
) -> None:
    """List past and running calls, the newest first."""
    with _client() as client:
        found = client.calls(search, limit=limit)
    if as_json:
        terminal.as_json([asdict(one) for one in found])
        return
    if found:
        terminal.listed(found)
    else:
        terminal.out.print("No call has that in it." if search else "No calls yet.")


@app.command(epilog=EXPLAINED)
def show(call_id: _Id, as_json: _Json = False) -> None:
    """Show one call: what was said, what was heard, what came of it."""
    with _client() as client:
        found = client.call(call_id)
    if as_json:
        terminal.as_json(asdict(found))
        return
    terminal.in_full(found)


app.command(epilog=EXPLAINED)(call_list)


@app.command(epilog=EXPLAINED)
def hangup(call_id: _Id) -> None:
    """End a call, also while it rings."""
    with _client() as client:
        client.hang_up(call_id)


@app.command(epilog=EXPLAINED)
def serve(
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="Stop when standard input closes: for whoever starts it.")
    ] = False,
) -> None:
    """Run the media server alone, configured by the environment and .env."""
    if until_stdin_closes:
        end_with_parent()
    settings = load()
    for key in unknown_here():
        terminal.complain(str(key))
    check(settings.database_path)
    # Only here: the server's modules take longer to load than any other command takes to run.
    from backend.server import run as serve_calls

    if not serve_calls(settings):
        raise CannotStart("The media server could not start: the lines above say why.")


@app.command(epilog=EXPLAINED)
def run() -> None:
    """Run the media server and the dashboard, until Ctrl-C."""
    run_both(load())


@app.command(epilog=EXPLAINED)
def doctor(as_json: _Json = False) -> None:
    """Check every part, and say what to do about what does not work."""
    from backend.running.doctor import State, examine, shown

    findings = examine()
    if as_json:
        terminal.as_json([asdict(finding) for finding in findings])
    else:
        terminal.out.print(shown(findings), soft_wrap=False)
    raise typer.Exit(int(any(finding.state is State.PROBLEM for finding in findings)))


@app.command(epilog=EXPLAINED)
def password() -> None:
    """Make the line for .env that has the dashboard ask its operators for a password."""
    try:
        line = hashed(_typed())
    except ValueError as short:
        raise typer.BadParameter(f"The password needs {short}.") from None
    terminal.err.print("Write this line into .env, and start again:")
    sys.stdout.write(f"DASHBOARD_PASSWORD_HASH='{line}'\n")


def _typed() -> str:
    """The password, typed twice without being shown; from a script, the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True))


@app.command(epilog=EXPLAINED)
def bench(
    parts: Annotated[
        list[BenchPart] | None, typer.Argument(metavar="[PART]...", help=f"Some of: {', '.join(BenchPart)}.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="About a tenth of everything.")] = False,
    to: Annotated[Path, typer.Option("--json", help="The file for all figures.")] = Path("bench.json"),
) -> None:
    """Measure what is promised of speed, manners, truth and load; docs/performance.md explains it."""
    from backend.bench.report import bench as measure

    raise typer.Exit(measure(parts or (), quick, to, terminal.out))


# --- errors -----------------------------------------------------------------------------------------------------


@contextmanager
def _client() -> Iterator[Client]:
    settings = load()
    with Client(settings.server_url, settings.token) as client:
        yield client


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says, and return the exit code. What a person can mend is said without a traceback."""
    try:
        app(arguments)
    except MENDABLE as error:
        terminal.complain(sentence(error))
        return code(error)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
