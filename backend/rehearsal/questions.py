"""What callees wanted to know and were not told, and what to write into the context for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from backend.brain.retrieval import sentences
from backend.models import ToolUse
from backend.rehearsal.held import Held
from backend.templates import BLANK


def unanswered(call: Held) -> tuple[str, ...]:
    """The questions, as the callee asked them; none of a callee that asks what no context needs to answer."""
    if not call.callee.practical:
        return ()
    asked = [question for words, answer in call.exchanges if _HELPLESS.search(answer) for question in _asked(words)]
    wrong = call.callee.wrong_day
    asked = [question for question in asked if not wrong or wrong not in question]
    return tuple(dict.fromkeys((*asked, *_noted(call, asked))))


def addition(questions: Iterable[str], context: str = "") -> str:
    """One line for each kind of question, for the operator to fill in and the agent to say.

    None for what the context speaks of already: another line like it would not help.
    """
    lines = dict.fromkeys(map(_line, questions))
    return "\n".join(line for line in lines if line.partition(BLANK)[0] not in context)


def _asked(words: str) -> Iterator[str]:
    for sentence in sentences(words):
        if sentence.endswith("?"):
            yield re.sub(r"^(?:Okay|And|So|But|Well)\b[.,]?\s*(\w)", lambda start: start[1].upper(), sentence)


def _noted(call: Held, asked: list[str]) -> Iterator[str]:
    """What the agent itself put down as open, where the callee's own words do not show it."""
    for tool in call.tools:
        if tool.name in _PUT_DOWN and not asked and (text := _text(tool)):
            yield text


def _text(tool: ToolUse) -> str:
    return next((value for value in tool.arguments.values() if isinstance(value, str) and value.strip()), "")


_PUT_DOWN = frozenset({"ask_operator", "note_follow_up"})
_HELPLESS = re.compile(
    r"\bfollow(?:ing)? up\b|\bget back to you\b|\b(?:don't|do not) (?:have|know)\b|\bnot (?:quite |entirely )?sure\b"
    r"|\bno information\b|\b(?:can't|cannot) (?:say|tell)\b|\bpass (?:on|that|it|your)\b|\bfind out\b",
    re.IGNORECASE,
)


def _line(question: str) -> str:
    found = (line for line, pattern in _LINES.items() if re.search(pattern, question, re.IGNORECASE))
    return next(found, f"To “{question}” the answer is {BLANK}.")


# In order: the first that fits. Each is a sentence that can be said as it stands once it is filled in.
_LINES = {
    f"You can park {BLANK}.": r"\bpark",
    f"Please bring {BLANK}.": r"\bbring\b|\btake along\b",
    f"It takes about {BLANK}.": r"\bhow long\b|\bhow much time\b",
    f"You can pay it {BLANK}.": r"\b(?:how|in parts|rates)\b.*\bpay\b|\bpay\b.*\bparts\b",
    f"It costs {BLANK}.": r"\bhow much\b|\bcosts?\b|\bprice\b|\bfee\b|\bpay\b|\bcharge\b",
    f"You can move or cancel it {BLANK}.": r"\bcancel|\bmove\b|\breschedul|\bpostpone|\bchange\b",
    f"The address is {BLANK}.": r"\bwhere\b|\baddress\b",
    f"It is for {BLANK}.": r"\bwhat is it for\b",
    f"It is on {BLANK}.": r"\bwhen\b|\bwhat (?:time|day)\b|\bwhich (?:time|day)\b",
    f"You can talk to {BLANK} about it.": r"\btalk to\b",
    f"You will meet {BLANK}.": r"\bwho\b",
}
