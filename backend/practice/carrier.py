"""The practice carrier: a small Twilio on this machine, REST in, signed webhooks and media streams out.

It behaves as documented where the product can tell, so that a call without Twilio keys runs through the same code.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from email.utils import formatdate
from secrets import compare_digest, token_hex
from typing import Annotated, Any
from urllib.parse import parse_qs

import httpx2
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from backend.models import Direction, Status
from backend.practice.call_record import CallRecord
from backend.practice.clock import Clock
from backend.practice.dialled_call import DialledCall, Form, Refusal, read
from backend.practice.handset import FarEnd
from backend.practice.phone_call import Network, PhoneCall
from backend.practice.twiml import BadDocument, Document, Redirect, parse
from backend.practice.webhooks import Webhooks
from backend.serving import serve
from backend.telephony.twilio import Account

OWN_NUMBER = "+15005550006"
"""The number Twilio reserves for callers that are only tests."""
OPERATOR = "+15005550010"
"""The phone that calls are handed over to; nobody has it."""
MOST_CALLS = 200
"""Live at once; then Twilio's 10004."""
KEPT = 32
"""Records of ended calls that stay for inspection."""
GRACE = 3.0
"""Seconds that calls get to end by themselves when the carrier closes."""

_BASIC = HTTPBasic(auto_error=False)


class Carrier:
    """The exchange: every call that is or was, and the ways to begin, change and end one."""

    def __init__(self, account: Account, answer: Callable[[DialledCall], FarEnd | Status], network: Network) -> None:
        self.account = account
        self.calls: dict[str, CallRecord] = {}
        """By call SID, oldest first."""
        self._answer = answer
        self._network = network
        self._live: dict[str, tuple[PhoneCall, asyncio.Task[None]]] = {}

    async def call_in(self, from_: str, voice_url: str, far_end: FarEnd, status_url: str | None = None) -> CallRecord:
        """Somebody calls the account's number; `far_end` speaks once the product's TwiML has answered.

        `<Reject>` ends it as busy, or as no-answer for any reason but "busy".
        """
        dialled = DialledCall(to=self.account.number, from_=from_, url=voice_url, status_url=status_url or "")
        return self._begin(dialled, Direction.INBOUND, lambda: far_end)

    async def idle(self) -> None:
        """Wait until no call is live and all their callbacks are out."""
        while self._live:
            await asyncio.wait([task for _, task in self._live.values()])

    def dial(self, dialled: DialledCall) -> CallRecord:
        """Begin a call that the product asked for.

        Raises:
            Refusal: too many calls are live.
        """
        return self._begin(dialled, Direction.OUTBOUND, lambda: self._answer(dialled))

    def change(self, sid: str, form: Form) -> CallRecord:
        """Hang up, cancel, or put another document in place of the running one.

        Raises:
            Refusal: there is no such call, it is over, or the change makes no sense now.
        """
        record = self.find(sid)
        call = self._live[sid][0] if sid in self._live and not record.status.final else None
        if call is None:
            raise Refusal(21220, "Call is not in-progress. Cannot redirect.")
        answered = record.status is Status.IN_PROGRESS
        match form.get("Status", [""])[-1]:
            case "completed":
                call.hang_up()
            case "canceled" if not answered:
                call.hang_up()
            case "" if answered:
                call.replace(_document(form))
            case "" | "canceled":
                raise Refusal(21220, "Call is not in-progress. Cannot redirect.")
            case other:
                raise Refusal(20001, f"Status is {other!r}, expected completed or canceled")
        return record

    def find(self, sid: str) -> CallRecord:
        if sid not in self.calls:
            raise Refusal(20404, f"The requested resource /Calls/{sid}.json was not found", status=404)
        return self.calls[sid]

    async def close(self) -> None:
        """Hang up on everybody; who cannot end in time is cut off."""
        for call, _ in self._live.values():
            call.hang_up()
        tasks = [task for _, task in self._live.values()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _begin(self, dialled: DialledCall, direction: Direction, pick_up: Callable[[], FarEnd | Status]) -> CallRecord:
        if len(self._live) >= MOST_CALLS:
            raise Refusal(10004, "Call concurrency limit exceeded", status=429)
        self._forget()
        record = CallRecord(f"CA{token_hex(16)}", dialled, direction)
        call = PhoneCall(record, pick_up, self._network)
        task = asyncio.create_task(call.live(), name=f"practice call {record.sid}")
        self.calls[record.sid] = record
        self._live[record.sid] = call, task
        task.add_done_callback(lambda _: self._live.pop(record.sid))
        return record

    def _forget(self) -> None:
        ended = [sid for sid in self.calls if sid not in self._live]
        for sid in ended[:-KEPT]:
            del self.calls[sid]


@asynccontextmanager
async def practice_carrier(
    answer: Callable[[DialledCall], FarEnd | Status],
    *,
    say: Callable[[str], Awaitable[bytes]] | None = None,
    speed: float = 1.0,
    port: int = 0,
    stalls: Sequence[tuple[float, float]] = (),
) -> AsyncIterator[Carrier]:
    """Run a carrier on loopback with an account of its own; leaving the block ends all its calls.

    Args:
        answer: who picks up; or the status the network reports at once, such as `Status.BUSY`.
        say: speaks `<Say>`, as 8 kHz mu-law.
        speed: seconds of a call that pass in one second, for tests.
        stalls: from when until when, in seconds after the product's first sound, the network brings nothing here, as
            TCP does for a lost packet; then all of it at once.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, exception_handlers={Refusal: _refuse})
    # The product is on this machine and speaks plain HTTP: no proxy, and no certificates to load, which takes 40 ms.
    http = httpx2.AsyncClient(
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        # Shorter than a web server keeps a connection: one that it is just closing cannot be used again.
        limits=httpx2.Limits(keepalive_expiry=2),
    )
    async with http, serve(app, port=port) as bound:
        account = Account(f"AC{token_hex(16)}", token_hex(16), OWN_NUMBER, f"http://127.0.0.1:{bound}", OPERATOR)
        network = Network(account.sid, Webhooks(account.token, http), Clock(speed), say, stalls)
        carrier = Carrier(account, answer, network)
        app.include_router(_rest(carrier))
        try:
            yield carrier
        finally:
            await carrier.close()


def _rest(carrier: Carrier) -> APIRouter:
    """Twilio's REST API, as far as the product uses it."""
    account = carrier.account
    router = APIRouter(prefix=f"/2010-04-01/Accounts/{account.sid}", dependencies=[Depends(_only(account))])

    @router.post("/Calls.json", status_code=201)
    async def create(request: Request) -> dict[str, Any]:
        return _call(carrier.dial(read(await _form(request), account.number)), account)

    @router.post("/Calls/{sid}.json")
    async def update(sid: str, request: Request) -> dict[str, Any]:
        return _call(carrier.change(sid, await _form(request)), account)

    @router.get("/Calls/{sid}.json")
    async def fetch(sid: str) -> dict[str, Any]:
        return _call(carrier.find(sid), account)

    @router.get("/IncomingPhoneNumbers.json")
    async def numbers(request: Request) -> dict[str, Any]:
        wanted = request.query_params.get("PhoneNumber", "")
        return _numbers(account, wanted in account.number)

    @router.get(".json")
    async def whoami() -> dict[str, Any]:
        return {"sid": account.sid, "friendly_name": "Practice line", "status": "active", "type": "Trial"}

    return router


def _only(account: Account) -> Callable[[HTTPBasicCredentials | None], None]:
    def check(given: Annotated[HTTPBasicCredentials | None, Depends(_BASIC)]) -> None:
        expected = f"{account.sid}:{account.token}"
        if given is None or not compare_digest(f"{given.username}:{given.password}".encode(), expected.encode()):
            raise Refusal(20003, "Authenticate", status=401)

    return check


async def _refuse(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    more = f"https://www.twilio.com/docs/errors/{refusal.code}"
    body = {"code": refusal.code, "message": refusal.message, "more_info": more, "status": refusal.status}
    return JSONResponse(body, refusal.status)


async def _form(request: Request) -> Form:
    return parse_qs((await request.body()).decode(), keep_blank_values=True)


def _document(form: Form) -> Document:
    """What an update puts in place of the running document."""
    if "Url" in form:
        return (Redirect(form["Url"][-1]),)
    try:
        return parse(form.get("Twiml", [""])[-1])
    except BadDocument as error:
        raise Refusal(int(str(error).partition(":")[0]), str(error)) from None


def _call(record: CallRecord, account: Account) -> dict[str, Any]:
    """A call as the REST API shows it."""
    return {
        "sid": record.sid,
        "account_sid": account.sid,
        "to": record.dialled.to,
        "from": record.dialled.from_,
        # Twilio's resource knows no "initiated": only callbacks do.
        "status": Status.QUEUED if record.status is Status.INITIATED else record.status,
        "direction": "inbound" if record.direction is Direction.INBOUND else "outbound-api",
        "answered_by": record.answered_by or None,
        "date_created": formatdate(record.created),
        "date_updated": formatdate(record.ended or record.answered or record.created),
        "start_time": formatdate(record.answered) if record.answered else None,
        "end_time": formatdate(record.ended) if record.ended else None,
        "duration": str(record.duration) if record.ended else None,
        "price": None,
        "price_unit": "USD",
        "api_version": "2010-04-01",
        "queue_time": "0",
        "uri": f"/2010-04-01/Accounts/{account.sid}/Calls/{record.sid}.json",
        "subresource_uris": {},
    }


def _numbers(account: Account, found: bool) -> dict[str, Any]:
    """One page of the account's numbers: its only one, or none."""
    uri = f"/2010-04-01/Accounts/{account.sid}/IncomingPhoneNumbers.json"
    number = {
        "sid": f"PN{account.sid[2:]}",
        "account_sid": account.sid,
        "phone_number": account.number,
        "friendly_name": "Practice line",
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "status": "in-use",
    }
    return {
        "incoming_phone_numbers": [number] if found else [],
        "page": 0,
        "page_size": 50,
        "start": 0,
        "end": 0,
        "uri": uri,
        "first_page_uri": uri,
        "previous_page_uri": None,
        "next_page_uri": None,
    }
