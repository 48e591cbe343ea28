"""Placing a call after another: nobody is called, or told, what was meant for somebody else, and nobody twice."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from backend.answers import Placed
from backend.client import Client, ServerSlow
from backend.models import Brief, Direction, LineKind, Outcome, Status
from tests.media_server import MediaServer
from tests.pages.test_pages import a_call, over, page, same_main, server, shown

__all__ = ["same_main", "server"]

ANN = Brief(
    "+442079460958",
    "Confirm the fitting",
    "It is on Monday.",
    callee_name="Ann Lee",
    agent_name="Sam",
    organization="Elm Clinic",
    persona="busy-person",
)


def form(bench: AppTest) -> list[str]:
    """Who is called, what for, what may be said, and who calls."""
    texts = [bench.text_input(key=f"call_{key}") for key in ("to", "callee_name")]
    areas = [bench.text_area(key=f"call_{key}") for key in ("action", "context")]
    caller = [bench.text_input(key=f"call_{key}") for key in ("agent_name", "organization")]
    return [str(field.value) for field in (*texts, *areas, *caller)]


# --- what the form begins with ------------------------------------------------------------------------------------


def test_the_form_begins_with_the_newest_caller_and_with_nobody_to_call(server: MediaServer) -> None:
    over(server.store, "older")
    over(server.store, "newest", brief=ANN, created=time.time())
    bench = page()
    assert form(bench) == ["", "", "", "", "Sam", "Elm Clinic"]
    assert bench.button_group(key="call_line").value is LineKind.PRACTICE
    bench.button(key="call_button").click().run()
    assert server.desk.placed == [], "one press rings nobody"


def test_a_call_that_came_in_says_nothing_of_who_calls(server: MediaServer) -> None:
    over(server.store, brief=ANN)
    inbound = Brief("+12025550143", "Help the caller", agent_name="Reception", direction=Direction.INBOUND)
    over(server.store, "in", brief=inbound, created=time.time())
    assert form(page())[-2:] == ["Sam", "Elm Clinic"]


def test_call_again_fills_the_form_with_that_call_and_rings_nobody(server: MediaServer) -> None:
    over(server.store, "one", brief=ANN, created=time.time() - 500)
    over(server.store, "two")
    bench = page("call", again="one")
    assert form(bench) == ["+442079460958", "Ann Lee", "Confirm the fitting", "It is on Monday.", "Sam", "Elm Clinic"]
    assert server.desk.placed == []
    assert "again" not in bench.query_params
    bench.text_input(key="call_callee_name").set_value("Ann Smith").run()
    assert form(bench)[1] == "Ann Smith", "what is changed since stays"
    bench.button(key="call_button").click().run()
    [call] = server.desk.placed
    assert (call.brief.to, call.brief.callee_name, call.brief.persona) == ("+442079460958", "Ann Smith", "busy-person")


def test_call_again_takes_the_place_of_what_was_typed(server: MediaServer) -> None:
    over(server.store, "one", brief=ANN)
    bench = page()
    bench.text_area(key="call_action").set_value("Ask {name} about {day}").run()
    bench.query_params["again"] = "one"
    bench.run()
    assert form(bench)[2] == "Confirm the fitting"


def test_whoever_called_us_is_called_back_with_words_of_ones_own(server: MediaServer) -> None:
    inbound = Brief("+12025550143", "Help the caller", "We open at 8.", direction=Direction.INBOUND)
    over(server.store, "in", brief=inbound)
    assert form(page("call", again="in"))[:4] == ["+12025550143", "", "", ""]


def test_a_call_that_is_gone_cannot_be_placed_again_and_the_form_is_there(server: MediaServer) -> None:
    bench = page("call", again="nobody")
    assert "There is no such call here" in shown(bench)
    assert form(bench)[1] == "John Smith", "the example"


@pytest.mark.parametrize("name", ["record", "live"])
def test_a_call_that_is_over_leads_to_calling_again(server: MediaServer, name: str) -> None:
    over(server.store)
    [link] = [link for link in page(name, call="one").page_link if link.label == "Call again"]
    assert "again=one" in str(link.proto)


def test_nobody_who_hid_their_number_can_be_called_again(server: MediaServer) -> None:
    over(server.store, brief=Brief("anonymous", "Help", direction=Direction.INBOUND))
    assert "Call again" not in [link.label for link in page("record", call="one").page_link]


# --- one wish, one call -------------------------------------------------------------------------------------------


def press(bench: AppTest) -> None:
    bench.switch_page("call.py").run()
    bench.button(key="call_button").click().run()
    assert not bench.exception


@pytest.mark.parametrize("status", [Status.BUSY, Status.FAILED, Status.CANCELED])
def test_a_call_that_ended_at_once_is_placed_again_when_it_is_wished(server: MediaServer, status: Status) -> None:
    bench = page()
    press(bench)
    press(bench)
    assert len(server.desk.placed) == 1, "it may still be ringing: two clicks are one wish"
    server.store.advance("call-1", status, outcome=Outcome.NO_ANSWER)
    press(bench)
    assert len(server.desk.placed) == 2
    assert bench.query_params["call"] == "call-2"


def unanswered(monkeypatch: pytest.MonkeyPatch, after: Callable[[], bool]) -> list[str]:
    """Placing reaches the server and its answer is lost, while `after` says so; what each request was called."""
    place, requests = Client.place, list[str]()

    def lost(client: Client, *brief: str, request: str = "", **more: object) -> Placed:
        requests.append(request)
        placed = place(client, *brief, request=request, **more)  # type: ignore[arg-type]
        if after():
            raise ServerSlow("It took too long. It is not known whether the phone rings: look at Live.")
        return placed

    monkeypatch.setattr(Client, "place", lost)
    return requests


def test_a_try_after_an_answer_that_never_came_rings_nobody_twice(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = [True, False, False]
    requests = unanswered(monkeypatch, lambda: lost.pop(0))
    bench = page()
    press(bench)
    assert "It is not known whether the phone rings" in shown(bench)
    press(bench)
    assert bench.query_params["call"] == "call-1"
    assert len(server.desk.placed) == 1
    assert requests[0] and requests[0] == requests[1]
    server.store.advance("call-1", Status.BUSY)
    press(bench)
    assert len(server.desk.placed) == 2
    assert requests[2] != requests[1], "another wish"


def test_another_person_after_an_answer_that_never_came_is_another_wish(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = [True, False]
    requests = unanswered(monkeypatch, lambda: lost.pop(0))
    bench = page()
    press(bench)
    bench.text_input(key="call_callee_name").set_value("Maria Gomez").run()
    press(bench)
    assert requests[0] != requests[1]
    assert [call.brief.callee_name for call in server.desk.placed] == ["John Smith", "Maria Gomez"]


def test_a_refused_call_is_another_wish_when_it_is_wished_again(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = unanswered(monkeypatch, lambda: False)
    bench = page()
    bench.text_input(key="call_to").set_value("911").run()
    press(bench)
    press(bench)
    assert len(set(requests)) == 2


def test_a_call_that_runs_is_not_offered_again(server: MediaServer) -> None:
    a_call(server.store, status=Status.IN_PROGRESS, answered=time.time())
    assert "Call again" not in [link.label for link in page("live", call="one").page_link]
