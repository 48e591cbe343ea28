"""What a call is for, turned from the operator's order ("Remind him that ...") into things to say to the callee.

Simple rules on the leading verb; an order they do not know is read out as it stands, so nothing is ever invented.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from backend.brain.times import WEEKDAYS, When, find


class Kind(Enum):
    AGREE = "yes or no"
    TELL = "only to be told"
    ASK = "any answer will do"
    CHOOSE = "a day and time to find"


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing to get done on the call."""

    kind: Kind
    statement: str
    """A whole sentence, without the question; empty if the question says it all."""
    question: str
    """What the callee has to answer; empty for a choice, where the free times make the question."""
    topic: str
    """For the note: what it was about."""
    when: When | None = None
    """The time it is fixed at, if any."""
    moves: bool = False
    """Whether agreeing means that something has moved to another time."""

    @property
    def movable(self) -> bool:
        """Whether it is the time itself that the callee is asked about."""
        return self.kind is Kind.CHOOSE or (self.when is not None and self.question in _ABOUT_TIME)

    @property
    def again(self) -> str:
        """The question as asked a second time, when it no longer follows its statement."""
        if self.when and self.question in _ABOUT_TIME:
            return _ABOUT_TIME[self.question].format(self.when.text)
        return self.question


STILL = "Does that still work for you?"
WORKS = "Does that work for you?"
ABLE = "Will you be able to make it?"
RIGHT = "Is that right?"
FINE = "Is that all right with you?"
CARE = "Could you see to that?"
TELL_ME = "Could you tell me that?"
QUESTIONS = "Do you have any questions about that?"
_ABOUT_TIME = {STILL: "Does {} still work for you?", WORKS: "Does {} work for you?", ABLE: "Can you make it {}?"}

_VERBS = (
    r"confirm|remind|ask|tell|inform|notify|let|schedule|book|arrange|set up|plan|make an appointment|collect|check"
    r"|find out|verify|see (?:if|whether)|reschedule|move|postpone|cancel|invite|offer|thank|say|explain|warn|request"
    r"|get|apologi[sz]e|update|call|follow up|announce|mention|discuss|propose|suggest|agree on|learn"
)
_SPLIT = re.compile(
    rf"(?:,?\s+and(?:\s+(?:then|also))?\s+|,?\s+then\s+|[;.]\s+|,\s+)(?=(?:please\s+|also\s+)?(?:{_VERBS})\b)", re.I
)
_PERSON = (
    r"him|her|them|(?:the|our|my|your|this)\s+(?:patient|customer|client|tenant|guest|parent|caller|callee|member"
    r"|resident|owner|person|applicant|candidate|student|subscriber|borrower|recipient)"
)
_MEETING = re.compile(
    r"\b(appointment|meeting|visit|viewing|session|lesson|class|cleaning|checkup|check-up|interview|reservation|booking"
    r"|consultation|inspection|exam|test drive|conference|event|party|dinner|demo|tour|treatment|haircut|fitting)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(r"\b(payment|balance|bill|invoice|rent|fee|instal?ment|debt|dues|owes?|overdue)\b|[$€£]", re.I)


def goals(action: str, name: str = "") -> tuple[Goal, ...]:
    """The order as goals in their order, spoken to the callee; at least one unless the order is empty."""
    order = re.sub(r"\s+", " ", action).strip()
    parts = [re.sub(r"(?<![ap]\.m)[.!?]+$", "", part.strip(" ,;")) for part in _SPLIT.split(order)]
    return _merged([_goal(to_you(part, name)) for part in parts if part])


def sentence(text: str) -> str:
    """The words as one sentence; "at 10 a.m." has its full stop already."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _merged(found: list[Goal]) -> tuple[Goal, ...]:
    """News followed by a question is said in one breath with it."""
    merged: list[Goal] = []
    for goal in found:
        before = merged[-1] if merged else None
        if before and before.kind is Kind.TELL:
            more = goal.statement.replace("I'm calling to", "I'd also like to", 1)
            said = f"{before.statement} {more}".strip()
            merged[-1] = Goal(goal.kind, said, goal.question, goal.topic, goal.when or before.when, goal.moves)
        else:
            merged.append(goal)
    return tuple(merged)


def to_you(text: str, name: str = "") -> str:
    """An order about a third person as words to that person: "ask when he picks it up" -> "ask when you pick it up"."""
    if name:
        text = re.sub(rf"\b{re.escape(name)}(?:'s|’s)", "your", text)
        text = re.sub(rf"\b{re.escape(name)}\b", "him", text)
    text = re.sub(rf"\b(?:{_PERSON})(?:'s|’s)", "your", text, flags=re.I)
    named = re.finditer(rf"\b(?:{_VERBS})\s+({_PERSON})\b", text, re.I)
    whom = next((match for match in named if not _ABOUT_THINGS.fullmatch(match[0])), None)
    whom_word = whom[1].lower() if whom else ""
    spoken_to = rf"\b({_VERBS}|for|with|to|from|give|send|help)\s+(?:{_PERSON})\b(?!\s+{_OWN})"
    text = re.sub(spoken_to, lambda m: m[0] if _ABOUT_THINGS.fullmatch(m[0]) else f"{m[1]} you", text, flags=re.I)
    if " " in whom_word:
        text = re.sub(r"\btheir\b", "your", text)
    if not whom and _THEY.search(text):
        # "Ask how often they use the bus": whoever is asked is meant.
        whom_word = "them"
    for object_word, subject, possessive in (("him", "he", "his"), ("her", "she", "her"), ("them", "they", "their")):
        # Orders that name nobody, or "the customer", may mean him or her; "they" are then rather the things spoken of.
        if whom_word == object_word or (whom_word not in {"him", "her", "them"} and subject != "they"):
            text = re.sub(rf"\b{subject}(?:'s|’s)\b", "you are", text, flags=re.I)
            text = re.sub(rf"\b(is|was|has|does) {subject}\b", lambda m: f"{_base(m[1])} you", text, flags=re.I)
            text = re.sub(
                rf"\b{subject} ((?:still|also|really|now|already|just) )?(\w+(?:'t|’t)?)",
                lambda m: f"you {m[1] or ''}{_base(m[2])}",
                text,
                flags=re.I,
            )
            text = re.sub(rf"\b{possessive}\b", "your", text, flags=re.I)
            text = re.sub(rf"\b{object_word}\b", "you", text, flags=re.I)
    return text


_THEY = re.compile(
    r"^(?:please )?(?:ask|find out|check|learn) (?:if|whether|when|what|which|where|why|how(?: \w+)?) they\b", re.I
)
# "Discuss them" is about things, "remind them" about people.
_ABOUT_THINGS = re.compile(
    r"(?:confirm|schedule|book|arrange|set up|plan|collect|check|find out|verify|reschedule|move|postpone|cancel|say"
    r"|explain|request|get|announce|mention|discuss|propose|suggest|agree on|learn|send|give|offer) them",
    re.IGNORECASE,
)
# After "her": a noun, so that it is "your"; the words that show otherwise are these.
_OWN = (
    r"(?!(?:that|to|about|of|if|whether|when|where|what|which|how|why|who|know|a|an|the|for|with|on|at|and|in|by)\b)\w+"
)


def _base(verb: str) -> str:
    """The form after "you" of a verb after "he"."""
    irregular = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}
    lower = verb.lower().replace("’", "'")
    if lower.endswith("n't") and lower[:-3] in irregular:
        return irregular[lower[:-3]] + "n't"
    if lower in irregular:
        return irregular[lower]
    if lower in {"always", "sometimes", "perhaps"} or not lower.endswith("s") or lower.endswith("ss"):
        return verb
    if lower.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if re.search(r"(?:ch|sh|x|ss|zz|o)es$", lower) else verb[:-1]


# What to do if it does not suit goes without saying.
_OTHERWISE = re.compile(
    r",?\s+(?:or|otherwise|and if not,?)\s+(?:find|arrange|agree on|offer|suggest|fix|pick)\b.*$", re.I
)


def _goal(part: str) -> Goal:
    part = _OTHERWISE.sub("", part)
    part = re.sub(r"^(?:please|also|kindly|call (?:you )?(?:to|and)|try to)\s+", "", part, flags=re.I)
    for pattern, make in _RULES:
        if match := re.match(rf"(?P<verb>{pattern})\s*(?P<rest>.*)$", part, re.I):
            return make(match["verb"].lower(), match["rest"].strip())
    return Goal(Kind.AGREE, sentence(f"I'm calling about this: {part}"), FINE, part, _time(part))


def _time(text: str) -> When | None:
    """The one time the order is about; a loose word such as "next week" fixes nothing."""
    fixed = [when for when in find(text) if not when.vague or when.day in _FIXED_DAYS or when.date]
    return fixed[-1] if fixed else None


_FIXED_DAYS = frozenset({*WEEKDAYS, "today", "tomorrow"})


def _confirm(verb: str, rest: str) -> Goal:
    rest = re.sub(r"^(?:with|to) you\s+", "", rest)
    if re.match(r"(?:if|whether)\s", rest, re.I):
        return _ask(verb, rest)
    when = _time(rest)
    question = STILL if when and not rest.startswith("that ") else RIGHT
    return Goal(Kind.AGREE, sentence(f"I'm calling to confirm {rest}"), question, rest, when)


def _remind(verb: str, rest: str) -> Goal:
    rest = re.sub(r"^you\b\s*", "", rest)
    if not re.match(r"(?:that|to|of|about|how|when|where|which|what)\b", rest):
        clause = re.search(r"\b(?:is|are|was|has|have|will|must|needs?|should)\b", rest)
        rest = rest[rest.index("that ") :] if "that " in rest else f"{'that' if clause else 'about'} {rest}"
    said, when = sentence(f"I'm calling to remind you {rest}"), _time(rest)
    if _MEETING.search(rest) and when:
        return Goal(Kind.AGREE, said, ABLE, rest, when)
    if rest.startswith("to ") or _MONEY.search(rest):
        return Goal(Kind.AGREE, said, CARE, rest)
    return Goal(Kind.TELL, said, QUESTIONS, rest)


def _tell(verb: str, rest: str) -> Goal:
    rest = re.sub(r"^(?:to\s+)?(?:you\s+)?(?:know\s+)?(?:that\s+)?", "", rest)
    if rest.startswith(("about ", "of ")):
        return Goal(Kind.TELL, sentence(f"I'm calling about {rest.split(' ', 1)[1]}"), QUESTIONS, rest)
    if rest.startswith("to "):
        return _please(rest[3:])
    return Goal(Kind.TELL, sentence(f"I'm calling to let you know that {_lowered(rest)}"), QUESTIONS, rest)


def _please(deed: str) -> Goal:
    return Goal(Kind.AGREE, "", f"Could you please {deed}?", deed, _time(deed))


def _lowered(text: str) -> str:
    """A sentence as a clause: "The car is ready" after "that"."""
    return re.sub(r"^(?:The|A|An|We|Our|It|Your|There|This|You)\b", lambda match: match[0].lower(), text)


def _ask(verb: str, rest: str) -> Goal:
    rest = re.sub(r"^you\b\s*", "", rest)
    if clause := re.match(r"(?:if|whether)\s+(.*)", rest, re.I):
        if re.search(r"\bor (?!not\b)\w+", clause[1]) and not _time(clause[1]):
            return Goal(Kind.ASK, "", _whether(clause[1]), clause[1])
        return Goal(Kind.AGREE, "", _whether(clause[1]), clause[1], _time(clause[1]))
    if deed := re.match(r"to\s+(.*)", rest, re.I):
        return _please(deed[1])
    if thing := re.match(r"(?:for|about)\s+(.*)", rest, re.I):
        return Goal(Kind.ASK, sentence(f"I'd like to ask {rest}"), TELL_ME, thing[1])
    return Goal(Kind.ASK, "", f"Could you tell me {_lowered(rest)}?", rest)


def _request(verb: str, rest: str) -> Goal:
    return _ask(verb, f"{'about' if verb == 'check' else 'for'} {rest}")


_TURNED = re.compile(r"(you|it|that|they|we|(?:the|your) \w+) (can|are|will|would|is|were|was|could) (.*)")


def _whether(clause: str) -> str:
    """The yes-or-no question inside "whether you can come"."""
    if turned := _TURNED.fullmatch(clause):
        subject, verb, rest = turned.groups()
        return f"{verb.capitalize()} {subject} {rest}?"
    past = re.match(
        r"you (?:(?:have|already|have already) )?(?:\w+ed|been|had|got|came|went|paid|found|saw|did)\b", clause
    )
    return f"Do {clause}?" if clause.startswith("you ") and not past else f"Could you tell me whether {clause}?"


def _choose(verb: str, rest: str) -> Goal:
    rest = re.sub(r"^(?:with|for) you\s+", "", rest)
    when = next((found for found in find(rest) if not found.vague), None)
    said = sentence(f"I'm calling to {verb} {rest}")
    return Goal(Kind.AGREE if when else Kind.CHOOSE, said, WORKS if when else "", rest or verb, when)


def _move(verb: str, rest: str) -> Goal:
    target = re.search(r"\b(?:to|until)\s+(.*)$", rest)
    when = next(iter(find(target[1])), None) if target else None
    said = sentence(f"I'm calling to {verb} {rest}")
    return Goal(Kind.AGREE if when else Kind.CHOOSE, said, WORKS if when else "", rest, when, moves=True)


def _cancel(verb: str, rest: str) -> Goal:
    return Goal(Kind.AGREE, sentence(f"I'm calling to cancel {rest}"), FINE, rest)


def _collect(verb: str, rest: str) -> Goal:
    if _MONEY.search(rest):
        return Goal(Kind.AGREE, sentence(f"I'm calling about {re.sub(r'^payment', 'the payment', rest)}"), CARE, rest)
    return Goal(Kind.ASK, sentence(f"I'm calling to ask for {rest}"), TELL_ME, rest)


def _invite(verb: str, rest: str) -> Goal:
    rest = re.sub(r"^you\b\s*", "", rest)
    question = "Would you like to come?" if verb == "invite" else "Would you like that?"
    return Goal(Kind.AGREE, sentence(f"I'm calling to {verb} you {rest}"), question, rest, _time(rest))


def _thank(verb: str, rest: str) -> Goal:
    rest = re.sub(r"^(?:to\s+)?you\b\s*", "", rest)
    words = "thank you" if verb == "thank" else "say sorry"
    return Goal(Kind.TELL, sentence(f"I'm calling to {words} {rest}"), QUESTIONS, rest)


_INDIRECT = r"(?=\s+(?:if|whether|when|what|which|how|where|who|with)\b)"
_RULES: tuple[tuple[str, Callable[[str, str], Goal]], ...] = (
    (r"(?:confirm|verify)\b", _confirm),
    (r"remind\b", _remind),
    (rf"(?:ask|find out|learn)\b|(?:check|see){_INDIRECT}", _ask),
    (r"(?:check|request)\b", _request),
    (r"(?:tell|inform|notify|let|say|explain|warn|announce|mention|update)\b", _tell),
    (r"(?:reschedule|move|postpone)\b", _move),
    (r"(?:schedule|book|arrange|set up|plan|make an appointment|agree on)\b", _choose),
    (r"cancel\b", _cancel),
    (r"(?:collect|get)\b", _collect),
    (r"(?:invite|offer)\b", _invite),
    (r"(?:thank|apologi[sz]e)\b", _thank),
)
