"""A callee that can be measured: it speaks on cue, in a room of its own, and notes what it hears and when."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from backend import audio
from backend.bench.delays import FRAME
from backend.bench.sounds.sounds import Room, mix
from backend.bench.stage.readback import Earpiece, words_of
from backend.bench.stage.sayings import HEARD, Saying
from backend.loopback.elevenlabs_speech import Speech
from backend.loopback.told import Lexicon
from backend.practice.clock import Clock
from backend.practice.handset import Handset

STUCK = 10.0
"""Seconds of silence after which a cue that does not come is no longer waited for."""

_ROUNDED = FRAME / 2
"""Seconds are counted up by frames, so that sums are a little less than they should be."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What to say, and when: each condition that is given must hold. Seconds."""

    saying: Saying
    at: float = 0.0
    """Since picking up."""
    after: float = 0.0
    """The agent has spoken since our last words, and has been quiet for so long."""
    over: float = 0.0
    """The agent has spoken so long since our last words, and is speaking."""


@dataclass(frozen=True, slots=True)
class Sounded:
    """One saying as it was. Times are in `loop.time()`."""

    label: str
    began: float
    """From the first to the last of it that can be heard."""
    ended: float
    missed: bool
    """Its cue never came, and it was said all the same."""


@dataclass
class Guest:
    """A `FarEnd` for one call."""

    cues: Sequence[Cue]
    lexicon: Lexicon
    recent: Callable[[], Iterable[Speech]]
    """What the agent's voice has said lately, the newest first."""
    leaves: float = 1.0
    """When all is said, it hangs up once the agent has spoken and been quiet for so long; 0: once it has spoken."""
    room: Room | None = None
    """What its microphone takes up of its speaker."""
    harsh: bool = False
    """The recogniser takes some of the agent's words in the echo for the callee's."""
    rings: float = 1.0
    patience: float = 90.0
    """Seconds after which it hangs up, whatever the agent does."""
    said: list[Sounded] = field(default_factory=list)
    loud: list[tuple[float, bool]] = field(default_factory=list)
    """When each frame of the earpiece began, and whether it could be heard."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.earpiece = Earpiece(self.recent)
        self._left = deque(self.cues)
        self._mouth: Iterator[tuple[bytes, str | None]] = iter(())
        self._saying: Saying | None = None
        self._echo = _Misheard(self.room.delay if self.room else 0.0)
        self._spoken = self._quiet = self._waited = self._time = 0.0

    async def ring(self, clock: Clock) -> bool:
        await clock.sleep(self.rings)
        return True

    async def answer(self, handset: Handset) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.patience):
                    async for frame in handset.hear():
                        sound = self.live(frame, asyncio.get_running_loop().time())
                        if sound is None:
                            return
                        await handset.speak(sound)
        finally:
            self.over.set()

    def live(self, heard: bytes, now: float) -> bytes | None:
        """20 ms: what the microphone takes up while the earpiece plays this; None when we hang up."""
        self._attend(heard, now)
        if self._saying is None:
            if not self._left and self._may_leave():
                return None
            self._take_cue(now)
        return self._speak(heard)

    def _attend(self, heard: bytes, now: float) -> None:
        loud = self.earpiece.hear(heard, now)
        self.loud.append((now, loud))
        self._time += FRAME
        self._waited = 0.0 if loud else self._waited + FRAME
        self._spoken += FRAME * loud
        self._quiet = 0.0 if loud else self._quiet + FRAME

    def _may_leave(self) -> bool:
        spoken = self._spoken > 0 and (self._quiet >= self.leaves or not self.leaves)
        return spoken or self._waited >= STUCK

    def _take_cue(self, now: float) -> None:
        if not self._left:
            return
        cue, stuck = self._left[0], self._waited >= STUCK
        if not stuck and not self._come(cue):
            return
        self._left.popleft()
        self._saying = saying = cue.saying
        self._mouth = iter(zip(saying.frames, saying.words, strict=True))
        self.said.append(Sounded(saying.label, now + saying.onset, now + saying.ends, stuck))

    def _come(self, cue: Cue) -> bool:
        """Whether it is this cue's moment."""
        if self._time + _ROUNDED < cue.at:
            return False
        if cue.after and not (self._spoken and self._quiet + _ROUNDED >= cue.after):
            return False
        return not cue.over or (self._spoken + _ROUNDED >= cue.over and self._quiet == 0)

    def _speak(self, heard: bytes) -> bytes:
        frame, words = next(self._mouth, (b"", None))
        if not frame and self._saying is not None:
            self._saying, self._spoken, self._waited = None, 0.0, 0.0
        sound = frame or audio.SILENCE * audio.FRAME
        if self.room:
            sound = mix(sound, self.room.hear(heard))
            words = self._echo.words(self.earpiece) if self.harsh and words is None and not frame else words
        # Silence is the same in every call: what is said of it would be heard in all of them.
        if words is not None and audio.level(sound) > HEARD:
            self.lexicon.tell(sound, words)
        return sound


class _Misheard:
    """Which words of the agent a recogniser hears in the echo: two or three at a time, now and then."""

    def __init__(self, delay: float) -> None:
        self._coming: deque[str | None] = deque([None] * round(delay / FRAME))
        self._frames = 0

    def words(self, earpiece: Earpiece) -> str | None:
        """What is heard in this frame; None for nothing."""
        piece = earpiece.pieces[-1] if earpiece.pieces and earpiece.speaking else None
        self._frames += piece is not None
        # Half a second of every six, once the agent has got going.
        hears = piece is not None and 100 <= self._frames % 300 < 125
        self._coming.append(_over(piece.speech, piece.end) if piece and hears else None)
        return self._coming.popleft()


def _over(speech: Speech, end: int) -> str:
    """The words of the text that are over with the frame that ends at this byte."""
    return " ".join(word.text for word in words_of(speech) if end - audio.FRAME <= word.end < end)
