"""From a stream of written words to clauses that can be spoken; careful with "Dr. Smith" and "2:30 p.m."."""

from __future__ import annotations

import re

from backend.call import joints

_ABBREVIATIONS = frozenset(
    "dr mr mrs ms prof st ave blvd rd jr sr nos vs etc inc ltd co corp dept apt fl ext approx e.g i.e a.k.a ph.d m.d "
    "gen rev capt sen mt ft "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri u.s u.k".split()
)
_CLOCK = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_AFTER_CLOCK = re.compile(
    r"(on|to|and|or|until|till|sharp|today|tomorrow|mon|tue|wed|thu|fri|sat|sun|e[sd]t|p[sd]t|c[sd]t)", re.I
)
_SENTENCE_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)""")
_CLAUSE_END = re.compile(r"[,;:]['\"”’)]?(?=\s)|\s[–—-](?=\s)")
_MARKUP = re.compile(r"[*_`#~|<>{}]|\[[^\]]*\]")
_OPEN_ASIDE = re.compile(r"\[[^\]]*$")
_BLANK = re.compile(r"\s+")
_SPEAKABLE = re.compile(r"\w")


def plain(text: str) -> str:
    """Only what can be spoken: no markup, no bracketed asides, single blanks."""
    return " ".join(_MARKUP.sub("", text).split())


def ends_sentence(text: str) -> bool:
    return text.rstrip(" \"'”’)]").endswith((".", "!", "?", "…"))


class Clauses:
    """Cuts streamed text into pieces for the voice: whole sentences, but the first piece as early as a clause stands.

    Whoever waits for an answer waits for its first piece. So that one ends at the first mark of a clause after `first`
    characters; where none comes within `latest`, before a word at which a speaker could breathe, such as "because" or
    "with"; and if there is none either, between any two words that do not belong together. After a first sentence
    shorter than `first` ("Sure.") the same holds for the next piece, whose sound must be there when it is over.

    A piece once returned is final. Joined with blanks the pieces are the text, markup aside. Where the stream is
    divided makes no difference to them.
    """

    def __init__(self, first: int = 25, latest: int = 40, longest: int = 220) -> None:
        self._first = first
        """Fewest characters of a first clause that is not a whole sentence: shorter ones sound clipped."""
        self._latest = latest
        """Where a first clause longer than this shows no mark, it is cut at a word."""
        self._longest = longest
        """A sentence that is still not over is cut at a blank here, so that the voice never waits for long."""
        self._buffer = ""
        self._out = 0
        """Characters already given out."""

    def add(self, text: str) -> list[str]:
        """The pieces that became ready with this text."""
        pieces = []
        # One by one, so that a token's length has no say in where the text is cut.
        for char in text:
            self._buffer += char
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
        self._out += len(piece)
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
        if self._out < self._first and (cut := self._first_clause()) is not None:
            return cut
        if len(self._buffer) > self._longest:
            return self._breath(anywhere=True) or self._buffer.rfind(" ", 0, self._longest) + 1 or self._longest
        return None

    def _first_clause(self) -> int | None:
        if len(self._buffer) < self._first:
            return None
        for match in _CLAUSE_END.finditer(self._buffer):
            if match.end() >= self._first and self._may_cut(match.end()):
                verdict = joints.parts_clause(self._buffer[: match.start()], self._buffer[match.end() :])
                if verdict is not False:
                    return match.end() if verdict else None
        # Not within a word: a mark may hang on its end.
        over = len(self._buffer) > self._latest and self._buffer[-1].isspace()
        return self._breath(anywhere=len(self._buffer) > 1.5 * self._latest) if over else None

    def _breath(self, anywhere: bool) -> int | None:
        """The last place at which a speaker could breathe: at a conjunction, else a preposition, else `anywhere`."""
        blanks = [blank for blank in _BLANK.finditer(self._buffer) if blank.start() >= self._first]
        kinds = [joints.before_conjunction, joints.before_preposition]
        if anywhere:
            kinds.append(joints.between_words)
        for kind in kinds:
            for blank in reversed(blanks[:-1]):
                if kind(self._buffer[: blank.start()], self._buffer[blank.end() :]) and self._may_cut(blank.start()):
                    return blank.start()
        return None

    def _may_cut(self, place: int) -> bool:
        return bool(_SPEAKABLE.search(self._buffer[:place])) and not _OPEN_ASIDE.search(self._buffer[:place])


def _is_sentence_end(text: str, match: re.Match[str]) -> bool | None:
    """Whether this full stop ends a sentence; None when the next word must be seen first."""
    mark, before = match.group(), text[: match.start()]
    if _OPEN_ASIDE.search(before):
        return False
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
    if re.search(r"\w\W+no$", before, re.IGNORECASE):
        return not word[0].isdigit()
    return _plain_stop(mark, before)


def _plain_stop(mark: str, before: str) -> bool:
    """Whether a single full stop after this text can only be the end of a sentence."""
    if len(mark.rstrip("\"'”’)]")) != 1 or mark[0] == "…" or _CLOCK.search(before + "."):
        return False
    last = re.split(r"[\s(\"“]", before)[-1].lower()
    initial = len(last) == 1 and last.isalpha() and last != "i"
    # "That is a no." or "room no. 12": the next word tells.
    number = last == "no" and before.strip().lower() != "no"
    return not initial and not number and last not in _ABBREVIATIONS
