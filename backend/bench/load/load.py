"""How many calls one core holds: the product in its own process on one core, callees and vendors on another.

`measured` is for whoever shows it: it runs the measurement in a process of its own and passes on how it is going.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from backend.bench.delays import Delays
from backend.bench.figures import percentile
from backend.bench.load import vendors as load_vendors
from backend.bench.load.calls import Carrier, Habits
from backend.bench.load.gauge import Gauge
from backend.bench.load.levels import Level, Load, judged, sentence, slowed
from backend.bench.load.wire import Wire
from backend.bench.meter import Meter
from backend.config import ROOT, Settings, load
from backend.running.launcher import CannotStart, media_server
from backend.serving import free_port

_TOKEN = "only-for-this-benchmark"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried."""

    levels: Sequence[int] = (25, 50, 75, 100)
    """Calls at once, one level after the other."""
    begins: float = 8.0
    """Seconds within which the calls of a level begin."""
    habits: Habits = field(default_factory=Habits)
    delays: Delays = field(default_factory=Delays)

    @property
    def seconds(self) -> float:
        """About how long all of it takes."""
        return 10 + len(self.levels) * (self.begins + self.habits.stays + 2)


QUICK = Plan(levels=(50,))


# --- in a process of its own ------------------------------------------------------------------------------------


async def measured(plan: Plan = Plan()) -> AsyncIterator[str | Load]:
    """Measure; yields a sentence now and then on how it is going, and the result at the end.

    Raises:
        CannotStart: nothing could be measured; the message says why.
    """
    command = (sys.executable, "-m", "backend.bench.load.load", json.dumps(asdict(plan)))
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout
    found = None
    try:
        async for line in child.stdout:
            message = json.loads(line)
            if "error" in message:
                raise CannotStart(message["error"])
            if "load" in message:
                found = _load(message["load"])
            else:
                yield message["said"]
    finally:
        if found is None:
            with suppress(ProcessLookupError):
                child.terminate()
        await child.wait()
    if found is None:
        raise CannotStart("The load generator ended early; what it printed above says why.")
    yield found


def _load(data: dict[str, Any]) -> Load:
    levels = tuple(Level(**level | {"faults": tuple(level["faults"])}) for level in data["levels"])
    return Load(levels, data["pinned"])


def _plan(data: dict[str, Any]) -> Plan:
    habits, delays = Habits(**data.pop("habits")), Delays(**data.pop("delays"))
    return Plan(**data, habits=habits, delays=delays)


def main() -> None:
    """The process's own life: what `measured` reads goes to standard output, one JSON object a line."""

    def tell(**message: object) -> None:
        print(json.dumps(message), flush=True)  # noqa: T201

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            found = runner.run(perform(_plan(json.loads(sys.argv[1])), lambda said: tell(said=said)))
        tell(load=asdict(found))
    except* CannotStart as failed:
        tell(error=_sentence_of(failed))


def _sentence_of(failed: BaseExceptionGroup[CannotStart]) -> str:
    """What went wrong first: a hundred calls fail for one reason."""
    error = failed.exceptions[0]
    return _sentence_of(error) if isinstance(error, BaseExceptionGroup) else str(error)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


# --- the measurement --------------------------------------------------------------------------------------------


async def perform(plan: Plan, tell: Callable[[str], object]) -> Load:
    """Measure in this process, which should have nothing else to do.

    Raises:
        CannotStart: the media server does not start, or takes no calls.
    """
    async with _scene(plan) as scene, AsyncExitStack() as stack:
        core = _part_cores(scene.pid)
        gauge = None if core is None else await stack.enter_async_context(Gauge(core))
        # What a server loads only once, with its first calls, is no call's cost.
        await scene.hold(replace(plan, begins=1.0, habits=replace(plan.habits, stays=8.0)), 3)
        scene.meter.reset()
        levels, taken = [], []
        for count in plan.levels:
            tell(f"{count} calls at once for {plan.begins + plan.habits.stays:.0f} seconds")
            before = len(gauge.taken) if gauge else 0
            levels.append(await scene.hold(plan, count))
            taken.append(gauge.taken[before:] if gauge else [])
            tell(sentence(levels[-1]))
        return Load(slowed(levels, taken), pinned=core is not None)


@dataclass
class _Scene:
    """A media server, and everything around it."""

    pid: int
    carrier: Carrier
    api: httpx2.AsyncClient
    meter: Meter
    placed: int = 0

    async def hold(self, plan: Plan, count: int) -> Level:
        """One level, from the first call's dialling to the last one's end."""
        carrier, meter, clock = self.carrier, self.meter, asyncio.get_running_loop().time
        carrier.begin(plan.habits)
        at_first = meter.cpu()
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._place(number * plan.begins / count))
        full, at_full, slips = clock(), meter.cpu(), len(carrier.slips)
        await carrier.thinned.wait()
        over, at_over, slips_over = clock(), meter.cpu(), len(carrier.slips)
        await carrier.settled()
        used, busy, grown = _less(meter.cpu(), at_first), _less(at_over, at_full), meter.grown()
        talked = sum(call.talked for call in carrier.placed)
        return replace(
            judged(carrier.placed, full, over),
            cpu=None if used is None or not talked else used * 60 / talked,
            busy=None if busy is None else busy / (over - full),
            memory=None if grown is None else grown / count,
            faults=tuple(carrier.faults),
            slip=percentile(carrier.slips[slips:slips_over], 0.99) or 0.0,
        )

    async def _place(self, after: float) -> None:
        await asyncio.sleep(after)
        self.placed += 1
        brief = {"to": f"+1202555{self.placed % 10_000:04}", "action": "Ask which day suits them", "callee_name": "Ann"}
        try:
            answered = await self.api.post("/api/calls", json=brief)
        except httpx2.TransportError as error:
            raise CannotStart(f"The media server that is measured was lost ({error}).") from None
        if answered.is_error:
            raise CannotStart(f"The media server did not place a call: {answered.text[:300]}")


def _less(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier


@asynccontextmanager
async def _scene(plan: Plan) -> AsyncIterator[_Scene]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="phone-agent-load-")))
        http = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False, timeout=15))
        carrier = Carrier(plan.habits, http)
        rest = await _serve(stack, carrier.answer)
        vendors = await _serve(stack, partial(load_vendors.answer, delays=plan.delays))
        ours = _settings(carrier, rest, vendors, folder)
        environment = os.environ | {name.upper(): str(value) for name, value in ours.items()}
        settings = load(**ours)
        server = await stack.enter_async_context(media_server(settings, environment=environment))
        assert server.pid, "nobody else can have been on a port that was free"
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        client = httpx2.AsyncClient(base_url=settings.server_url, headers=headers, trust_env=False, timeout=30)
        api = await stack.enter_async_context(client)
        meter = await stack.enter_async_context(Meter(server.pid))
        clock = asyncio.create_task(carrier.tick())
        try:
            yield _Scene(server.pid, carrier, api, meter)
        finally:
            clock.cancel()
            await asyncio.wait([clock])
            await carrier.close()


async def _serve(stack: AsyncExitStack, answer: Callable[..., None]) -> int:
    server = await asyncio.get_running_loop().create_server(lambda: Wire(answer), "127.0.0.1", 0)
    stack.callback(server.close)
    return int(server.sockets[0].getsockname()[1])


def _settings(carrier: Carrier, rest: int, vendors: int, folder: Path) -> dict[str, Any]:
    """The media server's settings: only keys and addresses differ from the defaults. They win over `.env`."""
    defaults = {name: field.default for name, field in Settings.model_fields.items() if field.default}
    port = free_port()
    keys = {
        "deepgram_url": f"ws://127.0.0.1:{vendors}",
        "deepgram_api_key": "load",
        "elevenlabs_url": f"ws://127.0.0.1:{vendors}",
        "elevenlabs_api_key": "load",
        "elevenlabs_voice_id": "load",
        "anthropic_base_url": f"http://127.0.0.1:{vendors}",
        "anthropic_api_key": "load",
        "twilio_account_sid": carrier.account.sid,
        "twilio_auth_token": carrier.account.token,
        "twilio_phone_number": carrier.account.number,
        "twilio_api_url": f"http://127.0.0.1:{rest}",
        "public_host": f"127.0.0.1:{port}",
        "media_server_port": port,
    }
    own = {"database_path": folder / "calls.db", "api_token": _TOKEN, "max_calls_per_hour": 10_000}
    own |= {"calling_hours": "none", "max_calls_per_number": 0, "max_cost_per_day": 0}
    return defaults | keys | own


def _part_cores(pid: int) -> int | None:
    """Give the media server one core, which is the answer, and this process the others; None where that cannot be."""
    if not hasattr(os, "sched_setaffinity") or len(cores := sorted(os.sched_getaffinity(0))) < 2:
        return None
    # The first core is where most systems handle their interrupts.
    ours, theirs = cores[:-1], cores[-1:]
    for process, chosen in ((pid, theirs), (os.getpid(), ours)):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):  # it has ended meanwhile
                os.sched_setaffinity(int(thread.name), chosen)
    return theirs[0]


if __name__ == "__main__":
    main()
