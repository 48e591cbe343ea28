"""The practice carrier against the official SDK: its REST API, incoming calls, and what it leaves behind."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from backend.audio import FRAME
from backend.models import Status
from backend.practice.carrier import GRACE
from backend.practice.handset import Handset
from backend.telephony.twilio import Account
from tests.practice_world import (
    SDK_WARNS,
    Aimed,
    Peer,
    Person,
    hang_up,
    world,
)

pytestmark = SDK_WARNS


BAD_ORDERS: list[tuple[int, dict[str, Any]]] = [
    (21211, {"to": "0171"}),
    (21210, {"from_": "+12025550199"}),
    (21205, {"url": "not a url"}),
    (21208, {"status_callback": "nowhere"}),
    (21208, {"status_callback_event": ["answered", "sung"]}),
    (20001, {"timeout": 601}),
    (20001, {"machine_detection": "Enable"}),
    (21262, {"machine_detection": "Enable", "async_amd": "true"}),
]


async def test_a_bad_order_is_refused_with_twilios_code() -> None:
    async with world(Person()) as here:
        for code, order in BAD_ORDERS:
            with pytest.raises(TwilioRestException) as refused:
                await here.dial(**order)
            assert (refused.value.status, refused.value.code) == (400, code), order
        assert here.carrier.calls == {}


async def test_a_wrong_token_and_an_unknown_call_are_refused() -> None:
    async with world(Person()) as here:
        account = here.carrier.account
        with pytest.raises(TwilioRestException) as unknown:
            await here.twilio.calls("CA" + "0" * 32).update_async(status="completed")
        assert (unknown.value.status, unknown.value.code) == (404, 20404)
        async with Aimed(account.api_url) as http:
            stranger = Client(account.sid, "wrong", http_client=http)
            with pytest.raises(TwilioRestException) as refused:
                await stranger.api.accounts(account.sid).fetch_async()
        assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_the_account_and_its_number_can_be_looked_up() -> None:
    async with world(Person()) as here:
        account: Account = here.carrier.account
        found = await here.twilio.api.accounts(account.sid).fetch_async()
        assert (found.sid, found.status) == (account.sid, "active")
        [number] = await here.twilio.incoming_phone_numbers.list_async(phone_number=account.number)
        assert number.phone_number == account.number
        assert await here.twilio.incoming_phone_numbers.list_async(phone_number="+12025550143") == []


async def test_an_incoming_call_reaches_the_product() -> None:
    async def talk(peer: Peer) -> None:
        await peer.play(b"x" * FRAME)
        await peer.mark("end")
        await peer.next("mark")

    async with world(Person(), talk) as here:
        caller = await here.carrier.call_in(
            "+12025550100", f"{here.product.url}/voice", Person(), f"{here.product.url}/status"
        )
        record = await here.over()
        asked = here.product.posted("voice")[0]
    assert record is caller
    assert (asked["Direction"], asked["CallStatus"], asked["From"]) == ("inbound", "ringing", "+12025550100")
    assert asked["To"] == here.carrier.account.number
    assert here.product.statuses() == ["completed"]
    assert bytes(record.played) == b"x" * FRAME


@pytest.mark.parametrize(("reason", "status"), [("busy", Status.BUSY), ("rejected", Status.NO_ANSWER)])
async def test_an_incoming_call_can_be_rejected(reason: str, status: Status) -> None:
    person = Person()
    async with world(person) as here:
        here.product.twiml = f'<Response><Reject reason="{reason}"/></Response>'
        caller = await here.carrier.call_in("+12025550100", f"{here.product.url}/voice", person)
        await here.over()
    assert (caller.status, caller.answered) == (status, None)


async def test_an_incoming_call_without_a_document_fails() -> None:
    async with world(Person()) as here:
        caller = await here.carrier.call_in("+12025550100", "http://127.0.0.1:1/voice", Person())
        await here.over()
    assert (caller.status, caller.errors[0][:5]) == (Status.FAILED, "11205")


async def test_a_far_end_that_breaks_ends_only_its_own_call(caplog: pytest.LogCaptureFixture) -> None:
    async def stumble(handset: Handset) -> None:
        raise RuntimeError("tripped")

    async with world(Person(stumble)) as here:
        with caplog.at_level(logging.CRITICAL):
            await here.dial()
            record = await here.over()
        assert record.status is Status.FAILED
        assert record.errors
        caller = await here.carrier.call_in("+12025550100", f"{here.product.url}/voice", Person(hang_up))
        await here.over()
        assert caller.status is Status.COMPLETED


async def test_leaving_the_carrier_ends_its_calls_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    person = Person()
    stopped = asyncio.Event()

    async def until_stop(peer: Peer) -> None:
        await peer.next("stop")
        stopped.set()

    async with world(person, until_stop) as here:
        await here.dial()
        await here.product.started()
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < GRACE
    assert stopped.is_set()
    assert person.hung_up_on
    assert here.product.statuses()[-1] == "completed"
    assert asyncio.all_tasks() == before
