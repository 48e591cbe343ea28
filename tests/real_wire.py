"""The product as shipped between four loopback vendors, with nothing changed but base URLs and keys."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from backend import audio
from backend.config import Settings, load
from backend.loopback.anthropic import LoopbackAnthropic
from backend.loopback.anthropic import Script as Answers
from backend.loopback.deepgram import Fault as EarFault
from backend.loopback.deepgram import LoopbackDeepgram
from backend.loopback.elevenlabs import Fault as VoiceFault
from backend.loopback.elevenlabs import LoopbackElevenLabs
from backend.loopback.serving import serve
from backend.models import Call, Turn
from backend.practice.call_record import CallRecord
from backend.practice.carrier import Carrier, practice_carrier
from backend.practice.handset import Handset
from backend.server import create_app
from backend.store import Archive

TOKEN = "a-token-for-the-tests"
BRIEF = {
    "to": "+12025550143",
    "action": "Confirm the visit on Thursday",
    "context": "It takes an hour.",
    "callee_name": "Jo",
    "agent_name": "Al",
    "organization": "",
}


@dataclass(frozen=True)
class Turnwise:
    """How the callee takes one turn."""

    speaks: float = 1.2
    """Seconds of speech; the recogniser's script says what the words are."""
    after: float = 0.6
    """Seconds the agent must have been quiet before."""
    interrupts: float | None = None
    """Instead of waiting for quiet, begin after so many seconds of the agent's speech."""


@dataclass
class Talker:
    """A `FarEnd` that makes the sound of speech by plan, then listens until it is hung up on."""

    plan: Sequence[Turnwise] = (Turnwise(),)
    rings: float | None = 0.4
    began: list[float] = field(default_factory=list)
    """When each of its turns began, on the loop's clock."""

    async def answer(self, handset: Handset) -> None:
        agent = _Agent()
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(agent.attend(handset))
            for turn in self.plan:
                await agent.reaches(turn)
                self.began.append(asyncio.get_running_loop().time())
                await handset.speak(noise(turn.speaks, seed=len(self.began)))
                agent.spoken = 0.0
            await listening


class _Agent:
    """What the agent's side sounded like lately."""

    def __init__(self) -> None:
        self.spoken = self.quiet = 0.0
        self._heard = asyncio.Event()

    async def attend(self, handset: Handset) -> None:
        async for frame in handset.hear():
            loud = audio.level(frame) > -45
            self.spoken, self.quiet = (self.spoken + 0.02, 0.0) if loud else (self.spoken, self.quiet + 0.02)
            self._heard.set()

    async def reaches(self, turn: Turnwise) -> None:
        """Until it is this turn's moment."""
        if turn.interrupts is not None:
            self.spoken = 0.0
        while not (self.spoken >= turn.interrupts if turn.interrupts else self.spoken and self.quiet >= turn.after):
            self._heard.clear()
            await self._heard.wait()


def noise(seconds: float, seed: int) -> bytes:
    """Sound as loud as speech that never repeats."""
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * audio.RATE))
    return audio.encode(samples.astype(np.float32))


@dataclass
class World:
    """Everything around one media server."""

    settings: Settings
    carrier: Carrier
    deepgram: LoopbackDeepgram
    elevenlabs: LoopbackElevenLabs
    anthropic: LoopbackAnthropic
    api: httpx2.AsyncClient

    async def place(self, **changes: Any) -> str:
        answer = await self.api.post("/api/calls", json=BRIEF | changes)
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def ended(self, call_id: str, within: float = 40.0) -> tuple[Call, list[Turn]]:
        """Wait until the call's row is final."""
        try:
            async with asyncio.timeout(within):
                while not (call := self.look(call_id)[0]).status.final:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"the call did not end: {self.look(call_id)}") from None
        return call, self.look(call_id)[1]

    def look(self, call_id: str) -> tuple[Call, list[Turn]]:
        with Archive.open(self.settings.database_path) as archive:
            call = archive.call(call_id)
            assert call
            return call, archive.turns(call_id)

    @property
    def record(self) -> CallRecord:
        """What the carrier knows of the newest call."""
        return list(self.carrier.calls.values())[-1]


@asynccontextmanager
async def real_wire(
    folder: Path,
    far_end: Talker,
    hears: Sequence[str],
    answers: Answers,
    *,
    ear_faults: Sequence[EarFault] = (),
    voice_faults: Sequence[VoiceFault | None] = (),
    first_token: float = 0.05,
    first_byte: float = 0.05,
    **keys: Any,
) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(practice_carrier(lambda _: far_end))
        deepgram = await stack.enter_async_context(LoopbackDeepgram(hears, faults=ear_faults))
        elevenlabs = await stack.enter_async_context(LoopbackElevenLabs(first_byte=first_byte, faults=voice_faults))
        anthropic = await stack.enter_async_context(LoopbackAnthropic(answers, first_token=first_token))
        port = free_port()
        settings = load(
            twilio_account_sid=carrier.account.sid,
            twilio_auth_token=carrier.account.token,
            twilio_phone_number=carrier.account.number,
            twilio_api_url=carrier.account.api_url,
            public_host=f"127.0.0.1:{port}",
            deepgram_url=deepgram.url,
            deepgram_api_key=deepgram.key,
            elevenlabs_url=elevenlabs.url,
            elevenlabs_api_key=elevenlabs.key,
            elevenlabs_voice_id=elevenlabs.voice,
            anthropic_base_url=anthropic.url,
            anthropic_api_key="test-key",
            media_server_port=port,
            database_path=folder / "calls.db",
            api_token=TOKEN,
            **keys,
        )
        await stack.enter_async_context(serve(create_app(settings), port=port, ws="websockets-sansio"))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        client = httpx2.AsyncClient(base_url=settings.server_url, headers=headers, trust_env=False)
        api = await stack.enter_async_context(client)
        yield World(settings, carrier, deepgram, elevenlabs, anthropic, api)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
