"""What may be said about a call's matter: answers to the callee's questions, quoted from the brief, or none. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from backend.brain import retrieval
from backend.brain.concepts import kinds_asked, kinds_given, matter
from backend.brain.errand import Goal
from backend.brain.intents import Meaning
from backend.brain.retrieval import Alike, exactly
from backend.brain.sense import Sense
from backend.brain.times import find
from backend.models import Brief

_MOST = 3
"""Questions of one turn that are answered; nobody remembers more sentences in a row."""
_SHORT = 4
"""Words of a question that leaves its subject unsaid: "and for how long"."""
_AMOUNT = re.compile(r"[$€£]\s?\d[\d,.]*\d|[$€£]\s?\d|\d[\d,.]* (?:dollars|euros|pounds|cents)", re.IGNORECASE)
_FRAGMENT = re.compile(
    r"(?:(?:okay|right|alright|yes|yeah|great|good|fine|thanks|thank you|i see|well|so|hm|mm) (?:[.] )?)*"
    r"(?:and|or|also|what about|how about|and what about|and how about) "
    r"(?!(?:i|i'm|i'd|i'll|we|we're|we'll|you|he|she|it's|that's|this|yes|no|not|then|thanks|bye|if|let's|so|but)\b)"
    r"(?P<rest>\S+(?: \S+){0,5})"
)


def _on_its_day(question: str, text: str) -> bool:
    """Whether the text speaks of a day that the question asks about."""
    return bool({when.day for when in find(question) if when.day} & {when.day for when in find(text)})


_POINTING = re.compile(r"\b(?:that|this|those|again)\b|^and\b")


@dataclass(frozen=True)
class Knowledge:
    """All that one call's brief allows to be said."""

    brief: Brief
    goals: tuple[Goal, ...]
    sense: Sense | None = None
    """Finds what the rules do not, if there is one."""

    def leaning(self, meaning: Meaning, before: str, last: str, choosing: bool) -> str:
        """The question in a turn that only makes sense after the question before: "and on Saturday?".

        Args:
            choosing: whether a time is being looked for, so that one may also be a wish.
        """
        fragment = _FRAGMENT.fullmatch(meaning.words.strip(" .?"))
        if not before or meaning.questions or not fragment:
            return ""
        rest = fragment["rest"]
        return "" if choosing and find(rest) and not self.answer(rest, before, last) else rest

    def answers(self, questions: tuple[str, ...], before: str, last: str, known: str) -> Iterator[tuple[str, str]]:
        """Each question with its answer, or with nothing; each may lean on the one before it.

        Args:
            before: the callee's question before these.
            last: the agent's last words, which "that" may mean.
            known: what the operator adds as fact.
        """
        for question in questions[:_MOST]:
            yield question, self.answer(question, before, last, known)
            before = question

    def answer(self, question: str, before: str = "", last: str = "", known: str = "") -> str:
        """The sentence that answers this question, or nothing."""
        pointed = self._pointed(question, last) if _POINTING.search(question) else ""
        return pointed or self._found(question, before, known, exactly) or self._sensed(question, before, known)

    def _sensed(self, question: str, before: str, known: str) -> str:
        """By likeness: word for word, or as a whole where nothing is known of the words."""
        if self.sense is None:
            return ""
        found = self._found(question, before, known, self.sense.alike)
        if found or not matter(question):
            return found
        return self.sense.nearest(question, retrieval.candidates(question, self._facts))

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """What answers consist of, for whoever gets ready to compare it with questions."""
        return retrieval.vocabulary(self._facts)

    def _found(self, question: str, before: str, known: str, alike: Alike) -> str:
        texts = self._texts(known, bool(kinds_asked(question)))
        leanings = (before, "") if before and self._leans(question) else ("",)
        found = [retrieval.answer(question, text, self._topic, lean, alike) for lean in leanings for text in texts]
        return next((text for text in found if text and _on_its_day(question, text)), next(filter(None, found), ""))

    def _leans(self, question: str) -> bool:
        """Whether it does not say itself what kind of answer it asks for, or about what."""
        return not kinds_asked(question) or (not matter(question) and len(question.split()) <= _SHORT)

    def _pointed(self, question: str, last: str) -> str:
        """The sentence just said that holds what is asked about "that"."""
        asked = kinds_asked(question)
        if not asked or matter(question) - matter(last):
            return ""
        facts = retrieval.sentences(self._facts)
        said = [text for text in retrieval.sentences(last) if text in facts and asked <= kinds_given(text)]
        return said[-1] if said else ""

    def _texts(self, known: str, kinds: bool) -> tuple[str, ...]:
        # What the call is for is told already; it answers only what the context leaves open.
        told = "\n".join(goal.statement for goal in self.goals)
        # To put the question again would be no answer to what its price is.
        amounts = [amount for goal in self.goals if not goal.statement for amount in _AMOUNT.findall(goal.question)]
        asked = "\n".join(f"It's {amount}." for amount in amounts) if kinds else ""
        return tuple(filter(None, (f"{known}\n{self._facts}", told, asked)))

    @cached_property
    def _facts(self) -> str:
        return "\n".join((self.brief.context, *(f"It's {goal.when.text}." for goal in self.goals if goal.when)))

    @cached_property
    def _topic(self) -> str:
        return " ".join((self.brief.organization, *(goal.topic for goal in self.goals)))
