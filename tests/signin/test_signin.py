"""What signing in rests on: the password's hash, the cookie, the counted tries, and OpenID Connect's claims."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from backend import tickets
from backend.cli import main
from backend.config import BadSettings, Settings, SignIn, load
from backend.running.dashboard import refuse_strangers
from backend.signin import claims, cookie, form
from backend.signin.password import fits, flaw, hashed
from backend.signin.tries import FREE, LONGEST, Tries

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""As the product makes it, but a thousand times cheaper."""
TOKEN = "a-token-for-this-test"
SETTINGS = load(_env_file=None, api_token=TOKEN, dashboard_password_hash=HASH)


# --- the password -----------------------------------------------------------------------------------------------


def test_the_password_fits_and_nothing_like_it_does() -> None:
    assert fits(HASH, PASSWORD)
    for other in ("", PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], HASH):
        assert not fits(HASH, other)


@given(st.text())
def test_no_other_words_are_the_password(words: str) -> None:
    assert fits(HASH, words) is (words == PASSWORD)


@given(st.text())
def test_with_a_hash_that_is_none_nothing_is_the_password(words: str) -> None:
    assert not fits(words, words)


def test_a_hash_is_salted_and_strong_and_settings_take_it() -> None:
    one = hashed(PASSWORD)
    assert fits(one, PASSWORD)
    assert one != hashed(PASSWORD)
    assert flaw(one) == ""
    assert load(dashboard_password_hash=one).sign_in is SignIn.PASSWORD
    assert flaw(HASH) == "is weaker than those made today"
    assert flaw("swordfish") == "is no Argon2 hash"


def test_a_short_password_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 12"):
        hashed("eleven char")


def test_the_command_prints_the_line_for_the_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["password"]) == 0
    (tmp_path / ".env").write_text(capsys.readouterr().out)
    assert fits(load(_env_file=tmp_path / ".env").dashboard_password_hash, PASSWORD)
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert main(["password"]) == 2


# --- the settings -----------------------------------------------------------------------------------------------


def test_a_password_where_its_hash_belongs_is_said_and_not_shown() -> None:
    with pytest.raises(BadSettings) as bad:
        load(dashboard_password_hash=PASSWORD)
    assert str(bad.value).startswith("DASHBOARD_PASSWORD_HASH: not a password's hash")
    assert PASSWORD not in str(bad.value)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.20", "2001:db8::1"])
def test_other_machines_are_let_in_only_where_somebody_asks_who_they_are(address: str) -> None:
    with pytest.raises(BadSettings, match=r"DASHBOARD_ADDRESS: .* lets other machines in.*phone-agent password"):
        load(dashboard_address=address)
    assert load(dashboard_address=address, dashboard_password_hash=HASH).sign_in is SignIn.PASSWORD
    assert load(dashboard_address=address, dashboard_operators="@example.com").sign_in is SignIn.OPENID


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_this_machine_needs_no_sign_in(address: str) -> None:
    assert load(dashboard_address=address).sign_in is SignIn.NONE


@pytest.mark.parametrize(
    ("key", "value"),
    [("dashboard_address", "my-machine"), ("dashboard_operators", "maya"), ("dashboard_operators", "maya@a b")],
)
def test_what_cannot_be_meant_is_said_with_its_key(key: str, value: str) -> None:
    with pytest.raises(BadSettings, match=f"^{key.upper()}: write "):
        load(**{key: value})


def test_two_ways_to_sign_in_at_once_are_refused() -> None:
    with pytest.raises(BadSettings, match="exclude each other"):
        load(dashboard_password_hash=HASH, dashboard_operators="*")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.20", "", None])
@pytest.mark.parametrize("settings", [None, load(_env_file=None)])
def test_streamlits_own_address_is_refused_too(settings: Settings | None, address: str | None) -> None:
    with pytest.raises(SystemExit, match=r"STREAMLIT_SERVER_ADDRESS.* lets other machines in"):
        refuse_strangers(settings, address)
    refuse_strangers(settings, "127.0.0.1")
    refuse_strangers(SETTINGS, address)


# --- the cookie -------------------------------------------------------------------------------------------------


@given(st.text(), st.floats(0, tickets.LASTS - 1))
def test_a_cookie_gives_back_the_name_while_it_lasts(name: str, later: float) -> None:
    name = cookie.cleaned(name)
    given_ = cookie.issue(SETTINGS, name, 1_000.0)
    assert given_.isascii() and " " not in given_ and ";" not in given_
    ticket = cookie.read(SETTINGS, given_, 1_000.0 + later)
    assert ticket and ticket.by == name
    assert cookie.read(SETTINGS, given_, 1_000.0 + tickets.LASTS) is None


@given(st.text())
def test_whatever_else_is_given_is_nobody(text: str) -> None:
    assert cookie.read(SETTINGS, text, 0.0) is None


@given(st.data())
def test_a_cookie_that_was_changed_anywhere_is_nobody(data: st.DataObject) -> None:
    whole = cookie.issue(SETTINGS, "Maya", 0.0)
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != whole[at]))
    assert cookie.read(SETTINGS, whole[:at] + other + whole[at + 1 :], 1.0) is None


def test_a_cookie_is_worth_nothing_elsewhere_or_with_another_password() -> None:
    given_ = cookie.issue(SETTINGS, "Maya", 0.0)
    for changed in ({"dashboard_password_hash": hashed(PASSWORD)}, {"api_token": "another-token-than-this"}):
        settings = load(**{"_env_file": None, "api_token": TOKEN, "dashboard_password_hash": HASH} | changed)
        assert cookie.read(settings, given_, 1.0) is None
    for purpose in ("headset", "softphone", "dashboard"):
        assert tickets.read(TOKEN, given_, purpose, "", 1.0) is None
        assert cookie.read(SETTINGS, tickets.issue(TOKEN, purpose, "", 0.0, "Eve"), 1.0) is None


@given(st.text())
def test_a_name_is_one_line_without_control_characters(name: str) -> None:
    clean = cookie.cleaned(name)
    assert len(clean) <= 60
    assert clean == clean.strip()
    assert not clean or clean.isprintable()
    assert cookie.cleaned(clean) == clean


# --- wrong passwords --------------------------------------------------------------------------------------------


def tried(tries: Tries, address: str, times: int, now: float) -> float:
    """The wait after so many tries, each made as soon as it was allowed."""
    for _ in range(times):
        while wait := tries.begin(address, now):
            now += wait
    return tries.begin(address, now)


def test_a_few_tries_are_free_then_each_waits_longer_to_a_minute() -> None:
    assert [tried(Tries(), "10.0.0.1", times, 0.0) for times in (1, FREE - 1, FREE, FREE + 1, FREE + 2, 40)] == [
        *(0.0, 0.0),
        *(1.0, 2.0, 4.0, LONGEST),
    ]


def test_a_hundred_tries_at_once_are_a_hundred() -> None:
    tries = Tries()
    assert [tries.begin("10.0.0.1", 0.0) for _ in range(100)].count(0.0) == FREE


def test_a_strangers_guesses_keep_nobody_else_out() -> None:
    tries = Tries()
    assert tried(tries, "10.0.0.1", 40, 0.0) == LONGEST
    assert tries.begin("10.0.0.2", 0.0) == 0.0
    assert tries.begin("::ffff:10.0.0.3", 0.0) == tries.begin("::ffff:10.0.0.4", 0.0) == 0.0


def test_a_network_of_ipv6_addresses_is_one_stranger() -> None:
    tries = Tries()
    waits = [tries.begin(f"2001:db8::{n:x}", 0.0) for n in range(1, 10)]
    assert waits.count(0.0) == FREE
    assert tries.begin("2001:db8:0:1::1", 0.0) == 0.0


def test_the_right_password_and_a_quiet_while_start_anew() -> None:
    tries = Tries()
    tried(tries, "10.0.0.1", 8, 0.0)
    tries.right("10.0.0.1")
    assert tried(tries, "10.0.0.1", FREE, 0.0) == 1.0
    assert tries.begin("10.0.0.1", 5_000.0) == 0.0
    assert tried(tries, "10.0.0.1", FREE - 1, 5_000.0) == 1.0


@given(
    st.lists(st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2", "::1", "nonsense"]), st.floats(0, 100)), max_size=60)
)
def test_however_it_is_tried_no_address_gets_more_than_its_share(tries: list[tuple[str, float]]) -> None:
    counter, now, allowed = Tries(), 0.0, dict.fromkeys(("10.0.0.1", "10.0.0.2", "::1", "nonsense"), 0)
    for address, pause in tries:
        now += pause
        wait = counter.begin(address, now)
        assert 0.0 <= wait <= LONGEST
        allowed[address] += wait == 0.0
    assert all(count <= FREE + now / 1.0 + 1 for count in allowed.values())


# --- OpenID Connect ---------------------------------------------------------------------------------------------

MAYA = {"name": "Maya Chen", "email": "Maya@Example.com", "email_verified": True, "sub": "117"}


@pytest.mark.parametrize(
    "operators", ["maya@example.com", "@example.com", "*", " bo@b.org , MAYA@EXAMPLE.COM", "@EXAMPLE.com"]
)
def test_who_is_named_is_let_in(operators: str) -> None:
    assert claims.admitted(MAYA, operators)


@pytest.mark.parametrize("operators", ["", ",", "bo@example.com", "@ample.com", "@example.com.evil.org", "example.com"])
def test_who_is_not_named_is_not(operators: str) -> None:
    assert not claims.admitted(MAYA, operators)


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_the_provider_does_not_vouch_for_is_nobodys(verified: object) -> None:
    assert not claims.admitted(MAYA | {"email_verified": verified}, "maya@example.com,@example.com")


@given(
    st.dictionaries(st.sampled_from(["email", "email_verified", "name", "sub"]), st.text() | st.booleans() | st.none())
)
def test_no_made_up_claims_are_let_in_by_name(made_up: dict[str, object]) -> None:
    assert not claims.admitted(made_up, "maya@example.com") or made_up["email"] == "maya@example.com"
    assert isinstance(claims.name_of(made_up), str)


def test_an_operator_is_called_what_the_provider_calls_them() -> None:
    assert claims.name_of(MAYA) == "Maya Chen"
    assert claims.name_of({"name": " ", "email": "maya@example.com"}) == "maya@example.com"
    assert claims.name_of({"sub": "117"}) == "117"
    assert claims.name_of({}) == ""


# --- the form ---------------------------------------------------------------------------------------------------


@given(st.text(), st.text(min_size=1))
def test_nothing_that_is_typed_becomes_part_of_the_page(name: str, problem: str) -> None:
    marked = f"<script>{name}\"'{problem}"
    shown = form.page(marked, marked)
    assert "<script" not in shown
    assert shown.count('"') == form.page("x", "x").count('"')


def test_the_page_warns_where_others_could_read_the_password() -> None:
    assert "not encrypted" in form.page(encrypted=False)
    assert "not encrypted" not in form.page()
