"""What the agent itself was just saying, and what that makes of the words heard over it: a question makes a "yes" an
answer, and words that are the agent's own are an echo. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from backend.call.words.short_words import wants_floor, words

# --- a question ---------------------------------------------------------------------------------------------------

_REQUEST = re.compile(
    r"\b(tell me|let me know|may i ask|please (tell|give|spell|repeat|confirm|say|choose)|"
    r"(could|can|would) you (please )?(tell|give|spell|repeat|confirm|say)|i(['’]d| would) (like|love|need) to know|"
    r"i need to know|i was wondering|i wanted to ask|i have a question)\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"^\W*((and|so|but|or|okay|great|now|well|then|also|sorry),? )*"
    r"((do|does|did|is|are|was|were|will|would|could|can|should|shall|may|have|has) \w+|isn['’]t|aren['’]t|don['’]t|"
    # Not "what we have on our list is ..." nor "when you come ...": in a question the verb comes first.
    r"(what|which|when|where|who|why|how) (?!(i|we|you|he|she|they|it|the|this|that)\b)(\w+ ){0,2}"
    r"(is|are|was|were|do|does|did|can|could|will|would|should|shall|may|about|works?|suits?|have|has))\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?![a-z])")
_TITLE = re.compile(r"\b(dr|mr|mrs|ms|prof|st|[a-z])\.$", re.IGNORECASE)
_JUST_ASKED = 4
"""Words the agent may have said since its question ended: nobody answers within a word."""
_RECENT = 400
"""Characters in which the last two sentences are looked for."""
_CLEAR_BY = 4
"""From this word on a question can be answered before its end is heard: "Does Thursday still work | for you?" """


def asks(heard: str) -> bool:
    """Whether the agent's words, as far as they were heard, have just asked the callee something.

    They have if the last sentence heard is a question or a request to tell something ("let me know"), if one ended
    within the last four words, or if a question has been heard so far that its end can be guessed.
    """
    sentences = [sentence for sentence in _sentences(heard[-_RECENT:]) if words(sentence)]
    if not sentences:
        return False
    last, spoken = sentences[-1], len(words(sentences[-1]))
    if _asked(last) or (not last.endswith((".", "!", "…")) and spoken >= _CLEAR_BY and bool(_ASKING.match(last))):
        return True
    return len(sentences) > 1 and spoken <= _JUST_ASKED and _asked(sentences[-2])


def _asked(sentence: str) -> bool:
    """Whether this is a question or request that has ended."""
    ended = sentence.rstrip("\"'”’) ")
    return ended.endswith("?") or (ended.endswith((".", "!", ":")) and bool(_REQUEST.search(ended)))


def _sentences(text: str) -> list[str]:
    found, start = [], 0
    for end in _BREAK.finditer(text):
        if not _TITLE.search(text[max(0, end.start() - 6) : end.start()]):
            found.append(text[start : end.start()])
            start = end.end()
    return [*found, text[start:].strip()]


# --- an echo ------------------------------------------------------------------------------------------------------

_FIGURES = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {
    word: str(number)
    for number, word in zip(range(30, 100, 10), "thirty forty fifty sixty seventy eighty ninety".split(), strict=True)
} | {
    word: str(number)
    for number, word in enumerate(
        "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
        "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split()
    )
} | {"oh": "0", "o": "0", "thirtieth": "30"}  # fmt: skip
_UNSPOKEN = frozenset("o'clock dollars dollar hundred thousand percent and".split())
"""Written or not, as the recogniser likes: "$45" and "forty five dollars"."""
_SPELLED_OUT = {"i'm": "i am", "it's": "it is", "that's": "that is", "you're": "you are", "we're": "we are",
    "i'd": "i would", "i'll": "i will", "we'll": "we will", "don't": "do not", "can't": "can not", "cannot": "can not",
    "doctor": "dr", "mister": "mr", "missus": "mrs", "street": "st", "okay": "ok", "alright": "all right"}  # fmt: skip
_THEIRS = frozenset("i my me mine we our us yes yeah yep no not nope ok sure thanks".split())
"""Where the agent said no such word, they are the callee's own: "my appointment" is not "your appointment" misheard."""
_EXACT = 2
"""Up to so many words must be the agent's own exactly: two are easily said by anybody."""
_LONGEST = 25
"""Words of a text that are compared one by one, the last ones; an echo is heard while it sounds."""


def echoes(text: str, ours: str) -> bool:
    """Whether these words are only the agent's own, come back from a loudspeaker.

    They are where they stand in `ours` one after the other. Of five words one may be misheard, left out or added, and
    endings and the writing of numbers do not count; one or two words must be there exactly. With a word that demands
    the floor ("wait"), or says yes, no or "I", and is not the agent's, it is never an echo.

    Args:
        ours: what the agent said in the last seconds, at most a few sentences, as planned or as heard.
    """
    theirs, own = _normal(text), _normal(ours)
    if not theirs or not own:
        return False
    if len(theirs) <= _EXACT:
        return any(own[at : at + len(theirs)] == theirs for at in range(len(own)))
    foreign = set(theirs).difference(own)
    if not _THEIRS.isdisjoint(foreign) or any(wants_floor(word) for word in foreign):
        return False
    latest = theirs[-_LONGEST:]
    return _distance(latest, own) <= len(latest) // 5


def apart(text: str, ours: str, growing: bool = False) -> str:
    """These words without the agent's own: what the callee said between its echo.

    The agent's are runs of two and more, and a single word at either end, of which the rest may not have been
    recognised; but not where it is a word that anybody says for themselves: "not okay".

    Args:
        growing: the last word may be the first of a run, whichever it is.
    """
    theirs, own = text.split(), words(ours)
    pairs, said = set(pairwise(own)), words(text)
    if not said or len(said) != len(theirs):
        return text
    echoed = [pair in pairs for pair in pairwise(said)]
    first, last = (word in own and word not in _THEIRS and not wants_floor(word) for word in (said[0], said[-1]))
    begins = growing and len(said) > 1 and said[-1] in own
    kept = zip(theirs, [first, *echoed], [*echoed, last or begins], strict=True)
    return " ".join(word for word, before, after in kept if not (before or after))


def _distance(theirs: Sequence[str], own: Sequence[str]) -> int:
    """Fewest words to change, add or leave out so that `theirs` is a run of `own` (edit distance, free at its ends)."""
    row = list(range(len(theirs) + 1))
    best = row[-1]
    for word in own:
        diagonal, row[0] = row[0], 0
        for at, other in enumerate(theirs, 1):
            changed = diagonal + (not _alike(word, other, last=at == len(theirs)))
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, changed)
        best = min(best, row[-1])
    return best


@lru_cache(4096)
def _alike(own: str, heard: str, last: bool) -> bool:
    """Whether this can be one word: the same stem, one letter apart if it is long, or broken off at the end."""
    if own == heard:
        return True
    if own[0] != heard[0] or own.isdigit() or heard.isdigit():
        return False
    if last and len(heard) >= 3 and own.startswith(heard):
        return True
    return _stem(own) == _stem(heard) or (min(len(own), len(heard)) >= 5 and _one_apart(own, heard))


@lru_cache(4096)
def _stem(word: str) -> str:
    return re.sub(r"(?<=\w{3})('s|s|es|ed|d|ing|ly)$", "", word)


def _one_apart(one: str, other: str) -> bool:
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[start + (len(one) == len(other)) :] == other[start + 1 :]


def _normal(text: str) -> list[str]:
    """The words, as if spoken: numbers in small figures, short forms spelled out."""
    found: list[str] = []
    for word in words(re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text.lower()).replace("-", " ")):
        for part in _SPELLED_OUT.get(word, word).split():
            found += _figures(part) if any(map(str.isdigit, part)) else [_FIGURES.get(part, part)]
    return [word for word in found if word not in _UNSPOKEN]


def _figures(word: str) -> list[str]:
    """ "2:30" as 2, 30; "23rd" as 20, 3; "555" digit by digit; "4pm" as 4, pm."""
    found: list[str] = []
    for digits, letters in re.findall(r"(\d+)|([a-z]+)", re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", word)):
        if letters:
            found.append(letters)
        elif len(digits) > 2 or digits.startswith("0"):
            found += list(digits)
        else:
            tens, ones = divmod(int(digits), 10)
            found += [digits.lstrip("0") or "0"] if tens < 2 or not ones else [str(tens * 10), str(ones)]
    return found
