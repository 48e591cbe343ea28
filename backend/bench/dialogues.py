"""Scripted dialogues over ten trades and more: does the call end as it should, and is only said what is true?

The offline brain holds them all. Where a key is there, Claude holds them too, for comparison. The callees are scripted
and cannot react: they say their turns in order until the agent ends the call. That shows whether the outcome is right,
whether private matters stay private and whether anything was made up. It cannot show how a model would have led the
conversation with somebody who listens, and where its questions come in another order than the script expects, an
outcome may be wrong through no fault of the model. Notes and what must be said are put in the brief's own words, which
a model need not use, so Claude is not held to them; nor to promises, since another model may serve tomorrow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack

from backend.bench import invented
from backend.bench.figures import Figure, Sheet, Target, share, single
from backend.bench.scripted import Held, Script, hold, scripts
from backend.config import Settings
from backend.llm.offline import OfflineBrain
from backend.models import Conversation, ProviderError
from backend.providers import Providers

_RIGHT = 95.0
"""Percent of the calls that the offline brain must end as it should."""
_AT_ONCE = 8
"""Calls that a model behind the network holds at a time."""
_QUICK = 3
"""Of so many calls one is held where it shall be quick and each costs money."""
_LAST = ("Okay, thank you.", "No, that is all. Goodbye.")
"""What a callee says to a model that has not ended the call when the script has."""
Show = Callable[[int, int], object]


def measure(quick: bool, show: Show) -> Sheet:
    """All dialogues with the offline brain, and with Claude if there is a key. It runs event loops of its own.

    Args:
        quick: Claude holds a third of them.
        show: is told how many are done, and of how many.
    """
    return asyncio.run(measured(Settings(), scripts(), quick, show))


async def measured(settings: Settings, written: Sequence[Script], quick: bool, show: Show) -> Sheet:
    """As `measure`, with these settings and scripts."""
    asked = (written[::_QUICK] if quick else written) if settings.anthropic_api_key else ()
    done, total = 0, len(written) + len(asked)

    def one_more() -> None:
        nonlocal done
        done += 1
        show(done, total)

    own = await _by_brain(written, one_more)
    foreign = await _by_claude(settings, asked, one_more) if asked else ([], [])
    return sheet(own, *foreign)


async def _by_brain(written: Sequence[Script], one_more: Callable[[], None]) -> list[Held]:
    held = []
    for script in written:
        brain = OfflineBrain()
        await brain.warm(Conversation(script.brief))
        held.append(await hold(script, brain))
        one_more()
    return held


async def _by_claude(
    settings: Settings, written: Sequence[Script], one_more: Callable[[], None]
) -> tuple[list[Held], list[str]]:
    """The calls as Claude held them, and what went wrong with others, each a sentence."""
    gate, held, problems = asyncio.Semaphore(_AT_ONCE), list[Held](), list[str]()

    async def one(script: Script, providers: Providers) -> None:
        async with gate, providers.thinker() as model:
            try:
                held.append(await hold(script, model, _LAST))
            except (ProviderError, TimeoutError) as error:
                problems.append(f"Claude could not hold “{script.name}”: {error or 'it took too long'}.")
            one_more()

    async with AsyncExitStack() as open_now, asyncio.TaskGroup() as group:
        providers = await open_now.enter_async_context(Providers(settings))
        for script in written:
            group.create_task(one(script, providers))
    return sorted(held, key=lambda call: call.script.name), problems


# --- the table ------------------------------------------------------------------------------------------------------


def sheet(own: Sequence[Held], foreign: Sequence[Held] = (), problems: Iterable[str] = ()) -> Sheet:
    """What the offline brain's calls came to, trade by trade, and Claude's below."""
    trades = dict.fromkeys(call.script.trade for call in own)
    by_trade = [_right(f"  {trade}", [call for call in own if call.script.trade == trade]) for trade in trades]
    lines = [_right("right outcomes", own, Target(least=_RIGHT)), *by_trade, *_said(own), *_unsaid(own)]
    lines += (
        [_ended("right outcomes, Claude", foreign), *_unsaid(foreign, ", Claude", promised=False)] if foreign else []
    )
    notes = [note for call in own if (note := _failing(call))]
    notes += [f"Claude: {note}" for call in foreign if (note := _failing(call, wording=False))]
    return Sheet("Dialogues", tuple(lines), tuple(notes), tuple(problems))


def _right(name: str, held: Sequence[Held], *targets: Target) -> Figure:
    return share(name, sum(call.right for call in held), len(held), *targets)


def _ended(name: str, held: Sequence[Held]) -> Figure:
    return share(name, sum(call.ended for call in held), len(held))


def _said(held: Sequence[Held]) -> list[Figure]:
    due = sum(len(call.script.must_say) + len(call.script.must_say_twice) for call in held)
    return [share("facts said that must be", due - sum(len(call.missing) for call in held), due)]


def _unsaid(held: Sequence[Held], whose: str = "", promised: bool = True) -> list[Figure]:
    none = (Target(most=0),) if promised else ()
    return [
        single(f"facts said that must not be{whose}", "", float(sum(len(call.leaked) for call in held)), *none),
        single(f"invented facts{whose}", "", float(sum(len(invented.facts(call)) for call in held)), *none),
        single(f"ended too early{whose}", "", float(sum(call.unsaid > 0 for call in held))),
    ]


def _failing(call: Held, wording: bool = True) -> str:
    """What went wrong in a call, as a sentence; empty if nothing did."""
    wanted = " or ".join(sorted(call.script.outcomes))
    right = call.right if wording else call.ended
    faults = [
        "" if right else f"ended as “{call.outcome or 'not at all'}” ({call.note}), not as “{wanted}”",
        f"did not say {_quoted(call.missing)}" if wording and call.missing else "",
        f"said {_quoted(call.leaked)}" if call.leaked else "",
        f"made up {_quoted(made_up)}" if (made_up := invented.facts(call)) else "",
        f"hung up {call.unsaid} turns too early" if call.unsaid and wording else "",
    ]
    return f"{call.script.name}: {'; '.join(filter(None, faults))}." if any(faults) else ""


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)
