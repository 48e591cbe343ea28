"""Names in a sentence, told by its own shape: words that are capitalised where nothing else asks for it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from backend.call.grounding.facts.amounts import Speech

TITLES = {"dr": "doctor", "doctor": "doctor", "prof": "professor", "professor": "professor"}
"""Titles that not everybody has."""
_POLITE = frozenset("mr mister mrs ms miss mx sir madam ma'am".split())
_ABBREVIATED = frozenset((*TITLES, *_POLITE, "st", "ave", "rd", "blvd", "inc", "ltd", "co", "no", "jr", "sr"))
_ORDINARY = frozenset(
    "i ai ok okay tv pin id sms pdf asap fyi faq am pm uk us usa eu god lord internet web wi fi wifi email e-mail "
    "english spanish french german italian portuguese dutch polish russian turkish arabic chinese mandarin cantonese "
    "japanese korean hindi urdu vietnamese greek hebrew swedish danish norwegian finnish ukrainian czech "
    "american british european oh yes no yeah well so hello hi hey thanks thank please sorry sure great good "
    "the a an and or but if to at on in of for from with by is are was be will would can could do does did may might "
    "we you he she it they my your our their his her this that these those there here what when where who which how "
    "why not just let as than then too also one dr mr mrs ms".split()
)
"""Capitalised in the middle of a sentence without being a name, or after a dash."""
_ACTING = frozenset(
    "come comes call calls see help helps meet join ring bring brings answer answers know knows said says told called "
    "mentioned asked thinks wants speak take".split()
)
"""What only people do."""
_MODALS = frozenset("will can could would".split())
_SOMEBODY = frozenset(
    "someone somebody everyone everybody nobody anyone anybody people none both all another others something nothing "
    "everything whoever management support staff reception security parking maybe please unfortunately then again "
    "yourself myself customers somebody's".split()
)
_STARTERS = frozenset(
    "has have had shall should must were been being when while since because though although perhaps dear perfect "
    "wonderful ask call tell give see meet after before until about under over near next both either neither every "
    "each some any only even instead say like bring contact reach email visit try take am its until till once only "
    "welcome speak goodbye bye happy merry today tomorrow during without between around behind beside right again "
    "lovely fine nice alright absolutely pleased glad yep nope sounds looks does did".split()
)
"""Words that begin a sentence, also before a name."""
_PLURALS = ("ers", "ors", "ists", "ians", "ants", "ues", "ees")
_GREETED = frozenset(("happy", "merry"))


@dataclass(frozen=True, slots=True)
class Name:
    """Capitalised words that stand together."""

    words: tuple[str, ...]
    """In lower case; a title in full."""
    start: int
    end: int
    opening: str = ""
    """The word before them that begins the sentence, where it may be one of them."""


def names(speech: Speech, taken: Collection[int], begins: bool = True) -> Iterator[Name]:
    """Every name but those at the beginning of a sentence, where any word is capitalised.

    Args:
        taken: places of words that are something else, such as a weekday.
        begins: whether the text begins a sentence.
    """
    run: list[int] = []
    for place in range(len(speech.words)):
        if run and not _joined(speech, place):
            yield from _named(speech, run)
            run = []
        if place not in taken and _is_name(speech, place, begins):
            run.append(place)
        elif run:
            yield from _named(speech, run)
            run = []
    yield from _named(speech, run)


def _named(speech: Speech, run: list[int]) -> Iterator[Name]:
    if run and not all(speech.low(place) in TITLES or speech.low(place) in _POLITE for place in run):
        lows = (speech.low(place) for place in run if speech.low(place) not in _POLITE)
        words = tuple(TITLES.get(low, low) for low in lows)
        opening = speech.low(run[0] - 1) if _may_open(speech, run[0]) else ""
        yield Name(words, speech.words[run[0]].start, speech.words[run[-1]].end, opening)


def _may_open(speech: Speech, place: int) -> bool:
    """Whether the word before is the first name of "Wes Jenkins did it"."""
    if place == 0 or speech.gap(place) != " " or speech.low(place) in TITLES or speech.low(place) in _POLITE:
        return False
    low = speech.low(place - 1)
    usual = low in _ORDINARY or low in _STARTERS or low in _SOMEBODY or low.endswith(("ly", "ing"))
    return speech.words[place - 1].capital and low.isalpha() and not usual


def _is_name(speech: Speech, place: int, begins: bool) -> bool:
    word, low = speech.words[place], speech.low(place)
    if not word.capital:
        return False
    if low in TITLES or low in _POLITE:
        return place + 1 < len(speech.words) and speech.words[place + 1].capital
    if low in _ORDINARY or low.startswith(("i'", "o'")) or speech.low(place - 1) in _GREETED:
        return False
    return not _begins_sentence(speech, place, begins) or _acts(speech, place)


def _acts(speech: Speech, place: int) -> bool:
    """Whether the first word of a sentence does what only people do: "Carlos will come"."""
    low, after = speech.low(place), speech.low(place + 1)
    if low in _SOMEBODY or low.endswith(_PLURALS) or low.endswith(("ly", "'ll", "'re", "ing")) or "'" in low:
        return False
    if not speech.tight(place + 1):
        return False
    return after in ("said", "says", "told") or (after in _MODALS and speech.low(place + 2) in _ACTING)


def _joined(speech: Speech, place: int) -> bool:
    gap = speech.gap(place)
    return gap in (" ", "-", "'", " & ", "’") or (gap == ". " and speech.low(place - 1) in _ABBREVIATED)


def _begins_sentence(speech: Speech, place: int, begins: bool) -> bool:
    gap, before = speech.gap(place), speech.low(place - 1)
    if place == 0:
        return begins
    half_of_day = before == "m" and speech.low(place - 2) in ("a", "p")
    if "." in gap and (before in _ABBREVIATED or (len(before) == 1 and before.isalpha() and not half_of_day)):
        return False
    return any(mark in gap for mark in '.!?…:"“”(\n') or gap.strip() in ("-", "–", "—")
