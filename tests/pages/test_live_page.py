"""The live page as an operator uses it: all running calls in a list, one of them in full, and the ways to step in."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from backend.call.events import HandBack, Hint, Pause, Press, Resume, Say, Transfer
from backend.client import ServerDown
from backend.models import Brief, Direction, Event, Hands, LineKind, Outcome, Speaker, Status, Turn, TurnState
from tests import scenes
from tests.media_server import MediaServer, media_server
from tests.pages.test_pages import a_call, page, same_main, shown

__all__ = ["same_main"]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaServer]:
    with media_server(tmp_path / "calls.db") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        yield server
    st.cache_resource.clear()


def rows(bench: AppTest) -> list[dict[str, Any]]:
    [element] = bench.get("bidi_component")
    found: list[dict[str, Any]] = json.loads(element.proto.json)["rows"]
    return found


def talking(server: MediaServer, call_id: str = "one", *turns: Turn) -> None:
    a_call(server.store, call_id, turns, status=Status.IN_PROGRESS, answered=time.time() - 30)


def labels(bench: AppTest) -> dict[str, str]:
    return {str(button.key): button.label for button in bench.button}


def off(bench: AppTest) -> set[str]:
    return {str(button.key) for button in bench.button if button.disabled}


# --- the list -------------------------------------------------------------------------------------------------


def test_every_running_call_is_a_row_and_who_needs_somebody_comes_first(server: MediaServer) -> None:
    now = time.time()
    scenes.question(server.store, now)
    scenes.others(server.store, now)
    bench = page("live", call="other-1")
    found = rows(bench)
    assert [row["name"] for row in found][:3] == ["Maria Gomez", "John Smith", "Harbour Street Pharmacy"]
    assert found[0]["asks"] == "Asks you: Is there a lift for a wheelchair?"
    assert "6 running calls, 1 needs you" in shown(bench)
    assert (found[1]["state"], found[1]["words"], found[1]["delay"]) == ("Ringing", "", "")


def test_a_rows_delay_is_told_in_words_and_colour(server: MediaServer) -> None:
    scenes.others(server.store, time.time())
    found = {row["name"]: (row["delay"], row["tone"]) for row in rows(page("live"))}
    assert found["Harbour Street Pharmacy"] == ("0.6 s, quick", "good")
    assert found["Dr. Amara Okafor"] == ("1.7 s, slow", "fair")
    assert found["Kenji Watanabe"] == ("2.6 s, too slow", "poor")
    assert found["Lakeside Garage"] == ("", "")


def test_a_row_tells_in_whose_hands_the_call_is_and_that_something_went_wrong(server: MediaServer) -> None:
    talking(server, "one")
    talking(server, "two")
    server.desk.hands |= {"one": Hands.PAUSED, "two": Hands.OPERATOR}
    server.store.trouble("two", "The voice stalled.")
    assert {row["id"]: row["state"] for row in rows(page("live"))} == {
        "one": "Agent paused",
        "two": "An operator has it · trouble",
    }


def test_a_row_shows_of_the_agents_words_only_what_was_heard(server: MediaServer) -> None:
    talking(server, "one", Turn(1, Speaker.AGENT, "Hi John, how are you?", "Hi John,", TurnState.OPEN, 9.0))
    assert rows(page("live"))[0]["words"] == "Alex: Hi John, …"


def test_a_note_is_nobodys_last_words(server: MediaServer) -> None:
    said = Turn(1, Speaker.CALLEE, "Hello?", "Hello?", TurnState.DONE, 9.0)
    talking(server, "one", said, Turn(2, Speaker.NOTE, "Pressed 2", "Pressed 2", TurnState.DONE, 9.0))
    assert rows(page("live"))[0]["words"] == "Hello?"


def test_without_being_asked_for_one_the_page_opens_the_call_that_needs_somebody(server: MediaServer) -> None:
    now = time.time()
    scenes.others(server.store, now)
    scenes.question(server.store, now - 500)
    bench = page("live")
    assert bench.title[0].value == "Maria Gomez"
    assert bench.query_params["call"] in ("lift", ["lift"])


def test_another_call_is_opened_by_its_address(server: MediaServer) -> None:
    talking(server, "first")
    other = Brief("+12025550144", "Ask", callee_name="Maria Gomez")
    a_call(server.store, "second", status=Status.RINGING, brief=other)
    assert page("live", call="second").title[0].value == "Maria Gomez"


def test_all_running_calls_count_as_watched_while_the_list_is_shown(server: MediaServer) -> None:
    talking(server, "one")
    talking(server, "two")
    page("live", call="one")
    assert server.desk.watched == {"one", "two"}


def test_fifty_calls_are_fifty_rows_of_one_element(server: MediaServer) -> None:
    scenes.others(server.store, time.time(), 50)
    bench = page("live")
    assert len(rows(bench)) == 50
    assert "50 running calls" in shown(bench)


def test_beside_an_unknown_call_the_running_ones_can_still_be_opened(server: MediaServer) -> None:
    talking(server, "one")
    bench = page("live", call="nobody")
    assert "There is no such call here" in shown(bench)
    assert [row["id"] for row in rows(bench)] == ["one"]


# --- what is said -----------------------------------------------------------------------------------------------


def test_an_operators_words_notes_and_troubles_stand_where_they_happened(server: MediaServer) -> None:
    scenes.eventful(server.store, time.time())
    text = shown(page("live", call="bakery"))
    places = [
        "Let me look whether",
        "Maya took the call over.",
        "Hi, this is Maya from Brightside.",
        "handed the call back",
    ]
    assert [text.index(words) for words in places] == sorted(text.index(words) for words in places)
    assert text.index("Exactly. Could it be") < text.index("stalled") < text.index("Maya took the call over.")
    assert text.count("stalled") == 1
    assert "9 · Operator · " in text


def test_a_trouble_without_a_time_of_its_own_is_told_above_the_transcript(server: MediaServer) -> None:
    talking(server, "one", Turn(1, Speaker.CALLEE, "Hello?", "Hello?", TurnState.DONE, 9.0))
    server.store.trouble("one", "The phone line was noisy.")
    text = shown(page("live", call="one"))
    assert text.index("The phone line was noisy.") < text.index("Hello?")


def test_a_trouble_that_comes_again_at_once_is_told_once(server: MediaServer) -> None:
    talking(server, "one", Turn(1, Speaker.CALLEE, "Hello?", "Hello?", TurnState.DONE, 9.0))
    server.store.trouble("one", "The voice stalled.")
    again = [Event(at, "Trouble", {"what": "The voice stalled."}) for at in (10.0, 11.0, 12.0)]
    server.store.write_events("one", again)
    assert shown(page("live", call="one")).count("The voice stalled.") == 1


def test_words_still_to_come_and_words_never_heard_look_different_without_colour(server: MediaServer) -> None:
    cut = Turn(1, Speaker.AGENT, "Your visit is on Tuesday.", "Your visit", TurnState.CUT, 9.0)
    now = Turn(2, Speaker.AGENT, "May I read it back?", "May I", TurnState.OPEN, 12.0)
    talking(server, "one", cut, now)
    text = shown(page("live", call="one"))
    assert "Your visit :gray[~~is on Tuesday.~~]" in text and "the struck words were not heard" in text
    assert "May I :gray[*read it back?*]" in text and "saying it now" in text


# --- stepping in ------------------------------------------------------------------------------------------------


def test_words_hints_and_keys_go_to_the_call_that_is_open_and_to_no_other(server: MediaServer) -> None:
    talking(server, "one")
    talking(server, "two")
    bench = page("live", call="two")
    bench.text_input(key="say_two").set_value("One moment.")
    bench.button(key="say_two_button").click().run()
    bench.text_input(key="hint_two").set_value("Offer Friday.")
    bench.button(key="hint_two_button").click().run()
    bench.button(key="key_#").click().run()
    bench.text_input(key="keys_two").set_value("12*")
    bench.button(key="keys_two_button").click().run()
    bench.button(key="transfer").click().run()
    orders = [Say("One moment."), Hint("Offer Friday."), Press("#"), Press("12*"), Transfer()]
    assert server.desk.commands == [("two", order) for order in orders]


def test_one_button_pauses_and_resumes(server: MediaServer) -> None:
    talking(server)
    bench = page("live", call="one")
    assert labels(bench)["whose_turn"] == "Pause"
    bench.button(key="whose_turn").click().run()
    assert labels(bench)["whose_turn"] == "Resume"
    assert "Agent paused" in shown(bench)
    assert "hint_one_button" in off(bench), "nobody would act on a hint now"
    assert "hints wait until it goes on" in shown(bench)
    bench.button(key="whose_turn").click().run()
    assert labels(bench)["whose_turn"] == "Pause"
    assert server.desk.commands == [("one", Pause()), ("one", Resume())]


def test_a_call_that_an_operator_has_can_be_handed_back_from_here(server: MediaServer) -> None:
    talking(server)
    server.desk.hands["one"] = Hands.OPERATOR
    bench = page("live", call="one")
    assert labels(bench)["whose_turn"] == "Hand back"
    bench.button(key="whose_turn").click().run()
    assert server.desk.commands == [("one", HandBack())]
    assert labels(bench)["whose_turn"] == "Pause"


def test_before_somebody_picks_up_only_hanging_up_is_on_and_the_reason_is_told(server: MediaServer) -> None:
    a_call(server.store, status=Status.RINGING)
    bench = page("live", call="one")
    assert {"say_one_button", "hint_one_button", "whose_turn"} <= off(bench)
    assert "hang_up" not in off(bench)
    assert "Until then you can hang up." in shown(bench)


def test_what_the_server_refuses_is_said_and_the_words_stay(server: MediaServer) -> None:
    talking(server)
    bench = page("live", call="one")
    server.desk.deaf = "There is no phone to hand this call over to."
    bench.button(key="transfer").click().run()
    assert server.desk.deaf in shown(bench)
    bench.text_input(key="keys_one").set_value("12")
    bench.button(key="keys_one_button").click().run()
    assert bench.text_input(key="keys_one").value == "12"


# --- the headset ----------------------------------------------------------------------------------------------


def test_the_headset_is_shown_where_its_server_answers_and_stays_through_a_hiccup(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking(server)
    bench = page("live", call="one")
    assert len(bench.get("iframe")) == 1
    monkeypatch.setattr("backend.client.Client.running", unanswered)
    assert len(bench.run().get("iframe")) == 1
    assert page("live", call="one").get("iframe") == []


def unanswered(*_: object, **__: object) -> None:
    raise ServerDown("The media server does not answer.")


# --- what is not known, and what is not possible ------------------------------------------------------------------


def test_while_nobody_knows_who_has_the_call_the_page_does_not_say_it_and_the_controls_are_off(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking(server)
    server.desk.hands["one"] = Hands.OPERATOR
    bench = page("live", call="one")
    assert labels(bench)["whose_turn"] == "Hand back"
    monkeypatch.setattr("backend.client.Client.running", unanswered)
    bench.run()
    assert "The agent has it" not in shown(bench) and "An operator has it" not in shown(bench)
    assert {"say_one_button", "hint_one_button", "whose_turn"} <= off(bench)
    assert "hang_up" not in off(bench), "it is tried all the same"
    assert labels(bench)["whose_turn"] == "Hand back", "as it was drawn last"
    assert "All this waits until the media server answers again." in shown(bench)


def test_a_refusal_stays_when_the_page_is_drawn_anew_and_goes_after_a_while(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking(server)
    bench = page("live", call="one")
    server.desk.deaf = "This call is over."
    bench.button(key="whose_turn").click().run()
    assert "This call is over." in shown(bench.run())
    monkeypatch.setattr("_orders._STAYS", 0.0)
    assert "This call is over." not in shown(bench.run())


def test_keys_may_be_typed_with_spaces_and_dashes_and_what_is_no_key_is_said_plainly(server: MediaServer) -> None:
    talking(server)
    bench = page("live", call="one")
    for typed in ("1-2 3#", "one"):
        bench.text_input(key="keys_one").set_value(typed)
        bench.button(key="keys_one_button").click().run()
    assert server.desk.commands == [("one", Press("123#"))]
    assert "Only digits, * and # can be pressed." in shown(bench)
    assert bench.text_input(key="keys_one").value == "one"


def test_without_a_phone_to_hand_over_to_the_button_is_off_and_says_why(server: MediaServer) -> None:
    talking(server)
    assert "transfer" not in off(page("live", call="one"))
    server.desk.phone = False
    bench = page("live", call="one")
    assert "transfer" in off(bench)
    assert "There is no phone to hand calls over to" in shown(bench)
    assert "Your phone rings" not in shown(bench)


@pytest.mark.parametrize("name", ["live", "record"])
def test_an_incoming_call_does_not_look_as_if_we_had_made_it(server: MediaServer, name: str) -> None:
    received = Brief(
        "+12025550143",
        "Help whoever calls",
        organization="Brightside",
        line=LineKind.PHONE,
        direction=Direction.INBOUND,
    )
    a_call(server.store, "in", status=Status.IN_PROGRESS, answered=time.time(), brief=received)
    text = shown(page(name, call="in"))
    assert "Incoming" in text
    assert ":gray[Agent:] Alex of Brightside" in text and ":gray[Called from:] +12025550143" in text
    assert "Caller" not in text


def test_a_call_that_they_ended_is_told_without_the_trades_own_words(server: MediaServer) -> None:
    a_call(server.store, status=Status.COMPLETED, outcome=Outcome.HUNG_UP, ending="They hung up.", ended=time.time())
    for name in ("live", "record"):
        assert "They hung up" in shown(page(name, call="one"))
        assert "allee" not in shown(page(name, call="one"))
