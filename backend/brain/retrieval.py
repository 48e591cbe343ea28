"""Which sentence of the context answers a question. Pure; it quotes, and says nothing when no sentence fits.

A sentence answers only if it holds everything that the question is about, and the kind of answer it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from backend.brain import times
from backend.brain.concepts import concept_words, concepts, kinds_asked, kinds_given, matter, matter_words

_GENERIC = frozenset(
    {"appointment", "visit", "meeting", "booking", "session", "order", "event", "service", "job", "work"}
)
_PREMISES = frozenset(
    {"clinic", "office", "practice", "garage", "shop", "store", "school", "library", "restaurant", "studio", "venue"}
    | {"entrance", "building", "address", "house", "flat", "apartment", "center", "centre", "workshop", "salon"}
)
_BRIEF = 3
"""Concepts of a sentence that says one thing only."""
_RANGE = re.compile(
    rf"\b(?:to|through|until|till|-|–) (?:{'|'.join(times.WEEKDAYS)})|\bweekdays?\b|\bdaily\b|\bevery day\b",
    re.IGNORECASE,
)
# "Park Street" has no parking.
_STREET = re.compile(r"\b(?:[A-Z]\w+ )+(?:Street|Road|Lane|Avenue|Square|Park|Place|Drive|Way|Court|Hill)\b")
_ALLOWING = frozenset({"bring", "okay"})
_SUBJECT_END = re.compile(
    r"\b(?:is|are|was|were|takes?|costs?|will|can|has|have|lasts?|starts?|begins?|ends?|opens?|closes?|should|must|may"
    r"|includes?|comes?|needs?|runs?|stays?|does|do|arrives?|happens?|serves?)\b|:",
    re.IGNORECASE,
)
_NEUTRAL = re.compile(
    r"(?:i'm calling|it|this|that|they|we|you|he|she|there|please|everything|the (?:price|total|address|cost))\b", re.I
)
_OFFER = re.compile(
    r"\b(?:are|is) (?:also |still )?(?:free|available|open|possible)\b|\bavailable\b|\balternative|\binstead\b"
    r"|\b(?:does not|doesn't|cannot|can't|don't) (?:work|suit|make)|\bother (?:times|slots|dates)"
    r"|\bfree (?:slots|times)|\bwe can (?:also )?offer",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"^\W*(?:if|should|in case)\b[^,]*,", re.IGNORECASE)

Alike = Callable[[str, tuple[str, ...]], bool]
"""Whether a question's word means the same as one of a sentence's words, though it is another."""


def exactly(word: str, words: tuple[str, ...]) -> bool:
    """No word means the same as another; what the rules know of that is in `concepts`."""
    return False


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence that may be said, and what it is about."""

    text: str
    concepts: frozenset[str]
    words: tuple[str, ...]
    """The words of these concepts."""
    kinds: frozenset[str]
    days: frozenset[str]
    subject: frozenset[str]
    """The concepts it speaks of first; empty for "it takes ...", "please bring ..." and the like."""

    def holds_on(self, days: frozenset[str]) -> bool:
        """Whether it may be about one of these days: what is said of Saturday alone says nothing of Friday."""
        return not days or not self.days or bool(days & self.days) or bool(_RANGE.search(self.text))


_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\bDr\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bSt\.)(?<!\bNo\.)(?<!\b[A-Z]\.)\s+(?=[A-Z0-9\"$€£])"
)

# A line break inside a sentence: before a small letter, or after a line too long for a list.
_WRAPPED = re.compile(r"(?<![.!?:;\n])\n[ \t]*(?=[a-z(])|(?<=[^\n]{70})(?<![.!?:;\n])\n[ \t]*(?=[\w$€£(])")


def sentences(text: str) -> tuple[str, ...]:
    """The text's sentences, one per bullet or line as well; "Dr. Smith" and "10 a.m. or" do not end one."""
    found = []
    text = _WRAPPED.sub(" ", text)
    for line in re.split(r"\n+|(?<=\s)[-*•]\s|;\s", text):
        pieces = _SENTENCE_END.split(line)
        found += [piece.strip(" -*•\t") for piece in pieces]
    return tuple(piece for piece in found if re.search(r"\w", piece))


def offers(context: str) -> tuple[times.When, ...]:
    """The other days and times that the context gives away, in its order."""
    found: list[times.When] = []
    for sentence in sentences(context):
        rest = _CONDITION.sub("", sentence)
        if (_OFFER.search(sentence) or rest != sentence or _either(sentence)) and not re.search(
            r"\bopen\b|\bhours\b", sentence
        ):
            found += [when for when in times.find(rest) if not when.vague or when.day in times.WEEKDAYS]
    return tuple(found)


@lru_cache(maxsize=512)
def answer(question: str, context: str, topic: str = "", before: str = "", alike: Alike = exactly) -> str:
    """The sentence that answers the question, word for word, or nothing.

    Args:
        topic: what the call is about ("the dental cleaning on Thursday"): "it" means that.
        before: the question before this one, for one that leans on it: "when are you open?", "and on Saturday?".
        alike: which other words count as the same.
    """
    asking = _Asking.read(question, topic, before)
    scored = [(_score(fact, asking, alike), fact.text) for fact in _facts(context)]
    best, text = max(scored, key=lambda found: found[0], default=(0.0, ""))
    return text if best > 0 else ""


def candidates(question: str, context: str) -> tuple[str, ...]:
    """The sentences that give the kind of answer asked for, whatever they are about."""
    asked = kinds_asked(question)
    days = frozenset(when.day for when in times.find(question))
    return tuple(fact.text for fact in _facts(context) if asked <= fact.kinds and fact.holds_on(days))


def vocabulary(context: str) -> tuple[str, ...]:
    """The sentences that may be quoted, and the words they are about."""
    facts = _facts(context)
    return tuple(dict.fromkeys((*(fact.text for fact in facts), *(word for fact in facts for word in fact.words))))


@dataclass(frozen=True, slots=True)
class _Asking:
    """A question, and what it may leave unsaid."""

    kinds: frozenset[str]
    wanted: dict[str, str]
    """The concepts that an answer must hold, with their words."""
    about: frozenset[str]
    """The concepts of the call's matter."""
    before: frozenset[str]
    days: frozenset[str]
    persons: frozenset[str]
    """Whom it is asked for: "can my son sign", "is there a lift for my mother"."""

    @classmethod
    def read(cls, question: str, topic: str, before: str) -> _Asking:
        kinds = kinds_asked(question) or (kinds_asked(before) if before else frozenset())
        days = frozenset(when.day for when in times.find(question) if when.day in times.WEEKDAYS)
        wanted = matter_words(question)
        persons = concepts(" ".join(_PERSONS.findall(question)))
        return cls(kinds, wanted, concepts(topic), matter(before) if before else frozenset(), days, persons)


_PERSONS = re.compile(
    r"\b(?:my|our) ((?:grand)?(?:son|daughter|child|kids?|children|wife|husband|partner|mother|father|mum|mom|dad)"
    r"|(?:friends?|neighbou?rs?|brother|sister|boyfriend|girlfriend|parents?|colleague|family|ma|pa))\b"
)


def _score(fact: Fact, asking: _Asking, alike: Alike) -> float:
    """How well the sentence answers; 0 if it leaves anything open."""
    asked, about, wanted = asking.kinds, asking.about, frozenset(asking.wanted)
    matched = frozenset(c for c, word in asking.wanted.items() if c in fact.concepts or alike(word, fact.words))
    neutral = fact.subject <= about | _GENERIC | (_PREMISES if "PLACE" in asked else frozenset())
    # Why something is so is told by a sentence about something else.
    neutral = neutral or "REASON" in asked & fact.kinds
    # The matter of the call need not be named again by a sentence about "it"; another's price is not its price.
    missing = wanted - matched - (about | _GENERIC if neutral or matched - about - _GENERIC else frozenset())
    if matched - _GENERIC:
        # "Can I bring my dog?" is answered by whatever is said of dogs.
        missing -= _ALLOWING if matched & fact.subject else frozenset()
        missing -= asking.persons if matched - _ALLOWING and len(fact.concepts) <= _BRIEF else frozenset()
    leant = asking.before & fact.concepts
    on_day = bool(asking.days & fact.days)
    known = bool(matched - _GENERIC or leant or (on_day and not wanted))
    if missing or not asked <= fact.kinds or not (asked or known) or (asked and not known and not neutral):
        return 0
    if (asking.before and not wanted and not leant and not on_day) or not fact.holds_on(asking.days):
        return 0
    return 1 + 2 * len(matched) + len(asked) + neutral + len(leant) + 2 * on_day - len(fact.concepts) / 50


@lru_cache(maxsize=64)
def _facts(context: str) -> tuple[Fact, ...]:
    return tuple(_fact(sentence) for sentence in sentences(context) if not _is_offer(sentence))


def _either(sentence: str) -> bool:
    """Whether it names several times to choose from."""
    fixed = [when for when in times.find(sentence) if not when.vague and when.day]
    return len(fixed) > 1 and bool(re.search(r"\bor\b", sentence))


def _is_offer(sentence: str) -> bool:
    """Alternatives are offered when another time is wanted; as an answer they would be mistaken for the appointment."""
    offering = bool(_OFFER.search(sentence) and times.find(sentence)) or _either(sentence)
    return offering and not re.search(r"\bopen\b", sentence)


def _fact(sentence: str) -> Fact:
    verb = _SUBJECT_END.search(sentence)
    subject = "" if _NEUTRAL.match(sentence) else sentence[: verb.start()] if verb else ""
    days = frozenset(when.day for when in times.find(sentence) if when.day in times.WEEKDAYS)
    held = concept_words(_STREET.sub(" ", sentence))
    if re.search(r"\bopen\b.* (?:until|till|to) ", sentence):
        held.setdefault("close", "close")
    return Fact(sentence, frozenset(held), tuple(held.values()), kinds_given(sentence), days, concepts(subject))
