"""How soon the operator's orders take effect on the wire, and can be read in the transcript."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from backend import audio, tickets
from backend.bench.figures import Figure, Sheet, Target, spread
from backend.bench.stage.guest import Guest
from backend.bench.stage.speed import Answers, reader
from backend.bench.stage.stage import Scenery, Stage, stage
from backend.practice.call_record import CallRecord
from backend.routes.headset import PURPOSE
from backend.storage.store import Archive

_SOON = Target(300)
_PATIENCE = 5.0
"""Seconds in which an effect must come at all."""
_LOOK = 0.002
"""Seconds between two looks for it."""
_FRAME = audio.encode(np.asarray(0.3 * np.sin(2 * np.pi * 400 * np.arange(audio.FRAME) / audio.RATE), np.float32))
"""20 ms of the operator's voice."""
_SAID = "Somebody will be with you."
_EFFECTS = {
    "pause": "pause, until the agent is silent",
    "say": "say exactly this, until its first sound",
    "keys": "press keys, until their first tone",
    "take-over": "take over, until the agent is silent",
    "voice": "operator's voice, from microphone to wire",
    "hand-back": "hand back, until the agent's first sound",
    "hangup": "hang up, until the call has ended",
}
_Effect = Callable[[float], Coroutine[Any, Any, float]]
"""When an order of this moment took effect."""
_ORDERS = ("pause", "say", "keys", "hint", "resume", "take-over", "hand-back")
"""Those that leave a note, in the order in which a call has them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many calls, a few at a time, each with every order once."""

    calls: int = 20
    at_once: int = 4
    frames: int = 50
    """Of the operator's voice, in each call."""
    rings: float = 1.0

    @property
    def total(self) -> int:
        return self.calls


QUICK = Plan(calls=3, at_once=1, frames=25)


@dataclass
class Seen:
    """Seconds, by what was ordered."""

    effects: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    confirmed: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)


async def measure(plan: Plan, ended: Callable[[], object]) -> Sheet:
    """Hold all the calls.

    Raises:
        CannotStart: the media server does not start.
        ExceptionGroup: of RuntimeErrors, when it takes no calls.
    """
    seen, room = Seen(), asyncio.Semaphore(plan.at_once)

    async def hold() -> None:
        async with room:
            await _call(here, plan, seen)
            ended()

    async with stage(Scenery(Answers(1), reader(0.15)), ended) as here:
        async with asyncio.TaskGroup() as group:
            for _ in range(plan.calls):
                group.create_task(hold())
        await here.carrier.idle()
    return Sheet("Desk", tuple(lines(seen)), _NOTES, tuple(dict.fromkeys(seen.problems)))


def lines(seen: Seen) -> list[Figure]:
    """What took how long, and what was promised of it. Saying needs the voice, whose own delay is in it."""
    promised = [(what, name, (_SOON,) if what != "hand-back" else ()) for what, name in _EFFECTS.items()]
    effects = [spread(name, seen.effects[what], *targets) for what, name, targets in promised]
    confirmed = [spread(f"  {what}, until it can be read", seen.confirmed[what], _SOON) for what in _ORDERS]
    return [*effects, *confirmed]


_NOTES = (
    "From the request of the operator's page, or the frame of their microphone, to what reaches the carrier.",
    "To say something takes the voice 130 ms; an agent that is handed back waits 400 ms before it greets.",
)


# --- one call -----------------------------------------------------------------------------------------------------


async def _call(here: Stage, plan: Plan, seen: Seen) -> None:
    guest = Guest((), here.lexicon, here.recent, leaves=60, rings=plan.rings, patience=60)
    call, record = await here.dial(guest)
    operator = _Operator(here, call, record, seen)
    try:
        await operator.steps_in()
        async with connect(operator.headset, origin=here.settings.server_url, proxy=None) as socket:  # type: ignore[arg-type]
            await operator.takes_over(socket, plan.frames)
        await operator.hangs_up(guest)
    except* TimeoutError:
        seen.problems.append("An order had no effect within 5 s; the figures are of the others.")
        await here.api.post(f"/api/calls/{call}/hangup")
        await guest.over.wait()


class _Operator:
    """Gives each order, and watches what becomes of it."""

    def __init__(self, here: Stage, call: str, record: CallRecord, seen: Seen) -> None:
        self._here, self._call, self._record, self._seen = here, call, record, seen
        self._now = asyncio.get_running_loop().time
        self._notes = 0

    @property
    def headset(self) -> str:
        settings = self._here.settings
        ticket = tickets.issue(settings.token, PURPOSE, self._call, time.time())
        asked = urlencode({"call": self._call, "ticket": ticket})
        return f"ws{settings.server_url.removeprefix('http')}/headset/sound?{asked}"

    async def steps_in(self) -> None:
        """Silence the agent in the middle of its opening; then all that can be done while it is silent."""
        await self._sound(0.0)
        await asyncio.sleep(0.8)
        await self._orders("pause", self._cleared)
        await asyncio.sleep(0.5)
        await self._orders("say", self._sound, {"text": _SAID})
        await asyncio.sleep(2.5)
        await self._orders("keys", self._sound, {"keys": "5"})
        await asyncio.sleep(0.6)
        await self._orders("hint", None, {"text": "Be brief."})
        await self._orders("resume", self._sound)

    async def takes_over(self, socket: ClientConnection, frames: int) -> None:
        """While the agent says its opening once more."""
        await asyncio.sleep(0.8)
        await self._tells(socket, "take-over", self._cleared)
        await asyncio.sleep(0.3)
        await self._talks(socket, frames)
        await asyncio.sleep(0.5)
        await self._tells(socket, "hand-back", self._sound)
        await asyncio.sleep(0.3)

    async def _talks(self, socket: ClientConnection, frames: int) -> None:
        began, sent = self._now(), list[float]()
        for place in range(frames):
            await asyncio.sleep(max(0.0, began + 0.02 * place - self._now()))
            sent.append(self._now())
            await socket.send(_FRAME)
        await asyncio.sleep(0.3)
        arrived = [at for at, _ in self._record.arrivals if at >= began]
        if len(arrived) == frames:
            self._seen.effects["voice"] += [there - here for here, there in zip(sent, arrived, strict=True)]
        else:
            self._seen.problems.append("Frames of the operator's voice were lost or put together.")

    async def hangs_up(self, guest: Guest) -> None:
        ordered = self._now()
        request = asyncio.create_task(self._here.api.post(f"/api/calls/{self._call}/hangup"))
        async with asyncio.timeout(_PATIENCE):
            await guest.over.wait()
        self._seen.effects["hangup"].append(self._now() - ordered)
        (await request).raise_for_status()

    # --- an order, its effect and its note -----------------------------------------------------------------------

    async def _orders(self, what: str, effect: _Effect | None, body: dict[str, str] | None = None) -> None:
        async def request() -> None:
            (await self._here.api.post(f"/api/calls/{self._call}/{what}", json=body)).raise_for_status()

        await self._watched(what, request(), effect)

    async def _tells(self, socket: ClientConnection, what: str, effect: _Effect) -> None:
        await self._watched(what, socket.send(what), effect)

    async def _watched(self, what: str, order: Awaitable[None], effect: _Effect | None) -> None:
        ordered = self._now()
        async with asyncio.TaskGroup() as group:
            noted = group.create_task(self._noted())
            seen = group.create_task(effect(ordered)) if effect else None
            await order
        self._seen.confirmed[what].append(noted.result() - ordered)
        if seen:
            self._seen.effects[what].append(seen.result() - ordered)

    async def _cleared(self, since: float) -> float:
        return await self._first(lambda: [at for at in self._record.clears if at >= since])

    async def _sound(self, since: float) -> float:
        return await self._first(lambda: [at for at, _ in self._record.arrivals if at >= since])

    async def _first(self, found: Callable[[], Sequence[float]]) -> float:
        async with asyncio.timeout(_PATIENCE):
            while True:
                if moments := found():
                    return moments[0]
                await asyncio.sleep(_LOOK)

    async def _noted(self) -> float:
        """When another program finds one more note in the database than before."""
        archive = Archive.open(self._here.settings.database_path)
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    if (notes := self._count(archive)) > self._notes:
                        self._notes = notes
                        return self._now()
                    await asyncio.sleep(_LOOK)
        finally:
            archive.close()

    def _count(self, archive: Archive) -> int:
        return sum(turn.speaker == "note" for turn in archive.turns(self._call))
