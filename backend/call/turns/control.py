"""In whose hands a call is, and what the agent owes the callee when it gets the call back. Pure.

The operator can silence the agent (pause), or talk to the callee with their own voice (take over). Meanwhile the agent
stands aside: it goes on listening, so that it knows what was said when it is to go on.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.call.events import Action, Microphone, Note, OperatorSays
from backend.call.turns.desk import named
from backend.models import Hands


class Control:
    """One call's."""

    def __init__(self) -> None:
        self.hands = Hands.AGENT
        self.owed = ""
        """The callee's last words, where nobody has answered them yet."""
        self.talked = False
        """Whether the operator has said anything since taking over."""
        self._saying = ""
        """The operator's words that no end of turn has confirmed yet."""

    @property
    def aside(self) -> bool:
        """Whether the agent has nothing to say."""
        return self.hands is not Hands.AGENT

    def pause(self, by: str) -> Iterator[Action]:
        self.hands = Hands.PAUSED
        yield Note(f"{named(by)} paused the agent.")

    def resume(self, by: str) -> Iterator[Action]:
        self.hands = Hands.AGENT
        yield Note(f"{named(by)} let the agent go on.")

    def take_over(self, by: str) -> Iterator[Action]:
        self.hands, self.talked = Hands.OPERATOR, False
        yield Note(f"{named(by)} took the call over.")
        yield Microphone(open=True)

    def hand_back(self, by: str) -> Iterator[Action]:
        yield from self.withdraw()
        yield Note(f"{named(by)} handed the call back to the agent.")

    def withdraw(self) -> Iterator[Action]:
        """The agent has the call again, whoever had it."""
        if self.hands is Hands.OPERATOR:
            yield Microphone(open=False)
        self.hands = Hands.AGENT

    def talks(self, text: str, complete: bool) -> Iterator[Action]:
        """What the operator says to the callee; an end of turn without words is that of those so far.

        The last words may be recognised only after the call was handed back: they were said all the same.
        """
        words = text.strip() or (self._saying if complete else "")
        if words:
            self.talked, self._saying = True, "" if complete else words
            self.owed = "" if self.hands is Hands.OPERATOR else self.owed
            yield OperatorSays(words, complete)

    def ends(self) -> Iterator[Action]:
        """The call is over, in the middle of the operator's words or not."""
        yield from self.talks("", complete=True)
