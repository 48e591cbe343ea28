"""Where calls are measured: vendors, carrier and callees on one event loop, and so one clock, around a media server.

The media server is a process of its own, started as `phone-agent serve` is, and configured by its environment alone.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from pydantic import TypeAdapter

from backend.answers import CallInFull
from backend.bench.delays import REPORT, Delays
from backend.bench.meter import Meter
from backend.bench.stage.guest import Guest
from backend.config import Settings, load
from backend.loopback.anthropic import LoopbackAnthropic, Received, Reply, Tool
from backend.loopback.deepgram import LoopbackDeepgram
from backend.loopback.elevenlabs import LoopbackElevenLabs
from backend.loopback.elevenlabs_speech import Reader, Speech
from backend.loopback.told import Lexicon
from backend.loopback.vendors import vendors
from backend.practice.call_record import CallRecord
from backend.practice.carrier import Carrier
from backend.running.launcher import media_server

TOKEN = "only-for-this-benchmark"
_ROW_WITHIN = 10.0
"""Seconds from the end of a call to its row saying so."""
_IN_FULL = TypeAdapter(CallInFull)


@dataclass(frozen=True, slots=True)
class Held:
    """One call that is over, from every side."""

    number: int
    guest: Guest
    record: CallRecord
    kept: CallInFull
    """The product's own account of it."""

    @property
    def opening(self) -> float | None:
        """From the stream's `start` to the product's first sound on the wire."""
        began, first = self.record.stream_started, self.record.first_media
        return first - began if began is not None and first is not None else None


@dataclass
class Stage:
    """Everything around one media server."""

    carrier: Carrier
    ears: LoopbackDeepgram
    voice: LoopbackElevenLabs
    model: LoopbackAnthropic
    lexicon: Lexicon
    api: httpx2.AsyncClient
    meter: Meter
    guests: dict[str, Guest]
    """By the number that is dialled."""
    settings: Settings
    """The media server's."""
    facts: Callable[[int], str]
    """See `Scenery`."""
    ended: Callable[[], object]
    """Told of each call that is over."""

    def recent(self) -> Iterable[Speech]:
        """What the voice has said lately, the newest first."""
        return reversed({voiced.text: voiced.speech for voiced in self.voice.voiced}.values())

    async def hold(self, guests: Sequence[Guest], at_once: int) -> list[Held]:
        """Hold one call with each, so many at once; their numbers go on from those of earlier calls.

        Raises:
            ExceptionGroup: of RuntimeErrors, when the product takes no calls; each is a sentence.
        """
        first, room = len(self.guests), asyncio.Semaphore(at_once)
        for place, guest in enumerate(guests):
            self.guests[_dialled(first + place)] = guest
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._hold_one(first + place, room)) for place in range(len(guests))]
        # What the carrier still reports is to find a server.
        await asyncio.wait_for(self.carrier.idle(), _ROW_WITHIN)
        return [task.result() for task in tasks]

    async def dial(self, guest: Guest) -> tuple[str, CallRecord]:
        """Call them, for whoever has something to do with the call while it lasts: its id, and what the carrier knows.

        Raises:
            RuntimeError: the product takes no call.
        """
        number = len(self.guests)
        self.guests[_dialled(number)] = guest
        return await self._place(number), self._record(number)

    def _record(self, number: int) -> CallRecord:
        return next(one for one in reversed(self.carrier.calls.values()) if one.dialled.to == _dialled(number))

    async def _hold_one(self, number: int, room: asyncio.Semaphore) -> Held:
        async with room:
            guest = self.guests[_dialled(number)]
            call = await self._place(number)
            try:
                async with asyncio.timeout(guest.rings + guest.patience + 10):
                    await guest.over.wait()
            except TimeoutError:
                raise RuntimeError("A call of the benchmark neither was picked up nor ended.") from None
            held = Held(number, guest, self._record(number), await self._kept(call))
            self.ended()
            return held

    async def _place(self, number: int) -> str:
        errand = {"to": _dialled(number), "action": f"Do errand number {number}", "context": self.facts(number)}
        try:
            placed = await self.api.post("/api/calls", json=errand)
        except httpx2.TransportError as error:
            raise RuntimeError(f"The media server that is measured was lost ({error}).") from None
        if placed.is_error:
            raise RuntimeError(f"The media server did not place a call: {placed.text[:300]}")
        return str(placed.json()["id"])

    async def _kept(self, call: str) -> CallInFull:
        async with asyncio.timeout(_ROW_WITHIN):
            while True:
                kept = _IN_FULL.validate_python((await self.api.get(f"/api/calls/{call}")).json())
                if kept.call.status.final:
                    return kept
                await asyncio.sleep(0.1)


def _dialled(number: int) -> str:
    return f"+1202555{number % 10_000:04}"


@dataclass(frozen=True, slots=True)
class Scenery:
    """What the calls of a stage have around them."""

    answers: Callable[[Received], Reply]
    """The model's script."""
    read: Reader
    """The voice."""
    delays: Delays = field(default_factory=Delays)
    hasty: float = float("inf")
    """See `Pace`."""
    facts: Callable[[int], str] = lambda _: ""
    """The context of each call by its number: what the model says must have been given to it."""
    settings: dict[str, Any] = field(default_factory=dict)
    """In which the product differs from what is shipped, by their names."""


@asynccontextmanager
async def stage(scenery: Scenery, ended: Callable[[], object]) -> AsyncIterator[Stage]:
    """Raises:
    CannotStart: the media server does not start.
    """
    guests: dict[str, Guest] = {}
    lexicon, delays = Lexicon(), scenery.delays
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="phone-agent-bench-")))
        ears = LoopbackDeepgram(lexicon, pace=delays.pace(scenery.hasty))
        voice = LoopbackElevenLabs(first_byte=delays.first_byte, speed=delays.speed, read=scenery.read)
        model = LoopbackAnthropic(
            _besides_reports(scenery.answers),
            first_token=delays.first_token,
            tokens_per_second=delays.tokens_per_second,
        )
        carrier, keys = await stack.enter_async_context(vendors(lambda dialled: guests[dialled.to], ears, voice, model))
        ours = _settings(keys, folder) | scenery.settings
        environment = os.environ | {name.upper(): str(value) for name, value in ours.items()}
        settings = load(**ours)
        server = await stack.enter_async_context(media_server(settings, environment=environment))
        assert server.pid, "nobody else can have been on a port that was free"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        client = httpx2.AsyncClient(base_url=settings.server_url, headers=headers, trust_env=False, timeout=30)
        api = await stack.enter_async_context(client)
        meter = await stack.enter_async_context(Meter(server.pid))
        stack.enter_context(_uncollected())
        yield Stage(carrier, ears, voice, model, lexicon, api, meter, guests, settings, scenery.facts, ended)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Within this no garbage is collected: callees, vendors and clock would stand still for 0.2 s each time, since all
    that was said and heard is kept until it is judged.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _besides_reports(answers: Callable[[Received], Reply]) -> Callable[[Received], Reply]:
    """The reports that are made of ended calls are none of the conversation, and get an answer of their own."""

    def script(received: Received) -> Reply:
        return answers(received) if received.body.get("stream") else Reply(tools=(Tool("report_call", REPORT),))

    return script


def _settings(keys: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The media server's settings: only keys and addresses differ from the defaults.

    They win over `.env`; what has no default (the inbound profile) is not used by calls that go out.
    """
    defaults = {name: field.default for name, field in Settings.model_fields.items() if field.default}
    own = {"database_path": folder / "calls.db", "api_token": TOKEN, "max_calls_per_hour": 10_000}
    return defaults | keys | own
