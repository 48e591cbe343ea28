"""Past calls over the control API: called back, reviewed and deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.client import Client, ServerError
from backend.models import Brief, Call, Outcome, Status
from backend.recording.names import name_of
from tests.media_server import TOKEN, MediaServer, media_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MediaServer]:
    with media_server(tmp_path / "calls.db") as server:
        yield server


@pytest.fixture
def maya(server: MediaServer) -> Iterator[Client]:
    with Client(server.url, TOKEN, operator=lambda: "Maya Ö.") as client:
        yield client


def a_call(server: MediaServer, call_id: str = "one", status: Status = Status.COMPLETED, ago: float = 60) -> None:
    brief = Brief("+12025550143", "Confirm", callee_name=call_id)
    outcome = Outcome.CALL_BACK if status.final else None
    server.store.add(Call(call_id, brief, status, outcome, created=time.time() - ago))


def test_calls_to_place_again_are_listed_until_somebody_ticks_them_off(server: MediaServer, maya: Client) -> None:
    a_call(server, "old", ago=31 * 86_400)
    a_call(server, "one")
    assert [call.id for call in maya.call_backs()] == ["one"]
    began = time.time()
    maya.follow_up("one")
    assert maya.call_backs() == []
    ticked = maya.call("one").call.followed_up
    assert ticked and ticked.by == "Maya Ö." and began <= ticked.at <= time.time()


def test_whoever_ticks_first_is_kept(server: MediaServer, maya: Client) -> None:
    a_call(server)
    maya.review("one")
    with Client(server.url, TOKEN, operator=lambda: "Noor") as noor:
        noor.review("one")
    reviewed = maya.call("one").call.reviewed
    assert reviewed and reviewed.by == "Maya Ö."


def test_a_call_is_deleted_with_its_recording(server: MediaServer, maya: Client) -> None:
    a_call(server)
    folder = server.settings.recordings_path
    folder.mkdir()
    sound = folder / name_of("one", time.time())
    sound.write_bytes(b"sound")
    maya.remove("one")
    assert not sound.exists()
    assert server.store.call("one") is None


def test_a_recording_is_deleted_and_its_call_stays(server: MediaServer, maya: Client) -> None:
    a_call(server)
    server.settings.recordings_path.mkdir()
    sound = server.settings.recordings_path / name_of("one", time.time())
    sound.write_bytes(b"sound")
    server.store.change("one", recording=sound.name)
    maya.remove_recording("one")
    assert not sound.exists()
    assert maya.call("one").call.recording == ""


ORDERS: list[Callable[[Client], None]] = [
    lambda client: client.remove("one"),
    lambda client: client.remove_recording("one"),
    lambda client: client.review("one"),
    lambda client: client.follow_up("one"),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("status", [Status.RINGING, Status.IN_PROGRESS])
def test_a_call_that_runs_is_left_alone(
    server: MediaServer, maya: Client, order: Callable[[Client], None], status: Status
) -> None:
    a_call(server, status=status)
    with pytest.raises(ServerError, match="not over yet") as refused:
        order(maya)
    assert refused.value.status == 409
    assert server.store.call("one")


@pytest.mark.parametrize("order", ORDERS)
def test_a_call_that_is_gone_already_is_said_to_be_unknown(
    server: MediaServer, maya: Client, order: Callable[[Client], None]
) -> None:
    with pytest.raises(ServerError, match="There is no call") as refused:
        order(maya)
    assert refused.value.status == 404


def test_nothing_is_deleted_without_the_token(server: MediaServer) -> None:
    a_call(server)
    with Client(server.url, "another-token-entirely") as stranger, pytest.raises(ServerError) as refused:
        stranger.remove("one")
    assert refused.value.status == 401
    assert server.store.call("one")
