"""Who picked up, as far as one may act on it, and what that asks for. Pure.

What `Pickup` makes of words, tones and cadence comes together here with how far the talk has come and with the
carrier's verdict, which is one witness among several.
"""

from __future__ import annotations

from backend.call.events import PickedUp
from backend.call.pickup.pickup import Pickup
from backend.call.pickup.tones import Signal, Tone
from backend.call.turns.deadlines import NEVER
from backend.models import Answerer

_MACHINES = frozenset({*Answerer} - {Answerer.PERSON, Answerer.SILENCE})
_CONVERSATION = 2
"""Turns of a person that the agent has answered, after which nobody asks any more who picked up."""


class Reception:
    """One call's. Moments are seconds on the floor's clock."""

    def __init__(self, calls: bool = False) -> None:
        """`calls`: they have called us, and a machine does not."""
        self.listened = False
        """Whether somebody listened to the whole opening: then what the carrier took for a machine's long greeting may
        be our own echo."""
        self.opened = False
        """Whether the opening was said to its end."""
        self._pickup = Pickup()
        self._verdict = ""
        self._loud = False
        self._talked = _CONVERSATION if calls else 0
        self._told: PickedUp | None = None
        self._met = "They have called." if calls else ""
        """How it is known without asking that it is a person; empty: it is not."""

    # --- what happens -----------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether it is still a question who picked up."""
        return self._talked < _CONVERSATION

    @property
    def listens(self) -> bool:
        """Whether tones are worth listening for: not any more of a person, unless their words prove them none."""
        person = self._pickup.who is Answerer.PERSON and self._pickup.sure
        return self.open and not (person and self.opened)

    def sound(self, on: bool, now: float) -> None:
        self._loud = on
        if self.open:
            self._pickup.sound(on, now)

    def hears(self, text: str, complete: bool, now: float) -> None:
        if self.open:
            self._pickup.hears(text, complete, now)

    def tone(self, signal: Signal, now: float) -> None:
        if self.open:
            self._pickup.tone(Tone(signal, 0.0), now)

    def verdict(self, kind: str, now: float) -> None:
        if self.open:
            self._verdict = kind
            self._pickup.verdict(kind, now)

    def answers(self, now: float) -> None:
        """The agent is going to answer the callee's turn, having been heard itself."""
        if self._pickup.who is Answerer.PERSON and self._pickup.sure:
            self._talked += 1
            self._pickup.conversed(now)

    def meets(self) -> None:
        """The operator has talked with whoever it is: a person, then, and nobody asks any more who picked up."""
        self._pickup, self._verdict, self._talked = Pickup(), "", _CONVERSATION
        self._met = "The operator has talked with them."

    def passes(self, now: float) -> None:
        """Nothing happened until now."""
        if self.open:
            self._pickup.passes(now)

    # --- what it comes to -------------------------------------------------------------------------------------

    @property
    def machine(self) -> Answerer | None:
        """The machine that one may treat as such; None: a person, or one cannot tell."""
        who = self._pickup.who
        if self._pickup.sure:
            return who if who in _MACHINES else None
        if self._told and self._told.who in _MACHINES and self.open:
            # What was certain stays so while a machine's next sentence begins, until somebody is surely heard.
            return self._told.who
        if not self.open or who is Answerer.PERSON:
            return None
        if self._verdict == "fax":
            return Answerer.FAX
        return Answerer.VOICEMAIL if self._heard_out else None

    @property
    def _heard_out(self) -> bool:
        """Whether the carrier has heard a greeting to its end, and nothing speaks against that."""
        if self._pickup.who not in (None, Answerer.VOICEMAIL):
            return False
        return self._verdict == "machine_end_beep" or (self._verdict.startswith("machine_end") and not self.listened)

    @property
    def dead(self) -> bool:
        """Whether the number leads nowhere."""
        return self._pickup.dead

    @property
    def why(self) -> str:
        return self._pickup.why

    @property
    def silent(self) -> bool:
        """Whether nobody has said anything at all."""
        return self._pickup.who in (None, Answerer.SILENCE) and not self._met

    @property
    def suspects(self) -> bool:
        """Whether it may well be a machine, although that is not certain."""
        return self._pickup.who is Answerer.VOICEMAIL

    @property
    def speak_after(self) -> float | None:
        """When one may speak to whoever it is, at the earliest; None: not as things stand."""
        after = self._pickup.speak_after
        if self.machine is not Answerer.VOICEMAIL or not self._verdict.startswith("machine_end"):
            return after
        if self._loud:
            # What the carrier took for the end may be a pause, and the beep lasts for a while.
            return None
        # The carrier has heard its beep, or its end where we heard nothing at all.
        return -NEVER if self._verdict == "machine_end_beep" or after is None else after

    @property
    def deadline(self) -> float:
        """When `passes` must be called if nothing else happens."""
        at = self._pickup.deadline if self.open else None
        return NEVER if at is None else at

    def news(self) -> PickedUp | None:
        """Who picked up, when that is certain and was not told yet."""
        who = self.machine or (self._pickup.who if self._pickup.sure else None)
        who = Answerer.PERSON if self._met else who
        if who is None or (self._told and self._told.who is who):
            return None
        why = self._pickup.why if self._pickup.sure else self._met or "The carrier took it for a machine."
        self._told = PickedUp(who, why)
        return self._told
