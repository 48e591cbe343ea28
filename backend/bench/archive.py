"""Makes a database full of past calls, to see how the list of them stands up to it.

    python -m backend.bench.archive PATH [--calls 100000]

The calls are invented, and the same at each run: a year of them until today, with about fifteen turns each. It writes
to a new file only, so that nobody's own calls get strangers among them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from backend.bench import small_talk
from backend.models import Answerer, Brief, Call, Claim, LineKind, Outcome, Report, Speaker, Status, Turn, TurnState
from backend.storage.store import Store

_YEAR = 365 * 86_400
_AT_ONCE = 2000
_TURNS = 15.3
"""On average; calls that reach nobody have none, so the others have more."""
_TALKED = {
    Outcome.CONFIRMED: 38,
    Outcome.RESCHEDULED: 12,
    Outcome.DECLINED: 8,
    Outcome.CALL_BACK: 6,
    Outcome.FOLLOW_UP: 7,
    Outcome.WRONG_PERSON: 3,
    Outcome.OPTED_OUT: 1,
    Outcome.HUNG_UP: 5,
    Outcome.UNCLEAR: 3,
    Outcome.TRANSFERRED: 2,
}
_UNTALKED = {Outcome.NO_ANSWER: 12, Outcome.FAILED: 3}
_TROUBLES = ("The voice was slow and was asked again.", "Deepgram was lost and is back.", "The model was slow.")
_PARTS = {"stt": "Deepgram flux-general-en", "llm": "Claude", "tts": "ElevenLabs"}
_HOURS = (8, 9, 9, 10, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 15, 16, 16, 17, 18, 19)


def calls(count: int, now: float, seed: int = 1) -> Iterator[tuple[Call, list[Turn]]]:
    """Invented calls with their turns, the oldest first."""
    chance = Random(seed)
    for number in range(count):
        day = now - _YEAR * (1 - number / count)
        midnight = day - day % 86_400
        moment = midnight + chance.choice(_HOURS) * 3600 + chance.random() * 3600
        yield _call(f"sample-{number:06}", min(moment, now - 600), chance)


def _call(call_id: str, placed: float, chance: Random) -> tuple[Call, list[Turn]]:
    outcomes = _TALKED | _UNTALKED
    [outcome] = chance.choices(list(outcomes), list(outcomes.values()))
    brief = _brief(chance)
    if outcome in _UNTALKED:
        status = Status.FAILED if outcome is Outcome.FAILED else Status.NO_ANSWER
        ending = "Nobody picked up." if status is Status.NO_ANSWER else "The carrier could not connect the call."
        return Call(call_id, brief, status, outcome, "", ending, created=placed, ended=placed + 30, parts=_PARTS), []
    answered = placed + chance.uniform(4, 20)
    turns = _turns(brief, answered, chance)
    ended = (turns[-1].ended or answered) + 1
    result = small_talk.result(outcome, chance)
    call = Call(
        call_id,
        brief,
        Status.COMPLETED,
        outcome,
        note=result,
        ending="They said goodbye.",
        troubles=(chance.choice(_TROUBLES),) if chance.random() < 0.04 else (),
        provider_sid=f"CA{call_id}",
        created=placed,
        answered=answered,
        ended=ended,
        parts=_PARTS,
        counts={"prepared replies used": len(turns) // 3},
        answerer=Answerer.PERSON,
        report=_report(outcome, result, len(turns), chance),
        cost=round(0.02 + (ended - answered) / 60 * chance.uniform(0.08, 0.14), 4),
    )
    return call, turns


def _brief(chance: Random) -> Brief:
    return Brief(
        to=f"+1{chance.choice(small_talk.AREAS)}555{chance.randrange(10_000):04}",
        action=small_talk.action(chance),
        context=small_talk.context(chance),
        callee_name=small_talk.name(chance),
        agent_name=chance.choice(small_talk.AGENTS),
        organization=chance.choice(small_talk.ORGANIZATIONS),
        line=LineKind.PHONE if chance.random() < 0.9 else LineKind.PRACTICE,
    )


def _turns(brief: Brief, answered: float, chance: Random) -> list[Turn]:
    turns: list[Turn] = []
    talked = sum(_TALKED.values()) / sum((_TALKED | _UNTALKED).values())
    now = answered + 1
    for number in range(1, max(3, round(chance.gauss(_TURNS / talked, 4))) + 1):
        ours = number % 2 == 1
        text = small_talk.said(chance, brief, number) if ours else small_talk.answered(chance)
        waited = {"decided": chance.uniform(180, 320), "first_sound": chance.lognormvariate(6.3, 0.35)}
        timings = {name: round(value, 1) for name, value in waited.items()} if ours and number > 1 else {}
        started = now + sum(timings.values()) / 1000
        now = started + len(text) / 15
        speaker = Speaker.AGENT if ours else Speaker.CALLEE
        turns.append(Turn(number, speaker, text, text, TurnState.DONE, started, now, timings))
    return turns


def _report(outcome: Outcome, result: str, turns: int, chance: Random) -> Report:
    sure = 0.9 if chance.random() < 0.95 else 0.4
    claim = Claim(result, (turns - 1, turns), sure)
    return Report(outcome, claim, summary=(Claim(small_talk.answered(chance), (2,), 0.9),), author="rules")


def make(path: Path, count: int, now: float, seed: int = 1) -> Iterator[int]:
    """Write the calls to a new database, some at a time; yields how many there are already.

    Raises:
        FileExistsError: there is something at this path.
    """
    if path.exists():
        raise FileExistsError(path)
    chance, done, following = Random(seed), 0, calls(count, now, seed)
    with Store(path) as store:
        while some := list(islice(following, _AT_ONCE)):
            store.load(some)
            for call, _ in some:
                if chance.random() < 0.005:
                    store.ask(call.id, small_talk.question(chance), call.created + 60, turn=4)
            done += len(some)
            yield done


def main(
    path: Annotated[Path, typer.Argument(help="A file that does not exist yet.", show_default=False)],
    count: Annotated[int, typer.Option("--calls", help="How many.", min=1)] = 100_000,
) -> None:
    """Make a database full of invented past calls."""
    began = time.monotonic()
    try:
        for done in make(path, count, time.time()):
            sys.stderr.write(f"\r{done} of {count} calls, {time.monotonic() - began:.0f} s")
    except FileExistsError:
        raise typer.BadParameter("There is a file already, and it is left alone: name another one.") from None
    sys.stderr.write("\n")


if __name__ == "__main__":
    typer.run(main)
