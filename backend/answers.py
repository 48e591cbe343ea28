"""What the control API answers: given by the server's routes, read by its client."""

from __future__ import annotations

from dataclasses import dataclass

from backend.models import Call, LineKind, Turn


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that was written down, and dialled unless asked not to be."""

    id: str
    provider_sid: str = ""
    twiml_url: str = ""
    """Where whoever dials an undialled call sends its carrier; else empty."""


@dataclass(frozen=True, slots=True)
class CallInFull:
    call: Call
    turns: list[Turn]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be dialled, as the operator should see it before calling."""

    e164: str
    national: str
    """As written in its own country, such as (202) 555-0143."""
    region: str
    """ISO 3166 code, such as US."""
    country: str
    time_zones: tuple[str, ...]
    """IANA names where this number may ring; many for a mobile or toll-free number, none when unknown."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the product as the operator should see it."""

    name: str
    """What it does: phone line, practice line, hearing, thinking, speaking."""
    serves: str
    """Who does it; empty when nobody can."""
    real: bool
    """Whether that is an outside provider, not this machine."""
    advice: str = ""
    """What to do to have more, or why it is missing."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Who can pick up on the practice line."""

    key: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What the media server has to work with."""

    parts: list[Part]
    personas: list[Persona]
    lines: list[LineKind]
    default_line: LineKind
    live_calls: int
    offline_calls: int
    """How many may use this machine's own speech at once."""


@dataclass(frozen=True, slots=True)
class Health:
    status: str
    live_calls: int
