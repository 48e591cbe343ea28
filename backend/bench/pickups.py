"""Whether it knows who answered: labelled pickups, heard as the product hears them, and what it makes of each.

The sound of each goes through the tone detector, the loudness detector and the offline recogniser, and what they tell
goes to `Pickup`, all counted in the sound's own time: a second of a pickup takes about a tenth of one. Words come as
late as a recogniser's on the network. The carrier's verdict is the practice carrier's, or, where the set says so, a
wrong one or none.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend import audio
from backend.bench.figures import Figure, Sheet, Target, share, single, spread
from backend.bench.sounds.pickups import Scene, scene
from backend.bench.sounds.sounds import CAST, frames
from backend.call.pickup.pickup import Pickup
from backend.call.pickup.tones import Tones
from backend.call.sound.loudness import Change, Loudness
from backend.engines.installed import deaf, mute
from backend.engines.pool import Engines
from backend.models import Answerer, EagerEnd, Heard, Partial, TurnEnd
from backend.practice.machine_detection import MachineDetection, Rules
from backend.running.launcher import CannotStart
from backend.stt import vad
from backend.stt.offline import Turn

_SET = Path(__file__).with_suffix(".toml")
_LATE = 0.15
"""Seconds from a sound to its words: a reading's own time, or a network's."""
_VERDICT_LATE = 0.3
"""Seconds from the carrier's verdict to its being told."""
_TAIL = 5.0
"""Seconds of silence after the last sound of a pickup."""
_SHOWN = 25
_AT_ONCE = 2
NOBODY = "nobody"
_FRAME = audio.seconds(audio.FRAME)


@dataclass(frozen=True, slots=True)
class Case:
    """One pickup of the set; the fields are explained in it."""

    number: int
    who: str
    says: str
    voice: str
    level: float
    line: str
    verdict: str
    meets: str
    held: bool
    """Whether rules were made without looking at it."""

    @property
    def human(self) -> bool:
        """Whether there is nobody but people."""
        return self.who == Answerer.PERSON and not self.meets


@dataclass(frozen=True, slots=True)
class Step:
    """What was known from a moment on, in seconds from pick-up."""

    at: float
    who: Answerer | None
    sure: bool
    why: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One pickup, and what was made of it."""

    case: Case
    steps: tuple[Step, ...]
    words: tuple[str, ...]
    """The turns as they were recognised."""
    ready: float | None
    """When one could first speak to whoever it was in the end."""
    ended: float
    """When the last that could be heard was over."""
    arrives: float

    @property
    def found(self) -> str:
        last = self.steps[-1]
        return last.who or (NOBODY if last.sure else "unknown")

    @property
    def right(self) -> bool:
        return self.found == self.case.who

    @property
    def sure(self) -> bool:
        return self.steps[-1].sure

    @property
    def mistreated(self) -> bool:
        """Whether a person was surely something else at any moment, or is in the end."""
        if self.case.who != Answerer.PERSON:
            return False
        people = [step for step in self.steps if self.case.human or step is self.steps[-1]]
        return not self.right or any(step.sure and step.who is not Answerer.PERSON for step in people)

    @property
    def settled(self) -> float | None:
        """When the right answer was there for good."""
        at = None
        for step in reversed(self.steps):
            if (step.who or NOBODY) != self.case.who or not step.sure:
                break
            at = step.at
        return at


def cases() -> list[Case]:
    """The set, in its order."""
    found: list[Case] = []
    voices = list(CAST)
    for kind, some in tomllib.loads(_SET.read_text()).items():
        for place, one in enumerate(some):
            number = len(found) + 1
            who = NOBODY if kind == NOBODY else str(Answerer[kind.upper()])
            usual = {"voice": voices[number % len(voices)], "level": -21.0, "line": "", "verdict": "", "meets": ""}
            found.append(Case(number=number, who=who, held=place % 3 == 2, **{**usual, **one}))
    return found


def measure(quick: bool, show: Callable[[int, int], object]) -> Sheet:
    """Hear them all, or when it is quick those that were held back.

    Raises:
        CannotStart: the speech engines are not installed.
    """
    if why := mute() or deaf():
        raise CannotStart(f"Pickups are made of real speech, and recognised. {why}")
    chosen = [case for case in cases() if case.held or not quick]
    return sheet(asyncio.run(judged(chosen, show)))


async def judged(chosen: Sequence[Case], show: Callable[[int, int], object] = lambda *_: None) -> list[Judged]:
    """What is made of each, in order.

    Raises:
        ProviderError: an engine does not work here.
    """
    done = 0
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Case) -> Judged:
        nonlocal done
        async with turns:
            result = await _hear(engines, case)
        done += 1
        show(done, len(chosen))
        return result

    async with Engines(_AT_ONCE) as engines:
        await engines.ready()
        return list(await asyncio.gather(*map(one, chosen)))


# --- one pickup ---------------------------------------------------------------------------------------------------


async def _hear(engines: Engines, case: Case) -> Judged:
    heard = await scene(engines, case.says, case.voice, case.level, case.line, case.number)
    told = await _recognised(engines, heard.sound)
    return judge(case, heard, told)


async def _recognised(engines: Engines, sound: bytes) -> list[tuple[float, Heard]]:
    """Everything that the offline recogniser tells of this sound, and when."""
    turn, silero, told, glimpses = Turn(), vad.Silero(), list[tuple[float, Heard]](), 0
    for place, (frame, probability) in enumerate(silero.feed(sound + audio.SILENCE * round(_TAIL * audio.RATE))):
        at = audio.seconds((place + 1) * vad.FRAME)
        told += [(at, heard) for heard in turn.hear(frame, probability)]
        if look := turn.wanted():
            glimpses += not look.urgent
            # Every other is skipped, as on a busy machine: they are most of the work.
            text = await engines.transcribe(look.sound) if look.urgent or glimpses % 2 else None
            told += [(at + _LATE, heard) for heard in turn.read(look, text)]
    return sorted(told, key=lambda one: one[0])


def judge(case: Case, heard: Scene, told: Sequence[tuple[float, Heard]]) -> Judged:
    """Tell it all to a `Pickup` in the order in which it happens."""
    pickup, tones, loudness = Pickup(), Tones(), Loudness()
    steps, ended, ready = [Step(0.0, None, False, "")], 0.0, None
    coming = sorted([*_words(told), *_verdicts(case, heard.sound), *_answers(heard)], key=lambda one: one[0])
    cut = frames(heard.sound) + [audio.SILENCE * audio.FRAME] * round(_TAIL / _FRAME)
    pickup.passes(0.0)
    for place, frame in enumerate(cut):
        now = (place + 1) * _FRAME
        while coming and coming[0][0] <= now:
            coming.pop(0)[1](pickup, now)
        for tone in tones.feed(frame):
            pickup.tone(tone, now)
        if change := loudness.feed(frame):
            pickup.sound(change is Change.ON, now)
            ended = now - loudness.quiet if change is Change.OFF else ended
        if pickup.deadline is not None and pickup.deadline <= now:
            pickup.passes(now)
        step = Step(now, pickup.who, pickup.sure, pickup.why)
        if (step.who, step.sure) != (steps[-1].who, steps[-1].sure):
            steps.append(step)
            ready = None
        ready = now if ready is None and pickup.ready else ready
    words = tuple(heard.text for _, heard in told if isinstance(heard, TurnEnd))
    steps[-1] = Step(steps[-1].at, steps[-1].who, steps[-1].sure, pickup.why)
    return Judged(case, tuple(steps), words, ready, ended, heard.arrives)


Told = tuple[float, Callable[[Pickup, float], None]]


def _words(told: Sequence[tuple[float, Heard]]) -> Iterator[Told]:
    for at, heard in told:
        if isinstance(heard, (Partial, EagerEnd, TurnEnd)):
            yield at, partial(_tell_words, text=heard.text, complete=isinstance(heard, TurnEnd))


def _tell_words(pickup: Pickup, now: float, text: str, complete: bool) -> None:
    pickup.hears(text, complete, now)


def _verdicts(case: Case, sound: bytes) -> Iterator[Told]:
    if case.verdict == "none":
        return
    if case.verdict:
        kind, after = case.verdict.split()
        yield _told_verdict(float(after), kind)
        return
    detection = MachineDetection(Rules(until_message_end=True))
    for frame in frames(sound + audio.SILENCE * round(_TAIL * audio.RATE)):
        if verdict := detection.hear(frame):
            yield _told_verdict(verdict.after_ms / 1000 + _VERDICT_LATE, verdict.answered_by)


def _told_verdict(at: float, kind: str) -> Told:
    return at, lambda pickup, now: pickup.verdict(kind, now)


def _answers(heard: Scene) -> Iterator[Told]:
    """What answers the agent does so when its first words are over."""
    for at in heard.answers:
        ends = [end for _, begin, end in heard.spoken if begin >= at]
        if ends and not heard.arrives:
            yield ends[0] + 0.6, lambda pickup, now: pickup.conversed(now)


# --- the sheet ----------------------------------------------------------------------------------------------------


def sheet(results: Sequence[Judged]) -> Sheet:
    """All of it, and those apart that no rule was made for."""
    held = [one for one in results if one.case.held]
    lines = [*_lines("pickups known rightly", results), *_lines("held back: known rightly", held)]
    lines += _times(results)
    problems = tuple(f"A person was taken for a machine: {_case(one)}." for one in results if one.mistreated)
    return Sheet("Pickups", tuple(lines), (*_matrix(results), *_misses(results), _HOW), problems)


_HOW = (
    "Speech by the offline voice, heard through the tone and loudness detectors and the offline recogniser; "
    "the carrier's verdict is wrong or missing in half of the cases."
)


def _lines(name: str, results: Sequence[Judged]) -> Iterator[Figure]:
    people = [one for one in results if one.case.who == Answerer.PERSON]
    yield share(name, sum(one.right for one in results), len(results), Target(least=95))
    yield single("  people taken for machines", "calls", float(sum(one.mistreated for one in people)), Target(most=0))
    yield share("  and sure of it", sum(one.right and one.sure for one in results), len(results))
    wrong = sum(one.sure and not one.right for one in results)
    yield share("  sure, and wrong", wrong, len(results))


def _times(results: Sequence[Judged]) -> Iterator[Figure]:
    """When it is known, from the end of the last sound; negative: before."""
    for who in (Answerer.PERSON, Answerer.VOICEMAIL):
        some = [one for one in results if one.case.who == who and one.right and not one.case.meets]
        known = [one.settled - one.ended for one in some if one.settled is not None]
        yield spread(f"{who}: known after its last sound", known)
        yield spread("  one may speak after", [one.ready - one.ended for one in some if one.ready is not None])


def _matrix(results: Sequence[Judged]) -> Iterator[str]:
    """Who it was, and what it was taken for."""
    counts = Counter((one.case.who, one.found) for one in results)
    for who in dict.fromkeys(one.case.who for one in results):
        row = {found: count for (truth, found), count in counts.items() if truth == who}
        taken = ", ".join(f"{count} {found}" for found, count in sorted(row.items(), key=lambda item: -item[1]))
        yield f"{who.capitalize()}: {sum(row.values())}, taken for {taken}."


def _misses(results: Sequence[Judged]) -> Iterator[str]:
    for one in [one for one in results if not one.right][:_SHOWN]:
        yield f"Wrong: {_case(one)}."


def _case(one: Judged) -> str:
    held = ", held back" if one.case.held else ""
    return f"number {one.case.number}{held}, {one.case.who}, was taken for {one.found}: {one.steps[-1].why}"
