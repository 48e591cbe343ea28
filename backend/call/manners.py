"""How the agent behaves on the phone: every pause, patience and limit, and the few sentences it knows by heart."""

from __future__ import annotations

from dataclasses import dataclass

from backend.models import Brief, Direction


@dataclass(frozen=True, slots=True)
class Manners:
    """All times in seconds."""

    greeting_wait: float = 1.2
    """How long to wait for the callee's "hello" after pick-up before speaking first."""
    inbound_greeting_wait: float = 0.3
    """The same where somebody has called us: they expect to be greeted."""
    greeting_pause: float = 0.5
    """How long the callee must be quiet after that "hello" before the opening begins."""
    greeting_limit: float = 8.0
    """A greeting that lasts longer is a machine or a noisy room: the opening begins anyway."""
    long_greeting: float = 1.5
    """Whoever made sound for less than this before the opening was over is no machine, whatever the carrier says."""

    interrupting_words: int = 2
    """Words over the agent's speech that make it stop; fewer may be a cough, an echo or an "uh-huh"."""
    hold_limit: float = 1.6
    """Sound over the agent that brings no words for this long is noise: the agent goes on although it lasts."""
    words_late: float = 0.16
    """After a longer sound over the agent has ended, how long its words may still take to be recognised."""
    short_sound: float = 0.7
    """A sound shorter than this whose words are not known when it ends was a cough or an "uh-huh"."""
    answered_early: float = 1.5
    """A short "yes" this close to the end of the agent's turn is an answer that came early, not a backchannel."""
    unfinished_wait: float = 1.7
    """How long the callee may pause after words that cannot be the end of a sentence: "my number is"."""
    unheard_wait: float = 2.0
    """After something was said of which no word was recognised, the silence until the agent asks for it again."""
    stalled_turn: float = 1.6
    """Words followed by silence, and by neither more words nor an end of turn, for this long count as a turn."""
    noisy_turn: float = 4.0
    """The same while the callee's side is loud."""

    speculate: bool = True
    """Whether a reply is prepared while the callee has probably, but not surely, finished."""
    hedge: bool = True
    """Whether a language model that is unusually slow is asked a second time, and the first answer taken."""

    filler_after: float = 2.0
    """Silence, when it is the agent's turn, after which "One moment" is said while the answer is still being made."""
    voiceless_after: float = 2.3
    """The same after which the carrier's own voice ends the call, when there is nothing prepared to bridge it with."""
    first_words: float = 2.4
    """How long one model may take to its first words before the next one is asked."""
    next_words: float = 2.8
    """The same between any two pieces of an answer."""
    voice_wait: float = 1.6
    """How long a voice may take to each next piece of sound before another voice is used."""
    bare_voice_wait: float = 1.0
    """The same while there is no phrase to bridge the wait with: the other voice must still be in time."""
    last_voice_wait: float = 6.0
    """The same where there is no other voice."""
    preparing_wait: float = 3.0
    """How long a voice may take to each piece of a phrase that is prepared while the phone rings."""
    last_preparing_wait: float = 15.0
    """The same where there is no other voice: then nobody waits for it."""
    last_word: float = 1.5
    """How long the call stays open after the agent's goodbye for a callee who is just saying something."""
    played_wait: float = 2.0
    """How long after the last sound should have been played the carrier may take to confirm it."""

    check_in_after: float = 8.0
    """Silence on both sides after which the agent asks whether the callee is still there."""
    check_ins: int = 2
    """How often it asks before it says goodbye."""

    discloses: bool = True
    """Whether the agent says in its first sentence what it is."""
    records: bool = False
    """Whether the call is recorded."""
    notice: str = ""
    """What the agent says about that in its first words."""
    callback: str = ""
    """The number at which somebody can be called back, as it is read out; empty: none is named."""
    operator_wait: float = 8.0
    """How long the operator's answer to a question of the agent's is waited for; 0: there is no asking."""
    operator_watches: float = 6.0
    """How long after the last sign of an operator at the desk somebody is taken to be there."""

    on_hold: float = 180.0
    """How long a queue, a menu or an assistant that screens calls may keep the agent from a person."""

    longest_reply: float = 60.0
    """A reply that is still not over is stopped."""
    longest_call: float = 600.0
    closing_limit: float = 20.0
    """After the last words have begun the call ends within this time, confirmed played or not."""


MOMENT = "One moment, please."
BRIDGES = (MOMENT, "I'm still checking, thank you for waiting.", "Sorry, this takes a little longer than usual.")
"""Said in this order while an answer does not come; when silence follows the last one, the answer is given up."""
CHECKING = "Let me check that for you, one moment please."
"""Said when the agent asks the operator, and has said nothing of its own to go with it."""
STILL_CHECKING = BRIDGES[1]
WILL_FOLLOW_UP = "I don't have that here, but someone will get back to you about it."
PUTTING_THROUGH = "I'll put you through to a colleague now."
CONFIRM = "Let me have someone confirm that for you."
"""Said in place of a sentence with a fact that the agent was not given."""
NO_MORE_CALLS = "I'm sorry for the disturbance. We won't call you again. Goodbye."
STILL_THERE = "Are you still there?"
PARDON = "Sorry, I didn't catch that. Could you say it again?"
SILENT_GOODBYE = "I can't hear you, so I'll let you go. Someone will try again another time. Goodbye."
UNHEARD_CALLER = "I can't hear you, so I'll hang up now. Please call us again. Goodbye."
TIME_IS_UP = "I'm sorry, I have to end the call here. Someone will follow up with you. Goodbye."
TROUBLE = "I'm sorry, I'm having trouble on my end. Someone will follow up with you. Goodbye."
GOODBYE = "Thank you for your time. Goodbye."

OPERATOR_SAYS = "The operator answers your question ({question}): {answer}"
OPERATOR_SILENT = "Nobody could answer your question ({question}): say that someone will follow up on it, and go on."
RECORDING_DELETED = "I have stopped the recording and deleted it."
UNRECORDED = (
    "The callee does not want to be recorded, and no longer is: say that you have stopped the recording and deleted "
    "it, and go on."
)
UNANNOUNCED = "The callee talked over a sentence that they have to hear, so say exactly this first: {notice}"
OPTED_OUT = "The callee wants no more calls, and is on the list already: say that it won't happen again, and goodbye."
MENU = (
    "A phone menu is speaking, and no person: press the keys that lead towards your task or to a person, or say in a "
    "word or two what it asks for; nothing else."
)
SCREENER = "An assistant that screens calls is speaking, no person: answer in one sentence, without private details."
"""Advice to the model for its next answer."""

BY_HEART = (*BRIDGES, STILL_THERE, PARDON, SILENT_GOODBYE, UNHEARD_CALLER, TIME_IS_UP, TROUBLE, GOODBYE)
"""Voiced before the phone is picked up, so that they can be said when nothing else works."""

_AI = "an AI assistant"


def opening(brief: Brief, discloses: bool = True, notice: str = "") -> str:
    """The first words: a greeting by name, who calls and for whom, and a moment asked for.

    Args:
        discloses: whether they say that an AI is speaking.
        notice: a sentence that has to be said before anything else is.
    """
    notice = f" {notice}" if notice else ""
    whom = f" for {brief.organization}" if brief.organization else ""
    what = f", {_AI}" if discloses else ""
    if brief.direction is Direction.INBOUND:
        at = f" {brief.organization}" if brief.organization else ""
        return f"Hello, thank you for calling{at}. This is {brief.agent_name}{what}.{notice} How can I help you?"
    greeting = f"Hi {brief.first_name}" if brief.first_name else "Hi"
    return f"{greeting}, this is {brief.agent_name}{what} calling{whom}.{notice} Do you have a quick moment?"


def unheard(brief: Brief, heard: str, discloses: bool = True, notice: str = "") -> str:
    """What of the opening is still to be said to somebody who has heard only this much of it; empty: nothing."""
    if not heard.strip():
        return opening(brief, discloses, notice)
    calling = "" if brief.direction is Direction.INBOUND else " calling"
    whom = f" for {brief.organization}" if calling and brief.organization else ""
    who = f"This is {brief.agent_name}, {_AI}{calling}{whom}." if discloses and _AI not in heard else ""
    return " ".join(part for part in (who, notice) if part and part not in heard)


def silent_goodbye(brief: Brief) -> str:
    """For somebody who says nothing; who has called is not called again."""
    return UNHEARD_CALLER if brief.direction is Direction.INBOUND else SILENT_GOODBYE


def handed_back(brief: Brief) -> str:
    """Said after a colleague has talked to the callee; it asks, so that the callee says what is still open."""
    return f"Thanks, it's {brief.agent_name} again. Shall we carry on?"


def screened(brief: Brief, discloses: bool = True) -> str:
    """For an assistant that asks who is calling and why; the matter itself stays private."""
    whom = f" for {brief.organization}" if brief.organization else ""
    what = f", {_AI}" if discloses else ""
    wanted = f"I'd like to speak to {brief.callee_name}, please." if brief.callee_name else "It's a short call."
    return f"This is {brief.agent_name}{what} calling{whom}. {wanted}"


def voicemail(brief: Brief, discloses: bool = True, callback: str = "") -> str:
    """One message for a machine. It says who called and asks to call back; the matter itself stays private.

    Args:
        callback: as `Manners.callback`.
    """
    what = f", {_AI}" if discloses else ""
    whom = f" for {brief.organization}" if brief.organization else ""
    name = f" for {brief.callee_name}" if brief.callee_name else ""
    at = f" at {callback}," if callback else ""
    return (
        f"Hello, this is a message{name}. This is {brief.agent_name}{what} calling{whom}. "
        f"Please call us back{at} when you have a moment. Thank you, and goodbye."
    )
