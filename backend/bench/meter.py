"""The media server's process in the benchmark: started, awaited, weighed and stopped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from backend.config import ROOT
from backend.launcher import SERVE, CannotStart

_STARTS_WITHIN, _STOPS_WITHIN = 30.0, 10.0
_LOOK_EVERY = 0.5
"""Seconds between two looks at the memory; a call lasts much longer."""


@asynccontextmanager
async def server(environment: Mapping[str, str], api: httpx2.AsyncClient, log: Path) -> AsyncIterator[int]:
    """Run a media server with this environment until the block is left, and yield its process ID.

    Raises:
        CannotStart: with the end of its log.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *SERVE,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env=environment,
            start_new_session=True,  # Ctrl-C is not for it: it ends with its standard input
        )
    assert process.stdin
    try:
        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                await _answers(process, api)
        except (TimeoutError, EOFError):
            raise CannotStart(f"The media server to be measured did not start:\n{_end(log)}") from None
        yield process.pid
    finally:
        process.stdin.close()
        await _gone(process)


def _end(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").strip().splitlines()[-12:])


async def _answers(process: asyncio.subprocess.Process, api: httpx2.AsyncClient) -> None:
    """Until it does; EOFError when it ends instead."""
    while process.returncode is None:
        try:
            if (await api.get("/health")).is_success:
                return
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
    raise EOFError


async def _gone(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(_STOPS_WITHIN):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class Meter:
    """What a process uses while this is entered, from `/proc`; where there is none, nothing is known."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    async def __aenter__(self) -> Self:
        self.reset()
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watching.cancel()
        await asyncio.wait([self._watching])

    def reset(self) -> None:
        """Begin to measure anew."""
        self._cpu_before = self._cpu()
        self._before = self._peak = self._memory()

    def cpu(self) -> float | None:
        """Seconds of processor time used."""
        now = self._cpu()
        return None if now is None or self._cpu_before is None else now - self._cpu_before

    def grown(self) -> float | None:
        """MB more at the peak than at the beginning."""
        return None if self._peak is None or self._before is None else self._peak - self._before

    async def _watch(self) -> None:
        while True:
            self._peak = max(filter(None, (self._peak, self._memory())), default=None)
            await asyncio.sleep(_LOOK_EVERY)

    def _cpu(self) -> float | None:
        try:
            # The name, in brackets, may have blanks in it; user and system time are fields 14 and 15 of proc(5).
            fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _memory(self) -> float | None:
        try:
            lines = (self._folder / "status").read_text().splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), None)
