"""What a callee's words mean: agreement, refusal, a question, a wish. Pure, and made for recognised speech.

Recognised speech comes without reliable case, commas or question marks, so everything is matched on plain words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from backend.brain import corrections, phrases, times
from backend.brain.times import When


class Intent(Enum):
    """Named as the books of `phrases`, whose order decides, followed by what is weighed rather than looked up."""

    MACHINE = "is an answering machine"
    ORDERS = "gives orders to the machine"
    STOP = "wants no more calls"
    ROBOT = "asks whether this is a machine"
    HUMAN = "wants to talk to a person"
    WRONG_PERSON = "is somebody else"
    NOT_HERE = "answers for somebody who is not there"
    HOLD = "asks to wait"
    BUSY = "has no time now"
    WHO = "asks who is calling"
    BRIEFLY = "asks how long the call will take"
    WHY = "asks what the call is about"
    REPEAT = "did not understand"
    NOTHING_ELSE = "has no more questions"
    ALREADY = "says that it has been done"
    CANCEL = "wants to cancel"
    REFUSAL = "wants nothing of it"
    CHANGE = "wants another time"
    ANY = "any of the offers is fine"
    FIRST = "the first of the offers"
    LAST = "the last of the offers"
    MAYBE = "is not sure"
    SPEAKING = "is the person asked for"
    GREETING = "greets"
    GOODBYE = "takes leave"
    THANKS = "says thank you"
    YES = "agrees"
    NO = "refuses or denies"
    CORRECTION = "puts right what was said before"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One turn of the callee's, understood."""

    text: str
    """The turn as it was recognised, on one line."""
    words: str
    """The turn as plain words."""
    rest: str
    """The plain words that no phrase accounts for."""
    intents: frozenset[Intent]
    questions: tuple[str, ...] = ()
    """What is asked about the matter, each in plain words; questions about the call itself are intents."""
    times: tuple[When, ...] = ()
    """The days and times that the callee could or would like to have."""
    refused: tuple[When, ...] = ()
    """The days and times that do not suit."""
    firm: bool = False
    """Whether the yes or no was said in so many words ("that works"), not just as "okay" or "no"."""

    def __contains__(self, intent: Intent) -> bool:
        return intent in self.intents

    def only(self, *intents: Intent) -> bool:
        """Whether at least one of these was meant and nothing besides."""
        return bool(self.intents) and self.intents <= {*intents} and not (self.questions or self.times)


# --- plain words ----------------------------------------------------------------------------------------------

# What recognisers write for what was said; tried in order on lower-case text.
_REPAIRS = (
    (r"[’‘`]", "'"),
    (r"\b([ap])\.?\s?m\b\.?", r"\1m"),
    (r"(?<=\d)\.(?=\d)", ":"),
    (r"[!;,.—–]+(?=\s|$)", " . "),
    (r"\?+", " ? "),
    (r"[^\w\s'.?:$€£]", " "),
    (r"(?:\s*\.)?\s(?:exactly|by the way|again|then)\s+\?", " ?"),
    (r"\bu\b", "you"),
    (r"\b(?:are you|you must be) (?:kidding|joking|serious)(?: me)?\b", " "),
    (r"\br you\b", "are you"),
    (r"\b(gonna|wanna|gotta)\b", lambda word: {"gonna": "going to", "wanna": "want to", "gotta": "have to"}[word[1]]),
    (r"\b(what|where|who|how|that|let)s\b", r"\1's"),
    (r"\b(do|is|are|ca|wo|does|did|have|has|would|could|was)nt\b", r"\1n't"),
    (r"\bcan not\b", "cannot"),
    (r"\b(i|you|we|they) ?(ll|ve)\b(?<!\bill)(?<!\bwell)", r"\1'\2"),
    (r"\bim\b", "i'm"),
    (r"\b(?:by by|buy buy|by bye|bye by)\b", "bye bye"),
    (r"\bgood (?:buy|by|bye)\b", "goodbye"),
    (r"\b(?:rung|wong|long) number\b", "wrong number"),
    (r"\b(?:yeh|yea|yess|yah)\b", "yeah"),
    (r"\bo ?k(?:ey)?\b", "okay"),
    # Told of the past, or of a neighbour's dog: nobody wishes for such a time.
    (r"\b(?:all|last) night(?: long)?\b", " "),
    (r"\bwear (?=(?:do|is|are|should|can)\b)", "where "),
    (r"\bpar king\b", "parking"),
    (r"\b(?:you know(?: what)?|i mean)\b(?! \?)", " "),
    (r"\b(?:um+|uh+(?! huh)|er+m?|(?<!mm )hmm+|ah|oh|please|actually|basically|just)\b(?! \?)", " "),
)


def plain(text: str) -> str:
    """Lower-case words without fillers; the end of a clause is a word of its own, `.` or `?`."""
    text = times.repaired(text).lower()
    for wrong, right in _REPAIRS:
        text = re.sub(wrong, right, text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"^(?:[.?] )+|(?<=[.?]) [.](?= |$)", "", text)


# --- the phrase book ------------------------------------------------------------------------------------------

_DAY = "|".join((*times.WEEKDAYS, "tomorrow", "today", "then"))
_SIGNS = {
    "(": "(?:",
    "[": "(?:",
    ")": ")",
    "]": ")?",
    "|": "|",
    "*": r"(?![.?] )\S+ ",
    "^": r"(?:^|(?<=[.?] ))",
    "$": r"(?=[.?] |$)",
    "<day>": f"(?:{'|'.join(f'{day} ' for day in _DAY.split('|'))})",
}


def _book(lines: str) -> re.Pattern[str]:
    """The phrases as one pattern for text in which every word is followed by a space."""
    whole = re.sub(r"\n\s+", " ", lines.strip()).splitlines()
    return re.compile("|".join(rf"(?<!\S)(?:{_phrase(line)})" for line in whole))


def _phrase(line: str) -> str:
    signs = re.findall(r"<day>|!\w+|[()\[\]|*^$]|[^\s()\[\]|*^$!]+", line)
    return "".join(
        _SIGNS.get(sign) or (f"(?!{sign[1:]} )" if sign[0] == "!" else f"{re.escape(sign)} ") for sign in signs
    )


_WEIGHED = (Intent.YES, Intent.NO, Intent.CORRECTION)
_BOOKS = {intent: _book(getattr(phrases, intent.name)) for intent in Intent if intent not in _WEIGHED}
_BARE = {Intent.NO: _book(phrases.BARE_NO), Intent.YES: _book(f"{phrases.BARE_YES.rstrip()}{phrases.NODDING}")}
_NODDING = _book(phrases.NODDING)
_FIRM = {Intent.NO: _book(phrases.FIRM_NO), Intent.YES: _book(phrases.FIRM_YES)}
_TAKEN = " . "


# A call's state is read from all of its lines for every answer, so the same turns come again and again.
@lru_cache(maxsize=512)
def understand(text: str) -> Meaning:
    """Everything the callee meant with these words; several intents in one turn are usual."""
    words = plain(corrections.corrected(text))
    rest = f"{words} "
    intents = {Intent.CORRECTION} if corrections.corrects(text) else set[Intent]()
    for intent, book in _BOOKS.items():
        # Wishes may stand inside a question ("do you have anything later"), so books come before questions.
        if book.search(rest):
            intents.add(intent)
            rest = book.sub(_TAKEN, rest)
    questions, rest = _questions(rest)
    questions = tuple(question for question in questions if not _STUB.fullmatch(question))
    if wishes := [question for question in questions if _WISH.match(question) and times.find(question)]:
        intents.add(Intent.CHANGE)
        questions = tuple(question for question in questions if question not in wishes)
    # "Okay. Where is it?" agrees to nothing yet.
    answer, firm = _answer(_NODDING.sub(_TAKEN, rest) if questions else rest)
    if answer and Intent.CANCEL not in intents:
        intents.add(answer)
    for book in (*_FIRM.values(), *_BARE.values()):
        rest = book.sub(_TAKEN, rest)
    wanted, refused = _times(_without(words, questions))
    left = " ".join(word for word in rest.split() if word not in {".", "?"})
    return Meaning(" ".join(text.split()), words, left, frozenset(intents), questions, wanted, refused, firm)


def _times(words: str) -> tuple[tuple[When, ...], tuple[When, ...]]:
    """The times wanted and those refused: "Thursday doesn't work but Friday is fine"."""
    wanted: list[When] = []
    refused: list[When] = []
    for clause in _CLAUSE_END.split(words):
        (refused if _FIRM[Intent.NO].search(f"{clause} ") else wanted).extend(times.find(clause))
    return tuple(wanted), tuple(refused)


def _without(words: str, questions: tuple[str, ...]) -> str:
    """The words without what is only asked: "are you open on Saturday?" wishes for nothing."""
    for question in questions:
        words = words.replace(question, ".")
    return words


def _answer(words: str) -> tuple[Intent | None, bool]:
    """Yes or no; what was said in so many words counts more than a "yeah" or "no" in front of it."""
    if _FIRM[Intent.NO].search(words):
        return Intent.NO, True
    if _FIRM[Intent.YES].search(words):
        return Intent.YES, True
    # "Yeah no" is a no and "no yeah" a yes: the last one counts.
    last = [(match.start(), intent) for intent, book in _BARE.items() for match in book.finditer(words)]
    return (max(last, key=lambda found: found[0])[1] if last else None), False


_CLAUSE_END = re.compile(
    r" [.?](?= |$)| (?:but|so|however)(?= )| (?=(?:can|could|do|have|is|are) (?:i|we|you|there) |(?:how|what) about )"
)
# What is left of a question whose matter was a phrase, "could we do" of "could we do another day"; or what only makes a
# question of a remark: "nice and warm, isn't it?"
_STUB = re.compile(
    r"(?:is|are|was|do|does|did|has|have)n't (?:it|they|he|she|you|we)(?: think)?"
    r"|(?:can|could|may|do|would|should|is|are|have) (?:i|we|you|it|there)"
    r"(?: (?:do|have|try|get|make|find|got|say|tell|tell me))?"
)
_WISH = re.compile(
    r"(?:can|could|may|shall|should) (?:i|we|you|it) (?:also |maybe |still )?"
    r"(?:do|make|come|have|get|take|move|change|push|schedule|meet|try|switch|be|reschedule|book|offer|go)\b"
    r"|(?:how|what) (?:about|if)\b"
    rf"|(?:is|are|does|do|would|will|could|can|what's) (?:{_DAY}|next|at|the \d)"
    r"|(?:do|would) you have\b|is there\b|would it be\b|is it possible\b"
)


# --- questions ------------------------------------------------------------------------------------------------

_WH = r"(?:where|when|what|how|who|whose|which|why|where's|when's|what's|who's|how's)"
_VERB = r"(?:do|does|did|is|are|was|can|could|should|shall|would|will|must|may|has|have|isn't|don't|doesn't|can't)"
_SUBJECT = (
    r"(?:i|you|we|they|he|she|it|there|this|that|the|my|your|our|any|anyone|someone|a|an|parking|dr|doctor|breakfast"
    r"|lunch|dinner|everything|all|kids|children|people|" + _DAY + ")"
)
_BEING = r"(?:is|are|was|were|does|did)"
# "Is fine", "are good" state something whose subject was left out.
_STATING = (
    r"(?:fine|good|great|okay|perfect|right|correct|not|no|what|that's|alright|all right|work|works|suit|suits|better"
    r"|best|possible|impossible|free|too|so|very|at|on|in)"
)
# Turned round in the middle of unpunctuated speech, where nothing else shows that a question begins.
_TURNED = (
    r"(?<!i )(?<!we )(?<!you )(?<!they )(?<!he )(?<!she )(?<!it )(?<!that )(?<!so )(?<!neither )(?<!nor )(?<!as )"
    r"(?<!than )(?:(?:can|could|should|shall|do|does|did|will|would|are) (?:i|we|you|they|he|she|my)"
    r"|(?<!thing )(?<!problem )is there)"
)
_IS_THAT = (
    r"is (?:that|it|this) (?:a |the )?(?:normal|okay|possible|true|right|correct|free|included|far|safe|bad|serious"
    r"|problem|necessary)"
)
_KNOWN = r"(?<!know )(?<!sure )(?<!that's )(?<!remember )(?<!see )(?<!no matter )(?<!tell you )(?<!said )"
_ASKING = re.compile(
    rf"(?<!\S)(?:{_KNOWN}{_WH} (?![.?] |$|ever |not [.?] |not $)"
    rf"|(?:(?<=^)|(?<=[.?] )|(?<=but )|(?<=and )|(?<=also )|(?<=so )|(?<=yes )|(?<=yeah )|(?<=okay )|(?<=sure )"
    rf"|(?<=fine )|(?<=then )|(?<=no )|(?<=great )|(?<=good )|(?<=works )|(?<=well )|(?<=or ))"
    rf"(?:{_VERB} {_SUBJECT}|{_BEING} (?!{_STATING} )\S+) (?![.?] )|{_TURNED} (?![.?] |$)|{_IS_THAT} "
    rf"|(?:do you know|tell me|wondering|wonder|to know) (?:if|whether|about|{_WH}) )"
)
# A clause with its own verb after one of these is a new thought, not part of the question.
_NEXT = re.compile(
    r" [.?] | (?=(?:what|where|when|how|who|why)(?:'s| is| are| do| does| much| long| many| can| should) )"
    r"| (?=(?:but|and|also|because|so|or) (?:i|we|where|when|what|how|who|which|why|is|are|was|do|does|did|can|could"
    rf"|will|would|should|yes|no|{_DAY})\b)"
)


def _questions(words: str) -> tuple[tuple[str, ...], str]:
    """The questions asked, and the words that are left without them."""
    found: list[str] = []
    while asking := _ASKING.search(words):
        ending = _NEXT.search(words, asking.end() - 1)
        end = ending.start() if ending else len(words)
        found.append(words[asking.start() : end].strip(" .?"))
        words = f"{words[: asking.start()]}. {words[end:].lstrip()}"
    # Whatever else stands before a question mark is a question too: "parking?", "and the price?".
    for clause in re.findall(r"(?:^|(?<=[.?] ))([^.?]+) \?", words):
        if not (_BARE[Intent.YES].fullmatch(f"{clause} ") or _BARE[Intent.NO].fullmatch(f"{clause} ")):
            found.append(re.sub(r"^(?:and|but|so|also) ", "", clause.strip()))
            words = words.replace(f"{clause} ?", ".")
    return tuple(question for question in found if question), words
