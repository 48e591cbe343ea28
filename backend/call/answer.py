"""One reply, from the first thought to the last sound that the carrier confirmed: the shell around its playout."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Protocol

from backend.bell import Bell
from backend.call import manners as known
from backend.call.events import (
    Concluded,
    FloorEvent,
    Held,
    Planned,
    Reply,
    ReplyDone,
    ReplyFailed,
    Speaking,
    Tool,
    Wants,
)
from backend.call.grounding.vetting import Vetting
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.sound.keys import tones_of
from backend.call.sound.playout import Playout, Reach
from backend.call.text import Clauses, ends_sentence
from backend.call.tools import wish, wordless
from backend.call.voice import Voice
from backend.models import Conversation, Fact, ProviderError, Said, Spoken, ToolUse, Trouble
from backend.seams import Line

_BREATH = 0.5
"""Seconds an answer gets from its beginning before the silence is bridged, however long the decision took."""


class House(Protocol):
    """Whom a reply tells what becomes of it."""

    def post(self, event: FloorEvent) -> None: ...
    def trouble(self, what: str) -> None: ...
    def show(self, answer: Answer) -> None:
        """Its words, or what was heard of them, have changed."""
        ...

    def close(self, answer: Answer, cut: bool) -> None:
        """Nothing more of it will be heard."""
        ...


@dataclass(slots=True)
class Stages:
    """When each stage of a reply was first reached, in the loop's clock."""

    waited: float | None = None
    """Seconds from the callee's last sound to the decision to answer it, where there was one to make."""
    released: float | None = None
    """When it was decided that the reply may be heard."""
    reached: dict[str, float] = field(default_factory=dict)

    def stamp(self, stage: str, now: float) -> None:
        self.reached.setdefault(stage, now)

    @property
    def timings(self) -> dict[str, float]:
        """As `Turn.timings`. What was prepared before the decision took none of the callee's time."""
        if self.released is None:
            return {}
        decided = {} if self.waited is None else {"decided": round(self.waited * 1000, 1)}
        begun = self.released
        return decided | {name: round(max(0.0, at - begun) * 1000, 1) for name, at in self.reached.items()}


class Answer:
    """`give` is its life, in a task of its own; cancelling that is what an interruption is."""

    def __init__(
        self,
        reply: Reply,
        mind: Mind,
        voice: Voice,
        vetting: Vetting,
        line: Line,
        house: House,
        manners: Manners,
        reach: Reach,
    ) -> None:
        self.playout = Playout(reply.number, open=not reply.held, reach=reach)
        self.stages = Stages()
        self.planned = ""
        """All the words given to the voice."""
        self.thought = 0
        """Characters that came from the model."""
        self.closed = False
        """Its turn is written; marks that come later change nothing."""
        self.prepared = reply.held
        """Whether it was begun before the callee had surely finished."""
        self._reply = reply
        self._vetting = vetting
        self._mind, self._voice, self._line, self._house, self._manners = mind, voice, line, house, manners
        self._worded = False
        """Whether anything but a phrase to bridge the wait was planned."""
        self._bridges = list(known.BRIDGES)
        # Asked for a few times in every piece of sound: finding the loop anew costs a system call each time.
        self._now = asyncio.get_running_loop().time
        self._begun = self._now()
        self._quiet_from = 0.0
        """Since when the callee has been waiting."""
        self._failed: ReplyFailed | None = None
        self._moved = Bell()
        """Rings when there is more sound to send, or all of it was played, or the gate has moved."""

    @property
    def sounds(self) -> bool:
        """Whether it is being played, or will go on to be."""
        return self.playout.begun and not (self.closed or self.playout.done)

    # --- its gate -------------------------------------------------------------------------------------------

    def release(self, now: float, quiet: float = 0.0, waited: float | None = None) -> None:
        """Let it be heard.

        Args:
            quiet: seconds since the last sound of either side.
            waited: seconds since the callee's last sound, where that is what this answers.
        """
        self.playout.release()
        patience = self._manners.filler_after
        self._quiet_from = max(now - min(quiet, patience), self._begun + _BREATH - patience)
        if self.stages.released is None:
            self.stages.released, self.stages.waited = now, waited
        self._moved.ring()

    @property
    def waiting(self) -> float:
        """Since when the callee has been waiting for more of it; negative infinity while it may not be heard."""
        return max(self._quiet_from, self.playout.runs_dry) if self.stages.released is not None else float("-inf")

    async def hold(self) -> None:
        """Silence it for now; `Held` tells the floor how far it had come."""
        held = self.playout.hold(self._now())
        if held and self.playout.begun:
            await self._line.clear()
        self._moved.ring()
        self._house.show(self)
        self._house.post(Held(self.playout.number, self.playout.heard, self.playout.left, over=not held))

    def confirm(self, mark: str) -> bool:
        """The carrier returned this mark; whether it was one of this reply's."""
        ours = self.playout.played(mark, self._now())
        if ours and self.playout.done:
            self._moved.ring()
        return ours

    # --- its life -------------------------------------------------------------------------------------------

    async def give(self, conversation: Conversation) -> None:
        """Think, voice and play it to the end, and say how it went."""
        async with asyncio.TaskGroup() as group:
            composing = group.create_task(self._compose(conversation))
            await self._play()
            composing.cancel()
        self._house.close(self, cut=self._failed is not None)
        self._house.post(self._failed or ReplyDone(self.playout.number))

    def _fail(self, why: str, mute: bool = False) -> None:
        self._failed = ReplyFailed(self.playout.number, why, mute)

    async def _compose(self, conversation: Conversation) -> None:
        try:
            if self._reply.keys:
                self._press(self._reply.keys)
            elif self._reply.words:
                await self._say(self._reply.words)
            else:
                await self._think(conversation)
        except ProviderError as error:
            self._house.trouble(str(error))
            self._fail(str(error), mute=self._mute)
        self.playout.finish()
        self._moved.ring()

    async def _think(self, conversation: Conversation) -> None:
        clauses, troubled, used = Clauses(), False, set[str]()
        stream = self._mind.answer(conversation, self._reply.hint)
        async with contextlib.aclosing(stream):
            async for piece in stream:
                match piece:
                    case Said(text):
                        self.stages.stamp("first_token", self._now())
                        self.thought += len(text)
                        for clause in clauses.add(text):
                            await self._utter(clause)
                    case ToolUse():
                        used.add(piece.name)
                        self._use(piece)
                    case Trouble(what):
                        troubled = True
                        self._house.trouble(what)
        for clause in clauses.rest():
            # After a fault an unfinished sentence is worse than none.
            if ends_sentence(clause) or not (troubled and self._worded):
                await self._utter(clause)
        if not self._worded:
            words = wordless(used)
            if not words:
                raise ProviderError("The language model answered without words.")
            await self._say(words)

    async def _utter(self, clause: str) -> None:
        """Say what of the model's words may be said."""
        known_before = bool(self._vetting.withheld)
        if words := self._vetting.pass_on(clause):
            await self._say(words)
        if self._vetting.withheld and not known_before:
            about = f"Confirm to them what the agent did not know for sure: {clause}"
            self._house.post(Wants(self.playout.number, Tool.NOTE_FOLLOW_UP, about))

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What its words state, and where it comes from."""
        return self._vetting.facts

    def _use(self, use: ToolUse) -> None:
        """Tell the floor of it; keys are pressed as sound, in their place among the words."""
        match wish(self.playout.number, use):
            case Wants(tool=Tool.PRESS_KEYS, about=keys) as wanted if keys:
                self._press(keys)
                self._house.post(wanted)
            case Concluded() | Wants() as wanted:
                self._house.post(wanted)

    def _press(self, keys: str) -> None:
        self._worded = True
        self.playout.add(Spoken(tones_of(keys)))
        self._moved.ring()

    async def _say(self, clause: str) -> None:
        """Voice one clause into the playout."""
        self.stages.stamp("first_clause", self._now())
        self._worded = True
        self._plan(clause)
        stream = self._voice.say(clause)
        async with contextlib.aclosing(stream):
            async for piece in stream:
                if isinstance(piece, Spoken):
                    self.stages.stamp("first_voice", self._now())
                    self.playout.add(piece)
                    self._moved.ring()
                else:
                    self._house.trouble(piece.what)
        self.playout.pause()

    def _plan(self, words: str) -> None:
        self.planned = f"{self.planned} {words}".strip()
        self._house.post(Planned(self.playout.number, words))

    def _put_before(self, words: str) -> None:
        """These are said before what the voice was given and has not said yet."""
        given, said = self.planned.split(), len(self.playout.text.split())
        self._plan(words)
        self.planned = " ".join([*given[:said], words, *given[said:]])

    # --- its sound ------------------------------------------------------------------------------------------

    async def _play(self) -> None:
        """Send the sound, a short lead ahead of real time, until all of it was played or no more is to be hoped for."""
        while not (self.playout.done or self._in_vain):
            await self._send()
            look = self._next_look()
            if look is not None and look <= self._now() and self.playout.idle and not self._go_on():
                return
            await self._moved.wait(look)

    @property
    def _in_vain(self) -> bool:
        """Whether it failed while it was only prepared: half of it is not worth releasing."""
        return self._failed is not None and self.stages.released is None

    async def _send(self) -> None:
        """All that is due."""
        while piece := self.playout.due(self._now()):
            await self._line.play(piece.sound, piece.mark)
            if "first_sound" not in self.stages.reached:
                self.stages.stamp("first_sound", self._now())
                self._house.post(Speaking(self.playout.number))
                self._house.show(self)

    def _next_look(self) -> float | None:
        """Until when to wait for more sound, for the confirmation of what was sent, or for the gate."""
        if (wake := self.playout.wake()) is not None or not self.playout.open:
            return wake
        if self.playout.finished:
            return self.playout.runs_dry + self._manners.played_wait
        patience = self._manners.filler_after if self._bridge else self._manners.voiceless_after
        return self.waiting + patience

    def _go_on(self) -> bool:
        """Silence lasts too long: bridge it, or give the reply up."""
        if self.playout.finished:
            self._house.trouble("The carrier did not confirm that the agent's last words were played.")
            return False
        if bridge := self._bridge:
            self._put_before(self._bridges.pop(0))
            for piece in bridge:
                self.playout.add(piece)
            self.playout.pause()
            return True
        why = "No answer came in time." if self._reply.words == "" else "The voice gave no sound in time."
        self._house.trouble(why)
        self._fail(why, mute=self._mute)
        return False

    @property
    def _bridge(self) -> tuple[Spoken, ...]:
        """A phrase, made in advance, to say while the answer does not come."""
        return self._voice.known(self._bridges[0]) if self._bridges else ()

    @property
    def _mute(self) -> bool:
        """Whether not even an apology can be said."""
        return not self._voice.known(known.TROUBLE)
