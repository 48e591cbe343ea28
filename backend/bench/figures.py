"""The arithmetic of the benchmark: from moments on one clock to figures. Free of I/O; seconds unless said otherwise."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from backend import audio
from backend.call.manners import Manners
from backend.call.playout import Playout

FRAME = audio.seconds(audio.FRAME)
"""The carrier plays in frames of 20 ms, so that is as finely as anybody hears."""


@dataclass(frozen=True, slots=True)
class Delays:
    """What the vendors take: the same in every run, so that runs can be compared."""

    word: float = 0.3
    """A word of the callee's."""
    lag: float = 0.12
    """From the end of a word to its being recognised."""
    end_of_turn: float = 0.26
    """Silence after a complete sentence until the recogniser ends the turn."""
    first_token: float = 0.35
    tokens_per_second: float = 80.0
    first_byte: float = 0.13
    """From a text to the first sound of its voice."""
    speed: float = 6.0
    """At which the voice is sent, in multiples of real time."""

    def clause(self, pieces: int) -> float:
        """From the first token to the one that shows that a clause of so many tokens is over: the one after it."""
        return pieces / self.tokens_per_second

    def reply(self, pieces: int) -> float:
        """The earliest moment at which a callee can hear an answer, from the end of their sound.

        All delays in a row, up to the carrier's next frame: their sound ended with a frame too.
        """
        return whole_frames(self.end_of_turn + self.first_token + self.clause(pieces) + self.first_byte)

    @property
    def interruption(self) -> float:
        """The earliest moment at which the words can be known that make the agent stop, from the first sound."""
        return whole_frames(Manners().interrupting_words * self.word + self.lag)


def whole_frames(seconds: float) -> float:
    """Rounded up to the carrier's frames; a thousandth of one is only rounding."""
    return math.ceil(round(seconds / FRAME, 3)) * FRAME


# --- what was seen ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplySeen:
    """The moments of one reply, in the order in which they come."""

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
    """The callee's earpiece began to play it."""
    pieces: int
    """Tokens of the first clause."""


@dataclass(frozen=True, slots=True)
class CallSeen:
    opening: float | None
    """From the stream's `start` to the first sound of the opening on the wire; None if there was none."""
    replies: tuple[ReplySeen, ...] = ()
    stops: tuple[float, ...] = ()
    """For each interruption, from the callee's first sound to the agent's last."""
    late: tuple[float, ...] = ()
    """For each piece of sound, how long after its moment it arrived."""
    silences: tuple[float, ...] = ()
    """For each reply, the silence inside it."""
    seconds: float = 0.0
    """From picking up to hanging up."""
    missing: int = 0
    """Replies that never came."""
    faults: tuple[str, ...] = ()
    """What the carrier says the product did wrong."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the media server used for some of the calls; None where the system does not tell."""

    cpu: float | None
    """Seconds of processor time."""
    talked: float
    """Seconds from picking up to hanging up, of all these calls together."""
    memory: float | None
    """MB more at its peak than before them."""
    at_once: int
    """Calls at that time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One run."""

    delays: Delays
    calls: tuple[CallSeen, ...]
    slowed: tuple[CallSeen, ...]
    """Calls with slow vendors, of which only the opening counts."""
    cost: Cost


Frames = Sequence[tuple[float, bool]]
"""What an earpiece played: when each frame began, and whether it was loud."""


def first_loud(frames: Frames, since: float) -> float | None:
    return next((at for at, loud in frames[bisect_left(frames, (since, False)) :] if loud), None)


def last_loud(frames: Frames, since: float, until: float) -> float | None:
    """The end of the last loud frame that began in between."""
    return next((at + FRAME for at, loud in reversed(frames) if loud and since <= at < until), None)


def silence(frames: Frames, since: float, until: float) -> float:
    """Silence between the first and the last sound in this time: in speech that never pauses, sound came too late."""
    between = [loud for at, loud in frames if since <= at < until]
    if True not in between:
        return 0.0
    first, last = between.index(True), len(between) - between[::-1].index(True)
    return between[first:last].count(False) * FRAME


def lateness(arrivals: Iterable[tuple[float, int]], lead: float | None = None) -> Iterator[float]:
    """How long after its moment each piece of a reply arrived; negative when early.

    A piece is due when the sound before it lasts for `lead` more. Those of the first burst have no moment of their own.

    Args:
        arrivals: when each piece arrived, and its bytes.
        lead: the product's own where None.
    """
    ahead = Playout(0).lead if lead is None else lead
    first: float | None = None
    dry = 0.0
    for at, size in arrivals:
        first = at if first is None else first
        if dry - ahead > first:
            yield at - (dry - ahead)
        dry = max(dry, at) + audio.seconds(size)


# --- figures ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report."""

    name: str
    unit: str
    """ms, s or MB."""
    count: int
    """How many times it was measured."""
    median: float | None
    p95: float | None
    p99: float | None
    worst: float | None
    fixed: float | None = None
    """What the fixed delays alone take, in the middle."""
    ours: float | None = None
    """The median of what is above that."""


def percentile(values: Sequence[float], part: float) -> float | None:
    """The smallest value that at least this part of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else None


def figure(name: str, seconds: Sequence[float], fixed: Sequence[float] = ()) -> Figure:
    """In milliseconds. `fixed`: for each of the values, what the delays alone take."""
    ms = [round(1000 * value, 1) for value in seconds]
    floor = [round(1000 * value, 1) for value in fixed]
    over = [round(value - least, 1) for value, least in zip(ms, floor, strict=True)] if floor else []
    median, p95, p99, worst = (percentile(ms, part) for part in (0.5, 0.95, 0.99, 1))
    return Figure(name, "ms", len(ms), median, p95, p99, worst, percentile(floor, 0.5), percentile(over, 0.5))


def figures(seen: Seen) -> list[Figure]:
    """Every line of the report, in its order, also where nothing was measured."""
    return [*_openings(seen), *_replies(seen), *_conduct(seen), *_costs(seen)]


def _openings(seen: Seen) -> Iterator[Figure]:
    wait = Manners().greeting_wait
    for name, calls in (("opening", seen.calls), ("opening, slow vendors", seen.slowed)):
        waited = [call.opening for call in calls if call.opening is not None]
        yield figure(name, waited, [wait] * len(waited))


def _replies(seen: Seen) -> Iterator[Figure]:
    replies, delays = [reply for call in seen.calls for reply in call.replies], seen.delays
    count = len(replies)
    yield figure(
        "voice to voice",
        [reply.audible - reply.sound_ended for reply in replies],
        [delays.reply(reply.pieces) for reply in replies],
    )
    yield figure("  decide", [r.turn_ended - r.sound_ended for r in replies], [delays.end_of_turn] * count)
    yield figure("  first token", [r.first_token - r.turn_ended for r in replies], [delays.first_token] * count)
    yield figure(
        "  first clause", [r.asked - r.first_token for r in replies], [delays.clause(r.pieces) for r in replies]
    )
    yield figure("  first voice byte", [r.voiced - r.asked for r in replies], [delays.first_byte] * count)
    yield figure("  deliver", [r.audible - r.voiced for r in replies], [0.0] * count)
    yield figure("reply delivery", [r.arrived - r.voiced for r in replies], [0.0] * count)


def _conduct(seen: Seen) -> Iterator[Figure]:
    stops = [stop for call in seen.calls for stop in call.stops]
    yield figure("interruption", stops, [seen.delays.interruption] * len(stops))
    yield figure("lateness", [max(0.0, late) for call in seen.calls for late in call.late])
    yield figure("silence in a reply", [gap for call in seen.calls for gap in call.silences])


def _costs(seen: Seen) -> Iterator[Figure]:
    cost = seen.cost
    minutes = cost.talked / 60
    yield _single(
        "CPU per call minute", "s", round(cost.cpu / minutes, 2) if cost.cpu is not None and minutes else None
    )
    yield _single("memory per call", "MB", round(cost.memory / cost.at_once, 1) if cost.memory is not None else None)


def _single(name: str, unit: str, value: float | None) -> Figure:
    return Figure(name, unit, int(value is not None), value, None, None, None)
