"""What the control API answers: given by the server's routes, read by its client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from backend.models import Call, Hands, LineKind, Outcome, Turn, Utterance


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that was written down, and dialled unless asked not to be."""

    id: str
    provider_sid: str = ""
    twiml_url: str = ""
    """Where whoever dials an undialled call sends its carrier; else empty."""


@dataclass(frozen=True, slots=True)
class Running:
    """A call that is ringing or running, as it stands."""

    call_id: str
    hands: Hands
    phase: str
    """ringing, or what the call is at: greeting, listening, replying, machine, aside (somebody has stepped in), closing
    or over."""


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
    hand_over: list[LineKind] = field(default_factory=list)
    """The lines whose calls can be handed over to the operator's phone."""


@dataclass(frozen=True, slots=True)
class Health:
    status: str
    live_calls: int


# --- what a rehearsal tells, in this order ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RehearsalBegun:
    """Who is going to pick up."""

    personas: list[Persona]
    news: Literal["begun"] = "begun"


@dataclass(frozen=True, slots=True)
class RehearsalTurn:
    """One of the calls has come a step further."""

    persona: str
    """Its key."""
    turns: int
    """How often the agent has spoken in it."""
    news: Literal["turn"] = "turn"


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of good conduct that the agent broke."""

    rule: str
    """What it did, as the beginning of a sentence."""
    said: str
    """The agent's words that show it."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One rehearsed call, over."""

    persona: Persona
    outcome: Outcome | None
    """None when it never came to an end, or its model failed."""
    note: str
    """The agent's own report."""
    fine: bool
    """Whether it came to what it should, no rule was broken and no model failed."""
    should: str
    """What should have come of it, where something else did; else empty."""
    lines: list[Utterance]
    questions: list[str]
    """What the callee asked and the context does not answer."""
    broken: list[Broken]
    troubles: list[str]
    """What went wrong with the model, each a plain sentence."""
    news: Literal["call"] = "call"


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rehearsed calls show together."""

    questions: list[str]
    """What the context could not answer, as the callees asked it."""
    addition: str
    """Lines for the context that would answer it, with blanks (`___`) to fill in."""
    broken: int
    """How many rules were broken, in all calls."""
    news: Literal["findings"] = "findings"


RehearsalNews = RehearsalBegun | RehearsalTurn | Rehearsed | Findings
