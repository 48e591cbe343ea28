"""A call as the full-text search knows it: one document, of all that somebody may remember of it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import phonenumbers

WRITE = "insert or replace into call_texts (rowid, names, number, about, said) values (?, ?, ?, ?, ?)"
"""Given the call's serial number, and its document."""

_SPOKEN_NUMBER = re.compile(r"\+?\d(?:[\s().,/-]{0,3}\d){6,}")
"""Digits in groups, as people say and recognisers write telephone numbers."""


def document(row: Mapping[str, Any], said: Iterable[str]) -> tuple[str, str, str, str]:
    """Its names, numbers, what it was about, and what was said.

    Args:
        row: the call's row, as the database has it.
        said: what was heard of each of its turns.
    """
    heard = "\n".join(filter(None, said))
    names = " ".join(filter(None, (row["callee_name"], row["organization"], row["agent_name"])))
    about = "\n".join(filter(None, (row["action"], row["note"], row["ending"], *_claims(row["report"]))))
    numbers = [*writings(row["to"]), *spoken_numbers(heard), *spoken_numbers(about)]
    return names, "\n".join(dict.fromkeys(numbers)), about, heard


def writings(number: str) -> tuple[str, ...]:
    """The ways in which a number is looked for: all digits, and as it is written abroad and in its own country."""
    try:
        known = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return (number,)
    form = phonenumbers.PhoneNumberFormat
    national = phonenumbers.national_significant_number(known)
    written = (phonenumbers.format_number(known, style) for style in (form.INTERNATIONAL, form.NATIONAL))
    return tuple(dict.fromkeys((number, national, *written)))


def spoken_numbers(text: str) -> Iterator[str]:
    """The telephone numbers in a text, each as one run of digits."""
    for found in _SPOKEN_NUMBER.finditer(text):
        yield re.sub(r"\D", "", found[0])


def _claims(report: str | None) -> Iterator[str]:
    if report:
        known = json.loads(report)
        for claim in (known["result"], *known["summary"], *known["agreed"], *known["questions"]):
            yield claim["text"]
