"""The phases of a call, and the moments at which something happens in them even if nothing else does. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

NEVER = float("inf")


class Phase(Enum):
    """See `floor`."""

    GREETING = auto()
    LISTENING = auto()
    REPLYING = auto()
    MACHINE = auto()
    ASIDE = auto()
    CLOSING = auto()
    OVER = auto()


@dataclass(slots=True)
class Deadlines:
    """Moments in the caller's clock, seconds; infinity: not running."""

    opening: float = NEVER
    """The first words begin."""
    greeting: float = NEVER
    """They begin even over a greeting that does not end."""
    call: float = NEVER
    reply: float = NEVER
    """A reply that is still not over is stopped."""
    hold: float = NEVER
    """A reply that was held goes on."""
    turn: float = NEVER
    """The callee's words so far count as a turn."""
    check_in: float = NEVER
    """The silence is broken."""
    message: float = NEVER
    """A voicemail records."""
    machine: float = NEVER
    """Whoever the machine keeps from us is not waited for any longer."""

    def first(self, phase: Phase) -> float:
        """The next one that matters in this phase."""
        match phase:
            case Phase.GREETING:
                return min(self.call, self.opening, self.greeting)
            case Phase.LISTENING:
                return min(self.call, self.turn, self.check_in)
            case Phase.MACHINE:
                return min(self.call, self.turn, self.message, self.machine)
            case Phase.ASIDE:
                return min(self.call, self.turn)
            case Phase.REPLYING:
                return min(self.call, self.turn, self.reply, self.hold)
            case Phase.CLOSING:
                # The call is ending anyway.
                return min(self.turn, self.reply, self.hold)
            case Phase.OVER:
                return NEVER
