"""How quick a core is while something else works on it: the same bit of work, done there now and then in its pauses.

Processor time says as much of the machine as of the product: what the other guests of a rented machine do to its clock
and its caches makes the same work half as dear again from one minute to the next, and no counter tells of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from base64 import b64decode, b64encode
from contextlib import suppress
from json import dumps, loads
from types import TracebackType
from typing import Self

import numpy as np

from backend import audio
from backend.config import ROOT

_EVERY = 0.15
"""Seconds; the work takes about one of a hundred and fifty parts of that."""
_ROUNDS = 150

_LINEAR = audio.decode(bytes(range(256)))
_MESSAGE = dumps({"event": "media", "media": {"payload": b64encode(bytes(range(audio.FRAME))).decode()}})


class Gauge:
    """While this is entered, `taken` grows: the seconds that the work took each time, the newest last."""

    def __init__(self, core: int) -> None:
        self._core = core
        self.taken: list[float] = []

    async def __aenter__(self) -> Self:
        command = (sys.executable, "-m", "backend.bench.load.gauge", str(self._core))
        self._worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            self._worker.terminate()
        await self._worker.wait()
        await self._reading

    @property
    def pid(self) -> int:
        return self._worker.pid

    async def _read(self) -> None:
        assert self._worker.stdout
        async for line in self._worker.stdout:
            self.taken.append(float(line))


def work() -> float:
    """What a call does most of the time: read a message, decode its sound, look how loud it is."""
    sum_of_squares = 0.0
    for _ in range(_ROUNDS):
        mulaw = b64decode(loads(_MESSAGE)["media"]["payload"])
        sound = _LINEAR.take(np.frombuffer(mulaw, np.uint8))
        sum_of_squares += float(sound.dot(sound))
    return sum_of_squares


def main() -> None:
    """The worker's own life; it ends when nobody reads any more."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    # Whatever else wants the core has it at once.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(BrokenPipeError):
        while True:
            time.sleep(_EVERY)
            before = time.thread_time()
            work()
            print(time.thread_time() - before, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
