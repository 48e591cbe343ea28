"""How the agent behaves with people who make real sound: interrupt, hum, cough, hesitate, say hello."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from backend.bench.delays import Delays
from backend.bench.figures import Sheet, spread
from backend.bench.sounds.sounds import CAST, Clip, Kind, Part, Room, clips
from backend.bench.stage import conduct
from backend.bench.stage.guest import Cue, Guest
from backend.bench.stage.narrator import LONG, SHORT, Narrator, Script
from backend.bench.stage.sayings import Saying, of_clip
from backend.bench.stage.stage import Held, Scenery, Stage, stage
from backend.engines.installed import mute
from backend.engines.pool import Engines
from backend.running.launcher import CannotStart


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of each."""

    interruptions: int = 100
    overlaps: int = 38
    """Calls, of `PER_CALL` backchannels and noises each."""
    hesitations: int = 34
    """Calls, of `HESITATIONS` hesitating turns each; as many again with the other recogniser."""
    greetings: int = 100
    silent: int = 10
    """Calls in which nobody says hello."""
    at_once: int = 20
    delays: Delays = field(default_factory=Delays)
    seed: int = 1

    @property
    def total(self) -> int:
        """All the calls there are."""
        return self.interruptions + self.overlaps + 2 * self.hesitations + self.greetings + self.silent


QUICK = Plan(interruptions=10, overlaps=6, hesitations=4, greetings=10, silent=2)
PER_CALL, HESITATIONS = 6, 3
_FACTS = " ".join((*LONG, *SHORT))
_HASTY = 0.3
"""Seconds of silence after which Flux takes half a sentence for an early end; the pauses of those who hesitate are
longer, so that each of them is one."""
_QUESTION = "Could you tell me more about that, please?"


async def measure(plan: Plan, ended: Callable[[], object]) -> Sheet:
    """Hold all the calls.

    Raises:
        CannotStart: the speech engines are not installed, or a media server does not start.
        ExceptionGroup: of RuntimeErrors, when one takes no calls.
    """
    if why := mute():
        raise CannotStart(f"Manners are measured with real speech. {why}")
    async with Engines(1) as engines:
        studio = await _studio(engines, plan)
        names = ("interruptions", "overlaps", "hesitations", "greetings", "silent")
        flux = await _act(plan, engines, ended, studio, names, {})
        nova = await _act(plan, engines, ended, studio, ("hesitations",), {"deepgram_model": "nova-3"})
    lines = [
        *conduct.interruption_lines(flux["interruptions"]),
        *conduct.overlap_lines(flux["overlaps"]),
        *conduct.hesitation_lines("Flux", flux["hesitations"]),
        *conduct.hesitation_lines("Nova-3", nova["hesitations"]),
        *conduct.greeting_lines(flux["greetings"], flux["silent"]),
    ]
    everybody = [call for scenes in (flux, nova) for calls in scenes.values() for call in calls]
    slips = [late for call in everybody for late in conduct.slips(call)]
    lines.append(spread("the benchmark's own clock: late by", slips))
    # Those who interrupt mean to stop the agent.
    others = [call for call in everybody if call not in flux["interruptions"]]
    notes = (*conduct.interruption_cases(flux["interruptions"]), *conduct.cases(others))
    return Sheet("Manners", tuple(lines), notes, tuple(conduct.problems(everybody)))


# --- the scenes ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Studio:
    """Everything that callees say, recorded before the first call."""

    question: Saying
    interruptions: Sequence[Saying]
    overlaps: Sequence[Saying]
    hesitations: Sequence[Saying]
    greetings: Sequence[Saying]


async def _studio(engines: Engines, plan: Plan) -> _Studio:
    async def recorded(kind: Kind, count: int) -> list[Saying]:
        return [of_clip(clip) for clip in await clips(engines, kind, count, plan.seed)]

    half = plan.overlaps * PER_CALL // 2
    hums, noises = await recorded(Kind.BACKCHANNEL, half), await recorded(Kind.NOISE, half)
    sound = await engines.synthesise(_QUESTION, CAST["man"])
    part = Part(_QUESTION, 0.0, len(sound) / 8000)
    return _Studio(
        of_clip(Clip(sound, _QUESTION, Kind.INTERRUPTION, "man", -21.0, (part,))),
        await recorded(Kind.INTERRUPTION, plan.interruptions),
        [saying for pair in zip(hums, noises, strict=True) for saying in pair],
        await recorded(Kind.HESITATING, plan.hesitations * HESITATIONS),
        await recorded(Kind.GREETING, plan.greetings),
    )


async def _act(
    plan: Plan,
    engines: Engines,
    ended: Callable[[], object],
    studio: _Studio,
    names: Sequence[str],
    settings: dict[str, Any],
) -> dict[str, list[Held]]:
    """Play these scenes, as many calls at once as the plan says, and give the calls by scene."""
    counts = {name: getattr(plan, name) for name in names}
    if not any(counts.values()):
        return {name: [] for name in names}
    scenes = [name for name, count in counts.items() for _ in range(count)]
    long = frozenset(place for place, name in enumerate(scenes) if name in {"interruptions", "overlaps"})
    narrator = Narrator(engines, plan.delays.lead_in)
    scenery = Scenery(Script(long), narrator, plan.delays, _HASTY, lambda _: _FACTS, settings)
    async with stage(scenery, ended) as here:
        guests = [guest for name in names for guest in _guests(name, here, studio, counts[name], plan.seed)]
        held = await here.hold(guests, plan.at_once)
    return {name: [call for call, scene in zip(held, scenes, strict=True) if scene == name] for name in names}


def _guests(name: str, here: Stage, studio: _Studio, count: int, seed: int) -> Iterator[Guest]:
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    for place in range(count):
        # Not all in one moment: the phones are picked up over a second and a half.
        guest = Guest((), here.lexicon, here.recent, rings=0.8 + float(random.uniform(0, 1.5)))
        match name:
            case "interruptions":
                yield _interrupts(guest, studio, place, random)
            case "overlaps":
                yield _hums(guest, studio, place, random)
            case "hesitations":
                said = studio.hesitations[place * HESITATIONS : (place + 1) * HESITATIONS]
                yield replace(guest, cues=[Cue(saying, after=0.7) for saying in said], leaves=0)
            case "greetings":
                cue = Cue(studio.greetings[place], at=float(random.uniform(0.2, 0.8)))
                yield replace(guest, cues=[cue], leaves=0)
            case _:
                yield replace(guest, leaves=0)


def _interrupts(guest: Guest, studio: _Studio, place: int, random: Generator) -> Guest:
    over = Cue(studio.interruptions[place], over=float(random.uniform(1.0, 4.0)))
    return replace(guest, cues=[Cue(studio.question, after=0.6), over], leaves=0)


def _hums(guest: Guest, studio: _Studio, place: int, random: Generator) -> Guest:
    """Every other one listens through a speakerphone, and of those every other's recogniser mishears the echo."""
    said = studio.overlaps[place * PER_CALL : (place + 1) * PER_CALL]
    cues = [Cue(saying, over=float(random.uniform(1.5, 2.5))) for saying in said]
    half = PER_CALL // 2
    question = Cue(studio.question, after=0.8)
    room = Room.any(random) if place % 2 else None
    return replace(
        guest, cues=[question, *cues[:half], question, *cues[half:]], leaves=1.5, room=room, harsh=place % 4 == 3
    )
