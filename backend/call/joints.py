"""Where a sentence may be parted so that it still sounds spoken in one go: pure questions about two sides of a blank.

Each takes the text before the blank and after it. What belongs together is never parted: names and titles, numbers of
any kind, dates, clock times, street addresses, spelled letters.
"""

from __future__ import annotations

import re

_CONJUNCTIONS = frozenset(
    "and but so because or which that if when while who where unless until although though since before after".split()
)
_PREPOSITIONS = frozenset("for with about to from in on by during without through regarding".split())
_CLINGING = frozenset(
    "a an the my your our his her their its this these those that which who whose what of to for with in on at by from "
    "into than as and or but nor so because if when while where until since before after about around between "
    "is are was were am be been being do does did have has had can could will would shall should may might must "
    "i'm you're we're they're he's she's it's that's there's i'll you'll we'll i'd you'd we'd i've you've we've let's "
    "not no very really just also only each every more most some any such out up off "
    "behind near inside over under within i you he she we they mr mrs ms dr prof st no number dot at slash underscore "
    "hyphen dash point plus".split()
)
"""A piece does not end with one of these: each leans on the word after it."""
_CATENATIVES = frozenset(
    "want wants wanted need needs needed like love going have has had able used ought got try tried trying hope hoping "
    "happy glad here how what where when ready next due according thanks up back".split()
)
""" "like to" and "going to" are spoken as one."""
_NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million half quarter "
    "oh double triple noon midnight first second third fourth fifth sixth seventh eighth ninth tenth".split()
)
_AFTER_NUMBER = frozenset("on with because but so if which that when while who where for".split())
"""After a number only these begin something new: "ten to five" and "one hundred and two" are one."""
_MONTHS = frozenset(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_DAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())
_SOON = _DAYS | {"today", "tomorrow"}
_SUFFIXES = frozenset("jr sr md phd dds inc llc ltd esq ii iii".split())
_CLOCK = re.compile(r"[ap]\.?m\.?", re.IGNORECASE)
_BARE = ".,;:!?\"'“”’()"


def before_conjunction(before: str, after: str) -> bool:
    """Whether a new clause begins here: "... on Thursday | because the doctor is away"."""
    return _breathes(before, after, _CONJUNCTIONS)


def before_preposition(before: str, after: str) -> bool:
    """Whether a new part of the clause begins here: "I'm calling from the clinic | about your visit"."""
    last, word = _last(before), _first(after)
    if word == "to" and (_bare(last) in _CATENATIVES or re.match(r"to \d", after)):
        return False
    if word == "at":
        # Elsewhere it may be the middle of a spoken e-mail address.
        return _bare(last) in _SOON
    return _breathes(before, after, _PREPOSITIONS)


def between_words(before: str, after: str) -> bool:
    """Whether these words can be parted at all, where nothing better was found."""
    last, word = _last(before), (after.split() or [""])[0]
    if not last or not word or _is_number(last) or _is_number(word) or _bare(last) in _CLINGING:
        return False
    if _bare(last) in _DAYS | _MONTHS and _bare(word) in _MONTHS | {"the"}:
        return False
    named = last[:1].isupper() and (word.lstrip("\"'“‘(")[:1].isupper() or word in {"and", "or", "of", "&"})
    return not (named or last.endswith(".") or _CLOCK.fullmatch(word.strip(",!?")) or _bare(word) in {"at", "dot"})


def parts_clause(before: str, after: str) -> bool | None:
    """Whether the comma, colon or dash between these is a pause, and not part of a date, number or name.

    None: the next word must be seen first.
    """
    last = _last(before)
    if not (_is_number(last) or last[:1].isupper() or _bare(last) in _MONTHS):
        return True
    found = re.match(r"\s*(\S+)(\s)", after)
    if found is None:
        return None
    return not _belong_together(last, found[1])


def _belong_together(last: str, word: str) -> bool:
    bare, following = _bare(last), _bare(word)
    if _is_number(last) and _is_number(word):
        return True
    if bare in _DAYS and (following in _MONTHS or following == "the"):
        return True
    state = len(following) == 2 and word.rstrip(_BARE).isupper()
    return following.replace(".", "") in _SUFFIXES or (last[:1].isupper() and (state or _is_number(word)))


def _breathes(before: str, after: str, openers: frozenset[str]) -> bool:
    last, word = _last(before), _first(after)
    if word not in openers or not last or _bare(last) in _CLINGING:
        return False
    if _is_number(last):
        return word in _AFTER_NUMBER
    # "Johnson and Sons", "Smith or Jones"
    return not (word in {"and", "or"} and last[:1].isupper())


def _last(before: str) -> str:
    return (before.split() or [""])[-1]


def _first(after: str) -> str:
    """The first word, if it is known to be over and no punctuation hangs on it."""
    found = re.match(r"(\S+)\s", after)
    return found[1].lower() if found else ""


def _bare(word: str) -> str:
    return word.strip(_BARE).lower().replace("’", "'")


def _is_number(word: str) -> bool:
    """A figure, a number word, or a letter that is being spelled."""
    bare = _bare(word)
    letter = len(bare) == 1 and bare.isalpha() and bare not in {"a", "i"}
    numeral = any(map(str.isdigit, bare)) or bare.split("-")[0] in _NUMBER_WORDS
    return numeral or letter or (bare == "no" and word.endswith("."))
