"""What the calls of the benchmark say about the agent's manners: lines, and the cases that went against a promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

from backend.bench.delays import FRAME
from backend.bench.figures import Figure, Target, share, spread
from backend.bench.sounds.sounds import Kind
from backend.bench.stage import judges
from backend.bench.stage.guest import Sounded
from backend.bench.stage.narrator import reply_of
from backend.bench.stage.stage import Held


def interruption_lines(calls: Sequence[Held]) -> Iterator[Figure]:
    seen = [one for call in calls if (one := _interruption(call))]
    yielded = [one.yielded for one in seen]
    yield spread("interrupted: silent after", yielded, Target(200), Target(300, column="worst"))
    yield share("  the old reply came back", sum(one.returned for one in seen), len(seen), Target(0))
    yield share("  the transcript is true to a word", sum(one.true for one in seen), len(seen), Target(least=100))
    off = [float(abs(one.heard - one.played)) for one in seen if one.heard is not None]
    yield spread("  words it is off", off, unit="words")


def overlap_lines(calls: Sequence[Held]) -> Iterator[Figure]:
    dry = [one for call in calls if call.guest.room is None for one in _overlaps(call)]
    wet = [one for call in calls if call.guest.room is not None for one in _overlaps(call)]
    everything = [*dry, *wet]
    noises = [one for one in everything if one.label.startswith(Kind.NOISE)]
    hums = [one for one in everything if one.label.startswith(Kind.BACKCHANNEL)]
    yield _stopped("backchannels and noises: stopped by", everything, Target(5))
    yield _stopped("  by words", hums)
    yield _stopped("  by noises", noises)
    yield _stopped("  without echo", dry)
    yield _stopped("  over a speakerphone", wet, Target(5))
    echo = [own for call in calls if call.guest.room is not None for own in _echoed(call)]
    yield share("echo alone: replies stopped", sum(echo), len(echo), Target(5))
    broke = [one for one in everything if one.resumed is not None and not one.stopped]
    yield spread("  goes on after", [one.resumed or 0.0 for one in broke], Target(500, column="worst"))
    words = [float(one.repeated + one.lost) for one in broke]
    yield spread("  words repeated or lost", words, Target(1, column="worst"), unit="words")


def _stopped(name: str, some: Sequence[judges.Overlap], *targets: Target) -> Figure:
    return share(name, sum(one.stopped for one in some), len(some), *targets)


def hesitation_lines(ears: str, calls: Sequence[Held]) -> Iterator[Figure]:
    turns = [(said, call) for call in calls for said in call.guest.said if said.label.startswith(Kind.HESITATING)]
    cut = sum(judges.talked_over(said, call.guest.earpiece.pieces) for said, call in turns)
    yield share(f"hesitating, {ears}: cut in on", cut, len(turns), Target(5))
    waits = [judges.answered(said, call.guest.earpiece.pieces, _next(said, call)) for said, call in turns]
    yield spread("  answered after", [wait for wait in waits if wait is not None])


def greeting_lines(greeted: Sequence[Held], silent: Sequence[Held]) -> Iterator[Figure]:
    spoken = [(call.guest.said[0], call) for call in greeted if call.guest.said]
    over = sum(judges.talked_over(said, call.guest.earpiece.pieces) for said, call in spoken)
    yield share("greetings: talked over", over, len(spoken), Target(0))
    waits = [judges.answered(said, call.guest.earpiece.pieces, float("inf")) for said, call in spoken]
    yield spread("  opening after the greeting", [wait for wait in waits if wait is not None])
    waited = [call.opening for call in silent if call.opening is not None]
    promise = Target(least=1100, most=1300)
    yield spread("  opening where nobody speaks", waited, promise, Target(1300, column="worst"))


# --- cases --------------------------------------------------------------------------------------------------------

_SHOWN = 25
"""Cases that are told one by one."""


def cases(calls: Iterable[Held]) -> Iterator[str]:
    """What went against a promise, for whoever wants to know why."""
    yield from islice(
        (f"{case} in call {call.number}{_room(call)}." for call in calls for case in _cases(call)), _SHOWN
    )


def _room(call: Held) -> str:
    return ", over a speakerphone" if call.guest.room else ""


def _cases(call: Held) -> Iterator[str]:
    for one in _overlaps(call):
        if one.stopped:
            yield f"Stopped by {one.label}"
        elif one.repeated + one.lost > 1:
            yield f"After {one.label} {one.repeated} words came again and {one.lost} were lost"
    for said in call.guest.said:
        turn = said.label.startswith((Kind.HESITATING, Kind.GREETING))
        if turn and judges.talked_over(said, call.guest.earpiece.pieces):
            yield f"Talked over {said.label}"
    if call.guest.room and any(_echoed(call)):
        yield "Stopped by nothing but the echo of itself"


def interruption_cases(calls: Iterable[Held]) -> Iterator[str]:
    """The same for those who interrupt."""
    for call in calls:
        seen = _interruption(call)
        if seen and not (seen.true and not seen.returned and seen.yielded <= _LONGEST):
            words = f"{seen.played} words played, {seen.heard} in the transcript"
            yield f"{call.guest.said[1].label} silenced it after {seen.yielded:.2f} s, {words} in call {call.number}."


_LONGEST = 0.3
"""Seconds."""


# --- reading a call -----------------------------------------------------------------------------------------------


def _answers(call: Held) -> list[judges.Answer]:
    return judges.answers(call.guest.earpiece.pieces, reply_of)


def _interruption(call: Held) -> judges.Interruption | None:
    said = call.guest.said
    return judges.interruption(said[1], _answers(call), call.kept.turns) if len(said) > 1 else None


def _overlaps(call: Held) -> list[judges.Overlap]:
    labels = (Kind.NOISE, Kind.BACKCHANNEL)
    found = judges.overlaps(call.guest.said, _answers(call), _until(call))
    return [one for one in found if one.label.startswith(labels)]


def _echoed(call: Held) -> Iterator[bool]:
    """For each reply on which no sound of the callee's fell, whether it broke off all the same."""
    for reply in _answers(call):
        began, ended = reply.runs[0].began, reply.runs[-1].ended
        if not any(began - 0.5 <= said.began <= ended + 0.5 for said in call.guest.said):
            yield not reply.complete and _until(call) - ended > 1.0


def _next(said: Sounded, call: Held) -> float:
    """When the callee's next turn began."""
    return min((other.began for other in call.guest.said if other.began > said.began), default=float("inf"))


def slips(call: Held) -> Iterator[float]:
    """How much longer than 20 ms each frame of the earpiece took."""
    moments = [at for at, _ in call.guest.loud]
    yield from (max(0.0, later - at - FRAME) for at, later in pairwise(moments))


def _until(call: Held) -> float:
    return call.guest.loud[-1][0] if call.guest.loud else 0.0


def problems(calls: Iterable[Held]) -> Iterator[str]:
    calls = list(calls)
    missed = sum(said.missed for call in calls for said in call.guest.said)
    unknown = sum(call.guest.earpiece.unknown for call in calls)
    if missed:
        yield f"{missed} times the agent did not speak when it was to be spoken over or answered."
    if unknown:
        yield f"{unknown} frames of sound were nothing that the voice had said."
    for fault in dict.fromkeys(fault for call in calls for fault in call.record.errors):
        yield f"The carrier found a fault: {fault}"
