"""What to look for among the calls, and how the database is asked for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from backend.models import Direction, LineKind, Outcome, Status

MARK = "\x02"
"""Stands around what was found in a text; no character that anybody says or types."""


class Sorting(StrEnum):
    """What comes first in a list; then the newest. The values are columns of `listing`; calls without one come last."""

    NEWEST = "created"
    SLOWEST = "delay_worst"
    DEADEST = "dead_air"
    DEAREST = "cost"
    LONGEST = "talk"


@dataclass(frozen=True, slots=True)
class Search:
    """Which calls to list; an empty field filters nothing."""

    words: str = ""
    """What to find in names, numbers, action, note, report and all that was heard: beginnings of words, in any order;
    "in quotation marks" as they stand; three or more digits also as any part of the number."""
    statuses: Sequence[Status] = ()
    outcomes: Sequence[Outcome] = ()
    line: LineKind | None = None
    direction: Direction | None = None
    troubled: bool = False
    """Only calls on which something went wrong."""
    since: float = 0.0
    """Unix seconds, as is `until`."""
    until: float | None = None
    """Only calls placed before."""
    number: str = ""
    """In E.164, or any part of it as people write numbers."""
    agent: str = ""
    """The agent's name."""
    review: bool = False
    """Only calls whose result somebody should look at before relying on it, and nobody has."""


class Condition(NamedTuple):
    """A condition on a row of `listing`; every value travels as a parameter."""

    sql: str
    values: tuple[Any, ...] = ()


def condition(search: Search) -> Condition:
    """Everything that is asked for, as one."""
    parts = [*_columns(search), *_number(search.number), *_words(search.words)]
    values = tuple(value for part in parts for value in part.values)
    return Condition(" and ".join(part.sql for part in parts) or "true", values)


def _columns(search: Search) -> Iterator[Condition]:
    if search.since:
        yield Condition("created >= ?", (search.since,))
    if search.until is not None:
        yield Condition("created < ?", (search.until,))
    for column, chosen in (("status", search.statuses), ("outcome", search.outcomes)):
        if chosen:
            yield Condition(f"{column} in ({', '.join('?' * len(chosen))})", tuple(chosen))
    if search.line:
        yield Condition("line = ?", (search.line,))
    if search.direction:
        yield Condition("direction = ?", (search.direction,))
    if search.agent:
        yield Condition("agent = ?", (search.agent,))
    if search.troubled:
        yield Condition("troubled")
    if search.review:
        yield Condition("review")


# --- numbers ----------------------------------------------------------------------------------------------------

_WHOLE = re.compile(r"\+[1-9]\d{6,14}")
_LEAST_DIGITS = 3
"""Fewer may be an hour, a day or a price, and are words."""


def _number(number: str) -> Iterator[Condition]:
    if _WHOLE.fullmatch(number):
        yield Condition("number = ?", (number,))
    elif number.strip():
        yield _part_of_number(number)


def _part_of_number(written: str) -> Condition:
    """Zeros in front are a country's own way to dial, and no part of the number in E.164; so is "(0)"."""
    digits = re.sub(r"\D", "", written.replace("(0)", ""))
    if not re.search(r"\d", written):
        return Condition("false")
    return Condition("number like ?", (f"%{digits.lstrip('0') or digits}%",))


# --- words ------------------------------------------------------------------------------------------------------

_MOST_TERMS = 24
_TERM = re.compile(r'"(?P<quoted>[^"]*)"?|(?P<number>(?<!\w)\+?\(?\d[\d ()./-]*\d(?![\w:]))|(?P<word>[^\s"]+)')
_INDEXED = "serial in (select rowid from call_texts where call_texts match ?)"


def match(words: str) -> str:
    """The words for the full-text index alone, in its language; empty where there is nothing to look for."""
    return " AND ".join(f"({_groups(term[0])})" if _is_number(term) else _term(term) for term in _terms(words))


def _words(words: str) -> Iterator[Condition]:
    """Every one of these must occur."""
    terms = _terms(words)
    if words.strip() and not terms:
        # Marks alone are in no index.
        yield Condition("false")
    if plain := [_term(term) for term in terms if not _is_number(term)]:
        yield Condition(_INDEXED, (" AND ".join(plain),))
    for term in filter(_is_number, terms):
        part = _part_of_number(term[0])
        yield Condition(f"({part.sql} or {_INDEXED})", (*part.values, _groups(term[0])))


def _terms(words: str) -> list[re.Match[str]]:
    text = "".join(character if character.isprintable() else " " for character in words)
    return [term for term in _TERM.finditer(text) if any(map(_told, term[0]))][:_MOST_TERMS]


def _told(character: str) -> bool:
    """Whether the index knows it; all else only separates words there."""
    return character.isalnum()


def _is_number(term: re.Match[str]) -> bool:
    return term["number"] is not None and len(re.sub(r"\D", "", term["number"])) >= _LEAST_DIGITS


def _term(term: re.Match[str]) -> str:
    """As FTS5 understands it: in quotation marks nothing is a sign of its language."""
    if term["quoted"] is None:
        return f'"{term[0]}"*'
    # A quotation that is still being typed ends in mid-word.
    return f'"{term["quoted"]}"' + "*" * (not term[0].endswith('"'))


def _groups(number: str) -> str:
    """A number that somebody said, in groups of digits or in one."""
    groups = re.findall(r"\d+", number)
    return f'"{" ".join(groups)}"* OR "{"".join(groups)}"*'
