"""One call's life where it is narrowest: between the pick-up and an agent who can talk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backend.bench.stand_ins import Ears, Model, Phone, Speech
from backend.bench.virtual_time import in_virtual_time
from backend.call import manners as known
from backend.call.events import Ending, HangUp, Transfer
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.session import Kit
from backend.call.voice import Voice
from backend.config import load
from backend.models import Brief, Call, Outcome, ProviderError, Status
from backend.providers import Providers
from backend.storage.store import Store
from backend.switchboard.engagement import Engagement
from backend.telephony.twilio import Twilio
from backend.telephony.unsigned import Unsigned
from tests.full_disk import full_disk

STOPPED = Ending("The operator hung up.", Outcome.STOPPED)


class Slow(Providers):
    """Providers that take two seconds to open, and may then refuse."""

    def __init__(self, refusal: str = "") -> None:
        super().__init__(load())
        self._refusal = refusal

    @asynccontextmanager
    async def kit(self, brief: Brief, manners: Manners) -> AsyncIterator[Kit]:
        await asyncio.sleep(2)
        if self._refusal:
            raise ProviderError(self._refusal)
        async with Mind([Model()], manners) as mind, Voice([Speech()], manners, {}) as voice:
            yield Kit(Ears(), mind, voice)


@asynccontextmanager
async def picked_up(folder: Path, providers: Providers) -> AsyncIterator[tuple[Engagement, Phone, Store]]:
    """A call whose line has come half a second after it began, when no provider is open yet."""
    call, phone = Call("call", Brief("+12025550143", "Confirm the visit"), provider_sid="CA1"), Phone()
    with Store(folder / "calls.db") as store:
        store.add(call)
        engagement = Engagement(call, store, providers, None, Manners(), asyncio.get_running_loop().time)
        async with asyncio.TaskGroup() as group:
            group.create_task(engagement.run())
            carrier = group.create_task(phone.run())
            await asyncio.sleep(0.5)
            assert engagement.connect(engagement.expect_stream(), "CA1", phone)
            yield engagement, phone, store
            await engagement.over()
            carrier.cancel()


def row(store: Store) -> tuple[Status, Outcome | None, str]:
    call = store.call("call")
    assert call
    return call.status, call.outcome, call.ending


@in_virtual_time
async def test_a_line_that_came_before_its_providers_refused_is_said_goodbye_to(tmp_path: Path) -> None:
    async with picked_up(tmp_path, Slow("Deepgram refused.")) as (engagement, phone, store):
        await engagement.over()
        assert phone.hung_up == [known.TROUBLE]
        assert row(store) == (Status.FAILED, Outcome.FAILED, "Deepgram refused.")


@in_virtual_time
async def test_a_hang_up_before_the_agent_can_talk_is_not_lost(tmp_path: Path) -> None:
    async with picked_up(tmp_path, Slow()) as (engagement, phone, store):
        async with asyncio.timeout(1):
            await engagement.hang_up(HangUp(STOPPED))
        async with asyncio.timeout(5):
            await engagement.over()
        assert phone.played == b""
        assert row(store) == (Status.COMPLETED, Outcome.STOPPED, STOPPED.why)


@in_virtual_time
async def test_a_line_is_given_only_for_the_right_token_and_call_and_once(tmp_path: Path) -> None:
    async with picked_up(tmp_path, Slow()) as (engagement, phone, _):
        assert not engagement.connect(engagement.expect_stream(), "CA1", phone)
        await engagement.hang_up(HangUp(STOPPED))


@pytest.mark.parametrize(("token", "sid"), [("", "CA1"), ("wrong", "CA1"), (None, "CA2")])
def test_a_wrong_token_or_call_gets_no_line(tmp_path: Path, token: str | None, sid: str) -> None:
    async def attempt() -> bool:
        call = Call("call", Brief("+12025550143", "Confirm the visit"), provider_sid="CA1")
        with Store(tmp_path / "calls.db") as store:
            store.add(call)
            engagement = Engagement(call, store, Slow(), None, Manners())
            expected = engagement.expect_stream()
            return engagement.connect(expected if token is None else token, sid, Phone())

    assert asyncio.run(attempt()) is False


class Exchange(Twilio):
    """The carrier of a call that is being handed over; notes what is hung up."""

    def __init__(self) -> None:
        self.hung_up: list[str] = []

    async def hang_up(self, sid: str, farewell: str = "") -> None:
        self.hung_up.append(sid)


class HandedOver(Phone):
    """A line whose handing over takes three seconds."""

    async def transfer(self) -> None:
        await asyncio.sleep(3)
        await super().transfer()


@in_virtual_time
async def test_a_call_that_is_just_being_handed_over_can_be_hung_up(tmp_path: Path) -> None:
    call, phone, exchange = Call("call", Brief("+12025550143", "Confirm"), provider_sid="CA1"), HandedOver(), Exchange()
    with Store(tmp_path / "calls.db") as store:
        store.add(call)
        engagement = Engagement(call, store, Slow(), exchange, Manners(), asyncio.get_running_loop().time)
        async with asyncio.TaskGroup() as group:
            group.create_task(engagement.run())
            carrier = group.create_task(phone.run())
            await asyncio.sleep(0.5)
            assert engagement.connect(engagement.expect_stream(), "CA1", phone)
            await asyncio.sleep(6)
            await engagement.command(Transfer())
            while engagement.phase != "over":
                await asyncio.sleep(0.1)
            await engagement.hang_up(HangUp(STOPPED))
            assert exchange.hung_up == ["CA1"]
            await asyncio.sleep(4)
            engagement.finish(Status.COMPLETED)
            await engagement.over()
            carrier.cancel()


@in_virtual_time
async def test_a_call_that_cannot_be_written_down_goes_on_and_is_written_at_its_end(tmp_path: Path) -> None:
    async with picked_up(tmp_path, Slow()) as (engagement, phone, store):
        store._every = 0.4
        with full_disk(store):
            await asyncio.sleep(10)
            assert phone.played and not phone.hung_up
        await engagement.hang_up(HangUp(STOPPED))
        await engagement.over()
        found = store.call("call")
        assert found and (found.outcome, found.troubles) == (Outcome.STOPPED, ())
        assert found.answered == pytest.approx(2.0, abs=0.3)


def test_a_call_that_its_carrier_never_reached_says_what_was_turned_away() -> None:
    unsigned = Unsigned()
    unsigned.refused("/twilio/voice")
    assert unsigned.since(unsigned.count) == ""
    for count, said in ((0, " 2 requests from the carrier were refused as wrongly signed: "), (1, " 1 request from ")):
        unsigned.count = 2
        assert unsigned.since(count).startswith(said)
        assert unsigned.since(count).endswith("check TWILIO_AUTH_TOKEN and PUBLIC_HOST.")
