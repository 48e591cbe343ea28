"""Whether the turns that a report names bear it out. Pure; a claim may lose certainty here, and never gains any.

What was said and not heard proves nothing. Words that mean the same are not recognised as such, so what is found here
is a reason to look, not to call a claim wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from backend.brain.concepts import concepts
from backend.brain.intents import Intent, plain, understand
from backend.models import Brief, Call, Claim, Outcome, Report, Speaker, Turn
from backend.outcome.figures import Figures

UNPROVEN = 0.3
"""The most that is left of a claim which its turns do not bear out, or even deny."""
_THIN = 0.5
"""The same where hardly a word of the claim was said."""
_MOST_TURNS = 8
_SHARE = 0.3
"""Of a claim's words of weight, how many must have been said."""

BY_LINE = frozenset({Outcome.HUNG_UP, Outcome.STOPPED, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.TRANSFERRED})
"""Outcomes that no words can prove: how the line ended says them."""
ENDING = "how the call ended"
_KEPT = frozenset({Outcome.OPTED_OUT, Outcome.TRANSFERRED})

_REPORTING = concepts(
    """callee caller agent person operator assistant agreed agreement confirmed confirmation declined refused wanted
    wants asked asks answered said says told states stated mentioned accepted noted outcome result reached call called
    calling phone conversation requested request offered offer rescheduled moved appointment time new understood
    happy willing unable available works work suits reason purpose informed voicemail message left machine"""
)
"""Words that a report is made of, whatever the call was about."""
_NOT = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|\w+n't|unable|declin\w+|refus\w+|reject\w+"
    r"|unavailable|impossible|fail\w*)\b"
)

_AGREEING = re.compile(
    r"\b(?:agree\w*|confirm\w*|accept\w*|yes|works?|fine|will|can|resched\w*|moved?|happy|coming|available|able|free"
    r"|attend\w*|keeps?)\b"
)
_NONE = re.compile(r"\b(?:nobody|none|nothing|never|no one)\b")
_POLITE = re.compile(r"\b(?:no problem|no worries|not a problem|why not|not at all|no doubt|can't wait|don't worry)\b")
_OTHER = frozenset(
    {Intent.STOP, Intent.CANCEL, Intent.REFUSAL, Intent.WRONG_PERSON, Intent.NOT_HERE, Intent.BUSY, Intent.ALREADY}
)
"""Besides these a yes or no answers something else."""


def checked(report: Report, call: Call, turns: Sequence[Turn]) -> Report:
    """The report with each claim as certain as its turns allow, and no more certain than it was."""
    said = heard(turns)

    def check(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
        return tuple(borne_out(claim, said, call.brief) for claim in claims)

    return replace(
        report,
        result=_result(report, call, said),
        summary=check(report.summary),
        agreed=check(report.agreed),
        questions=tuple(_asked(claim, said, call.brief) for claim in report.questions),
    )


def settled(call: Call, report: Report) -> Outcome | None:
    """The outcome of a call once it has its report.

    What was judged at once stays unless the report proves another outcome: a doubtful report changes nothing. A wish
    not to be called is never undone, nor that somebody else has the call now.
    """
    if call.outcome in _KEPT or (call.outcome and report.result.doubtful):
        return call.outcome
    return report.outcome


def heard(turns: Sequence[Turn]) -> dict[int, Turn]:
    """By number, the turns in which something reached the other side."""
    spoken = (turn for turn in turns if turn.speaker is not Speaker.NOTE)
    return {turn.number: turn for turn in spoken if words(turn).strip()}


def words(turn: Turn) -> str:
    """What counts of a turn."""
    return turn.heard if turn.speaker is Speaker.AGENT else turn.text


def borne_out(claim: Claim, said: Mapping[int, Turn], brief: Brief, in_other_words: bool = False) -> Claim:
    """The claim as far as its turns, those that exist, bear it out.

    Args:
        in_other_words: whether hardly a word of it need have been said.
    """
    claim = _grounded(claim, said)
    named = [said[number] for number in claim.turns]
    if not named:
        return claim
    most = _allowed(claim.text, named, brief)
    return _at_most(claim, 1.0 if most == _THIN and in_other_words else most)


def _grounded(claim: Claim, said: Mapping[int, Turn]) -> Claim:
    """Only turns that were heard, each once, and a certainty that is one."""
    turns = tuple(dict.fromkeys(number for number in claim.turns if number in said))[:_MOST_TURNS]
    sure = claim.confidence if 0 <= claim.confidence <= 1 else 0.0
    return replace(claim, turns=tuple(sorted(turns)), confidence=sure, ground="")


def _at_most(claim: Claim, most: float) -> Claim:
    return replace(claim, confidence=min(claim.confidence, most))


def _allowed(text: str, named: Sequence[Turn], brief: Brief) -> float:
    if Figures.of(_nameless(text, brief)).missing([Figures.of(words(turn)) for turn in named]):
        return UNPROVEN
    if _denied(text, named, brief):
        return UNPROVEN
    return 1.0 if _quoted(text, named) or _told_of(text, named, brief) else _THIN


def _nameless(text: str, brief: Brief) -> str:
    """Without names, which may hold numbers of their own: "Studio 54"."""
    for name in (brief.callee_name, brief.agent_name, brief.organization):
        text = re.sub(rf"\b{re.escape(name)}\b", " ", text) if name else text
    return text


# --- words ----------------------------------------------------------------------------------------------------


def _quoted(text: str, named: Sequence[Turn]) -> bool:
    quotes = [plain(quote) for quote in re.findall(r"[“\"]([^”\"]+)[”\"]", text)]
    spoken = " ".join(plain(words(turn)) for turn in named)
    return bool(quotes) and all(quote.strip(" .?…") in spoken for quote in quotes)


def _weighty(text: str, brief: Brief) -> frozenset[str]:
    names = concepts(f"{brief.callee_name} {brief.agent_name} {brief.organization}")
    return concepts(text) - _REPORTING - names


def _told_of(text: str, named: Sequence[Turn], brief: Brief) -> bool:
    """Whether enough of the claim's words of weight were said; its figures were, since they were looked for."""
    claimed = _weighty(text, brief)
    spoken = concepts(" . ".join(words(turn) for turn in named))
    figures = Figures.of(_nameless(text, brief))
    proven = len(figures.whens) + len(figures.numbers)
    said, all_ = len(claimed & spoken) + proven, len(claimed) + proven
    # Of two words one is not enough: "parking is free" is not what somebody says who asks for parking.
    return not claimed or (said == 2 if len(claimed) == all_ == 2 else said >= _SHARE * all_)


# --- yes and no -----------------------------------------------------------------------------------------------


def _denied(text: str, named: Sequence[Turn], brief: Brief) -> bool:
    """Whether the turns say the opposite: the callee's last yes or no, or the clause that is about the same."""
    if _quoted(text, named):
        return False
    text = text.lower().replace("’", "'")
    negative, agreeing = bool(_NOT.search(text)), bool(_AGREEING.search(text))
    if answer := _last_answer(named):
        # A claim that tells of both, such as of a time that does not suit and one that does, is left alone.
        return (agreeing and not negative) if answer is Intent.NO else (negative and not agreeing)
    clause = _POLITE.sub(" ", _closest(text, named, brief))
    if _NONE.search(text):
        return bool(clause) and not _NOT.search(clause)
    return not negative and bool(_NOT.search(clause))


def _last_answer(named: Sequence[Turn]) -> Intent | None:
    """The last yes or no that the callee said in so many words, or alone."""
    for turn in reversed(named):
        if turn.speaker is Speaker.CALLEE:
            meaning = understand(turn.text)
            plainly = meaning.firm or not (meaning.questions or meaning.times or meaning.rest)
            answers = [intent for intent in (Intent.NO, Intent.YES) if intent in meaning]
            # One time does not suit and another does: that is neither yes nor no.
            mixed = meaning.refused and meaning.times
            if answers and plainly and not mixed and not meaning.intents & _OTHER:
                return answers[0]
            if meaning.times or meaning.rest:
                return None
    return None


def _closest(text: str, named: Sequence[Turn], brief: Brief) -> str:
    """The clause that has most of the claim's words; empty if it has less than half of them."""
    claimed = _weighty(text, brief)
    clauses = [
        clause for turn in named for clause in re.split(r"(?: [.?])+(?: |$)| but ", plain(words(turn))) if clause
    ]
    best = max(clauses, key=lambda clause: len(claimed & concepts(clause)), default="")
    return best if claimed and 2 * len(claimed & concepts(best)) >= len(claimed) else ""


# --- the outcome, and what was asked --------------------------------------------------------------------------

_SIGNS: dict[Outcome, frozenset[Intent]] = {
    Outcome.OPTED_OUT: frozenset({Intent.STOP, Intent.REFUSAL}),
    Outcome.WRONG_PERSON: frozenset({Intent.WRONG_PERSON, Intent.NOT_HERE, Intent.NO}),
}
_AGAINST: dict[Outcome, frozenset[Intent]] = {
    Outcome.CONFIRMED: frozenset({Intent.STOP, Intent.CANCEL, Intent.REFUSAL, Intent.WRONG_PERSON}),
    Outcome.RESCHEDULED: frozenset({Intent.STOP, Intent.CANCEL, Intent.REFUSAL, Intent.WRONG_PERSON}),
}


def _result(report: Report, call: Call, said: Mapping[int, Turn]) -> Claim:
    outcome = report.outcome
    if outcome in BY_LINE:
        # The row knows how the line ended; nothing that was said can.
        ended = replace(_grounded(report.result, said), text=call.ending or report.result.text, ground=ENDING)
        return ended if call.outcome in (outcome, None) else _at_most(ended, UNPROVEN)
    # A few words say that somebody wants no calls, or is somebody else; the report's own need not be among them.
    result = borne_out(report.result, said, call.brief, in_other_words=outcome in _SIGNS)
    named = [said[number] for number in result.turns]
    return _at_most(result, UNPROVEN) if named and not _speaks_for(outcome, named) else result


def _speaks_for(outcome: Outcome, named: Sequence[Turn]) -> bool:
    """Whether the turns could mean this outcome at all."""
    theirs = [turn for turn in named if turn.speaker is Speaker.CALLEE]
    if outcome is Outcome.VOICEMAIL:
        return len(theirs) < len(named)
    if outcome in {Outcome.FOLLOW_UP, Outcome.UNCLEAR}:
        return True
    meanings = [understand(turn.text) for turn in theirs]
    intents = frozenset().union(*(meaning.intents for meaning in meanings))
    if not theirs or (outcome in _SIGNS and not intents & _SIGNS[outcome]):
        return False
    answer = _last_answer(named)
    if outcome is Outcome.DECLINED:
        return answer is not Intent.YES
    agreed = outcome in {Outcome.CONFIRMED, Outcome.RESCHEDULED}
    return not (agreed and (answer is Intent.NO or meanings[-1].intents & _AGAINST[outcome]))


def _asked(claim: Claim, said: Mapping[int, Turn], brief: Brief) -> Claim:
    """An open question: the callee's own words must hold it. Whether it says yes or no is of no matter."""
    claim = _grounded(claim, said)
    named = [said[number] for number in claim.turns]
    theirs = [turn for turn in named if turn.speaker is Speaker.CALLEE]
    if not named:
        return claim
    lacking = Figures.of(_nameless(claim.text, brief)).missing([Figures.of(words(turn)) for turn in named])
    if lacking or not theirs:
        return _at_most(claim, UNPROVEN)
    return claim if _told_of(claim.text, theirs, brief) else _at_most(claim, _THIN)
