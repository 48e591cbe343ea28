"""The stand-in providers of a call, made to break by plan. What they do is noted on the tape."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from math import inf

from backend.bench.drill.own_turn import CalleeTurn, Tape
from backend.bench.drill.plan import EarsFault, Fault, ModelFault, VoiceFault
from backend.bench.stand_ins import Ears, Warm, end_call, voiced
from backend.models import (
    Answered,
    Conversation,
    EagerEnd,
    Heard,
    Partial,
    ProviderError,
    Said,
    Speaker,
    Spoken,
    ToolUse,
    TurnEnd,
    Voiced,
)


class Clock:
    """Seconds from pick-up."""

    def __init__(self, picked_up: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._picked_up = picked_up

    def now(self) -> float:
        return self._loop.time() - self._picked_up

    def at(self, moment: float) -> float:
        """This moment in the loop's time."""
        return self._picked_up + moment


async def wait(seconds: float) -> None:
    """Sleep, even for ever."""
    if seconds == inf:
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(seconds)


# --- ears -------------------------------------------------------------------------------------------------------


class FaultyEars(Ears):
    def __init__(self, faults: Iterable[Fault], clock: Clock, tape: Tape) -> None:
        super().__init__()
        self._clock, self._tape = clock, tape
        self._faults = [fault for fault in faults if isinstance(fault.kind, EarsFault)]
        self._free_at = -inf
        """What is told comes out in order, however late some of it is."""
        self._to_tell: deque[tuple[Heard, CalleeTurn | None]] = deque()
        """Timers of the same moment do not run in the order they were set."""

    def pick_up(self) -> None:
        for fault in self._faults:
            if fault.kind is EarsFault.DIE:
                asyncio.get_running_loop().call_at(self._clock.at(fault.at), self._die)

    def _die(self) -> None:
        self._tape.notes.append((self._clock.now(), "ears die"))
        super().tell(ProviderError("The ears died."))

    def hear(self, heard: Heard, turn: CalleeTurn | None) -> None:
        """The callee said this, in this turn if it wants an answer."""
        events, due = [heard], self._clock.now()
        for fault in self._faults:
            if due < fault.at:
                continue
            match fault.kind:
                case EarsFault.LATE:
                    due += fault.seconds
                case EarsFault.STALL:
                    due = max(due, fault.at + fault.seconds)
                case EarsFault.EMPTY_ENDS:
                    events = [TurnEnd("") if isinstance(event, TurnEnd) else event for event in events]
                case EarsFault.DOUBLE_ENDS:
                    events += [event for event in events if isinstance(event, TurnEnd)]
                case EarsFault.NO_ENDS:
                    events = [event for event in events if not isinstance(event, TurnEnd)]
        due = self._free_at = max(due, self._free_at)
        for event in events if due < inf else ():
            self._to_tell.append((event, turn))
            if due > self._clock.now():
                asyncio.get_running_loop().call_at(self._clock.at(due), self._tell)
            else:
                self._tell()

    def _tell(self) -> None:
        """The next of what is to be told, whoever's moment it is."""
        event, turn = self._to_tell.popleft()
        self._tape.notes.append((self._clock.now(), f"heard {event}"))
        if turn and isinstance(event, TurnEnd):
            turn.told = min(turn.told, self._clock.now())
        if isinstance(event, (Partial, EagerEnd)) and (turn := turn or self._unended()):
            turn.last_words = event.text, self._clock.now()
        super().tell(event)

    def _unended(self) -> CalleeTurn | None:
        """The turn that words of no turn, such as a backchannel's, go on with for all that an agent can know."""
        last = self._tape.turns[-1] if self._tape.turns else None
        return last if last and last.told == inf and last.last_words[0] else None


# --- model ------------------------------------------------------------------------------------------------------

ANSWERS = (
    "That is fine. Is there anything else that I can note down for you?",
    "Your visit is on Thursday at two thirty in the old building. Does that suit you?",
    "I see. Let me write that down, and somebody will call you back about it tomorrow morning.",
    "Of course. It is twelve Main Street, right beside the station.",
    "Yes.",
)
_LAST = "All is settled then. Thank you, and goodbye."


class FaultyModel(Warm):
    def __init__(self, index: int, faults: Iterable[Fault], answers: int, tape: Tape, clock: Clock) -> None:
        self._index, self._answers, self._tape, self._clock = index, answers, tape, clock
        self._faults = [one for one in faults if isinstance(one.kind, ModelFault) and one.which.includes(index)]
        self._requests = 0

    async def warm(self, conversation: Conversation) -> None:
        return None

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        fault = next((one for one in self._faults if one.strikes(self._requests)), None)
        note = f"model {self._index} is asked, request {self._requests}" + (f": {fault.kind}" if fault else "")
        self._tape.notes.append((self._clock.now(), note))
        self._requests += 1
        turns = sum(line.speaker is Speaker.CALLEE for line in conversation.lines)
        text = _LAST if turns >= self._answers else ANSWERS[turns % len(ANSWERS)]
        await asyncio.sleep(0.35)
        async for piece in self._broken(text, fault) if fault else _streamed(text, 0.02):
            yield piece
        if text == _LAST and not (fault and fault.kind in (ModelFault.WORDLESS, ModelFault.UNKNOWN_TOOL)):
            yield end_call()

    async def _broken(self, text: str, fault: Fault) -> AsyncIterator[Answered]:
        match fault.kind:
            case ModelFault.ERROR:
                raise ProviderError("The model refused.")
            case ModelFault.STALL:
                await wait(fault.seconds)
                yield Said(text)
            case ModelFault.BREAK:
                yield Said(text[: fault.depth])
                raise ProviderError("The model broke off.")
            case ModelFault.STALL_MIDWAY:
                yield Said(text[: fault.depth])
                await wait(fault.seconds)
                yield Said(text[fault.depth :])
            case ModelFault.ONLY_END:
                yield end_call()
            case ModelFault.UNKNOWN_TOOL:
                yield ToolUse("transfer_call", {"to": "nobody"})
            case ModelFault.ENDLESS:
                yield Said(" ".join(ANSWERS * 10))
            case ModelFault.DRIP:
                async for piece in _streamed(text, fault.seconds):
                    yield piece


async def _streamed(text: str, pause: float) -> AsyncIterator[Said]:
    for word in text.split(" "):
        yield Said(word + " ")
        await asyncio.sleep(pause)


# --- voice ------------------------------------------------------------------------------------------------------


class FaultyVoice(Warm):
    """A voice whose sound can be read back: 10 characters a piece, as fast as they are wanted."""

    def __init__(self, index: int, faults: Iterable[Fault], tape: Tape, clock: Clock) -> None:
        self._index, self._tape, self._clock = index, tape, clock
        self._faults = [one for one in faults if isinstance(one.kind, VoiceFault) and one.which.includes(index)]
        self._requests = 0

    async def say(self, text: str) -> AsyncIterator[Voiced]:
        fault = next((one for one in self._faults if one.strikes(self._requests)), None)
        note = f"voice {self._index} is asked, request {self._requests}, {text!r}" + (
            f": {fault.kind}" if fault else ""
        )
        self._tape.notes.append((self._clock.now(), note))
        self._requests += 1
        await asyncio.sleep(0.1)
        if fault and fault.kind in (VoiceFault.ERROR, VoiceFault.STALL, VoiceFault.SLOW_START):
            await self._strike(fault)
        for at in range(0, len(text), 10):
            if fault and fault.kind is VoiceFault.DRIP:
                await asyncio.sleep(fault.seconds)
            if fault and at >= fault.depth and fault.kind in (VoiceFault.BREAK, VoiceFault.STALL_MIDWAY):
                await self._strike(fault)
                fault = None
            piece = text[at : at + 10]
            yield Spoken(voiced(piece), piece, tuple(range(0, 60 * len(piece), 60)))

    async def _strike(self, fault: Fault) -> None:
        if fault.kind in (VoiceFault.ERROR, VoiceFault.BREAK):
            raise ProviderError("The voice broke.")
        await wait(fault.seconds)
