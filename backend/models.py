"""The words of the house: what a call is, and everything that can be heard, said or go wrong in one.

Frozen and free of I/O, so that every other file may import it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum


class LineKind(StrEnum):
    """Where a call goes: out to the telephone network, or to a synthetic callee on this machine."""

    PHONE = "phone"
    PRACTICE = "practice"


class Direction(StrEnum):
    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Status(StrEnum):
    """A call's state as the carrier reports it (Twilio's names), after `created`: in the store, not yet dialled."""

    CREATED = "created"
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        return self in FINAL

    def follows(self, earlier: Status) -> bool:
        """Whether a report of this status may overwrite `earlier`: never backwards, never out of a final state."""
        return not earlier.final and _ORDER[self] > _ORDER[earlier]


FINAL = frozenset({Status.COMPLETED, Status.BUSY, Status.NO_ANSWER, Status.FAILED, Status.CANCELED})
_ORDER = {status: 9 if status in FINAL else place for place, status in enumerate(Status)}


class Outcome(StrEnum):
    """What came of a call, in the operator's terms."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    RESCHEDULED = "rescheduled"
    CALL_BACK = "call back"
    FOLLOW_UP = "follow-up needed"
    WRONG_PERSON = "wrong person"
    VOICEMAIL = "voicemail left"
    OPTED_OUT = "opted out"
    TRANSFERRED = "handed over"
    HUNG_UP = "callee hung up"
    STOPPED = "stopped by operator"
    NO_ANSWER = "no answer"
    FAILED = "failed"
    UNCLEAR = "unclear"

    @property
    def words(self) -> str:
        """As operators read it, who call nobody a callee."""
        return "They hung up" if self is Outcome.HUNG_UP else self.capitalize()


class Answerer(StrEnum):
    """Who, or what, picked up."""

    PERSON = "person"
    VOICEMAIL = "voicemail"
    FULL_MAILBOX = "full mailbox"
    MENU = "menu"
    SCREENER = "call screening"
    HOLD = "on hold"
    FAX = "fax"
    SILENCE = "silence"


class Speaker(StrEnum):
    AGENT = "agent"
    CALLEE = "callee"
    OPERATOR = "operator"
    """Somebody at the desk, who has taken the call over with their own voice."""
    NOTE = "note"
    """Nobody: what was done in the call, such as a question to the operator. The callee never hears it."""


class Hands(StrEnum):
    """In whose hands a running call is."""

    AGENT = "agent"
    PAUSED = "paused"
    """The agent listens and says nothing."""
    OPERATOR = "operator"
    """The same, and the callee hears the operator's own voice."""


class TurnState(StrEnum):
    """`open` while it is being spoken; `cut` when somebody talked over it before it was out."""

    OPEN = "open"
    DONE = "done"
    CUT = "cut"


ME = "me"
"""The persona that is none: the call rings in the operator's own browser."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a call is about: everything the operator fills in."""

    to: str
    """E.164, such as +12025550143; for an incoming call, the caller's number."""
    action: str
    """What to get done."""
    context: str = ""
    """What the agent may say about it; nothing else is fact."""
    callee_name: str = ""
    agent_name: str = "Alex"
    organization: str = ""
    line: LineKind = LineKind.PRACTICE
    persona: str = "cooperative"
    """Who picks up on the practice line."""
    direction: Direction = Direction.OUTBOUND

    @property
    def rings_here(self) -> bool:
        """Whether the operator is the callee, in the browser."""
        return self.line is LineKind.PRACTICE and self.persona == ME

    @property
    def first_name(self) -> str:
        """The name to greet by; titles are skipped, so that nobody is greeted as "Dr."."""
        names = [word for word in self.callee_name.split() if word.rstrip(".").lower() not in _TITLES]
        if not names:
            return ""
        return names[0] if names == self.callee_name.split() else self.callee_name.strip()


_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "madam"})


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that is said to be true of a call, with what proves it."""

    text: str
    turns: tuple[int, ...] = ()
    """The numbers of the turns that prove it."""
    confidence: float = 0.0
    """From 0 to 1."""
    ground: str = ""
    """What proves it where no words can, such as "the carrier's report"; only the house itself writes this."""

    @property
    def doubtful(self) -> bool:
        """Whether somebody should look before relying on it."""
        return not (self.turns or self.ground) or self.confidence < SURE


SURE = 0.6
"""The least confidence with which a claim is asserted rather than marked for review."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a call: every claim with the turns that prove it."""

    outcome: Outcome
    result: Claim
    """The outcome in words, such as "Rescheduled to Friday at 10 a.m."."""
    summary: tuple[Claim, ...] = ()
    """Two sentences at most."""
    agreed: tuple[Claim, ...] = ()
    """What both sides agreed on, each a short sentence."""
    questions: tuple[Claim, ...] = ()
    """What the callee wanted to know and was not told."""
    author: str = ""
    """Who made it, such as "Claude" or "rules"."""

    @property
    def doubtful(self) -> bool:
        return any(claim.doubtful for claim in (self.result, *self.summary, *self.agreed, *self.questions))


@dataclass(frozen=True, slots=True)
class Tick:
    """Somebody has dealt with something."""

    at: float
    """Unix seconds."""
    by: str = ""
    """The operator's name; empty where nobody signs in."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call's row."""

    id: str
    brief: Brief
    status: Status = Status.CREATED
    outcome: Outcome | None = None
    note: str = ""
    """The agent's one-line report of the result, such as the new time agreed on."""
    ending: str = ""
    """Why the call ended, in one plain sentence."""
    troubles: tuple[str, ...] = ()
    """What went wrong on the way, in order, each a plain sentence."""
    provider_sid: str = ""
    created: float = 0.0
    """Unix seconds, as are the next two."""
    answered: float | None = None
    ended: float | None = None
    parts: dict[str, str] = field(default_factory=dict)
    """Which engine served as stt, llm and tts."""
    counts: dict[str, int] = field(default_factory=dict)
    """How often something happened that is worth counting, such as prepared replies that were used."""
    answerer: Answerer | None = None
    """Who picked up, as far as it is known."""
    report: Report | None = None
    """What came of it, with the evidence; made after the call."""
    cost: float | None = None
    """US dollars, from the price table and what was used; None while it is not known."""
    delay_typical: float | None = None
    """Milliseconds from the callee's last sound to the agent's first: the median of the call's answers."""
    delay_worst: float | None = None
    """The same of the slowest answer."""
    dead_air: float | None = None
    """Seconds of the longest silence in which the agent was due."""
    recording: str = ""
    """The file's name in the folder of recordings; empty: there is none."""
    reviewed: Tick | None = None
    """Somebody has read its report, and the call is no longer "to review"."""
    followed_up: Tick | None = None
    """Somebody has dealt with it, and the number need not be called again for it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn's row."""

    number: int
    """Order within the call, from 1."""
    speaker: Speaker
    text: str
    """Callee: the words recognised. Agent: the words meant to be said."""
    heard: str
    """Agent: the words whose sound the carrier confirmed as played. Callee: as `text`."""
    state: TurnState
    started: float
    """Unix seconds."""
    ended: float | None = None
    timings: dict[str, float] = field(default_factory=dict)
    """Milliseconds. `decided`: from the callee's last sound to the decision to answer it, where there was one to make;
    from there on: `first_token`, `first_clause`, `first_voice`, `first_sound`."""
    facts: tuple[Fact, ...] = ()
    """Agent: what of its words can be checked, and where it comes from."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something in the agent's words that can be checked: a number, date, time, price, name or address."""

    text: str
    """As it stands in the agent's words."""
    source: str
    """Where it comes from: "action", "context", "names", "callee", "operator" or "today"."""
    quote: str
    """The words it rests on."""
    turn: int = 0
    """The turn in which these were said; 0 where `source` is not a turn."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something the agent could not answer: put to the operator during the call, or left to be followed up."""

    id: int
    call_id: str
    text: str
    asked: float
    """Unix seconds, as are the next two."""
    until: float | None = None
    """How long the agent waits for the operator's answer; None: it does not wait, somebody follows up."""
    settled: float | None = None
    """When it was answered, or ticked off as followed up."""
    answer: str = ""
    turn: int = 0
    """The turn in which it came up; 0 when not known."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A number that must not be dialled any more."""

    number: str
    """E.164."""
    since: float
    """Unix seconds."""
    why: str
    call_id: str = ""
    """The call in which they asked for it; empty: an operator entered it, or that call was deleted."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that an operator has done with a call."""

    at: float
    """Unix seconds."""
    by: str
    """The operator's name; empty where nobody signs in."""
    did: str
    """Place, Register, Say, Hint, OperatorAnswers, Pause, Resume, TakeOver, HandBack, Press, Transfer or HangUp."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a call's flight recorder."""

    at: float
    """Unix seconds."""
    kind: str
    data: dict[str, object]


# --- what the callee says: speech to text -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Partial:
    """The callee is speaking; the turn's words so far (the whole turn, not the latest piece)."""

    text: str


@dataclass(frozen=True, slots=True)
class EagerEnd:
    """The turn has probably ended with these words: worth thinking, not yet worth speaking."""

    text: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """The callee went on after an EagerEnd."""


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """The turn has ended with these words."""

    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A provider failed and was worked around; for the call's row, as a plain sentence."""

    what: str


Heard = Partial | EagerEnd | Resumed | TurnEnd | Trouble


# --- what the agent says: language model and voice ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the answer's text, as streamed: any length, spaces included."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The model asks for something to be done, such as `end_call`."""

    name: str
    arguments: dict[str, object]


Answered = Said | ToolUse | Trouble


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of voiced speech."""

    sound: bytes
    """8 kHz mu-law, any length."""
    text: str = ""
    """The characters that are voiced in this piece; may be empty when a piece only continues the last one."""
    starts: tuple[int, ...] = ()
    """For each character of `text`, when it begins: milliseconds from the start of this piece's sound."""


Voiced = Spoken | Trouble


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line of the conversation as both sides know it: an agent's line holds only words that were heard."""

    speaker: Speaker
    text: str
    cut: bool = False
    turn: int = 0
    """Its number in the call; 0 outside of one."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a language model is given: the brief and everything that was really said and heard so far."""

    brief: Brief
    lines: tuple[Utterance, ...] = ()
    today: date | None = None
    """Where the agent sits, since "tomorrow" means nothing without it."""

    def plus(self, speaker: Speaker, text: str, cut: bool = False) -> Conversation:
        return replace(self, lines=(*self.lines, Utterance(speaker, text, cut)))


# --- what the line brings: telephony --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sound:
    mulaw: bytes
    """The callee's side, 8 kHz mu-law, any length."""


@dataclass(frozen=True, slots=True)
class Mark:
    """All sound sent before the mark of this name was played, or dropped by a `clear`."""

    name: str


@dataclass(frozen=True, slots=True)
class Digit:
    digit: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The line is gone."""

    why: str
    lost: bool = False
    """It broke, and nobody hung up."""


LineEvent = Sound | Mark | Digit | Ended


class ProviderError(Exception):
    """A provider failed in a way a call can survive. The message is a plain sentence naming the provider.

    Anything else that escapes from a provider is a bug and ends that call.
    """


class Denied(ProviderError):
    """Asking again is no use in this call: the key, the model, the voice or the account will not do."""


class Refused(Exception):
    """A call may not be placed. The message says to the operator what was expected, what came and what to do."""
