"""Who may pick up on the practice line, and what each says next: pure, a function of what was heard so far.

A persona is a few lines for each thing that a caller may want of it, said in order. It understands no more than the
wish and the time that was named, so that any caller is answered, whatever its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from backend.brain.times import find
from backend.models import ME
from backend.practice.machines import RECORDS, Menu, Music, Person, Record, Says, Steps, Wait
from backend.practice.wish import Wish, named_time, wish_of


@dataclass(frozen=True, slots=True)
class Reply:
    words: str
    """Empty: keep listening."""
    hangs_up: bool = False
    """Whether these were the last words."""


Lines = tuple[str, ...]
"""Said one after the other, the last one again and again. `{that}` is the time just named, else "that"."""

_BUSY: Lines = (
    "I'm sorry, I'm in the middle of something. Could you call me back tomorrow at four?",
    "Yes, tomorrow at four, please.",
    "I really have to go now. Goodbye.",
)
_CURIOUS: Lines = (
    "Okay. {question}",
    "I see. {oddity}",
    "Alright. Then yes, {that} works for me.",
    "That's all, thank you.",
)
_WARY: Lines = (
    "Hm. Am I talking to a real person?",
    "Okay. So what is it about?",
    "Alright. Yes, {that} works for me.",
    "That's all, thank you.",
)
_STOP: Lines = (
    "Please take me off your list and don't call me again.",
    "Yes. I don't want any more calls.",
    "That's all I have to say. Goodbye.",
)
_STRANGER: Lines = (
    "I think you have the wrong number. There's nobody here by that name.",
    "No, I don't know anybody by that name, sorry.",
    "You really have the wrong number. Goodbye.",
)
_FULL = "The mailbox is full and cannot accept any messages at this time. Goodbye."
_MENU = (
    "Thank you for calling. For opening hours, press one. For appointments, press two. To hear this again, press nine."
)
_SCREENING = (
    "Hi. The person you are calling is using a screening service. Please say your name and why you are calling."
)
_QUEUE = "Thank you for calling. All our agents are busy right now. Please hold for the next available agent."
_USUAL: Mapping[Wish, Lines] = {
    Wish.MOMENT: ("Sure, go ahead.",),
    Wish.WHO: ("Yes, speaking.",),
    Wish.MANNERS: ("I'm fine, thank you.",),
    Wish.BUSINESS: ("Yes, {that} works for me.", "Sure, that's fine, thank you."),
    Wish.WHEN: ("Friday morning at ten would be best for me.",),
    Wish.DETAIL: ("I don't have that at hand, sorry.",),
    Wish.MORE: ("No, that's all, thank you.",),
    Wish.PRESENT: ("Yes, I'm here.",),
    Wish.GOODBYE: ("Thank you, goodbye.",),
}


@dataclass(frozen=True)
class Persona:
    """Somebody, or something, that answers the phone."""

    key: str
    title: str
    """For the operator's form."""
    description: str
    """One line, for the operator's form."""
    rings: float | None = 3.0
    """Seconds until it picks up; None: never."""
    voice: str = "older"
    """One of the offline voices, other than the agent's."""
    hello: str = "Hello?"
    """The first words, where `{name}` may stand for the callee's."""
    nameless_hello: str = "Hello?"
    lines: Mapping[Wish, Lines] = field(default_factory=dict, hash=False)
    """Where it does not say the usual."""
    machine: Steps = ()
    """What it does after `hello`, where it is a machine."""
    thinks: float = 0.3
    """Seconds of silence before it answers."""
    interrupts: str = ""
    """What it says once into the middle of a sentence."""
    hums: str = ""
    """What it says while it listens to something long, without meaning to interrupt."""

    def script(self, wish: Wish) -> Lines:
        return self.lines.get(wish) or _USUAL.get(wish, ("",))


PERSONAS: dict[str, Persona] = {
    persona.key: persona
    for persona in (
        Persona(
            key="cooperative",
            title="Agrees",
            description="Picks up, listens and says yes.",
            hello="Hello, this is {name}.",
        ),
        Persona(
            key="another-time",
            title="Wants another time",
            description="Cannot make it as planned and asks for Friday morning; takes a fair alternative.",
            voice="man",
            lines={
                Wish.BUSINESS: (
                    "I'm sorry, I can't make it then. Could we do Friday morning instead?",
                    "Okay, {that} works for me, thank you.",
                    "Yes, that's right, thank you.",
                )
            },
        ),
        Persona(
            key="curious",
            title="Has questions",
            description="Asks one thing the context should say and one it should not, then agrees.",
            voice="young",
            hello="Hi, {name} speaking.",
            lines={Wish.MOMENT: ("Yes, what is it about?",), Wish.BUSINESS: _CURIOUS, Wish.MORE: _CURIOUS},
        ),
        Persona(
            key="hesitant",
            title="Hesitates and interrupts",
            description="Takes its time, hums along, and interrupts once in mid-sentence.",
            hello="Yes, um, hello?",
            nameless_hello="Yes, um, hello?",
            thinks=1.5,
            interrupts="Sorry, wait, which day was that?",
            hums="Mm-hm.",
            lines={
                Wish.MOMENT: ("Um, yeah. Sure.",),
                Wish.BUSINESS: ("Um, let me think. Yes, I think {that} works.", "Um, okay. Yes, that's fine."),
                Wish.MORE: ("Um, no. No, that's all.",),
            },
        ),
        Persona(
            key="busy-person",
            title="Has no time now",
            description="Asks to be called back tomorrow at four.",
            voice="man",
            lines={
                Wish.MOMENT: _BUSY,
                Wish.BUSINESS: _BUSY,
                Wish.MANNERS: _BUSY,
                Wish.WHEN: ("Tomorrow at four would be good.",),
            },
        ),
        Persona(
            key="declines",
            title="Declines",
            description="Hears what it is about and is not interested.",
            voice="man",
            lines={
                Wish.MOMENT: ("What is this about?",),
                Wish.BUSINESS: (
                    "No, thank you. I'm not interested.",
                    "No, I've made up my mind, thank you.",
                    "Really, no. Goodbye.",
                ),
                Wish.WHEN: ("No, I don't want another time, thank you.",),
                Wish.DETAIL: ("I'd rather not say.",),
            },
        ),
        Persona(
            key="opts-out",
            title="Wants no more calls",
            description="Asks to be taken off the list.",
            lines={Wish.MOMENT: _STOP, Wish.BUSINESS: _STOP, Wish.MANNERS: _STOP, Wish.WHEN: _STOP},
        ),
        Persona(
            key="wary",
            title="Doubts the caller",
            description="Asks whether this is a real person before anything else, then agrees.",
            voice="young",
            lines={Wish.MOMENT: _WARY, Wish.BUSINESS: _WARY, Wish.MORE: _WARY},
        ),
        Persona(
            key="wrong-number",
            title="Somebody else",
            description="Does not know the person you ask for.",
            voice="man",
            lines=dict.fromkeys((Wish.MOMENT, Wish.WHO, Wish.BUSINESS, Wish.MANNERS, Wish.WHEN), _STRANGER),
        ),
        Persona(
            key="voicemail",
            title="Voicemail",
            description="A greeting, a beep, and then it records.",
            rings=5.0,
            hello="Hi, you've reached {name}. I can't talk right now. Please leave a message after the beep.",
            nameless_hello="Hi, nobody can come to the phone right now. Please leave a message after the beep.",
            machine=RECORDS,
        ),
        Persona(
            key="voicemail-no-beep",
            title="Voicemail without a beep",
            description="A greeting, and then it records without a sign.",
            voice="man",
            hello="Hi, it's {name}. I'm not available right now. Leave me a message and I'll call you back.",
            nameless_hello="Hi. We're not available right now. Leave us a message and we'll call you back.",
            machine=(Record(),),
        ),
        Persona(
            key="full-mailbox",
            title="Full mailbox",
            description="A voicemail that takes no message any more.",
            hello=_FULL,
            nameless_hello=_FULL,
            machine=(Wait(),),
        ),
        Persona(
            key="phone-menu",
            title="Phone menu",
            description="Wants a key to be pressed, and then puts you through.",
            voice="young",
            hello=_MENU,
            nameless_hello=_MENU,
            machine=(Menu(right="20"), Says("Please hold, I'm connecting you."), Music(3.0), Person()),
        ),
        Persona(
            key="call-screening",
            title="Call screening",
            description="An assistant asks who is calling and why; then the person comes to the phone.",
            voice="man",
            hello=_SCREENING,
            nameless_hello=_SCREENING,
            machine=(
                Wait(),
                Says("Thanks. Please stay on the line while I see if they are available."),
                Music(4.0),
                Person("Hello, {name} speaking."),
            ),
        ),
        Persona(
            key="on-hold",
            title="On hold",
            description="Music and a recording, and after a while somebody answers.",
            voice="older",
            hello=_QUEUE,
            nameless_hello=_QUEUE,
            machine=(
                Music(8.0),
                Says("Your call is important to us. Please stay on the line."),
                Music(5.0),
                Person("Hello, this is {name}, thanks for waiting."),
            ),
        ),
        Persona(
            key="nobody",
            title="Nobody",
            description="The phone rings and nobody picks up.",
            rings=None,
        ),
    )
}
"""Those that hear and speak by themselves."""

MYSELF = Persona(
    key=ME,
    title="You, in this browser",
    description="It rings on the call's live page: answer, and talk with the agent yourself. Needs a microphone.",
    rings=None,
)
WHO_PICKS_UP = PERSONAS | {ME: MYSELF}
"""Everybody whom a practice call can be placed to."""

MOST_TURNS = 10
"""Turns of the caller after which anybody has had enough: every call ends."""


def hello(persona: Persona | Person, name: str = "") -> str:
    """The first words, or a machine's greeting."""
    return persona.hello.format(name=name) if name else persona.nameless_hello


def reply(persona: Persona, heard: Sequence[str], most_turns: int = MOST_TURNS) -> Reply:
    """What this persona says to the last of these turns of the caller's."""
    *before, last = heard
    wish = wish_of(last)
    if persona.machine and not any(isinstance(step, Person) for step in persona.machine):
        return Reply("")
    if len(heard) >= most_turns and wish is not Wish.GOODBYE:
        return Reply("I'm sorry, I have to go now. Goodbye.", hangs_up=True)
    if wish is Wish.REPEAT:
        return reply(persona, before, most_turns) if before else Reply("Hello?")
    script = persona.script(wish)
    used = sum(persona.script(wish_of(turn)) == script for turn in before)
    words = _filled(script[min(used, len(script) - 1)], heard)
    return Reply(words, hangs_up=words.endswith("oodbye."))


def interjection(persona: Persona, turn: int, words: str, already: Iterable[str]) -> str:
    """What this persona says while the caller is still speaking; mostly nothing.

    Args:
        turn: which of the caller's turns this is, from 0.
        words: as far as it has come.
        already: what it has said into others' words: in this turn, or to interrupt.
    """
    count = len(words.split())
    # Asking "which day" makes sense once one was named, or could well have been.
    matter = count >= 4 and ((turn > 0 and count >= 8) or bool(find(words)))
    candidates = (persona.interrupts if matter else "", persona.hums if count >= 8 else "")
    return next((words for words in candidates if words and words not in already), "")


def _filled(line: str, heard: Sequence[str]) -> str:
    question, oddity = _wondered(" ".join(heard))
    return line.format(that=named_time(heard[-1]) or "that", question=question, oddity=oddity)


def _wondered(heard: str) -> tuple[str, str]:
    """A question that a matter like this has an answer to, and one that nobody prepares for."""
    for about, questions in _WONDERED.items():
        if re.search(rf"\b(?:{about})", heard, re.IGNORECASE):
            return questions
    return "How long will it take?", "And who else is doing this?"


_WONDERED = {
    "invoice|bill|balance|payment|overdue|owe": ("How much is it, exactly?", "And can I pay it in three parts?"),
    "deliver|package|parcel|technician|engineer|repair": ("How long will that take?", "And what colour is your van?"),
    "appointment|visit|viewing|check|clean|booking|reservation|table|meeting": (
        "Where is it, exactly?",
        "And can I bring my dog along?",
    ),
}
