"""`phone-agent rehearse`: in this process, with the model that the settings choose."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backend.cli import main
from backend.config import load
from backend.llm.offline import OfflineBrain
from backend.loopback.anthropic import LoopbackAnthropic, Received, Reply
from backend.models import Answered, Brief, Conversation, LineKind, ProviderError, Said, Speaker
from backend.providers import Providers
from backend.running.exits import Exit
from tests.settings.test_config import PHONE

ACTION = "Confirm John's check-up on Tuesday at 10:30 in the morning."
CALL = ["rehearse", ACTION, "The visit takes 45 minutes.", "John Smith", "Alex", "Brightside Dental"]


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "calls.db"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    # No media server answers there, and none is needed.
    monkeypatch.setenv("MEDIA_SERVER_PORT", "9")


def test_it_says_who_came_to_what_and_what_to_add(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CALL, "--persona", "curious", "--persona", "agrees"]) == Exit.OK
    said = capsys.readouterr().out
    assert [line.split("  ")[0] for line in said.splitlines()[1:3]] == ["Has questions", "Agrees"]
    assert "  How much does it cost?\n" in said
    assert "  It costs ___.\n" in said
    assert "Do you have a quick moment?" not in said


def test_with_words_it_shows_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CALL, "--persona", "agrees", "--words"]) == Exit.OK
    assert "Callee  Hello, this is John.\nAgent   Hi John, this is Alex" in capsys.readouterr().out


def test_json_holds_every_call_and_the_findings(capsys: pytest.CaptureFixture[str]) -> None:
    main([*CALL, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert len(told["calls"]) == 9
    assert told["findings"]["addition"].startswith("The address is ___.")


def test_a_broken_rule_is_an_exit_code(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.call.manners.opening", lambda *_: "Hi, this is Alex. Do you have a moment?")
    assert main([*CALL, "--persona", "agrees"]) == Exit.NOT_COMPLETED
    said = capsys.readouterr().out
    assert "It did not say in its first words that it is an AI: “Hi, this is Alex." in said


def test_the_call_that_would_be_made_is_rehearsed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_DISCLOSURE", "False")
    monkeypatch.setenv("RECORD_CALLS", "True")
    monkeypatch.setenv("CALLBACK_NUMBER", "+12025550177")
    main([*CALL, "--persona", "agrees", "--persona", "voicemail", "--words"])
    said = capsys.readouterr().out
    assert (
        "Hi John, this is Alex calling for Brightside Dental. This call is recorded. Do you have a quick moment?"
        in said
    )
    assert "Please call us back at 2 0 2, 5 5 5, 0 1 7 7, when you have a moment." in said
    assert "an AI" not in said and "It did not say in its first words" not in said


def test_a_model_that_fails_in_every_call_is_a_provider_that_failed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: OfflineBrain, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        yield Said("Well,")
        raise ProviderError("The model is out of order.")

    monkeypatch.setattr(OfflineBrain, "answer", fail)
    assert main([*CALL, "--persona", "agrees"]) == Exit.PROVIDER
    assert "No language model answered." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["rehearse", " ", "x"], "What to get done is missing"), ([*CALL, "--persona", "nemo"], "Nobody called “nemo”")],
)
def test_what_cannot_be_rehearsed_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == Exit.REFUSED
    assert said in capsys.readouterr().err


async def test_a_language_model_alone_starts_no_speech_engine() -> None:
    async with Providers(load(), speech=False) as providers, providers.thinker() as model:
        pieces = [piece async for piece in model.answer(Conversation(Brief("", ACTION)))]
    assert providers._engines is None
    assert pieces


@pytest.mark.parametrize(
    ("line", "more", "offered"),
    [
        (None, {"operator_wait": 0}, set()),
        (None, {}, {"ask_operator"}),
        (None, {"transfer_number": "+12025550177"}, {"ask_operator", "transfer"}),
        (LineKind.PRACTICE, {"operator_wait": 0}, {"transfer"}),
    ],
)
async def test_a_rehearsing_model_has_the_tools_of_the_call_that_would_be_made(
    line: LineKind | None, more: dict[str, Any], offered: set[str]
) -> None:
    asked: list[dict[str, Any]] = []

    def answer(received: Received) -> Reply:
        asked.append(received.body)
        return Reply("Hello.")

    async with LoopbackAnthropic(answer) as claude:
        settings = load(**PHONE, **more, anthropic_api_key="test-key", anthropic_base_url=claude.url)
        async with Providers(settings, speech=False) as providers, providers.thinker(line) as model:
            conversation = Conversation(Brief("", ACTION)).plus(Speaker.CALLEE, "Hello?")
            assert [piece async for piece in model.answer(conversation)]
    names = {tool["name"] for tool in asked[-1]["tools"]}
    assert names & {"transfer", "ask_operator"} == offered
