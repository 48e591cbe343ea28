"""The callee's side as the floor knows it: the words of the turn so far, and whether there is sound. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.call import short_words as said
from backend.call.completeness import unfinished
from backend.call.manners import Manners
from backend.call.underway import Underway

_WORDS_FOLLOW = 1.0
"""Seconds: words told this soon after a sound of the callee's side may be that sound's."""
_LEAST_WAIT = 0.3
"""Seconds."""
_CHORUS, _RECITAL = 3, 6
"""Words: nobody says more of the agent's words than this at the same time as the agent, or right after it."""


@dataclass(slots=True)
class Hearing:
    manners: Manners
    partial: str = ""
    """The callee's words that no end of turn has confirmed yet."""
    loud: bool = False
    unheard: bool = False
    """Whether there was a longer sound of which no word is known."""
    _waited_for: str = ""
    """Those of the words that the recogniser took for a turn, although the sentence was not over."""
    _taken: list[str] = field(default_factory=list)
    """The words of a turn that was ended here and not by the recogniser, which will tell them again."""
    _sounded: bool = False
    """Whether it became loud or quiet since then."""
    _changed_at: float = float("-inf")
    """When it last became loud or quiet."""

    # --- sound ----------------------------------------------------------------------------------------------

    def becomes(self, loud: bool, now: float) -> float:
        """It became loud or quiet; returns for how many seconds it had been the opposite."""
        lasted, self.loud, self._changed_at = now - self._changed_at, loud, now
        self._sounded = True
        return lasted

    def is_echo(self, text: str, speaking: Underway | None, last: Underway | None, now: float) -> bool:
        """Whether the agent hears itself: its words come back, and nobody made a sound of their own.

        Repeating a few of its words is what people do to confirm them; nobody recites many, least of all in chorus.

        Args:
            last: the reply before, whose echo may still come.
        """
        reply = speaking or last
        if reply is None or not reply.is_echoed_by(text):
            return False
        sounded = self.loud or now - self._changed_at < _WORDS_FOLLOW
        return not sounded or len(said.words(text)) > (_CHORUS if speaking else _RECITAL)

    # --- words ----------------------------------------------------------------------------------------------

    def news(self, text: str) -> str:
        """What of the recogniser's turn was not taken for a turn already."""
        tokens, words = text.split(), said.words(text)
        if words == self._taken and self._sounded:
            # The same short word said once more, to a recogniser that tells no ends.
            self._taken = []
        if words[: len(self._taken)] == self._taken:
            tokens = tokens[len(self._taken) :]
        return " ".join(tokens)

    def recogniser_ended(self) -> None:
        """Its next words are those of another turn."""
        self._taken = []

    def grows_to(self, text: str) -> None:
        """The turn has these words so far."""
        self.partial, self.unheard = self._joined(text), False

    def waits_for_more(self, text: str) -> bool:
        """Whether a turn ended by the recogniser is in the middle of a sentence; if so, these words stay."""
        whole = self._joined(text)
        if not text or not unfinished(whole):
            return False
        self.partial = self._waited_for = whole
        return True

    def end(self, text: str) -> str:
        """The turn is over, with these words or, where there are none, with those so far: all of them."""
        whole = self._joined(text) if text else self.partial
        if not text:
            self._taken, self._sounded = said.words(self.partial)[len(said.words(self._waited_for)) :], False
        self.partial = self._waited_for = ""
        self.unheard = False
        return whole

    def patience(self, now: float) -> float:
        """Seconds for which the words so far may stand without more of them and without an end."""
        if self.loud:
            return self.manners.noisy_turn
        if self._waited_for == self.partial:
            # A recogniser may have waited for the rest too: what counts is how long the callee has been quiet.
            quiet = now - self._changed_at
            return max(_LEAST_WAIT, self.manners.unfinished_wait - (quiet if quiet < _WORDS_FOLLOW else 0.0))
        more = self.manners.unfinished_wait if unfinished(self.partial) else 0.0
        return self.manners.stalled_turn + more

    def _joined(self, text: str) -> str:
        return f"{self._waited_for} {text}".strip()
