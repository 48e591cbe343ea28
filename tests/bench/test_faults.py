"""The fault drill: no call is silent, stuck, untrue or nameless, whatever breaks; and the drill sees when one is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import audio
from backend.bench.drill.call import LONGEST_SILENCE, Drill, FaultCall
from backend.bench.drill.faults import Drilled, drill, replay
from backend.bench.drill.line import Actor, FaultyPhone
from backend.bench.drill.own_turn import CalleeTurn, Span, Step, Tape, misconduct, quiet, silences
from backend.bench.drill.plan import (
    Act,
    CallPlan,
    Deed,
    EarsFault,
    Fault,
    LineFault,
    ModelFault,
    VoiceFault,
    Which,
    plan,
)
from backend.bench.drill.providers import Clock, FaultyEars
from backend.bench.stand_ins import read_back, voiced
from backend.bench.virtual_time import in_virtual_time
from backend.call.diary import Diary
from backend.call.events import (
    End,
    Ending,
    Held,
    Hold,
    Release,
    Reply,
    ReplyDone,
    ReplyFailed,
    Stop,
    Tick,
)
from backend.call.manners import Manners
from backend.call.session import Kit, Session
from backend.models import Brief, Heard, LineEvent, Outcome, Partial, ProviderError, Sound, TurnEnd
from backend.seams import Line
from backend.storage.store import Store

MANNERS = Manners()
ENDING = Ending("The agent finished the call.", Outcome.CONFIRMED)


@pytest.mark.timeout(300)
def test_no_call_is_silent_stuck_untrue_or_nameless_whatever_breaks() -> None:
    progress: list[int] = []
    drilled = drill(150, seed=1, progress=progress.append)
    assert drilled.violations == []
    assert drilled.worst.silence <= LONGEST_SILENCE + 0.02
    assert (sum(progress), len(drilled.calls)) == (150, 150)


# --- what is drawn ----------------------------------------------------------------------------------------------


def test_every_stage_every_fault_and_every_deed_is_drawn() -> None:
    plans = [plan(seed) for seed in range(600)]
    kinds = {fault.kind for one in plans for fault in one.faults}
    assert kinds == {*EarsFault, *ModelFault, *VoiceFault, *LineFault}
    assert {act.deed for one in plans for act in one.acts} == set(Deed)
    assert {len(one.faults) for one in plans} == {0, 1, 2}


@given(st.integers(0, 10_000))
def test_a_seed_is_always_the_same_call(seed: int) -> None:
    assert plan(seed) == plan(seed)


@given(st.integers(0, 10_000))
def test_a_turn_is_told_in_order_and_after_it_was_said(seed: int) -> None:
    for act in plan(seed).acts:
        script = list(act.script())
        moments = [offset for offset, _ in script]
        sounds = [offset + happens for offset, happens in script if isinstance(happens, float)]
        assert moments == sorted(moments)
        assert act.deed is Deed.NOISE or moments[-1] > max(sounds)


@pytest.mark.parametrize(
    ("faults", "survivable"),
    [
        ((), True),
        ((Fault(ModelFault.STALL, which=Which.FIRST), Fault(VoiceFault.STALL, which=Which.SECOND)), True),
        ((Fault(ModelFault.STALL, which=Which.BOTH),), False),
        ((Fault(VoiceFault.ERROR, which=Which.FIRST), Fault(VoiceFault.DRIP, which=Which.SECOND)), False),
        ((Fault(EarsFault.DIE),), False),
        ((Fault(LineFault.LOST),), False),
    ],
)
def test_a_call_is_survivable_while_one_of_each_is_sound(faults: tuple[Fault, ...], survivable: bool) -> None:
    assert replace(plan(1), fallback=True, faults=faults).survivable is survivable
    assert not replace(plan(1), fallback=False, faults=(Fault(ModelFault.ERROR),)).survivable


def test_sound_is_read_back_wherever_it_was_cut() -> None:
    sound = voiced("Hello, tall fellow.")
    assert read_back(sound) == "Hello, tall fellow."
    assert read_back(sound[160:-160]) == "ello, tall fellow"


@in_virtual_time
async def test_what_late_ears_tell_at_the_same_moment_is_told_in_its_order() -> None:
    tape, stall = Tape(), Fault(EarsFault.STALL, at=0.0, seconds=2.0)
    ears = FaultyEars([stall], Clock(0.0), tape)
    words = "Yes, that works for me, and so would any other day of that week.".split()
    told: list[Heard] = [Partial(" ".join(words[: count + 1])) for count in range(len(words))]
    for heard in [*told, TurnEnd(" ".join(words))]:
        ears.hear(heard, None)
        await asyncio.sleep(0.1)
    await asyncio.sleep(2.0)
    assert [note for _, note in tape.notes] == [f"heard {heard}" for heard in [*told, TurnEnd(" ".join(words))]]


@in_virtual_time
async def test_a_callee_who_speaks_while_they_cough_is_heard_when_the_tape_says_so() -> None:
    tape, clock = Tape(), Clock(0.0)
    phone, ears = FaultyPhone((), clock, tape), FaultyEars((), clock, tape)
    acts = [Act(Deed.NOISE, 0.0), Act(Deed.INTERRUPTION, 0.0, "Wait, stop, I have a question.")]
    phone.listener = Actor(acts, phone, ears, clock, tape).hear
    carrier = asyncio.create_task(phone.run())
    await asyncio.sleep(4.0)
    phone.leave("They hung up.")
    await carrier
    taken: list[LineEvent] = []
    await phone.pour(taken.append)
    sounds = [event.mulaw for event in taken if isinstance(event, Sound)]
    loud = sum(any(byte != audio.SILENCE[0] for byte in mulaw) for mulaw in sounds) * 0.02
    assert loud == pytest.approx(tape.callee[-1].until - tape.callee[0].since, abs=0.05)
    assert tape.turns[0].ended == tape.callee[-1].until


# --- what is silence ----------------------------------------------------------------------------------------------


def own(tape: Tape) -> list[tuple[float, float]]:
    return [(round(since, 2), round(until, 2)) for since, until in silences(tape, MANNERS)]


def test_the_opening_is_owed_once_the_greeting_has_been_waited_for() -> None:
    assert own(Tape(agent=[Span(1.5, 4.0)], closed=9.0)) == [(MANNERS.greeting_wait, 1.5)]
    assert own(Tape(callee=[Span(1.0, 2.0)], agent=[Span(2.5, 4.0)], closed=9.0)) == [(2.0, 2.5)]
    assert own(Tape(closed=5.0)) == [(MANNERS.greeting_wait, 5.0)]


def test_a_turn_of_the_callee_is_owed_an_answer_from_its_last_sound_on() -> None:
    turn = CalleeTurn("What is this about?", began=5.0, ended=6.0, told=6.3)
    steps = [Step(6.3, Tick(), [Reply(2)])]
    tape = Tape(agent=[Span(1.2, 4.0), Span(8.0, 9.0)], callee=[Span(5.0, 6.0)], turns=[turn], steps=steps, closed=9.0)
    assert own(tape) == [(6.0, 8.0)]
    turn.told = 7.5
    assert own(tape) == [(6.3, 8.0)], "the decision came first"
    tape.steps = [Step(7.5, Tick(), [Reply(2)])]
    assert own(tape) == [(7.0, 8.0)], "nobody can know before the recogniser does"


def test_words_without_an_end_are_a_turn_after_a_while_and_words_never_told_are_none() -> None:
    turn = CalleeTurn("What is this about?", began=5.0, ended=6.0, last_words=("What is this about?", 6.1))
    tape = Tape(agent=[Span(1.2, 4.0)], callee=[Span(5.0, 6.0)], turns=[turn], closed=12.0)
    assert own(tape) == [(round(6.1 + MANNERS.stalled_turn, 2), 12.0)]
    tape.callee.append(Span(7.0, 7.5))
    assert own(tape) == [(round(7.5 + MANNERS.stalled_turn, 2), 12.0)]
    tape.callee.pop()
    turn.last_words = ("What is", 6.1)
    assert own(tape) == [(round(6.1 + MANNERS.stalled_turn + MANNERS.unfinished_wait, 2), 12.0)]
    turn.last_words = ("", inf)
    assert own(tape) == []
    assert quiet(tape)[-1] == Span(6.0, 12.0)


def test_the_rest_of_an_interrupted_reply_is_no_answer() -> None:
    turn = CalleeTurn("Wait, I have a question.", began=3.0, ended=3.5, told=3.8)
    tape = Tape(agent=[Span(1.2, 5.0)], callee=[Span(3.0, 3.5)], turns=[turn], closed=9.0)
    tape.steps = [Step(1.2, Tick(), [Reply(1)]), Step(5.0, ReplyDone(1), [])]
    assert own(tape) == [(5.0, 9.0)]
    turn.words = "Okay."
    assert own(tape) == []


def test_gaps_in_a_reply_are_the_agents_and_the_time_after_it_is_the_callees() -> None:
    tape = Tape(agent=[Span(1.2, 3.0), Span(4.0, 5.0)], closed=20.0)
    tape.steps = [Step(1.2, Tick(), [Reply(1)]), Step(6.0, ReplyDone(1), [])]
    assert own(tape) == [(3.0, 4.0)]
    tape.steps[-1] = Step(6.0, ReplyDone(1), [End(ENDING)])
    tape.closed = 6.0
    assert own(tape) == [(3.0, 4.0), (5.0, 6.0)], "after the last words the line is to be hung up"
    tape.steps[-1] = Step(6.0, ReplyFailed(1, "gone"), [Stop(1), End(ENDING)])
    assert own(tape) == [(3.0, 4.0), (5.0, 6.0)]


def test_a_prepared_reply_owes_nothing_before_its_release_and_a_held_one_does() -> None:
    tape = Tape(agent=[Span(1.2, 2.0)], closed=9.0)
    tape.steps = [
        Step(4.0, Tick(), [Reply(2, held=True)]),
        Step(6.0, Tick(), [Release(2)]),
        Step(8.0, Tick(), [Stop(2)]),
    ]
    assert own(tape) == [(6.0, 8.0)]
    tape.steps = [Step(1.2, Tick(), [Reply(1)]), Step(2.0, Tick(), [Hold(1)]), Step(5.0, Tick(), [Release(1)])]
    assert own(tape) == [(2.0, 9.0)]


def test_a_cough_breaks_a_silence_but_pays_no_debt() -> None:
    turn = CalleeTurn("What is this about?", began=5.0, ended=6.0, told=6.3)
    tape = Tape(agent=[Span(1.2, 4.0)], callee=[Span(5.0, 6.0), Span(7.0, 7.3)], turns=[turn], closed=8.0)
    assert own(tape) == [(6.0, 7.0), (7.3, 8.0)]


# --- what no call may do ----------------------------------------------------------------------------------------


def test_sound_after_a_stop_is_noticed_unless_it_was_cleared_and_is_another_reply() -> None:
    tape = Tape(agent=[Span(1.0, 4.0)], closed=9.0)
    tape.steps = [Step(1.0, Tick(), [Reply(1)]), Step(2.0, Tick(), [Stop(1), Reply(2)])]
    assert list(misconduct(tape)) == ["the sound of reply 1 went on after its stop at 2.00 s"]
    tape.emptied = [2.0]
    assert list(misconduct(tape)) == []
    tape.steps[-1] = Step(2.0, Tick(), [Stop(1)])
    assert list(misconduct(tape)) == ["there was sound outside any reply at 2.04 s, for 1.96 s"]


def test_two_replies_at_once_are_noticed() -> None:
    tape = Tape(closed=9.0)
    tape.steps = [Step(1.0, Tick(), [Reply(1)]), Step(2.0, Tick(), [Reply(2, held=True)])]
    assert list(misconduct(tape)) == []
    tape.steps.append(Step(3.0, Tick(), [Release(2)]))
    assert list(misconduct(tape)) == ["replies 1 and 2 were under way at once at 3.00 s"]


def test_a_reply_that_comes_to_its_end_while_it_is_held_is_noticed() -> None:
    tape = Tape(closed=9.0)
    held = [Step(1.0, Tick(), [Reply(1)]), Step(2.0, Tick(), [Hold(1)]), Step(2.0, Held(1, "Hi", "there"), [])]
    tape.steps = [*held, Step(2.1, ReplyDone(1), [])]
    assert list(misconduct(tape)) == ["reply 1 was over at 2.10 s although it was held"]
    tape.steps = [*held, Step(2.1, Tick(), [Release(1)]), Step(3.0, ReplyDone(1), [])]
    assert list(misconduct(tape)) == []
    tape.steps = [*held[:2], Step(2.0, Held(1, "Hi there", "", over=True), []), Step(2.1, ReplyDone(1), [])]
    assert list(misconduct(tape)) == []


# --- sessions that go wrong ---------------------------------------------------------------------------------------


class Mute(Session):
    """Never does anything."""

    async def converse(self, line: Line) -> Ending:
        await asyncio.sleep(3600)
        return ENDING


class Nameless(Session):
    """Hangs up and does not say why."""

    async def converse(self, line: Line) -> Ending:
        await line.hang_up()
        return Ending("", Outcome.UNCLEAR)


class Broken(Session):
    async def converse(self, line: Line) -> Ending:
        raise ProviderError("This should have been caught.")


class Untidy(Session):
    """Leaves a task behind."""

    async def converse(self, line: Line) -> Ending:
        await line.hang_up()
        self.left = asyncio.create_task(asyncio.sleep(3600))
        return ENDING


class Careless(Session):
    """Fails where nobody looks."""

    async def converse(self, line: Line) -> Ending:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(0)
        await line.hang_up()
        return ENDING


class Busy(Session):
    """Goes round in circles."""

    async def converse(self, line: Line) -> Ending:
        while True:
            await asyncio.sleep(0)


class Liar(Session):
    """Writes down words that nobody heard."""

    def __init__(self, brief: Brief, kit: Kit, diary: Diary, manners: Manners) -> None:
        super().__init__(brief, kit, diary, manners)
        self._book = diary

    async def converse(self, line: Line) -> Ending:
        await asyncio.sleep(1.0)
        self._book.turn(self._transcript.agent("Hello there.", "Hello there.", self._book.now(), {}))
        await line.hang_up()
        return ENDING


class Stray(Session):
    """Plays sound that belongs to no reply."""

    async def converse(self, line: Line) -> Ending:
        await line.play(voiced("Hello."))
        await asyncio.sleep(1.0)
        await line.hang_up()
        return ENDING


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Callable[[type[Session]], Drill]]:
    """The verdict on a session in a call in which nothing breaks."""
    nothing: CallPlan = replace(plan(1), rings=2.0, acts=(), leaves=None, operator=(), faults=(), longest=30.0)
    with Store(tmp_path / "calls.db") as store:
        yield lambda session: FaultCall(nothing, store, session).measure()


@pytest.mark.parametrize(
    ("session", "finding"),
    [
        (Mute, "it was still open after 75 s"),
        (Mute, "s of own-turn silence from 1.20 s on"),
        (Nameless, "its row does not say how it ended"),
        (Broken, "it ended by ProviderError('This should have been caught.')"),
        (Untidy, "it ended by LeftRunning"),
        (Careless, "an exception escaped: ValueError("),
        (Busy, "it ended by Deadlock"),
        (Liar, "the history has 'Hello' as heard, which was never confirmed"),
        (Liar, "turns [1] were left open"),
        (Stray, "there was sound outside any reply"),
    ],
)
def test_a_session_that_goes_wrong_is_noticed(
    judged: Callable[[type[Session]], Drill], session: type[Session], finding: str
) -> None:
    violations = judged(session).violations
    assert any(finding in violation for violation in violations), violations


def test_a_session_that_goes_right_is_left_in_peace(judged: Callable[[type[Session]], Drill]) -> None:
    drill = judged(Session)
    assert (drill.violations, drill.failed, drill.survivable) == ((), False, True)
    assert 0 < drill.silence < 1


# --- the report -----------------------------------------------------------------------------------------------------


def test_a_call_can_be_replayed_with_everything_that_happened() -> None:
    seed = next(seed for seed in range(100) if not plan(seed).faults)
    told = replay(seed)
    assert told == replay(seed)
    assert "floor: Connected()" in told
    assert "sound of the agent until" in told
    assert f"Drill(seed={seed}" in told


def test_calls_come_out_the_same_in_processes_of_their_own() -> None:
    assert drill(4, seed=5, processes=2) == drill(4, seed=5)


def test_the_sheet_names_the_worst_call_and_every_violation() -> None:
    good = Drill(seed=7, silence=1.0, quiet=8.0, lasted=30.0, survivable=True, failed=False)
    bad = Drill(
        seed=8, silence=4.0, quiet=9.0, lasted=30.0, survivable=True, failed=True, violations=("it was too quiet",)
    )
    sheet = Drilled((good, bad)).sheet()
    figures = {line.name: line for line in sheet.lines}
    assert figures["own-turn silence, faults"].worst == 4000.0
    assert figures["calls given up needlessly, faults"].median == 50.0
    assert sheet.problems == ("Call 8 of the fault drill: it was too quiet.",)
    assert "call 8 " in sheet.notes[0]
    assert [line.name for line in sheet.broken] == ["own-turn silence, faults", "broken rules, faults"]
    assert Drilled((good,)).sheet().broken == ()
