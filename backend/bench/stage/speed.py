"""How fast the product answers: what it adds to the vendors' delays, and what speculation and hedging save."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from backend import audio
from backend.bench.delays import Delays
from backend.bench.figures import (
    Figure,
    Sheet,
    Target,
    first_loud,
    lateness,
    percentile,
    share,
    silence,
    single,
    spread,
)
from backend.bench.stage.guest import Cue, Guest
from backend.bench.stage.sayings import of_noise
from backend.bench.stage.stage import Held, Scenery, Stage, stage
from backend.loopback.anthropic import Received, Reply
from backend.loopback.elevenlabs_speech import Reader, Speech, toned

EAGER_BY_DEFAULT = 0.16
"""Seconds to the early end on this house's loopback recogniser elsewhere; Deepgram promises it sooner."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many calls of so many turns. The tail's make 20 n - 1 turns, of which n are slow: see `slow`."""

    calls: int = 12
    turns: int = 4
    tail_calls: int = 11
    tail_turns: int = 9
    openings: int = 3
    at_once: int = 6
    """Those of the tail are all held at once."""
    delays: Delays = field(default_factory=Delays)
    tail: float = 4.0
    """How much longer the first token takes in the tail."""
    rings: float = 1.5

    @property
    def total(self) -> int:
        """All the calls there are."""
        return self.openings + 2 * self.calls + 2 * self.tail_calls


QUICK = Plan(calls=2, turns=3, tail_calls=13, tail_turns=3, openings=1)
_SLOW = Delays(first_token=1.5, first_byte=1.0)
_SLOW_RINGS = 3.0
"""Longer than slow vendors take to voice the opening."""


# --- what is seen -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplySeen:
    """The moments of one reply."""

    sound_ended: float
    """The last of the callee's sound left the carrier."""
    turn_ended: float
    """The recogniser sent the end of the turn."""
    first_token: float
    """The model sent its first token."""
    asked: float
    """The first clause reached the voice."""
    voiced: float
    """The first sound left the voice."""
    arrived: float
    """The first sound reached the carrier."""
    audible: float
    """The callee's earpiece began to play what can be heard."""
    pieces: int
    """Tokens of the first clause."""
    thought: float
    """Seconds from the request's coming to the model's first token."""
    worded: float
    """Seconds from there to the token that shows that the first clause is over."""

    @property
    def waited(self) -> float:
        """Voice to voice."""
        return self.audible - self.sound_ended


@dataclass(frozen=True, slots=True)
class Run:
    """Some calls under the same conditions."""

    held: tuple[Held, ...]
    replies: dict[tuple[int, int], ReplySeen]
    """By call and turn; those that never came are missing."""
    turns: int
    """How many replies there should be."""
    requests: int
    """To the model, for answers."""


async def measure(plan: Plan, ended: Callable[[], object]) -> Sheet:
    """Hold all the calls.

    Raises:
        CannotStart: a media server does not start.
        ExceptionGroup: of RuntimeErrors, when one takes no calls.
    """
    delays, late = plan.delays, plan.tail * plan.delays.first_token
    slowed = await _openings(plan, ended)
    quick = await run(plan, plan.calls, Answers(plan.turns), {}, ended)
    waiting = await run(plan, plan.calls, Answers(plan.turns), {"speculation": False}, ended)
    hedged = await run(plan, plan.tail_calls, Answers(plan.tail_turns, late), {}, ended)
    patient = await run(plan, plan.tail_calls, Answers(plan.tail_turns, late), {"hedging": False}, ended)
    lines = [
        *_opening_lines([*quick.held, *waiting.held], slowed),
        *reply_lines(quick, delays),
        *_speculation_lines(quick, waiting, delays),
        *_tail_lines(hedged, patient),
        *_wire_lines(quick),
    ]
    runs = (quick, waiting, hedged, patient)
    return Sheet("Speed", tuple(lines), _notes(plan), tuple(_problems(runs, slowed)))


async def _openings(plan: Plan, ended: Callable[[], object]) -> list[Held]:
    scenery = Scenery(Answers(1), reader(_SLOW.lead_in), _SLOW)
    async with stage(scenery, ended) as here:
        guests = [Guest((), here.lexicon, here.recent, leaves=0, rings=_SLOW_RINGS) for _ in range(plan.openings)]
        return await here.hold(guests, plan.openings)


async def run(plan: Plan, calls: int, answers: Answers, settings: dict[str, bool], ended: Callable[[], object]) -> Run:
    def facts(call: int) -> str:
        return " ".join(answer(call, turn) for turn in range(1, answers.turns + 1))

    scenery = Scenery(answers, reader(plan.delays.lead_in), plan.delays, facts=facts, settings=dict(settings))
    async with stage(scenery, ended) as here:
        guests = [_guest(here, call, answers.turns, plan.rings) for call in range(calls)]
        held = await here.hold(guests, plan.at_once if answers.slow is None else calls)
        seen = {
            (call.number, turn): reply
            for call in held
            for turn in range(1, answers.turns + 1)
            if (reply := _reply(here, answers, call, turn))
        }
        return Run(tuple(held), seen, calls * answers.turns, answers.requests)


# --- the cast ---------------------------------------------------------------------------------------------------


def _guest(here: Stage, call: int, turns: int, rings: float) -> Guest:
    """Somebody with so many questions, who waits for each answer to be over."""
    said = [of_noise(_question(call, turn), 1.2, seed=100 * call + turn) for turn in range(1, turns + 1)]
    cues = [Cue(saying, after=0.6) for saying in said]
    return Guest(cues, here.lexicon, here.recent, leaves=0.6, rings=rings, patience=30 + 12 * turns)


def _question(call: int, turn: int) -> str:
    return f"Here is question {turn} of errand {call}."


_OPENERS = (
    "Answer {turn} for errand {call} is here,",
    "Answer {turn} for errand {call} is here now,",
    "Answer {turn} for errand {call} is with you by now,",
)
"""First clauses of several lengths, so that no figure hangs on how one of them falls between the carrier's frames."""
_REST = " and it is done."


def answer(call: int, turn: int) -> str:
    """What is answered to a callee's turn; no other answer begins alike."""
    return _OPENERS[(call + turn) % len(_OPENERS)].format(call=call, turn=turn) + _REST


def pieces_of(text: str) -> int:
    """How many tokens the loopback model makes of it."""
    return len(re.findall(r"\s*\S{1,6}", text))


def slow(call: int, turn: int, turns: int) -> bool:
    """Whether this turn is in the tail: every twentieth, from the tenth on.

    Of 20 n - 1 turns that is n, a little more than 5 %, so that the p95 by nearest rank is one of them.
    """
    return (call * turns + turn - 1) % 20 == 10


@dataclass
class Answers:
    """The model's script. It knows call and turn by the callee's words."""

    turns: int
    slow: float | None = None
    """Seconds to the first token in the tail; None: there is none."""
    asked: dict[tuple[int, int], list[Received]] = field(default_factory=dict)
    """All requests for an answer, by call and turn."""

    @property
    def requests(self) -> int:
        return sum(map(len, self.asked.values()))

    def __call__(self, received: Received) -> Reply:
        found = re.findall(r"question (\d+) of errand (\d+)\.", json.dumps(received.body["messages"]))
        if not found:
            return Reply("I am here, and I am listening to you.")
        turn, call = map(int, found[-1])
        requests = self.asked.setdefault((call, turn), [])
        requests.append(received)
        # A second request for the same turn finds the model as fast as it mostly is.
        late = self.slow is not None and len(requests) == 1 and slow(call, turn, self.turns)
        return Reply(answer(call, turn), first_token=self.slow if late else None)


def reader(lead_in: float) -> Reader:
    """A voice of tones that begins with silence, as all synthesised voices do."""

    async def read(text: str) -> Speech:
        speech, silence = await toned(text), round(lead_in * audio.RATE)
        starts = tuple(start + silence for start in speech.starts)
        return Speech(text, audio.SILENCE * silence + speech.sound, starts)

    return read


# --- from what happened to what is seen ---------------------------------------------------------------------------


def _reply(here: Stage, answers: Answers, call: Held, turn: int) -> ReplySeen | None:
    """The answer to this turn; None if the call did not get there."""
    number, text = call.number, answer(call.number, turn)
    answered = [received for received in answers.asked.get((number, turn), ()) if received.sent]
    ends = [at for ear in here.ears.connections for at, said in ear.ends if said == _question(number, turn)]
    voiced = [one for one in here.voice.voiced if len(one.text) > 12 and text.startswith(one.text)]
    if turn > len(call.guest.said) or not (answered and ends and voiced):
        return None
    ended = call.guest.said[turn - 1].ended
    audible = first_loud(call.guest.loud, ended)
    arrived = next((at for at, _ in call.record.arrivals if at >= voiced[0].sent and at >= ended), None)
    if audible is None or arrived is None:
        return None
    pieces = pieces_of(voiced[0].text)
    first = min(answered, key=lambda received: received.sent[0])
    thought, worded = first.sent[0] - first.came, first.sent[min(pieces, len(first.sent) - 1)] - first.sent[0]
    moments = (ended, ends[0], first.sent[0], voiced[0].asked, voiced[0].sent, arrived, audible)
    return ReplySeen(*moments, pieces, thought, worded)


# --- lines --------------------------------------------------------------------------------------------------------


def _opening_lines(calls: Sequence[Held], slowed: Sequence[Held]) -> Iterator[Figure]:
    promise = Target(least=1100, most=1300)
    for name, some in (("opening, nobody speaks", calls), ("opening, slow vendors", slowed)):
        waited = [call.opening for call in some if call.opening is not None]
        yield spread(name, waited, promise, Target(1300, column="worst"))


def reply_lines(run: Run, delays: Delays) -> Iterator[Figure]:
    replies = list(run.replies.values())
    least = [delays.reply(reply.pieces, True, _slip(reply, delays)) for reply in replies]
    over = [reply.waited - floor for reply, floor in zip(replies, least, strict=True)]
    yield spread("voice to voice", [reply.waited for reply in replies])
    yield spread("  decide", [r.turn_ended - r.sound_ended for r in replies])
    yield spread("  first token after that", [r.first_token - r.turn_ended for r in replies])
    yield spread("  first clause", [r.asked - r.first_token for r in replies])
    yield spread("  first voice byte", [r.voiced - r.asked for r in replies])
    yield spread("  deliver", [r.audible - r.voiced for r in replies])
    yield spread("the earliest moment", least)
    yield spread("overhead over that", over, Target(15), Target(40, column="p95"))


def _slip(reply: ReplySeen, delays: Delays) -> float:
    """By how much the model and the voice took longer than their delays: one event loop holds them all, and no product
    can be blamed for that.
    """
    steps = (
        (reply.thought, delays.first_token),
        (reply.worded, delays.clause(reply.pieces)),
        (reply.voiced - reply.asked, delays.first_byte),
    )
    return sum(max(0.0, took - due) for took, due in steps)


def _speculation_lines(quick: Run, waiting: Run, delays: Delays) -> Iterator[Figure]:
    least = [(reply, delays.reply(reply.pieces, False, _slip(reply, delays))) for reply in waiting.replies.values()]
    both = quick.replies.keys() & waiting.replies.keys()
    saved = [waiting.replies[turn].waited - quick.replies[turn].waited for turn in sorted(both)]
    yield spread("voice to voice, no speculation", [reply.waited for reply, _ in least])
    yield spread("overhead, no speculation", [reply.waited - floor for reply, floor in least])
    yield spread("earlier by speculation", saved, Target(least=150))
    yield share("more requests by speculation", quick.requests - quick.turns, quick.turns)


def _tail_lines(hedged: Run, patient: Run) -> Iterator[Figure]:
    waits = [[reply.waited for reply in run.replies.values()] for run in (hedged, patient)]
    yield spread("slow tail, hedged", waits[0])
    yield spread("slow tail, not hedged", waits[1])
    quick, long = (percentile(some, 0.95) for some in waits)
    cut = 100 * (1 - quick / long) if quick and long else None
    yield single("p95 cut by hedging", "%", cut, Target(least=30))
    yield share("more requests by hedging", hedged.requests - patient.requests, patient.requests, Target(15))


def _wire_lines(run: Run) -> Iterator[Figure]:
    late, gaps = list[float](), list[float]()
    for call in run.held:
        ends = [said.ended for said in call.guest.said]
        for since, until in zip(ends, [*(said.began for said in call.guest.said[1:]), float("inf")], strict=False):
            pieces = [entry for entry in call.record.arrivals if since <= entry[0] < until]
            late += [max(0.0, one) for one in lateness(pieces)]
            gaps.append(silence(call.guest.loud, since, until))
    yield spread("lateness of sound", late)
    yield spread("silence in a reply", gaps)


def _notes(plan: Plan) -> tuple[str, ...]:
    delays = plan.delays
    sooner = 1000 * (delays.end_of_turn - delays.eager_end)
    usual = 1000 * (delays.end_of_turn - EAGER_BY_DEFAULT)
    return (
        f"The early end comes {sooner:.0f} ms before the end of a turn here, as Deepgram says of Flux (150 to 250 ms).",
        f"By the loopback's own default it is {usual:.0f} ms, and speculation can save no more than that.",
    )


def _problems(runs: Sequence[Run], slowed: Sequence[Held]) -> Iterator[str]:
    calls = [*(call for run in runs for call in run.held), *slowed]
    silent = sum(call.opening is None for call in calls)
    missing = sum(run.turns - len(run.replies) for run in runs)
    if silent:
        yield f"{silent} of {len(calls)} calls had no opening."
    if missing:
        yield f"{missing} replies never came; the figures are of the others."
    for fault in dict.fromkeys(fault for call in calls for fault in call.record.errors):
        yield f"The carrier found a fault: {fault}"
