"""What a process costs the machine, for the benchmark."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import TracebackType
from typing import Self

_LOOK_EVERY = 0.5
"""Seconds between two looks at the memory; a call lasts much longer."""


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
