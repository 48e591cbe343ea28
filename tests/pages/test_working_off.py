"""After the calls, in the test bench: called back, reviewed, deleted, and told apart from those that came in."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pyarrow import ipc  # type: ignore[import-untyped]
from streamlit.testing.v1 import AppTest

from backend.client import Client
from backend.models import Brief, Claim, Direction, LineKind, Outcome, Report, Status
from backend.recording.names import name_of
from tests.media_server import MediaServer
from tests.pages.test_pages import NOBODY_LISTENS, REPORT, a_call, over, page, same_main, server, shown

__all__ = ["same_main", "server"]


def named(name: str, number: str = "+12025550143", **more: object) -> Brief:
    return Brief(number, "Confirm the visit", callee_name=name, **more)  # type: ignore[arg-type]


def links(bench: AppTest) -> dict[str, str]:
    """Where each link leads that is not in the bar at the top."""
    return {link.label.replace("\\", "").strip("*"): str(link.proto) for link in bench.page_link}


@pytest.fixture
def maya(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is signed in."""
    made = Client.__init__

    def signed_in(self: Client, url: str, token: str, timeout: float = 20.0, **_: object) -> None:
        made(self, url, token, timeout, operator=lambda: "Maya")

    monkeypatch.setattr(Client, "__init__", signed_in)


# --- people to call again -----------------------------------------------------------------------------------------


def test_whoever_is_to_be_called_again_is_listed_with_what_was_agreed(server: MediaServer) -> None:
    said = Report(
        Outcome.CALL_BACK,
        Claim("She asks for another call.", (2,), 0.9),
        agreed=(Claim("Thursday after 4.", (2,), 0.9), Claim("She pays in cash.", (), 0.2)),
    )
    over(server.store, "ann", brief=named("Ann"), outcome=Outcome.CALL_BACK, report=said)
    over(server.store, "bob", brief=named("Bob", "+12025550144"), outcome=Outcome.NO_ANSWER, note="Nobody was there.")
    over(server.store, "cem", brief=named("Cem", "+12025550145"))
    bench = page("follow_ups")
    text = shown(bench)
    assert "2 calls of the last 30 days, newest first" in text
    assert "She asks for another call. · Thursday after 4." in text
    assert "in cash" not in text, "it is doubtful"
    assert list(links(bench)) == ["Bob", "Call again", "Ann"]
    assert "again=bob" in str(bench.page_link[1].proto)


def test_a_call_is_ticked_off_and_says_who_did_it(server: MediaServer, maya: None) -> None:
    over(server.store, "ann", brief=named("Ann"), outcome=Outcome.VOICEMAIL)
    bench = page("follow_ups")
    bench.button(key="called_ann").click().run()
    assert not bench.exception
    assert "Nothing to follow up." in shown(bench)
    ticked = server.store.call("ann")
    assert ticked and ticked.followed_up and ticked.followed_up.by == "Maya"
    assert "Followed up by Maya · Today" in shown(page("record", call="ann"))


def test_a_tick_that_the_server_does_not_get_is_told_and_the_call_stays(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    over(server.store, "ann", brief=named("Ann"), outcome=Outcome.VOICEMAIL)
    monkeypatch.setenv("MEDIA_SERVER_PORT", NOBODY_LISTENS)
    bench = page("follow_ups")
    bench.button(key="called_ann").click().run()
    assert "The media server does not answer" in shown(bench)
    assert "Ann" in links(bench)


def test_open_questions_lead_to_calling_again_as_well(server: MediaServer) -> None:
    over(server.store)
    server.store.ask("one", "Is there a lift?", time.time())
    bench = page("follow_ups")
    assert "1 open question, newest first" in shown(bench)
    assert "again=one" in links(bench)["Call again"]


def test_many_people_to_call_again_are_shown_in_pages(server: MediaServer) -> None:
    for number in range(25):
        over(server.store, f"c{number}", brief=named(f"N{number}", f"+1202555{number:04}"), outcome=Outcome.NO_ANSWER)
    assert len(links(page("follow_ups"))) == 21, "twenty people, and one label for all ways to call them again"


# --- reviewed -----------------------------------------------------------------------------------------------------


def test_a_result_is_reviewed_and_says_who_did_it(server: MediaServer, maya: None) -> None:
    doubtful = Report(Outcome.CONFIRMED, Claim("Perhaps on Friday", (2,), 0.3), author="Claude")
    over(server.store, report=doubtful)
    bench = page("record", call="one")
    assert "To review" in shown(bench)
    bench.button(key="review").click().run()
    text = shown(bench)
    assert "To review" not in text and "read it before you rely on it" not in text
    assert "Reviewed by Maya · Today" in text
    assert "review" not in [button.key for button in bench.button]
    past = page("history")
    assert "To review" not in shown(past)
    past.toggle(key="past_review").set_value(True).run()
    assert "No call matches." in shown(past)


def test_a_report_without_doubt_asks_for_no_review(server: MediaServer) -> None:
    over(server.store, report=Report(Outcome.CONFIRMED, Claim("Confirmed", (2,), 0.9)))
    assert "review" not in [button.key for button in page("record", call="one").button]


def test_a_doubtful_claim_beside_a_sure_result_can_be_reviewed_too(server: MediaServer) -> None:
    over(server.store, report=REPORT, outcome=Outcome.RESCHEDULED)
    bench = page("record", call="one")
    bench.button(key="review").click().run()
    text = shown(bench)
    assert "Perhaps" in text and "To review" not in text
    assert "Reviewed · Today" in text, "nobody signs in here"


# --- deleted ------------------------------------------------------------------------------------------------------


def recorded(server: MediaServer) -> Path:
    """A call that was recorded; where."""
    folder = server.settings.recordings_path
    folder.mkdir()
    sound = folder / name_of("one", time.time())
    sound.write_bytes(b"sound")
    over(server.store, recording=sound.name)
    return sound


def asked(server: MediaServer, what: str) -> AppTest:
    bench = page("record", call="one")
    bench.button(key=f"delete_{what}").click().run()
    assert not bench.exception
    return bench


def test_a_call_is_deleted_only_after_another_question(server: MediaServer) -> None:
    sound = recorded(server)
    bench = asked(server, "call")
    assert server.store.call("one")
    assert "The call with **John Smith" in shown(bench)
    bench.button(key="delete_sure").click().run()
    assert not bench.exception
    assert server.store.call("one") is None
    assert not sound.exists()
    assert "No call has been placed yet." in shown(bench), "the past calls"


def test_a_recording_is_deleted_and_the_call_stays(server: MediaServer) -> None:
    sound = recorded(server)
    bench = asked(server, "recording")
    assert "Its words and its report stay." in shown(bench)
    bench.button(key="delete_sure").click().run()
    assert not sound.exists()
    assert "Hi John, this is Alex." in shown(bench)
    assert "delete_recording" not in [button.key for button in bench.button]


def test_what_is_not_to_be_deleted_is_kept(server: MediaServer) -> None:
    recorded(server)
    bench = asked(server, "call")
    bench.button(key="delete_not").click().run()
    assert server.store.call("one")
    assert "delete_sure" not in [button.key for button in bench.button]


def test_a_server_that_is_down_deletes_nothing_and_says_so(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(server)
    monkeypatch.setenv("MEDIA_SERVER_PORT", NOBODY_LISTENS)
    bench = asked(server, "call")
    bench.button(key="delete_sure").click().run()
    assert "The media server does not answer" in shown(bench)
    assert server.store.call("one")


def test_a_call_that_runs_cannot_be_deleted(server: MediaServer) -> None:
    a_call(server.store, status=Status.IN_PROGRESS, answered=time.time())
    assert "delete_call" not in [button.key for button in page("record", call="one").button]


# --- the list -----------------------------------------------------------------------------------------------------


def test_calls_that_came_in_are_marked_and_found(server: MediaServer) -> None:
    over(server.store, "out", brief=named("Ann"))
    over(server.store, "in", brief=named("", "+12025550144", direction=Direction.INBOUND, line=LineKind.PHONE))
    bench = page("history")
    assert shown(bench).count("Incoming") == 1
    bench.button_group(key="past_direction").set_value(Direction.INBOUND).run()
    assert list(links(bench)) == ["+12025550144"]
    bench.button_group(key="past_direction").set_value(Direction.OUTBOUND).run()
    assert list(links(bench)) == ["Ann"]


def test_a_call_that_runs_leads_to_where_it_can_be_watched(server: MediaServer) -> None:
    over(server.store, "past", brief=named("Ann"))
    a_call(server.store, "now", brief=named("Bob"), status=Status.IN_PROGRESS, answered=time.time())
    found = links(page("history"))
    assert 'page: "live"' in found["Bob"]
    assert 'page: "record"' in found["Ann"]


def test_a_success_of_any_kind_shares_the_cost(server: MediaServer) -> None:
    kinds = (Outcome.CONFIRMED, Outcome.RESCHEDULED, Outcome.TRANSFERRED, Outcome.DECLINED)
    for outcome in kinds:
        over(server.store, str(outcome), outcome=outcome, cost=0.3)
    bench = page("history")
    bench.button_group(key="past_view").set_value("charts").run()
    assert not bench.exception
    assert "confirmed, rescheduled or handed over" in shown(bench)
    [chart] = [chart.proto for chart in bench.get("vega_lite_chart") if "US dollars" in str(chart.proto)]
    [row] = ipc.open_stream(chart.datasets[0].data.data).read_all().to_pylist()
    assert (row["Done"], round(row["Dollars"], 6)) == (3, 0.4), "$1.20 for four calls, of which three were worth it"
