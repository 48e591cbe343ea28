"""What a call writes down about itself, bound to its row: turns, troubles and the flight recorder."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from backend.call import events
from backend.call.events import Action, Ending, FloorEvent
from backend.call.pickup.tones import Signal
from backend.models import Answerer, Event, Outcome, Refusal, Status, Turn
from backend.storage.store import Store

_LOG = logging.getLogger(__name__)

ORDER = "Operator"
"""The kind of event that says who ordered what."""


class Diary:
    """Writes happen between events, in the order things happened, and cost little: the store puts them together.

    No call ends because it cannot be written down, such as on a full disk: what is left then is written with the row's
    last columns.
    """

    def __init__(self, store: Store, call_id: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._call_id = call_id
        self._clock = clock
        self._written: dict[int, Turn] = {}
        self._counted: dict[str, int] = {}
        self._owed: dict[str, Callable[[], object]] = {}
        """By what it is about, what could not be written when it was to be."""

    def now(self) -> float:
        """Unix seconds, for the rows."""
        return self._clock()

    def turn(self, turn: Turn) -> None:
        """Write the turn, as far as it has come."""
        if turn != self._written.get(turn.number):
            self._written[turn.number] = turn
            self._store.write_turn(self._call_id, turn)

    def trouble(self, what: str) -> None:
        self._write(what, lambda: self._store.trouble(self._call_id, what))
        self._store.write_events(self._call_id, [Event(self.now(), "Trouble", {"what": what})])

    def ordered(self, what: str, by: str) -> None:
        """An operator, of this name or of none, has placed the call or ordered something in it: who did what."""
        self._store.write_events(self._call_id, [Event(self.now(), ORDER, {"by": by, "did": what})])

    def count(self, counts: dict[str, int]) -> None:
        """Write what has been counted so far."""
        if counts != self._counted:
            self._counted = counts
            self.change(counts=counts)

    def picked_up(self, who: Answerer) -> None:
        self.change(answerer=who)

    def change(self, **columns: Any) -> None:
        """Overwrite some columns of the row; the names are those of `Call`."""
        self._write(" ".join(columns), lambda: self._store.change(self._call_id, **columns))

    def advance(self, status: Status, **columns: Any) -> None:
        """Move the row's status on, unless it is there already or the call is over."""
        self._write(status, lambda: self._store.advance(self._call_id, status, **columns))

    def ask(self, question: str, wait: float | None = None) -> None:
        """Put a question to the operator, who has `wait` seconds to answer; None: for after the call."""
        now = self.now()
        until = None if wait is None else now + wait
        self._write(question, lambda: self._store.ask(self._call_id, question, now, until))

    def refuse(self, number: str) -> None:
        """Never call this number again."""
        why = "They asked during a call not to be called again."
        refusal = Refusal(number, self.now(), why, self._call_id)
        self._write("refusal", lambda: self._store.refuse(refusal))

    def close(self, status: Status, ending: Ending, sequence: int = -1, at: float | None = None) -> None:
        """Write the last columns of the row, unless it is closed already.

        Args:
            at: when the call ended, in Unix seconds; None: now.

        Raises:
            sqlite3.Error: not now; try it again.
        """
        for about, write in tuple(self._owed.items()):
            write()
            del self._owed[about]
        columns = {"outcome": ending.outcome, "note": ending.note, "ending": ending.why}
        ended = self.now() if at is None else at
        self._store.advance(self._call_id, status, sequence, ended=ended, **columns)

    def _write(self, about: str, write: Callable[[], object]) -> None:
        """Now, or else with the last columns."""
        try:
            write()
        except sqlite3.Error as error:
            _LOG.error("the row of call %s cannot be written: %s", self._call_id, error)
            self._owed[about] = write
        else:
            self._owed.pop(about, None)

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
    for name, kind_of in (("tool", events.Tool), ("signal", Signal), ("who", Answerer)):
        if name in data:
            data = data | {name: kind_of(data[name])}
    value: FloorEvent | Action = getattr(events, kind)(**data)
    return value
