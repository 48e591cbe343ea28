"""The report of a call by rules: without a model, or where the model's did not come. Pure.

What the callee agreed to is found as the offline brain finds it during a call; all the rest is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import shorten

from backend.brain.concepts import concepts, kinds_asked, matter
from backend.brain.dialogue import Dialogue
from backend.brain.errand import Goal, sentence
from backend.brain.talk import Asked, Talk
from backend.models import Answerer, Call, Claim, Outcome, Report, Speaker, Status, Turn, TurnState
from backend.outcome.evidence import BY_LINE, ENDING, checked, heard, words

AUTHOR = "rules"
_LONGEST = 160
"""Characters of a quotation."""

_UNANSWERED = {
    Status.BUSY: (Outcome.NO_ANSWER, "The line was busy."),
    Status.NO_ANSWER: (Outcome.NO_ANSWER, "Nobody picked up."),
    Status.CANCELED: (Outcome.STOPPED, "The call was cancelled before anybody picked up."),
}
_MACHINES = frozenset({Answerer.VOICEMAIL, Answerer.FULL_MAILBOX, Answerer.FAX, Answerer.MENU, Answerer.HOLD})
_FINAL = frozenset({Outcome.OPTED_OUT, Outcome.WRONG_PERSON, Outcome.CALL_BACK})
"""What ends a call for the brain before its goals are settled."""
_JUDGED = frozenset(Outcome) - BY_LINE


def report(call: Call, turns: Sequence[Turn]) -> Report:
    """What came of a call that is over."""
    said = heard(turns)
    machine = call.answerer in _MACHINES or call.outcome is Outcome.VOICEMAIL
    if machine or not any(turn.speaker is Speaker.CALLEE for turn in said.values()):
        made = _unheard(call, tuple(said.values()))
    else:
        made = _talked(call, tuple(said.values()))
    return checked(made, call, turns)


# --- nobody to talk to ----------------------------------------------------------------------------------------


def _unheard(call: Call, said: Sequence[Turn]) -> Report:
    """Nobody picked up, or no person did."""
    outcome, why = _UNANSWERED.get(call.status, (Outcome.FAILED, "The call could not be held."))
    outcome = call.outcome or outcome
    message = max(
        (turn for turn in said if turn.speaker is Speaker.AGENT), key=lambda turn: len(turn.heard), default=None
    )
    if outcome is Outcome.VOICEMAIL and message:
        left = Claim(f"Left on the machine: “{_short(message.heard)}”", (message.number,), 0.9)
        return Report(outcome, left, author=AUTHOR)
    return Report(outcome, Claim(call.ending or why, (), 0.9, ENDING), author=AUTHOR)


# --- a talk ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """One answer of the callee's, and what it did."""

    turns: tuple[int, ...]
    """The agent's turn before it, where there is one, and the callee's own."""
    theirs: tuple[int, ...]
    goal: Goal | None
    notes: tuple[str, ...]
    """What the brain noted of it."""
    outcome: Outcome | None
    """What it made of the call."""
    whole: bool
    """Whether all of it was recognised before the line was gone."""


def _talked(call: Call, said: Sequence[Turn]) -> Report:
    steps = list(_steps(Dialogue(call.brief), said))
    decisive = _decisive(steps)
    outcome, result = _judged(call, decisive, said)
    return Report(
        outcome,
        result,
        summary=_summary(call, decisive, said),
        agreed=tuple(_agreed(steps)) if outcome in {Outcome.CONFIRMED, Outcome.RESCHEDULED} else (),
        questions=tuple(_open(steps)),
        author=AUTHOR,
    )


def _steps(dialogue: Dialogue, said: Sequence[Turn]) -> Iterator[_Step]:
    """The call once more, answer by answer, as the offline brain would have taken it."""
    talk = Talk()
    asking: tuple[int, ...] = ()
    theirs: list[Turn] = []
    for turn in (*said, None):
        if turn and turn.speaker is Speaker.CALLEE:
            theirs.append(turn)
            continue
        if theirs:
            after, step = _step(dialogue, talk, asking, theirs)
            yield step
            talk, theirs = after, []
        if turn:
            talk, asking = _hearing(dialogue, talk, turn), (turn.number,)


def _step(dialogue: Dialogue, talk: Talk, asking: tuple[int, ...], theirs: Sequence[Turn]) -> tuple[Talk, _Step]:
    after, reply = dialogue.respond(talk, ". ".join(turn.text for turn in theirs))
    changed = after.outcome if after.outcome is not talk.outcome or after.settled > talk.settled else None
    numbers = tuple(turn.number for turn in theirs)
    return after, _Step(
        (*asking, *numbers),
        numbers,
        _goal(dialogue, talk),
        tuple(note for note in after.notes if note not in talk.notes) or _parting(reply.outcome, reply.note),
        reply.outcome if reply.outcome in _FINAL else changed,
        all(turn.state is not TurnState.OPEN for turn in theirs),
    )


def _parting(outcome: Outcome | None, note: str) -> tuple[str, ...]:
    """What was noted last, when it was this that ended the call."""
    return (note.split("; ")[-1],) if outcome in _FINAL and note else ()


def _goal(dialogue: Dialogue, talk: Talk) -> Goal | None:
    return dialogue.goals[talk.settled] if talk.settled < len(dialogue.goals) else None


def _hearing(dialogue: Dialogue, talk: Talk, turn: Turn) -> Talk:
    """A goal counts as put also when another model, or the operator, put it in their own words."""
    goal, before, text = _goal(dialogue, talk), talk.put, turn.heard
    talk = talk.hearing(text, goal, colleague=turn.speaker is Speaker.OPERATOR)
    if goal and talk.put == before and talk.put <= talk.settled:
        about = concepts(goal.topic)
        if about and 2 * len(about & concepts(text)) >= len(about):
            return replace(talk, put=talk.settled + 1, asked=Asked.GOAL, aside=False)
    return talk


def _decisive(steps: Sequence[_Step]) -> _Step | None:
    """The answer that made the outcome; a wish for no more calls is never undone."""
    made = [step for step in steps if step.outcome]
    stop = [step for step in made if step.outcome is Outcome.OPTED_OUT]
    return (stop or made)[-1] if made else None


def _judged(call: Call, decisive: _Step | None, said: Sequence[Turn]) -> tuple[Outcome, Claim]:
    if decisive and decisive.outcome:
        agrees = call.outcome is decisive.outcome
        # Where the agent, who was there, judged otherwise, somebody should look.
        sure = 0.9 if agrees else 0.5 if call.outcome in _JUDGED else 0.7
        text = _told(decisive.outcome, decisive)
        return decisive.outcome, Claim(text, decisive.turns, sure if decisive.whole else 0.5)
    outcome = call.outcome or Outcome.UNCLEAR
    if outcome in _JUDGED:
        last = tuple(turn.number for turn in said[-2:])
        return outcome, Claim(sentence(call.note or outcome), last, 0.5)
    return outcome, Claim(call.ending or sentence(outcome), (), 0.9, ENDING)


_TELLING = {
    Outcome.OPTED_OUT: "Asked not to be called again",
    Outcome.WRONG_PERSON: "Wrong person or number",
    Outcome.DECLINED: "Declined",
    Outcome.FOLLOW_UP: "Somebody has to follow up",
    Outcome.CALL_BACK: "Wants to be called back",
}


def _told(outcome: Outcome, step: _Step) -> str:
    """The outcome in words: the brain's note where that says more, such as a new time."""
    note = next((note for note in step.notes if not note.startswith("asked: ")), "")
    if note.startswith("said: "):
        return f"{_TELLING.get(outcome, outcome.capitalize())}: “{note.removeprefix('said: ')}”"
    if outcome is Outcome.CONFIRMED and note in {"", "confirmed", "told"} and step.goal:
        return sentence(f"Confirmed: {step.goal.topic}")
    if outcome is Outcome.RESCHEDULED and note.startswith("moved to "):
        return sentence(f"Rescheduled to {note.removeprefix('moved to ')}")
    return sentence(note or _TELLING.get(outcome, outcome))


def _agreed(steps: Sequence[_Step]) -> Iterator[Claim]:
    for step in steps:
        if step.outcome in {Outcome.CONFIRMED, Outcome.RESCHEDULED}:
            yield Claim(_told(step.outcome, step), step.turns, 0.8 if step.whole else 0.5)


def _open(steps: Sequence[_Step]) -> Iterator[Claim]:
    for step in steps:
        for note in step.notes:
            if note.startswith("asked: ") and note.endswith(", not known"):
                asked = note.removeprefix("asked: ").removesuffix(", not known")
                if _worth_answering(asked):
                    asked = re.sub(r"\bi\b", "I", asked.rstrip("?"))
                    yield Claim(f"{asked[:1].upper()}{asked[1:]}?", step.theirs, 0.8)


def _worth_answering(asked: str) -> bool:
    """Not "isn't it" or "did you say Wednesday"."""
    return bool(matter(asked) or kinds_asked(asked)) and not re.match(r"(?:did|have) you sa(?:y|id)\b", asked)


def _summary(call: Call, decisive: _Step | None, said: Sequence[Turn]) -> tuple[Claim, ...]:
    """What the agent put, and what was answered, in their own words."""
    numbers = decisive.turns if decisive else tuple(turn.number for turn in said[-2:])
    chosen = [turn for turn in said if turn.number in numbers]
    ours = [turn for turn in chosen if turn.speaker is not Speaker.CALLEE]
    callee = [turn for turn in chosen if turn.speaker is Speaker.CALLEE]
    them = call.brief.callee_name or "The other side"
    return tuple(
        Claim(f"{name} said: “{_short(words(turn))}”", (turn.number,), 0.9)
        for name, turn in [
            *((call.brief.agent_name if turn.speaker is Speaker.AGENT else "The operator", turn) for turn in ours[-1:]),
            *((them, turn) for turn in callee[-1:]),
        ]
    )


def _short(text: str) -> str:
    return shorten(text, _LONGEST, placeholder=" …")
