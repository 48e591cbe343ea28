"""Honest stand-ins for the four seams of a call, to hold whole calls on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Self

from backend.audio import FRAME, SILENCE
from backend.models import (
    Answered,
    Conversation,
    Ended,
    Heard,
    LineEvent,
    Mark,
    ProviderError,
    Said,
    Sound,
    Spoken,
    ToolUse,
    Voiced,
)
from backend.practice.playback import Frame, Playback

LETTER = 480
"""Bytes of sound per character: 60 ms."""
_STEP = 80
"""Bytes between two looks at the sound: all that is sent and cut has a multiple of that."""


def voiced(text: str) -> bytes:
    """The sound of a text: each character's own byte, so that it can be read back from what was played.

    The bytes are chosen and their signs alternate so that letters are as loud as speech is.
    """
    return b"".join(bytes([~ord(letter) & 127, ~ord(letter) & 127 | 128]) * (LETTER // 2) for letter in text)


def read_back(sound: bytes | bytearray) -> str:
    """The characters whose sound this is, whole ones only, wherever the sound was cut."""
    letters = groupby(byte | 128 for byte in sound[::_STEP])
    return "".join(chr(~byte & 127) * (sum(1 for _ in same) * _STEP // LETTER) for byte, same in letters)


class Warm:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None


class Phone:
    """A `Line`: a carrier that plays in real time, returns marks when their sound was played, and can be hung up."""

    def __init__(self) -> None:
        self.playback = Playback()
        self.played = bytearray()
        self.heard_at: list[float] = []
        """When each played frame with sound in it began."""
        self.cleared = 0
        self.hung_up: list[str] = []
        self.transferred = False
        self.deaf_to_marks = False
        self._incoming: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._callee = bytearray()

    def callee_sound(self, seconds: float) -> None:
        """The callee makes loud sound for this long from now on."""
        self.callee_plays(b"\x10\x90" * int(seconds * 4000))

    def callee_plays(self, sound: bytes) -> None:
        """This comes from the callee's side from now on, after what still comes from there."""
        self._callee += sound

    def drop(self, why: str = "The far side hung up.", lost: bool = False) -> None:
        self._incoming.put_nowait(Ended(why, lost))

    async def run(self) -> None:
        """The carrier's 20 ms clock."""
        while True:
            self.tick()
            await asyncio.sleep(0.02)

    def tick(self) -> Frame:
        """Play the frame that begins now, and hand in the callee's."""
        frame = self.playback.next_frame()
        self._return(frame.marks)
        if frame.spoken:
            self.played += frame.sound[: frame.spoken]
            self.heard_at.append(asyncio.get_running_loop().time())
        self._incoming.put_nowait(Sound(bytes(self._callee[:FRAME]).ljust(FRAME, SILENCE)))
        del self._callee[:FRAME]
        return frame

    def _return(self, marks: Sequence[str]) -> None:
        for name in () if self.deaf_to_marks else marks:
            self._incoming.put_nowait(Mark(name))

    async def pour(self, take: Callable[[LineEvent], None]) -> None:
        event: LineEvent | None = None
        while not isinstance(event, Ended):
            event = await self._incoming.get()
            take(event)

    async def play(self, sound: bytes, mark: str = "") -> None:
        self.playback.add(sound)
        if mark:
            self._return(self.playback.mark(mark))

    async def clear(self) -> None:
        self.cleared += 1
        self._return(self.playback.clear())

    async def hang_up(self, farewell: str = "") -> None:
        self.hung_up.append(farewell)

    async def transfer(self) -> None:
        self.transferred = True


class Ears(Warm):
    """Speech to text that hears what the test tells it."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[Heard | Exception] = asyncio.Queue()
        self.sound = 0
        """Bytes listened to."""

    def tell(self, *events: Heard | Exception) -> None:
        for event in events:
            self._said.put_nowait(event)

    async def listen(self, sound: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
        draining = asyncio.create_task(self._drain(sound))
        try:
            while True:
                event = await self._said.get()
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            draining.cancel()
            with suppress(asyncio.CancelledError):
                await draining

    async def _drain(self, sound: AsyncIterator[bytes]) -> None:
        async for frame in sound:
            self.sound += len(frame)


Plan = Sequence[str | float | Answered | Exception]
"""What a model does for one answer: says text, waits seconds, uses a tool, fails."""


@dataclass
class Model(Warm):
    """A language model that follows a plan for each answer, and repeats the last one."""

    plans: Sequence[Plan] = (("Fine.",),)
    asked: list[tuple[Conversation, str]] = field(default_factory=list)
    open: int = 0
    """Answers under way."""

    async def warm(self, conversation: Conversation) -> None:
        return None

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        plan = self.plans[min(len(self.asked), len(self.plans) - 1)]
        self.asked.append((conversation, hint))
        self.open += 1
        try:
            for step in plan:
                match step:
                    case str():
                        yield Said(step)
                    case float():
                        await asyncio.sleep(step)
                    case Exception():
                        raise step
                    case _:
                        yield step
        finally:
            self.open -= 1


@dataclass
class Speech(Warm):
    """A voice whose sound can be read back; `fail` decides, per text, after how many characters it breaks or hangs."""

    delay: float = 0.1
    fail: Callable[[str], int | None] = lambda _: None
    hang: bool = False
    """Go silent instead of failing."""
    asked: list[str] = field(default_factory=list)

    async def say(self, text: str) -> AsyncIterator[Voiced]:
        self.asked.append(text)
        await asyncio.sleep(self.delay)
        breaks = self.fail(text)
        for at in range(0, len(text), 10):
            if breaks is not None and at >= breaks:
                if self.hang:
                    await asyncio.sleep(3600)
                raise ProviderError("The voice broke.")
            piece = text[at : at + 10]
            yield Spoken(voiced(piece), piece, tuple(range(0, 60 * len(piece), 60)))


def end_call(outcome: str = "confirmed", note: str = "") -> ToolUse:
    return ToolUse("end_call", {"outcome": outcome, "note": note})
