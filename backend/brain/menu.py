"""What to answer a machine that stands before a person: the key for a phone menu, a sentence for a call screener. Pure.

A menu is taken as it was read out since a key was last pressed. The option that names what the call is about is chosen,
else the one that leads to a person, else 0, which is the operator's by custom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from backend.brain import times
from backend.brain.concepts import concepts
from backend.brain.conduct import Conduct
from backend.call.manners import opening
from backend.models import Brief, Conversation, Said, Speaker, ToolUse, Utterance

_DIGITS = dict(zip("zero one two three four five six seven eight nine".split(), "0123456789", strict=True)) | {
    "star": "*",
    "asterisk": "*",
    "pound": "#",
    "hash": "#",
}
_KEY = re.compile(
    r",?\s*\b(?:(?:please|just|or|and|you can|you may) )*(?:press|push|dial|hit|touch|select|choose|enter)"
    rf"(?: or say)? (?:the )?(?:number |option )?(?P<key>[0-9*#]|{'|'.join(_DIGITS)})\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\b(?:for|to|if)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.?!;])\s+")
_BROKEN = re.compile(
    r"\b((?:for|to|if)\b(?:(?!press|push|dial)[^.?!]){1,80})[.?!] (?=(?:please )?(?:press|push|dial) )", re.IGNORECASE
)
_PERSON = re.compile(
    r"\b(?:person|people|human|someone|somebody|reception\w*|front desk|operator|representative|agents?|advis[eo]r"
    r"|staff|member of|assistance|anything else|all other|other (?:matters|questions|inquir\w+|enquir\w+))\b",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"\bnot (?:a )?valid|\binvalid|\b(?:didn't|did not) (?:get|understand|recogni[sz]e)|\bnot recogni[sz]ed", re.I
)
_ASKS_WORDS = re.compile(
    r"\bin a few words\b|\bsay things like\b|\byou can say\b|\btell me (?:why|what|how)\b|\bhow can i help\b", re.I
)
_BUSINESS = (
    r"\b(?:appoint|book|reserv|schedul|visit|meeting|viewing|check-?up|clean|table)",
    r"\b(?:bill|invoice|pay|account|balance|money|refund)",
    r"\b(?:deliver|order|parcel|package|shipping|shipment|pick-?up)",
    r"\b(?:repair|technician|fault|broken|support|service|maintenance)",
)
"""What menus part their callers by, in the words of those who call and of menus."""
_WHY = re.compile(r"\b(?:why|reason|purpose|what\b.*\babout|regarding)\b", re.IGNORECASE)
_HOLD = re.compile(r"\b(?:hold|wait|moment|connect\w*|try(?:ing)? to|one second|stay on)\b", re.IGNORECASE)
_PRESSED = re.compile(r"(?:[^:]* p|P)ressed (?P<keys>[0-9*#w]+)\.?$")
"""The note of keys that the agent or an operator has pressed."""
OPERATOR = "0"
PAUSE = "w"
"""Half a second in which nothing is pressed."""
REPRESENTATIVE = "Representative."


@dataclass(frozen=True, slots=True)
class Option:
    key: str
    about: str
    """The menu's words for it; empty where it gives none."""


def through(conversation: Conversation) -> Said | ToolUse:
    """What gets one further in a phone menu: a key, or a word where the menu wants to be talked to."""
    heard, pressed = _read_out(conversation)
    found = options(heard)
    if not found and _ASKS_WORDS.search(heard):
        return Said(REPRESENTATIVE)
    wrong = bool(_WRONG.search(heard))
    found = [one for one in found if not (wrong and one.key == pressed)]
    # What follows a key that was taken may be the rest of the same menu, and nothing that leads further.
    key = choice(found, conversation.brief) or (PAUSE if pressed and not wrong else OPERATOR)
    return ToolUse("press_keys", {"digits": key})


def _read_out(conversation: Conversation) -> tuple[str, str]:
    """What was said since a key was last pressed, and that key."""
    said: list[str] = []
    for line in reversed(conversation.lines):
        pressed = _PRESSED.match(line.text) if line.speaker is Speaker.NOTE else None
        if pressed and pressed["keys"] != PAUSE:
            return " ".join(reversed(said)), pressed["keys"]
        if line.speaker is Speaker.CALLEE:
            said.append(line.text)
    return " ".join(reversed(said)), ""


def options(heard: str) -> list[Option]:
    """Every key that is offered, in order, with what it is for."""
    whole = _BROKEN.sub(r"\1, ", " ".join(heard.split()))
    return [option for sentence in _SENTENCE.split(whole) for option in _of_sentence(sentence)]


def _of_sentence(sentence: str) -> Iterator[Option]:
    """ "For hours, press one", or "press one for hours": what a sentence ends with tells which."""
    keys = list(_KEY.finditer(sentence))
    if not keys:
        return
    follows = bool(_ASIDE.match(sentence[keys[-1].end() :].lstrip(" ,")))
    ends = [0, *(found.end() for found in keys)]
    begins = [*(found.start() for found in keys), len(sentence)]
    between = [sentence[end:begin] for end, begin in zip(ends, begins, strict=True)]
    for found, about in zip(keys, between[1:] if follows else between, strict=False):
        key = found["key"].lower()
        yield Option(_DIGITS.get(key, key), about.strip(" ,.?!;"))


def choice(found: Sequence[Option], brief: Brief) -> str:
    """The key that leads to what this call is about, or to a person; empty where none does."""
    name = {word.lower().strip(".") for word in brief.callee_name.split() if len(word) > 2}
    # What has a day or an hour is an appointment, whatever it is called.
    action = brief.action + (" appointment" if times.find(brief.action) else "")
    wanted = concepts(action)

    def fits(option: Option) -> int:
        words = set(re.findall(r"[\w']+", option.about.lower()))
        same = sum(bool(re.search(one, action, re.I) and re.search(one, option.about, re.I)) for one in _BUSINESS)
        return 9 * bool(name & words) + 2 * same + len(wanted & concepts(option.about))

    best = max(found, key=fits, default=None)
    if best and fits(best):
        return best.key
    return next((option.key for option in found if _PERSON.search(option.about)), "")


def to_screener(conversation: Conversation) -> Said:
    """One sentence for an assistant that screens calls: who is calling and for whom. The matter stays private."""
    conduct = Conduct(conversation.brief)
    lines = [line.text for line in conversation.lines if line.speaker is Speaker.CALLEE]
    asked, name = lines[-1] if lines else "", conversation.brief.callee_name.strip()
    if _WHY.search(asked):
        return Said(f"It's a personal matter for {name}." if name else "It's a short personal matter.")
    if _HOLD.search(asked):
        return Said("Thank you, I'll wait.")
    wanted = f", and I'd like to speak to {name}" if name else ""
    return Said(f"This is {conversation.brief.agent_name}, {conduct.caller}{wanted}.")


def with_person(conversation: Conversation) -> Conversation:
    """Only what was said since somebody came to the phone, where a machine had picked up: its words are no answers."""
    lines = [line for line in conversation.lines if line.text.strip() or line.cut]
    machine = max((place for place, line in enumerate(lines) if _is_machine(line)), default=-1)
    begun = opening(conversation.brief).split(",")[0]
    for place in range(machine + 1, len(lines)) if machine >= 0 else ():
        if lines[place].speaker is Speaker.AGENT and lines[place].text.startswith(begun):
            # Their own "hello" came right before it.
            hello = place > 0 and lines[place - 1].speaker is Speaker.CALLEE
            return replace(conversation, lines=tuple(lines[place - hello :]))
    return conversation


def _is_machine(line: Utterance) -> bool:
    return line.speaker is Speaker.NOTE and line.text.startswith("Picked up: ")
