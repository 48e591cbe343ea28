"""What happens in one call of the fault drill, drawn from one number: what the callee does, and what breaks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from random import Random

from backend.call.events import Ending, FloorEvent, HangUp, Hint, MachineAnswered, Say
from backend.models import EagerEnd, Heard, Outcome, Partial, Resumed, TurnEnd

WORD = 0.3
"""Seconds that the callee takes to say a word."""
LAG = 0.1
"""Seconds from the end of a word to its being recognised."""


# --- what breaks ------------------------------------------------------------------------------------------------


class EarsFault(StrEnum):
    DIE = "ears die"
    STALL = "ears stall"
    LATE = "ears are late"
    EMPTY_ENDS = "ears end turns without words"
    DOUBLE_ENDS = "ears end turns twice"
    NO_ENDS = "ears end no turns"


class ModelFault(StrEnum):
    ERROR = "model refuses"
    STALL = "model stalls"
    BREAK = "model breaks off"
    STALL_MIDWAY = "model stalls in mid-answer"
    WORDLESS = "model has no words"
    ONLY_END = "model ends the call without words"
    UNKNOWN_TOOL = "model wants an unknown tool"
    ENDLESS = "model does not stop"
    DRIP = "model drips"


class VoiceFault(StrEnum):
    ERROR = "voice refuses"
    BREAK = "voice breaks off"
    STALL = "voice stalls"
    STALL_MIDWAY = "voice stalls in mid-sentence"
    SLOW_START = "voice begins late"
    DRIP = "voice drips"


class LineFault(StrEnum):
    NO_MARKS = "line returns no marks"
    LATE_MARKS = "line returns marks late"
    LOST = "line is lost"
    SLOW_HANG_UP = "line hangs up slowly"


Kind = EarsFault | ModelFault | VoiceFault | LineFault


class Which(StrEnum):
    """Of the two models or voices."""

    FIRST = "first"
    SECOND = "second"
    BOTH = "both"

    def includes(self, index: int) -> bool:
        return self is Which.BOTH or (self is Which.FIRST) == (index == 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks. Ears and line break at a moment, models and voices at a request."""

    kind: Kind
    at: float = 0.0
    """Ears and line: seconds from pick-up."""
    which: Which = Which.FIRST
    first: int = 0
    """Model and voice: the first request that it strikes, counted from 0; a voice's count begins while it rings."""
    times: float = 1
    """Model and voice: how many requests in a row it strikes; infinity: all from then on."""
    seconds: float = inf
    """How long a stall or a delay is."""
    depth: int = 0
    """Model and voice: characters that come before it strikes."""

    def strikes(self, request: int) -> bool:
        return self.first <= request < self.first + self.times


# --- what the callee does ---------------------------------------------------------------------------------------


class Deed(StrEnum):
    GREETING = "greeting"
    """At its moment after pick-up."""
    TURN = "turn"
    """When the agent has been quiet for a while."""
    INTERRUPTION = "interruption"
    """When the agent has spoken for a while."""
    BACKCHANNEL = "backchannel"
    """The same, but wants no answer."""
    NOISE = "noise"
    """The same, and there are no words in it."""
    SILENCE = "silence"
    """Does nothing for so long."""


@dataclass(frozen=True, slots=True)
class Act:
    deed: Deed
    wait: float
    """Seconds: what for says the deed."""
    words: str = ""
    eager: bool = False
    """Whether the recogniser announces the end of the turn before it is sure."""
    then: str = ""
    """What the callee adds after a pause that looked like the end of the turn."""
    settles: float = 0.3
    """Seconds from the last sound to the recogniser's end of the turn."""

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return WORD * len((self.words or "a noise of some kind").split())

    @property
    def wants_answer(self) -> bool:
        """Greetings want none, other than the opening, which comes anyway."""
        return self.deed in (Deed.TURN, Deed.INTERRUPTION) or self.words == _QUESTION

    def script(self) -> Iterator[tuple[float, float | Heard]]:
        """What happens, with the seconds from its beginning: sound of so many seconds, or words recognised."""
        yield 0.0, self.seconds
        if self.deed is Deed.NOISE:
            return
        yield from _partials(self.words, "", 0.0)
        said, ended = self.words, self.seconds
        if self.then:
            yield ended + 0.2, EagerEnd(said)
            again = ended + _PAUSE
            yield again, WORD * len(self.then.split())
            yield again + 0.06, Resumed()
            yield from _partials(self.then, said + " ", again)
            said, ended = f"{said} {self.then}", again + WORD * len(self.then.split())
        if self.eager:
            yield ended + 0.5 * self.settles, EagerEnd(said)
        yield ended + self.settles, TurnEnd(said)


_PAUSE = 0.7


def _partials(text: str, before: str, since: float) -> Iterator[tuple[float, Heard]]:
    words = text.split()
    for count in range(1, len(words) + 1):
        yield since + WORD * count + LAG, Partial(before + " ".join(words[:count]))


@dataclass(frozen=True, slots=True)
class CallPlan:
    seed: int
    rings: float
    """Seconds in which the call can be prepared."""
    acts: tuple[Act, ...]
    leaves: float | None
    """Seconds from pick-up at which the callee hangs up, if the call lasts so long."""
    answers: int
    """With how many answers the model has ended the call."""
    fallback: bool
    """Whether there are a second model and a second voice."""
    operator: tuple[tuple[float, FloorEvent], ...]
    """What comes from the operator and the carrier's machine detection, in seconds from pick-up."""
    faults: tuple[Fault, ...]
    longest: float
    """Seconds a call may last."""

    @property
    def survivable(self) -> bool:
        """Whether line and ears hold, and one model and one voice are always sound."""
        gone = any(fault.kind in (EarsFault.DIE, LineFault.LOST) for fault in self.faults)
        return self.fallback and not gone and self._one_left(ModelFault) and self._one_left(VoiceFault)

    def _one_left(self, kinds: type[StrEnum]) -> bool:
        struck = [fault.which for fault in self.faults if isinstance(fault.kind, kinds)]
        return any(not any(which.includes(index) for which in struck) for index in (0, 1))


# --- drawing it -------------------------------------------------------------------------------------------------

_GREETINGS = ("Hello?", "Hello.", "Hi, good morning.", "Yes, hello?")
_QUESTION = "Smith residence, who is calling at this hour?"
_TURNS = (
    "Yes.",
    "Yes, that works for me.",
    "Okay.",
    "What is this about exactly?",
    "No, Thursday is impossible for us.",
    "Could you tell me the address again please?",
    "I would rather come on Monday at nine.",
    "Fine, let us do that.",
    "I think so.",
)
_INTERRUPTIONS = ("Sorry, which day was that?", "Wait, stop, I have a question.", "No, that is wrong.")
_BACKCHANNELS = ("Uh-huh.", "Okay.", "Mm-hm.", "Right, yeah.")
_MORE = ("but only in the afternoon.", "if the doctor is there.", "and my husband comes too.")
_SPEAKS_FIRST = 0.7
_LIKELY = 0.5


def plan(seed: int) -> CallPlan:
    """The same for the same seed on every machine."""
    draw = Random(seed)
    faults = tuple(_fault(draw) for _ in range(draw.choices((0, 1, 2), (1, 4, 4))[0]))
    if len(faults) == 2 and draw.random() < 0.3:
        # The same thing twice, at another moment.
        again = _fault(draw)
        faults = (faults[0], Fault(faults[0].kind, again.at, again.which, again.first, again.times, faults[0].seconds))
    return CallPlan(
        seed=seed,
        rings=draw.choice((0.0, 0.5, 2.0, 5.0, 10.0)),
        acts=tuple(_acts(draw)),
        leaves=draw.uniform(0.0, 60.0) if draw.random() < 0.2 else None,
        answers=draw.randint(2, 5),
        fallback=draw.random() < 0.75,
        operator=tuple(_operator(draw)),
        faults=faults,
        longest=draw.choice((30.0, 60.0, 60.0)),
    )


def _acts(draw: Random) -> Iterator[Act]:
    if draw.random() < _SPEAKS_FIRST:
        words = draw.choice((*_GREETINGS, _QUESTION))
        yield Act(Deed.GREETING, draw.uniform(0.0, 2.0), words, settles=draw.uniform(0.2, 0.7))
    for _ in range(draw.choice((0, 2, 3, 4, 5, 6))):
        yield _act(draw)


def _act(draw: Random) -> Act:
    deeds = (Deed.TURN, Deed.INTERRUPTION, Deed.BACKCHANNEL, Deed.NOISE, Deed.SILENCE)
    deed = draw.choices(deeds, (12, 3, 2, 2, 1))[0]
    eager, settles = draw.random() < _LIKELY, draw.uniform(0.2, 0.7)
    match deed:
        case Deed.TURN:
            then = draw.choice(_MORE) if draw.random() < 0.2 else ""
            return Act(deed, draw.uniform(0.2, 2.0), draw.choice(_TURNS), eager, then, settles)
        case Deed.INTERRUPTION:
            return Act(deed, draw.uniform(0.1, 4.0), draw.choice(_INTERRUPTIONS), eager, settles=settles)
        case Deed.BACKCHANNEL:
            return Act(deed, draw.uniform(0.1, 4.0), draw.choice(_BACKCHANNELS), settles=settles)
        case Deed.NOISE:
            return Act(deed, draw.uniform(0.1, 4.0))
        case _:
            return Act(deed, draw.uniform(1.0, 20.0))


def _operator(draw: Random) -> Iterator[tuple[float, FloorEvent]]:
    if draw.random() < 0.15:
        yield draw.uniform(0.0, 30.0), Say("Please hold on, I am asking a colleague about that.")
    if draw.random() < 0.15:
        yield draw.uniform(0.0, 30.0), Hint("Offer Friday.")
    if draw.random() < 0.05:
        yield draw.uniform(0.0, 30.0), HangUp(Ending("The operator ended the call.", Outcome.STOPPED))
    if draw.random() < 0.15:
        kinds = ("human", "unknown", "machine_start", "machine_end_beep", "machine_end_silence", "fax")
        yield draw.uniform(0.0, 20.0), MachineAnswered(draw.choices(kinds, (4, 2, 1, 2, 1, 1))[0])


_STAGES: Sequence[tuple[Sequence[Kind], int]] = (
    (tuple(EarsFault), 2),
    (tuple(ModelFault), 3),
    (tuple(VoiceFault), 3),
    (tuple(LineFault), 2),
)


def _fault(draw: Random) -> Fault:
    kind = draw.choice(draw.choices([kinds for kinds, _ in _STAGES], [weight for _, weight in _STAGES])[0])
    return Fault(
        kind,
        at=draw.choice((0.0, draw.uniform(0.0, 3.0), draw.uniform(0.0, 40.0))),
        which=draw.choices(tuple(Which), (6, 1, 3))[0],
        # A voice is asked for a dozen phrases before its first answer.
        first=draw.choice((0, draw.randint(8, 20))) if kind in VoiceFault else draw.choice((0, 0, 1, 2)),
        times=draw.choice((1, 2, inf)),
        seconds=_seconds(kind, draw),
        depth=draw.choice((0, 5, 20, 60)),
    )


def _seconds(kind: Kind, draw: Random) -> float:
    match kind:
        case EarsFault.LATE:
            return draw.uniform(0.3, 4.0)
        case ModelFault.DRIP | VoiceFault.DRIP:
            return draw.uniform(0.3, 2.5)
        case LineFault.LATE_MARKS:
            return draw.uniform(0.1, 3.0)
        case VoiceFault.SLOW_START | LineFault.SLOW_HANG_UP:
            return draw.uniform(0.5, 4.0)
        case _:
            return draw.choice((inf, draw.uniform(0.5, 10.0)))
