"""Which words of a call a recogniser should be told beforehand: 8 kHz sound confuses names most of all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from backend.models import Brief

_MOST_TERMS, _MOST_WORDS, _MOST_LETTERS = 40, 5, 60
_WORDS_IN_ALL = 100
"""Deepgram takes 500 tokens of keyterms in all, and refuses the call that brings more; a rare name is up to five."""
_PIECES = re.compile(r"[^\W_][\w'’&-]*|[.?!:;,\n\"()]")
_TITLE_DOTS = re.compile(r"\b(Dr|Mr|Mrs|Ms|Mx|Prof|St)\.")


def keyterms(brief: Brief) -> tuple[str, ...]:
    """The words of a call that a recogniser would not guess: who talks to whom, then the names the brief mentions."""
    terms: dict[str, str] = {}
    for term in (brief.callee_name, brief.organization, brief.agent_name, *_names(f"{brief.action}\n{brief.context}")):
        words = " ".join(term.split()[:_MOST_WORDS])[:_MOST_LETTERS]
        if words:
            terms.setdefault(words.casefold(), words)
    return tuple(_within_limits(terms.values()))


def _within_limits(terms: Iterable[str]) -> Iterator[str]:
    """The first of them, as many as are taken."""
    left = _WORDS_IN_ALL
    for term in islice(terms, _MOST_TERMS):
        left -= len(term.split())
        if left < 0:
            return
        yield term


def _names(text: str) -> Iterator[str]:
    """Runs of capitalised words. A sentence's first word is capital anyway, so it does not count as one."""
    name: list[str] = []
    first = True
    for piece in [*_PIECES.findall(_TITLE_DOTS.sub(r"\1", text)), "\n"]:
        capital = len(piece) > 1 and piece[0].isupper() and not first
        if capital:
            name.append(piece)
        elif name:
            yield " ".join(name)
            name = []
        first = piece in ".?!\n"
