"""A conversation with the floor alone, for tests of turn-taking."""

from __future__ import annotations

from backend.call.events import Action, Connected, FloorEvent, PickedUp, ReplyDone, Speaking, Tick
from backend.call.manners import Manners
from backend.call.turns.deadlines import Phase
from backend.call.turns.floor import Floor
from backend.models import Brief

BRIEF = Brief(to="+12025550143", action="Confirm the visit", callee_name="John Smith", organization="Green Dental")
MANNERS = Manners()


class Talk:
    """A floor with a clock: each step says when it happens."""

    def __init__(self, manners: Manners = MANNERS, brief: Brief = BRIEF) -> None:
        self.floor = Floor(brief, manners)
        self.now = 0.0
        self.did: list[Action] = []

    def at(self, now: float, *events: FloorEvent) -> list[Action]:
        """Let time pass, with the ticks that fall due on the way, then these events happen."""
        self.now, self.did = self.now, []
        while self.floor.deadline is not None and self.floor.deadline < now:
            self.now = self.floor.deadline
            self._handle(Tick(), self.now)
        self.now = now
        for event in events:
            self._handle(event, now)
        return self.did

    def _handle(self, event: FloorEvent, now: float) -> None:
        for action in self.floor.handle(event, now):
            # Who picked up is only written down; the tests of that are elsewhere.
            if not isinstance(action, PickedUp):
                self.did.append(action)

    def phase(self) -> Phase:
        return self.floor.phase

    def opened(self) -> Talk:
        """Past the opening: the agent has asked for a moment and listens, at 5 s."""
        self.at(0, Connected())
        self.at(5, Speaking(1), ReplyDone(1))
        return self
