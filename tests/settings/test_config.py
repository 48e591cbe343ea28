"""Settings that cannot be used are named, with what to write instead."""

from __future__ import annotations

import errno
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.call.manners import Manners
from backend.config import ROOT, BadSettings, is_loopback, load
from backend.hours import Hours
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
        ("one_moment_after", "inf", "seconds from 0.5 to 2.2"),
        ("one_moment_after", "3", "nobody hears more than 2.5"),
        ("calling_hours", "21-8", "such as 8-21, or none"),
        ("max_calls_per_number", "-1", "0 for no limit"),
        ("max_cost_per_day", "nan", "0 for no limit"),
        ("result_url", "http://example.com/results", "would send what was said unencrypted"),
        ("result_secret", "short", "at least 16 characters"),
        ("callback_number", "(202) 555-0143", "called back"),
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


def test_a_database_may_be_in_the_home_of_whoever_runs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_PATH", "~/calls.db")
    assert load().database_path == tmp_path / "calls.db"


def test_people_are_called_by_day_unless_it_is_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().day == Hours(8, 21)
    monkeypatch.setenv("CALLING_HOURS", "")
    assert load().day == Hours(8, 21), "an empty line is easily left behind"
    monkeypatch.setenv("CALLING_HOURS", "none")
    assert load().day is None


def test_a_result_is_signed_or_not_sent() -> None:
    assert complaint(result_url="https://example.com/results/").startswith("RESULT_SECRET: missing")
    kept = load(result_url="https://example.com/results/", result_secret="a secret that both know")
    assert kept.result_url == "https://example.com/results/"


def test_a_server_for_every_address_is_reached_on_this_machine() -> None:
    assert load(media_server_host="0.0.0.0").server_url == "http://127.0.0.1:8000"
    assert load(media_server_host="::1").server_url == "http://[::1]:8000"


def test_the_token_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = load(database_path=tmp_path / "data" / "x.db").token
    assert load(database_path=tmp_path / "data" / "x.db").token == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "api-token").stat().st_mode) == 0o600


def test_a_token_is_kept_where_files_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", unsupported)
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: load(database_path=tmp_path / "x.db").token, range(8)))
    assert len(set(tokens)) == 1 and len(tokens[0]) >= 32
    assert stat.S_IMODE((tmp_path / "api-token").stat().st_mode) == 0o600


def test_an_empty_file_is_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.settings.api_token._PAUSE", 0.0)
    (tmp_path / "api-token").touch()
    with pytest.raises(OSError, match="delete it, and another one is made"):
        _ = load(database_path=tmp_path / "x.db").token


def test_many_processes_that_start_at_once_agree_on_the_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: load(database_path=tmp_path / "x.db").token, range(8)))
    assert len(set(tokens)) == 1 and tokens[0]


KEYS = ["twilio_auth_token", "deepgram_api_key", "anthropic_api_key", "elevenlabs_api_key"]


@pytest.mark.parametrize("name", KEYS)
def test_the_blanks_around_a_pasted_key_do_not_matter(name: str) -> None:
    others = {**PHONE, "elevenlabs_api_key": "other", "elevenlabs_voice_id": "voice"}
    assert getattr(load(**{**others, name: " sk-abc\r\n"}), name) == "sk-abc"


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(
    "written", ["hunter\u2026", "hunter 2", "hunter\n2", "hunt\u00e9r", "hunter\x00", "\u200bhunter"]
)
def test_a_key_with_a_sign_that_no_key_has_is_refused_and_not_shown(name: str, written: str) -> None:
    said = complaint(**{name: written})
    assert said.startswith(f"{name.upper()}: copy the whole key anew")
    assert "hunt" not in said
