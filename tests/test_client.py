"""The client against the product's own API on loopback: what is sent arrives, what comes back is typed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.answers import Health, Running
from backend.call.events import HandBack, Hint, Pause, Press, Resume, Say, TakeOver, Transfer
from backend.client import Client, ServerDown, ServerError, ServerSlow
from backend.models import Call, Hands, LineKind, Outcome, Speaker, Status, Turn, TurnState
from tests.media_server import TOKEN, MediaServer, media_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MediaServer]:
    with media_server(tmp_path / "calls.db") as server:
        yield server


@pytest.fixture
def client(server: MediaServer) -> Iterator[Client]:
    with Client(server.url, TOKEN) as client:
        yield client


def answered(server: MediaServer, client: Client) -> str:
    """The id of a call that somebody has picked up."""
    call_id = client.place("+1 202 555 0143", "Confirm the visit").id
    server.store.advance(call_id, Status.IN_PROGRESS, answered=1.0)
    return call_id


def test_every_field_of_the_form_reaches_the_server(server: MediaServer, client: Client) -> None:
    placed = client.place(
        "(202) 555-0143",
        "Confirm the visit",
        "It takes an hour.",
        callee_name="John Smith",
        agent_name="Kim",
        organization="Brightside",
        line=LineKind.PRACTICE,
        persona="declines",
    )
    [call] = server.desk.placed
    brief = call.brief
    assert (placed.id, placed.provider_sid, placed.twiml_url) == (call.id, "CA1", "")
    assert (brief.to, brief.action, brief.context) == ("+12025550143", "Confirm the visit", "It takes an hour.")
    assert (brief.callee_name, brief.agent_name, brief.organization) == ("John Smith", "Kim", "Brightside")
    assert (brief.line, brief.persona) == (LineKind.PRACTICE, "declines")


def test_a_call_that_is_only_registered_comes_with_the_address_of_its_instructions(client: Client) -> None:
    placed = client.place("+12025550143", "Confirm the visit", dial=False)
    assert placed.twiml_url.endswith(f"/twilio/voice?call={placed.id}")


def test_a_call_in_full_comes_back_as_the_store_has_it(server: MediaServer, client: Client) -> None:
    call_id = answered(server, client)
    turn = Turn(1, Speaker.AGENT, "Hi John, is", "Hi John", TurnState.CUT, 2.0, 3.0, {"first_sound": 640.0})
    server.store.write_turn(call_id, turn)
    server.store.change(call_id, troubles=("The voice was slow.",), outcome=Outcome.CONFIRMED)
    found = client.call(call_id)
    assert found.call == server.store.call(call_id)
    assert found.turns == [turn]


def test_calls_are_found_by_words_and_outcome(server: MediaServer, client: Client) -> None:
    first = client.place("+12025550143", "Confirm the visit", callee_name="John").id
    client.place("+12025550144", "Ask for the invoice", callee_name="Maria")
    server.store.change(first, outcome=Outcome.CONFIRMED)

    def ids(calls: list[Call]) -> list[str]:
        return [call.id for call in calls]

    assert ids(client.calls(limit=1)) == ["call-2"]
    assert ids(client.calls(search="invoice")) == ["call-2"]
    assert ids(client.calls(outcomes=[Outcome.CONFIRMED])) == ["call-1"]
    assert ids(client.calls(statuses=[Status.RINGING])) == []


def test_commands_reach_the_running_call(server: MediaServer, client: Client) -> None:
    call_id = answered(server, client)
    client.say(call_id, "One moment, please.")
    client.hint(call_id, "Offer Friday.")
    client.hang_up(call_id)
    assert server.desk.commands == [(call_id, Say("One moment, please.")), (call_id, Hint("Offer Friday."))]
    assert client.call(call_id).call.ending == "The operator hung up."


def test_stepping_in_reaches_the_running_call_with_the_operators_name(server: MediaServer) -> None:
    with Client(server.url, TOKEN, operator=lambda: "Maya Müller") as client:
        call_id, by = answered(server, client), "Maya Müller"
        client.pause(call_id)
        assert client.running() == [Running(call_id, Hands.PAUSED, "listening")]
        client.resume(call_id)
        client.take_over(call_id)
        assert client.running()[0].hands is Hands.OPERATOR
        client.hand_back(call_id)
        client.press(call_id, "12#")
        client.transfer(call_id)
        client.say(call_id, "So.")
    orders = [Pause(by), Resume(by), TakeOver(by), HandBack(by), Press("12#", by), Transfer(by), Say("So.", by)]
    assert server.desk.commands == [(call_id, order) for order in orders]


def test_keys_that_no_phone_has_are_refused_with_the_reason(server: MediaServer, client: Client) -> None:
    with pytest.raises(ServerError, match="keys: "):
        client.press(answered(server, client), "call me")


def test_a_number_is_described_or_refused_with_the_reason(client: Client) -> None:
    number = client.number("202 555 0143")
    assert (number.e164, number.national, number.country) == ("+12025550143", "(202) 555-0143", "United States")
    with pytest.raises(ServerError, match="emergency number, which is never dialled"):
        client.number("911")


def test_the_setup_and_health_are_read(client: Client) -> None:
    setup = client.setup()
    assert [part.name for part in setup.parts if part.real] == ["Hearing"]
    assert setup.lines == [LineKind.PRACTICE]
    assert "cooperative" in {persona.key for persona in setup.personas}
    assert client.health() == Health("ok", 0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "What to get done is missing"), ("x" * 2001, "action: String should have at most 2000 characters")],
)
def test_a_refused_call_says_why(client: Client, text: str, sentence: str) -> None:
    with pytest.raises(ServerError, match=sentence) as refused:
        client.place("+12025550143", text)
    assert not isinstance(refused.value, ServerDown)


def test_an_unknown_call_is_an_error_and_cannot_name_another_path(client: Client) -> None:
    with pytest.raises(ServerError, match="There is no call “nobody”"):
        client.call("nobody")
    with pytest.raises(ServerError, match="Not Found"):
        client.call("../setup")


def test_speaking_before_anybody_has_picked_up_is_refused(client: Client) -> None:
    call_id = client.place("+12025550143", "Confirm the visit").id
    with pytest.raises(ServerError, match="Nobody has picked up yet"):
        client.say(call_id, "Hello")


def test_a_wrong_token_is_named(server: MediaServer) -> None:
    with Client(server.url, "another-token-altogether") as stranger, pytest.raises(ServerError, match="bearer token"):
        stranger.setup()


def test_no_server_is_told_apart_and_says_what_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    # A proxy of the environment would answer instead, and see the token.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Client(f"http://127.0.0.1:{port}", TOKEN) as client, pytest.raises(ServerDown, match=f"{port}.*make run"):
        client.health()


@contextmanager
def answering(content: bytes | None) -> Iterator[str]:
    """Something on a port that answers one request with exactly this; None: never."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                if content is None:
                    connection.recv(1)
                else:
                    connection.sendall(content)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_a_server_that_never_answers_is_down_too() -> None:
    with answering(None) as url, Client(url, TOKEN, timeout=0.2) as client, pytest.raises(ServerDown, match="too long"):
        client.setup()


def test_another_program_on_the_port_is_not_taken_for_the_media_server() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with answering(page) as url, Client(url, TOKEN) as client, pytest.raises(ServerError, match="MEDIA_SERVER_PORT"):
        client.setup()


def test_a_server_that_breaks_is_reported_by_its_code() -> None:
    page = b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    with answering(page) as url, Client(url, TOKEN) as client, pytest.raises(ServerError, match="HTTP 500"):
        client.setup()


MAYBE = "It is not known whether the phone rings: look at Live before you call again."


def test_whoever_placed_a_call_and_got_no_answer_is_told_that_it_may_ring() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, TOKEN, timeout=0.2) as client, pytest.raises(ServerSlow, match=MAYBE):
            client.place("+12025550143", "Confirm the visit")
    with Client(url, TOKEN) as client, pytest.raises(ServerDown) as nobody:
        client.place("+12025550143", "Confirm the visit")
    assert MAYBE not in str(nobody.value)


def test_whoever_placed_a_call_with_a_server_that_died_is_told_that_it_may_ring() -> None:
    with answering(b"") as url, Client(url, TOKEN) as client, pytest.raises(ServerDown, match=MAYBE):
        client.place("+12025550143", "Confirm the visit")
