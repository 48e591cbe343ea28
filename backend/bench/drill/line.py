"""The far end of a call of the fault drill: a phone that breaks by plan, and a callee who acts by plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Sequence
from math import inf

from backend.bench.drill.own_turn import CalleeTurn, Span, Tape
from backend.bench.drill.plan import Act, Deed, Fault, LineFault
from backend.bench.drill.providers import Clock, FaultyEars, wait
from backend.bench.stand_ins import Phone, read_back
from backend.practice.playback import Frame

FRAME = 0.02
"""Seconds of sound that the carrier plays at a time."""
PATIENCE = 7.0
"""Seconds that a callee waits for the agent before they do what they meant to do anyway."""


class FaultyPhone(Phone):
    """A phone that breaks, and knows better than the agent what was played and what of it was ever confirmed."""

    def __init__(self, faults: Iterable[Fault], clock: Clock, tape: Tape) -> None:
        super().__init__()
        self._clock, self._tape = clock, tape
        self._faults = [fault for fault in faults if isinstance(fault.kind, LineFault)]
        self._runs: list[bytearray] = [bytearray()]
        """What was played without a `clear` in between."""
        self._confirmed: list[int] = [0]
        """How much of each was confirmed."""
        self._clearing = False
        self._sent: list[tuple[str, int, int]] = []
        """Every mark: its name, its run and the bytes before it in that run."""
        self.listener: Callable[[bool], None] = lambda _: None
        """Is told of every frame whether there is sound in it."""

    def pick_up(self) -> None:
        for fault in self._faults:
            if fault.kind is LineFault.LOST:
                asyncio.get_running_loop().call_at(self._clock.at(fault.at), self.leave, "The line broke.", True)

    def leave(self, why: str, lost: bool = False) -> None:
        """The far end is gone."""
        if self._tape.closed == inf:
            self._tape.closed = self._clock.now()
            self._tape.notes.append((self._clock.now(), why))
            self.drop(why, lost)

    def confirmed(self) -> str:
        """The words that the agent may know to be heard, without blanks; a line for each uninterrupted run."""
        pairs = zip(self._runs, self._confirmed, strict=True)
        return "\n".join("".join(read_back(run[:size]).split()) for run, size in pairs)

    async def run(self) -> None:
        while self._tape.closed == inf:
            self.tick()
            await asyncio.sleep(FRAME)

    def tick(self) -> Frame:
        frame = super().tick()
        if frame.spoken:
            self._runs[-1] += frame.sound[: frame.spoken]
            _sounds(self._tape.agent, self._clock.now())
            if not self.playback.waiting:
                self._tape.emptied.append(self._clock.now())
        self.listener(frame.spoken > 0)
        return frame

    async def play(self, sound: bytes, mark: str = "") -> None:
        if mark:
            self._sent.append((mark, len(self._runs) - 1, len(self._runs[-1]) + self.playback.waiting + len(sound)))
        await super().play(sound, str(len(self._sent) - 1) if mark else "")

    async def clear(self) -> None:
        self._clearing = True
        await super().clear()
        self._clearing = False
        self._runs.append(bytearray())
        self._confirmed.append(0)
        self._tape.emptied.append(self._clock.now())

    async def transfer(self) -> None:
        await self.hang_up()

    async def hang_up(self, farewell: str = "") -> None:
        if self._tape.closed == inf:
            self._tape.closed = self._clock.now()
            self._tape.notes.append((self._clock.now(), f"hung up, farewell {farewell!r}"))
        await super().hang_up(farewell)
        await wait(sum(fault.seconds for fault in self._faults if fault.kind is LineFault.SLOW_HANG_UP))

    def _return(self, marks: Sequence[str]) -> None:
        now, delay = self._clock.now(), 0.0
        for fault in self._faults:
            if fault.kind is LineFault.NO_MARKS and fault.at <= now < fault.at + fault.seconds:
                return
            if fault.kind is LineFault.LATE_MARKS and now >= fault.at:
                delay = fault.seconds
        for mark in marks:
            if delay:
                asyncio.get_running_loop().call_later(delay, self._deliver, mark, not self._clearing)
            else:
                self._deliver(mark, not self._clearing)

    def _deliver(self, mark: str, played: bool) -> None:
        name, run, size = self._sent[int(mark)]
        if played:
            self._confirmed[run] = max(self._confirmed[run], size)
        super()._return([name])


def _sounds(spans: list[Span], now: float) -> None:
    """Another frame of sound begins."""
    if spans and now - spans[-1].until < FRAME / 2:
        spans[-1] = Span(spans[-1].since, now + FRAME)
    else:
        spans.append(Span(now, now + FRAME))


# --- callee -----------------------------------------------------------------------------------------------------

_Life = Generator[None, bool, None]


class Actor:
    """The callee: acts by plan, frame by frame, on what their earpiece plays."""

    def __init__(self, acts: Sequence[Act], phone: FaultyPhone, ears: FaultyEars, clock: Clock, tape: Tape) -> None:
        self._acts, self._phone, self._ears, self._clock, self._tape = acts, phone, ears, clock, tape
        self._spoken = self._quiet = self._waited = 0.0
        """Seconds since their last act that the agent spoke, and since it last did; and both together."""
        self._life: _Life | None = self._live()
        next(self._life)

    def hear(self, agent: bool) -> None:
        """One frame of the earpiece: whether there is sound in it."""
        self._spoken += FRAME * agent
        self._quiet = 0.0 if agent else self._quiet + FRAME
        self._waited += FRAME
        try:
            if self._life:
                self._life.send(agent)
        except StopIteration:
            self._life = None

    def _live(self) -> _Life:
        yield
        for act in self._acts:
            while not self._moment(act):
                yield
            if act.deed is not Deed.SILENCE:
                yield from self._perform(act)
            self._spoken = self._waited = 0.0

    def _moment(self, act: Act) -> bool:
        """Whether it is this act's moment."""
        match act.deed:
            case Deed.GREETING:
                return self._clock.now() >= act.wait
            case Deed.SILENCE:
                return self._waited >= act.wait
            case Deed.TURN:
                return self._quiet >= (act.wait if self._spoken else PATIENCE)
            case _:
                return self._spoken >= act.wait or self._quiet >= PATIENCE

    def _perform(self, act: Act) -> _Life:
        began = self._clock.now()
        turn = self._begin(act, began)
        for offset, happens in act.script():
            while self._clock.now() < began + offset - FRAME / 2:
                yield
            if isinstance(happens, float):
                ended = self._sound(happens)
                if turn:
                    turn.ended = ended
            else:
                self._ears.hear(happens, turn)

    def _sound(self, seconds: float) -> float:
        """Sound for so long from now on; what still sounds of a noise is heard meanwhile, and not before."""
        now = self._clock.now()
        sounding = max((span.until - now for span in self._tape.callee), default=0.0)
        self._phone.callee_sound(seconds - max(0.0, sounding))
        self._tape.callee.append(Span(now, now + seconds))
        return now + seconds

    def _begin(self, act: Act, now: float) -> CalleeTurn | None:
        self._tape.notes.append((now, f"callee: {act.deed} {act.words!r} {act.then!r}"))
        if not act.wants_answer:
            return None
        turn = CalleeTurn(f"{act.words} {act.then}".strip(), now)
        self._tape.turns.append(turn)
        return turn
