"""Whether a voicemail gets its message, all of it and nothing else: greetings in real sound, and the whole session.

Every greeting is spoken by the offline voice, with the pauses, beeps and line noise that `voicemail.toml` gives it. It
is played on virtual time into a session whose line plays as a carrier does. Its words are told as late as a recogniser
on the network tells them; tones, loudness and the carrier's verdict are made out from the sound.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from backend import audio
from backend.bench.delays import Delays
from backend.bench.figures import FRAME, Sheet, Target, first_loud, share, single, spread
from backend.bench.sounds.pickups import Scene, scene
from backend.bench.sounds.sounds import frames, line_noise
from backend.bench.stand_ins import Ears, Model, Phone, Warm, voiced
from backend.bench.virtual_time import run
from backend.call import manners as known
from backend.call.diary import Diary
from backend.call.events import Ending, MachineAnswered
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.session import Kit, Session
from backend.call.voice import Voice
from backend.engines.installed import mute
from backend.engines.pool import VOICES, Engines
from backend.models import (
    Brief,
    Call,
    EagerEnd,
    Heard,
    LineKind,
    Outcome,
    Partial,
    Speaker,
    Spoken,
    Turn,
    TurnEnd,
    TurnState,
)
from backend.practice.machine_detection import MachineDetection, Rules
from backend.practice.playback import Frame
from backend.running.launcher import CannotStart
from backend.storage.store import Store
from backend.tts.offline import pronounceable, sentences, spoken

_SET = Path(__file__).with_suffix(".toml")
_BRIEF = Brief(
    to="+12025550143",
    action="Confirm the visit on Thursday at 2:30 p.m.",
    callee_name="Dana Miller",
    organization="Green Dental",
    line=LineKind.PHONE,
)
_MESSAGE = known.voicemail(_BRIEF)
_LEVEL = -21.0
_LOUD = -45.0
"""dB below full scale."""
_VERDICT_LATE = 0.3
"""Seconds from the carrier's verdict to its being told."""
_LONGEST = 90.0
"""Seconds of a call."""
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Greeting:
    """One voicemail; the fields are explained in the set."""

    number: int
    says: str
    voice: str
    gap: float = 0.0
    beep: str = ""
    line: str = ""

    @property
    def score(self) -> str:
        """In the pickups' language."""
        return f"{self.says} [pause {self.gap}] [beep {self.beep}]" if self.beep else self.says


@dataclass(frozen=True, slots=True)
class Left:
    """One call, in seconds from pick-up."""

    greeting: Greeting
    over: float
    """When its last word was over."""
    beeped: float | None
    """When its beep was over."""
    played: tuple[tuple[float, bool], ...]
    """When each frame of the agent's began, and whether it could be heard."""
    turns: tuple[Turn, ...]
    ending: Ending | None
    """None where the call did not end."""
    ended: float

    @property
    def began(self) -> float | None:
        """When the agent could first be heard after the beep, or at all where none came."""
        return first_loud(self.played, self.beeped or 0.0)

    @property
    def early(self) -> bool:
        """Whether any of the message was spoken before the beep was over."""
        begun = [turn.started for turn in self.turns if turn.text == _MESSAGE]
        return self.beeped is not None and any(at < self.beeped for at in begun)

    @property
    def opened(self) -> bool:
        """Whether the agent spoke to it as to a person."""
        return any(turn.speaker is Speaker.AGENT and turn.text != _MESSAGE for turn in self.turns)

    @property
    def whole(self) -> bool:
        """Whether the message was played from its first word to the last mark."""
        said = [turn for turn in self.turns if turn.speaker is Speaker.AGENT]
        last = said[-1] if said else None
        if last is None or last.state is not TurnState.DONE or last.heard != _MESSAGE:
            return False
        return self.ending is not None and self.ending.outcome is Outcome.VOICEMAIL

    @property
    def last(self) -> float:
        """When the agent's last sound was over."""
        return max((at + FRAME for at, loud in self.played if loud), default=0.0)


def greetings() -> list[Greeting]:
    """The set, in its order."""
    return [Greeting(number, **one) for number, one in enumerate(tomllib.loads(_SET.read_text())["greeting"], 1)]


def measure(quick: bool, show: Callable[[int, int], object]) -> Sheet:
    """Call them all, or when it is quick every third.

    Raises:
        CannotStart: there is no voice here.
    """
    if why := mute():
        raise CannotStart(f"Greetings are made of real speech. {why}")
    chosen = greetings()[:: 3 if quick else 1]
    speech, scenes = asyncio.run(_voiced(chosen))
    calls = []
    for greeting, heard in zip(chosen, scenes, strict=True):
        calls.append(run(_call(greeting, heard, speech), limit=2 * _LONGEST))
        show(len(calls), len(chosen))
    return sheet(calls)


# --- the sound ----------------------------------------------------------------------------------------------------


async def _voiced(chosen: Sequence[Greeting]) -> tuple[dict[str, bytes], list[Scene]]:
    """The agent's sentences, and the sound of each greeting."""
    texts = {part.strip() for text in (known.opening(_BRIEF), _MESSAGE, *known.BY_HEART) for part in sentences(text)}
    async with Engines(1) as engines:
        await engines.ready()
        speech = {text: await engines.synthesise(pronounceable(text), VOICES["agent"]) for text in sorted(texts)}
        scenes = [await scene(engines, one.score, one.voice, _LEVEL, "", one.number) for one in chosen]
    return speech, scenes


class _Voice(Warm):
    """Says what was voiced in advance."""

    def __init__(self, speech: dict[str, bytes]) -> None:
        self._speech = speech

    async def say(self, text: str) -> AsyncIterator[Spoken]:
        for sentence in sentences(text):
            yield spoken(sentence, self._speech.get(sentence.strip()) or voiced(sentence))


class _Line(Phone):
    """Keeps what could be heard of the agent, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[tuple[float, bool]] = []

    def tick(self) -> Frame:
        frame = super().tick()
        self.frames.append((asyncio.get_running_loop().time(), audio.level(frame.sound) > _LOUD))
        return frame


# --- a call -------------------------------------------------------------------------------------------------------


async def _call(greeting: Greeting, heard: Scene, speech: dict[str, bytes]) -> Left:
    """Hold it, from pick-up to its end."""
    manners, clock = Manners(), asyncio.get_running_loop().time
    line, ears = _Line(), Ears()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="phone-agent-bench-"))
        store = stack.enter_context(Store(Path(folder) / "calls.db"))
        store.add(Call("call", _BRIEF))
        mind = await stack.enter_async_context(Mind([Model()], manners))
        voice = await stack.enter_async_context(Voice([_Voice(speech)], manners, {}))
        session = Session(_BRIEF, Kit(ears, mind, voice), Diary(store, "call", clock), manners)
        await session.prepare()
        began = clock()
        line.callee_plays(_on_line(greeting, heard.sound))
        carrier = asyncio.create_task(line.run())
        telling = asyncio.create_task(_tell(heard, ears, session))
        ending = await _within(session, line)
        for task in (carrier, telling):
            task.cancel()
        await asyncio.wait([carrier, telling])
        played = tuple((at - began, loud) for at, loud in line.frames)
        beeped = audio.seconds(heard.sound) if greeting.beep else None
        return Left(
            greeting, heard.spoken[-1][2], beeped, played, _since(began, store.turns("call")), ending, clock() - began
        )


def _since(began: float, turns: Sequence[Turn]) -> tuple[Turn, ...]:
    return tuple(replace(turn, started=turn.started - began) for turn in turns)


async def _within(session: Session, line: Phone) -> Ending | None:
    try:
        async with asyncio.timeout(_LONGEST):
            return await session.converse(line)
    except TimeoutError:
        return None


def _on_line(greeting: Greeting, sound: bytes) -> bytes:
    """With the line's noise, which goes on while the agent speaks."""
    if not greeting.line:
        return sound
    name, level = greeting.line.split()
    noise = line_noise(name, _LONGEST, float(level), greeting.number)
    both = audio.decode(sound.ljust(len(noise), audio.SILENCE)) + audio.decode(noise)
    return audio.encode(both)


async def _tell(heard: Scene, ears: Ears, session: Session) -> None:
    """Words and the carrier's verdict, each at its moment."""
    begun, clock = asyncio.get_running_loop().time(), asyncio.get_running_loop().time
    for at, news in sorted([*_words(heard), *_verdict(heard.sound)], key=lambda one: one[0]):
        await asyncio.sleep(begun + at - clock())
        if isinstance(news, MachineAnswered):
            session.post(news)
        else:
            ears.tell(news)


def _words(heard: Scene) -> Iterator[tuple[float, Heard]]:
    """As the loopback recogniser tells them: each word soon after its end, and the end of each piece of speech."""
    delays = Delays()
    for text, begin, end in heard.spoken:
        words, letters = text.split(), 0
        for place, word in enumerate(words, 1):
            letters += len(word) + 1
            yield begin + (end - begin) * letters / (len(text) + 1) + delays.lag, Partial(" ".join(words[:place]))
        yield end + delays.lag + 1e-3, EagerEnd(text)
        yield end + delays.end_of_turn, TurnEnd(text)


def _verdict(sound: bytes) -> Iterator[tuple[float, MachineAnswered]]:
    detection = MachineDetection(Rules(until_message_end=True))
    for frame in frames(sound + audio.SILENCE * 5 * audio.RATE):
        if verdict := detection.hear(frame):
            yield verdict.after_ms / 1000 + _VERDICT_LATE, MachineAnswered(verdict.answered_by)


# --- the sheet ----------------------------------------------------------------------------------------------------


def sheet(calls: Sequence[Left]) -> Sheet:
    """What these calls say."""
    beeped = [(call, call.beeped) for call in calls if call.beeped is not None]
    silent = [call for call in calls if call.beeped is None]
    starts = [began - at for call, at in beeped if (began := call.began) is not None]
    plain = [began - call.over for call in silent if (began := call.began) is not None]
    early = sum(call.early for call in calls)
    lines = (
        spread("message begins after the beep's end", starts, Target(1000, column="worst")),
        single("  begun before it", "calls", float(early), Target(most=0)),
        single("  spoken to as to a person, at first", "calls", float(sum(call.opened for call in calls))),
        spread("no beep: begins after the last word", plain),
        share("message whole, to its last mark", sum(call.whole for call in calls), len(calls), Target(least=100)),
        spread("  call over after its last word", [_lingers(call) for call in calls], Target(2000, column="worst")),
    )
    return Sheet("Voicemail", lines, (*_misses(calls), _HOW))


def _lingers(call: Left) -> float:
    return call.ended - call.last if call.whole else _LONGEST


_HOW = (
    "Greetings by the offline voice, played on virtual time; words are told as late as a recogniser's on the network."
)


def _misses(calls: Sequence[Left]) -> Iterator[str]:
    wrong = [call for call in calls if call.early or not call.whole]
    for call in wrong[:_MOST_SHOWN]:
        what = "the message was begun before the beep" if call.early else "the message was not left whole"
        why = call.ending.why if call.ending else "The call did not end."
        yield f"Greeting {call.greeting.number}: {what}. {why}"
