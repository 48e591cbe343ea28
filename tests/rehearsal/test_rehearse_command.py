"""`phone-agent rehearse`: in this process, with the model that the settings choose."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.cli import Exit, main
from backend.config import load
from backend.llm.offline import OfflineBrain
from backend.models import Answered, Brief, Conversation, ProviderError, Said
from backend.providers import Providers

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
    monkeypatch.setattr("backend.call.manners.opening", lambda brief: "Hi, this is Alex. Do you have a moment?")
    assert main([*CALL, "--persona", "agrees"]) == Exit.NOT_COMPLETED
    said = capsys.readouterr().out
    assert "It did not say in its first words that it is an AI: “Hi, this is Alex." in said


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
