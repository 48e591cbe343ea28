"""How the agent behaves on the phone: every pause, patience and limit, and the few sentences it knows by heart."""

from __future__ import annotations

from dataclasses import dataclass

from backend.models import Brief, Direction


@dataclass(frozen=True, slots=True)
class Manners:
    """All times in seconds."""

    greeting_wait: float = 1.2
    """How long to wait for the callee's "hello" after pick-up before speaking first."""
    greeting_pause: float = 0.4
    """How long the callee must be quiet after that "hello" before the opening begins."""
    greeting_limit: float = 8.0
    """A greeting that lasts longer is a machine or a noisy room: the opening begins anyway."""

    interrupting_words: int = 2
    """Words over the agent's speech that make it stop; fewer may be a cough, an echo or an "uh-huh"."""
    answered_early: float = 1.5
    """A short "yes" this close to the end of the agent's turn is an answer that came early, not a backchannel."""
    stalled_turn: float = 4.0
    """Words that are followed by neither more words nor an end of turn for this long count as a turn."""

    filler_after: float = 2.0
    """Own-turn silence after which "One moment" is said while the answer is still being made."""
    first_words: float = 2.6
    """How long one model may take to its first words before the next one is asked."""
    next_words: float = 4.0
    """The same between any two pieces of an answer."""
    voice_wait: float = 3.0
    """How long a voice may take to each next piece of sound before another voice is used."""
    played_wait: float = 2.0
    """How long after the last sound should have been played the carrier may take to confirm it."""

    check_in_after: float = 8.0
    """Silence on both sides after which the agent asks whether the callee is still there."""
    check_ins: int = 2
    """How often it asks before it says goodbye."""

    longest_reply: float = 60.0
    """A reply that is still not over is stopped."""
    longest_call: float = 600.0
    closing_limit: float = 20.0
    """After the last words have begun the call ends within this time, confirmed played or not."""


MOMENT = "One moment, please."
STILL_THERE = "Are you still there?"
SILENT_GOODBYE = "I can't hear you, so I'll let you go. Someone will try again another time. Goodbye."
TIME_IS_UP = "I'm sorry, I have to end the call here. Someone will follow up with you. Goodbye."
TROUBLE = "I'm sorry, I'm having trouble on my end. Someone will follow up with you. Goodbye."
GOODBYE = "Thank you for your time. Goodbye."

BY_HEART = (MOMENT, STILL_THERE, SILENT_GOODBYE, TIME_IS_UP, TROUBLE, GOODBYE)
"""Voiced before the phone is picked up, so that they can be said when nothing else works."""


def opening(brief: Brief) -> str:
    """The first words: a greeting by name, who calls and for whom, and a moment asked for."""
    whom = f" for {brief.organization}" if brief.organization else ""
    if brief.direction is Direction.INBOUND:
        at = f" {brief.organization}" if brief.organization else ""
        return f"Hello, thank you for calling{at}. This is {brief.agent_name}, an AI assistant. How can I help you?"
    greeting = f"Hi {brief.first_name}" if brief.first_name else "Hi"
    return f"{greeting}, this is {brief.agent_name}, an AI assistant calling{whom}. Do you have a quick moment?"


def voicemail(brief: Brief) -> str:
    """One message for a machine. It says who called and asks to call back; the matter itself stays private."""
    whom = f" for {brief.organization}" if brief.organization else ""
    name = f" for {brief.callee_name}" if brief.callee_name else ""
    return (
        f"Hello, this is a message{name}. This is {brief.agent_name}, an AI assistant calling{whom}. "
        "Please call us back when you have a moment. Thank you, and goodbye."
    )


# --- small words -------------------------------------------------------------------------------------------------

_BACKCHANNELS = frozenset(
    "uh-huh uh huh mm-hm mm-hmm mm hm hmm mhm mmhm um uh er ah oh okay ok right yeah yep yes sure i see alright "
    "great good cool wow really".split()
)
_GREETINGS = frozenset("hello hi hey good morning afternoon evening yes yeah speaking this is who's calling".split())
_FAREWELLS = frozenset(
    "bye goodbye good-bye bye-bye thanks thank you so much very you're welcome have a great nice good day one too take "
    "care see then ciao later talk soon and well your".split()
)
_HUMS = frozenset("uh-huh uh huh mm-hm mm-hmm mm hm hmm mhm mmhm um er ah oh".split())


def words(text: str) -> list[str]:
    """The words of a text, bare and in lower case."""
    return [bare for word in text.lower().replace("’", "'").split() if (bare := word.strip('.,!?;:…"“”()-'))]


def only_backchannel(text: str) -> bool:
    """Whether this is only listening noise: "uh-huh", "okay", "yeah, right"."""
    return all(word in _BACKCHANNELS for word in words(text))


def only_hum(text: str) -> bool:
    """Whether this says nothing at all, not even yes: "mm-hm", "uh"."""
    return all(word in _HUMS for word in words(text))


def only_greeting(text: str) -> bool:
    return all(word in _GREETINGS | _BACKCHANNELS for word in words(text))


def only_farewell(text: str) -> bool:
    return all(word in _FAREWELLS | _BACKCHANNELS for word in words(text))
