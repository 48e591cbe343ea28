"""One call's recording: sound is taken without ever waiting, and written a second at a time by a thread."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from errno import ENOSPC
from io import FileIO
from pathlib import Path
from typing import TypeVar

from backend import audio
from backend.audio import RATE
from backend.call.tap import Pair
from backend.recording.names import name_of
from backend.recording.wave import FRAME, HEADER, header, interleaved

T = TypeVar("T")

_PORTION = RATE
"""Moments that are written at once; a crash loses no more."""
_MOST_WAITING = 30
"""Portions that may wait for the disk: half a minute."""


class SoundFile:
    """A file that can be played at any time, while it grows as well. For the writing thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._moments = 0
        self._whole = True

    def append(self, callee: bytes, agent: bytes) -> None:
        """Sound first, then the header that counts it: broken off in between, the file is only a little short.

        Raises:
            OSError: once; what was written before stays, and nothing is added any more, since it would have a gap.
        """
        if not self._whole:
            return
        self._whole = False
        self._file = self._file or self._opened()
        self._write(HEADER + self._moments * FRAME, interleaved(callee, agent))
        self._moments += len(callee)
        self._write(0, header(self._moments))
        self._whole = True

    def _opened(self) -> FileIO:
        # What people say on the phone is nobody else's business on this machine.
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = FileIO(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+")
        file.write(header(0))
        return file

    def _write(self, place: int, content: bytes) -> None:
        assert self._file
        self._file.seek(place)
        if self._file.write(content) != len(content):
            raise OSError(ENOSPC, os.strerror(ENOSPC))

    def close(self) -> bool:
        """Whether there is anything in it; else it is gone again."""
        if self._file and not self._file.closed:
            # What a full disk has cut off counts for nothing.
            self._file.truncate(HEADER + self._moments * FRAME)
            self._file.close()
        if not self._moments:
            self._path.unlink(missing_ok=True)
        return self._moments > 0

    def delete(self) -> None:
        self._moments = 0
        self.close()


class Recording:
    """Give `hear` each pair, and `close` it at the end. Whatever the disk does, the call goes on."""

    def __init__(
        self,
        folder: Path,
        call_id: str,
        pen: Executor,
        written: Callable[[str], None],
        trouble: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Args:
            pen: writes one thing after the other, in a thread.
            written: told the file's name as soon as there is one, and an empty one where it is gone again.
            trouble: told what went wrong, as a plain sentence.
        """
        self._folder, self._call_id, self._pen = folder, call_id, pen
        self._written, self._trouble, self._clock = written, trouble, clock
        self._file: SoundFile | None = None
        self._begins = float("inf")
        """Unix seconds."""
        self._callee, self._agent = bytearray(), bytearray()
        self._waiting = 0
        """Portions that are not written yet."""
        self._over = False
        self._troubled = False
        self._loop = asyncio.get_running_loop()

    def hear(self, pair: Pair) -> None:
        if self._over:
            return
        self._callee += pair.callee
        self._agent += pair.agent
        if self._file is None:
            # What came while the call was being set up is taken late: the most punctual piece tells the beginning.
            self._begins = min(self._begins, self._clock() - audio.seconds(len(self._callee)))
        if len(self._callee) >= _PORTION:
            self._hand_over()

    def close(self) -> None:
        """The call is over; what is left is written, though perhaps not yet when this returns."""
        if not self._over:
            self._hand_over()
            self._end()

    def forget(self) -> None:
        """The callee does not want it: stop, and delete what there is of it."""
        self._over = self._troubled = True
        if self._file:
            self._pen.submit(self._file.delete).add_done_callback(self._in_loop(self._has_deleted))
            self._written("")

    def _new(self) -> SoundFile:
        name = name_of(self._call_id, self._begins)
        self._written(name)
        return SoundFile(self._folder / name)

    def _hand_over(self) -> None:
        callee, agent = bytes(self._callee), bytes(self._agent)
        self._callee.clear()
        self._agent.clear()
        if self._waiting >= _MOST_WAITING:
            self._give_up("the disk is too slow")
        elif callee:
            self._waiting += 1
            self._file = self._file or self._new()
            self._pen.submit(self._file.append, callee, agent).add_done_callback(self._in_loop(self._has_written))

    def _has_written(self, done: Future[None]) -> None:
        self._waiting -= 1
        if error := done.exception():
            self._give_up(_why(error))

    def _give_up(self, why: str) -> None:
        if not self._troubled:
            self._troubled = True
            self._trouble(f"The recording ends early: {why}.")
        if not self._over:
            self._end()

    def _end(self) -> None:
        self._over = True
        if self._file:
            self._pen.submit(self._file.close).add_done_callback(self._in_loop(self._has_closed))

    def _has_closed(self, done: Future[bool]) -> None:
        if done.exception() or not done.result():
            self._written("")

    def _has_deleted(self, done: Future[None]) -> None:
        if error := done.exception():
            self._trouble(f"The recording that they did not want could not be deleted: {_why(error)}.")

    def _in_loop(self, tell: Callable[[Future[T]], None]) -> Callable[[Future[T]], None]:
        """The thread's news are told where the call is."""

        def news(done: Future[T]) -> None:
            self._loop.call_soon_threadsafe(tell, done)

        return news


def _why(error: BaseException) -> str:
    """The system's own words, without numbers and paths."""
    said = error.strerror if isinstance(error, OSError) else None
    return (said or repr(error)).lower()
