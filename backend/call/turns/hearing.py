"""The callee's side as the floor knows it: the words of the turn so far, and whether there is sound. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.call.manners import Manners
from backend.call.turns.underway import Underway
from backend.call.words import short_words as said
from backend.call.words.completeness import unfinished

_WORDS_FOLLOW = 1.0
"""Seconds: words told this soon after a sound of the callee's side may be that sound's."""
_WORD_TOLD, _WORD_LASTS = 0.15, 0.2
"""Seconds: so long must a sound have lasted for each word that is told of it, while it lasts and when it is over. The
second counts the quiet that had to follow.
"""
_FIRST_WORD = 1.0
"""Seconds from the beginning of a sound in which its first word is told, if it is speech."""
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
    sounded_for: float = 0.0
    """Seconds of sound so far, in all."""
    _waited_for: str = ""
    """Those of the words that the recogniser took for a turn, although the sentence was not over."""
    _taken: list[str] = field(default_factory=list)
    """The words of a turn that was ended here and not by the recogniser, which will tell them again."""
    _sounded: bool = False
    """Whether it became loud since then."""
    _turn: list[str] = field(default_factory=list)
    """All words of the recogniser's turn, as told last."""
    _suspected: list[str] = field(default_factory=list)
    """Those at its beginning that were the agent's own, and told while nobody made a sound."""
    _echoed: list[str] = field(default_factory=list)
    """Those that a sound of the callee's followed, which therefore were none of it."""
    _again: bool = False
    """Whether a sound began since the last words were told: the callee may be going on."""
    _loud_from: float = float("-inf")
    _quiet_from: float = float("-inf")
    _lasted: float = 0.0
    """Seconds of the last sound that is over."""

    # --- sound ----------------------------------------------------------------------------------------------

    def becomes(self, loud: bool, now: float) -> float:
        """It became loud or quiet; returns for how many seconds it had been the opposite."""
        self.loud = loud
        if loud:
            self._loud_from, self._again, self._sounded = now, bool(self.partial), True
            self._echoed, self._suspected = self._suspected or self._echoed, []
            return now - self._quiet_from
        self._quiet_from, self._lasted = now, now - self._loud_from
        self.sounded_for += self._lasted
        return self._lasted

    @property
    def clear_from(self) -> float:
        """From when on nobody talks over the callee, if no words come: a sound may be the beginning of some, and those
        of a longer one are told late."""
        if self.loud:
            return self._loud_from + self.manners.hold_limit
        return self._quiet_from + (0.0 if self._lasted < self.manners.short_sound else self.manners.words_late)

    @property
    def beginning(self) -> bool:
        """Whether the callee may be saying something just now that is no mere goodbye."""
        farewell = said.only_farewell(self.partial) and not said.only_hum(self.partial)
        return self.loud or bool(self.partial and not farewell)

    def is_echo(self, text: str, speaking: Underway | None, last: Underway | None, now: float) -> bool:
        """Whether the agent hears itself: its words come back, and nobody made a sound of their own.

        Repeating a few of its words is what people do to confirm them; nobody recites many, least of all in chorus.

        Args:
            last: the reply before, whose echo may still come.
        """
        reply = speaking or last
        if reply is None or not (reply.is_echoed_by(text) or self._more_echo(reply)):
            return False
        count = len(said.words(text))
        if count <= (_CHORUS if speaking else _RECITAL) and self._has_sounded(count, now):
            return False
        if speaking and self.loud:
            self._echoed = self._turn
        elif speaking:
            self._suspected = self._turn
        return True

    def _has_sounded(self, words: int, now: float) -> bool:
        """Whether a sound of theirs, now or just before, can have been so many words."""
        if self.loud and now - self._loud_from >= words * _WORD_TOLD:
            return True
        return now - self._quiet_from < _WORDS_FOLLOW and self._lasted >= words * _WORD_LASTS

    def _more_echo(self, reply: Underway) -> bool:
        """Whether an echo has grown by words of which some were not recognised, so that it is no run of the agent's."""
        known = len(self._suspected)
        if not known or self._turn[:known] != self._suspected:
            return False
        more = " ".join(self._turn[known:])
        return not more or reply.is_echoed_by(more)

    # --- words ----------------------------------------------------------------------------------------------

    def news(self, text: str, ends: bool = False) -> str:
        """What of the recogniser's turn was neither taken for a turn already nor the agent's echo; `ends`: it is over,
        surely or probably, with these words."""
        tokens, words = text.split(), said.words(text)
        self._turn = words
        if words == self._taken and self._sounded and not ends:
            # The same short word said once more, to a recogniser that tells no ends.
            self._taken = []
        known = max((some for some in (self._taken, self._echoed) if words[: len(some)] == some), key=len, default=[])
        return " ".join(tokens[len(known) :])

    def recogniser_ended(self) -> None:
        """Its next words are those of another turn."""
        self._taken = self._turn = self._suspected = self._echoed = []

    def grows_to(self, text: str) -> None:
        """The turn has these words so far."""
        self.partial, self.unheard, self._again = self._joined(text), False, False

    def waits_for_more(self, text: str, now: float, reads_out: bool = False) -> bool:
        """Whether a turn ended by the recogniser is in the middle of a sentence, or the callee has just begun to make a
        sound again, as after a pause; if so, these words stay.

        Args:
            reads_out: a machine is reading a list, with pauses between.
        """
        whole, goes_on = self._joined(text), self._again and self.loud and now - self._loud_from < _FIRST_WORD
        if not text or not (reads_out or unfinished(whole) or goes_on):
            return False
        self.partial = self._waited_for = whole
        return True

    def end(self, text: str) -> str:
        """The turn is over, with these words or, where there are none, with those so far: all of them."""
        whole = self._joined(text) if text else self.partial
        if not text:
            fresh = said.words(self.partial)[len(said.words(self._waited_for)) :]
            self._taken, self._sounded = [*self._echoed, *fresh], False
        self.partial = self._waited_for = ""
        self.unheard = self._again = False
        return whole

    def patience(self, now: float) -> float:
        """Seconds for which the words so far may stand without more of them and without an end."""
        waited_for = self._waited_for == self.partial
        if waited_for and self._again and not unfinished(self.partial):
            # Nothing is missing: only this sound may turn out to be more.
            return max(_LEAST_WAIT, self._loud_from + _FIRST_WORD - now) if self.loud else self.manners.words_late
        if self.loud:
            return self.manners.noisy_turn
        if waited_for:
            # A recogniser may have waited for the rest too: what counts is how long the callee has been quiet.
            quiet = now - self._quiet_from
            wait = self.manners.unfinished_wait
            return max(_LEAST_WAIT, wait - (quiet if quiet < wait else 0.0))
        more = self.manners.unfinished_wait if unfinished(self.partial) else 0.0
        return self.manners.stalled_turn + more

    def _joined(self, text: str) -> str:
        return f"{self._waited_for} {text}".strip()
