"""The REST client against a small Twilio on this machine: what is asked, what is refused, and who signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from twilio.request_validator import RequestValidator

from backend.models import Brief, Call, LineKind, ProviderError
from backend.serving import serve
from backend.telephony import twiml
from backend.telephony.twilio import Account, Twilio

SID, TOKEN, NUMBER = "AC" + "0" * 32, "s3cret-token", "+12025550100"
CALL = Call("c4ll", Brief("+12025550143", "confirm the appointment", line=LineKind.PHONE))
DESK = "https://desk.example"


def refused(code: int, message: str = "", status: int = 400) -> JSONResponse:
    return JSONResponse({"code": code, "message": message, "more_info": "", "status": status}, status)


@dataclass
class Rest:
    """Twilio's REST API as far as it is used: keeps what it is asked, and answers from `answers` first."""

    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    status: str = "active"
    numbers: tuple[str, ...] = (NUMBER,)
    caller_ids: tuple[str, ...] = ()
    credentials: str = ""

    async def answer(self, request: Request, path: str) -> Response:
        body = parse_qs((await request.body()).decode(), keep_blank_values=True)
        self.asked.append((f"{request.method} /{path}", body))
        self.credentials = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        return self.answers.pop(0) if self.answers else self._usual(path, request.query_params.get("PhoneNumber", ""))

    def _usual(self, path: str, number: str) -> Response:
        if path.endswith("/Calls.json"):
            return JSONResponse({"sid": "CA1", "status": "queued"}, 201)
        if path.endswith("/IncomingPhoneNumbers.json"):
            return JSONResponse({"incoming_phone_numbers": [{"sid": "PN1"}] if number in self.numbers else []})
        if path.endswith("/OutgoingCallerIds.json"):
            return JSONResponse({"outgoing_caller_ids": [{"sid": "PN2"}] if number in self.caller_ids else []})
        return JSONResponse({"sid": SID, "status": self.status})


@asynccontextmanager
async def twilio(rest: Rest, patience: float = 5.0) -> AsyncIterator[Twilio]:
    app = FastAPI()
    app.add_api_route("/{path:path}", rest.answer, methods=["GET", "POST"])
    async with serve(app) as port:
        account = Account(SID, TOKEN, NUMBER, f"http://127.0.0.1:{port}")
        async with Twilio(account, DESK, patience) as client:
            yield client


def test_an_account_never_shows_its_token() -> None:
    assert TOKEN not in repr(Account(SID, TOKEN, NUMBER, "https://api.example"))


async def test_a_call_is_placed_with_everything_twilio_needs_to_know() -> None:
    rest = Rest()
    async with twilio(rest) as client:
        assert await client.dial(CALL, time_limit=600) == "CA1"
    assert rest.credentials == f"{SID}:{TOKEN}"
    assert rest.asked == [
        (
            f"POST /2010-04-01/Accounts/{SID}/Calls.json",
            {
                "To": ["+12025550143"],
                "From": [NUMBER],
                "Url": [f"{DESK}/twilio/voice?call=c4ll"],
                "StatusCallback": [f"{DESK}/twilio/status?call=c4ll"],
                "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
                "MachineDetection": ["DetectMessageEnd"],
                "AsyncAmd": ["true"],
                "AsyncAmdStatusCallback": [f"{DESK}/twilio/machine?call=c4ll"],
                "Timeout": ["25"],
                "TimeLimit": ["600"],
            },
        )
    ]


async def test_only_the_practice_carrier_is_told_the_persona() -> None:
    rest = Rest()
    async with twilio(rest) as client:
        await client.dial(Call("c", Brief("+12025550143", "x", persona="busy", line=LineKind.PRACTICE)), 60, 10)
        await client.dial(Call("c", Brief("+12025550143", "x", persona="busy", line=LineKind.PHONE)), 60, 10)
    assert [asked.get("CallReason") for _, asked in rest.asked] == [["busy"], None]
    assert rest.asked[0][1]["Timeout"] == ["10"]


async def test_an_id_cannot_add_to_the_callbacks_query() -> None:
    rest = Rest()
    async with twilio(rest) as client:
        await client.dial(Call("a&b=c#d", CALL.brief), 60)
    assert rest.asked[0][1]["Url"] == [f"{DESK}/twilio/voice?call=a%26b%3Dc%23d"]


async def test_hanging_up_completes_the_call() -> None:
    rest = Rest()
    async with twilio(rest) as client:
        await client.hang_up("CA1")
    assert rest.asked == [(f"POST /2010-04-01/Accounts/{SID}/Calls/CA1.json", {"Status": ["completed"]})]


async def test_a_farewell_is_said_by_twilio_before_it_hangs_up() -> None:
    rest = Rest()
    async with twilio(rest) as client:
        await client.hang_up("CA1", "Sorry & goodbye.")
    assert [asked for _, asked in rest.asked] == [{"Twiml": [twiml.farewell("Sorry & goodbye.")]}]


@pytest.mark.parametrize("code", [20404, 21220])
async def test_hanging_up_a_call_that_is_over_is_a_success(code: int) -> None:
    rest = Rest(answers=[refused(code, status=404 if code == 20404 else 400)])
    async with twilio(rest) as client:
        await client.hang_up("CA1")
    assert len(rest.asked) == 1


@pytest.mark.parametrize("code", [21220, 12100, 20429])
async def test_a_call_that_cannot_be_spoken_to_is_hung_up_all_the_same(code: int) -> None:
    """Such as one that still rings: Twilio refuses it new TwiML, but must still end it."""
    rest = Rest(answers=[refused(code)])
    async with twilio(rest) as client:
        await client.hang_up("CA1", "Goodbye.")
    assert [list(asked) for _, asked in rest.asked] == [["Twiml"], ["Status"]]


async def test_a_hang_up_that_failed_is_told() -> None:
    async with twilio(Rest(answers=[refused(20003, status=401)])) as client:
        with pytest.raises(ProviderError, match=r"did not hang up \(error 20003\): .* TWILIO_AUTH_TOKEN"):
            await client.hang_up("CA1")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (10004, "too many calls are up at once"),
        (20003, "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in .env"),
        (20404, "no such account; check TWILIO_ACCOUNT_SID"),
        (20429, "try again in a minute"),
        (21205, "check PUBLIC_HOST in .env"),
        (21208, "check PUBLIC_HOST in .env"),
        (21210, "check TWILIO_PHONE_NUMBER in .env"),
        (21211, "not a phone number; check its digits"),
        (21212, "check TWILIO_PHONE_NUMBER in .env"),
        (21214, "cannot be reached; check its digits"),
        (21215, "allow it in Twilio's console under Voice, Geo permissions"),
        (21216, "blocked numbers"),
        (21217, "check its digits"),
        (21219, "trial account may only call verified numbers"),
        (573005, "trial account may only call verified numbers"),
        (21999, "The moon is in the way"),
    ],
)
async def test_a_refusal_says_what_to_do(code: int, advice: str) -> None:
    async with twilio(Rest(answers=[refused(code, "The moon is in the way")])) as client:
        with pytest.raises(ProviderError) as failed:
            await client.dial(CALL, 60)
    assert str(failed.value).startswith(f"Twilio did not place the call (error {code}): ")
    assert advice in str(failed.value)
    assert TOKEN not in str(failed.value)


async def test_a_problem_in_twilios_newer_format_is_understood_too() -> None:
    problem = {"type": "about:blank", "title": "Bad", "detail": "Not today", "status": 400, "code": 21998}
    async with twilio(Rest(answers=[JSONResponse(problem, 400)])) as client:
        with pytest.raises(ProviderError, match=r"\(error 21998\): Not today"):
            await client.dial(CALL, 60)


async def test_trouble_at_twilio_is_called_that() -> None:
    async with twilio(Rest(answers=[PlainTextResponse("upstream", 503)])) as client:
        with pytest.raises(ProviderError, match=r"in trouble itself \(HTTP 503\).* try again in a minute"):
            await client.dial(CALL, 60)


@pytest.mark.parametrize("answer", [PlainTextResponse("<html>", 200), JSONResponse({}, 201), JSONResponse([], 201)])
async def test_an_answer_that_is_not_twilios_is_called_that(answer: Response) -> None:
    async with twilio(Rest(answers=[answer])) as client:
        with pytest.raises(ProviderError, match="was not Twilio's answer: check TWILIO_API_URL"):
            await client.dial(CALL, 60)


async def test_a_refused_connection_names_the_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with Twilio(Account(SID, TOKEN, NUMBER, f"http://127.0.0.1:{port}"), DESK) as client:
        with pytest.raises(ProviderError, match=f"could not be reached at 127.0.0.1:{port} to place the call"):
            await client.dial(CALL, 60)


async def test_a_twilio_that_does_not_answer_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        account = Account(SID, TOKEN, NUMBER, f"http://127.0.0.1:{mute.getsockname()[1]}")
        async with Twilio(account, DESK, patience=0.1) as client:
            with pytest.raises(ProviderError, match=r"did not answer within 0\.1 seconds .* may or may not"):
                await client.dial(CALL, 60)


async def test_a_working_account_passes_the_check() -> None:
    rest = Rest()
    async with twilio(rest) as client:
        await client.check()
        rest.numbers, rest.caller_ids = (), (NUMBER,)
        await client.check()
    assert rest.asked[0][0] == f"GET /2010-04-01/Accounts/{SID}.json"


async def test_the_check_says_what_is_wrong_with_the_account() -> None:
    async with twilio(Rest(status="suspended")) as client:
        with pytest.raises(ProviderError, match="account is suspended"):
            await client.check()
    async with twilio(Rest(numbers=("+12025550199",))) as client:
        with pytest.raises(ProviderError, match=r"\+12025550100 does not belong .* TWILIO_PHONE_NUMBER"):
            await client.check()
    async with twilio(Rest(answers=[JSONResponse({"status": "active"}), JSONResponse({})])) as client:
        with pytest.raises(ProviderError, match="was not Twilio's answer"):
            await client.check()
    async with twilio(Rest(answers=[refused(20003, status=401)])) as client:
        with pytest.raises(ProviderError, match=r"did not open the account \(error 20003\)"):
            await client.check()


# --- addresses and signatures --------------------------------------------------------------------------------

FORM: dict[str, str | list[str]] = {"CallSid": "CA1", "Digits": "", "To": "+12025550143", "Many": ["b", "a", "b"]}


def desk(url: str = DESK) -> Twilio:
    return Twilio(Account(SID, TOKEN, NUMBER, "https://api.example"), url)


def signed(url: str, params: dict[str, str] | None = None) -> str:
    return str(RequestValidator(TOKEN).compute_signature(url, params or {}))


def test_addresses_are_built_on_the_public_one() -> None:
    assert desk("https://desk.example/").callback("/twilio/voice?call=1") == "https://desk.example/twilio/voice?call=1"
    assert desk("https://desk.example").stream_url("/twilio/media") == "wss://desk.example/twilio/media"
    assert desk("http://127.0.0.1:8000").stream_url("/twilio/media") == "ws://127.0.0.1:8000/twilio/media"


def test_a_signature_known_from_the_definition_is_accepted() -> None:
    """Computed here by hand: HMAC-SHA1 over the URL and the sorted fields, blank ones and repeated ones included."""
    url = f"{DESK}/twilio/status?call=c4ll"
    text = url + "CallSidCA1" + "Digits" + "Manya" + "Manyb" + "To+12025550143"
    signature = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
    assert desk().genuine(url, FORM, signature)
    assert not desk().genuine(url, {name: value for name, value in FORM.items() if name != "Digits"}, signature)
    assert not desk().genuine(url.replace("c4ll", "c4lm"), FORM, signature)
    assert not desk().genuine(url, FORM | {"To": "+12025550144"}, signature)
    assert not desk().genuine(url.replace("https", "http"), FORM, signature)


@pytest.mark.parametrize("signature", ["", "x", "é" * 28, "A" * 28])
def test_what_is_no_signature_is_not_genuine(signature: str) -> None:
    assert not desk().genuine(f"{DESK}/twilio/voice", {}, signature)
    assert not desk().genuine("wss://desk.example/twilio/media", {}, signature)


@pytest.mark.parametrize("there", ["wss://desk.example/twilio/media", "ws://127.0.0.1:8000/twilio/media"])
def test_a_sockets_signature_may_be_over_a_slash_at_the_end(there: str) -> None:
    for url in (there, there + "/"):
        assert desk().genuine(url, {}, signed(there))
        assert desk().genuine(url, {}, signed(there + "/"))
    assert not desk().genuine(there, {}, signed(there.replace("ws", "http")))
    assert not desk().genuine(there, {}, signed(there + "/x"))


def test_a_webhooks_slash_is_part_of_what_is_signed() -> None:
    url = f"{DESK}/twilio/voice"
    assert desk().genuine(url, {}, signed(url))
    assert not desk().genuine(url + "/", {}, signed(url))


def test_another_accounts_signature_is_not_genuine() -> None:
    url = f"{DESK}/twilio/voice"
    assert not desk().genuine(url, {}, str(RequestValidator("another-token").compute_signature(url, {})))
