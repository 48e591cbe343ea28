"""A measurement in a process of its own, so that drawing its progress does not delay what is being measured."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Protocol, TypeVar

from backend.bench.figures import Sheet
from backend.running.launcher import CannotStart


class Plan(Protocol):
    """What is to be done."""

    @property
    def total(self) -> int:
        """In how many steps."""
        ...


P = TypeVar("P", bound=Plan)
Measure = Callable[[P, Callable[[], object]], Awaitable[Sheet]]
"""Measures, and tells of each step that is done. A function of a module, since a new process must find it."""


def run_apart(measure: Measure[P], plan: P, show: Callable[[int, int], object]) -> Sheet:
    """Measure, and show how much is done.

    Raises:
        CannotStart: nothing could be measured; the message says why.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(measure, plan, there), daemon=False)
    child.start()
    there.close()
    try:
        return _outcome(here, plan.total, show)
    finally:
        child.terminate()
        child.join()
        here.close()


def _outcome(pipe: Connection, total: int, show: Callable[[int, int], object]) -> Sheet:
    """What was found at the end; until then, one message for each step."""
    done = 0
    while True:
        try:
            message = pipe.recv()
        except EOFError:
            raise CannotStart("The benchmark's own process ended early; what it printed above says why.") from None
        if isinstance(message, Sheet):
            return message
        if isinstance(message, str):
            raise CannotStart(message)
        done += 1
        show(done, total)


def _child(measure: Measure[P], plan: P, pipe: Connection) -> None:
    # Ctrl-C is for whoever watches, who then terminates this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pipe.send(asyncio.run(_measured(measure, plan, pipe)))
    except* asyncio.CancelledError:
        pass
    except* (CannotStart, RuntimeError) as failed:
        pipe.send("\n".join(sentences(failed)))


async def _measured(measure: Measure[P], plan: P, pipe: Connection) -> Sheet:
    """Being terminated cancels it, so that its media server and its files go with it."""
    task = asyncio.current_task()
    assert task
    with suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await measure(plan, lambda: pipe.send(None))


def sentences(failed: BaseExceptionGroup[BaseException]) -> list[str]:
    """What went wrong, each thing once."""
    said: list[str] = []
    for error in failed.exceptions:
        said += sentences(error) if isinstance(error, BaseExceptionGroup) else [str(error)]
    return list(dict.fromkeys(said))
