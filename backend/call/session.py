"""One call, from ringing to the last word: the shell around the floor. It carries out decisions and makes none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from backend.call import manners as known
from backend.call.diary import Diary
from backend.call.events import (
    Action,
    CalleeSays,
    Concluded,
    Connected,
    EarsLost,
    End,
    Ending,
    FloorEvent,
    Reply,
    ReplyDone,
    ReplyFailed,
    SoundOff,
    SoundOn,
    Speaking,
    Stop,
    Tick,
)
from backend.call.floor import Floor
from backend.call.loudness import Change, Loudness
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.playout import Playout
from backend.call.text import Clauses, ends_sentence
from backend.call.transcript import Transcript
from backend.call.voice import Voice
from backend.models import Brief, Digit, Ended, Mark, Outcome, ProviderError, Said, Sound, Spoken, ToolUse, Trouble
from backend.seams import Line, SpeechToText

_SOUND_KEPT = 500
"""Frames of the callee's sound (10 s) kept while recognition is catching up; the oldest are dropped beyond."""
_MOST_WAITING = 1000
"""Events; a call makes a few a second, so a fuller inbox is a fault and ends the call."""


@dataclass(frozen=True)
class Kit:
    """The providers of one call, entered and left by whoever opened them."""

    ears: SpeechToText
    mind: Mind
    voice: Voice
    parts: dict[str, str] = field(default_factory=dict)
    """What serves as stt, llm and tts, for the call's row."""


@dataclass(slots=True)
class _Answer:
    """The reply under way: its sound, its words and how long each stage took."""

    playout: Playout
    began: float
    planned: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    closed: bool = False
    """Its turn is written; marks that come later change nothing."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is more sound to send, or more of it was played."""

    @property
    def worded(self) -> bool:
        """Whether anything but a phrase to bridge the wait was planned."""
        return self.planned not in ("", known.MOMENT)

    def stamp(self, stage: str, now: float) -> None:
        """Note when this stage was first reached, in milliseconds from the decision to answer."""
        self.timings.setdefault(stage, round((now - self.began) * 1000, 1))


class Session:
    """The conversation of one call. `prepare` while it rings, then `converse` once, on the line that was picked up."""

    def __init__(self, brief: Brief, kit: Kit, diary: Diary, manners: Manners) -> None:
        self._kit = kit
        self._brief = brief
        self._diary = diary
        self._manners = manners
        self._floor = Floor(brief, manners)
        self._transcript = Transcript(brief)
        self._inbox: asyncio.Queue[FloorEvent] = asyncio.Queue(_MOST_WAITING)
        self._sound: asyncio.Queue[bytes] = asyncio.Queue(_SOUND_KEPT)
        self._loudness = Loudness()
        self._answer: _Answer | None = None
        self._reply: asyncio.Task[None] | None = None

    def post(self, event: FloorEvent) -> None:
        """Hand the call an event; the one way in, also for operators and webhooks."""
        self._inbox.put_nowait(event)

    async def prepare(self) -> None:
        """Make everything ready that does not need the callee: the first words, the phrases, the prompt cache."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kit.mind.warm(self._transcript.conversation()))
            group.create_task(self._kit.voice.prepare([known.opening(self._brief)], known.BY_HEART))

    async def converse(self, line: Line) -> Ending:
        """Talk until the call is over, and hang up.

        Raises:
            ExceptionGroup: a fault of ours; the line is hung up all the same.
        """
        end = End(Ending("The call was stopped.", Outcome.FAILED))
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [group.create_task(self._read(line)), group.create_task(self._listen())]
                self.post(Connected())
                end = await self._take_turns(line, group)
                for helper in helpers:
                    helper.cancel()
        finally:
            await line.hang_up(end.farewell)
        return end.ending

    # --- the order of events --------------------------------------------------------------------------------

    async def _take_turns(self, line: Line, group: asyncio.TaskGroup) -> End:
        """Hand each event to the floor and carry out what it decides, until it decides to end."""
        while True:
            event = await self._next()
            now = _now()
            actions = self._floor.handle(event, now)
            for action in actions:
                if isinstance(action, End):
                    self._diary.record(event, actions, now)
                    return action
                await self._do(action, line, group)
            self._diary.record(event, actions, now)
            self._diary.catch_up()

    async def _next(self) -> FloorEvent:
        """The next event, or a tick when the floor's deadline comes first."""
        try:
            async with asyncio.timeout_at(self._floor.deadline):
                return await self._inbox.get()
        except TimeoutError:
            return Tick()

    async def _do(self, action: Action, line: Line, group: asyncio.TaskGroup) -> None:
        match action:
            case Reply():
                self._answer = _Answer(Playout(action.number), _now())
                if not action.words:
                    self._answer.timings["decided"] = round(self._loudness.quiet * 1000, 1)
                self._reply = group.create_task(self._give(action, self._answer, line))
            case Stop():
                await self._stop(line)
            case CalleeSays(text, complete):
                self._diary.turn(self._transcript.callee(text, complete, self._diary.now()))

    async def _stop(self, line: Line) -> None:
        """Silence the reply under way; what the carrier still holds of it is dropped."""
        if self._reply is None or self._answer is None:
            return
        self._reply.cancel()
        await asyncio.wait([self._reply])
        playout = self._answer.playout
        # First, since the carrier returns the marks of what it drops, and those must not count any more.
        self._close_turn(self._answer, cut=not playout.done)
        if playout.begun and not playout.done:
            await line.clear()

    # --- what comes in --------------------------------------------------------------------------------------

    async def _read(self, line: Line) -> None:
        """The only reader of the line. It never waits for anything else, so that no sound is lost."""
        async for event in line.events():
            match event:
                case Sound(mulaw):
                    self._hear(mulaw)
                    if change := self._loudness.feed(mulaw):
                        self.post(SoundOn() if change is Change.ON else SoundOff())
                case Mark(name):
                    self._confirm(name)
                case Digit() | Ended():
                    self.post(event)

    def _hear(self, mulaw: bytes) -> None:
        if self._sound.full():
            self._sound.get_nowait()
        self._sound.put_nowait(mulaw)

    def _confirm(self, mark: str) -> None:
        answer = self._answer
        if answer and answer.playout.played(mark):
            answer.moved.set()
            self._write_turn(answer)

    async def _frames(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._sound.get()

    async def _listen(self) -> None:
        try:
            async for heard in self._kit.ears.listen(self._frames()):
                if isinstance(heard, Trouble):
                    self._diary.trouble(heard.what)
                else:
                    self.post(heard)
        except ProviderError as error:
            self._diary.trouble(str(error))
            self.post(EarsLost(str(error)))

    # --- one reply ------------------------------------------------------------------------------------------

    async def _give(self, reply: Reply, answer: _Answer, line: Line) -> None:
        """Think, voice and play one reply. Cancelling this is what an interruption is."""
        failure = ""
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(self._play(answer, line))
            filling = group.create_task(self._fill(reply, answer))
            try:
                await self._compose(reply, answer)
            except ProviderError as error:
                failure = str(error)
                self._diary.trouble(failure)
            filling.cancel()
            answer.playout.finish()
            answer.moved.set()
            await playing
        self._close_turn(answer, cut=bool(failure))
        self.post(ReplyFailed(reply.number, failure) if failure else ReplyDone(reply.number))

    async def _compose(self, reply: Reply, answer: _Answer) -> None:
        if reply.words:
            await self._voice(reply.words, answer)
            return
        clauses, troubled, concluded = Clauses(), False, False
        stream = self._kit.mind.answer(self._transcript.conversation(), reply.hint)
        async with contextlib.aclosing(stream):
            async for piece in stream:
                match piece:
                    case Said(text):
                        answer.stamp("first_token", _now())
                        for clause in clauses.add(text):
                            await self._voice(clause, answer)
                    case ToolUse("end_call", arguments):
                        concluded = True
                        self.post(Concluded(reply.number, _ending(arguments)))
                    case Trouble(what):
                        troubled = True
                        self._diary.trouble(what)
        for clause in clauses.rest():
            # After a fault an unfinished sentence is worse than none.
            if ends_sentence(clause) or not (troubled and answer.worded):
                await self._voice(clause, answer)
        if not answer.worded:
            if not concluded:
                raise ProviderError("The language model answered without words.")
            await self._voice(known.GOODBYE, answer)

    async def _voice(self, clause: str, answer: _Answer) -> None:
        """Voice one clause into the playout."""
        answer.stamp("first_clause", _now())
        answer.playout.pause()
        answer.planned = f"{answer.planned} {clause}".strip()
        stream = self._kit.voice.say(clause)
        async with contextlib.aclosing(stream):
            async for piece in stream:
                if isinstance(piece, Spoken):
                    answer.stamp("first_voice", _now())
                    answer.playout.add(piece)
                    answer.moved.set()
                else:
                    self._diary.trouble(piece.what)

    async def _fill(self, reply: Reply, answer: _Answer) -> None:
        """Bridge a slow answer with a phrase that was prepared."""
        await asyncio.sleep(self._manners.filler_after)
        moment = self._kit.voice.known(known.MOMENT)
        if moment and not answer.playout.text and not reply.words:
            answer.planned = f"{known.MOMENT} {answer.planned}".strip()
            for piece in moment:
                answer.playout.add(piece)
            answer.playout.pause()
            answer.moved.set()

    async def _play(self, answer: _Answer, line: Line) -> None:
        """Send the reply's sound, a short lead ahead of real time, until all of it was played."""
        playout = answer.playout
        while not playout.done:
            answer.moved.clear()
            while piece := playout.due(_now()):
                await line.play(piece.sound)
                await line.mark(piece.mark)
                if "first_sound" not in answer.timings:
                    answer.stamp("first_sound", _now())
                    self.post(Speaking(playout.number))
                    self._write_turn(answer)
            try:
                async with asyncio.timeout_at(self._patience(playout)):
                    await answer.moved.wait()
            except TimeoutError:
                if playout.wake() is None and playout.finished:
                    self._diary.trouble("The carrier did not confirm that the agent's last words were played.")
                    return

    def _patience(self, playout: Playout) -> float | None:
        """Until when to wait for more sound or for the confirmation of what was sent."""
        if (wake := playout.wake()) is not None:
            return wake
        return playout.overdue + self._manners.played_wait if playout.finished else None

    # --- the agent's row ------------------------------------------------------------------------------------

    def _write_turn(self, answer: _Answer) -> None:
        if answer.closed:
            return
        text, heard = answer.planned, answer.playout.heard
        self._diary.turn(self._transcript.agent(text, heard, self._diary.now(), answer.timings))

    def _close_turn(self, answer: _Answer, cut: bool) -> None:
        if answer.playout.begun and not answer.closed:
            self._write_turn(answer)
            answer.closed = True
            if turn := self._transcript.agent_ends(answer.playout.heard, cut, self._diary.now()):
                self._diary.turn(turn)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _ending(arguments: dict[str, Any]) -> Ending:
    """What the model reported when it ended the call; an outcome we do not know is no outcome."""
    outcome, note = str(arguments.get("outcome", "")), str(arguments.get("note", ""))
    known_outcome = Outcome(outcome) if outcome in set(Outcome) else Outcome.UNCLEAR
    return Ending("The agent finished the call.", known_outcome, note)
