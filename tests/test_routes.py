"""The media server's doors: who is let in, what each is told, and that strangers start nothing."""

from __future__ import annotations

import json
import logging
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest
from twilio.request_validator import RequestValidator
from websockets.exceptions import InvalidStatus

from backend.models import Direction, LineKind, Outcome, ProviderError, Status
from backend.routes import twilio as routes
from backend.switchboard import engagement
from backend.telephony.stream import opened
from backend.telephony.twilio import Twilio
from backend.telephony.twiml import CUT_OFF
from tests.practice_world import CALLEE, Person
from tests.served import ACTION, TOKEN, Served, begin, closed, until, world

NO_PHONE = dict.fromkeys(["twilio_account_sid", "twilio_auth_token", "twilio_phone_number", "public_host"], "")


# --- the operator's door ------------------------------------------------------------------------------------------


async def test_every_api_route_asks_for_the_bearer_token(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        paths = {path: verbs for path, verbs in server.app.openapi()["paths"].items() if path.startswith("/api")}
        assert len(paths) >= 7
        assert [path for path in server.app.openapi()["paths"] if path not in paths] == ["/health"]
        wrong = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}]
        async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as stranger:
            filled = {"call_id": "x", "question_id": 1, "template_id": 1, "number": "x"}
            for path, verb in [(path.format(**filled), verb) for path, verbs in paths.items() for verb in verbs]:
                for headers in wrong:
                    answer = await stranger.request(verb, path, headers=headers)
                    assert answer.status_code == 401, (verb, path, headers)
                    assert "API_TOKEN" in answer.json()["detail"]
                    assert answer.headers["www-authenticate"] == "Bearer"


async def test_health_is_open_and_says_nothing_private(tmp_path: Path) -> None:
    async with world(tmp_path) as server, httpx2.AsyncClient(trust_env=False) as stranger:
        answer = await stranger.get(f"{server.url}/health", headers={"Host": "example.ngrok.app"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "live_calls": 0})


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_the_documentation_is_for_this_machine_only(tmp_path: Path, path: str) -> None:
    async with world(tmp_path) as server, httpx2.AsyncClient(base_url=server.url, trust_env=False) as browser:
        here = await browser.get(path)
        assert (here.status_code, "Phone Agent" in here.text) == (200, True)
        for tunnelled in (
            {"Host": "example.ngrok.app"},
            {"X-Forwarded-For": "198.51.100.7"},
            {"X-Forwarded-Host": "localhost"},
            {"X-Forwarded-Proto": "https"},
            {"Forwarded": "for=198.51.100.7"},
        ):
            assert (await browser.get(path, headers=tunnelled)).status_code == 404, tunnelled


# --- placing calls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "settings", "said"),
    [
        ({"to": "911"}, {}, "emergency"),
        ({"to": "+19005550123"}, {}, "never dialled"),
        ({"to": "+12025550O43"}, {}, "letters"),
        ({"action": "  "}, {}, "What to get done is missing"),
        ({"line": "practice", "persona": "nemo"}, {}, "There is no persona “nemo”: choose one of cooperative"),
        ({"line": "phone"}, NO_PHONE, "There is no phone line"),
    ],
)
async def test_a_call_that_may_not_be_placed_is_refused_in_a_sentence(
    tmp_path: Path, body: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    async with world(tmp_path, **settings) as server:
        for dial in (True, False):
            answer = await server.place(dial=dial, **body)
            assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
        assert (server.store.count(), server.carrier.calls) == (0, {})


async def test_the_hourly_limit_refuses_the_call_after_the_last_one(tmp_path: Path) -> None:
    async with world(tmp_path, max_calls_per_hour=1) as server:
        await server.placed()
        answer = await server.place()
        assert (answer.status_code, "1 call an hour" in answer.json()["detail"]) == (422, True)
        assert (server.store.count(), len(server.carrier.calls)) == (1, 1)


async def test_without_room_a_call_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    async with world(tmp_path, offline_calls=1) as server:
        call = await server.placed()
        answer = await server.place()
        assert answer.status_code == 422
        assert answer.json()["detail"] == (
            "This machine can hold 1 call(s) at once with its offline speech, and 1 are running: wait until one ends, "
            "or add the provider keys to .env."
        )
        assert (server.store.count(), len(server.carrier.calls)) == (1, 1)
        await server.operator.post(f"/api/calls/{call}/hangup")
        await server.over(call)
        await until(lambda: server.switchboard.live == 0)
        assert (await server.place()).status_code == 201


async def test_what_is_wrong_with_a_request_is_named_field_by_field(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        answer = await server.operator.post("/api/calls", json={"to": 7, "line": "pigeon"})
        problems = {problem["loc"][-1]: problem["msg"] for problem in answer.json()["detail"]}
        assert answer.status_code == 422
        assert problems == {
            "to": "Input should be a valid string",
            "action": "Field required",
            "line": "Input should be 'phone' or 'practice'",
        }
        assert server.store.count() == 0


async def test_a_call_the_carrier_does_not_take_is_a_failed_row_that_says_why(tmp_path: Path) -> None:
    async with world(tmp_path, twilio_phone_number="+12025550199") as server:
        answer = await server.place()
        [row] = server.store.calls()
        assert (answer.status_code, "check TWILIO_PHONE_NUMBER in .env" in answer.json()["detail"]) == (502, True)
        assert (row.status, row.outcome) == (Status.FAILED, Outcome.FAILED)
        assert (row.ending, row.troubles) == (answer.json()["detail"], (answer.json()["detail"],))
        assert (row.ended is not None, server.switchboard.live, server.carrier.calls) == (True, 0, {})


async def test_a_call_registered_without_dialling_begins_with_its_webhook(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        placed = (await server.place(dial=False)).json()
        call = placed["id"]
        assert placed == {"id": call, "provider_sid": "", "twiml_url": f"{server.url}/twilio/voice?call={call}"}
        assert (server.row(call).status, server.carrier.calls, server.switchboard.live) == (Status.CREATED, {}, 0)
        early = await server.operator.post(f"/api/calls/{call}/hangup")
        assert (early.status_code, early.json()["detail"]) == (409, "This call has not begun.")
        record = await server.carrier.call_in("+12025550177", placed["twiml_url"], Person())
        await server.connected(call)
        assert (server.row(call).status, server.row(call).provider_sid) == (Status.IN_PROGRESS, record.sid)


# --- stepping in --------------------------------------------------------------------------------------------------

COMMANDS: list[tuple[str, dict[str, str] | None]] = [
    ("say", {"text": "Hm"}),
    ("hint", {"text": "Hm"}),
    ("hangup", None),
]


async def test_commands_to_a_call_that_is_not_there_are_404_and_to_one_that_is_over_409(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Status.BUSY) as server:
        over = await server.placed()
        await server.over(over)
        for command, body in COMMANDS:
            unknown = await server.operator.post(f"/api/calls/nothing/{command}", json=body)
            assert (unknown.status_code, unknown.json()["detail"]) == (404, "There is no call “nothing”.")
            late = await server.operator.post(f"/api/calls/{over}/{command}", json=body)
            assert (late.status_code, late.json()["detail"]) == (409, "This call is over.")
        assert (await server.operator.get("/api/calls/nothing")).status_code == 404


async def test_a_running_call_takes_words_hints_and_the_hang_up(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed()
        await server.connected(call)
        for command, text in (("say", " Good news. "), ("hint", "Be brief.")):
            answer = await server.operator.post(f"/api/calls/{call}/{command}", json={"text": text})
            assert answer.status_code == 202
        assert server.handed(call, "Hint") == [{"text": "Be brief.", "by": ""}]
        assert server.handed(call, "Say") == [{"text": "Good news.", "by": ""}]
        empty = await server.operator.post(f"/api/calls/{call}/say", json={"text": "  "})
        assert empty.status_code == 422
        assert (await server.operator.post(f"/api/calls/{call}/hangup")).status_code == 202
        row = await server.over(call)
        assert (row.status, row.outcome, row.ending) == (Status.COMPLETED, Outcome.STOPPED, "The operator hung up.")
        await server.carrier.idle()
        assert (server.record(call).ending, list(server.record(call).errors)) == ("hung up over REST", [])


async def test_while_it_rings_a_call_takes_no_words_but_can_be_cancelled(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        call = await server.placed()
        await until(lambda: server.row(call).status is Status.RINGING)
        early = await server.operator.post(f"/api/calls/{call}/say", json={"text": "Hello"})
        assert (early.status_code, early.json()["detail"]) == (409, "Nobody has picked up yet.")
        assert (await server.operator.post(f"/api/calls/{call}/hangup")).status_code == 202
        row = server.row(call)
        assert (row.status, row.outcome, row.ending) == (Status.CANCELED, Outcome.STOPPED, "The operator hung up.")
        await server.carrier.idle()
        assert server.record(call).status is Status.CANCELED


async def test_a_call_is_shown_with_its_turns(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(callee_name="Ann")
        await until(lambda: bool(server.store.turns(call)))
        shown = (await server.operator.get(f"/api/calls/{call}")).json()
        assert shown["call"]["brief"] | {"to": CALLEE, "action": ACTION, "callee_name": "Ann"} == shown["call"]["brief"]
        assert shown["turns"][0]["text"].startswith("Hi Ann")
        listed = (await server.operator.get("/api/calls", params={"search": "Ann", "status": "in-progress"})).json()
        assert [row["id"] for row in listed] == [call]


# --- the carrier's door: webhooks -----------------------------------------------------------------------------------


async def test_webhooks_that_the_carrier_did_not_sign_are_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        for path in ("/twilio/voice", "/twilio/status", "/twilio/machine"):
            target, fields = f"{path}?call={call}", {"CallSid": "CA1", "CallStatus": "failed", "AnsweredBy": ""}
            other_account = RequestValidator("another token").compute_signature(f"{server.url}{target}", fields)
            other_call = server.signature(f"{server.url}{path}?call=other", fields)
            other_fields = server.signature(f"{server.url}{target}", fields | {"CallSid": "CA2"})
            for signature in ("", "forged", "é", other_account, other_call, other_fields):
                answer = await server.webhook(target, signature, **fields)
                assert (answer.status_code, call in answer.text) == (403, False), (path, signature)
        assert (server.row(call).status, server.switchboard.live) == (Status.CREATED, 0)


async def test_a_webhook_is_signed_with_its_blank_and_repeated_fields(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        answer = await server.webhook(f"/twilio/status?call={call}", CallSid="CA1", CallStatus="ringing", FromCity="")
        assert answer.status_code == 204


async def test_a_form_too_large_to_be_the_carriers_is_cut_off(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        answer = await server.webhook("/twilio/voice", CallSid="CA1", More="x" * 70_000)
        assert answer.status_code == 413


async def test_a_picked_up_call_is_connected_to_a_stream_and_then_hung_up(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        answer = await server.webhook(f"/twilio/voice?call={call}", CallSid="CA1")
        assert answer.headers["content-type"].startswith("text/xml")
        root = ElementTree.fromstring(answer.text)
        assert [verb.tag for verb in root] == ["Connect", "Pause", "Say", "Hangup"]
        stream, parameter = root.find("Connect/Stream"), root.find("Connect/Stream/Parameter")
        assert stream is not None and parameter is not None
        assert stream.attrib["url"] == f"ws{server.url.removeprefix('http')}/twilio/stream"
        assert stream.attrib["statusCallback"] == f"{server.url}/twilio/stream-events?call={call}"
        assert (parameter.attrib["name"], len(parameter.attrib["value"]) >= 32) == ("token", True)


@pytest.mark.parametrize("call", ["nothing", "a&b", '"><Dial>+19005550123</Dial>'])
async def test_a_webhook_for_an_unknown_call_hangs_up_politely(tmp_path: Path, call: str) -> None:
    async with world(tmp_path) as server:
        path = f"/twilio/voice?{httpx2.QueryParams(call=call)}"
        answer = await server.webhook(path, CallSid="CA1")
        assert (answer.status_code, [verb.tag for verb in ElementTree.fromstring(answer.text)]) == (200, ["Hangup"])
        assert (await server.webhook(path.replace("voice", "status"), CallStatus="busy")).status_code == 204
        assert (await server.webhook(path.replace("voice", "machine"), AnsweredBy="fax")).status_code == 204
        assert (server.store.count(), server.switchboard.live) == (0, 0)


async def test_a_second_carrier_call_cannot_take_over_a_row(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        await server.token(call, "CA1")
        answer = await server.webhook(f"/twilio/voice?call={call}", CallSid="CA2")
        assert [verb.tag for verb in ElementTree.fromstring(answer.text)] == ["Hangup"]
        assert server.row(call).provider_sid == "CA1"


# --- the carrier's door: incoming calls -----------------------------------------------------------------------------


async def test_a_caller_is_answered_with_the_inbound_profile(tmp_path: Path) -> None:
    profile: dict[str, Any] = {
        "inbound_action": "Take a message",
        "inbound_organization": "Green Dental",
        "inbound_context": "Open 9-5",
    }
    async with world(tmp_path, **profile) as server:
        record = await server.carrier.call_in("+12025550177", f"{server.url}/twilio/voice", Person())
        await until(lambda: bool(server.store.call_of(record.sid)))
        row = server.store.call_of(record.sid)
        assert row
        brief = row.brief
        assert (brief.direction, brief.to, brief.line) == (Direction.INBOUND, "+12025550177", LineKind.PHONE)
        assert (brief.action, brief.context, brief.organization) == ("Take a message", "Open 9-5", "Green Dental")
        await until(lambda: server.earpiece(row.id).startswith("Hello, thank you"))
        await server.webhook("/twilio/status", CallSid=record.sid, CallStatus="completed")
        assert (await server.over(row.id)).outcome is Outcome.HUNG_UP


async def test_a_webhook_for_an_incoming_call_that_is_repeated_makes_no_second_call(tmp_path: Path) -> None:
    async with world(tmp_path, inbound_action="Take a message") as server:
        caller = {"CallSid": "CA" + "1" * 32, "From": "+12025550177", "Direction": "inbound"}
        for _ in range(2):
            assert "<Stream" in (await server.webhook("/twilio/voice", **caller)).text
        assert server.store.count() == server.switchboard.live == 1


async def test_without_an_inbound_profile_a_caller_is_told_so_and_nothing_is_written(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        record = await server.carrier.call_in("+12025550177", f"{server.url}/twilio/voice", Person())
        await server.carrier.idle()
        assert list(record.said) == ["Thank you for calling. This number cannot take calls. Goodbye."]
        assert (record.ending, server.store.count()) == ("the document ended", 0)


async def test_a_caller_for_whom_there_is_no_room_is_asked_to_call_again(tmp_path: Path) -> None:
    async with world(tmp_path, inbound_action="Take a message", offline_calls=1) as server:
        await server.placed()
        record = await server.carrier.call_in("+12025550177", f"{server.url}/twilio/voice", Person())
        await until(lambda: bool(record.said))
        assert list(record.said) == ["All lines are busy just now. Please call again in a few minutes. Goodbye."]
        assert server.store.count() == 1


@pytest.mark.parametrize("limit", ["max_incoming_at_once", "max_incoming_per_hour"])
async def test_more_callers_than_are_allowed_hear_a_busy_line_and_cost_nothing(
    tmp_path: Path, limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings: dict[str, Any] = {"inbound_action": "Take a message", limit: 1}
    async with world(tmp_path, **settings) as server:
        caller = {"CallSid": "CA" + "1" * 32, "From": "+12025550177", "Direction": "inbound"}
        assert "<Stream" in (await server.webhook("/twilio/voice", **caller)).text
        other = {"CallSid": "CA" + "2" * 32, "From": "+12025550178", "Direction": "inbound"}
        [verb] = ElementTree.fromstring((await server.webhook("/twilio/voice", **other)).text)
        assert (verb.tag, verb.attrib) == ("Reject", {"reason": "busy"})
        assert (server.store.count(), server.switchboard.live) == (1, 1)
        assert f"({limit.upper()})" in caplog.text
        # What is asked again about the first one is answered.
        assert "<Stream" in (await server.webhook("/twilio/voice", **caller)).text


# --- the carrier's door: streams --------------------------------------------------------------------------------------


async def test_a_stream_that_the_carrier_did_not_sign_is_refused_before_it_is_accepted(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        webhooks = server.signature(f"{server.url}/twilio/stream")
        for signature in ("", "forged", webhooks):
            with pytest.raises(InvalidStatus) as refused:
                async with server.stream(signature):
                    pass
            assert refused.value.response.status_code == 403


def untouched(server: Served, call: str) -> bool:
    """Whether nothing has been heard or said in this call."""
    return (server.row(call).answered, server.handed(call, "Connected")) == (None, [])


@pytest.mark.parametrize("token", ["wrong", "", "é", None])
async def test_a_stream_with_a_wrong_token_is_closed(tmp_path: Path, token: str | None) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        await server.token(call, "CA1")
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            assert (await closed(socket), untouched(server, call)) == (1008, True)


async def test_only_whoever_is_cut_off_by_a_failure_hears_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(twilio: Twilio, sid: str, farewell: str = "") -> None:
        raise ProviderError("Twilio could not be reached.")

    async with world(tmp_path) as server:
        calls = []
        for hang_up in (Twilio.hang_up, unreachable):
            monkeypatch.setattr(Twilio, "hang_up", hang_up)
            calls.append(await server.placed())
            await server.connected(calls[-1])
            await server.operator.post(f"/api/calls/{calls[-1]}/hangup")
            await server.over(calls[-1])
        await server.carrier.idle()
        ends = [(list(server.record(call).said), server.record(call).ending) for call in calls]
        assert ends == [([], "hung up over REST"), ([CUT_OFF], "the document ended")]


async def test_a_token_is_good_for_its_own_carrier_call_only(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        token = await server.token(call, "CA1")
        async with server.stream() as socket:
            await begin(socket, "CA2", token)
            assert (await closed(socket), untouched(server, call)) == (1008, True)
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            await server.connected(call)


async def test_a_token_is_good_once(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        token = await server.token(call, "CA1")
        async with server.stream() as first, server.stream() as second:
            await begin(first, "CA1", token)
            await server.connected(call)
            await begin(second, "CA1", token)
            assert await closed(second) == 1008
            await begin(first, "CA1", token)
            await first.send(json.dumps({"event": "dtmf", "dtmf": {"digit": "5"}}))
            await until(lambda: server.handed(call, "Digit") == [{"digit": "5"}])
            assert len(server.handed(call, "Connected")) == 1


async def test_a_token_lasts_no_longer_than_its_call_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engagement, "RING_LIMIT", 0.2)
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        token = await server.token(call, "CA1")
        row = await server.over(call)
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            assert (await closed(socket), untouched(server, call)) == (1008, True)
        assert (row.status, row.ending.startswith("The carrier never said")) == (Status.FAILED, True)


async def test_a_stream_that_does_not_say_whose_it_is_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "opened", partial(opened, within=0.1))
    async with world(tmp_path) as server, server.stream() as socket:
        await socket.send(json.dumps({"event": "connected"}))
        assert await closed(socket) == 1008


async def test_a_stream_that_is_gone_before_its_start_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    errors = logging.getLogger("uvicorn.error")
    errors.addHandler(caplog.handler)
    try:
        async with world(tmp_path) as server:
            async with server.stream() as socket:
                await socket.send(b"\x00 not text")
            async with server.stream() as socket:
                socket.transport.abort()
            await until(lambda: caplog.text.count("refused a media stream") == 2)
    finally:
        errors.removeHandler(caplog.handler)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
