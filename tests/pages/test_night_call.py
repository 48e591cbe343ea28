"""Before a call at night: the operator says that it is expected, or it is not placed; and the limits are shown."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import _number
import pytest
from streamlit.testing.v1 import AppTest

from backend.answers import Placed, Setup
from backend.client import Client
from backend.models import Brief, LineKind, Outcome, Status
from tests.media_server import MediaServer
from tests.pages.test_pages import a_call, page, same_main, server, shown

__all__ = ["same_main", "server"]


NIGHT, OTHER_NIGHT, DAY = "+18085550143", "+81312345678", "+442079460958"
"""Hawaii, Japan and Britain: 03:30, 22:30 and 13:30 at that moment."""


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same moment however late it is where the tests run: night in some places, and day in others."""
    winter = datetime(2026, 1, 20, 13, 30, tzinfo=UTC).timestamp()
    monkeypatch.setattr(_number, "time", SimpleNamespace(time=lambda: winter))


@pytest.fixture(autouse=True)
def phone(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """There is a phone line; what is placed on it is noted."""
    setup, asked = Client.setup, list[Any]()

    def with_phone(self: Client) -> Setup:
        return replace(setup(self), lines=list(LineKind), default_line=LineKind.PHONE)

    def place(self: Client, *told: Any, **more: Any) -> Placed:
        asked.append(more["any_hour"])
        return Placed("one")

    monkeypatch.setattr(Client, "setup", with_phone)
    monkeypatch.setattr(Client, "place", place)
    return asked


def typed(number: str, line: LineKind = LineKind.PHONE) -> AppTest:
    bench = page()
    bench.session_state["call_line"] = line
    bench.text_input(key="call_to").set_value(number).run()
    assert not bench.exception
    return bench


def test_a_call_at_night_is_placed_as_expected_when_the_operator_says_so(server: MediaServer, phone: list[Any]) -> None:
    a_call(server.store)
    bench = typed(NIGHT)
    [box] = bench.checkbox
    assert (box.label, box.value) == ("They expect a call at this hour", False)
    box.check().run()
    bench.button(key="call_button").click().run()
    assert phone == [True]


def test_without_it_the_call_is_not_said_to_be_expected(server: MediaServer, phone: list[Any]) -> None:
    a_call(server.store)
    typed(NIGHT).button(key="call_button").click().run()
    assert phone == [False]


def test_it_is_said_of_one_number_only(server: MediaServer) -> None:
    bench = typed(NIGHT)
    bench.checkbox[0].check().run()
    for number in (OTHER_NIGHT, DAY):
        bench.text_input(key="call_to").set_value(number).run()
        assert not any(box.value for box in bench.checkbox)


def test_by_day_and_on_the_practice_line_nobody_is_asked(server: MediaServer) -> None:
    assert not typed(DAY).checkbox
    assert not typed(NIGHT, LineKind.PRACTICE).checkbox


def test_where_there_is_no_phone_nobody_is_asked_when_a_call_is_placed_again(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, here = Client.setup, [LineKind.PRACTICE]
    monkeypatch.setattr(Client, "setup", lambda self: replace(setup(self), lines=here, default_line=here[0]))
    brief = Brief(NIGHT, "Confirm the visit", line=LineKind.PHONE)
    a_call(server.store, brief=brief, status=Status.COMPLETED, outcome=Outcome.CONFIRMED)
    bench = page("call", again="one")
    assert bench.text_input(key="call_to").value == NIGHT
    assert not bench.checkbox


def test_at_any_hour_nobody_is_asked(server: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLING_HOURS", "none")
    bench = typed(NIGHT)
    assert not bench.checkbox
    assert "It is night there" in shown(bench)


def test_the_limits_and_what_was_spent_are_shown(server: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_COST_PER_DAY", "5")
    a_call(server.store, "new", status=Status.COMPLETED, cost=1.25)
    a_call(server.store, "old", created=time.time() - 90_000, status=Status.COMPLETED, cost=50.0)
    said = shown(page("settings"))
    for words in ("from 08:00 to 21:00 by their own clocks", "3 at most", "$1.25, $5.00 at most"):
        assert words in said
