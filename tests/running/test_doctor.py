"""The doctor finds out what works, against providers on this machine, and says what to do about the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response

from backend.cli import main
from backend.config import Settings, load
from backend.loopback.anthropic import LoopbackAnthropic, Reply
from backend.loopback.deepgram import LoopbackDeepgram
from backend.loopback.elevenlabs import LoopbackElevenLabs
from backend.models import ProviderError
from backend.running import doctor
from backend.running.doctor import Finding, State, examine, examine_all
from backend.serving import free_port, serve
from backend.signin.password import hashed
from tests.signin.test_signin import HASH


def options(folder: Path) -> dict[str, Any]:
    ports = {"media_server_port": free_port(), "dashboard_port": free_port()}
    return {**ports, "database_path": folder / "calls.db", "api_token": "a-token-for-this-test"}


async def found(settings: Settings, *parts: str) -> list[Finding]:
    return [finding for finding in await examine_all(settings) if finding.part in parts]


async def test_nothing_set_is_no_problem(tmp_path: Path) -> None:
    findings = await examine_all(load(**options(tmp_path)))
    assert [finding for finding in findings if finding.state is State.PROBLEM] == []
    off = {finding.part for finding in findings if finding.state is State.OFF}
    assert {
        "Signing in",
        "Twilio",
        "Deepgram",
        "Claude",
        "ElevenLabs",
        "Public host",
        "Media server",
        "Dashboard",
    } <= off


async def test_providers_that_work_are_ok(tmp_path: Path) -> None:
    async with (
        LoopbackDeepgram() as hearing,
        LoopbackAnthropic(lambda _: Reply("Hello.")) as thinking,
        LoopbackElevenLabs() as speaking,
    ):
        keys = {
            "deepgram_url": hearing.url,
            "deepgram_api_key": hearing.key,
            "anthropic_base_url": thinking.url,
            "anthropic_api_key": "test-key",
            "elevenlabs_url": speaking.url,
            "elevenlabs_api_key": "loopback-key",
            "elevenlabs_voice_id": "loopbackvoice",
        }
        settings = load(**options(tmp_path), **keys)
        findings = await found(settings, "Deepgram", "Claude", "Claude, second model", "ElevenLabs")
    assert [finding.state for finding in findings] == [State.OK] * 4, findings


async def test_a_wrong_key_says_which_one_to_check(tmp_path: Path) -> None:
    async with LoopbackDeepgram() as hearing:
        settings = load(**options(tmp_path), deepgram_url=hearing.url, deepgram_api_key="wrong")
        (finding,) = await found(settings, "Deepgram")
    assert finding.state is State.PROBLEM
    assert "check DEEPGRAM_API_KEY in .env" in finding.said


async def test_a_check_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_DEADLINE", 0)
    async with LoopbackDeepgram() as hearing:
        settings = load(**options(tmp_path), deepgram_url=hearing.url, deepgram_api_key=hearing.key)
        (finding,) = await found(settings, "Deepgram")
    assert (finding.state, finding.said[:18]) == (State.PROBLEM, "no answer within 0")


def fake_server(health: object) -> FastAPI:
    app = FastAPI()
    setup = {"parts": [], "personas": [], "lines": ["practice"], "default_line": "practice", "live_calls": 0}
    app.get("/health")(lambda: health)
    app.get("/api/setup")(lambda: setup | {"offline_calls": 2})
    return app


async def test_a_public_host_that_leads_here_is_ok(tmp_path: Path) -> None:
    async with serve(fake_server({"status": "ok", "live_calls": 3})) as port:
        settings = load(**options(tmp_path) | {"media_server_port": port}, public_host=f"127.0.0.1:{port}")
        findings = await found(settings, "Media server", "Public host")
    assert [finding.state for finding in findings] == [State.OK] * 2, findings
    assert "3 live call(s)" in findings[0].said


@pytest.mark.parametrize("answer", [Response("<html>", status_code=404), {"status": "ok"}, ["ok"]])
async def test_a_public_host_that_leads_elsewhere_is_a_problem(tmp_path: Path, answer: object) -> None:
    stranger = FastAPI()
    stranger.get("/health", response_model=None)(lambda: answer)
    async with serve(fake_server({"status": "ok", "live_calls": 0})) as port, serve(stranger) as other:
        settings = load(**options(tmp_path) | {"media_server_port": port}, public_host=f"127.0.0.1:{other}")
        (finding,) = await found(settings, "Public host")
    assert finding.state is State.PROBLEM
    assert f"start your tunnel to port {port}" in finding.said


async def test_ports_that_others_have_are_problems(tmp_path: Path) -> None:
    async with serve(FastAPI()) as port, serve(FastAPI()) as other:
        settings = load(**options(tmp_path) | {"media_server_port": port, "dashboard_port": other})
        findings = await found(settings, "Media server", "Dashboard")
    assert [finding.state for finding in findings] == [State.PROBLEM] * 2
    assert "MEDIA_SERVER_PORT" in findings[0].said and "DASHBOARD_PORT" in findings[1].said


async def test_a_data_folder_that_cannot_be_written_to_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = load(**options(tmp_path) | {"database_path": tmp_path / "file" / "calls.db"})
    (finding,) = await found(settings, "Data folder")
    assert finding.state is State.PROBLEM
    assert f"{tmp_path / 'file'} cannot be used" in finding.said


async def test_a_database_that_is_none_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "calls.db").write_text("These are no calls, and no database either.")
    (finding,) = await found(load(**options(tmp_path)), "Data folder")
    assert finding.state is State.PROBLEM
    assert "calls.db cannot be opened (file is not a database)" in finding.said


async def test_a_token_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "api-token").mkdir()
    settings = load(**options(tmp_path) | {"api_token": None})
    (finding,) = await found(settings, "Data folder")
    assert finding.state is State.PROBLEM
    assert f"{tmp_path / 'api-token'} cannot be used (Is a directory)" in finding.said


def test_a_misspelt_key_is_a_problem_and_another_programs_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / ".env"
    monkeypatch.setitem(Settings.model_config, "env_file", written)
    monkeypatch.setattr(doctor, "CHECKS", {})
    for line, state, said in (
        ("MAX_CALL_PER_HOUR=5", State.PROBLEM, "did you mean MAX_CALLS_PER_HOUR?"),
        ("STREAMLIT_SERVER_PORT=5", State.OK, "can be used"),
        ("GIZMO=5", State.OK, "can be used. GIZMO in .env is no setting"),
    ):
        written.write_text(f"{line}\n")
        [finding] = examine()
        assert (finding.state, said in finding.said) == (state, True), finding


async def test_a_password_that_is_asked_for_is_ok_and_a_weak_hash_is_a_problem(tmp_path: Path) -> None:
    strong = load(**options(tmp_path), dashboard_password_hash=hashed("correct horse battery"))
    weak = load(**options(tmp_path), dashboard_password_hash=HASH)
    (fine,), (problem,) = await found(strong, "Signing in"), await found(weak, "Signing in")
    assert (fine.state, problem.state) == (State.OK, State.PROBLEM)
    assert "make another with `phone-agent password`" in problem.said


async def test_streamlits_own_address_without_a_sign_in_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    (finding,) = await found(load(**options(tmp_path)), "Signing in")
    assert finding.state is State.PROBLEM
    assert "STREAMLIT_SERVER_ADDRESS: 0.0.0.0 lets other machines in" in finding.said


def test_openid_connect_without_its_secrets_is_a_problem_that_says_which(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    for content, said in (
        (None, "cannot be read"),
        ("[auth", "cannot be read"),
        ("[auth]\nclient_id='x'", "cookie_secret"),
    ):
        if content is not None:
            secrets.write_text(content)
        with pytest.raises(ProviderError, match=said):
            doctor._openid(secrets)
    keys = "redirect_uri cookie_secret client_id client_secret".split()
    url = 'server_metadata_url = "https://id.example.com/.well-known/openid-configuration"'
    secrets.write_text("\n".join(["[auth]", *(f'{key} = "x"' for key in keys), url]))
    assert doctor._openid(secrets) == "operators sign in at id.example.com"


def test_bad_settings_are_the_only_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_PORT", "none")
    (finding,) = examine()
    assert finding.state is State.PROBLEM
    assert finding.said.startswith("DASHBOARD_PORT: ")


def test_a_problem_is_told_by_the_exit_code_and_in_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DASHBOARD_PORT", "none")
    assert main(["doctor", "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["part"], finding["state"]) == ("Settings", "problem")
