"""Whether somebody does not want to be recorded: known from their words alone, so that no model can overlook it. Pure.

Rather too wide than too narrow: a recording that is deleted without need harms nobody.
"""

from __future__ import annotations

import re

_CALL = r"(?:this|the|our|my) (?:\w+ )?(?:call|conversation|voice)"
_THIS = rf"(?:me|us|this|that|it|{_CALL}|anything|what i say)"
_MUST_NOT = r"(?:must not|mustn't|shouldn't|should not|can't|cannot|may not|not allowed to|not to)"
_NO = r"(?:don't|do not|dont|didn't|did not|never)"
_ONE = r"(?:the|this|that|your|any)"
_BEING = (
    r"(?:(?:to )?(?:be|being|have|having|get|getting) )?(?:(?:this|the|our|my) )?(?:(?:call|conversation) )?(?:to be )?"
)
_RECORDED = rf"{_BEING}(?:record|tap)(?:ed|ing)"
_WISHES = (
    rf"(?:{_NO}|{_MUST_NOT}) (?:you )?(?:please )?(?:record|tape) {_THIS}",
    rf"(?:stop|quit|end|no more) (?:recording|taping)(?: {_THIS})?",
    rf"(?:stop|end|cancel|delete|erase|switch off|turn off|shut off) {_ONE} recording",
    rf"(?:switch|turn|shut) {_ONE} recording off",
    rf"{_NO} (?:want|wish|like|agree|consent)(?:ed)?(?: to)?(?: for)? {_RECORDED}",
    rf"{_NO} (?:want|wish|like) (?:you to|you) (?:record|tape)",
    rf"{_NO} (?:give|gave) (?:you )?(?:my |any )?(?:consent|permission) (?:to|for) (?:record|tape|{_RECORDED})",
    rf"(?:rather|prefer)(?: you)?(?: that you)? (?:not|didn't|don't|wouldn't) (?:to )?(?:record|tape|{_RECORDED})",
    rf"object(?:ing)? to (?:the )?{_RECORDED}",
    rf"not (?:okay|ok|comfortable|happy|fine) (?:with|about) (?:the |you )?{_RECORDED}",
    rf"refuse {_RECORDED}",
    r"no recordings?(?: please)?$",
    r"(?:without|not) (?:a |the |any |being )?record(?:ing|ed)(?: please| this| me)?$",
)
_WISH = re.compile(rf"\b(?:{'|'.join(_WISHES)})\b")
# "Don't stop recording", "I don't mind", "why did you stop recording?"; and "do not record this as a no".
_OPPOSITE = re.compile(
    r"\b(?:don't|do not|dont|didn't|did not|never|not|won't|did you|have you|if you|when you|unless you|why'd you"
    r"|want you to|need to) (?:to |have to |need to )?$"
)
_NOTES = re.compile(r"^ (?:as|under|in|on|for|wrong|twice)\b")


def objects(text: str) -> bool:
    """Whether these words of the callee's ask that they are not recorded."""
    plain = " ".join(re.sub(r"[^\w' ]+", " ", text.lower().replace("’", "'")).split())
    return any(
        not _OPPOSITE.search(plain[: wish.start()]) and not _NOTES.match(plain[wish.end() :])
        for wish in _WISH.finditer(plain)
    )
