"""What is nobody's business but the callee's, and whether the callee has said who is speaking. Pure."""

from __future__ import annotations

import re

from backend.brain.intents import Intent, Meaning
from backend.models import Brief, Direction

_PRIVATE = re.compile(
    # money owed or held
    r"\b(?:payments?|overdue|arrears|debts?|loans?|mortgage|instal?ments?|balance|bills?|invoices?|owes?|owed|owing"
    r"|account|credit|overdraft|collections?|salary|wages|bankrupt\w*|insolven\w*|rent (?:is|was|for)"
    # health
    r"|results?|diagnos\w+|biops\w+|blood|scan|x-?ray|mri|test(?:s|ed)?(?! drive)|prescriptions?|medication|medicine"
    r"|therapy|treatment|pregnan\w+|surgery|operation|psych\w+|counsell?ing|vaccin\w+|hiv"
    # law and work
    r"|court|lawsuit|lawyer|solicitor|legal|police|probation|custody|divorce|dismissal|warning letter|eviction"
    r"|application|background check)\b",
    re.IGNORECASE,
)
_IS = r"(?:this is|it's|it is|i'm|i am|you're (?:speaking|talking) (?:to|with)|speaking with)"


def private(brief: Brief) -> bool:
    """Whether the matter may be told to nobody but the callee; that takes a name to ask for."""
    outgoing = brief.direction is Direction.OUTBOUND
    return outgoing and bool(brief.callee_name.strip()) and bool(_PRIVATE.search(brief.action))


def names_itself(meaning: Meaning, name: str) -> bool:
    """Whether the words say in so many words that the person of this name is speaking.

    A surname alone is shared by a household, so it takes the given name, or the title that the callee goes by.
    """
    own = _own(name)
    if re.search(rf"\b(?:not|for|his|her) (?:{own})\b", meaning.words) or _ANOTHER.search(meaning.words):
        return False
    if re.search(rf"\b{_IS} (?:\w+ )?(?:{own})\b(?!'s)", meaning.words):
        return True
    if re.search(rf"(?<!no )\b(?:{own})(?: (?!is|isn't|not|ain't)\w+)? (?:here|speaking)\b", meaning.words):
        return True
    return bool(_SPEAKING.search(f"{meaning.words} ")) and Intent.WRONG_PERSON not in meaning


def affirms(meaning: Meaning) -> bool:
    """Whether "am I speaking with ..." is answered with more than a hum or an "okay", and not by somebody else."""
    return bool(_AFFIRMS.search(meaning.words)) and not _ANOTHER.search(meaning.words)


_AFFIRMS = re.compile(r"\b(?:yes|yeah|yep|yup|ya|correct|right|indeed|sure|it is|i am|this is|speaking|that's)\b")
_ANOTHER = re.compile(r"\b(?:(?:i'm|i am|this is|it's|speaking) (?:\w+ )?(?:his|her|their)|on (?:his|her) behalf)\b")
_SPEAKING = re.compile(
    r"(?:^|[.?] |(?<=yes )|(?<=yeah )|(?<=yep )|(?<=hello )|(?<=hi ))(?:speaking|this is (?:he|she|him|her|me)|it's me"
    r"|that's me|that would be me|that is me|you're speaking (?:to|with) (?:him|her)|you got (?:him|her)) "
)
_TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "madam"}


def _own(name: str) -> str:
    """What only the person of this name goes by, as a pattern."""
    words = [re.escape(word.strip(".,").lower()) for word in name.split() if word.strip(".,")]
    titles, names = [word for word in words if word in _TITLES], [word for word in words if word not in _TITLES]
    ways = names[:1] if len(names) > 1 or not titles else []
    ways += [rf"{title} (?:\w+ )?{names[-1]}" for title in titles if names]
    return "|".join(ways) or "$."
