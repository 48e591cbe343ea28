"""A whole call on virtual time: the session with stand-in providers on a line that plays in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from backend.bench.stand_ins import Ears, Model, Phone, Speech, end_call, read_back
from backend.call import manners as known
from backend.call.diary import Diary
from backend.call.events import Ending, HangUp
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.session import Kit, Session
from backend.call.voice import Voice
from backend.models import Brief, Call, Outcome, Partial, Turn, TurnEnd
from backend.storage.store import Store

BRIEF = Brief(
    to="+12025550143",
    action="Confirm the visit",
    context="The visit is on Thursday at 2:30 p.m. with Doctor Smith in the old building. Thursday at noon is free.",
    callee_name="John Smith",
    organization="Green Dental",
)
OPENING = known.opening(BRIEF)
DONE = ("That is settled. Goodbye.", end_call())


@dataclass
class Stage:
    """One call under way, with everything a test wants to touch or look at."""

    phone: Phone
    ears: Ears
    operators: Ears
    """Who recognises the operator's own voice."""
    models: Sequence[Model]
    voices: Sequence[Speech]
    session: Session
    store: Store
    ending: asyncio.Task[Ending]

    @property
    def turns(self) -> list[Turn]:
        return self.store.turns("call")

    @property
    def troubles(self) -> tuple[str, ...]:
        call = self.store.call("call")
        assert call
        return call.troubles

    @property
    def said(self) -> str:
        """What the callee's earpiece played, as text."""
        return read_back(bytes(self.phone.played))

    async def until_said(self, words: str, within: float = 60.0) -> None:
        async with asyncio.timeout(within):
            while words not in self.said:
                await asyncio.sleep(0.02)

    def silence_after(self, moment: float) -> tuple[float, float]:
        """From when until when the agent was quiet for the first time since then, longer than a carrier's frame."""
        frames = [at for at in self.phone.heard_at if at >= moment - 0.02]
        for last, following in pairwise(frames):
            if following - last > 0.05:
                return last + 0.02, following
        raise AssertionError("the agent spoke on without a pause")

    async def callee(self, text: str) -> None:
        """Say this and end the turn."""
        self.ears.tell(Partial(text), TurnEnd(text))
        await asyncio.sleep(0)

    async def over(self) -> Ending:
        return await self.ending


@asynccontextmanager
async def a_call(
    path: Path,
    *models: Model,
    voices: Sequence[Speech] = (),
    manners: Manners | None = None,
    prepare: bool = True,
    operators: Ears | None = None,
) -> AsyncIterator[Stage]:
    """A call that has just been picked up; at the end it is hung up if the test has not ended it."""
    manners, clock = manners or Manners(), asyncio.get_running_loop().time
    models, voices = models or (Model(),), voices or (Speech(),)
    phone, ears, operators = Phone(), Ears(), operators or Ears()
    async with AsyncExitStack() as stack:
        store = stack.enter_context(Store(path / "calls.db"))
        store.add(Call("call", BRIEF))
        mind = await stack.enter_async_context(Mind(models, manners))
        voice = await stack.enter_async_context(Voice(voices, manners, {}))
        kit = Kit(ears, mind, voice, more_ears=lambda: operators)
        session = Session(BRIEF, kit, Diary(store, "call", clock), manners)
        if prepare:
            await session.prepare()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        carrier = group.create_task(phone.run())
        ending = group.create_task(session.converse(phone))
        yield Stage(phone, ears, operators, models, voices, session, store, ending)
        if not ending.done():
            session.post(HangUp(Ending("The test is over.", Outcome.STOPPED)))
            await ending
        carrier.cancel()
