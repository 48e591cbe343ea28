"""The real media server on loopback with the practice carrier as its phone line; only the providers are stand-ins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

import httpx2
from fastapi import FastAPI
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect

from backend.bench.stand_ins import Ears, Model, Speech, read_back
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.session import Kit
from backend.call.voice import Voice
from backend.config import Settings, load
from backend.loopback.vendors import phone_line
from backend.models import Brief, Call, Status
from backend.practice.call_record import CallRecord
from backend.practice.carrier import Carrier, practice_carrier
from backend.practice.dialled_call import DialledCall
from backend.practice.handset import FarEnd
from backend.providers import Providers
from backend.server import create_app
from backend.serving import free_port, serve
from backend.storage.store import Store
from backend.switchboard.switchboard import Switchboard
from tests.practice_world import CALLEE, Person

TOKEN = "a-token-for-tests-only"
ACTION = "Confirm the visit"
PATIENCE = 8.0
"""Seconds for anything awaited here; only a failing test waits that long."""

Answer = Callable[[DialledCall], FarEnd | Status]

_on_loopback = partial(serve, ws="websockets-sansio")


@dataclass
class Cast:
    """The stand-ins that hold one call."""

    brief: Brief
    ears: Ears = field(default_factory=Ears)
    model: Model = field(default_factory=Model)
    speech: Speech = field(default_factory=Speech)
    left: bool = False
    """Whether the call has let go of them."""


class Rehearsal(Providers):
    """The product's providers, except that stand-ins hold the calls: no engine is started, and none is missing."""

    def __init__(self, settings: Settings, open_kit: Callable[[], None] = lambda: None) -> None:
        super().__init__(settings)
        self._deaf = self._mute = ""
        self._open_kit = open_kit
        self.casts: list[Cast] = []

    async def __aenter__(self) -> Self:
        return self

    @asynccontextmanager
    async def kit(self, brief: Brief, manners: Manners) -> AsyncIterator[Kit]:
        self._open_kit()
        cast = Cast(brief)
        self.casts.append(cast)
        try:
            async with Mind([cast.model], manners) as mind, Voice([cast.speech], manners, {}) as voice:
                yield Kit(cast.ears, mind, voice, {"tts": "stand-in"})
        finally:
            cast.left = True


@dataclass
class Served:
    """One running media server, and both of its sides: the operator's and the carrier's."""

    app: FastAPI
    settings: Settings
    providers: Rehearsal
    carrier: Carrier
    operator: httpx2.AsyncClient
    """Carries the bearer token."""

    @property
    def url(self) -> str:
        return self.settings.public_url

    @property
    def store(self) -> Store:
        store: Store = self.app.state.store
        return store

    @property
    def switchboard(self) -> Switchboard:
        switchboard: Switchboard = self.app.state.switchboard
        return switchboard

    # --- the operator -----------------------------------------------------------------------------------------

    async def place(self, **more: Any) -> httpx2.Response:
        return await self.operator.post("/api/calls", json={"to": CALLEE, "action": ACTION} | more)

    async def placed(self, **more: Any) -> str:
        response = await self.place(**more)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def row(self, call_id: str) -> Call:
        call = self.store.call(call_id)
        assert call, f"no row {call_id!r}"
        return call

    def handed(self, call_id: str, kind: str) -> list[dict[str, Any]]:
        """What the call's floor was handed of this kind, from the flight recorder."""
        return [dict(event.data["event"]) for event in self.store.events(call_id) if event.kind == kind]  # type: ignore[call-overload]

    async def connected(self, call_id: str) -> None:
        await until(lambda: bool(self.handed(call_id, "Connected")))

    async def over(self, call_id: str) -> Call:
        await until(lambda: self.row(call_id).status.final)
        return self.row(call_id)

    # --- the carrier ------------------------------------------------------------------------------------------

    def record(self, call_id: str) -> CallRecord:
        return self.carrier.calls[self.row(call_id).provider_sid]

    def earpiece(self, call_id: str) -> str:
        """What the callee has heard so far, as text."""
        return read_back(bytes(self.record(call_id).played))

    def signature(self, url: str, fields: dict[str, str] | None = None) -> str:
        return str(RequestValidator(self.carrier.account.token).compute_signature(url, fields or {}))

    async def webhook(self, path: str, signature: str | None = None, **fields: str) -> httpx2.Response:
        """What the carrier would post; with its signature unless another one is given."""
        signature = self.signature(f"{self.url}{path}", fields) if signature is None else signature
        async with httpx2.AsyncClient(trust_env=False) as http:
            return await http.post(
                f"{self.url}{path}", data=fields, headers={b"X-Twilio-Signature": signature.encode()}
            )

    async def token(self, call_id: str, sid: str) -> str:
        """The stream's token in the answer to the webhook for a call that was picked up."""
        answer = await self.webhook(f"/twilio/voice?call={call_id}", CallSid=sid)
        parameter = ElementTree.fromstring(answer.text).find("Connect/Stream/Parameter")
        assert parameter is not None, answer.text
        return parameter.attrib["value"]

    def stream(self, signature: str | None = None) -> connect:
        """The carrier's socket; signed unless another signature is given."""
        url = f"ws{self.url.removeprefix('http')}/twilio/stream"
        headers = {"x-twilio-signature": self.signature(url) if signature is None else signature}
        return connect(url, additional_headers=headers, proxy=None, compression=None, ping_interval=None)


@asynccontextmanager
async def served(
    path: Path,
    carrier: Carrier,
    *,
    on: Callable[..., AbstractAsyncContextManager[object]] = _on_loopback,
    open_kit: Callable[[], None] = lambda: None,
    **more: Any,
) -> AsyncIterator[Served]:
    """The media server with this carrier as its phone line; `more` are settings."""
    port = free_port()
    settings = load(**phone_line(carrier, port) | {"database_path": path / "calls.db", "api_token": TOKEN} | more)
    providers = Rehearsal(settings, open_kit)
    app = create_app(settings, providers)
    operator = httpx2.AsyncClient(
        base_url=settings.server_url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False
    )
    async with on(app, port=port), operator:
        yield Served(app, settings, providers, carrier, operator)


@asynccontextmanager
async def world(path: Path, answer: Answer = lambda _: Person(), **more: Any) -> AsyncIterator[Served]:
    """A carrier where `answer` says who picks up, and the media server in front of it."""
    async with practice_carrier(answer) as carrier, served(path, carrier, **more) as server:
        yield server


async def until(seen: Callable[[], bool]) -> None:
    """Wait for what the server writes down or lets go of, of which it tells nobody."""
    async with asyncio.timeout(PATIENCE):
        while not seen():
            await asyncio.sleep(0.01)


async def begin(socket: ClientConnection, sid: str, token: str | None = None) -> None:
    """Send a stream's first messages."""
    parameters = {} if token is None else {"token": token}
    start = {"streamSid": "MZ1", "callSid": sid, "tracks": ["inbound"], "customParameters": parameters}
    await socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
    await socket.send(json.dumps({"event": "start", "streamSid": "MZ1", "start": start}))


async def closed(socket: ClientConnection) -> int | None:
    """Wait until the server has closed this socket; its code."""
    async with asyncio.timeout(PATIENCE):
        await socket.wait_closed()
    return socket.close_code
