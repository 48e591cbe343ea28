"""Every rehearsal that the guide shows is a real one. `python -m tests.test_writing_a_call` writes them anew."""

from __future__ import annotations

import io
import os
import re
import shlex
from contextlib import redirect_stdout
from unittest import mock

import pytest
from rich.console import Console

from backend import cli
from backend.config import ROOT
from backend.running import terminal

GUIDE = ROOT / "docs" / "writing-a-call.md"
COMMAND = "    phone-agent rehearse "
SHOWN = re.compile(rf"^{COMMAND}.*(?:\n(?:    .*|(?=\n    )))*", re.MULTILINE)


def said(command: str) -> str:
    """What the command prints, as the guide shows it."""
    out = io.StringIO()
    console = Console(file=out, highlight=False, soft_wrap=True, width=120)
    nobody = dict.fromkeys(("ANTHROPIC_API_KEY", "DEEPGRAM_API_KEY", "ELEVENLABS_API_KEY"), "")
    with mock.patch.dict(os.environ, nobody), mock.patch.object(terminal, "out", console), redirect_stdout(out):
        cli.main(shlex.split(command)[1:])
    lines = [command.strip(), *out.getvalue().strip("\n").splitlines()]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def commands() -> list[str]:
    return [line for line in GUIDE.read_text().splitlines() if line.startswith(COMMAND)]


def test_the_guide_shows_rehearsals() -> None:
    assert len(commands()) >= 6


@pytest.mark.parametrize("command", commands())
def test_what_the_guide_shows_is_what_a_rehearsal_prints(command: str) -> None:
    assert said(command) in GUIDE.read_text(), "run `python -m tests.test_writing_a_call`"


def rewritten(guide: str) -> str:
    return SHOWN.sub(lambda shown: said(shown[0].splitlines()[0]), guide)


if __name__ == "__main__":
    GUIDE.write_text(rewritten(GUIDE.read_text()))
