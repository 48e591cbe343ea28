"""The benchmark's own process: vendors, carrier and callees on one event loop, and so one clock, around a media server.

The media server is a process of its own, started as `phone-agent serve` is, and configured by its environment alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from backend.bench.caller import Caller, Turn
from backend.bench.figures import CallSeen, Cost, Delays, ReplySeen, Seen, first_loud, last_loud, lateness, silence
from backend.bench.meter import Meter
from backend.config import Settings, load
from backend.launcher import media_server
from backend.loopback.anthropic import LoopbackAnthropic, Received, Reply, Tool
from backend.loopback.deepgram import LoopbackDeepgram
from backend.loopback.ear import Pace
from backend.loopback.elevenlabs import LoopbackElevenLabs
from backend.loopback.vendors import vendors
from backend.practice.call_record import CallRecord
from backend.practice.carrier import Carrier
from backend.practice.dialled_call import DialledCall

TOKEN = "only-for-this-benchmark"
TURNS = (Turn(), Turn(), Turn(interrupts=1.0), Turn())
"""What a callee does: answer, answer, talk over the agent, answer."""
LEAVES = 0.3
"""Seconds of the opening after which a callee hangs up who only waits for it."""

_SLOW = Delays(first_token=1.5, first_byte=1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of the benchmark."""

    calls: int = 12
    at_once: int = 3
    turns: tuple[Turn, ...] = TURNS
    openings: int = 3
    """Calls, at once, to vendors that are slow."""
    rings: float = 1.5
    delays: Delays = field(default_factory=Delays)
    slow: Delays = _SLOW
    slow_rings: float = 3.0
    """Longer than slow vendors take to voice the opening."""

    @property
    def total(self) -> int:
        """All the calls of the run."""
        return self.calls + self.openings


async def perform(plan: Plan, ended: Callable[[], object]) -> Seen:
    """Hold all the calls; `ended` is told of each.

    Raises:
        CannotStart: the media server does not start.
        ExceptionGroup: of RuntimeErrors, when it takes no calls; each is a sentence.
    """
    async with _scene(plan.slow, ended) as scene:
        leaving = [Caller(leaves=LEAVES, rings=plan.slow_rings) for _ in range(plan.openings)]
        slowed = await scene.hold(leaving, plan.openings)
    async with _scene(plan.delays, ended) as scene:
        callers = [Caller(plan.turns, rings=plan.rings) for _ in range(plan.calls)]
        # The first call is alone and weighs nothing: what a server loads only once is no call's cost.
        first = await scene.hold(callers[:1], 1)
        scene.meter.reset()
        others = await scene.hold(callers[1:], plan.at_once)
        talked, at_once = sum(call.seconds for call in others), min(plan.at_once, max(1, len(others)))
        cost = Cost(scene.meter.cpu(), talked, scene.meter.grown() if others else None, at_once)
    return Seen(plan.delays, (*first, *others), tuple(slowed), cost)


# --- the cast ---------------------------------------------------------------------------------------------------

_OPENERS = (
    "This is answer {turn} of call {call},",
    "As you would like to know this is answer {turn} of call {call},",
    "Let me see and here is answer {turn} of call {call},",
)
"""First clauses of several lengths, so that no figure hangs on how one of them falls between the carrier's frames."""
_REST = " and it is all written down for you now."
_LAST = " and with that all is settled. Goodbye."
_BYE = Tool("end_call", {"outcome": "confirmed", "note": ""})


def first_clause(call: int, turn: int) -> str:
    """How the answer to a callee's turn begins; no other answer does."""
    return _OPENERS[(call + turn) % len(_OPENERS)].format(call=call, turn=turn)


def pieces_of(text: str) -> int:
    """How many tokens the loopback model makes of it."""
    return len(re.findall(r"\s*\S{1,6}", text))


@dataclass
class _Answers:
    """The model's script. It knows the call by the errand it was given, and the turn by the callee's words."""

    turns: int = 0
    asked: dict[tuple[int, int], tuple[Received, int]] = field(default_factory=dict)
    """By call and turn: the request, and the number of the recogniser's connection that heard the words."""

    def __call__(self, received: Received) -> Reply:
        call = int(re.findall(r"errand number (\d+)\b", json.dumps(received.body["system"]))[0])
        turn, line = map(int, re.findall(r"question (\d+) on line (\d+)\.", json.dumps(received.body["messages"]))[-1])
        self.asked[call, turn] = received, line
        last = turn >= self.turns
        return Reply(first_clause(call, turn) + (_LAST if last else _REST), (_BYE,) if last else ())


def _words(line: int) -> list[str]:
    """What the callee on this connection is heard to say, turn by turn."""
    return [f"Here is my question {turn} on line {line}." for turn in range(1, 100)]


# --- the scene --------------------------------------------------------------------------------------------------


@dataclass
class _Scene:
    """Everything around one media server."""

    carrier: Carrier
    ears: LoopbackDeepgram
    voice: LoopbackElevenLabs
    answers: _Answers
    api: httpx2.AsyncClient
    meter: Meter
    callers: dict[str, Caller]
    """By the number that is dialled."""
    ended: Callable[[], object]

    async def hold(self, callers: Sequence[Caller], at_once: int) -> list[CallSeen]:
        """Hold one call with each, so many at once."""
        room = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._hold_one(caller, room)) for caller in callers]
        return [task.result() for task in tasks]

    async def _hold_one(self, caller: Caller, room: asyncio.Semaphore) -> CallSeen:
        async with room:
            call = len(self.callers)
            number = f"+1202555{call % 10_000:04}"
            self.callers[number], self.answers.turns = caller, len(caller.plan)
            await self._place(number, call)
            try:
                async with asyncio.timeout(caller.rings + caller.patience + 10):
                    await caller.over.wait()
            except TimeoutError:
                raise RuntimeError("A call of the benchmark neither was picked up nor ended.") from None
            self.ended()
            record = next(one for one in reversed(self.carrier.calls.values()) if one.dialled.to == number)
            return self._seen(call, caller, record)

    async def _place(self, number: str, call: int) -> None:
        try:
            placed = await self.api.post("/api/calls", json={"to": number, "action": f"Do errand number {call}"})
        except httpx2.TransportError as error:
            raise RuntimeError(f"The media server that is measured was lost ({error}).") from None
        if placed.is_error:
            raise RuntimeError(f"The media server did not place a call: {placed.text[:300]}")

    def _seen(self, call: int, caller: Caller, record: CallRecord) -> CallSeen:
        replies = [self._reply(call, turn, caller, record) for turn in range(1, len(caller.plan) + 1)]
        spans = _spans(caller)
        arrivals = [[entry for entry in record.arrivals if since <= entry[0] < until] for since, until in spans]
        began, first = record.stream_started, record.arrivals[0][0] if record.arrivals else None
        return CallSeen(
            opening=first - began if first and began else None,
            replies=tuple(reply for reply in replies if reply),
            stops=tuple(_stops(caller)),
            late=tuple(late for pieces in arrivals for late in lateness(pieces)),
            silences=tuple(silence(caller.frames, since, until) for since, until in spans),
            seconds=caller.frames[-1][0] - caller.frames[0][0] if caller.frames else 0.0,
            missing=replies.count(None),
            faults=tuple(record.errors),
        )

    def _reply(self, call: int, turn: int, caller: Caller, record: CallRecord) -> ReplySeen | None:
        """The answer to this turn; None if the call did not get there."""
        if turn > len(caller.spoke) or (call, turn) not in self.answers.asked:
            return None
        text = first_clause(call, turn)
        (request, line), pieces = self.answers.asked[call, turn], pieces_of(text)
        ends = self.ears.connections[line - 1].ends
        voiced = next((one for one in self.voice.voiced if one.text.startswith(text)), None)
        if voiced is None or len(ends) < turn:
            return None
        arrived = next((at for at, _ in record.arrivals if at >= voiced.sent), None)
        audible = first_loud(caller.frames, voiced.sent)
        if arrived is None or audible is None:
            return None
        ended = caller.spoke[turn - 1][1]
        return ReplySeen(ended, ends[turn - 1], request.sent[0], voiced.asked, voiced.sent, arrived, audible, pieces)


def _spans(caller: Caller) -> list[tuple[float, float]]:
    """From the end of each turn of the callee until its next one."""
    ends = [ended for _, ended in caller.spoke]
    return list(zip(ends, [began for began, _ in caller.spoke[1:]] + [float("inf")], strict=False))


def _stops(caller: Caller) -> list[float]:
    """How long the agent was heard after the callee had begun to talk over it."""
    spoke = zip(caller.plan, caller.spoke, strict=False)
    return [
        (last_loud(caller.frames, began, ended) or began) - began for turn, (began, ended) in spoke if turn.interrupts
    ]


@asynccontextmanager
async def _scene(delays: Delays, ended: Callable[[], object]) -> AsyncIterator[_Scene]:
    callers: dict[str, Caller] = {}
    answers = _Answers()

    def pick_up(dialled: DialledCall) -> Caller:
        return callers[dialled.to]

    pace = Pace(word=delays.word, lag=delays.lag, end=delays.end_of_turn)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="phone-agent-bench-")))
        ears = LoopbackDeepgram(_words, pace=pace)
        voice = LoopbackElevenLabs(first_byte=delays.first_byte, speed=delays.speed)
        model = LoopbackAnthropic(answers, first_token=delays.first_token, tokens_per_second=delays.tokens_per_second)
        carrier, keys = await stack.enter_async_context(vendors(pick_up, ears, voice, model))
        ours = _settings(keys, folder)
        environment = os.environ | {name.upper(): str(value) for name, value in ours.items()}
        settings = load(**ours)
        server = await stack.enter_async_context(media_server(settings, environment=environment))
        assert server.pid, "nobody else can have been on a port that was free"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        client = httpx2.AsyncClient(base_url=settings.server_url, headers=headers, trust_env=False, timeout=30)
        api = await stack.enter_async_context(client)
        meter = await stack.enter_async_context(Meter(server.pid))
        yield _Scene(carrier, ears, voice, answers, api, meter, callers, ended)


def _settings(keys: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The media server's settings: only keys and addresses differ from the defaults.

    They win over `.env`; what has no default (the inbound profile) is not used by calls that go out.
    """
    defaults = {name: field.default for name, field in Settings.model_fields.items() if field.default}
    own = {"database_path": folder / "calls.db", "api_token": TOKEN, "max_calls_per_hour": 10_000}
    return defaults | keys | own
