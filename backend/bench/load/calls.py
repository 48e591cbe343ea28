"""The load generator's carrier: a hundred phone calls on one clock, with callees who talk in turn with the agent.

It speaks Twilio's protocols as far as calls need that go well; `backend.practice` has the carrier that checks.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

import httpx2
from twilio.request_validator import RequestValidator

from backend import audio
from backend.bench.delays import FRAME
from backend.bench.figures import lateness
from backend.bench.load.vendors import noise
from backend.bench.load.wire import Head, Wire, websocket

_PHASES = 10
"""Calls are spread over the 20 ms of a frame: the frames of real calls do not come all at once."""
_STEP = FRAME / _PHASES
_PATIENCE = 8.0
"""Seconds after which a callee who got no answer talks again."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How callees talk. Seconds."""

    speaks: float = 2.0
    after: float = 0.6
    """Of the agent's silence, before they do."""
    stays: float = 28.0
    """From the stream's start until they hang up."""


@dataclass(slots=True)
class Account:
    """As in `backend.practice`: what the media server calls with."""

    sid: str = field(default_factory=lambda: f"AC{token_hex(16)}")
    token: str = field(default_factory=lambda: token_hex(16))
    number: str = "+12025550100"


class PhoneCall:
    """One call, from being dialled to its last report."""

    def __init__(self, carrier: Carrier, asked: dict[str, list[str]]) -> None:
        self.sid = f"CA{token_hex(16)}"
        self.began: float | None = None
        """When its stream opened; times are in `loop.time()`."""
        self.ended: float | None = None
        self.replies: list[list[tuple[float, int]]] = [[]]
        """For each time that it was the agent's turn, when its pieces of sound came, and their bytes."""
        self.turns = 0
        self.missing = 0
        """Turns of the callee that were not answered."""
        self._carrier = carrier
        self._asked = asked
        self._stream = f"MZ{token_hex(16)}"
        self._wire = Wire(self._upgraded, self._lost)
        self._over = asyncio.Event()
        self._frames = 0
        self._sequence = 1
        self._dry = 0.0
        """When everything the agent sent so far will have been played."""
        self._marks: deque[tuple[float, str]] = deque()
        self._talks_until = 0.0
        self._quiet_since = 0.0

    def hang_up(self) -> None:
        self._over.set()

    async def live(self) -> None:
        """Ring, connect, talk until somebody hangs up, and report."""
        try:
            await self._report("ringing", 1)
            document = await self._carrier.post(self._asked["Url"][0], self._fields("in-progress"))
            await self._report("in-progress", 2)
            token = re.findall(r'name="token" value="([^"]+)"', document)[0]
            url = re.findall(r'<Stream [^>]*\burl="([^"]+)"', document)[0]
            await self._open(url, token)
            async with asyncio.timeout(self._carrier.habits.stays + 10):
                await self._over.wait()
        except (OSError, LookupError, TimeoutError, httpx2.HTTPError) as error:
            self._carrier.faults.append(f"{type(error).__name__}: {error}")
        finally:
            self._carrier.leave(self)
            if self.began:
                self.ended = _now()
                self._say("stop", f'"stop":{{"callSid":"{self.sid}"}}')
                self._wire.close()
        await self._report("completed", 3)

    async def _report(self, status: str, number: int) -> None:
        for url in self._asked.get("StatusCallback", []):
            await self._carrier.post(url, self._fields(status) | {"SequenceNumber": str(number)})

    def _fields(self, status: str) -> dict[str, str]:
        return {"CallSid": self.sid, "AccountSid": self._carrier.account.sid, "CallStatus": status}

    # --- the stream -------------------------------------------------------------------------------------------

    async def _open(self, url: str, token: str) -> None:
        there, signature = urlsplit(url), self._carrier.sign(url, {})
        headers = {"x-twilio-signature": signature}
        self._token = token
        await websocket(there.hostname or "", there.port or 80, there.path, headers, self._wire)

    def _upgraded(self, wire: Wire, head: Head, body: bytes) -> None:
        if " 101 " not in head.line:
            self._carrier.faults.append(f"The stream was refused: {head.line}")
            wire.close()
            self._over.set()
            return
        wire.upgraded(self._take)
        wire.send(b'{"event":"connected","protocol":"Call","version":"1.0.0"}')
        ids = {"streamSid": self._stream, "accountSid": self._carrier.account.sid, "callSid": self.sid}
        start = {**ids, "tracks": ["inbound"], "customParameters": {"token": self._token}}
        self._say("start", f'"start":{json.dumps(start)}')
        self.began = self._quiet_since = _now()
        self._carrier.join(self)

    def _lost(self) -> None:
        self._over.set()

    def _take(self, opcode: int, payload: bytes, mask: bytes) -> None:
        """Something from the agent."""
        message = json.loads(payload)
        match message["event"]:
            case "media":
                now, size = _now(), len(message["media"]["payload"]) * 3 // 4
                self.replies[-1].append((now, size))
                self._dry = max(self._dry, now) + audio.seconds(size)
                self._quiet_since = self._dry
            case "mark":
                self._marks.append((self._dry, message["mark"]["name"]))
            case "clear":
                self._dry = self._quiet_since = _now()
                self._marks = deque((self._dry, name) for _, name in self._marks)

    def tick(self, now: float) -> None:
        """20 ms pass: a frame of the callee's goes out, and the marks of what was played meanwhile."""
        assert self.began is not None
        while self._marks and self._marks[0][0] <= now:
            self._say("mark", f'"mark":{{"name":"{self._marks.popleft()[1]}"}}')
        self._frames += 1
        self._say(
            "media",
            f'"media":{{"track":"inbound","chunk":"{self._frames}","timestamp":"{self._frames * 20}",'
            f'"payload":"{_LOUD if self._talks(now) else _QUIET}"}}',
        )
        if now - self.began > self._carrier.habits.stays:
            self._over.set()

    def _talks(self, now: float) -> bool:
        """Whether the callee is speaking; here it decides to begin, and finds that it has ended."""
        if self._talks_until:
            if now < self._talks_until:
                return True
            self._talks_until, self._quiet_since = 0.0, now
            self.replies.append([])
        answered = bool(self.replies[-1])
        if now - self._quiet_since > (self._carrier.habits.after if answered else _PATIENCE):
            self.turns += 1
            self.missing += not answered
            self._talks_until = now + self._carrier.habits.speaks
        return False

    def _say(self, event: str, rest: str) -> None:
        self._sequence += 1
        text = f'{{"event":"{event}","sequenceNumber":"{self._sequence}","streamSid":"{self._stream}",{rest}}}'
        self._wire.send(text.encode())

    # --- what it has seen ---------------------------------------------------------------------------------------

    def late(self, since: float, until: float) -> Iterator[float]:
        """How late the pieces of all replies were that began in this time."""
        for pieces in self.replies:
            if pieces and since <= pieces[0][0] < until:
                yield from lateness(pieces)

    @property
    def talked(self) -> float:
        """Seconds from the stream's opening to its end."""
        return (self.ended - self.began) if self.began and self.ended else 0.0


class Carrier:
    """All calls, the clock they share and the REST interface by which they come about."""

    def __init__(self, habits: Habits, http: httpx2.AsyncClient) -> None:
        self.account = Account()
        self.habits = habits
        self.calls: dict[str, PhoneCall] = {}
        """By SID."""
        self.faults: list[str] = []
        self.slips: list[float] = []
        """How late the clock itself was, each time: the load generator's own lateness."""
        self.thinned = asyncio.Event()
        """Set when the first call has ended."""
        self._http = http
        self._validator = RequestValidator(self.account.token)
        self._talking: list[list[PhoneCall]] = [[] for _ in range(_PHASES)]
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, habits: Habits) -> None:
        """Forget what was, and have calls with these habits from now on."""
        self.habits = habits
        for record in (self.calls, self.faults, self.slips):
            record.clear()
        self.thinned.clear()

    @property
    def placed(self) -> list[PhoneCall]:
        return list(self.calls.values())

    def answer(self, wire: Wire, head: Head, body: bytes) -> None:
        """A request to the REST interface: place a call, or end one."""
        form, sid = parse_qs(body.decode()), head.line.split(" ")[1].rpartition("/")[2].partition(".")[0]
        if sid == "Calls":
            call = PhoneCall(self, form)
            self.calls[call.sid] = call
            task = asyncio.get_running_loop().create_task(call.live())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            wire.reply(json.dumps({"sid": call.sid, "status": "queued"}).encode(), status="201 Created")
        elif sid in self.calls:
            self.calls[sid].hang_up()
            wire.reply(json.dumps({"sid": sid, "status": "completed"}).encode())
        else:
            wire.reply(b'{"code":20404,"message":"no such call","status":404}', status="404 Not Found")

    async def post(self, url: str, fields: dict[str, str]) -> str:
        """A webhook, signed."""
        answered = await self._http.post(url, data=fields, headers={"X-Twilio-Signature": self.sign(url, fields)})
        answered.raise_for_status()
        return answered.text

    def sign(self, url: str, fields: dict[str, str]) -> str:
        return str(self._validator.compute_signature(url, fields))

    def join(self, call: PhoneCall) -> None:
        """Its stream is open: the clock moves it from now on."""
        min(self._talking, key=len).append(call)

    def leave(self, call: PhoneCall) -> None:
        self.thinned.set()
        for group in self._talking:
            if call in group:
                group.remove(call)

    async def settled(self) -> None:
        """Wait until every call is over and reported."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settled()

    async def tick(self) -> None:
        """The clock of all calls; runs until it is cancelled."""
        due = _now()
        while True:
            for group in self._talking:
                due += _STEP
                await asyncio.sleep(max(0.0, due - _now()))
                now = _now()
                if group:
                    self.slips.append(now - due)
                for call in tuple(group):
                    call.tick(now)


_LOUD = b64encode(noise(audio.FRAME)).decode()
_QUIET = b64encode(audio.SILENCE * audio.FRAME).decode()


def _now() -> float:
    return asyncio.get_running_loop().time()
