"""What a call was like for the callee: whose turn it was, and how long the agent kept silent when it was its own. Pure.

**Own-turn silence** is a stretch of time in which neither side makes a sound, the line is open, and it is the agent's
turn. That it is

1. at the beginning: from `Manners.greeting_wait` after pick-up until the agent's first sound;
2. after every turn of the callee that wants an answer: from the callee's last sound, but not from longer than
   `RECOGNISED` before the recogniser told the turn's end (an agent cannot know earlier), until the agent answers, or
   the callee begins another such turn. Where the recogniser tells words and never their end, the turn ends
   `Manners.stalled_turn` after the last of them, or of sound (`unfinished_wait` more in mid-sentence). A turn of which
   no word was ever told binds nobody: for those there is `quiet`. Answered means: there is sound of a reply that began
   after the turn did. To one short word any sound is an answer;
3. within each of its own replies: from the floor's decision to speak until the reply is over, so also in gaps between
   two sentences, while it is held, and while it is given up for another one. The silence after the last sound of a
   complete reply is the callee's, and counts only where that reply was the last one: then the agent owes the goodbye.

The carrier's own farewell (`Line.hang_up(farewell)`) is sound. A cough of the callee's breaks a silence, since nobody
can answer over it, but does not make it the callee's turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest
from math import inf
from typing import NamedTuple

from backend.call.events import Action, End, FloorEvent, Held, Release, Reply, ReplyDone, ReplyFailed, Stop
from backend.call.manners import Manners

RECOGNISED = 0.5
"""Seconds that a recogniser may take to be sure that a turn is over; what is longer is its fault, not the agent's."""
_SHORTEST = 0.02


class Span(NamedTuple):
    since: float
    until: float

    @property
    def seconds(self) -> float:
        return self.until - self.since


@dataclass(slots=True)
class CalleeTurn:
    """One turn that wants an answer."""

    words: str
    began: float
    ended: float = inf
    """When its sound was over."""
    told: float = inf
    """When the recogniser told that it was over."""
    last_words: tuple[str, float] = ("", inf)
    """The latest words told, and when."""

    @property
    def brief(self) -> bool:
        """Over the agent's speech, one word may as well be listening noise."""
        return len(self.words.split()) < 2

    def binds(self, manners: Manners, sounds: Iterable[Span] = ()) -> float:
        """From when on it is the agent's turn; `sounds`: what the callee's side made, in order."""
        words, stalled = self.last_words
        patience = manners.stalled_turn + (0.0 if words.endswith((".", "?")) else manners.unfinished_wait)
        stalled += patience
        for sound in sounds:
            if sound.since <= stalled and sound.until > self.ended:
                # Whoever makes another sound in that time may be going on.
                stalled = max(stalled, sound.until + patience)
        return max(self.ended, min(self.told - RECOGNISED, stalled))


class Step(NamedTuple):
    """What the floor was handed, and what it decided."""

    at: float
    event: FloorEvent
    actions: Sequence[Action]


@dataclass(slots=True)
class Tape:
    """All that happened in one call, in seconds from pick-up."""

    agent: list[Span] = field(default_factory=list)
    """When the callee's earpiece sounded."""
    callee: list[Span] = field(default_factory=list)
    turns: list[CalleeTurn] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    emptied: list[float] = field(default_factory=list)
    """Moments at which the carrier held no sound of the agent's."""
    closed: float = inf
    """When somebody hung up."""
    notes: list[tuple[float, str]] = field(default_factory=list)
    """What a reader of this call would like to know besides."""


@dataclass(frozen=True, slots=True)
class Said:
    """One reply, from when it might be heard until it was over."""

    number: int
    span: Span
    complete: bool = False
    """Its last sound was played, and more was to follow in the call."""
    stopped: bool = False


def replies(tape: Tape) -> list[Said]:
    """In the order in which they might be heard."""
    said: list[Said] = []
    for step in tape.steps:
        match step.event:
            case ReplyDone(number):
                last = any(isinstance(action, End) for action in step.actions)
                said = [_over(one, number, step.at, complete=not last) for one in said]
            case ReplyFailed(number):
                said = [_over(one, number, step.at) for one in said]
        for action in step.actions:
            match action:
                case Reply(number, held=False):
                    said.append(Said(number, Span(step.at, inf)))
                case Release(number) if number not in {one.number for one in said}:
                    said.append(Said(number, Span(step.at, inf)))
                case Stop(number):
                    said = [_over(one, number, step.at, stopped=True) for one in said]
    return [replace(one, span=Span(one.span.since, min(one.span.until, tape.closed))) for one in said]


def _over(said: Said, number: int, at: float, complete: bool = False, stopped: bool = False) -> Said:
    if said.number != number or said.span.until != inf:
        return said
    return replace(said, span=Span(said.span.since, at), complete=complete, stopped=stopped)


# --- silences ---------------------------------------------------------------------------------------------------


def silences(tape: Tape, manners: Manners) -> list[Span]:
    """Every own-turn silence."""
    sound = [*tape.agent, *tape.callee]
    return list(_without(_joined(_owed(tape, manners)), sound))


def quiet(tape: Tape) -> list[Span]:
    """Every silence of both sides, whosever turn it was."""
    return list(_without([Span(0.0, tape.closed)], [*tape.agent, *tape.callee]))


def _owed(tape: Tape, manners: Manners) -> Iterator[Span]:
    said = replies(tape)
    yield _span(manners.greeting_wait, min((span.since for span in tape.agent), default=inf), tape)
    for turn, following in zip_longest(tape.turns, tape.turns[1:]):
        since = turn.binds(manners, tape.callee)
        answered = _answered(tape, said, turn, since)
        yield _span(since, min(answered, following.began if following else inf), tape)
    for reply in said:
        until = reply.span.until
        if reply.complete:
            until = max((min(span.until, until) for span in tape.agent if span.since < until), default=until)
        yield _span(reply.span.since, until, tape)


def _answered(tape: Tape, said: Iterable[Said], turn: CalleeTurn, since: float) -> float:
    """When the agent answered it."""
    from_then = [span for span in tape.agent if span.until > since]
    if turn.brief:
        return min((span.since for span in from_then), default=inf)
    first = min((one.span.since for one in said if one.span.since >= turn.began), default=inf)
    return min((max(span.since, first) for span in from_then if span.until > first), default=inf)


def _span(since: float, until: float, tape: Tape) -> Span:
    return Span(since, max(since, min(until, tape.closed)))


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(span for span in spans if span.seconds > 0):
        if joined and span.since <= joined[-1].until:
            joined[-1] = Span(joined[-1].since, max(joined[-1].until, span.until))
        else:
            joined.append(span)
    return joined


def _without(spans: Iterable[Span], taken: Iterable[Span]) -> Iterator[Span]:
    """What of the spans, which do not overlap, is left without those that are taken."""
    sounds = _joined(taken)
    for span in spans:
        since = span.since
        for sound in sounds:
            if sound.until > since and sound.since < span.until:
                if sound.since > since:
                    yield Span(since, sound.since)
                since = sound.until
        if since < span.until:
            yield Span(since, span.until)


# --- conduct ----------------------------------------------------------------------------------------------------

_IN_THE_AIR = 0.045
"""Seconds: the frame that plays while a reply is stopped, and the carrier's next look at its clock."""


def misconduct(tape: Tape) -> Iterator[str]:
    """What no call may do, whatever breaks: each as a sentence."""
    said = replies(tape)
    for one, other in pairwise(said):
        if other.span.since < one.span.until:
            yield f"replies {one.number} and {other.number} were under way at once at {other.span.since:.2f} s"
    allowed = [Span(one.span.since, one.span.until + _IN_THE_AIR) for one in said]
    for stray in _without(_joined(tape.agent), allowed):
        if stray.seconds > _SHORTEST:
            yield f"there was sound outside any reply at {stray.since:.2f} s, for {stray.seconds:.2f} s"
    yield from _lost_in_a_hold(tape)
    for one in said:
        if one.stopped and _went_on(tape, one.span.until):
            yield f"the sound of reply {one.number} went on after its stop at {one.span.until:.2f} s"


def _lost_in_a_hold(tape: Tape) -> Iterator[str]:
    """A reply that is held is to be released or stopped, and not to come to its end with words left."""
    held = 0
    for step in tape.steps:
        match step.event:
            case Held(number, over=False, left=left) if left:
                held = number
            case ReplyDone(number) if number == held:
                yield f"reply {number} was over at {step.at:.2f} s although it was held"
        if any(isinstance(action, (Release, Stop)) for action in step.actions):
            held = 0


def _went_on(tape: Tape, stop: float) -> bool:
    """Whether the sound that played when it was stopped was still there, with nothing dropped."""
    playing = any(span.since < stop - _SHORTEST and span.until > stop + _IN_THE_AIR for span in tape.agent)
    return playing and not any(stop - _IN_THE_AIR <= at <= stop + _IN_THE_AIR for at in tape.emptied)
