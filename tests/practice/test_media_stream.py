"""The practice carrier's media stream, seen from the product's end of the socket."""

from __future__ import annotations

import asyncio
from base64 import b64decode

import pytest
from twilio.base.exceptions import TwilioRestException

from backend.audio import FRAME, RATE, SILENCE
from backend.call.sound.playout import REACH, Playout
from backend.models import LineKind, Spoken, Status
from backend.practice.handset import Handset
from tests.practice.test_machine_detection import quiet, speech
from tests.practice_world import (
    SDK_WARNS,
    Peer,
    Person,
    world,
)

pytestmark = SDK_WARNS


async def test_the_stream_introduces_itself_and_carries_the_callee() -> None:
    told = speech(200)

    async def tell(handset: Handset) -> None:
        while True:
            await handset.speak(told)

    async def talk(peer: Peer) -> None:
        while told not in b"".join(sounds(peer)):
            await peer.next("media")

    async with world(Person(tell), talk) as here:
        call = await here.dial()
        record = await here.over()
        peer = here.product.peers[0]
    connected, start = peer.received[:2]
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["sequenceNumber"] == "1"
    assert start["start"] == {
        "streamSid": start["streamSid"],
        "accountSid": here.carrier.account.sid,
        "callSid": call.sid,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "a&b"},
    }
    media = [message for message in peer.received if message["event"] == "media"]
    assert [message["media"]["chunk"] for message in media] == [str(n + 1) for n in range(len(media))]
    assert [message["media"]["timestamp"] for message in media] == [str(20 * (n + 1)) for n in range(len(media))]
    assert [message["sequenceNumber"] for message in peer.received[1:]] == [
        str(n + 1) for n in range(len(peer.received) - 1)
    ]
    assert {len(b64decode(message["media"]["payload"])) for message in media} == {FRAME}
    assert not record.errors


def sounds(peer: Peer) -> list[bytes]:
    return [b64decode(message["media"]["payload"]) for message in peer.received if message["event"] == "media"]


async def test_what_the_product_plays_is_heard_whole_in_real_time_and_then_marked() -> None:
    sound = bytes(range(1, 120)) * 50
    heard = bytearray()

    async def hear(handset: Handset) -> None:
        async for frame in handset.hear():
            heard.extend(frame)

    async def talk(peer: Peer) -> None:
        await peer.mark("at once")
        for start in range(0, len(sound), 777):
            await peer.play(sound[start : start + 777])
        await peer.mark("end")
        await peer.next("mark")
        await peer.next("mark")

    async with world(Person(hear), talk) as here:
        await here.dial()
        record = await here.over()
    assert sound in bytes(heard)
    assert bytes(record.played) == sound
    assert [name for name, _ in record.marks] == ["at once", "end"]
    assert record.first_media is not None
    assert record.marks[1][1] - record.first_media >= len(sound) / RATE - 0.2  # late frames are made up for
    assert not record.errors


async def test_clear_drops_what_waits_and_returns_its_marks_at_once() -> None:
    async def talk(peer: Peer) -> None:
        for name in ("one", "two", "three"):
            await peer.play(b"x" * (RATE // 5) if name == "one" else b"x" * RATE * 5)
            await peer.mark(name)
        await peer.next("mark")
        await peer.send("clear")
        await peer.next("mark")
        await peer.next("mark")

    async with world(Person(), talk) as here:
        await here.dial()
        record = await here.over()
    assert [name for name, _ in record.marks] == ["one", "two", "three"]
    assert [at for _, at in record.marks][1:] == pytest.approx([record.clears[0]] * 2, abs=0.01)
    assert RATE // 5 <= len(record.played) < RATE * 2
    assert not record.errors


BAD_MESSAGES: list[tuple[str, str | bytes]] = [
    ("31950: a binary", b"\x00"),
    ("31950: a malformed message (JSONDecodeError", "{"),
    ("31950: a malformed message (Error", '{"event":"media","streamSid":"$","media":{"payload":"?"}}'),
    ("31950: a malformed message (KeyError", '{"event":"media","streamSid":"$"}'),
    ("31950: a malformed message (TypeError", "[]"),
    ("31951: a message for stream 'MZ0'", '{"event":"clear","streamSid":"MZ0"}'),
    ("31951: a message with event 'stop'", '{"event":"stop","streamSid":"$"}'),
]


async def test_a_message_twilio_would_not_take_is_once_on_the_record_and_the_stream_goes_on() -> None:
    async def talk(peer: Peer) -> None:
        for _, message in BAD_MESSAGES * 2:
            await peer.socket.send(message.replace("$", peer.sid) if isinstance(message, str) else message)
        await peer.mark("still here")
        await peer.next("mark")

    async with world(Person(), talk) as here:
        await here.dial()
        record = await here.over()
    assert len(record.errors) == len(BAD_MESSAGES)
    for error, (beginning, _) in zip(record.errors, BAD_MESSAGES, strict=True):
        assert error.startswith(beginning)


async def test_keys_pressed_at_the_far_end_arrive() -> None:
    async def press(handset: Handset) -> None:
        while True:
            await handset.speak(quiet(100))
            await handset.press("7")

    async def talk(peer: Peer) -> None:
        await peer.next("dtmf")

    async with world(Person(press), talk) as here:
        await here.dial()
        await here.over()
        assert here.product.peers[0].received[-1]["dtmf"] == {"track": "inbound_track", "digit": "7"}


async def test_when_the_server_closes_the_stream_the_document_goes_on() -> None:
    async def talk(peer: Peer) -> None:
        await peer.socket.close()

    async with world(Person(), talk, speed=5) as here:
        here.product.twiml = here.product.streaming("<Say>Goodbye &amp; thanks</Say><Pause length='1'/><Hangup/>")
        await here.dial()
        record = await here.over()
    assert list(record.said) == ["Goodbye & thanks"]
    assert record.duration >= 1
    assert not record.errors


async def test_another_document_stops_the_stream_and_is_followed() -> None:
    heard = bytearray()

    async def hear(handset: Handset) -> None:
        async for frame in handset.hear():
            heard.extend(frame)

    async def voice(text: str) -> bytes:
        return text.encode() * 100

    async with world(Person(hear), say=voice) as here:
        call = await here.dial()
        peer = await here.product.started()
        await here.twilio.calls(call.sid).update_async(twiml="<Response><Say>Bye</Say><Hangup/></Response>")
        record = await here.over()
        assert peer.received[-1]["event"] == "stop"
        assert here.product.statuses()[-1] == "completed"
    assert list(record.said) == ["Bye"]
    assert b"Bye" * 100 in bytes(heard)
    assert not record.errors


async def test_an_update_may_send_the_call_to_another_url() -> None:
    async with world(Person()) as here:
        call = await here.dial()
        await here.product.started()
        here.product.twiml = "<Response><Say>Elsewhere</Say></Response>"
        await here.twilio.calls(call.sid).update_async(url=f"{here.product.url}/voice")
        record = await here.over()
    assert list(record.said) == ["Elsewhere"]


async def test_a_document_that_is_no_document_is_refused_in_an_update() -> None:
    async with world(Person()) as here:
        call = await here.dial()
        await here.product.started()
        with pytest.raises(TwilioRestException) as refused:
            await here.twilio.calls(call.sid).update_async(twiml="<Response><Say>")
        assert refused.value.code == 12100
        with pytest.raises(TwilioRestException) as too_late:
            await here.twilio.calls(call.sid).update_async(status="canceled")
        assert too_late.value.code == 21220


async def test_the_far_end_hanging_up_stops_the_stream() -> None:
    greeted = asyncio.Event()

    async def when_greeted(handset: Handset) -> None:
        await greeted.wait()

    async def talk(peer: Peer) -> None:
        greeted.set()
        await peer.next("stop")

    async with world(Person(when_greeted), talk) as here:
        call = await here.dial()
        record = await here.over()
        stop = here.product.peers[0].received[-1]
    assert stop["stop"] == {"accountSid": here.carrier.account.sid, "callSid": call.sid}
    assert (record.status, record.ending) == (Status.COMPLETED, "the far end hung up")
    assert not record.errors


async def test_the_product_hanging_up_stops_the_stream_and_the_far_end() -> None:
    person = Person()
    async with world(person) as here:
        call = await here.dial()
        peer = await here.product.started()
        await here.twilio.calls(call.sid).update_async(status="completed")
        record = await here.over()
    assert peer.received[-1]["event"] == "stop"
    assert person.hung_up_on
    assert (record.status, record.ending) == (Status.COMPLETED, "hung up over REST")


async def test_a_server_that_breaks_the_stream_is_on_the_record() -> None:
    async def talk(peer: Peer) -> None:
        peer.socket.transport.abort()

    async with world(Person(), talk) as here:
        await here.dial()
        record = await here.over()
    assert [error[:5] for error in record.errors] == ["31903"]
    assert record.status is Status.COMPLETED


async def test_a_stream_that_nobody_accepts_is_on_the_record() -> None:
    async with world(Person()) as here:
        here.product.twiml = '<Response><Connect><Stream url="ws://127.0.0.1:1/media"/></Connect></Response>'
        await here.dial()
        record = await here.over()
    assert [error[:5] for error in record.errors] == ["31902"]


async def test_stream_events_are_reported_where_the_document_says() -> None:
    async def talk(peer: Peer) -> None:
        await peer.next("media")

    async with world(Person(), talk) as here:
        here.product.twiml = here.product.streaming().replace(
            "<Stream ", f'<Stream statusCallback="{here.product.url}/stream" '
        )
        await here.dial()
        await here.over()
        events = [(fields["StreamEvent"], fields["StreamName"]) for fields in here.product.posted("stream")]
    assert events == [("stream-started", "talk"), ("stream-stopped", "talk")]


@pytest.mark.parametrize(("line", "whole"), [(LineKind.PHONE, True), (LineKind.PRACTICE, False)])
async def test_a_network_that_stands_still_for_a_moment_is_not_heard_on_a_phone_line(
    line: LineKind, whole: bool
) -> None:
    frames = list[bool]()
    clock = asyncio.get_running_loop().time

    async def hear(handset: Handset) -> None:
        async for frame in handset.hear():
            frames.append(frame.count(SILENCE) < FRAME)

    async def talk(peer: Peer) -> None:
        playout = Playout(1, reach=REACH[line])
        playout.add(Spoken(b"x" * 2 * RATE))
        playout.finish()
        while (wake := playout.wake()) is not None:
            await asyncio.sleep(max(0.0, wake - clock()))
            while piece := playout.due(clock()):
                await peer.play(piece.sound)
                await peer.mark(piece.mark)
        while not playout.done:
            playout.played((await peer.next("mark"))["mark"]["name"], clock())

    async with world(Person(hear), talk, stalls=[(0.8, 1.15)]) as here:
        await here.dial()
        await here.over()
    first, last = frames.index(True), len(frames) - frames[::-1].index(True)
    assert all(frames[first:last]) is whole
