"""What of an answer may be spoken: its clauses held against what the agent was given, before they are voiced. Pure.

A clause with a fact from nowhere is not spoken, nor is the rest of its sentence. The callee is told that somebody will
confirm it, and a follow-up is noted.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.call import manners as known
from backend.call.grounding.grounding import Grounding
from backend.call.text import ends_sentence
from backend.models import Fact, Utterance


class Vetting:
    """One answer's clauses, in order."""

    def __init__(self, grounding: Grounding, lines: Sequence[Utterance]) -> None:
        """
        Args:
            lines: the call so far, and the operator's advice for this answer.
        """
        self.facts: tuple[Fact, ...] = ()
        """What the passed clauses state, and where it comes from."""
        self.withheld = ""
        """The words that were not passed."""
        self._grounding = grounding
        self._lines = lines
        self._passed = ""
        self._skips = False
        """Whether the sentence under way must not be spoken."""

    def pass_on(self, clause: str) -> str:
        """What to say for this clause; empty: nothing."""
        if self._skips:
            self._skips = not ends_sentence(clause)
            self.withheld = f"{self.withheld} {clause}"
            return ""
        checked = self._grounding.check(clause, self._lines, self._passed)
        if not checked.unknown:
            self.facts += checked.facts
            self._passed = f"{self._passed} {clause}".strip()
            return clause
        self._skips = not ends_sentence(clause)
        first, self.withheld = not self.withheld, f"{self.withheld} {clause}".strip()
        return known.CONFIRM if first else ""
