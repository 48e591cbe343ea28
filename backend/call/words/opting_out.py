"""Whether somebody asks never to be called again: known from their words alone, so that no model can overlook it. Pure.

Rather too narrow than too wide: whoever says it in a way that is missing here is still understood by the model.
"""

from __future__ import annotations

import re

_US = r"(?:me|us|here|this number|my (?:number|phone|house|home|office|work|family|mother|mom|wife|husband))"
_LIST = r"(?:(?:your|the|this|that|any|all your) )?(?:\w+ ){0,2}(?:lists?|database|system|records|contacts)"
_MINE = r"(?:me|us|(?:my|our|this) (?:name|number|phone number))"
_NOT = r"(?:don't|do not|dont|never|not to|must not|shouldn't|should not)"
_WISHES = (
    rf"(?:stop|quit|cease) (?:calling|phoning|ringing|bothering|harassing) {_US}",
    rf"{_NOT} (?:ever )?(?:you )?(?:call|phone|ring|contact|bother) (?:{_US} )?(?:here )?(?:ever )?(?:again|any ?more)",
    rf"{_NOT} ever (?:call|phone|ring|contact) {_US}",
    rf"(?:take|remove|delete|get|strike) {_MINE}(?: and (?:my )?(?:name|number))? (?:off|from|out of) (?:of )?{_LIST}",
    r"(?:put|place|add) (?:me|us|(?:my|this) number) (?:on|to) (?:your|the|a) (?:do not|don't|no) call list",
    r"(?:don't|do not) want (?:any more|any|anymore|these|your|more) (?:\w+ ){0,2}calls",
    r"(?:don't|do not) want (?:you )?(?:to be called|to call (?:me|us)|being called) (?:again|any ?more|ever)",
    r"no more (?:of (?:these|your) )?(?:phone )?calls",
    r"(?:lose|delete|erase) my (?:phone )?number",
    r"(?:unsubscribe me|opt me out|i(?:'d like| want|'m) (?:to )?opt(?:ing)? out)",
)
_WISH = re.compile(rf"\b(?:{'|'.join(_WISHES)})\b")
# "Don't call me again today" only wants another time, and "why did you stop calling me?" the opposite.
_ONLY_NOW = re.compile(
    r"^\W*(?:before|until|till|today|tonight|this (?:morning|afternoon|evening|week)|so (?:early|late)|(?:right )?now"
    r"|at (?:work|the office|night|home|this time|this hour)|during|after|while|in the|on (?:saturday|sunday|my)"
    r"|without|unless|from (?:this|that)|about (?:this|that|it)|with (?:this|that))\b"
)
_OPPOSITE = re.compile(
    r"\b(?:don't|do not|didn't|did you|never|won't|why'd you|have you|if you|when you|unless you|did they) $"
)


def opts_out(text: str) -> bool:
    """Whether these words of the callee's ask that no call is ever made to them again."""
    plain = " ".join(re.sub(r"[^\w' ]+", " ", text.lower().replace("’", "'")).split())
    return any(
        not _ONLY_NOW.match(plain[wish.end() :]) and not _OPPOSITE.search(plain[: wish.start()])
        for wish in _WISH.finditer(plain)
    )
