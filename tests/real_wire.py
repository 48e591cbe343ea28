"""The product as shipped between four loopback vendors, with nothing changed but base URLs and keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from backend.config import Settings, load
from backend.loopback.anthropic import LoopbackAnthropic
from backend.loopback.anthropic import Script as Answers
from backend.loopback.deepgram import Fault as EarFault
from backend.loopback.deepgram import LoopbackDeepgram
from backend.loopback.elevenlabs import Fault as VoiceFault
from backend.loopback.elevenlabs import LoopbackElevenLabs
from backend.loopback.vendors import vendors
from backend.models import Call, Turn
from backend.practice.call_record import CallRecord
from backend.practice.carrier import Carrier
from backend.server import create_app
from backend.serving import serve
from backend.storage.store import Archive
from tests.loud_caller import Caller

TOKEN = "a-token-for-the-tests"
BRIEF = {
    "to": "+12025550143",
    "action": "Confirm the visit on Thursday",
    "context": "It is at two thirty in our old building, and takes about one hour.",
    "callee_name": "Jo",
    "agent_name": "Al",
    "organization": "",
}


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
    far_end: Caller,
    hears: Sequence[str],
    answers: Answers,
    *,
    ear_faults: Sequence[EarFault] = (),
    voice_faults: Sequence[VoiceFault | None] = (),
    first_token: float = 0.05,
    first_byte: float = 0.05,
    **keys: Any,
) -> AsyncIterator[World]:
    deepgram = LoopbackDeepgram(hears, faults=ear_faults)
    elevenlabs = LoopbackElevenLabs(first_byte=first_byte, faults=voice_faults)
    anthropic = LoopbackAnthropic(answers, first_token=first_token)
    async with vendors(lambda _: far_end, deepgram, elevenlabs, anthropic) as (carrier, theirs):
        settings = load(**theirs, database_path=folder / "calls.db", api_token=TOKEN, **keys)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            serve(create_app(settings), port=settings.media_server_port, ws="websockets-sansio"),
            httpx2.AsyncClient(base_url=settings.server_url, headers=headers, trust_env=False) as api,
        ):
            yield World(settings, carrier, deepgram, elevenlabs, anthropic, api)
