"""Settings that cannot be used are named, with what to write instead."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.call.manners import Manners
from backend.config import ROOT, BadSettings, is_loopback, load
from backend.models import LineKind

PHONE = {
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "secret",
    "twilio_phone_number": "+442071838750",
    "public_host": "example.ngrok.app",
}


def complaint(**settings: object) -> str:
    with pytest.raises(BadSettings) as raised:
        load(**settings)
    return str(raised.value)


def test_nothing_set_is_the_practice_line() -> None:
    settings = load()
    assert not settings.has_phone
    assert settings.default_line is LineKind.PRACTICE
    assert settings.region == "US"


def test_the_whole_phone_is_the_phone_line() -> None:
    settings = load(**PHONE)
    assert settings.default_line is LineKind.PHONE
    assert settings.public_url == "https://example.ngrok.app"
    assert settings.region == "GB"


@pytest.mark.parametrize("missing", PHONE)
def test_a_phone_with_a_part_missing_says_which(missing: str) -> None:
    assert complaint(**{**PHONE, missing: ""}).startswith(f"{missing.upper()}: missing")


def test_a_public_host_alone_is_no_mistake() -> None:
    assert not load(public_host="example.ngrok.app").has_phone


def test_a_key_without_a_voice_is_a_mistake() -> None:
    assert "ELEVENLABS_VOICE_ID: missing" in complaint(elevenlabs_api_key="key")


@pytest.mark.parametrize("written", ["x.ngrok.app", "https://x.ngrok.app/", " http://x.ngrok.app "])
def test_a_public_host_may_be_pasted_as_it_is_shown(written: str) -> None:
    assert load(public_host=written).public_host == "x.ngrok.app"


@pytest.mark.parametrize(
    ("key", "value", "advice"),
    [
        ("public_host", "https://x.ngrok.app/voice", "only the host"),
        ("public_host", "me:secret@x.ngrok.app", "only the host"),
        ("public_host", "x.ngrok.app:8443", "without a port"),
        ("public_host", "x.ngrok.app:http", "port"),
        ("twilio_phone_number", "+2101234567", "with country code"),
        ("twilio_account_sid", "SK" + "0" * 32, "AC and 32 hexadecimal digits"),
        ("twilio_phone_number", "(202) 555-0143", "with country code"),
        ("deepgram_url", "https://api.deepgram.com", "begins with wss://"),
        ("anthropic_base_url", "http://api.anthropic.com", "would send your key unencrypted"),
        ("media_server_port", "70000", "65535"),
        ("api_token", "short", "at least 16 characters"),
        ("max_call_minutes", "0", "greater than 0"),
        ("speculation", "perhaps", "write True or False"),
        ("hedging", "2", "write True or False"),
        ("greeting_wait", "0.1", "seconds from 0.3 to 10"),
        ("greeting_wait", "nan", "seconds from 0.3 to 10"),
        ("one_moment_after", "inf", "seconds from 0.5 to 10"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_advice(key: str, value: str, advice: str) -> None:
    said = complaint(**{key: value})
    assert said.startswith(f"{key.upper()}: ")
    assert advice in said


def test_a_secret_never_gets_into_a_complaint() -> None:
    assert "hunter2" not in complaint(api_token="hunter2")


def test_plain_addresses_are_for_this_machine() -> None:
    assert load(deepgram_url="ws://127.0.0.1:9/").deepgram_url == "ws://127.0.0.1:9"
    assert is_loopback("localhost") and is_loopback("[::1]")
    assert not is_loopback("") and not is_loopback("127.0.0.1.example.com")


def test_every_key_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_CALLS_PER_HOUR", "7")
    monkeypatch.setenv("OFFLINE_CALLS", "")
    assert load().max_calls_per_hour == 7
    assert load().offline_calls is None


@pytest.mark.parametrize(("written", "meant"), [("False", False), ("true", True), ("0", False), ("", True)])
def test_a_switch_is_written_as_people_write_it(monkeypatch: pytest.MonkeyPatch, written: str, meant: bool) -> None:
    monkeypatch.setenv("SPECULATION", written)
    monkeypatch.setenv("HEDGING", written)
    assert (load().speculation, load().hedging) == (meant, meant)


def test_the_conversation_goes_by_what_was_measured_unless_it_is_set() -> None:
    """The settings' own defaults are those of the rules of conversation, which the dashboard must not import."""
    settings, manners = load(), Manners()
    assert (settings.speculation, settings.hedging) == (manners.speculate, manners.hedge)
    assert (settings.greeting_wait, settings.one_moment_after) == (manners.greeting_wait, manners.filler_after)
    assert settings.max_call_minutes * 60 == manners.longest_call


def test_a_relative_database_is_in_the_project() -> None:
    assert load(database_path=Path("data/other.db")).database_path == ROOT / "data" / "other.db"


def test_a_server_for_every_address_is_reached_on_this_machine() -> None:
    assert load(media_server_host="0.0.0.0").server_url == "http://127.0.0.1:8000"
    assert load(media_server_host="::1").server_url == "http://[::1]:8000"


def test_the_token_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = load(database_path=tmp_path / "data" / "x.db").token
    assert load(database_path=tmp_path / "data" / "x.db").token == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "api-token").stat().st_mode) == 0o600


def test_many_processes_that_start_at_once_agree_on_the_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: load(database_path=tmp_path / "x.db").token, range(8)))
    assert len(set(tokens)) == 1 and tokens[0]
