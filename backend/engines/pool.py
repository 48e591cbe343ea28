"""The offline speech engines as the media server sees them: worker processes that hold the models, and their queue.

A worker is a bare interpreter spoken to through its pipes, not a `multiprocessing` child: those import the program that
started them, which would put a second web server's worth of modules into each. Its end of the pipe also closes when the
server dies in any way, so no worker outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from backend.config import ROOT
from backend.models import ProviderError

WAIT = 30.0
"""Seconds a job may take, the wait for a free worker included."""
STUCK = 15.0
"""Seconds after which a worker that has not answered is killed; a 15 s sound takes it about one."""
WARM_UP = 60.0
"""Seconds the workers may take to load."""
REMEMBERED = 200
"""Voiced sentences kept for the next time; about 25 kB each."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One way of speaking. All come from one recorded voice, shifted; 1.0 leaves it as it is."""

    pitch: float = 1.0
    formant: float = 1.0
    """How long the throat seems: below 1 larger, as a man's."""
    speed: float = 1.0


VOICES = {
    "agent": Voice(),
    "man": Voice(pitch=0.65, formant=0.90),
    "older": Voice(pitch=0.85, formant=0.96, speed=0.95),
    "young": Voice(pitch=1.12, formant=1.06),
}


class Engines:
    """The workers, for all calls. Not bound to an event loop: any that is running may ask."""

    def __init__(self, workers: int) -> None:
        self._workers = [_Worker() for _ in range(workers)]
        # First in, first out: the warm-up jobs below therefore reach every worker once.
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(workers, "speech")
        self._jobs: set[Future[Any]] = set()
        self._warming: list[Future[Any]] = []
        self._spoken: OrderedDict[tuple[str, Voice], bytes] = OrderedDict()
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        for worker in self._workers:
            self._idle.put(worker)
        self._warming = [self._submit("warm") for _ in self._workers]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        await asyncio.to_thread(self._close)

    async def ready(self) -> None:
        """Wait until every worker has its models loaded and warm.

        Raises:
            ProviderError: a worker could not start.
        """
        try:
            async with asyncio.timeout(WARM_UP):
                await asyncio.gather(*map(asyncio.wrap_future, self._warming))
        except TimeoutError:
            raise ProviderError(f"The offline speech engines were not loaded after {WARM_UP:.0f} seconds") from None

    async def transcribe(self, mulaw: bytes) -> str:
        """The words in this sound, which should hold speech: silence and noise make the model invent some.

        Raises:
            ProviderError: the worker died or is stuck; it is replaced for the next job.
        """
        return str(await self._do("transcribe", mulaw))

    async def glimpse(self, mulaw: bytes) -> str | None:
        """As `transcribe`, but None at once unless a worker stays free for what is urgent."""
        if len(self._jobs) >= max(1, len(self._workers) - 1):
            return None
        return await self.transcribe(mulaw)

    async def synthesise(self, sentence: str, voice: Voice) -> bytes:
        """One sentence as 8 kHz mu-law, without silence around it; empty for what cannot be pronounced.

        Raises:
            ProviderError: as for `transcribe`.
        """
        key = (sentence, voice)
        sound = self._spoken.get(key)
        if sound is None:
            sound = bytes(await self._do("synthesise", sentence, voice.pitch, voice.formant, voice.speed))
        self._spoken[key] = sound
        self._spoken.move_to_end(key)
        if len(self._spoken) > REMEMBERED:
            self._spoken.popitem(last=False)
        return sound

    async def _do(self, *request: object) -> Any:
        try:
            async with asyncio.timeout(WAIT):
                return await asyncio.wrap_future(self._submit(*request))
        except TimeoutError:
            raise ProviderError(
                f"The offline speech engines had no time for a job within {WAIT:.0f} seconds: too many calls at once"
            ) from None

    def _submit(self, *request: object) -> Future[Any]:
        self._check_open()
        job = self._threads.submit(self._ask, request)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    def _ask(self, request: tuple[object, ...]) -> Any:
        """In one of as many threads as there are workers, so there is always one to take."""
        worker = self._idle.get()
        try:
            self._check_open()
            return worker.ask(request)
        finally:
            self._idle.put(worker)

    def _check_open(self) -> None:
        if not self._open:
            raise ProviderError("The offline speech engines are shut down")

    def _close(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown()
        # Only now: a job that was cut off by the kill may have started its worker anew.
        for worker in self._workers:
            worker.close()


class _Worker:
    """One process with the models; whoever took it from the idle queue is its only user."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: tuple[object, ...]) -> Any:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._start()
        watchdog = threading.Timer(WARM_UP if request == ("warm",) else STUCK, process.kill)
        watchdog.start()
        try:
            well, answer = _exchange(process, request)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._start()
            raise ProviderError("An offline speech engine stopped unexpectedly; it is being started again") from None
        finally:
            watchdog.cancel()
        if not well:
            raise ProviderError(str(answer))
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        self.close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from backend.engines.worker import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            # onnxruntime on Linux reports to its maker unless this is set before it is imported.
            env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the server, which then ends its workers itself
        )
        return self._process

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Kill, wait and free the pipes; nobody may be waiting for an answer."""
        if self._process is None:
            return
        self._process.kill()
        with contextlib.suppress(OSError), self._process:  # a half-sent request cannot be flushed any more
            pass
        self._process.wait()


def _exchange(process: subprocess.Popen[bytes], request: tuple[object, ...]) -> tuple[bool, Any]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(pickle.dumps(request))
    process.stdin.flush()
    answer: tuple[bool, Any] = pickle.load(process.stdout)
    return answer
