"""The operator's own voice, from one taking over to its handing back: to the callee's line, and to recognition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backend import audio
from backend.call.answer import House
from backend.call.events import OperatorTalks
from backend.call.feed import Feed
from backend.call.sound.passage import Passage
from backend.models import EagerEnd, Heard, Partial, ProviderError, Trouble, TurnEnd
from backend.seams import Line, SpeechToText

_KEPT = 15
"""Frames (0.3 s) that wait where the carrier's socket takes none; the oldest are dropped beyond."""


class Mouthpiece:
    """`run` is its life, in a task of its own; it goes on after `close` until the last words are recognised."""

    def __init__(self, line: Line, ears: Callable[[], SpeechToText] | None, house: House) -> None:
        """`ears`: whoever is to recognise the operator's words; None: nobody does."""
        self.open = True
        self._line, self._ears, self._house = line, ears, house
        self._passage = Passage()
        self._out, self._heard = Feed(_KEPT), Feed()
        self._now = asyncio.get_running_loop().time

    def speak(self, mulaw: bytes) -> None:
        """From the microphone. What would come too late is dropped, so that the delay never grows."""
        self._heard.put(mulaw)
        if sound := self._passage.take(mulaw, self._now()):
            self._out.put(sound)

    def sounding(self, mulaw: bytes) -> bytes:
        """The operator's sound while the callee made this one: it may come back as an echo."""
        return self._passage.sounding(self._now(), audio.seconds(mulaw))

    def close(self) -> None:
        """Nothing more comes from the microphone."""
        self.open = False
        self._out.end()
        self._heard.end()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._play())
            if self._ears:
                group.create_task(self._listen(self._ears))

    async def _play(self) -> None:
        async for sound in self._out:
            await self._line.play(sound)

    async def _listen(self, ears: Callable[[], SpeechToText]) -> None:
        """Without it the operator is heard all the same, and only the transcript has no words of theirs."""
        try:
            async with ears() as opened:
                async for heard in opened.listen(self._heard):
                    self._tell(heard)
        except ProviderError as error:
            self._house.trouble(f"What the operator says is not written down: {error}")

    def _tell(self, heard: Heard) -> None:
        match heard:
            case Trouble(what):
                self._house.trouble(what)
            case TurnEnd(text):
                self._house.post(OperatorTalks(text, complete=True))
            case Partial(text) | EagerEnd(text) if text.strip():
                self._house.post(OperatorTalks(text))
