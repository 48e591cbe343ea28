"""Money on the pages: what a call costs by provider, while it runs and after, and before it is placed; the prices."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backend.models import Brief, LineKind, Status
from backend.money.tally import Unit, key
from tests.media_server import MediaServer
from tests.pages.test_pages import a_call, over, page, same_main, server, shown

__all__ = ["same_main", "server"]

PHONE = Brief("+12025550143", "Confirm the visit", callee_name="John Smith", line=LineKind.PHONE)
USED = {
    key(Unit.SOUND, "flux-general-en"): 45_000,
    key(Unit.CHARACTERS, "eleven_flash_v2_5"): 600,
    key(Unit.OUTPUT, "claude-haiku-5-5"): 400_000,
    f"{Unit.OUTPUT} wasted: claude-haiku-5-5": 100_000,
}


def test_a_past_call_shows_its_cost_by_provider_and_what_was_for_nothing(server: MediaServer) -> None:
    over(server.store, brief=PHONE, counts=USED)
    text = shown(page("record", call="one"))
    for sum_ in ("$0.026", "$0.0049", "$0.030", "$0.200", "$0.260"):
        assert sum_ in text, sum_
    assert "$0.050 of it for answers prepared in vain and requests left for a faster one." in text
    assert "Prices: list prices of" in text


def test_a_practice_call_of_this_machine_costs_nothing_and_says_so(server: MediaServer) -> None:
    over(server.store)
    text = shown(page("record", call="one"))
    assert "$0.00" in text and "Practice parts cost nothing." in text


def test_a_running_call_shows_the_money_so_far(server: MediaServer) -> None:
    now = time.time()
    a_call(server.store, brief=PHONE, status=Status.IN_PROGRESS, answered=now - 70, counts=USED)
    text = shown(page("live", call="one"))
    assert ":material/payments: $0.278" in text, "two begun minutes at the carrier"


def test_what_has_no_price_is_named_and_not_taken_for_free(server: MediaServer) -> None:
    over(server.store, brief=PHONE, counts={key(Unit.OUTPUT, "claude-next-7"): 10})
    text = shown(page("record", call="one"))
    assert "$0.026 and more" in text
    assert "Without a price in the table: claude-next-7." in text


def test_a_cost_that_was_written_down_at_other_prices_is_told(server: MediaServer) -> None:
    over(server.store, brief=PHONE, cost=1.5)
    assert "Written down as $1.50, at the prices of that day." in shown(page("record", call="one"))


def test_the_form_says_what_the_call_will_probably_cost(server: MediaServer) -> None:
    assert "This call costs nothing: nothing outside this computer takes part in it." in shown(page())


def test_with_keys_the_form_gives_a_range_and_what_it_rests_on(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "a-key")
    monkeypatch.setenv("ANTHROPIC_MODEL", "claude-next-7")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    for number in range(6):
        over(server.store, f"call-{number}")
    bench = page()
    bench.text_input(key="call_to").set_value("+1 202 555 0143").run()
    text = shown(bench)
    assert "Answered, it will cost about $0.0062: 0:42 of talk, as in 6 earlier calls." in text
    assert "Not in it, for want of a price: claude-next-7." in text


def test_the_settings_show_the_prices_and_what_is_wrong_with_ones_own(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "prices.toml"
    monkeypatch.setenv("PRICES_FILE", str(own))
    text = shown(page("settings"))
    assert "Hearing with flux-general-en, a minute" in text and "0.0065" in text
    own.write_text('version = "our plans"\n[deepgram.minute]\nflux-general-en = 0.0033\n')
    text = shown(page("settings"))
    assert "0.0033" in text and "our plans" in text
    own.write_text("[twilio]\nstream_minute = -1")
    text = shown(page("settings"))
    assert "prices.toml has no version" in text and "0.0065" in text
