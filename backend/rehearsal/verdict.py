"""What a rehearsed call shows, and what all of them show together. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from backend.answers import Findings, Persona, Rehearsed
from backend.rehearsal.callees import Callee
from backend.rehearsal.held import Held
from backend.rehearsal.questions import addition, unanswered
from backend.rehearsal.rules import broken


def persona(callee: Callee) -> Persona:
    """For the operator to see who picks up."""
    return Persona(callee.persona.key, callee.persona.title, callee.persona.description)


def judged(call: Held) -> Rehearsed:
    """One call, against what should come of it."""
    rules, troubles = broken(call), list(call.troubles)
    as_hoped = call.outcome in call.callee.leads_to
    return Rehearsed(
        persona=persona(call.callee),
        outcome=call.outcome,
        note=call.note,
        fine=as_hoped and not rules and not troubles,
        should="" if as_hoped else call.callee.should,
        lines=list(call.lines),
        questions=list(unanswered(call)),
        broken=list(rules),
        troubles=troubles,
    )


def findings(calls: Iterable[Rehearsed], context: str) -> Findings:
    """What they show together, for this context; the same question counts once."""
    calls = list(calls)
    questions = list(dict.fromkeys(question for call in calls for question in call.questions))
    return Findings(questions, addition(questions, context), sum(len(call.broken) for call in calls))
