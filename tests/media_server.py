"""A media server without phones: the real control API over a real store, and a desk that notes what it is told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from fastapi import FastAPI

from backend.answers import Part, Running
from backend.call.events import FloorEvent, HandBack, Pause, Resume, TakeOver
from backend.call.tap import Tap
from backend.config import Settings, load
from backend.llm.offline import OfflineBrain
from backend.models import Brief, Call, Hands, LineKind, Outcome, Refused, Status
from backend.practice.softphone import Softphones
from backend.rehearsal.rehearsal import OpenModel
from backend.server import create_app
from backend.serving import serve
from backend.storage.retention import Retention
from backend.storage.store import Store
from backend.switchboard.switchboard import CallOver, NoSuchCall
from backend.telephony.gate import dialable

TOKEN = "a-token-for-tests-only"

PARTS = [
    Part(
        "Phone line",
        "",
        False,
        "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER and PUBLIC_HOST in .env to call real phones.",
    ),
    Part("Practice line", "Made-up people who pick up and talk; no phone rings", False),
    Part("Hearing", "Deepgram flux-general-en", True),
    Part("Thinking", "Offline brain, by rules", False, "Set ANTHROPIC_API_KEY in .env for Claude."),
    Part("Speaking", "Offline voice", False, "Set ELEVENLABS_API_KEY in .env for ElevenLabs."),
]


_HANDS: dict[type, Hands] = {
    Pause: Hands.PAUSED,
    Resume: Hands.AGENT,
    TakeOver: Hands.OPERATOR,
    HandBack: Hands.AGENT,
}


@dataclass
class Desk:
    """Stands where the switchboard stands; what happens in a call is up to the test."""

    store: Store
    placed: list[Call] = field(default_factory=list)
    requests: dict[str, Call] = field(default_factory=dict)
    """By the request's own name, the call that was placed for it."""
    commands: list[tuple[str, FloorEvent]] = field(default_factory=list)
    hands: dict[str, Hands] = field(default_factory=dict)
    """In whose hands the calls are of which somebody has ordered something."""
    taps: dict[str, Tap] = field(default_factory=dict)
    softphones: Softphones = field(default_factory=Softphones)
    thinker: OpenModel = OfflineBrain
    """The language model of a rehearsal."""
    watched: set[str] = field(default_factory=set)
    phone: bool = True
    """Whether there is one to hand calls over to."""
    too_late: str = ""
    """Why no answer reaches an agent any more, where none does."""
    deaf: str = ""
    """Why no command is taken, when none is."""

    @property
    def live(self) -> int:
        return len(self.store.unfinished())

    async def place(
        self, brief: Brief, dial: bool = True, by: str = "", any_hour: bool = False, request: str = ""
    ) -> Call:
        if request and request in self.requests:
            return self.requests[request]
        if not brief.action.strip():
            raise Refused("What to get done is missing: write in one sentence what the call is for.")
        brief = Brief(**{name: getattr(brief, name) for name in Brief.__slots__} | {"to": dialable(brief.to)})
        status = Status.QUEUED if dial else Status.CREATED
        call = Call(f"call-{len(self.placed) + 1}", brief, status, created=time.time(), provider_sid="CA1")
        self.store.add(call)
        self.placed.append(call)
        self.requests[request] = call
        return call

    async def command(self, call_id: str, event: FloorEvent) -> None:
        if self._known(call_id).status is not Status.IN_PROGRESS:
            raise CallOver("Nobody has picked up yet.")
        if self.deaf:
            raise CallOver(self.deaf)
        self.commands.append((call_id, event))
        self.hands[call_id] = _HANDS.get(type(event), self.hands.get(call_id, Hands.AGENT))

    def watch(self, call_id: str) -> None:
        self.watched.add(call_id)

    async def take_over(self, call_id: str, by: str = "") -> None:
        await self.command(call_id, TakeOver(by))

    async def hand_back(self, call_id: str, by: str = "") -> None:
        await self.command(call_id, HandBack(by))

    def tap(self, call_id: str) -> Tap:
        """The sound of the call: silence, unless a test puts something into it."""
        if self._known(call_id).status.final:
            raise CallOver("This call is over.")
        return self.taps.setdefault(call_id, Tap())

    def speak(self, call_id: str, mulaw: bytes) -> bool:
        return self.hands.get(call_id) is Hands.OPERATOR

    def hands_over(self, line: LineKind) -> bool:
        return self.phone

    def running(self) -> list[Running]:
        hands = self.hands
        return [Running(call.id, hands.get(call.id, Hands.AGENT), "listening") for call in self.store.unfinished()]

    async def answer(self, question_id: int, text: str, by: str = "") -> bool:
        if self.too_late:
            raise CallOver(self.too_late)
        return self.store.settle(question_id, time.time(), text)

    def settle(self, question_id: int) -> bool:
        return self.store.settle(question_id, time.time())

    async def hang_up(self, call_id: str, by: str = "") -> None:
        if self._known(call_id).status.final:
            raise CallOver("This call is over.")
        why = "The operator hung up."
        self.store.advance(call_id, Status.CANCELED, ended=time.time(), outcome=Outcome.STOPPED, ending=why)

    def _known(self, call_id: str) -> Call:
        call = self.store.call(call_id)
        if call is None:
            raise NoSuchCall(call_id)
        return call


@dataclass
class MediaServer:
    settings: Settings
    port: int
    desk: Desk
    store: Store
    """The test's own way to write what happens in a call; the desk's belongs to the server's thread."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find this server and its store."""
        return {
            "DATABASE_PATH": str(self.settings.database_path),
            "MEDIA_SERVER_PORT": str(self.port),
            "API_TOKEN": TOKEN,
        }


@contextmanager
def media_server(database: Path) -> Iterator[MediaServer]:
    """Serve from a thread of its own until the block is left."""
    settings = load(database_path=database, api_token=TOKEN)
    started: list[tuple[int, Desk]] = []
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(settings, started, ready, stop)), daemon=True)
    thread.start()
    try:
        ready.wait(20)
        assert started, "the media server did not start"
        port, desk = started[0]
        with Store(database) as store:
            yield MediaServer(settings, port, desk, store)
    finally:
        stop.set()
        thread.join(20)


async def _serve(
    settings: Settings, started: list[tuple[int, Desk]], ready: threading.Event, stop: threading.Event
) -> None:
    try:
        with Store(settings.database_path) as store:
            desk = Desk(store)
            async with serve(_app(settings, desk), ws="websockets-sansio") as port:
                started.append((port, desk))
                ready.set()
                await asyncio.to_thread(stop.wait)
                for tap in desk.taps.values():
                    tap.close()
    finally:
        ready.set()


def _app(settings: Settings, desk: Desk) -> FastAPI:
    """The product's own app, with the desk in the place of everything that needs phones."""
    app = create_app(settings)

    @asynccontextmanager
    async def nothing_to_open(_: FastAPI) -> AsyncIterator[None]:
        yield

    app.router.lifespan_context = nothing_to_open
    state = app.state
    state.store, state.switchboard = desk.store, desk
    state.retention = Retention(desk.store, settings.recordings_path, settings.call_days)
    state.providers = SimpleNamespace(
        parts=PARTS, capacity=2, thinker=lambda line: desk.thinker(), softphones=desk.softphones
    )
    state.carriers = {LineKind.PRACTICE: SimpleNamespace(callback=lambda path: f"http://127.0.0.1{path}")}
    return app
