"""Whether a callee who has paused has also finished: told from the words alone, for every recogniser alike. Pure.

Recognisers put a full stop at every pause, so a stop proves nothing: the last words do. In doubt a sentence is over,
for a wrong wait is heard by everybody who answers in a few words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_HESITATIONS = frozenset("um umm uh er erm hmm hm ah eh mm".split())
_OPENERS = _HESITATIONS | frozenset("well so and but or the a my because if anyway actually basically".split())
"""Alone, these only announce that something will be said."""
_LEANING = frozenset(
    "a an the my your our their its every each and or but nor plus because unless until although though whether than "
    "as since if whose which very quite just gonna wanna gotta "
    "i'm it's that's he's she's we're they're you're there's i'd i'll we'll we'd i've we've they've let's who's what's "
    "mr mrs ms dr doctor underscore dot dash hyphen slash".split()
)
"""No sentence ends with these."""
_PREPOSITIONS = frozenset(
    "to of for from with by at in on into about between without during toward towards regarding like".split()
)
_VERBS = frozenset("is are was were am be been do does did have has had can could will would should may might".split())
_RARELY_LAST = frozenset("have has had was were be been".split())
"""Of those verbs the ones that end a short answer only after "yes" and "no"."""
_PRONOUNS = frozenset("i you he she it we they that this there".split())
_SUBJECTS = frozenset("i we he she they".split())
_ADVERBS = frozenset("already never always also usually really certainly definitely probably still".split())
_BEFORE_SHORT = frozenset(
    "yes yeah yep no sure okay oh well think believe guess hope know wish suppose if as but course what where how who "
    "when sure maybe".split()
)
""" "Yes, I do." and "I think it is." """
_ASKING = re.compile(r"\b(what|who|where|which|how|why)\b(?! about$)")
_AUXILIARY = "can|could|would|will|do|does|did|is|are|may|should|have"
_OPENING = (
    "think|mean|need|want|wanted|believe|guess it's|was thinking|was wondering|would like|would say|would prefer|"
    "would rather|was going to say"
)
_GO_ON = re.compile(
    "(" + "|".join([
        r"^(and|so|but) then",
        rf"(^|and |but |so |yes |okay |sure )({_AUXILIARY}) (you|it|there)( please| just| maybe| also)?",
        r"(can|could|would|will) you (please |just |maybe )?(tell|give|send|show|let)( me| us)?",
        r"(what|how) about",
        rf"^(well |yes |yeah |no |so |and |but |okay |um |uh )*(i|we) ({_OPENING})",
        r"(i'd|we'd) (like|say|prefer|rather)",
        r"(let me|lemme)( just| quickly)?( see| think| check| look)?",
        r"(?<!i )(?<!do )(?<!did )(?<!if )(?<!as )(?<!don't )(?<!let )you know",
        r"(think|believe|hope|said|say|mean|so) that",
        r"as in",
        r"just that",
        r"(want|wanted|like|need) to (ask|know|say|tell you)",
        r"address is( at)? \d+",
        r"hold on|hang on|(one|a) (second|moment)|just a (second|minute|moment)|wait",
    ]) + ")$"
)  # fmt: skip
"""Ends that announce more."""
_CONDITION = re.compile(r"^(if|when|while|once|unless|after|before) (i|we|he|she|they|it's|my|the)( \w+){1,4}$")
"""Announces more too, unless it was added to a sentence: "I would rather come on Monday. If the doctor is there." """
_WHOLE = re.compile(
    "(" + "|".join([
        r"\b(not|never|\w+n't)\b.*\b\w+ to",
        r"(love|happy|glad|used) to",
        r"(come|move|log|sign|check|fill|count me) in|(go|move|carry|log|put (him|her|them|it)|turn it|later|keep) on",
        r"(i'm|he's|she's|is he|is she|not) in",
        r"(stop|drop|come|go|swing|pass) by",
        r"(if|as|whatever) (you|i|we) like",
        r"(like|love|need|want|hate|know|heard|hear) (that|this|it) about",
        r"(i|we|you) can (talk|speak|turn) to",
        r"(taken|take) care of|heard of|part of|thought (about|of)",
        r"^(okay |sure |yes )*(will|can) do|(that|it|that'll|it'll|that'd)( will| would| can| could)? (do|be)",
    ]) + ")$"
)  # fmt: skip
"""Ends that only look open: "I don't want to", "will do"."""


def unfinished(text: str) -> bool:
    """Whether these words cannot be all that was to be said: "my number is", "I'd like to", "um", "on Thursday,", half
    a phone number.
    """
    spoken = _words(text)
    if not spoken:
        return False
    if _is_dictating(text, spoken):
        return True
    last = _words(_last_sentence(text))
    if all(word in _HESITATIONS for word in last):
        return True
    if len(last) == 1 and len(spoken) <= 2 and not _BROKEN_OFF.search(text):
        # Recognition puts a comma after a lone "No," too.
        return last[0] in _OPENERS | _LEANING | {"i"} and not text.rstrip().endswith("?")
    asked = text.rstrip().endswith("?")
    added = not _OPENERS.issuperset(spoken[: len(spoken) - len(last)])
    condition = not added and _CONDITION.search(" ".join(last))
    return _is_open(last, asked) or (not asked and (_trails_off(text) or bool(condition)))


_BROKEN_OFF = re.compile(r"(-|–|—|\.\.\.|…)[\s\"'”’]*$")


def _trails_off(text: str) -> bool:
    return text.rstrip(" \"'”’").endswith((",", "-", "–", "—", "...", "…", ":", ";"))


def _is_open(spoken: Sequence[str], asked: bool) -> bool:
    """Whether something must follow the last words of this sentence."""
    last, joined = spoken[-1], " ".join(spoken)
    if last in _LEANING or last in _HESITATIONS:
        return not (asked and last in {"whose", "which", "because"})
    if re.search(r"(can|could|would|will) you (please |just )?(tell|give|send|show) (me|us)$", joined):
        return True
    if asked:
        return False
    if last in _PREPOSITIONS:
        return not (_WHOLE.search(joined) or _ASKING.search(joined))
    if last == "so":
        return len(spoken) < 2 or spoken[-2] not in "think hope guess say said suppose believe even or why how".split()
    if last in _VERBS:
        return not (_WHOLE.search(joined) or _is_short_answer(spoken))
    if last in _SUBJECTS:
        return not re.search(r"\b(so|neither|nor|than|as|this) \w+ \w+$|\w and \w+$", joined)
    return bool(_GO_ON.search(joined))


def _is_short_answer(spoken: Sequence[str]) -> bool:
    """ "It is", "Yes, I do", "I think they are"; but neither "my number is" nor "I have"."""
    adverb = len(spoken) > 2 and spoken[-2] in _ADVERBS
    *_, before, pronoun, verb = ["", "", *(word for word in spoken[:-1] if word not in _ADVERBS), spoken[-1]]
    if pronoun not in _PRONOUNS or spoken[0] == "if":
        return False
    if before in _BEFORE_SHORT or adverb:
        return True
    return len(spoken) <= 3 and verb not in _RARELY_LAST and spoken[0] not in {"the", "what", "and", "so", "because"}


# --- dictating ----------------------------------------------------------------------------------------------------

_DIGIT_WORDS = frozenset("zero one two three four five six seven eight nine oh o".split())
_MULTIPLES = {"double": 1, "triple": 2}
_CALLED_AT = re.compile(
    r"\b(numbers?|phone|cell|mobile|landline|reach (me|us|him|her)|call (me|us)( back)? (at|on)|digits|area code|"
    r"extension|it's|its|fax)\b"
)
_OTHER_CODES = re.compile(
    r"\b(zip|code is|pin|apartment|room|unit|house|suite|flight|floor|birth|born|street|avenue)\b"
)
_PHONE = 10
"""Digits of a phone number with its area code."""
_LOCAL = re.compile(r"(?<![\d-])\d{3}[-. ]\d{4}\W*$")
_ABBREVIATED = frozenset("am pm us uk id tv ok ai dc pc it".split())
_ADDRESS = re.compile(r"\be-?mail( address)?\b(?P<rest>.*)$")


def _is_dictating(text: str, spoken: Sequence[str]) -> bool:
    return _is_dictating_digits(text, spoken) or _is_spelling(spoken) or _is_dictating_address(text)


def _is_dictating_digits(text: str, spoken: Sequence[str]) -> bool:
    """In the middle of a phone number, which people say in groups."""
    if spoken[-1] in _MULTIPLES:
        return len(spoken) == 1 or bool(_digits(spoken[-2]) or _CALLED_AT.search(" ".join(spoken)))
    digits, groups = 0, 0
    start = len(spoken)
    while start and (size := _digits(spoken[start - 1])):
        digits, groups, start = digits + size, groups + 1, start - 1
    if not 0 < digits < _PHONE or _LOCAL.search(text) or _OTHER_CODES.search(text.lower()):
        return False
    before = " ".join(spoken[:start])
    # In so many words: "my number is 202". Or by itself: "five five five".
    announced = bool(_CALLED_AT.search(before)) and _may_be_phone(digits, before)
    return announced or groups >= 3


def _may_be_phone(digits: int, before: str) -> bool:
    """Whether so few digits can be the beginning of one: "it's 5" is more likely the time."""
    return digits >= 3 or bool(re.search(r"number|phone|cell|mobile|reach|call|digits", before))


def _digits(word: str) -> int:
    """How many digits of a dictated number this word is; 0 for another word."""
    if word in _DIGIT_WORDS or word in _MULTIPLES:
        return 1 + _MULTIPLES.get(word, 0)
    bare = re.sub(r"[-.()+]", "", word)
    return len(bare) if bare.isdigit() else 0


def _is_spelling(spoken: Sequence[str]) -> bool:
    """In the middle of a word said letter by letter, unless it is a word that was said before."""
    letters: list[str] = []
    for word in reversed(spoken):
        parts = word.split("-")
        if not all(len(part) == 1 and part.isalpha() for part in parts):
            break
        letters[:0] = parts
    spelled = "".join(letters)
    return len(letters) >= 2 and spelled not in _ABBREVIATED and spelled not in spoken


def _is_dictating_address(text: str) -> bool:
    """In the middle of an e-mail address: "my email is john at gmail"."""
    found = _ADDRESS.search(" ".join(text.lower().rstrip(" .,?!").split()))
    if found is None or text.rstrip().endswith("?"):
        return False
    rest = found["rest"]
    said = re.match(r"\W*(address )?(is|it's|would be|:)\s*(?P<name>.*)$", rest)
    if said is None:
        return False
    name = said["name"]
    if re.search(r"@\S+\.\w{2,}$| at .+ (dot|\.) ?\w{2,}| at \S+\.\w{2,}$", name):
        return False
    return not re.search(r"\b(not|fine|good|best|better|correct|right|same|wrong|okay|on file)\b", name)


def _last_sentence(text: str) -> str:
    """What follows the last full stop within the text; the whole of it where there is none."""
    parts = [part for part in re.split(r"(?<=[.!?…])\s+", text.strip()) if _words(part)]
    return parts[-1] if parts else ""


def _words(text: str) -> list[str]:
    """The words in lower case without what hangs on them; "202-555" and "j-o-h" stay one."""
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text.lower().replace("’", "'"))
    return [bare for word in text.split() if (bare := word.strip(".,!?;:…\"“”()-–—'"))]
