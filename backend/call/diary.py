"""What a call writes down about itself, bound to its row: turns, troubles and the flight recorder."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from backend.call import events
from backend.call.events import Action, Ending, FloorEvent
from backend.models import Event, Outcome, Status, Turn, TurnState
from backend.store import Store

_PARTIALS_EVERY = 0.2
"""Seconds between two writes of a turn that is still open; the dashboard looks every half second."""


class Diary:
    """Writes are quick (a fraction of a millisecond) and happen between events, in the order things happened."""

    def __init__(self, store: Store, call_id: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._call_id = call_id
        self._clock = clock
        self._written: dict[int, tuple[float, Turn]] = {}
        self._waiting: dict[int, Turn] = {}

    def now(self) -> float:
        """Unix seconds, for the rows."""
        return self._clock()

    def turn(self, turn: Turn) -> None:
        """Write the turn; while it is open not more often than the dashboard can see."""
        when, last = self._written.get(turn.number, (0.0, None))
        if turn == last:
            return
        if turn.state is TurnState.OPEN and self.now() - when < _PARTIALS_EVERY:
            self._waiting[turn.number] = turn
            return
        self._waiting.pop(turn.number, None)
        self._written[turn.number] = (self.now(), turn)
        self._store.write_turn(self._call_id, turn)

    def catch_up(self) -> None:
        """Write the open turns that were held back, if it is their time."""
        for turn in tuple(self._waiting.values()):
            self.turn(turn)

    def trouble(self, what: str) -> None:
        self._store.trouble(self._call_id, what)
        self._store.write_events(self._call_id, [Event(self.now(), "Trouble", {"what": what})])

    def close(self, status: Status, ending: Ending, sequence: int = -1) -> None:
        """Write the last columns of the row, unless it is closed already."""
        columns = {"outcome": ending.outcome, "note": ending.note, "ending": ending.why}
        self._store.advance(self._call_id, status, sequence, ended=self.now(), **columns)

    def record(self, event: FloorEvent, actions: list[Action], at: float) -> None:
        """One step of the floor: what it was handed at this moment of the call's clock, and what it returned."""
        kind, data = encode(event)
        done = [encode(action) for action in actions]
        self._store.write_events(self._call_id, [Event(self.now(), kind, {"at": at, "event": data, "actions": done})])


def encode(value: FloorEvent | Action) -> tuple[str, dict[str, Any]]:
    """A floor event or action as its name and plain data, for JSON."""
    return type(value).__name__, asdict(value)


def decode(kind: str, data: dict[str, Any]) -> FloorEvent | Action:
    """The value that `encode` was given."""
    if "ending" in data:
        ending = data["ending"] | {"outcome": Outcome(data["ending"]["outcome"])}
        data = data | {"ending": events.Ending(**ending)}
    value: FloorEvent | Action = getattr(events, kind)(**data)
    return value
