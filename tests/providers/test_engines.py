"""The worker processes: real models, real deaths."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable

import psutil
import pytest
import pytest_asyncio

from backend import audio
from backend.config import ROOT
from backend.engines import installed, pool
from backend.engines.installed import missing
from backend.engines.pool import VOICES, Engines, Voice
from backend.models import ProviderError

AGENT = VOICES["agent"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engines() -> AsyncIterator[Engines]:
    async with Engines(workers=2) as engines:
        await engines.ready()
        yield engines


def workers(parent: psutil.Process | None = None) -> list[psutil.Process]:
    return [child for child in (parent or psutil.Process()).children() if "backend.engines" in child.cmdline()[-1]]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("not within 20 s")


async def until_busy(processes: list[psutil.Process]) -> None:
    """Until these have worked for a while: they are in the middle of a job."""

    def worked() -> float:
        return sum(process.cpu_times().user for process in processes)

    before = worked()
    await until(lambda: worked() > before + 0.1)


async def test_what_is_spoken_is_understood(engines: Engines) -> None:
    sound = await engines.synthesise("Could you call me back in the morning?", AGENT)
    assert await engines.transcribe(sound) == "Could you call me back in the morning?"


async def test_the_loop_goes_on_while_the_engines_work(engines: Engines) -> None:
    delays: list[float] = []

    async def heartbeat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            delays.append(time.perf_counter() - before - 0.01)

    beating = asyncio.create_task(heartbeat())
    texts = [f"This is sentence number {number}, which is there to be spoken." for number in range(4)]
    sounds = await asyncio.gather(*(engines.synthesise(text, VOICES["man"]) for text in texts))
    await engines.transcribe(b"".join(sounds))
    beating.cancel()
    assert audio.seconds(b"".join(sounds)) > 10
    delays.sort()
    # Work in the loop itself would show as one gap of a second; a busy machine shows as many small ones.
    assert len(delays) > 20 and delays[-1] < 0.4 and delays[len(delays) * 9 // 10] < 0.1


async def test_a_glimpse_leaves_a_worker_for_what_is_urgent(engines: Engines) -> None:
    sound = await engines.synthesise("Good morning to you.", AGENT)
    urgent = asyncio.create_task(engines.transcribe(sound))
    await asyncio.sleep(0)
    assert await engines.glimpse(sound) is None
    assert await urgent == "Good morning to you."
    assert await engines.glimpse(sound) == "Good morning to you."


async def test_a_sentence_once_spoken_is_remembered(engines: Engines) -> None:
    sound = await engines.synthesise("One moment, please.", AGENT)
    processes = workers()
    for process in processes:
        process.suspend()
    try:
        async with asyncio.timeout(5):
            assert await engines.synthesise("One moment, please.", Voice()) == sound
    finally:
        for process in processes:
            process.resume()


async def test_jobs_given_up_do_not_hold_up_the_others(engines: Engines) -> None:
    sound = await engines.synthesise("Good morning to you.", AGENT)
    given_up = [asyncio.create_task(engines.transcribe(sound * 6)) for _ in range(8)]
    await until_busy(workers())
    for job in given_up:
        job.cancel()
    started = time.monotonic()
    assert await engines.transcribe(sound) == "Good morning to you."
    assert time.monotonic() - started < 5
    assert all(
        isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*given_up, return_exceptions=True)
    )


async def test_a_killed_worker_fails_its_job_and_is_replaced(engines: Engines) -> None:
    sound = await engines.synthesise("Good morning to you.", AGENT)
    job = asyncio.create_task(engines.transcribe(sound * 10))
    before = workers()
    await until_busy(before)
    for process in before:
        process.kill()
    with pytest.raises(ProviderError, match="stopped unexpectedly"):
        await job
    psutil.wait_procs(before, timeout=5)
    heard = await asyncio.gather(engines.transcribe(sound), engines.transcribe(sound))
    assert set(heard) == {"Good morning to you."}
    assert len(workers()) == 2 and not {process.pid for process in workers()} & {process.pid for process in before}


async def test_a_stuck_worker_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    others = set(workers())
    async with Engines(workers=1) as engines:
        await engines.ready()
        monkeypatch.setattr(pool, "STUCK", 0.2)
        [process] = set(workers()) - others
        process.suspend()
        with pytest.raises(ProviderError, match="stopped unexpectedly"):
            await engines.transcribe(audio.SILENCE * 8000)


async def test_leaving_ends_the_workers_even_while_they_load_or_work() -> None:
    before = {process.pid for process in workers()}
    async with Engines(workers=2) as engines:
        job = asyncio.create_task(engines.transcribe(audio.SILENCE * 8000))
        await until(lambda: len(workers()) == len(before) + 2)
    assert {process.pid for process in workers()} == before
    with pytest.raises(ProviderError):
        await job
    with pytest.raises(ProviderError, match="shut down"):
        await engines.transcribe(audio.SILENCE * 8000)


def test_workers_die_with_a_server_that_is_killed() -> None:
    script = (
        "import asyncio; from backend.engines.pool import Engines\n"
        "async def main():\n"
        "    async with Engines(1) as engines:\n"
        "        await engines.ready(); print('ready', flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None and server.stdout.readline() == b"ready\n"
        orphans = workers(psutil.Process(server.pid))
        server.send_signal(signal.SIGKILL)
    assert len(orphans) == 1
    _, alive = psutil.wait_procs(orphans, timeout=5)
    assert alive == []


def test_everything_is_installed_here() -> None:
    assert missing() == []


def test_what_is_missing_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda package: None)
    deaf, mute = missing()
    assert "moonshine_voice is not installed" in deaf and "DEEPGRAM_API_KEY" in deaf
    assert "hibari is not installed" in mute and "pip install 'phone-agent[offline]'" in mute


def test_a_release_without_its_model_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installed._HEARING, "moonshine_voice", ("assets/tiny-en/no_such_model.ort",))
    [why] = missing()
    assert "no_such_model.ort" in why
