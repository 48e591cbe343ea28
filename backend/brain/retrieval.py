"""Which sentence of the context answers a question. Pure; it quotes, and says nothing when no sentence fits.

A sentence answers only if it holds everything that the question is about, and the kind of answer it asks for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from backend.brain import times
from backend.brain.concepts import concepts, kinds_asked, kinds_given, matter

_GENERIC = frozenset(
    {"appointment", "visit", "meeting", "booking", "session", "order", "event", "service", "job", "work"}
)
_PREMISES = frozenset(
    {"clinic", "office", "practice", "garage", "shop", "store", "school", "library", "restaurant", "studio", "venue"}
    | {"entrance", "building", "address", "house", "flat", "apartment", "center", "centre", "workshop", "salon"}
)
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


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence that may be said, and what it is about."""

    text: str
    concepts: frozenset[str]
    kinds: frozenset[str]
    subject: frozenset[str]
    """The concepts it speaks of first; empty for "it takes ...", "please bring ..." and the like."""


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
        if (_OFFER.search(sentence) or rest != sentence) and not re.search(r"\bopen\b|\bhours\b", sentence):
            found += [when for when in times.find(rest) if not when.vague or when.day in times.WEEKDAYS]
    return tuple(found)


@lru_cache(maxsize=512)
def answer(question: str, context: str, topic: str = "") -> str:
    """The sentence that answers the question, word for word, or nothing.

    `topic` is what the call is about ("the dental cleaning on Thursday"): "it" means that.
    """
    about = concepts(topic)
    asked, wanted = kinds_asked(question), matter(question)
    scored = [(_score(fact, asked, wanted, about), fact.text) for fact in _facts(context)]
    best, text = max(scored, key=lambda found: found[0], default=(0.0, ""))
    return text if best > 0 else ""


def _score(fact: Fact, asked: frozenset[str], wanted: frozenset[str], about: frozenset[str]) -> float:
    """How well the sentence answers; 0 if it leaves anything open."""
    matched = wanted & fact.concepts
    neutral = fact.subject <= about | _GENERIC | (_PREMISES if "PLACE" in asked else frozenset())
    # The matter of the call need not be named again by a sentence about "it"; another's price is not its price.
    missing = wanted - matched - (about | _GENERIC if neutral or matched - about - _GENERIC else frozenset())
    if missing or not asked <= fact.kinds or not (asked or matched - _GENERIC):
        return 0
    if asked and not matched - _GENERIC and not neutral:
        return 0
    return 1 + 2 * len(matched) + len(asked) + neutral - len(fact.concepts) / 50


@lru_cache(maxsize=64)
def _facts(context: str) -> tuple[Fact, ...]:
    return tuple(_fact(sentence) for sentence in sentences(context) if not _is_offer(sentence))


def _is_offer(sentence: str) -> bool:
    """Alternatives are offered when another time is wanted; as an answer they would be mistaken for the appointment."""
    return bool(_OFFER.search(sentence) and times.find(sentence) and not re.search(r"\bopen\b", sentence))


def _fact(sentence: str) -> Fact:
    verb = _SUBJECT_END.search(sentence)
    subject = "" if _NEUTRAL.match(sentence) else sentence[: verb.start()] if verb else ""
    return Fact(sentence, concepts(sentence), kinds_given(sentence), concepts(subject))
