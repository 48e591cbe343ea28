"""One call of the practice carrier: its statuses, its documents, who answered, and every way it ends."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from backend.models import Status
from backend.practice.handset import FarEnd
from tests.practice.test_machine_detection import beep, quiet, speech
from tests.practice_world import (
    CALLEE,
    SDK_WARNS,
    Person,
    hang_up,
    says,
    world,
)

pytestmark = SDK_WARNS


async def test_a_call_reports_every_status_in_order_and_its_length_at_the_end() -> None:
    async with world(Person(hang_up, rings=1.0), speed=10) as here:
        call = await here.dial(call_reason="cooperative")
        assert (call.status, call.direction, call.to) == ("queued", "outbound-api", CALLEE)
        record = await here.over()
        ended = await here.twilio.calls(call.sid).fetch_async()
        reports = here.product.posted("status")
    assert [report["CallStatus"] for report in reports] == ["initiated", "ringing", "in-progress", "completed"]
    assert [report["SequenceNumber"] for report in reports] == ["0", "1", "2", "3"]
    assert [("CallDuration" in report) for report in reports] == [False, False, False, True]
    assert {report["CallSid"] for report in reports} == {call.sid}
    assert here.dialled[0].reason == "cooperative"
    assert (ended.status, ended.duration) == ("completed", str(record.duration))
    assert ended.end_time >= ended.start_time
    assert record.ending == "the far end hung up"


async def test_only_the_events_asked_for_are_reported() -> None:
    async with world(Person(hang_up)) as here:
        await here.dial(status_callback_event=["answered"])
        await here.over()
        assert here.product.statuses() == ["in-progress"]


@pytest.mark.parametrize(
    ("far_end", "last"),
    [
        (Person(rings=None), ["initiated", "ringing", "no-answer"]),
        (Person(rings=30.0), ["initiated", "ringing", "no-answer"]),
        (Person(picks_up=False), ["initiated", "ringing", "busy"]),
        (Status.BUSY, ["initiated", "busy"]),
        (Status.FAILED, ["initiated", "failed"]),
    ],
)
async def test_nobody_picks_up(far_end: FarEnd | Status, last: list[str]) -> None:
    async with world(far_end, speed=50) as here:
        await here.dial(timeout=5)
        record = await here.over()
        assert here.product.statuses() == last
        assert here.product.posted("voice") == []
    assert record.answered is None


async def test_a_ringing_call_can_be_canceled_and_then_no_longer_changed() -> None:
    async with world(Person(rings=None)) as here:
        call = await here.dial()
        await here.twilio.calls(call.sid).update_async(status="canceled")
        record = await here.over()
        assert record.status is Status.CANCELED
        with pytest.raises(TwilioRestException) as refused:
            await here.twilio.calls(call.sid).update_async(status="completed")
        assert refused.value.code == 21220


async def test_the_time_limit_ends_a_call() -> None:
    person = Person()
    async with world(person, speed=50) as here:
        await here.dial(time_limit=10)
        record = await here.over()
    assert record.ending == "the time limit was reached"
    assert record.duration >= 10
    assert person.hung_up_on


BAD_DOCUMENTS = [
    ("12100", "<Response><Say>"),
    ("12100", "<Answer/>"),
    ("12200", "<Response><Dial>+12025550100</Dial></Response>"),
    ("12200", "<Response><Connect/></Response>"),
    ("12200", "<Response><Pause length='long'/></Response>"),
    ("31922", '<Response><Connect><Stream url="ws://example.com/a"/></Connect></Response>'),
    ("31920", '<Response><Connect><Stream url="wss://example.com/a?b=c"/></Connect></Response>'),
    ("11750", f"<Response><Say>{'x' * 70_000}</Say></Response>"),
]


async def test_a_document_that_cannot_be_followed_ends_the_call() -> None:
    async with world(Person()) as here:
        for code, twiml in BAD_DOCUMENTS:
            here.product.twiml = twiml
            await here.dial()
            record = await here.over()
            assert [error[:5] for error in record.errors] == [code], twiml
            assert (record.status, record.ending) == (Status.COMPLETED, "application error")


async def test_a_server_that_is_not_there_ends_the_call() -> None:
    async with world(Person()) as here:
        await here.dial(url="http://127.0.0.1:1/voice")
        record = await here.over()
    assert [error[:5] for error in record.errors] == ["11205"]


async def test_a_document_may_come_with_the_order_and_lead_elsewhere() -> None:
    async with world(Person(), speed=10) as here:
        here.product.twiml = "<Response><Say>Here</Say></Response>"
        redirect = f"<Response><Redirect>{here.product.url}/voice</Redirect></Response>"
        await here.twilio.calls.create_async(to=CALLEE, from_=here.carrier.account.number, twiml=redirect)
        record = await here.over()
    assert list(record.said) == ["Here"]


@pytest.mark.parametrize(
    ("sound", "manner", "answered_by"),
    [
        (quiet(300) + speech(600) + quiet(2000), "DetectMessageEnd", "human"),
        (speech(4000), "Enable", "machine_start"),
        (speech(4000) + quiet(500) + beep(400), "DetectMessageEnd", "machine_end_beep"),
    ],
)
async def test_who_answered_is_reported_beside_the_call(sound: bytes, manner: str, answered_by: str) -> None:
    async with world(says(sound), speed=20) as here:
        call = await here.dial(
            machine_detection=manner, async_amd="true", async_amd_status_callback=f"{here.product.url}/machine"
        )
        await here.product.until(lambda: bool(here.product.posted("machine")))
        assert here.carrier.calls[call.sid].status is Status.IN_PROGRESS
    [report] = here.product.posted("machine")
    assert report["AnsweredBy"] == answered_by
    assert (report["CallSid"], report["AccountSid"]) == (call.sid, here.carrier.account.sid)
    assert 1000 < int(report["MachineDetectionDuration"]) < 6000
