"""Everything that can happen in a call, and everything that can be done about it: the floor's input and output.

Both are closed sets of frozen values, so a call's recording is a list of them and can be replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.call.pickup.tones import Signal
from backend.models import Answerer, Digit, EagerEnd, Ended, Outcome, Partial, Resumed, TurnEnd


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a call ends, and with what result as far as the agent can tell."""

    why: str
    """One plain sentence for the call's row."""
    outcome: Outcome
    note: str = ""


class Tool(StrEnum):
    """What the agent can have done besides talking, by the names that the model knows."""

    ASK_OPERATOR = "ask_operator"
    NOTE_FOLLOW_UP = "note_follow_up"
    PRESS_KEYS = "press_keys"
    TRANSFER = "transfer"
    DO_NOT_CALL = "do_not_call"
    STOP_RECORDING = "stop_recording"


# --- events ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connected:
    """The line is open: the callee, or a machine, has picked up."""


@dataclass(frozen=True, slots=True)
class SoundOn:
    """The callee's side became loud; whether it is speech is not known yet."""


@dataclass(frozen=True, slots=True)
class SoundOff:
    """The callee's side became quiet again."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """The first sound of this reply has left for the line."""

    number: int


@dataclass(frozen=True, slots=True)
class Planned:
    """These words of the reply went to the voice: what an echo of it can sound like."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Held:
    """A `Hold` took effect."""

    number: int
    heard: str
    """What was heard of the reply until then."""
    left: str = ""
    """What of it was voiced and not heard."""
    over: bool = False
    """Too little was left to be worth it: the reply was not held, and is as good as out."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """The model asked, within this reply, for the call to end once the reply is out."""

    number: int
    ending: Ending


@dataclass(frozen=True, slots=True)
class Wants:
    """The agent wants, within this reply, something done."""

    number: int
    tool: Tool
    about: str = ""
    """The question for the operator or the follow-up, the keys, or why the call is to be handed over."""


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """All sound of this reply was played."""

    number: int


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """This reply cannot be spoken, or not to its end."""

    number: int
    why: str
    mute: bool = False
    """There is no voice to apologise with."""


@dataclass(frozen=True, slots=True)
class EarsLost:
    """Speech recognition is gone for good."""

    why: str


@dataclass(frozen=True, slots=True)
class MachineAnswered:
    """The carrier's verdict on who picked up, in Twilio's words: human, machine_end_beep, fax, unknown, ..."""

    kind: str


@dataclass(frozen=True, slots=True)
class ToneHeard:
    """A tone that no voice makes has ended on the callee's side."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Say:
    """The operator wants exactly this said."""

    text: str
    by: str = ""
    """The operator's name, here and below; empty where nobody signs in."""


@dataclass(frozen=True, slots=True)
class Hint:
    """The operator's advice for the next answer."""

    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class OperatorAnswers:
    """The operator has answered a question of the agent's."""

    question: str
    answer: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class OperatorWatches:
    """Somebody at the desk has this call before them, and can answer."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The operator wants the agent to be silent, and to go on listening."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """The operator wants it to talk again."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The operator wants to talk to the callee with their own voice."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class HandBack:
    """The operator has done so, and the agent is to go on."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class OperatorTalks:
    """What the operator says to the callee with their own voice: the turn's words so far, or all of them."""

    text: str
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Press:
    """The operator wants these keys pressed now: of `0-9*#`, and `w` for half a second's pause."""

    keys: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The operator wants the call handed over to the operator's phone."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The operator wants the call to end now."""

    ending: Ending
    by: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """The floor's deadline has come."""


FloorEvent = (
    Connected
    | SoundOn
    | SoundOff
    | Partial
    | EagerEnd
    | Resumed
    | TurnEnd
    | Digit
    | Speaking
    | Planned
    | Held
    | Concluded
    | Wants
    | ReplyDone
    | ReplyFailed
    | EarsLost
    | MachineAnswered
    | ToneHeard
    | Say
    | Hint
    | OperatorAnswers
    | OperatorWatches
    | Pause
    | Resume
    | TakeOver
    | HandBack
    | OperatorTalks
    | Press
    | Transfer
    | HangUp
    | Ended
    | Tick
)


# --- actions --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """Begin this reply. At most one is ever under way."""

    number: int
    words: str = ""
    """Say exactly this; empty: ask the model."""
    hint: str = ""
    """Advice for the model."""
    held: bool = False
    """Think and voice it, but let no sound out before its `Release`."""
    keys: str = ""
    """Say nothing, and press these keys."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Silence this reply at once, but keep it: a `Release` or a `Stop` follows. Answered by `Held`."""

    number: int


@dataclass(frozen=True, slots=True)
class Release:
    """Let this reply be heard: from its beginning, or from the word at which it was held."""

    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Silence this reply for good and keep only what was heard of it."""

    number: int


@dataclass(frozen=True, slots=True)
class Do:
    """Have this done; it takes none of the callee's time."""

    tool: Tool
    about: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Write into the transcript what was done and not said; the model reads it too."""

    text: str


@dataclass(frozen=True, slots=True)
class PickedUp:
    """Write down who picked up."""

    who: Answerer
    why: str
    """One plain sentence."""


@dataclass(frozen=True, slots=True)
class CalleeSays:
    """The callee's turn, so far or complete."""

    text: str
    complete: bool


@dataclass(frozen=True, slots=True)
class OperatorSays:
    """The operator's own turn, so far or complete."""

    text: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Microphone:
    """Let the callee hear the operator's own voice from now on, or no more."""

    open: bool


@dataclass(frozen=True, slots=True)
class End:
    """Hang up; nothing follows."""

    ending: Ending
    farewell: str = ""
    """To be spoken by the carrier's own voice, when ours is lost."""
    transfer: bool = False
    """Hand the callee over to the operator's phone instead."""


Action = Reply | Hold | Release | Stop | Do | Note | PickedUp | CalleeSays | OperatorSays | Microphone | End
