"""How well the callee's sound is noticed: hundreds of staged scenes, and what a detector makes of them.

Run it with `python -m backend.bench.sounds.onset`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.random import Generator
from rich.console import Console
from rich.table import Table

from backend import audio
from backend.bench.sounds.sounds import SENTENCES, Clip, Kind, Room, clips, frames, line_noise, mix
from backend.call.sound.loudness import Change, Loudness
from backend.engines.pool import VOICES, Engines

LATE = 0.4
"""Seconds after which speech that was not noticed counts as missed."""
SHORT = 0.04
"""Seconds; a noise no longer than this should not be noticed."""

_FRAME = audio.seconds(audio.FRAME)


class Detector(Protocol):
    """What can be measured."""

    def feed(self, mulaw: bytes, ours: bytes = b"") -> Change | None: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """Some seconds of a call as the agent's side receives them, and what it sent meanwhile."""

    name: str
    theirs: list[bytes] = field(repr=False)
    ours: list[bytes] = field(repr=False)
    clip: Clip | None
    begins: float
    """Seconds until the callee's first sound; without a clip, the end."""
    ends: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.theirs) * _FRAME

    def speaks(self, at: float) -> bool:
        """Whether this moment is inside a part of the callee's clip."""
        if self.clip is None:
            return False
        at -= self.begins - self.clip.onset
        return any(part.begins < at < part.ends for part in self.clip.parts)


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a detector made of a scene."""

    scene: Scene
    delay: float | None
    """Seconds from the callee's first sound to its notice, if it came at all."""
    over: float | None
    """Seconds from the end of the callee's sound to the notice of that."""
    breaks: int
    """How often the sound was taken to be over inside a part of it."""
    false: int
    """How often sound was noticed where there was none."""


# --- the scenes -------------------------------------------------------------------------------------------------

QUIET, NOISY, HANDSET, FIRST, ECHO = "quiet line", "noisy line", "over agent", "over echo, 1st s", "over echo"
PURE_ECHO, ROUGH_ECHO, PURE_NOISE = "echo alone", "rough echo alone", "noise alone"


async def scenes(engines: Engines, each: int = 60, seed: int = 1) -> list[Scene]:
    """So many of each situation; the same for the same seed.

    Raises:
        ProviderError: the offline voice does not work here.
    """
    random = np.random.default_rng(seed)
    pieces = [await engines.synthesise(sentence, VOICES["agent"]) for sentence in SENTENCES]
    spoken = [kind for kind in Kind if kind is not Kind.NOISE]
    words = [clip for kind in spoken for clip in await clips(engines, kind, -(-each // len(spoken)), seed)]
    noises = await clips(engines, Kind.NOISE, each, seed)
    staged = []
    for situation in (QUIET, NOISY, HANDSET, FIRST, ECHO):
        staged += [_scene(situation, clip, pieces, random) for clip in [*words, *noises]]
    for situation in (PURE_ECHO, ROUGH_ECHO, PURE_NOISE):
        staged += [_scene(situation, None, pieces, random) for _ in range(each)]
    return staged


def _scene(name: str, clip: Clip | None, pieces: list[bytes], random: Generator) -> Scene:
    at = random.uniform(0.2, 1.0) if name == FIRST else random.uniform(1.5, 6.0)
    begins = at + clip.onset if clip else 20.0
    ends = at + clip.parts[-1].ends if clip else 20.0
    theirs = audio.SILENCE * round(at * audio.RATE) + clip.sound if clip else b""
    theirs = theirs.ljust(round((ends + 0.8) * audio.RATE), audio.SILENCE)
    ours = frames(_talk(pieces, len(theirs), random)) if name not in (QUIET, NOISY, PURE_NOISE) else []
    if name in (FIRST, ECHO, PURE_ECHO):
        theirs = mix(theirs, _echo(ours, random))
    if name == ROUGH_ECHO:
        theirs = mix(theirs, _rough_echo(ours, random))
    noise = _background(name, audio.seconds(theirs), random)
    theirs_frames = frames(mix(theirs, noise))
    return Scene(name, theirs_frames, ours or [b""] * len(theirs_frames), clip, begins, ends)


def _talk(pieces: list[bytes], size: int, random: Generator) -> bytes:
    """The agent's sentences one after the other, from another one each time."""
    talk, place = b"", int(random.integers(len(pieces)))
    while len(talk) < size:
        talk += pieces[place % len(pieces)] + audio.SILENCE * int(random.uniform(0.1, 0.4) * audio.RATE)
        place += 1
    return talk[:size]


def _echo(ours: list[bytes], random: Generator) -> bytes:
    """The agent's sound as a speakerphone returns it, after up to 150 ms more on the way."""
    room, late = Room.any(random), audio.SILENCE * int(random.uniform(0, 0.15) * audio.RATE)
    return (late + b"".join(map(room.hear, ours)))[: len(ours) * audio.FRAME]


def _rough_echo(ours: list[bytes], random: Generator) -> bytes:
    """From a worse phone: louder than is usual, swelling and fading by 3 dB, and from some time on another delay."""
    delay, gain, turn = random.uniform(0.1, 0.3), random.uniform(-20, -9), len(ours) // 2
    rooms = [Room(delay, gain, random), Room(delay + random.uniform(-0.08, 0.15), gain, random, clips=True)]
    echo = b"".join([*map(rooms[0].hear, ours[:turn]), *map(rooms[1].hear, ours[turn:])])
    swell = 10 ** (3 * np.sin(np.arange(len(echo)) / audio.RATE * random.uniform(0.5, 3)) / 20)
    return audio.encode((audio.decode(echo) * swell).astype(np.float32))


def _background(name: str, seconds: float, random: Generator) -> bytes:
    kind, seed = str(random.choice(["hiss", "fan", "street"])), int(random.integers(1000))
    level = random.uniform(-60, -46) if name in (NOISY, PURE_NOISE) else random.uniform(-72, -58)
    return line_noise(kind, seconds, level, seed)


# --- what a detector makes of them ------------------------------------------------------------------------------


def notice(scene: Scene, detector: Detector) -> Noticed:
    """Play a scene to a detector."""
    changes = [detector.feed(theirs, ours) for theirs, ours in zip(scene.theirs, scene.ours, strict=True)]
    times = {kind: [(at + 1) * _FRAME for at, change in enumerate(changes) if change is kind] for kind in Change}
    on, off = times[Change.ON], times[Change.OFF]
    heard = [at - scene.begins for at in on if scene.begins < at < min(scene.begins + LATE, scene.ends + 0.1)]
    over = [at - scene.ends for at in off if scene.ends < at]
    return Noticed(
        scene,
        heard[0] if heard and scene.clip else None,
        over[0] if over and heard else None,
        sum(scene.speaks(at) for at in off) if heard else 0,
        sum(at <= scene.begins or at > scene.ends + 0.1 for at in on),
    )


def play(staged: Iterable[Scene], make: Callable[[], Detector] = Loudness) -> list[Noticed]:
    """Each scene to a new detector."""
    return [notice(scene, make()) for scene in staged]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the scenes of one name and kind. Seconds."""

    name: str
    count: int
    noticed: int
    median: float
    p95: float
    breaks: int
    over: float
    """Median from the end of sound to its notice."""
    per_minute: float
    """Times a minute that sound was noticed where there was none."""


def figures(name: str, found: list[Noticed]) -> Figures:
    """The figures of these."""
    delays = [each.delay for each in found if each.delay is not None] or [float("nan")]
    over = [each.over for each in found if each.over is not None] or [float("nan")]
    minutes = sum(each.scene.begins for each in found) / 60
    return Figures(
        name,
        len(found),
        sum(each.delay is not None for each in found),
        float(np.median(delays)),
        float(np.percentile(delays, 95)),
        sum(each.breaks for each in found),
        float(np.median(over)),
        sum(each.false for each in found) / minutes,
    )


def summary(found: list[Noticed]) -> list[Figures]:
    """One line for each situation and sort of sound."""
    rows = []
    for name in dict.fromkeys(each.scene.name for each in found):
        these = [each for each in found if each.scene.name == name]
        for sort, belongs in _SORTS.items():
            if chosen := [each for each in these if belongs(each.scene.clip)]:
                rows.append(figures(f"{name}{sort}", chosen))
    return rows


_SORTS: dict[str, Callable[[Clip | None], bool]] = {
    "": lambda clip: clip is None,
    ": words": lambda clip: clip is not None and clip.kind is not Kind.NOISE,
    ": noises": lambda clip: clip is not None and clip.kind is Kind.NOISE and _length(clip) > SHORT,
    ": clicks": lambda clip: clip is not None and clip.kind is Kind.NOISE and _length(clip) <= SHORT,
}


def _length(clip: Clip) -> float:
    return clip.parts[-1].ends - clip.parts[0].begins


def cost(staged: Iterable[Scene], make: Callable[[], Detector] = Loudness) -> float:
    """Microseconds of work a frame."""
    count, began = 0, time.process_time()
    for scene in staged:
        detector = make()
        for theirs, ours in zip(scene.theirs, scene.ours, strict=True):
            detector.feed(theirs, ours)
        count += len(scene.theirs)
    return (time.process_time() - began) / max(1, count) * 1e6


# --- the table --------------------------------------------------------------------------------------------------


def table(staged: list[Scene], make: Callable[[], Detector] = Loudness) -> Table:
    """All of it, to be printed."""
    shown = Table("situation", "scenes", "noticed", "median", "p95", "broken", "over after", "false/min", "us/frame")
    for row in summary(play(staged, make)):
        situation = [scene for scene in staged if scene.name == row.name.partition(":")[0]]
        shown.add_row(
            row.name,
            str(row.count),
            f"{row.noticed / row.count:.0%}" if ":" in row.name else "",
            _milliseconds(row.median),
            _milliseconds(row.p95),
            str(row.breaks),
            _milliseconds(row.over),
            f"{row.per_minute:.2f}",
            f"{cost(situation[:20], make):.1f}",
        )
    return shown


def _milliseconds(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{seconds * 1000:.0f} ms"


async def _main() -> None:
    async with Engines(1) as engines:
        staged = await scenes(engines)
    Console(width=max(120, Console().width)).print(table(staged))


if __name__ == "__main__":
    asyncio.run(_main())
