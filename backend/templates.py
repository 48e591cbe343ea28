"""Texts that are used again: what to get done and what may be said, with placeholders such as `{name}`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backend.models import Brief, Refused

LONGEST_NAME = 80
BLANK = "___"
"""What is to be filled in by hand, in the lines that a rehearsal adds to the context."""


@dataclass(frozen=True, slots=True)
class Template:
    """Such a text, kept under a name. No two have the same name, capitals aside."""

    id: int
    name: str
    action: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Blank:
    """A placeholder in a text."""

    written: str
    """As it stands there, such as `{First_name}`."""

    @property
    def key(self) -> str:
        """What it stands for, however it is written: `first name`."""
        return " ".join(self.written.strip("{}").replace("_", " ").split()).lower()

    @property
    def label(self) -> str:
        """The key as a label: `First name`."""
        return self.key[:1].upper() + self.key[1:]


# Words in one or two pairs of braces, beginning with a letter. Anything else in braces, such as data, stays as it is.
_WORDS = r" *[^\W\d_][\w \-'’./&$€£%#?()]{0,39}"
_BLANK = re.compile(rf"(\{{\{{{_WORDS}\}}\}}|\{{{_WORDS}\}})")


def pieces(text: str) -> Iterator[str | Blank]:
    """The text in order, its placeholders told from its words; put together again, it is the same text."""
    for number, piece in enumerate(_BLANK.split(text)):
        if piece:
            yield Blank(piece) if number % 2 else piece


def blanks(*texts: str) -> dict[str, Blank]:
    """Every placeholder of these texts once, by its key, in the order in which they come."""
    found: dict[str, Blank] = {}
    for text in texts:
        for piece in pieces(text):
            if isinstance(piece, Blank):
                found.setdefault(piece.key, piece)
    return found


def known(brief: Brief) -> dict[str, str]:
    """By key, what the form says anyway; empty where it does not."""
    organization = brief.organization.strip()
    return {
        "name": brief.callee_name.strip(),
        "first name": brief.first_name,
        "organisation": organization,
        "organization": organization,
        "agent": brief.agent_name.strip(),
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with what there is a value for, by key; the other placeholders stay."""

    def said(piece: str | Blank) -> str:
        return piece if isinstance(piece, str) else values.get(piece.key, "").strip() or piece.written

    return "".join(map(said, pieces(text)))


def check_filled(*texts: str) -> None:
    """Let no placeholder through: the agent would say it aloud.

    Raises:
        Refused: naming those that are left.
    """
    left = [f"“{blank.label}”" for blank in blanks(*texts).values()]
    if left:
        raise Refused(f"Fill in {listed(left)} first: the agent would read the placeholder aloud.")


def listed(words: list[str]) -> str:
    """Such as "day, time and place"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


STARTERS = (
    Template(
        1,
        "Appointment confirmation",
        "Confirm {first name}'s appointment on {day} at {time}, or find another time.",
        "The appointment takes about {how long}.\n"
        "The address is {address}.\n"
        "These times are free too: {other free times}.\n"
        "You can move or cancel it by calling us back.",
    ),
    Template(
        2,
        "Car ready at the garage",
        "Tell {first name} that the {car} is ready, and ask when {first name} will pick it up.",
        "We have done this work on the car: {work done}.\n"
        "The bill comes to {amount}.\n"
        "You can pay by card or in cash when you pick the car up.\n"
        "We are open until {closing time}.\n"
        "The address is {address}.",
    ),
    Template(
        3,
        "Friendly payment reminder",
        "Remind {first name} that the invoice for {what it is for} is still open, and ask when it will be paid.",
        "It costs {amount}.\n"
        "It was due on {due date}.\n"
        "You can pay {ways to pay}.\n"
        "You can talk to {contact} about it.\n"
        "If it was paid in the last few days, no more needs to be done.",
    ),
)
"""What a new database begins with."""
