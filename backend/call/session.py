"""One call, from ringing to the last word: the shell around the floor. It carries out decisions and makes none."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
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
    Microphone,
    Note,
    OperatorSays,
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
from backend.call.grounding.grounding import Grounding
from backend.call.grounding.vetting import Vetting
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.mouthpiece import Mouthpiece
from backend.call.pickup.tones import Tones
from backend.call.sound.loudness import Change, Loudness
from backend.call.sound.playout import REACH
from backend.call.transcript import Transcript
from backend.call.turns.deadlines import Phase
from backend.call.turns.floor import Floor
from backend.call.voice import Voice
from backend.models import (
    Answerer,
    Brief,
    Digit,
    Ended,
    Hands,
    LineEvent,
    Mark,
    Outcome,
    ProviderError,
    Sound,
    Speaker,
    Trouble,
    Utterance,
)
from backend.money.tally import Tally
from backend.seams import Line, SpeechToText

_MOST_WAITING = 1000
"""Events; a call makes a few a second, so a fuller inbox is a fault and ends the call."""
_SHOWN_EVERY = 0.3
"""Seconds; the dashboard looks every half second."""
_COUNTED_EVERY = 3.0
"""Seconds; the desk shows the money so far."""
_CHARACTERS_A_TOKEN = 4
_LONGEST_LEAVE = 2.0
"""Seconds that a reply gets to end once it is cancelled."""
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
    more_ears: Callable[[], SpeechToText] | None = None
    """Somebody to recognise the operator's own voice; made anew, and entered, at each taking over."""
    tally: Tally = field(default_factory=Tally)
    """What they use, as they count it."""


class Session:
    """The conversation of one call, made inside the running loop.

    `prepare` while it rings, then `converse` once, on the line that was picked up.
    """

    def __init__(
        self, brief: Brief, kit: Kit, diary: Diary, manners: Manners, forget: Callable[[], None] = lambda: None
    ) -> None:
        """`forget` stops the call's recording and deletes what there is of it."""
        self._kit = kit
        self._forget = forget
        self._brief = brief
        self._diary = diary
        self._manners = manners
        # Asked for at every frame of sound: finding the loop anew costs a system call each time.
        self._now = asyncio.get_running_loop().time
        self._floor = Floor(brief, manners)
        self._receives = self._floor.receives
        """As the floor has it since its last decision."""
        today = date.fromtimestamp(diary.now())
        self._transcript = Transcript(brief, today)
        self._grounding = Grounding(brief, today)
        self._inbox: asyncio.Queue[tuple[FloorEvent, asyncio.Future[bool] | None]] = asyncio.Queue(_MOST_WAITING)
        self._sound = Feed()
        self._loudness = Loudness()
        self._tones = Tones()
        self._answer: Answer | None = None
        self._reply: asyncio.Task[None] | None = None
        self._words_at = float("-inf")
        """When the callee's last words came."""
        self._mouthpiece: Mouthpiece | None = None
        """The operator's, since they took the call over for the last time."""
        self._helpers: list[asyncio.Task[None]] = []
        """What goes on beside the talk, and ends with it."""
        self._over = False
        self._prepared: Counter[str] = Counter()
        self._show_again = 0.0
        """Until then nobody looks at how far the agent has come."""
        self._count_again = 0.0
        """Until then nobody looks at what was used."""
        self._spent = kit.tally.mark()
        """What was used before the newest reply."""

    @property
    def counts(self) -> dict[str, int]:
        """What preparing and asking twice have won and cost so far, and what was used, as `Call.counts`."""
        return dict(self._prepared + self._kit.mind.counts) | self._kit.tally.counts

    def _count(self, now: float) -> None:
        if now >= self._count_again:
            self._count_again = now + _COUNTED_EVERY
            self._diary.count(self.counts)

    def post(self, event: FloorEvent) -> None:
        """Hand the call an event; the one way in, also for operators and webhooks. Nothing happens once it is over."""
        if not self._over:
            self._inbox.put_nowait((event, None))

    async def carry_out(self, order: FloorEvent) -> bool:
        """Hand the call an operator's order, and wait until what it asks for was begun; False: the call is over."""
        if self._over:
            return False
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._inbox.put_nowait((order, done))
        return await done

    def speak(self, mulaw: bytes) -> bool:
        """The operator's own voice, for the callee; False: nobody has taken the call over, and it goes nowhere."""
        if self._over or self._mouthpiece is None or not self._mouthpiece.open:
            return False
        if not (self._answer and self._answer.sounds):
            # What the operator has typed, or the keys pressed, are played out alone.
            self._mouthpiece.speak(mulaw)
        return True

    @property
    def hands(self) -> Hands:
        return self._floor.hands

    @property
    def phase(self) -> Phase:
        return self._floor.phase

    def study(self) -> None:
        """Read what the call is about, for the check of what is said. For a thread: a long brief takes tens of
        milliseconds, and the other calls of this process would wait for them."""
        self._grounding.prepare()

    async def prepare(self) -> None:
        """Make everything ready that does not need the callee: the first words, the phrases, the prompt cache."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kit.mind.warm(self._transcript.conversation()))
            opening = known.opening(self._brief, self._manners.discloses, self._manners.notice)
            by_heart = (*known.BY_HEART, known.handed_back(self._brief))
            group.create_task(self._kit.voice.prepare([opening], by_heart, self.trouble))

    async def converse(self, line: Line) -> Ending:
        """Talk until the call is over, and hang up.

        Raises:
            ExceptionGroup: a fault of ours; the line is hung up all the same.
        """
        end = End(Ending("The call was stopped.", Outcome.FAILED))
        try:
            async with asyncio.TaskGroup() as group:
                self._helpers += [group.create_task(self._read(line)), group.create_task(self._listen())]
                self.post(Connected())
                end = await self._take_turns(line, group)
                for helper in self._helpers:
                    helper.cancel()
        finally:
            self._refuse_orders()
            await (line.transfer() if end.transfer else line.hang_up(end.farewell))
        return end.ending

    # --- the order of events --------------------------------------------------------------------------------

    async def _take_turns(self, line: Line, group: asyncio.TaskGroup) -> End:
        """Hand each event to the floor and carry out what it decides, until it decides to end."""
        while True:
            event, done = await self._next()
            now = self._now()
            actions = self._floor.handle(event, now)
            self._receives = self._floor.receives
            end = None
            for action in actions:
                if isinstance(action, End):
                    end = action
                else:
                    await self._do(action, line, group)
            self._diary.record(event, actions, now)
            self._count(now)
            _confirm(done)
            if end:
                return end

    async def _next(self) -> tuple[FloorEvent, asyncio.Future[bool] | None]:
        """The next event, and whom to tell when it was dealt with; a tick when the floor's deadline comes first."""
        try:
            async with asyncio.timeout_at(self._floor.deadline):
                return await self._inbox.get()
        except TimeoutError:
            return Tick(), None

    def _refuse_orders(self) -> None:
        """Nobody carries out any more what still waits."""
        self._over = True
        while not self._inbox.empty():
            _confirm(self._inbox.get_nowait()[1], False)

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
            case OperatorSays(text, complete):
                self._diary.turn(self._transcript.operator(text, complete, self._diary.now()))
            case Microphone(open):
                self._give_microphone(open, line, group)

    def _give_microphone(self, open: bool, line: Line, group: asyncio.TaskGroup) -> None:
        if self._mouthpiece:
            self._mouthpiece.close()
        if open:
            self._mouthpiece = Mouthpiece(line, self._kit.more_ears, self)
            self._helpers.append(group.create_task(self._mouthpiece.run()))

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
            case Tool.STOP_RECORDING:
                self._forget()

    def _begin(self, reply: Reply, line: Line, group: asyncio.TaskGroup) -> None:
        now, quiet = self._now(), self._quiet
        self._spent = self._kit.tally.mark()
        conversation, advice = self._transcript.conversation(), Utterance(Speaker.NOTE, reply.hint)
        vetting = Vetting(self._grounding, (*conversation.lines, advice))
        reach = REACH[self._brief.line]
        self._answer = Answer(reply, self._kit.mind, self._kit.voice, vetting, line, self, self._manners, reach)
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
        # Its provider may be slow to take leave, and the callee would hear what the carrier still holds meanwhile.
        if not (await asyncio.wait([self._reply], timeout=_LONGEST_LEAVE))[0]:
            self.trouble(f"A reply that was to be stopped took longer than {_LONGEST_LEAVE:g} seconds to end.")
        answer, playout = self._answer, self._answer.playout
        # First, since the carrier returns the marks of what it drops, and those must not count any more.
        self.close(answer, cut=not playout.done)
        if playout.open and playout.begun and not playout.done:
            await line.clear()
        if answer.prepared and answer.stages.released is None:
            self._prepared["prepared replies wasted"] += 1
            self._prepared["tokens wasted"] += -(-answer.thought // _CHARACTERS_A_TOKEN)
            self._prepared["characters wasted"] += len(answer.planned)
            self._kit.tally.discard(self._spent)

    # --- what comes in --------------------------------------------------------------------------------------

    async def _read(self, line: Line) -> None:
        """The only reader of the line. It never waits for anything, so that no sound is lost."""
        await line.pour(self._take)

    def _take(self, event: LineEvent) -> None:
        match event:
            case Sound(mulaw):
                self._hear(mulaw)
            case Mark(name):
                if self._answer and self._answer.confirm(name) and self._now() >= self._show_again:
                    self.show(self._answer)
            case Digit() | Ended():
                self.post(event)

    def _hear(self, mulaw: bytes) -> None:
        self._sound.put(mulaw)
        if change := self._loudness.feed(mulaw, self._sounding(mulaw)):
            self.post(SoundOn() if change is Change.ON else SoundOff())
        if self._receives:
            for tone in self._tones.feed(mulaw):
                self.post(ToneHeard(tone.signal))

    def _sounding(self, mulaw: bytes) -> bytes:
        """Our side's sound while the callee made this one: it may come back as an echo."""
        if self._mouthpiece and (operator := self._mouthpiece.sounding(mulaw)):
            return operator
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


def _confirm(done: asyncio.Future[bool] | None, carried_out: bool = True) -> None:
    """Tell whoever waits for it what became of an order."""
    if done and not done.done():
        done.set_result(carried_out)
