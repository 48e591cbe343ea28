"""One worker process: it loads the models, then answers requests until the pipe from the server closes."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable
from typing import Any

from backend.engines.installed import deaf, mute
from backend.engines.recogniser import recogniser
from backend.engines.synthesiser import synthesiser
from backend.models import ProviderError


def serve() -> None:
    """The worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)  # the server's audio clock goes first
    with os.fdopen(os.dup(1), "wb") as answers, contextlib.suppress(EOFError, OSError):
        os.dup2(2, 1)  # whatever a library prints must not get between the answers
        jobs = _jobs()
        while True:
            name, *arguments = pickle.load(sys.stdin.buffer)
            answers.write(pickle.dumps(_answer(jobs[name], arguments)))
            answers.flush()


def _jobs() -> dict[str, Callable[..., Any]]:
    ears, voice = deaf(), mute()
    return {
        "warm": lambda: None,
        "transcribe": _fails(ears) if ears else recogniser(),
        "synthesise": _fails(voice) if voice else synthesiser(),
    }


def _fails(why: str) -> Callable[..., Any]:
    def job(*_: object) -> Any:
        raise ProviderError(why)

    return job


def _answer(job: Callable[..., Any], arguments: list[Any]) -> tuple[bool, Any]:
    try:
        return True, job(*arguments)
    except ProviderError as error:
        return False, str(error)
    except Exception as error:  # by its kind only: its message may hold the callee's words
        return False, f"An offline speech engine could not do a job ({type(error).__name__})"
