"""A call held in text with everybody who might pick up: the shell around what was said and what it shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import date

from backend.answers import RehearsalBegun, RehearsalNews, RehearsalTurn, Rehearsed
from backend.call.manners import Manners
from backend.call.patience import patiently
from backend.models import Brief, ProviderError, Said, ToolUse
from backend.rehearsal.callees import Callee
from backend.rehearsal.held import USUAL, Held
from backend.rehearsal.verdict import findings, judged, persona
from backend.seams import LanguageModel

_LOG = logging.getLogger(__name__)

OpenModel = Callable[[], AbstractAsyncContextManager[LanguageModel]]


@dataclass(frozen=True, slots=True)
class Limits:
    turns: int = 16
    """Of the agent's in one call; a callee that is not rid of it earlier counts as a call without an end."""
    piece: float = 20.0
    """Seconds until the model's answer begins, and between any two pieces of it: nobody waits on a line."""
    call: float = 120.0
    """Seconds for one whole call, while it is its turn."""
    at_once: int = 3
    """Calls held at the same time: vendors count requests, and real calls go first."""


async def rehearse(
    brief: Brief,
    chosen: Sequence[Callee],
    open_model: OpenModel,
    today: date,
    limits: Limits = Limits(),
    manners: Manners = USUAL,
) -> AsyncGenerator[RehearsalNews, None]:
    """Hold the call with each of these callees: who picks up, each turn, each call as it ends, then the findings.

    `manners` are those of the call that would be made.

    Closing or cancelling it ends the calls under way. A call whose model fails says so, and the others go on.
    """
    # Nothing waits to be put in: this is more than all of the calls have to tell.
    news: asyncio.Queue[RehearsalTurn | Rehearsed | None] = asyncio.Queue(len(chosen) * (limits.turns + 1) + 1)
    calls = [Held.begun(callee, brief, today, manners) for callee in chosen]
    holding = asyncio.create_task(_hold_all(calls, open_model, limits, news))
    ended: list[Rehearsed] = []
    try:
        yield RehearsalBegun([persona(callee) for callee in chosen])
        while one := await news.get():
            if isinstance(one, Rehearsed):
                ended.append(one)
            yield one
        await holding
        yield findings(ended, brief.context)
    finally:
        holding.cancel()
        await asyncio.wait([holding])


async def _hold_all(
    calls: Sequence[Held],
    open_model: OpenModel,
    limits: Limits,
    news: asyncio.Queue[RehearsalTurn | Rehearsed | None],
) -> None:
    room = asyncio.Semaphore(limits.at_once)

    async def hold(begun: Held) -> None:
        async with room:
            news.put_nowait(await _Call(begun, limits, news.put_nowait).hold(open_model))

    try:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(hold(call))
    finally:
        news.put_nowait(None)


class _Call:
    """One call under way."""

    def __init__(self, held: Held, limits: Limits, tell: Callable[[RehearsalTurn], None]) -> None:
        self.held = held
        self._limits = limits
        self._tell = tell

    async def hold(self, open_model: OpenModel) -> Rehearsed:
        """Talk to the end, or until the model fails, which is written down; and say what it shows."""
        try:
            async with asyncio.timeout(self._limits.call), open_model() as model:
                await self._talk(model)
            # Beside the loop: to read a whole call again takes longer than a frame of a real call's sound may wait.
            return await asyncio.to_thread(judged, self.held)
        except ProviderError as error:
            self.held = self.held.troubled(str(error))
        except TimeoutError:
            self.held = self.held.troubled("The language model took too long, so this call was given up.")
        except Exception:
            # The edge of a call: the others go on.
            _LOG.exception("A rehearsed call broke")
            self.held = self.held.troubled("This call broke; the media server's log says why.")
        return judged(self.held)

    async def _talk(self, model: LanguageModel) -> None:
        for _ in range(self._limits.turns):
            if self.held.over:
                return
            if not self.held.answers_due:
                self.held = self.held.listened()
            if self.held.answers_due:
                self.held = self.held.answered(*await self._answer(model))
            self._tell(RehearsalTurn(self.held.callee.key, len(self.held.said)))
            # A model on this machine never waits: real calls share this thread, and must get their turn.
            await asyncio.sleep(0)

    async def _answer(self, model: LanguageModel) -> tuple[str, tuple[ToolUse, ...]]:
        """Its words, and what it wants done."""
        said: list[str] = []
        tools: list[ToolUse] = []
        wait = self._limits.piece
        async with aclosing(patiently(model.answer(self.held.conversation), wait, wait)) as pieces:
            async for piece in pieces:
                match piece:
                    case Said(text):
                        said.append(text)
                    case ToolUse():
                        tools.append(piece)
        return "".join(said).strip(), tuple(tools)
