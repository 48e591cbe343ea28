"""What a caller's turn wants from whoever listens: a coarse, pure reading that any way of speaking falls into."""

from __future__ import annotations

import re
from enum import StrEnum

from backend.brain.times import find


class Wish(StrEnum):
    MOMENT = "asks for a moment"
    WHO = "asks who is speaking"
    MANNERS = "asks how one is"
    BUSINESS = "states the matter, asks about it, offers something"
    WHEN = "asks for a time of one's own"
    DETAIL = "asks for something that only the callee knows"
    MORE = "asks whether there is anything else"
    PRESENT = "asks whether anyone is there"
    REPEAT = "asks to hear it again"
    HOLD = "wants a moment itself"
    NOTHING = "needs no answer"
    GOODBYE = "says goodbye"


def wish_of(turn: str) -> Wish:
    """Its last question decides, or without one its last two sentences. What is unlike anything else is business."""
    turn = turn.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").strip()
    words = re.findall(r"[\w']+", turn.lower())
    if not words or (len(words) <= 5 and _POLITE.issuperset(words)) or _INTRODUCTION.fullmatch(turn):
        return Wish.NOTHING
    sentences = _SENTENCE_END.split(turn)
    end = sentences[-1] if _asks(turn) else " ".join(sentences[-2:])
    wish = next((wish for wish, pattern in _WISHES.items() if pattern.search(end)), Wish.BUSINESS)
    if wish is Wish.WHEN and (_offers_choice(turn) or not (_asks(turn) or _TELL_ME.search(end))):
        return Wish.BUSINESS
    return wish


def named_time(turn: str) -> str:
    """The words of the first time in the last part of the turn that names one and does not deny it; else empty."""
    for part in reversed(_PART_END.split(turn)):
        times = [time.text for time in find(part) if time.day or time.date or time.clock is not None]
        if times and not _DENIES.search(part):
            # The full stop of "3 PM." ends the sentence; that of "3 p.m." is a part of it.
            return times[0].rstrip(".") if times[0].count(".") == 1 else times[0]
    return ""


def _asks(turn: str) -> bool:
    return turn.endswith("?")


def _offers_choice(turn: str) -> bool:
    return len(find(turn)) > 1 and _CHOICE.search(turn) is not None


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_PART_END = re.compile(r"(?<=[.?!;])\s+|,?\s+(?=(?:but|so|how about|what about|would|could|can) )", re.IGNORECASE)
_DENIES = _any_of(r"\b(not|no|unfortunately|afraid|sorry)\b", r"n't\b")
# Who says no more than their name has not come to the point yet, even if they pause.
_INTRODUCTION = _any_of(
    r"(?:(?:hi|hello|hey|good \w+)\b[^.?!]*[,.] )?this is [^.?!]*\bcalling"
    r"(?: (?:for|from|on behalf of) (?-i:[A-Z])[^.?!,]*)?[.]?"
)
_TELL_ME = _any_of(r"\blet me know\b", r"\btell me\b")
_CHOICE = _any_of(r"\b(or|which|either)\b")
_POLITE = frozenset(
    "okay ok great perfect sure alright all right good excellent wonderful lovely fine thanks thank you so very much"
    " got it i see yes mm mhm hm uh huh oh ah understood certainly of course no problem".split()
)

# In order: the first that fits. Moonshine and Deepgram both write the question marks that some of these rely on.
_WISHES = {
    Wish.GOODBYE: _any_of(
        r"\bgood-? ?bye\b|\bbye\b|\btake care\b(?! of)",
        r"\b(talk to|speak to|see) you\b",
        r"\bfor your time( today)?[.!]*$",
        r"\b(have|enjoy) (an? |the |your )?((very|great|good|nice|lovely|wonderful|pleasant|fantastic|amazing) )*"
        r"(rest of (your|the) )?(day|one|evening|afternoon|morning|night|week|weekend)[.!]*$",
        r"\b(have|enjoy) an? (great|good|nice|lovely|wonderful) (day|one|evening|afternoon|week|weekend)\b",
    ),
    Wish.PRESENT: _any_of(
        r"\byou (still )?(there|with me|on the line)\b",
        r"\byou (still )?hear me\b",
        r"\banyone there\b",
        r"^hello\??$",
    ),
    Wish.REPEAT: _any_of(
        r"\byou (please |just )*(repeat|say (that|it)|go over that)\b",
        r"\bsay (that|it) again\b",
        r"\b(didn't|did not|couldn't) (quite )?(catch|hear|get|understand)( \w+)*[.!]*$",
        r"\bpardon\b",
    ),
    Wish.MORE: _any_of(
        r"\b(any|some)thing else\b",
        r"\b(any|other|more|further) (other |more |further )?questions\b",
    ),
    Wish.WHEN: _any_of(
        r"(?<!\w)((what|which)( \w+)? (days?|times?|date|slot)|when) (\w+ )*"
        r"(would|could|can|is|are|should|works?|suits?|do|does|might|will|you)\b",
        r"\bwhat (would|works|suits|might)\b",
        r"\b(better|another|different) (day|time)\b",
        r"\bgood time (for me )?to (call|reach|try)\b",
        r"\byou prefer\b",
    ),
    Wish.MOMENT: _any_of(
        r"\b(a|another) ((quick|short|brief|spare|free|few|couple of|little) )*(moment|minutes?|seconds?|sec)\b[^.]*\?",
        r"\bis (now|this|it) (still )?an? (good|okay|ok|convenient|bad|fine)\b",
        r"\bdo you have a (quick|short|brief|spare|free)\b",
        r"\b(good|bad|convenient) time\b",
        r"\b(can|could) (you|we) (talk|speak)\b",
        r"\btime (right now|to talk)\b|\bcaught you\b|\bspare\b",
    ),
    Wish.WHO: _any_of(
        r"\b(speaking|talking) (with|to)\b|\bwho am i\b",
        r"\b(may|can|could) i (please )?(speak|talk) (with|to)\b",
        r"\btrying to reach\b|\bis that you\b",
        r"\bis this (?-i:[A-Z])",
    ),
    Wish.MANNERS: _any_of(r"\bhow are you\b|\bhow('s| is) (it going|your day|everything)\b|\bhow have you been\b"),
    Wish.DETAIL: _any_of(
        r"(?<!\w)(what('s| is| are| was| kind| sort)|where|whose|why|how (many|much|old|long|often|do|did|can))\b.*\?",
        r"\btell me (?!if|whether)[^.]*\?",
        r"\byour (full |last |first )?(name|date of birth|birthday|address|e-?mail|number|card)\b.*\?",
    ),
    Wish.HOLD: _any_of(
        r"\b(one|just a|a) (quick )?(moment|second|minute)\b",
        r"\blet me (just )?(check|look|see|pull|think)\b",
        r"\b(bear with me|hold on|hang on)\b",
    ),
}
