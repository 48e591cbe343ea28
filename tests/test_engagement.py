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
from backend.call.events import Ending, HangUp
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.session import Kit
from backend.call.voice import Voice
from backend.config import load
from backend.engagement import Engagement
from backend.models import Brief, Call, Outcome, ProviderError, Status
from backend.providers import Providers
from backend.storage.store import Store

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
