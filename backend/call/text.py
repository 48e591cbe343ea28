"""From a stream of written words to clauses that can be spoken; careful with "Dr. Smith" and "2:30 p.m."."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    "dr mr mrs ms prof st ave blvd rd jr sr nos vs etc inc ltd co corp dept apt fl ext approx e.g i.e "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri u.s u.k".split()
)
_CLOCK = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_AFTER_CLOCK = re.compile(
    r"(on|to|and|or|until|till|sharp|today|tomorrow|mon|tue|wed|thu|fri|sat|sun|e[sd]t|p[sd]t|c[sd]t)", re.I
)
_SENTENCE_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)""")
_CLAUSE_END = re.compile(r"[,;:]['\"”’)]?(?=\s)|\s[–—-](?=\s)")
_MARKUP = re.compile(r"[*_`#~|<>{}]|\[[^\]]*\]")
_SPEAKABLE = re.compile(r"\w")


def plain(text: str) -> str:
    """Only what can be spoken: no markup, no bracketed asides, single blanks."""
    return " ".join(_MARKUP.sub("", text).split())


def ends_sentence(text: str) -> bool:
    return text.rstrip(" \"'”’)]").endswith((".", "!", "?", "…"))


class Clauses:
    """Cuts streamed text into pieces for the voice: whole sentences, but the first piece as early as a clause stands.

    A piece once returned is final. Joined with blanks the pieces are the text, markup aside.
    """

    def __init__(self, first: int = 25, longest: int = 220) -> None:
        self._first = first
        """Fewest characters of a first clause that is not a whole sentence: shorter ones sound clipped."""
        self._longest = longest
        """A sentence that is still not over is cut at a blank here, so that the voice never waits for long."""
        self._buffer = ""
        self._begun = False

    def add(self, text: str) -> list[str]:
        """The pieces that became ready with this text."""
        self._buffer += text
        pieces = []
        while (cut := self._cut()) is not None:
            pieces += self._take(cut)
        return pieces

    def rest(self) -> list[str]:
        """What is left when the stream has ended, if it can be spoken at all."""
        return self._take(len(self._buffer))

    def _take(self, cut: int) -> list[str]:
        piece, self._buffer = plain(self._buffer[:cut]), self._buffer[cut:]
        if not _SPEAKABLE.search(piece):
            return []
        self._begun = True
        return [piece]

    def _cut(self) -> int | None:
        """Where the next piece ends, when that can be told already."""
        for match in _SENTENCE_END.finditer(self._buffer):
            if _SPEAKABLE.search(self._buffer[: match.start()]):
                verdict = _is_sentence_end(self._buffer, match)
                if verdict is None:
                    return None
                if verdict:
                    return match.end()
        if not self._begun and (cut := self._first_clause()) is not None:
            return cut
        if len(self._buffer) > self._longest:
            return self._buffer.rfind(" ", 0, self._longest) + 1 or self._longest
        return None

    def _first_clause(self) -> int | None:
        ends = (match.end() for match in _CLAUSE_END.finditer(self._buffer))
        return next((end for end in ends if end >= self._first), None)


def _is_sentence_end(text: str, match: re.Match[str]) -> bool | None:
    """Whether this full stop ends a sentence; None when the next word must be seen first."""
    mark, before = match.group(), text[: match.start()]
    if "!" in mark or "?" in mark:
        return True
    following = re.match(r"\s+(\S+)(\s)?", text[match.end() :])
    if following is None:
        # Nothing but the stop has come yet: a plain word before it is enough to be sure.
        return True if _plain_stop(mark, before) else None
    word, complete = following.group(1), following.group(2)
    if _CLOCK.search(before + "."):
        if not complete and word[-1] not in ".,!?":
            return None
        return word[0].isupper() and not _AFTER_CLOCK.match(word)
    if mark.startswith(("..", "…")):
        return not word[0].islower()
    return _plain_stop(mark, before)


def _plain_stop(mark: str, before: str) -> bool:
    """Whether a single full stop after this text can only be the end of a sentence."""
    if len(mark.rstrip("\"'”’)]")) != 1 or mark[0] == "…" or _CLOCK.search(before + "."):
        return False
    last = re.split(r"[\s(\"“]", before)[-1].lower()
    initial = len(last) == 1 and last.isalpha() and last != "i"
    return not initial and last not in _ABBREVIATIONS
