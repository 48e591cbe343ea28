"""One call, from ringing to the last word: the shell around the floor. It carries out decisions and makes none."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from backend import audio
from backend.call import manners as known
from backend.call.answer import Answer
from backend.call.diary import Diary
from backend.call.events import (
    Action,
    CalleeSays,
    Connected,
    Do,
    EarsLost,
    End,
    Ending,
    FloorEvent,
    Hold,
    Note,
    PickedUp,
    Release,
    Reply,
    SoundOff,
    SoundOn,
    Stop,
    Tick,
    ToneHeard,
    Tool,
)
from backend.call.feed import Feed
from backend.call.floor import Floor
from backend.call.grounding import Grounding
from backend.call.loudness import Change, Loudness
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.tones import Tones
from backend.call.transcript import Transcript
from backend.call.vetting import Vetting
from backend.call.voice import Voice
from backend.models import (
    Answerer,
    Brief,
    Digit,
    Ended,
    Mark,
    Outcome,
    ProviderError,
    Sound,
    Speaker,
    Trouble,
    Utterance,
)
from backend.seams import Line, SpeechToText

_MOST_WAITING = 1000
"""Events; a call makes a few a second, so a fuller inbox is a fault and ends the call."""
_SHOWN_EVERY = 0.3
"""Seconds; the dashboard looks every half second."""
_CHARACTERS_A_TOKEN = 4
_LONGEST_DECISION = 5.0
"""Seconds. No recogniser takes longer to end a turn."""


@dataclass(frozen=True)
class Kit:
    """The providers of one call, entered and left by whoever opened them."""

    ears: SpeechToText
    mind: Mind
    voice: Voice
    parts: dict[str, str] = field(default_factory=dict)
    """What serves as stt, llm and tts, for the call's row."""


class Session:
    """The conversation of one call, made inside the running loop.

    `prepare` while it rings, then `converse` once, on the line that was picked up.
    """

    def __init__(self, brief: Brief, kit: Kit, diary: Diary, manners: Manners) -> None:
        self._kit = kit
        self._brief = brief
        self._diary = diary
        self._manners = manners
        # Asked for at every frame of sound: finding the loop anew costs a system call each time.
        self._now = asyncio.get_running_loop().time
        self._floor = Floor(brief, manners)
        today = date.fromtimestamp(diary.now())
        self._transcript = Transcript(brief, today)
        self._grounding = Grounding(brief, today)
        self._inbox: asyncio.Queue[FloorEvent] = asyncio.Queue(_MOST_WAITING)
        self._sound = Feed()
        self._loudness = Loudness()
        self._tones = Tones()
        self._answer: Answer | None = None
        self._reply: asyncio.Task[None] | None = None
        self._words_at = float("-inf")
        """When the callee's last words came."""
        self._prepared: Counter[str] = Counter()
        self._show_again = 0.0
        """Until then nobody looks at how far the agent has come."""

    @property
    def counts(self) -> dict[str, int]:
        """What preparing and asking twice have won and cost so far, as `Call.counts`."""
        return dict(self._prepared + self._kit.mind.counts)

    def post(self, event: FloorEvent) -> None:
        """Hand the call an event; the one way in, also for operators and webhooks."""
        self._inbox.put_nowait(event)

    def study(self) -> None:
        """Read what the call is about, for the check of what is said. For a thread: a long brief takes tens of
        milliseconds, and the other calls of this process would wait for them."""
        self._grounding.prepare()

    async def prepare(self) -> None:
        """Make everything ready that does not need the callee: the first words, the phrases, the prompt cache."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kit.mind.warm(self._transcript.conversation()))
            opening = known.opening(self._brief, self._manners.discloses)
            group.create_task(self._kit.voice.prepare([opening], known.BY_HEART))

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
            await (line.transfer() if end.transfer else line.hang_up(end.farewell))
        return end.ending

    # --- the order of events --------------------------------------------------------------------------------

    async def _take_turns(self, line: Line, group: asyncio.TaskGroup) -> End:
        """Hand each event to the floor and carry out what it decides, until it decides to end."""
        while True:
            event = await self._next()
            now = self._now()
            actions = self._floor.handle(event, now)
            for action in actions:
                if isinstance(action, End):
                    self._diary.record(event, actions, now)
                    return action
                await self._do(action, line, group)
            self._diary.record(event, actions, now)

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
                self._begin(action, line, group)
            case Hold() if self._answer:
                await self._answer.hold()
            case Release() if self._answer:
                self._release(self._answer)
            case Stop():
                await self._stop(line)
            case Do(tool, about):
                self._have_done(tool, about)
            case Note(text):
                self._note(text)
            case PickedUp(who, why):
                self._diary.picked_up(who)
                if who is not Answerer.PERSON:
                    self._note(f"Picked up: {who}. {why}")
            case CalleeSays(text, complete):
                self._words_at = self._now()
                self._diary.turn(self._transcript.callee(text, complete, self._diary.now()))

    def _note(self, text: str) -> None:
        self._diary.turn(self._transcript.note(text, self._diary.now()))

    def _have_done(self, tool: Tool, about: str) -> None:
        match tool:
            case Tool.ASK_OPERATOR:
                self._diary.ask(about, self._manners.operator_wait)
            case Tool.NOTE_FOLLOW_UP:
                self._diary.ask(about)
            case Tool.DO_NOT_CALL:
                self._diary.refuse(self._brief.to)

    def _begin(self, reply: Reply, line: Line, group: asyncio.TaskGroup) -> None:
        now, quiet = self._now(), self._quiet
        conversation, advice = self._transcript.conversation(), Utterance(Speaker.NOTE, reply.hint)
        vetting = Vetting(self._grounding, (*conversation.lines, advice))
        self._answer = Answer(reply, self._kit.mind, self._kit.voice, vetting, line, self, self._manners)
        if not reply.held:
            self._answer.release(now, quiet, None if reply.words else self._waited)
        self._reply = group.create_task(self._answer.give(conversation))

    def _release(self, answer: Answer) -> None:
        first = answer.prepared and answer.stages.released is None
        self._prepared["prepared replies used"] += first
        answer.release(self._now(), self._quiet, self._waited)

    @property
    def _waited(self) -> float | None:
        """Seconds since the callee's last sound; None for one who speaks too softly to be noticed as loud."""
        quiet = self._loudness.quiet
        return quiet if quiet < _LONGEST_DECISION else None

    @property
    def _quiet(self) -> float:
        """Seconds since either side was last heard, or a reply was due that never came: somebody may be waiting."""
        waiting = self._answer.waiting if self._answer else float("-inf")
        # Who speaks too softly to be noticed as loud was not waiting meanwhile.
        since = waiting if waiting >= self._words_at else float("-inf")
        quiet = min(self._loudness.quiet, self._now() - since)
        return max(0.0, quiet) if quiet < _LONGEST_DECISION else 0.0

    async def _stop(self, line: Line) -> None:
        """Silence the reply under way; what the carrier still holds of it is dropped."""
        if self._reply is None or self._answer is None:
            return
        self._reply.cancel()
        await asyncio.wait([self._reply])
        answer, playout = self._answer, self._answer.playout
        # First, since the carrier returns the marks of what it drops, and those must not count any more.
        self.close(answer, cut=not playout.done)
        if playout.open and playout.begun and not playout.done:
            await line.clear()
        if answer.prepared and answer.stages.released is None:
            self._prepared["prepared replies wasted"] += 1
            self._prepared["tokens wasted"] += -(-answer.thought // _CHARACTERS_A_TOKEN)
            self._prepared["characters wasted"] += len(answer.planned)

    # --- what comes in --------------------------------------------------------------------------------------

    async def _read(self, line: Line) -> None:
        """The only reader of the line. It never waits for anything else, so that no sound is lost."""
        async for event in line.events():
            match event:
                case Sound(mulaw):
                    self._sound.put(mulaw)
                    if change := self._loudness.feed(mulaw, self._sounding(mulaw)):
                        self.post(SoundOn() if change is Change.ON else SoundOff())
                    if self._floor.receives:
                        for tone in self._tones.feed(mulaw):
                            self.post(ToneHeard(tone.signal))
                case Mark(name):
                    if self._answer and self._answer.confirm(name) and self._now() >= self._show_again:
                        self.show(self._answer)
                case Digit() | Ended():
                    self.post(event)

    def _sounding(self, mulaw: bytes) -> bytes:
        """The agent's sound while the callee made this one: it may come back as an echo."""
        return self._answer.playout.sounding(self._now(), audio.seconds(mulaw)) if self._answer else b""

    async def _listen(self) -> None:
        try:
            async for heard in self._kit.ears.listen(self._sound):
                if isinstance(heard, Trouble):
                    self.trouble(heard.what)
                else:
                    self.post(heard)
        except ProviderError as error:
            self.trouble(str(error))
            self.post(EarsLost(str(error)))

    # --- what a reply tells ---------------------------------------------------------------------------------

    def trouble(self, what: str) -> None:
        """Write down what a provider did wrong."""
        self._diary.trouble(what)

    def show(self, answer: Answer) -> None:
        """Write the agent's turn as far as it has come; pressed keys are none."""
        if answer.planned and answer.playout.begun and not answer.closed:
            self._show_again = self._now() + _SHOWN_EVERY
            heard, timings = answer.playout.heard, answer.stages.timings
            now = self._diary.now()
            self._diary.turn(self._transcript.agent(answer.planned, heard, now, timings, answer.facts))

    def close(self, answer: Answer, cut: bool) -> None:
        """Write the agent's turn for the last time."""
        if answer.playout.begun and not answer.closed:
            self.show(answer)
            answer.closed = True
            if turn := self._transcript.agent_ends(answer.playout.heard, cut, self._diary.now()):
                self._diary.turn(turn)
