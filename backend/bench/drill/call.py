"""One call of the fault drill: held on a virtual clock of its own, and judged by what the callee heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from backend.bench.drill.line import FRAME, Actor, FaultyPhone
from backend.bench.drill.own_turn import Span, Step, Tape, misconduct, quiet, silences
from backend.bench.drill.plan import CallPlan
from backend.bench.drill.providers import ANSWERS, Clock, FaultyEars, FaultyModel, FaultyVoice
from backend.bench.virtual_time import run
from backend.call.diary import Diary
from backend.call.events import Action, CalleeSays, Ending, FloorEvent
from backend.call.hedge import Budget, Pace
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.session import Kit, Session
from backend.call.voice import Voice
from backend.models import Brief, Call, LineKind, Outcome, Speaker, Status, TurnState
from backend.storage.store import Store

LONGEST_SILENCE = 2.5
"""Seconds of own-turn silence that no fault may cause."""
LONGEST_QUIET = 15.0
"""Seconds without a sound from either side after which something is stuck: patience, twice, is less."""
_GRACE = 45.0
"""Seconds that a call may last beyond its limit: the goodbye, and a slow hang-up."""

_BRIEF = Brief(
    to="+12025550143",
    action="Confirm the visit",
    context=" ".join(ANSWERS),
    callee_name="John Smith",
    organization="Green Dental",
    line=LineKind.PHONE,
)


@dataclass(frozen=True, slots=True)
class Drill:
    """One call, as measured. Seconds."""

    seed: int
    silence: float
    """The longest own-turn silence."""
    quiet: float
    """The longest time without a sound of either side, whosever turn it was."""
    lasted: float
    """From pick-up until somebody hung up."""
    survivable: bool
    """Whether a line, ears, a model and a voice that work were always to be had."""
    failed: bool
    """Whether it ended as a failed call."""
    violations: tuple[str, ...] = ()
    """What should not have been, each as a sentence."""


class _Recorder(Diary):
    """The diary of a call, which also tells the tape what the floor was handed and what it decided."""

    def __init__(self, store: Store, call_id: str, clock: Clock, tape: Tape) -> None:
        super().__init__(store, call_id, clock.now)
        self._tape = tape

    def record(self, event: FloorEvent, actions: list[Action], at: float) -> None:
        self._tape.steps.append(Step(self.now(), event, tuple(actions)))
        super().record(event, actions, at)


class FaultCall:
    def __init__(self, plan: CallPlan, store: Store, session: type[Session] = Session) -> None:
        """
        Args:
            store: may be shared by calls of different seeds.
            session: what is drilled.
        """
        self.plan = plan
        self.tape = Tape()
        self.ending: Ending | None = None
        self._store = store
        self._session = session
        self._manners = Manners(longest_call=plan.longest)
        self._stuck = ""
        self._escaped: list[str] = []
        """What was raised where nobody waits for it, such as in a timer."""
        self._confirmed: Callable[[], str] = str

    def measure(self) -> Drill:
        """Hold the call and judge it. Whatever it ends by is a finding, and nothing else."""
        found = []
        try:
            run(self._hold(), limit=self.plan.rings + self.plan.longest + 2 * _GRACE)
        except Exception as error:
            found.append(self._stuck or f"it ended by {_innermost(error)!r}")
            self.tape.closed = min(self.tape.closed, self._latest())
        own, both = silences(self.tape, self._manners), quiet(self.tape)
        found += [f"an exception escaped: {what}" for what in self._escaped]
        found += [*self._too_quiet(own, both), *misconduct(self.tape), *self._row()]
        failed = self.ending is None or self.ending.outcome is Outcome.FAILED
        return Drill(
            seed=self.plan.seed,
            silence=_longest(own),
            quiet=_longest(both),
            lasted=round(self.tape.closed, 2),
            survivable=self.plan.survivable,
            failed=failed,
            violations=tuple(found),
        )

    def log(self) -> list[str]:
        """Everything that happened, in order, with seconds from pick-up."""
        lines = list(self.tape.notes)
        lines += [(step.at, f"floor: {step.event} -> {_listed(step.actions)}") for step in self.tape.steps]
        lines += [(since, f"sound of the agent until {until:.2f}") for since, until in self.tape.agent]
        lines += [(since, f"sound of the callee until {until:.2f}") for since, until in self.tape.callee]
        return [f"{at:8.2f}  {what}" for at, what in sorted(lines, key=lambda line: line[0])]

    # --- holding it -----------------------------------------------------------------------------------------

    async def _hold(self) -> None:
        plan, tape, clock = self.plan, self.tape, Clock(self.plan.rings)
        asyncio.get_running_loop().set_exception_handler(self._note_escaped)
        self._store.add(Call(str(plan.seed), _BRIEF))
        diary = _Recorder(self._store, str(plan.seed), clock, tape)
        ears, phone = FaultyEars(plan.faults, clock, tape), FaultyPhone(plan.faults, clock, tape)
        phone.listener = Actor(plan.acts, phone, ears, clock, tape).hear
        self._confirmed = phone.confirmed
        async with AsyncExitStack() as stack:
            mind = await stack.enter_async_context(self._mind(clock))
            voice = await stack.enter_async_context(self._voice(clock))
            session = self._session(_BRIEF, Kit(ears, mind, voice), diary, self._manners)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            preparing = group.create_task(session.prepare())
            await asyncio.sleep(plan.rings)
            carrier = group.create_task(self._picked_up(session, ears, phone, clock))
            try:
                async with asyncio.timeout(plan.longest + _GRACE) as limit:
                    self.ending = await session.converse(phone)
            finally:
                if limit.expired():
                    self._stuck = f"it was still open after {clock.now():.0f} s"
                    tape.notes.append((clock.now(), self._stuck))
                preparing.cancel()
                carrier.cancel()
        diary.close(Status.COMPLETED, self.ending)

    def _note_escaped(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._escaped.append(repr(context.get("exception", context["message"])))

    async def _picked_up(self, session: Session, ears: FaultyEars, phone: FaultyPhone, clock: Clock) -> None:
        """From pick-up on, what happens by the clock alone."""
        loop = asyncio.get_running_loop()
        ears.pick_up()
        phone.pick_up()
        for at, event in self.plan.operator:
            loop.call_at(clock.at(at), session.post, event)
        if self.plan.leaves is not None:
            loop.call_at(clock.at(self.plan.leaves), phone.leave, "They hung up.")
        await phone.run()

    def _mind(self, clock: Clock) -> Mind:
        plan = self.plan
        models = [FaultyModel(one, plan.faults, plan.answers, self.tape, clock) for one in range(1 + plan.fallback)]
        return Mind(models, self._manners, [Pace(Budget()) for _ in models])

    def _voice(self, clock: Clock) -> Voice:
        voices = [FaultyVoice(one, self.plan.faults, self.tape, clock) for one in range(1 + self.plan.fallback)]
        return Voice(voices, self._manners, {})

    # --- judging it -----------------------------------------------------------------------------------------

    def _latest(self) -> float:
        """When the last thing happened in a call that broke."""
        moments = [at for at, _ in self.tape.notes] + [step.at for step in self.tape.steps]
        return max([0.0, *moments, *(span.until for span in self.tape.agent)])

    def _too_quiet(self, own: Iterable[Span], both: Iterable[Span]) -> Iterator[str]:
        for silence in own:
            if silence.seconds > LONGEST_SILENCE + FRAME:
                yield f"{silence.seconds:.2f} s of own-turn silence from {silence.since:.2f} s on"
        for silence in both:
            if silence.seconds > LONGEST_QUIET:
                yield f"{silence.seconds:.2f} s without any sound from {silence.since:.2f} s on"

    def _row(self) -> Iterator[str]:
        """What is wrong with what is in the database."""
        call, turns = self._store.call(str(self.plan.seed)), self._store.turns(str(self.plan.seed))
        if self.ending and not (call and call.status.final and call.ending.strip() and call.outcome):
            yield "its row does not say how it ended"
        if self.ending and (left := [turn.number for turn in turns if turn.state is TurnState.OPEN]):
            yield f"turns {left} were left open"
        heard = [word for turn in turns if turn.speaker is Speaker.AGENT for word in turn.heard.split()]
        if (unheard := _unheard(heard, self._confirmed())) is not None:
            yield f"the history has {unheard!r} as heard, which was never confirmed"


def _unheard(words: Iterable[str], confirmed: str) -> str | None:
    """The first of these words that was not played after the ones before it."""
    at = 0
    for word in words:
        found = confirmed.find(word, at)
        if found < 0:
            return word
        at = found + len(word)
    return None


def _longest(spans: Iterable[Span]) -> float:
    return round(max((span.seconds for span in spans), default=0.0), 2)


def _listed(actions: Iterable[Action]) -> str:
    return ", ".join(str(action) for action in actions if not isinstance(action, CalleeSays)) or "nothing"


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
