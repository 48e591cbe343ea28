"""What the floor knows of the reply that is being prepared, thought out or spoken. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.call.events import Ending, Tool
from backend.call.manners import Manners
from backend.call.words import own_words as own
from backend.call.words import short_words as said

_MOST_HOLDS = 4
_ALMOST_SAID = 3
"""Words: a question so close to its end counts as asked, since the callee can hear what it is."""


@dataclass(slots=True)
class Underway:
    """One reply from its beginning until it is out, stopped or failed."""

    number: int = 0
    prepared: bool = False
    """Whether it may not be heard yet: it waits for the callee's turn to end with the words it answers."""
    answers: list[str] | None = None
    """The callee's words that it answers; None for words given to the agent."""
    sayings: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    """The operator's sentence and advice in it; theirs again if none of it is heard."""
    opening: bool = False
    """Whether these are the first words to somebody, or the first of all."""
    audible: bool = False
    """Whether any sound of it has left."""
    planned: str = ""
    """All its words so far."""
    overlapped: bool = False
    """Whether the callee's side became loud since it began."""
    held: bool = False
    holds: int = 0
    """How often a sound held it."""
    heard: str | None = None
    """What was heard of it when it was last held; None when it never was."""
    left: str = ""
    """What of it was voiced then and not heard."""
    ending: Ending | None = None
    """How the call ends once it is out."""
    wants: list[tuple[Tool, str]] = field(default_factory=list)
    """What the agent wants done with it, and is not done yet."""
    keys: str = ""
    """What it presses instead of saying anything."""
    firm: bool = False
    """Whether nothing that the callee says stops it: last words of a call that ends in any case, or pressed keys."""
    done: bool = False
    """Whether it was a goodbye and is out, and the callee had just begun to say something."""

    @property
    def may_be_held(self) -> bool:
        """Whether sound alone holds it; words stop it in any case.

        Not over goodbyes, where people talk at once and nobody minds; and not again and again, since a sound that keeps
        coming back without words is an echo or the room.
        """
        return not (self.prepared or self.held or self.ending or self.firm) and self.holds < _MOST_HOLDS

    def gives_way_to(self, text: str, manners: Manners, growing: bool = False) -> bool:
        """Whether these words, said while it is under way, mean that the callee wants to speak.

        Args:
            growing: more words may follow.
        """
        if self.firm:
            return False
        if self.opening and (not self.overlapped or said.only_greeting(text)):
            # The words of the greeting itself arrive late, when the opening has already begun.
            return False
        if not self.audible:
            # Nothing was heard yet: the callee simply went on after a pause, and the answer must hear it all.
            return not said.only_hum(text)
        if self.ending and said.only_farewell(text):
            return False
        rest = own.apart(text, self.planned, growing)
        if rest and said.only_backchannel(rest):
            # "Yeah, okay", and around it what a loudspeaker gave back.
            text = rest
        if said.wants_floor(text) or (said.is_answer(text) and own.asks(self._heard)):
            return True
        return len(said.words(text)) >= manners.interrupting_words and not said.only_backchannel(text)

    def is_echoed_by(self, text: str) -> bool:
        """Whether these words are its own, come back from the callee's loudspeaker."""
        return self.audible and own.echoes(text, self.planned)

    @property
    def _heard(self) -> str:
        """With what the callee can guess."""
        if self.heard is None:
            return self.planned
        return f"{self.heard} {' '.join(self.left.split()[:_ALMOST_SAID])}"
