"""What a question or a sentence is about: stems of its words, and the kinds of answer that it asks for or gives."""

from __future__ import annotations

import re

from backend.brain import times
from backend.brain.intents import plain

# How each kind of answer is asked for, in plain words. Checked in this order: "how much time" asks for no price.
_ASKED = {
    "SPAN": (
        r"how long\b|how many (?:minutes|hours|days|weeks)\b|how much (?:time|longer)\b|\bduration\b",
        r"what time .*\b(?:finish|over|done)\b",
    ),
    "PRICE": (
        r"how much\b|\b(?:price|cost|costs|fee|charge|expensive|pricey|free of charge)\b|for free\b",
        r"is \w+(?: \w+)? free\b|do i owe\b|have to pay\b",
    ),
    "PLACE": (
        r"\bwhere\b|\bwhere's\b|\baddress\b|\blocat(?:ed|ion)\b|\bdirections\b",
        r"how do i (?:get|find) (?:there|you|to)\b",
        r"which (?:building|floor|room|street|entrance|door|branch|office)\b",
    ),
    "NAME": (r"\b(?:what's|what is|what was|tell me|know) (?:\w+ ){1,3}name\b", r"\b(?:name of|his name|her name)\b"),
    "PERSON": (r"\bwho\b|\bwho's\b|\bwhose\b|\bwhich (?:doctor|dentist|teacher|technician|person)\b",),
    "TIME": (
        r"\bwhen\b|\bwhen's\b|\b(?:what|which) (?:time|day|date|hours|days)\b",
        r"\b(?:opening|business|office|your) hours\b",
        r"how (?:early|late)\b|\b(?:deadline|due date)\b|until when|(?:are|is) \w+ open\b",
    ),
    "REASON": (r"\bwhy\b|\bhow come\b|\bwhat for\b|\bthe reason\b",),
    "PHONE": (r"\b(?:phone|telephone) number\b|number (?:can|do|should) i (?:call|reach)\b|how (?:can|do) i reach\b",),
    "EMAIL": (r"\be ?mail address\b|\bemail\b",),
}
_NAME = r"\b(?:Dr|Mr|Mrs|Ms|Miss|Prof)\b|(?<=[a-z] )[A-Z][a-z]+ [A-Z][a-z]+(?! (?:Street|Road|Avenue))"
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_COUNT = r"(?:\d+|an?|one|two|three|four|five|six|ten|half an|a few|several|thirty|forty five|sixty|ninety)"
_UNIT = r"(?:minutes?|hours?|days?|weeks?|months?|years?)"
# How each kind looks in a sentence. Names and addresses are known by their capitals.
_GIVEN = {
    "SPAN": (
        rf"(?i)\b{_COUNT}(?: to \d+| or \w+)?[ -](?:business |working |full )?{_UNIT}\b",
        r"(?i)\ball day\b",
        r"(?i)\bfrom \d\S*(?: [ap]\.?m\.?)? (?:to|until|till) (?:\d|noon|midnight)",
    ),
    "PRICE": (
        r"(?i)[$€£]\s?\d|\b\d+ ?(?:dollars?|euros?|pounds?|cents?|bucks)\b|\bno charge\b|\bcosts? nothing\b",
        r"(?i)\b(?:no|without(?: an?)?) (?:fee|cost|deposit)\b",
        r"(?i)\bincluded\b|\bcomplimentary\b|\bfree\b(?! (?:at|on|slots?)\b)(?<!are free)",
    ),
    "PLACE": (
        r"\b\d+[a-z]? (?:[A-Z]\w+ )+|\b(?:[Aa]t|[Ii]n|[Ff]rom|[Tt]o) [A-Z]\w+\b(?! at| a\.m| p\.m)(?<!day)",
        r"(?i)\b(?:behind|in front of|next to|opposite|across|near|corner|street|road|avenue|floor|suite|room)\b",
        r"(?i)\b(?:building|entrance)\b",
        r"(?i)\b(?:address|located|location|downstairs|upstairs|outside|lobby|front desk|reception|gate|depot)\b",
        r"(?i)\b(?:in|on|at|under|inside|above|below) the (?:back|front|side|top|bottom|label|left|yard|cellar)\b",
        r"(?i)\b(?:in|on) the (?:attic|kitchen|garden|car park|courtyard|letter|agreement|contract|bill|box)\b",
        r"(?i)\b(?:warehouse|counter|basement|hall|online|website)\b",
    ),
    "NAME": (_NAME,),
    "PERSON": (
        _NAME,
        rf"\b[Ww]ith (?!{_MONTH}|[A-Z]\w+day)[A-Z][a-z]+\b",
        r"(?i)\b(?:technician|driver|doctor|dentist|teacher|hygienist|plumber|electrician|mechanic|manager|coach|staff)\b",
    ),
    "TIME": (
        r"(?i)\b(?:daily|every day|weekdays|weekends?|any time|24 hours)\b",
        r"(?i)\b(?:in|before|after) (?:the )?(?:morning|evening|noon)\b",
        rf"\b(?:in|from|until|by|since|during) (?:{_MONTH})\b",
    ),
    "REASON": (
        r"(?i)\b(?:because|due to|since|so that|in order to|reason|being \w+ed)\b",
        r"(?i)\b(?:is|are|was|were) (?:ill|sick|broken|worn|defective|out of order|damaged|faulty|missing)\b",
    ),
    "PHONE": (r"\d{3}[-. ]\d{3,4}",),
    "EMAIL": (r"\S+@\S+|(?i:\bemail\b)",),
}

# Words of the same meaning; the first names the concept. Stems, so that "parked" is "park".
_SAME = """
park parking carpark lot
bring carry along welcome allow
pay payment paid
card visa mastercard
cash coin
price cost fee charge rate expensive penalty surcharge
bill invoice statement
pickup collect
deliver delivery drop ship
kid child children daughter son baby toddler
dog pet cat animal puppy
eat food meal snack breakfast lunch fast fasting menu
drink water coffee alcohol
wheelchair accessible ramp step-free lift elevator
doctor dentist dr physician hygienist
car vehicle van truck
fix repair mend
begin start
end finish over stop quit
open opening hour
close closed closing shut
late delay delayed
early earlier ahead
cancel cancellation
reschedule postpone move
hurt pain painful
wear dress clothes outfit
vegetarian vegan
allergy allergic gluten
bus tram train metro subway station
wifi internet
guarantee warranty
insurance insured
document paper form paperwork
id identification passport licence license
picture photo photograph
toilet restroom bathroom
refund reimburse
discount coupon voucher
help assist assistance
sign signature
install setup
weather rain
helper volunteer
laptop computer
wait waiting
shower bath
mean meaning
hold held
leave left
buy bought
send sent
break broke broken
drive driven drove
outside terrace patio garden outdoors
"""
_CONCEPT = {word: group.split()[0] for group in _SAME.strip().splitlines() for word in group.split()}

_IDLE = frozenset(
    """
    a an the i i'm i'll i'd i've me my mine we us our you your yours he she it its they them their this that these
    those there here is are was were be been being am do does did done doing have has had having can could will
    would shall should may might must need needed want to of in on at by for from with without about as into than
    and or but so if then also too very really any anything some something anyone all what where when who whom whose
    which why how what's where's when's who's how's it's that's there's isn't aren't don't doesn't can't not no yes
    yeah okay much many long far get got go going come coming take taking takes make know tell exactly again still
    ever even else one thing things kind sort please right now like way place time day date hour minute person
    people supposed have possible actually able let see say said use give given mean means ask wonder wondering
    question sure us off up out maybe other over already yet only more most next address located location directions
    name number duration first street entrance deadline due usually normally roughly approximately total altogether
    happen happens someone somebody everyone everybody oh ah own both whenever wherever
    meanwhile meantime course else's ours afterwards beforehand anyway though
    """.split()
)
"""Words that carry no matter of their own; those that ask for a kind of answer have done their part."""
_FEES = frozenset({"fee", "penalty", "surcharge"})
"""Prices of something else than the matter itself."""
_ASKING_WORDS = {
    "PRICE": frozenset({"price", "free", "owe", "pay", "charge"}),
    "PLACE": frozenset({"find", "look", "stand"}),
    "PHONE": frozenset({"phone", "telephone", "call", "reach"}),
}


def kinds_asked(question: str) -> frozenset[str]:
    """The kind of answer asked for: at most one."""
    fitting = (kind for kind, patterns in _ASKED.items() if any(re.search(pattern, question) for pattern in patterns))
    return frozenset([*fitting][:1])


def kinds_given(sentence: str) -> frozenset[str]:
    """The kinds of answer that the sentence holds; its case must be as written."""
    kinds = {kind for kind, patterns in _GIVEN.items() if any(re.search(pattern, sentence) for pattern in patterns)}
    return frozenset({*kinds, "TIME"} if times.find(sentence) else kinds)


def matter(question: str) -> frozenset[str]:
    """What the question is about, without the words that only ask."""
    return frozenset(matter_words(question))


def matter_words(question: str) -> dict[str, str]:
    """What the question is about, each concept with the word that was used for it."""
    kinds = kinds_asked(question)
    question = re.sub(r"\bhow late\b(.*)\bopen\b", r"\1 close", question)
    question = re.sub(r"\b(?:(?:what|which) (?:time|day|date)|how (?:late|early))\b", "", question)
    about = concept_words(question)
    idle = {"car"} if "park" in about else set[str]()
    idle = idle.union(*(_ASKING_WORDS.get(kind, ()) for kind in kinds))
    return {concept: word for concept, word in about.items() if concept not in idle or word.rstrip("s") in _FEES}


def concepts(text: str) -> frozenset[str]:
    """The words that carry matter, each as its concept; days and times are left out."""
    return frozenset(concept_words(text))


def concept_words(text: str) -> dict[str, str]:
    """The concepts of a text, each with the word that stands for it there."""
    words = re.sub(r"\b(pick(?:ed|ing)?) (?:\w+ ){0,2}up\b", "pickup", plain(text))
    words = re.sub(r"\bdrop(?:ped)? (?:\w+ )?off\b", "deliver", words)
    for when in times.find(words):
        words = words.replace(when.text.lower(), " ")
    found = re.findall(r"[a-z][a-z']*[a-z]|\d+", words)
    return {c: word for word in found if word not in _IDLE and (c := _concept(word)) not in _IDLE}


def _concept(word: str) -> str:
    word = re.sub(r"'s?$", "", word)
    for form in (word, *_stems(word)):
        if form in _CONCEPT:
            return _CONCEPT[form]
    return min(_stems(word), key=len, default=word)


def _stems(word: str) -> list[str]:
    """Shorter forms of the word: crude, but the same for a question and a sentence."""
    found = []
    for ending, instead in (
        ("ies", "y"),
        ("ied", "y"),
        ("ing", ""),
        ("ing", "e"),
        ("ed", ""),
        ("ed", "e"),
        ("es", ""),
        ("s", ""),
    ):
        stem = word.removesuffix(ending) + instead
        if word.endswith(ending) and len(stem) >= 3 and not (ending in {"s", "es"} and word.endswith("ss")):
            found.append(re.sub(r"([bdgklmnprt])\1$", r"\1", stem) if ending in {"ing", "ed"} else stem)
    if len(word) > 4 and word.endswith("e"):
        found.append(word[:-1])
    return found
