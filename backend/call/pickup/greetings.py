"""What those who pick up a phone say: what only machines say, what they mostly say, and what only people say. Pure.

The phrases are those of carriers, phones, offices and private voicemails, as recognisers write them. A phrase that a
person might say as well never proves a machine by itself; where a person can be heard in the same breath, nothing does.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a phrase gives away, the more telling before the less: a voicemail may offer keys, but no menu a beep."""

    DEAD = "number that leads nowhere"
    FULL = "full mailbox"
    SCREENER = "call screening"
    VOICEMAIL = "voicemail"
    MENU = "menu"
    HOLD = "on hold"
    MACHINE = "some machine"

    @property
    def telling(self) -> int:
        """The more, the higher."""
        return -_ORDER[self]


_ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a turn's words give away."""

    kind: Kind | None = None
    """The most telling of what only machines say."""
    phrase: str = ""
    """The words that say so."""
    proofs: int = 0
    """How many phrases do."""
    hints: frozenset[str] = frozenset()
    """What machines mostly say, by its sense."""
    human: bool = False
    """Whether there is something that only people say."""
    arrives: bool = False
    """Whether somebody comes to the phone, after what a machine said."""


_DIGIT = "one|two|three|four|five|six|seven|eight|nine|zero"
_KEY = rf"(?:{_DIGIT}|star|pound|hash|any key|the (?:star|pound|hash))"
_CALLED = (
    r"the (?:\w+ ){0,3}(?:person|party|customer|subscriber|number|mobile|user|people) "
    r"(?:that )?you(?:'re| are|'ve| have| were)?(?: (?:just|been))? "
    r"(?:calling|call|called|dialed|dialled|dial|reached|trying|try)"
)
_TONE = r"(?:tone|beep|signal|bleep)"

_STAFF = r"(?:agents|representatives|operators|advis[eo]rs|associates|lines|specialists)"
_OCCUPIED = r"(?:busy|assisting|helping|serving|on (?:the )?other|engaged|speaking)"

_PROOFS: dict[Kind, tuple[str, ...]] = {
    Kind.DEAD: (
        r"(?:is|are) (?:not|no longer) in service|not in service|(?:has|have) been disconnected",
        r"(?:can ?not|could not|can't) be completed",
        r"number (?:\w+ ){0,6}(?:does not exist|doesn't exist|is not valid|is invalid|is not assigned|unallocated)",
        r"number (?:\w+ ){0,6}has been changed",
        r"check the number and (?:dial|try)|not a (?:working|valid) number",
    ),
    Kind.FULL: (
        (r"(?<!\bmy )(?<!\byour )(?<!\bhis )(?<!\bher )(?:mail ?box|voicemail)(?: (?!was|my|your)\w+){0,6} (?:is"
         r"|are) (?:currently )?full"),
        r"(?:not|n't|cannot|can ?not|unable to) accept(?:ing)?(?: any| new| more| further| your)* messages?",
        r"(?:mail ?box|voicemail|user)(?: \w+){0,4} (?:not|n't) (?:yet )?(?:been )?(?:set up|initiali[sz]ed|activated)",
        r"memory is full|not (?:yet )?set up (?:their|a|the) voicemail|hasn't set up (?:their|a) voicemail",
    ),
    Kind.SCREENER: (
        (r"screening service|call ?screen(?:ing|er)?\b|(?:is|are|being) screened|screens? (?:your|all|their"
         r"|incoming) calls?"),
        r"google (?:assistant|voice)|\bbixby|text call",
        r"record your (?:first |full )?name|(?:say|state|give)(?: \w+){1,4} (?:name|reason)(?: \w+){0,4} after the "
        + _TONE,
        r"(?:see|check) if (?:this person|the person|they(?:'re| are)|that person)(?: \w+)? ?available",
        r"copy of this (?:conversation|call)|recording this call for",
        r"(?:calls? from (?:unknown|unidentified|private|unwanted|hidden))",
        (r"(?:while|before|and) (?:i|we)?(?:'ll| will)? ?(?:try|attempt|am trying|are trying) to (?:connect"
         r"|reach|find|locate)"),
        r"google voice will|will try to connect you|to be connected(?: \w+){0,2} (?:press|dial|enter)",
        r"answering (?:calls? )?(?:for|on behalf of) [a-z]+ please say|automated call assistant",
        r"say your name and (?:why|what)|state your name and the (?:reason|purpose)(?: \w+)* then",
    ),
    Kind.VOICEMAIL: (
        rf"(?:at|after|following|until|wait for|hear) (?:the|a) (?:\w+ )?{_TONE}\b",
        r"record (?:your|a) message|(?:finished|done|complete) recording",
        (r"forwarded to (?:\w+ ){0,3}voice|automat(?:ed|ic) (?:voice|answering|messag\w+)|voice messag(?:e"
         r"|ing) (?:system|service)"),
        r"(?:reached|to|called) (?:the )?(?:\w+ ){0,3}(?:voicemail|voice mailbox|answering machine|answering service)",
        r"numeric page|leave a callback number",
    ),
    Kind.MENU: (
        rf"(?:press|push|say or press|press or say|touch|select) {_KEY}\b(?! (?:of|more|thing|time))",
        rf"(?:dial|say|enter) (?:{_DIGIT})\b(?! (?:one one|nine nine))",
        r"menu options|main menu|following (?:menu|options)|(?:these|our|the) options have|repeat these options",
        (r"(?:party's|person's|your party|the) extension(?: \w+){0,3} (?:dial|enter|press)|dial by name"
         r"|dial it (?:now|at any)"),
        r"(?:please|now) (?:say|enter|speak)(?: or \w+)? your (?:account|order|phone|card|member|customer|date)",
        r"enter your(?: \w+){1,5} (?:number|code|pin)|(?:pound|hash|star) (?:key|sign)",
        r"oprima|marque el|para español|para espanol|in a few words|say things like|you can say\b",
        r"if you(?:'re| are) an? (?P<who>\w+)(?: \w+)? say",
        r"sorry i (?:didn't|did not) (?:get|catch|understand) that(?: \w+)* (?:press|say|option)",
    ),
    Kind.HOLD: (
        r"your calls? (?:is|are) (?:very )?important|calls? will be answered",
        (r"next available (?:agent|representative|operator|person|advis\w+|associate|member|team|customer"
         r"|specialist|rep\b)"),
        _STAFF + r"(?: are)?(?: currently| all| now| still)* " + _OCCUPIED,
        r"continue to hold|please hold for the next|call volumes?|(?:you are|you're) caller number",
        r"wait(?:ing)? times?\b|number \w+ in (?:the |our )?(?:queue|line)|in the queue|place in line",
        r"order (?:in which )?(?:it was|they were|it is) received|call is being (?:transferred|connected)",
        r"(?:appreciate|thank you for) your patience|as soon as (?:one|an agent|someone) (?:is|becomes) available",
    ),
    Kind.MACHINE: (_CALLED,),
}  # fmt: skip

_HINTS: dict[str, str] = {
    "message": r"leave (?:me |us )?(?:a|an|your|the|that) (?:\w+ ){0,4}?(?:message|voicemail|name|number|details)"
    r"|leave (?:me|us) (?:\w+ ){0,2}message|leave your (?:name|number|message)|(?:brief|short|detailed) message"
    r"|know (?:what to do|the drill)|do your thing",
    "away": r"(?:can't|can ?not|could not|couldn't|unable to|not able to) (?:come to|get to|answer|take|pick up"
    r"|reach|talk)"
    r"|(?:not|n't) (?:\w+ ){0,2}(?:available|here|home|in(?! service))\b|unavailable|away from|(?:nobody"
    r"|no one) (?:can|is)|missed your call"
    r"|(?:currently|now|office is|are) closed|on vacation|out of (?:the office|coverage|town)|switched off"
    r"|in a meeting|on the phone or|non working hour|opening hours are|office hours are",
    "reply": r"get back to you|return your call|(?:call|ring|phone|text) you(?: right| straight)? back"
    r"|your call will be returned"
    r"|(?:someone|we|i)(?:'ll| will) (?:call|contact) you",
    "reached": r"you(?:'ve| have)? (?:now )?(?:reached|called)|reached the (?:desk|phone|office|offices|home)",
    "name": r"(?:say|state|give) your name|reason for (?:calling|your call)|why you(?:'re| are) calling"
    r"|purpose of your call"
    r"|(?:virtual|automated|digital|voice|ai|call) (?:assistant|agent|receptionist)",
    "recorded": r"call (?:may|will|is)(?: being)? be? ?(?:recorded|monitored)|quality (?:and|or|assurance)|welcome to",
    "hold": r"(?:stay|remain|hold) on the line|please (?:hold|wait) (?:while|the line)|hold the line",
    "sorry": r"(?:we're|we are) sorry|try (?:your call )?again later|goodbye$",
}  # fmt: skip

_AUX = "can|could|would|will|do|did|are|were|have|may|shall|is|was|does"
_HUMAN = re.compile(
    "|".join([
        r"how (?:can|may|could) (?:i|we) (?:help|assist)|what can (?:i|we) (?:do|get)|(?:can|may|could) (?:i|we) help",
        r"happy to help|(?:i|we) can (?:help|take|give|see|tell|ask|check)|i'd be (?:glad|happy)",
        (r"who(?:'s| is| am| are)\b|whom? (?:do|am)|may i ask|(?:can|could|may|shall|should) i (?:take|give"
         r"|have|tell|get|put)"),
        rf"(?<!if )(?<!when )\b(?:{_AUX}) you\b(?! (?:are|have|were|can|would|will))",
        (r"what would you|what(?:'s| is| do| did| are) (?:up|this|that|it|you|the matter)|what it is about"
         r"|is (?:this|that|it|he|she|anybody|anyone|somebody)\b"),
        r"hold on|hang on|(?:a|one) (?:second|sec)\b|just a (?:moment|minute)|please hold for|for a second",
        (r"speaking\b|go ahead$|(?<!recording )i was\b|i thought|i told|i know\b|i got\b|i don't\b|i do not"
         r"|i have to\b|i need\b|i(?:'m| am) going to"),
        (r"i(?:'m| am) (?:just|only|driving|here|the only|talking|getting|sorry what|listening|busy)"
         r"|i can't (?:hear|talk|speak)|i'll (?:put|pass|give|tell|write"
         r"|get(?! (?:right |straight )?back)|go|check|transfer|ask|let)"),
        (r"(?:for|to|with|about|ask|tell|getting|get|call) (?:him|her)\b|(?:he|she)(?:'s| is| can't| isn't"
         r"| will|'ll| was| has)\b"),
        (r"(?:left|leaving|got|your) (?:a |the |my |your )?(?:message|mailbox|voicemail)(?! (?:at|after|and"
         r"|for))\b(?<!leave your message)(?<!in your message)(?<!record your message)(?<!leaving your message)"),
        (r"my (?:mailbox|voicemail|colleague|boss|husband|wife|mom|dad|mother|father|brother|sister|son"
         r"|daughter|friend)|i think\b|i guess\b|i believe\b|moved out|stop calling|wrong number"
         r"|people\b(?! you)|mommy|daddy"),
        r"i lose you|call me (?:back|again)|(?:okay|right|yeah|huh)\?|tell me your (?:name|customer|order) ",
        r"message with (?:me|the|my|him|her)|i'm (?:kidding|joking)|talk to me|for the day\b",
        r"let me\b|i mean|hang up on|i could not|i couldn't|no wait|oh\b",
    ])
)  # fmt: skip
_SIGNS_OF_MACHINES = re.compile(
    r"(?:can|may|could) (?:i|you) (?:ask|tell me) (?:what|who|why)|i'll see if|i'm sorry|we're sorry|sorry"
    r"|i'll give you a (?:call|ring)"
    r"|(?:i can't (?:talk|speak)|i'm (?:busy|driving))(?=.*\bleave (?:me |us )?(?:a|your) (?:\w+ )?(?:message|name))"
)
"""What machines say in the words of people, and which therefore proves nothing."""
_ARRIVES = re.compile(
    r"\b(?:hello|hallo|hey|i'm here|i am here|i'm back)\b|how (?:can|may) i help|who(?:'s| is) (?:this"
    r"|there|calling)|speaking\b"
    r"|what can i do for you"
)
_COMPILED = {kind: tuple(re.compile(phrase) for phrase in phrases) for kind, phrases in _PROOFS.items()}
_COMPILED_HINTS = {sense: re.compile(phrase) for sense, phrase in _HINTS.items()}


@functools.lru_cache(maxsize=256)
def read(text: str) -> Reading:
    """What these words of one turn give away."""
    words = plain(text)
    found = [
        (kind, seen) for kind, phrases in _COMPILED.items() for phrase in phrases if (seen := _search(phrase, words))
    ]
    hints = {sense: seen for sense, phrase in _COMPILED_HINTS.items() if (seen := phrase.search(words))}
    said = [seen for _, seen in found] + list(hints.values())
    last = max((seen.end() for seen in said), default=0)
    return Reading(
        kind=found[0][0] if found else None,
        phrase=found[0][1][0] if found else next((seen[0] for seen in hints.values()), ""),
        proofs=sum(len(seen.re.findall(words)) for _, seen in found),
        hints=frozenset(hints),
        human=_HUMAN.search(_SIGNS_OF_MACHINES.sub(" ", words)) is not None,
        arrives=bool(_ARRIVES.search(words, last)) if said else bool(_ARRIVES.search(words)),
    )


def _search(phrase: re.Pattern[str], words: str) -> re.Match[str] | None:
    seen = phrase.search(words)
    if seen and seen.groupdict().get("who") and not re.search(rf"say {seen['who']}", words):
        return None
    return seen


_WAITS = re.compile(
    r"\b(?:hold|wait|stay on the line|one moment|connect(?:ing)? (?:you|your call)|transferring|being (?:connected"
    r"|transferred)|putting you through|put you through)\b"
)


def only_waits(text: str) -> bool:
    """Whether these words of a machine only ask one to wait, so that there is nothing to answer."""
    words = plain(text)
    asks = words.endswith("?") or any(phrase.search(words) for phrase in _COMPILED[Kind.MENU])
    return not asks and _WAITS.search(words) is not None


_NUMBERS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))
_SAME: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"[’`]", "'"),
    (r"\bvoice[ -]mail", "voicemail"),
    (r"\bmail[ -]box", "mailbox"),
    (r"\bvoicemail ?box", "voicemail"),
    (r"\b([0-9])\b", lambda found: _NUMBERS[found[1]]),
    (r"\b(leave) (?:it )?(?:to )?(me|us) (?:the )?message", r"\1 \2 a message"),
    (r"[^a-z0-9'?ñé]+", " "),
    (r"\?(?!\s*$)", " "),
]


def plain(text: str) -> str:
    """Lower case, without punctuation but for a question mark at the end; digits that stand alone as words."""
    words = text.lower()
    for said, written in _SAME:
        words = re.sub(said, written, words)
    return " ".join(words.split())
