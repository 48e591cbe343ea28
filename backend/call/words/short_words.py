"""What a few words on the phone mean for the turn: listening noise, an answer, or "let me speak".

Written from what recognisers really return: any case, with or without punctuation, "uh huh" and "uh-huh". Pure.
"""

from __future__ import annotations

_HUMS = frozenset(
    "uh-huh uh-hum uh huh uhhuh mm-hm mm-hmm mm-mm mm mmm hm hmm hmmm mhm mmhm mmhmm um umm er erm ah ahh oh ooh aha "
    "ha haha ahem eh".split()
)
_BACKCHANNELS = _HUMS | frozenset(
    "okay ok k right yeah yep yes yup sure i see alright all great good cool wow really got it gotcha nice perfect "
    "fine lovely wonderful interesting true exactly absolutely definitely indeed understood yea ya totally".split()
)
_LISTENING = (
    "i understand", "makes sense", "that makes sense", "sounds good", "sounds great", "no problem", "no worries",
    "fair enough", "that's fine", "that's right", "that's good", "that's great", "of course", "thank you", "thanks",
    "go on", "go ahead", "i know", "i get it", "good to know", "very good", "very well", "i hear you", "oh really",
)  # fmt: skip
"""Listening noise of more than a word."""
_GREETINGS = frozenset(
    "hello hi hey hiya good morning afternoon evening yes yeah speaking this is who's calling here there".split()
)
_FAREWELLS = frozenset(
    "bye goodbye good-bye bye-bye byebye cheerio thanks thank you so much very you're welcome have a great nice good "
    "day one too take care see then ciao later talk soon and well your weekend evening".split()
)

_WANTS_FLOOR = """
wait | stop | hold on | hang on | hold up | hold it | one second | one sec | one moment | one minute | just a second |
just a sec | just a moment | just a minute | a moment | a second | a minute | give me a second | give me a minute |
sorry | i'm sorry | excuse me | pardon | pardon me | i beg your pardon | what | what's that | what was that |
say again | come again | say that again | repeat that | again please | huh what | who | who is this | who's this |
who are you | who's calling | who is calling | who is it | why | how | how so | when | where | which | which one |
which day | how much | how come | how long | no no | no no no | nope nope | no wait | no thanks | no thank you |
no sorry | no way | not interested | i'm not interested | no interest | wrong number | wrong person |
you have the wrong number | not me | not him | not her | actually | but | listen | look | however | hey | hello |
hello hello | are you there | can you hear me | i can't hear you | can't hear you | speak up | louder | slower |
slow down | too fast | please stop | stop it | stop talking | shut up | be quiet | quiet | enough | that's enough |
leave me alone | go away | don't call | call back | call me back | call me later | call later | not now |
later please | i'm busy | i'm driving | busy | let me speak | let me talk | let me finish | can i | may i | could i |
can i just | i have a question | question | quick question | a question | one question | one thing | real quick |
i don't understand | i don't know | don't understand | is this a robot | are you a robot | robot | a robot |
is this real | are you real | human | operator | agent | representative | real person | help | never mind |
nevermind | forget it | cancel | wrong | that's wrong | not true | that's not right | incorrect | not right |
that's not me | i can't | i won't | no i | well no | um no | uh no | oh no | nah no | please wait | wait please |
wait a minute | wait a second | wait what | what now | what time | what day | goodbye | good-bye | bye | bye bye |
bye-bye | interrupting | remove me | unsubscribe | he's not here | she's not here | not here | no | nope | nah
"""
_FLOOR_OPENERS = frozenset(
    "wait stop hold hang sorry excuse pardon what who why actually but listen however no nope don't can't cannot "
    "not where when which how hello".split()
)
"""Whoever begins so, and says at least one word more, means it."""
_HARMLESS = ("no problem", "no worries", "not bad", "not at all", "how nice", "how lovely", "no doubt", "but yeah",
            "what a", "hold on to", "no kidding", "oh wow", "no rush", "but okay", "how about that")  # fmt: skip
"""Beginnings that only seem to object."""
_REQUESTS = (
    "hold on", "hang on", "wait", "but", "wrong number", "not interested", "stop calling", "who is this", "who's this",
    "who are you", "call me back", "call back", "excuse me", "let me", "a question", "can i", "could i", "may i",
    "can you", "could you", "don't call", "remove me", "take me off", "slow down", "repeat that", "say that again",
    "one second", "a second", "one sec", "a sec", "one minute", "a minute", "one moment", "a moment",
)  # fmt: skip
"""Wherever they stand in what was said."""

_ANSWERS = """
yes | yeah | yep | yup | yea | ya | yes please | sure | sure thing | of course | certainly | absolutely | definitely |
okay | ok | alright | all right | right | correct | exactly | indeed | true | fine | good | great | perfect | lovely |
no | nope | nah | no thanks | no thank you | not really | not yet | not now | never | none | neither | nothing |
both | either | maybe | perhaps | probably | probably not | possibly | i think so | i guess so | i guess |
i suppose so | i hope so | i don't think so | i don't know | no idea | not sure | i'm not sure | it depends |
that works | works for me | that works for me | that's fine | that's right | that's correct | that's me |
that's good | that's perfect | that's great | that's okay | that's true | sounds good | sounds great | sounds fine |
good idea | i do | i don't | i am | i'm not | i can | i can't | i will | i won't | i would | i wouldn't | i did |
i didn't | i have | i haven't | it is | it isn't | it's not | it does | it doesn't | he is | she is | we do | we can |
we can't | we are | you can | you may | go ahead | go on | please do | please | speaking | this is | this is he |
this is she | that's him | me | mine | him | her | us | them | you | anytime | any time | whenever | anything |
anyone | today | tomorrow | tonight | now | later | soon | the first | the second | the first one | the second one |
the last one | the latter | the former | this one | that one | neither one | either one | uh-huh | uh huh | mm-hm |
mm-hmm | mhm | mmhmm | mm hm | uh-uh | nuh-uh | hello | here | i'm here | still here | cash | card | home | work |
english | spanish
"""
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand half quarter noon "
    "midnight first second third fourth fifth sixth seventh eighth ninth tenth once twice double"
)
_DAYS = "monday tuesday wednesday thursday friday saturday sunday mondays weekday weekdays weekend weekends"
_MONTHS = "january february march april may june july august september october november december"
_TIMES = "morning afternoon evening night noon midnight o'clock am pm a.m p.m today tomorrow tonight week month"
_SLOT = frozenset(f"{_NUMBERS} {_DAYS} {_MONTHS} {_TIMES}".split())
_SLOT_FRAME = frozenset(
    "at on in the of to past around about by before after next this for from until and or a um uh well i'd i say said "
    "it's is please yes yeah no okay maybe would be better works good best fine me let's make it early late mid "
    "minutes hours days weeks o'clock percent dollars thirty people person my name number oh".split()
)
_HESITATION = frozenset("um uh er erm hmm hm well so oh ah like yeah yes okay".split())
_POLITE = frozenset("please thanks sir ma'am thank you".split())
_HEDGES = frozenset("maybe perhaps probably possibly".split())
"""What follows them is what matters."""
_NEVER_A_NAME = frozenset("hold hang excuse listen actually but look however hello hi hey bye goodbye".split())


def _table(text: str) -> frozenset[str]:
    return frozenset(" ".join(entry.split()) for entry in text.split("|"))


_FLOOR, _ANSWER = _table(_WANTS_FLOOR), _table(_ANSWERS)


def words(text: str) -> list[str]:
    """The words of a text, bare and in lower case."""
    return [bare for word in text.lower().replace("’", "'").split() if (bare := word.strip('.,!?;:…"“”()-–—'))]


def only_backchannel(text: str) -> bool:
    """Whether this is only listening noise: "uh-huh", "okay", "yeah, right", "I understand"."""
    left = f" {' '.join(words(text))} "
    for phrase in _LISTENING:
        left = left.replace(f" {phrase} ", " ")
    return all(word in _BACKCHANNELS for word in left.split())


def only_hum(text: str) -> bool:
    """Whether this says nothing at all, not even yes: "mm-hm", "uh"."""
    return all(word in _HUMS for word in words(text))


def only_greeting(text: str) -> bool:
    return all(word in _GREETINGS | _BACKCHANNELS for word in words(text))


def only_farewell(text: str) -> bool:
    return all(word in _FAREWELLS | _BACKCHANNELS for word in words(text))


def wants_floor(text: str) -> bool:
    """Whether these words mean "let me speak", or demand attention, however few they are: "no", "wait", "sorry?", "who
    is this", "not interested". Words over the agent that do not may still be an answer, or simply many.
    """
    spoken = words(text)
    bare = _without(spoken, _HESITATION, _POLITE)
    if " ".join(bare) in _FLOOR or " ".join(spoken) in _FLOOR:
        return True
    if text.rstrip().endswith("?"):
        # "Okay?" and "right?" are listening too, but anything else that is asked wants an answer.
        return not only_backchannel(text)
    if not bare or " ".join(bare[:2]) in _HARMLESS or " ".join(bare[:3]) in _HARMLESS or only_backchannel(text):
        return False
    if len(bare) == 1:
        return False
    return bare[0] in _FLOOR_OPENERS or _holds_request(bare)


def is_answer(text: str) -> bool:
    """Whether these few words can answer a question that was just asked: yes or no in any form ("uh-huh" too), a day,
    a time, a number, a choice, a name. A lone "um" is none, and neither is a question back.
    """
    spoken = words(text)
    if not spoken or text.rstrip().endswith("?"):
        return False
    joined, bare = " ".join(spoken), _without(spoken, _HESITATION, _POLITE)
    polite = _without(spoken, frozenset(), _POLITE)
    if not _ANSWER.isdisjoint((joined, " ".join(bare), " ".join(polite))):
        return True
    if any(word in {"wait", "stop", "sorry", "what", "who", "pardon"} for word in spoken[:2]):
        return False
    if any(" ".join(bare[:count]) in _ANSWER for count in (1, 2, 3)) and len(bare) <= 8:
        return True
    slots = sum(_is_slot(word) for word in spoken)
    if slots and all(_is_slot(word) or word in _SLOT_FRAME for word in spoken):
        return True
    return _is_name(text, spoken)


def stands_alone(text: str) -> bool:
    """Whether these words are all, though nobody heard a full stop: "no thanks", "uh-huh", "who is this", a greeting, a
    day, a time, a name. "Maybe", "yes, that should" and "it broke down" may go on.
    """
    spoken = words(text)
    bare = _without(spoken, _HESITATION, _POLITE)
    if not spoken or bare[0] in _HEDGES:
        return False
    if not (_FLOOR | _ANSWER).isdisjoint((" ".join(spoken), " ".join(bare))) or only_backchannel(text):
        return True
    slots = any(_is_slot(word) for word in spoken) and all(_is_slot(word) or word in _SLOT_FRAME for word in spoken)
    return slots or only_greeting(text) or only_farewell(text) or _is_name(text, spoken)


def _is_name(text: str, spoken: list[str]) -> bool:
    """One to three capitalised words that are no others: "John Miller", "Maria." """
    named = [word for word in text.split() if word[:1].isupper() and word[1:2].islower()]
    common = _BACKCHANNELS | _GREETINGS | _FAREWELLS | _FLOOR_OPENERS | _NEVER_A_NAME
    lone = len(spoken) == 1 and len(spoken[0]) > 2
    return len(named) == len(spoken) <= 3 and (lone or len(spoken) > 1) and not common.intersection(spoken)


def _is_slot(word: str) -> bool:
    return (
        word in _SLOT
        or word[:1].isdigit()
        or (word[:1] in "$#+" and word[1:2].isdigit())
        or any(part in _SLOT for part in word.split("-"))
    )


def _holds_request(bare: list[str]) -> bool:
    joined = f" {' '.join(bare)} "
    return any(f" {request} " in joined for request in _REQUESTS)


def _without(spoken: list[str], before: frozenset[str], after: frozenset[str]) -> list[str]:
    """Without hesitation before and politeness after it; but not without everything."""
    start, end = 0, len(spoken)
    while start < end - 1 and spoken[start] in before:
        start += 1
    while end - 1 > start and spoken[end - 1] in after:
        end -= 1
    return spoken[start:end]
