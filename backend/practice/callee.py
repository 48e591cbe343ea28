"""The synthetic callee: picks up, really listens to what comes out of the earpiece and really speaks back.

It knows only what its own recogniser makes of the sound. What it says is decided in `personas`; when, here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from backend import audio
from backend.call.pickup.tones import Signal, Tones
from backend.models import Partial, ProviderError, Spoken, TurnEnd
from backend.practice import machines, personas
from backend.practice.clock import Clock
from backend.practice.handset import Handset
from backend.practice.machines import Beep, Menu, Music, Person, Record, Says, Wait
from backend.practice.personas import Persona
from backend.practice.race import first
from backend.seams import SpeechToText, TextToSpeech

_LOG = logging.getLogger(__name__)

# Seconds, all of them.
PICK_UP = 0.4
"""From pick-up to the first words."""
BREATH = 0.3
"""Silence before it takes the word; also keeps it from starting while the caller is already going on."""
NOISE = 3.0
"""How long sound without words keeps it from answering."""
STUCK = 10.0
"""A turn of which nothing more is recognised for this long is taken for finished."""
WONDER = 8.0
"""Silence until it asks whether anybody is there."""
GIVE_UP = 20.0
"""Silence until it hangs up."""
YIELD = 1.5
"""How long it speaks on while the caller speaks too."""
CUT_OFF = 1.5
"""By when a caller that lets itself be interrupted has stopped."""
LINGER = 4.0
"""From its own last words to hanging up: time for the caller to do it first."""
RECORDED = 4.0
"""Silence after which a machine takes a message for finished."""
TAPE = 60.0
"""The longest message a machine takes."""
CHOICE = 6.0
"""How long a menu waits for a key before it reads itself out again."""
READINGS = 4
"""How often it does."""
WAITS = 8.0
"""How long a machine that has asked something waits for an answer."""
NOT_VALID = "That is not a valid option."

_LOUD = -45.0
"""dB below full scale; what is louder is somebody making a sound."""


class Callee:
    """A `FarEnd` with a persona, an ear and a voice of its own; for one call."""

    def __init__(self, persona: Persona, ear: SpeechToText, voice: TextToSpeech, name: str = "") -> None:
        """`name` is what it calls itself when it answers; it may be empty."""
        self._persona = persona
        self._ear = ear
        self._voice = voice
        self._name = name
        self._caller = _Caller()
        self._heard: list[str] = []
        self._interjected: set[str] = set()

    async def ring(self, clock: Clock) -> bool:
        await clock.sleep(self._persona.rings)
        return True

    async def answer(self, handset: Handset) -> None:
        """Hold the phone to the end of the conversation. An ear or voice that fails makes it hang up."""
        hold = self._operate if self._persona.machine else self._greet
        try:
            async with self._ear, self._voice:
                await first(self._caller.attend(self._ear, handset.hear()), hold(handset))
        except* ProviderError as lost:
            _LOG.warning("the synthetic callee hangs up: %s", "; ".join(_reasons(lost)))

    # --- a machine --------------------------------------------------------------------------------------------

    async def _operate(self, handset: Handset) -> None:
        """Do one step after the other; a step that says so is the last."""
        await self._read_out(handset)
        for step in self._persona.machine:
            match step:
                case Beep():
                    await handset.speak(machines.beep())
                case Music(seconds):
                    await handset.speak(machines.music(seconds))
                case Says(words):
                    await self._say(handset, words)
                case Wait():
                    self._caller.take()
                    await self._record(within=WAITS, silence=self._persona.thinks)
                case Record():
                    self._caller.take()
                    await self._record(within=TAPE, silence=RECORDED)
                case Menu(right):
                    if not await self._put_through(handset, right):
                        return
                case Person():
                    self._caller.take()
                    await self._say_unless_talked_down(handset, personas.hello(step, self._name))
                    await self._converse(handset)

    async def _record(self, within: float, silence: float) -> None:
        """Until something was said, and nothing more for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._caller.until(self._caller.has_spoken, within)
                while (wait := self._caller.finished_in(silence)) > 0:
                    await self._caller.news(wait)

    async def _put_through(self, handset: Handset, right: str) -> bool:
        """Whether one of the right keys was pressed, in the end."""
        for _ in range(READINGS):
            waited = await self._caller.until(self._caller.has_pressed, CHOICE)
            if waited and self._caller.pressed() in right:
                return True
            if waited:
                await self._say(handset, NOT_VALID)
            await self._read_out(handset)
        return False

    async def _read_out(self, handset: Handset) -> None:
        """Its first words, which a pressed key cuts short."""
        words = personas.hello(self._persona, self._name)
        await first(self._say(handset, words), self._caller.until(self._caller.has_pressed))

    # --- a person ---------------------------------------------------------------------------------------------

    async def _greet(self, handset: Handset) -> None:
        await asyncio.sleep(PICK_UP)
        if not self._caller.has_spoken():
            await self._say_unless_talked_down(handset, personas.hello(self._persona, self._name))
        await self._converse(handset)

    async def _converse(self, handset: Handset) -> None:
        while turn := await self._turn(handset):
            self._heard.append(turn)
            reply = personas.reply(self._persona, self._heard)
            await self._say_unless_talked_down(handset, reply.words)
            if reply.hangs_up:
                await asyncio.sleep(LINGER)
                return

    async def _turn(self, handset: Handset) -> str:
        """What the caller says, as far as it was not interrupted; empty when nothing but silence comes."""
        while await self._caller.until(self._caller.has_spoken, WONDER) or await self._wonder(handset):
            if turn := await self._listen(handset):
                return turn
        return ""

    async def _wonder(self, handset: Handset) -> bool:
        await self._say_unless_talked_down(handset, "Hello? Are you there?")
        return await self._caller.until(self._caller.has_spoken, GIVE_UP - WONDER)

    async def _listen(self, handset: Handset) -> str:
        """A turn to its end; empty when this callee broke in on it."""
        self._interjected.discard(self._persona.hums)
        while (wait := self._caller.finished_in(self._persona.thinks)) > 0:
            await self._caller.news(wait)
            words = personas.interjection(self._persona, len(self._heard), self._caller.words, self._interjected)
            if not words:
                continue
            self._interjected.add(words)
            await self._say(handset, words)
            if words == self._persona.interrupts:
                # The caller is to begin again; what was cut off needs no answer.
                await self._caller.until(self._caller.is_silent, CUT_OFF)
                self._caller.take()
                return ""
        return self._caller.take()

    async def _say_unless_talked_down(self, handset: Handset, words: str) -> None:
        await first(self._say(handset, words), self._caller.insists(YIELD))

    async def _say(self, handset: Handset, words: str) -> None:
        if words:
            # Voiced as a whole first, which takes a moment: then no gap can open between its pieces.
            pieces = [piece.sound async for piece in self._voice.say(words) if isinstance(piece, Spoken)]
            await handset.speak(b"".join(pieces))


class _Caller:
    """What can be made out of the other side, from its sound and the words recognised in it."""

    def __init__(self) -> None:
        self.words = ""
        """Of the turn being spoken, so far; empty when there is none."""
        self._turns: list[str] = []
        self._tones = Tones()
        self._keys: list[str] = []
        self._recognised = self._sounded = 0.0
        self._news = asyncio.Event()

    async def attend(self, ear: SpeechToText, sound: AsyncIterator[bytes]) -> None:
        """Keep up with what is said until the sound ends."""
        async for event in ear.listen(self._overheard(sound)):
            match event:
                case Partial(text):
                    self.words = text
                case TurnEnd(text):
                    self.words = ""
                    self._turns += [text] if text.strip() else []
                case _:
                    continue
            self._recognised = _now()
            self._news.set()

    async def _overheard(self, sound: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for frame in sound:
            if audio.level(frame) > _LOUD:
                self._sounded = _now()
            for tone in self._tones.feed(frame):
                if tone.signal is Signal.KEY:
                    self._keys.append(tone.key)
                    self._news.set()
            yield frame

    def has_spoken(self) -> bool:
        """Whether there is anything that was not taken yet."""
        return bool(self._turns or self.words)

    def has_pressed(self) -> bool:
        """Whether a key was heard that was not taken yet."""
        return bool(self._keys)

    def pressed(self) -> str:
        """The first of the keys heard; those after it are dropped."""
        keys, self._keys = self._keys, []
        return keys[0] if keys else ""

    def is_silent(self) -> bool:
        return not self.words

    def finished_in(self, silence: float) -> float:
        """Seconds until what was said may be taken as all, if nothing more comes and so much silence is wanted."""
        if self.words:
            return self._recognised + STUCK - _now()
        quiet = min(self._sounded + BREATH, self._recognised + NOISE)
        return max(self._recognised + silence, quiet) - _now()

    def take(self) -> str:
        """Everything said and not taken yet."""
        words = " ".join([*self._turns, self.words]).strip()
        self._turns, self.words = [], ""
        return words

    async def news(self, within: float | None = None) -> None:
        """Until something more is recognised, or this many seconds have passed."""
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._news.wait()

    async def until(self, condition: Callable[[], bool], within: float | None = None) -> bool:
        """Whether the condition comes to hold in so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not condition():
                    await self.news()
        return condition()

    async def insists(self, seconds: float) -> None:
        """Until the caller has been speaking for so long at a stretch."""
        await self.until(lambda: not self.is_silent())
        while await self.until(self.is_silent, seconds):
            await self.until(lambda: not self.is_silent())


def _reasons(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [reason for inner in error.exceptions for reason in _reasons(inner)]
    return [str(error)]


def _now() -> float:
    return asyncio.get_running_loop().time()
