"""What calls cost, from their counts and a price table: pure, and said plainly where a price is missing."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from math import ceil, isclose
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.models import Brief, Call, Direction, LineKind, Status
from backend.money.books import Books
from backend.money.costs import cost
from backend.money.forecast import LEAST, Parts, forecast
from backend.money.prices import read
from backend.money.tally import HANDED_OVER, Tally, Unit, entries, key
from backend.storage.store import Store

TABLE = read().prices
PRACTICE = Brief("+12025550143", "Confirm the visit")
PHONE = replace(PRACTICE, line=LineKind.PHONE)
HAIKU, FLUX, FLASH = "claude-haiku-5-5", "flux-general-en", "eleven_flash_v2_5"
MODELS = dict.fromkeys(Unit, HAIKU) | {Unit.SOUND: FLUX, Unit.CHARACTERS: FLASH}


def a_call(brief: Brief = PHONE, seconds: float | None = 60.0, /, **counts: int) -> Call:
    """`counts` by the names of units."""
    used = {key(Unit[name], MODELS[Unit[name]]): n for name, n in counts.items()}
    return Call("call", brief, Status.COMPLETED, answered=1000.0, ended=seconds and 1000.0 + seconds, counts=used)


def dollars(call: Call, now: float = 0.0) -> float:
    total = cost(call, TABLE, now).total
    assert total is not None
    return total


# --- what a call costs ------------------------------------------------------------------------------------------


def test_a_phone_call_costs_what_each_provider_charges() -> None:
    call = a_call(PHONE, 61.0, SOUND=64_300, CHARACTERS=1000, INPUT=2000, OUTPUT=300, CACHE_READ=20_000)
    carrier = 2 * 0.0140 + 2 * 0.0040 + 0.0075
    hearing, voice = 65 * 0.0065 / 60, 0.05
    thinking = 2000 * 0.10e-6 + 300 * 0.50e-6 + 20_000 * 0.01e-6
    found = cost(call, TABLE, 0.0)
    assert found.by_provider == pytest.approx(
        {"Twilio": carrier, "Deepgram": hearing, "ElevenLabs": voice, "Claude": thinking}
    )
    assert found.total == pytest.approx(carrier + hearing + voice + thinking)
    assert (found.version, found.wasted) == (TABLE.version, 0.0)


def test_a_practice_call_with_the_parts_of_this_machine_costs_nothing() -> None:
    assert cost(a_call(PRACTICE), TABLE, 0.0).items == ()
    assert dollars(a_call(PRACTICE)) == 0.0


def test_ringing_costs_nothing_at_the_carrier() -> None:
    call = replace(a_call(SOUND=8_000), answered=None, status=Status.NO_ANSWER)
    assert cost(call, TABLE, 0.0).by_provider == pytest.approx({"Deepgram": 8 * 0.0065 / 60})


@pytest.mark.parametrize(("seconds", "minutes"), [(0.0, 1), (0.2, 1), (60.0, 1), (60.1, 2), (600.0, 10)])
def test_the_carrier_bills_each_begun_minute(seconds: float, minutes: int) -> None:
    assert dollars(a_call(PHONE, seconds)) == pytest.approx(minutes * 0.0180 + 0.0075)


def test_who_calls_us_costs_the_incoming_price_and_nobody_asks_who_it_is() -> None:
    call = a_call(replace(PHONE, direction=Direction.INBOUND, to="+442079460000"))
    assert dollars(call) == pytest.approx(0.0085 + 0.0040)


def test_a_call_handed_over_costs_two_calls_and_no_more_of_the_agent() -> None:
    call = a_call(PHONE, 300.0)
    call = replace(call, counts={HANDED_OVER: 50})
    assert dollars(call) == pytest.approx(5 * 0.0140 + 1 * 0.0040 + 0.0075 + 5 * 0.0140)


def test_a_country_or_model_without_a_price_is_named_and_makes_the_total_unknown() -> None:
    call = a_call(replace(PHONE, to="+442079460000"), CHARACTERS=100)
    call = replace(call, counts=call.counts | {key(Unit.OUTPUT, "claude-next-7"): 50})
    found = cost(call, TABLE, 0.0)
    assert found.unpriced == ("+442079460000", "claude-next-7")
    assert found.total is None
    assert found.by_provider["Twilio"] is None and found.by_provider["Claude"] is None
    assert found.known == pytest.approx(0.0040 + 0.0075 + 0.005)


@pytest.mark.parametrize("area", ["787", "939", "340", "670", "671", "684"])
def test_a_territory_that_costs_more_than_the_mainland_has_no_price_rather_than_a_wrong_one(area: str) -> None:
    territory = f"+1{area}5550123"
    found = cost(a_call(replace(PHONE, to=territory)), TABLE, 0.0)
    assert (found.unpriced, found.total) == ((territory,), None)


def test_a_price_may_be_written_for_what_has_none_and_taken_from_what_has_one(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('version = "ours"\n[twilio.outbound_minute]\n"+1787" = 0.05\n"+1212" = "none"\n')
    table = read(own)
    assert (table.problem, table.own) == ("", True)
    prices = table.prices.twilio
    assert [prices.outbound(f"+1{area}5550123") for area in ("787", "212", "202")] == [0.05, None, 0.014]


def test_a_date_at_the_end_of_a_models_name_does_not_matter() -> None:
    assert TABLE.thinking(f"{HAIKU}-20261007") == TABLE.thinking(HAIKU) is not None
    assert TABLE.thinking(f"{HAIKU}-fast") is None


used_counts = st.fixed_dictionaries({}, optional={unit.name: st.integers(0, 10**9) for unit in Unit})
lengths = st.floats(0, 20_000)


@given(used_counts, lengths)
def test_no_part_of_a_bill_is_negative_and_the_parts_add_up(counts: dict[str, int], seconds: float) -> None:
    found = cost(a_call(PHONE, seconds, **counts), TABLE, 0.0)
    assert all(item.cost is not None and item.cost >= item.wasted >= 0 for item in found.items)
    sums = [one or 0.0 for one in found.by_provider.values()]
    assert isclose(sum(sums), found.known) and found.total == found.known


@given(used_counts, used_counts)
def test_two_calls_cost_no_less_than_one_with_all_their_counts(a: dict[str, int], b: dict[str, int]) -> None:
    """And what is not rounded costs exactly as much."""
    together = Counter(a) + Counter(b)
    one, other, both = (dollars(a_call(PRACTICE, **counts)) for counts in (a, b, together))
    assert both <= (one + other) * (1 + 1e-9)
    assert one + other - both <= 0.0065 / 60 + (one + other) * 1e-9


@given(used_counts, lengths, lengths)
def test_a_running_call_never_becomes_cheaper(counts: dict[str, int], some: float, more: float) -> None:
    call = replace(a_call(PHONE, None, **counts), status=Status.IN_PROGRESS)
    assert dollars(call, 1000.0 + some) <= dollars(call, 1000.0 + some + more)


@given(lengths)
def test_what_is_billed_covers_the_call_and_no_more_than_a_minute_besides(seconds: float) -> None:
    [minutes, *_] = cost(a_call(PHONE, seconds), TABLE, 0.0).items
    assert seconds <= minutes.amount * 60 <= max(60, seconds + 60)


# --- counting ---------------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(st.sampled_from(list(Unit)), st.integers(0, 1000), st.booleans(), st.sampled_from(["use", "in vain"]))
)


@given(steps)
def test_waste_is_part_of_what_was_used_and_listening_is_never_waste(
    done: list[tuple[Unit, int, bool, str]],
) -> None:
    tally = Tally()
    for unit, amount, wasted, what in done:
        since = tally.mark()
        tally.use(unit, MODELS[unit], amount, wasted and unit is not Unit.SOUND)
        if what == "in vain":
            tally.discard(since)
    found = list(entries(tally.counts))
    assert {key(unit, model): n for unit, model, n, _ in found} == {name: n for name, n in tally.used.items() if n}
    assert all(0 <= wasted <= used for _, _, used, wasted in found)
    assert all(wasted == 0 for unit, _, _, wasted in found if unit is Unit.SOUND)


def test_what_was_waste_already_is_not_waste_twice() -> None:
    tally = Tally()
    tally.use(Unit.OUTPUT, HAIKU, 5)
    since = tally.mark()
    tally.use(Unit.OUTPUT, HAIKU, 10, wasted=True)
    tally.use(Unit.CHARACTERS, FLASH, 40)
    tally.use(Unit.SOUND, FLUX, 900)
    tally.discard(since)
    assert tally.counts == {
        "output tokens: claude-haiku-5-5": 15,
        "characters voiced: eleven_flash_v2_5": 40,
        "milliseconds heard: flux-general-en": 900,
        "output tokens wasted: claude-haiku-5-5": 10,
        "characters voiced wasted: eleven_flash_v2_5": 40,
    }
    assert cost(Call("", PRACTICE, counts=tally.counts), TABLE, 0.0).wasted == pytest.approx(10 * 0.5e-6 + 0.002)


def test_other_counts_of_a_call_have_no_price() -> None:
    counts = {"requests": 9, "hedges won": 2, "tokens wasted": 70, "characters wasted": 100, HANDED_OVER: 4}
    assert list(entries(counts)) == []


# --- the table --------------------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text)
    return path


def test_the_table_of_the_product_knows_the_models_of_the_settings() -> None:
    assert TABLE.listening("flux-general-en") and TABLE.listening("nova-3") and TABLE.voicing("eleven_flash_v2_5")
    assert TABLE.thinking("claude-haiku-5-5") and TABLE.thinking("claude-haiku-4-5")
    assert TABLE.twilio.outbound("+12025550143") == 0.0140 and TABLE.twilio.outbound("+442079460000") is None


def test_own_lines_win_and_all_others_stay(tmp_path: Path) -> None:
    own = written(tmp_path, 'version = "ours"\n[twilio.outbound_minute]\n"+44" = 0.02\n"+447" = 0.05\n')
    table = read(own)
    assert (table.own, table.problem, table.prices.version) == (True, "", "ours")
    twilio = table.prices.twilio
    prices = [twilio.outbound(number) for number in ("+12025550143", "+442079460000", "+447700900123")]
    assert prices == [0.0140, 0.02, 0.05]
    assert table.prices.claude == TABLE.claude


def test_a_model_can_be_free(tmp_path: Path) -> None:
    own = written(tmp_path, 'version = "ours"\n[deepgram.minute]\nflux-general-en = 0\n')
    assert read(own).prices.listening("flux-general-en") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "prices.toml cannot be read"),
        ("[twilio]\nstream_minute = 1.0", "prices.toml has no version: begin it with a line such as"),
        ('version = "x"\n[twilio]\nstream_minute = -1', "twilio stream_minute: write a price as a number, 0 or more"),
        ('version = "x"\n[twilio]\nstream_minute = "4 cents"', "twilio stream_minute: write a price as a number"),
        ('version = "x"\n[twilio]\nstream_minute = nan', "twilio stream_minute: write a price as a number"),
        ('version = "x"\n[twilio]\nstream_second = 1', "twilio stream_second is nothing that has a price here"),
        ('version = "x"\n[azure]\nminute = 1', "azure is nothing that has a price here"),
        ('version = "x"\ntwilio = 3', "twilio: write a price"),
        ('version = "x"\n[twilio.outbound_minute]\n"44" = 1.0', 'outbound_minute 44: write the beginning of a phone'),
        ('version = "x"\n[claude.million_tokens]\nnext = { input = 1.0 }', "million_tokens next output is missing"),
        ('version = "x"\ncurrency = "dollars"', "currency: the desk counts in US dollars; write USD"),
        ('version = ""', "version: write a name or a date"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_explained_and_the_products_table_counts(
    tmp_path: Path, text: str, said: str
) -> None:
    table = read(written(tmp_path, text))
    assert said in table.problem
    assert (table.prices, table.own) == (TABLE, False)


def test_a_file_that_is_no_text_or_a_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in read(tmp_path / "prices.toml").problem
    assert "cannot be read" in read(tmp_path).problem


def test_a_change_of_the_file_counts_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    assert read(path).prices is read().prices
    written(tmp_path, 'version = "one"')
    assert read(path).prices.version == "one"
    written(tmp_path, 'version = "two"')
    os.utime(path, ns=(1, 1))
    assert read(path).prices.version == "two"


# --- what is written on a call's row ------------------------------------------------------------------------------


def test_a_call_that_is_over_gets_its_cost_and_its_report_adds_to_it(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db") as store:
        store.add(a_call(CHARACTERS=1000))
        books = Books(store)
        books.close("call")
        before = store.call("call")
        assert before and before.cost and before.cost == pytest.approx(0.0140 + 0.0040 + 0.0075 + 0.05)
        books.add("call", {key(Unit.OUTPUT, HAIKU): 1_000_000})
        after = store.call("call")
        assert after and after.cost == pytest.approx(before.cost + 0.50)
        assert after.counts == before.counts | {key(Unit.OUTPUT, HAIKU): 1_000_000}


def test_a_call_that_still_runs_or_whose_server_died_gets_no_cost(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db") as store:
        store.add(replace(a_call(), status=Status.IN_PROGRESS, ended=None))
        store.add(replace(a_call(), id="lost"))
        books = Books(store)
        books.close("call")
        books.close("nobody")
        books.add("lost", {key(Unit.OUTPUT, HAIKU): 10})
        assert [call.cost for call in store.calls()] == [None, None]


def test_a_call_with_a_part_without_a_price_has_no_cost_rather_than_a_wrong_one(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db") as store:
        store.add(a_call(replace(PHONE, to="+442079460000")))
        Books(store).close("call")
        [call] = store.calls()
        assert call.cost is None


def test_a_bad_price_file_is_told_once_and_the_product_table_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Store(tmp_path / "calls.db") as store:
        store.add(a_call())
        books = Books(store, written(tmp_path, "nonsense"))
        books.close("call")
        books.close("call")
        assert [call.cost for call in store.calls()] == [pytest.approx(0.0255)]
    assert caplog.text.count("the price table that comes with the product counts") == 1


# --- before the call ----------------------------------------------------------------------------------------------

REAL = Parts(FLUX, HAIKU, FLASH)


def history(*seconds: float, brief: Brief = PHONE, **counts: int) -> list[Call]:
    return [a_call(brief, length, **counts) for length in seconds]


def test_a_practice_call_without_keys_is_free() -> None:
    found = forecast(PRACTICE, Parts(), TABLE, [], 600.0)
    assert (found.low, found.high, found.unpriced, found.earlier) == (0.0, 0.0, (), 0)


def test_without_earlier_calls_the_lengths_are_assumed() -> None:
    found = forecast(PHONE, REAL, TABLE, history(*[100.0] * (LEAST - 1)), 600.0)
    assert 0.02 < found.low < found.high < 0.5
    assert (found.shortest, found.longest, found.earlier) == (45.0, 180.0, 0)


def test_earlier_calls_on_the_same_line_tell_the_length() -> None:
    practice = history(*[900.0] * 20, brief=PRACTICE)
    found = forecast(PHONE, REAL, TABLE, [*practice, *history(*range(60, 160, 10))], 600.0)
    assert (found.earlier, round(found.shortest), round(found.longest)) == (10, 69, 141)
    assert forecast(PHONE, REAL, TABLE, practice, 600.0).longest == 600.0, "no call may be longer than its limit"


def test_earlier_calls_tell_how_much_is_said_and_thought() -> None:
    quiet = forecast(PHONE, REAL, TABLE, history(*[60.0] * 9, CHARACTERS=60), 600.0)
    chatty = forecast(PHONE, REAL, TABLE, history(*[60.0] * 9, CHARACTERS=3000), 600.0)
    assert chatty.high - quiet.high == pytest.approx((3000 - 60) / 1000 * 0.05)


def test_a_price_that_is_missing_is_named_in_the_forecast() -> None:
    found = forecast(replace(PHONE, to="+442079460000"), Parts(thinking="claude-next-7"), TABLE, [], 600.0)
    assert found.unpriced == ("+442079460000", "claude-next-7")
    assert found.low > 0


@given(st.lists(lengths, max_size=30), st.integers(0, 20_000), st.floats(1, 14_400))
def test_a_forecast_is_a_range_within_the_limit(seconds: list[float], facts: int, limit: float) -> None:
    brief = replace(PHONE, context="x" * facts)
    found = forecast(brief, REAL, TABLE, history(*seconds), limit)
    assert 0 < found.low <= found.high
    assert found.shortest <= found.longest <= limit
    most = 0.018 * ceil(limit / 60) + 0.0075
    assert found.high >= min(most, 0.0255)
