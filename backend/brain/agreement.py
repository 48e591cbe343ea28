"""What the callee's words do for the goal in hand: agree, refuse, choose another time, or give the answer asked for.

Each rule gives the state after the words and a few words of acknowledgement; neither if the words do nothing for it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from textwrap import shorten

from backend.brain import corrections, heard
from backend.brain.concepts import matter
from backend.brain.errand import Goal, Kind, sentence
from backend.brain.intents import Intent, Meaning
from backend.brain.talk import Asked, Talk
from backend.brain.times import When
from backend.models import Outcome

NOTED = "Thank you, I've noted that."
PASS_ON = "Thank you, I'll pass that on."
GO_AHEAD = "Please go ahead."
THANKS = "Great, thank you."
UNDERSTOOD = "I understand, I'll pass that on."
SOMEONE = "No problem, someone will follow up with you."
Settled = tuple[Talk, tuple[str, ...]]


def settle(talk: Talk, goal: Goal, meaning: Meaning, offers: tuple[When, ...]) -> Settled:
    """`offers` are the other times that the context gives away."""
    if Intent.CANCEL in meaning:
        return talk.done(Outcome.DECLINED, "wants to cancel"), ("All right, I'll pass on that you want to cancel.",)
    if Intent.REFUSAL in meaning:
        return talk.done(Outcome.DECLINED, said(meaning)), (UNDERSTOOD,)
    if Intent.ALREADY in meaning:
        return talk.done(Outcome.FOLLOW_UP, said(meaning)), (PASS_ON,)
    if goal.kind is Kind.ASK:
        return _open_question(talk, goal, meaning)
    if talk.asked is Asked.SURE and not meaning.times and meaning.intents & {Intent.YES, Intent.NO, Intent.MAYBE}:
        return _hesitant(talk, goal, meaning)
    if goal.movable or (goal.when and offers):
        return _timed(talk, goal, meaning, offers)
    return _told(talk, goal, meaning) if goal.kind is Kind.TELL else _yes_or_no(talk, goal, meaning)


def answers_when(goal: Goal, meaning: Meaning) -> bool:
    """Whether words that were meant for the goal before answer this one too, which asks for a time."""
    asks = goal.kind is Kind.ASK and not goal.statement and goal.topic.startswith("when ")
    return asks and bool(meaning.times) and Intent.NO not in meaning


def telling(meaning: Meaning) -> bool:
    """Whether the words hold something worth noting, besides courtesies."""
    return bool(meaning.times) or (len(meaning.rest.split()) > 1 and bool(matter(meaning.rest)))


def quoted(meaning: Meaning) -> str:
    """The callee's own words, for a note of one line, with numbers and spelled names as they are to be read."""
    own = shorten(meaning.text.rstrip(" ."), 140, placeholder=" ...")
    numbers = heard.numbers(meaning.text)
    read = (*(numbers[-1:] if corrections.takes_back(meaning.text) else numbers), *heard.spelled(meaning.text))
    read = tuple(text for text in read if text not in own)
    return f"{own} ({', '.join(read)})" if read else own


def said(meaning: Meaning) -> str:
    return f"said: {quoted(meaning)}"


_COURTESY = frozenset(
    {Intent.YES, Intent.NO, Intent.THANKS, Intent.GOODBYE, Intent.GREETING, Intent.SPEAKING, Intent.NOTHING_ELSE}
)


def _agreed(goal: Goal) -> Outcome:
    return Outcome.RESCHEDULED if goal.moves else Outcome.CONFIRMED


def _hesitant(talk: Talk, goal: Goal, meaning: Meaning) -> Settled:
    if Intent.YES in meaning:
        return talk.done(_agreed(goal), "confirmed, but not sure"), ("All right, thank you.",)
    return talk.done(Outcome.FOLLOW_UP, "not sure yet"), (SOMEONE,)


# --- goals without a time -------------------------------------------------------------------------------------


def _open_question(talk: Talk, goal: Goal, meaning: Meaning) -> Settled:
    """Whatever is said is the answer, and is noted as it was said; a number is read back."""
    if (number := heard.numbers(meaning.text)) or _NUMBER.search(f" {meaning.rest} "):
        read = f"Thank you, I've noted {heard.aloud(number[-1])}." if number else NOTED
        return talk.done(Outcome.CONFIRMED, f"{goal.topic}: {quoted(meaning)}"), (read,)
    if Intent.MAYBE in meaning and not meaning.times:
        return talk.done(Outcome.FOLLOW_UP, f"{goal.topic}: not known yet"), (SOMEONE,)
    if Intent.NO in meaning and not (meaning.times or meaning.questions):
        return talk.done(Outcome.DECLINED, f"{goal.topic}: {quoted(meaning)}"), (UNDERSTOOD,)
    if meaning.firm and not (meaning.questions or meaning.times) and re.search(r"\b(?:i|we)'ll\b", meaning.words):
        return talk.done(Outcome.FOLLOW_UP, f"{goal.topic}: {quoted(meaning)}"), (PASS_ON,)
    if _COUNTED.search(goal.topic):
        return talk, (GO_AHEAD,) if meaning.only(Intent.YES, Intent.THANKS) else ()
    bare = not meaning.intents and bool(matter(meaning.words))
    if not meaning.questions and (bare or telling(meaning) or _worded(meaning)):
        return talk.done(Outcome.CONFIRMED, f"{goal.topic}: {quoted(meaning)}"), (NOTED,)
    return talk, (GO_AHEAD,) if meaning.only(Intent.YES, Intent.THANKS) else ()


def _worded(meaning: Meaning) -> bool:
    """Whether a yes came with so many words that they are the answer: "it was all perfect"."""
    return len(meaning.words.split()) > 3 and bool(matter(meaning.words))


# Asked for a number, nothing else is an answer.
_COUNTED = re.compile(r"\b(?:number|reading|code|digits|how (?:many|much|old)|scale|meter)\b", re.IGNORECASE)
_NUMBER = re.compile(r" (?:\d+|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|none|half) ")


def _yes_or_no(talk: Talk, goal: Goal, meaning: Meaning) -> Settled:
    named = _named(tuple(time for time in meaning.times if time.day or time.date or time.clock is not None))
    if Intent.NO in meaning:
        outcome = Outcome.FOLLOW_UP if named else Outcome.DECLINED
        return talk.done(outcome, said(meaning)), (UNDERSTOOD,)
    if Intent.YES in meaning or named:
        return talk.done(_agreed(goal), f"confirmed, {named}" if named else "confirmed"), (THANKS,)
    if Intent.MAYBE in meaning:
        return replace(talk, asked=Asked.SURE), ("I understand.",)
    return talk, ()


def _told(talk: Talk, goal: Goal, meaning: Meaning) -> Settled:
    """News needs no answer; any sign that it has arrived will do."""
    if Intent.NO in meaning and meaning.firm:
        return talk.done(Outcome.FOLLOW_UP, said(meaning)), (UNDERSTOOD,)
    if meaning.words in {"yes", "yeah", "yes i do", "i do"}:
        # "Do you have any questions about that?" - "Yes."
        return replace(talk.done(Outcome.CONFIRMED, "told"), curious=True), ("All right.",)
    if not meaning.questions and telling(meaning):
        return talk.done(Outcome.CONFIRMED, f"told; {said(meaning)}"), (PASS_ON,)
    if meaning.intents & (_COURTESY - {Intent.GREETING} | {Intent.MAYBE}):
        return talk.done(Outcome.CONFIRMED, "told"), ("All right.",)
    return talk, ()


# --- goals with a time ----------------------------------------------------------------------------------------


def _timed(talk: Talk, goal: Goal, meaning: Meaning, offers: tuple[When, ...]) -> Settled:
    """A goal that is fixed at a time, or looks for one."""
    kept = goal.when if talk.asked is Asked.GOAL and Intent.CHANGE not in meaning else None
    others = tuple(time for time in meaning.times if not (kept and time.fits(kept)))
    chosen, possible = _choice(talk, replace(meaning, times=others), offers)
    if chosen:
        moved = goal.when or goal.moves
        note = f"{'moved to' if moved else 'agreed on'} {chosen.text}"
        noted = sentence(f"Great, I've noted {chosen.text}")
        return talk.done(Outcome.RESCHEDULED if moved else Outcome.CONFIRMED, note), (noted,)
    if possible:
        return replace(talk, asked=Asked.OFFER, offered=possible), ("All right.",)
    if wanted := _named(others):
        passed_on = f"I'll pass on {wanted}, and someone will confirm it with you."
        return talk.done(Outcome.FOLLOW_UP, f"asked for {wanted}, to be confirmed"), (passed_on,)
    return _without_time(talk, goal, meaning, offers)


def _choice(talk: Talk, meaning: Meaning, offers: tuple[When, ...]) -> tuple[When | None, tuple[When, ...]]:
    """The time chosen, or else those that the callee may have meant."""
    offering = talk.asked is Asked.OFFER
    pool = talk.offered if offering else tuple(dict.fromkeys((*talk.offered, *offers)))
    if offering and pool and (place := _pointed(meaning, len(pool))) is not None:
        return pool[place], ()
    for wanted in meaning.times:
        fitting = tuple(time for time in pool if time.fits(wanted))
        settled = not wanted.vague or (offering and (wanted.day or Intent.CHANGE not in meaning))
        if fitting:
            return (fitting[0], ()) if settled and len(fitting) == 1 else (None, fitting[:3])
    return None, ()


def _pointed(meaning: Meaning, count: int) -> int | None:
    """Which of the offers was pointed at without being named."""
    if Intent.FIRST in meaning or (Intent.ANY in meaning and Intent.NO not in meaning):
        return 0
    if Intent.LAST in meaning:
        return count - 1
    agreed = Intent.YES in meaning and not meaning.times and Intent.CHANGE not in meaning
    return 0 if agreed and count == 1 else None


def _without_time(talk: Talk, goal: Goal, meaning: Meaning, offers: tuple[When, ...]) -> Settled:
    """A yes, no or maybe to a time."""
    refused = Intent.NO in meaning or bool(meaning.refused)
    if refused and talk.asked is Asked.WHEN:
        note = "the time does not work, no new time agreed" if goal.when else "no time agreed"
        return talk.done(Outcome.FOLLOW_UP, note), ("No problem, someone will follow up to find a time.",)
    if refused or Intent.CHANGE in meaning:
        fresh = tuple(time for time in offers if time not in talk.offered)[:3]
        if refused and not fresh and not goal.movable:
            return talk.done(Outcome.DECLINED, said(meaning)), (UNDERSTOOD,)
        asked = Asked.OFFER if fresh else Asked.WHEN
        return replace(talk, asked=asked, offered=fresh or talk.offered), ("No problem.",)
    if Intent.MAYBE in meaning and not (Intent.YES in meaning and meaning.firm):
        if goal.when and talk.asked is Asked.GOAL:
            return replace(talk, asked=Asked.SURE), ("I understand.",)
        return talk.done(Outcome.FOLLOW_UP, "not sure yet"), (SOMEONE,)
    if Intent.YES in meaning or (meaning.times and talk.asked is Asked.GOAL):
        if goal.when and talk.asked is Asked.GOAL:
            return talk.done(_agreed(goal), "confirmed"), (THANKS,)
        return talk, ("All right.",)
    return talk, ()


def _named(found: tuple[When, ...]) -> str:
    return " or ".join(time.text for time in found)
