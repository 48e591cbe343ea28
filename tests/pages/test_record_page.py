"""The recording on a past call's page: for how long its address is good."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit

from streamlit.testing.v1 import AppTest

from tests import scenes
from tests.media_server import MediaServer
from tests.pages.test_pages import page, same_main, server

__all__ = ["same_main", "server"]


def ticket(bench: AppTest) -> str:
    """As it stands in the player's address."""
    [frame] = bench.get("iframe")
    [found] = parse_qs(urlsplit(str(frame.proto.src)).query)["ticket"]
    return found


def left(given: str) -> float:
    """Seconds for which this ticket is still good."""
    return float(json.loads(urlsafe_b64decode(given.partition(".")[0]))["until"]) - time.time()


def test_a_recordings_address_is_good_for_an_hour_and_made_anew_before_it_ends(server: MediaServer) -> None:
    scenes.rescheduled(server.store, time.time())
    scenes.record(server.store, "rescheduled", server.settings.recordings_path)
    bench = page("record", call="rescheduled")
    first = ticket(bench)
    assert 3500 < left(first) <= 3600
    assert ticket(bench.run()) == first, "another one would load the player anew"
    bench.session_state["recordings"] = {"rescheduled": (first, time.time() + 60)}
    assert ticket(bench.run()) != first


def test_the_player_is_told_the_name_where_no_log_has_it(server: MediaServer) -> None:
    scenes.rescheduled(server.store, time.time())
    scenes.record(server.store, "rescheduled", server.settings.recordings_path)
    [frame] = page("record", call="rescheduled").get("iframe")
    assert urlsplit(frame.proto.src).fragment == "name=Maria+Gomez"
    assert "Maria" not in urlsplit(frame.proto.src).query
