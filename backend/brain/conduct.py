"""A call's conduct: who is calling, whom one wants, when to call again; how a goal is put and the call ended. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from backend.brain import agreement, privacy, retrieval
from backend.brain.errand import Goal, goals, sentence
from backend.brain.intents import Intent, Meaning
from backend.brain.knowledge import Knowledge
from backend.brain.sense import Sense
from backend.brain.talk import Asked, Talk
from backend.brain.times import WEEKDAYS, When
from backend.models import Brief, Direction, Outcome

MOMENT = "Do you have a moment?"
GO_ON = "Is it all right if I go on?"
WHICH = "Which day and time would suit you?"
SURE = "Shall I note that as a yes?"
CALLBACK = "When would be a good time to call back?"
ANYTHING_ELSE = "Is there anything else I can help with?"
WHAT = "What would you like to know?"
NOT_KNOWN = "I don't have that information, but someone will follow up with you."
PARDON = "Sorry, I didn't catch that. Could you say it again?"
NOT_MINE = "I'm sorry, I can't help with that."
GOODBYE = "Have a good day. Goodbye."


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say, sentence by sentence; with an outcome the call ends after it."""

    sentences: tuple[str, ...]
    outcome: Outcome | None = None
    note: str = ""
    questions: tuple[str, ...] = ()
    """What the callee wants to know and the brief does not say: for somebody to follow up."""


def greeting(brief: Brief) -> str:
    """Who is calling, for a call whose opening line was not spoken."""
    name = f" {brief.first_name}" if brief.first_name else ""
    for_whom = f" calling for {brief.organization}" if brief.organization else ""
    return f"Hi{name}, this is {brief.agent_name}, an AI assistant{for_whom}."


@dataclass(frozen=True)
class Conduct:
    """What one call's brief makes of the call itself, whatever its matter."""

    brief: Brief
    sense: Sense | None = None
    """Finds answers that the rules do not, if there is one."""

    @cached_property
    def knowledge(self) -> Knowledge:
        return Knowledge(self.brief, self.goals, self.sense)

    @cached_property
    def private(self) -> bool:
        """Whether the matter is for the callee's ears only."""
        return privacy.private(self.brief)

    def known(self, talk: Talk) -> bool:
        """Whether the matter may be told to whoever is on the line."""
        return talk.known or not self.private

    @cached_property
    def name(self) -> str:
        """Whom to ask for: in full where it matters that it is the right one."""
        return self.brief.callee_name.strip() if self.private else self.brief.first_name

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """An incoming call has none: there the caller has the goals."""
        if self.brief.direction is Direction.INBOUND:
            return ()
        return goals(self.brief.action, self.brief.first_name)

    @cached_property
    def offers(self) -> tuple[When, ...]:
        return retrieval.offers(self.brief.context)

    def _goal(self, talk: Talk) -> Goal | None:
        return self.goals[talk.settled] if talk.settled < len(self.goals) else None

    def close(self, talk: Talk, *sentences: str, outcome: Outcome | None = None, note: str = "") -> Reply:
        """Say goodbye and end the call with what was agreed, if anything was."""
        ended = outcome or talk.outcome or Outcome.FOLLOW_UP
        notes = talk.noting(note).notes if note else talk.notes
        return Reply((*sentences, GOODBYE), ended, "; ".join(notes))

    @cached_property
    def caller(self) -> str:
        """Who is speaking, honestly."""
        for_whom = f" calling for {self.brief.organization}" if self.brief.organization else ""
        return f"an AI assistant{for_whom}"

    # --- what concerns the call itself rather than its matter ---------------------------------------------------

    def _about_call(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        """What concerns the call itself rather than its matter."""
        for intent, answer in (
            (Intent.MACHINE, self._machine),
            (Intent.STOP, self._opt_out),
            (Intent.WRONG_PERSON, self._wrong_person),
            (Intent.NOT_HERE, self._not_here),
            (Intent.HUMAN, self._human),
            (Intent.BUSY, self._busy),
            (Intent.ORDERS, self._orders),
            (Intent.ROBOT, self._robot),
            (Intent.WHO, self._who),
            (Intent.HOLD, self._hold),
            (Intent.REPEAT, self._repeat),
            (Intent.WHY, self._why),
        ):
            if intent in meaning and (answered := answer(talk, meaning)):
                return answered
        return None

    def _machine(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        return None if talk.put or not self.goals else (talk, self.message())

    def message(self) -> Reply:
        """One message for a voicemail: who, why if that is nobody's secret, and a request to call back."""
        why = self.goals[0].statement if self.goals and not self.private else ""
        said = (greeting(self.brief), why, "Please call us back. Goodbye.")
        return Reply(tuple(filter(None, said)), Outcome.VOICEMAIL, "left a message asking to call back")

    def _orders(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        return self._aside(talk, NOT_MINE)

    def _aside(self, talk: Talk, said: str) -> tuple[Talk, Reply]:
        """Something that leads nowhere is answered, and then the question in hand is asked again."""
        if talk.put or not self.goals:
            return talk, Reply((said, self._again(talk)))
        return self._asking(talk, said) if self.name else (talk, Reply((said, GO_ON)))

    def _asking(self, talk: Talk, *sentences: str) -> tuple[Talk, Reply]:
        return replace(talk, asked=Asked.IDENTITY), Reply((*sentences, f"Am I speaking with {self.name}?"))

    def _opt_out(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        sorry = "I'm sorry for the disturbance. We won't call you again."
        return talk, self.close(talk, sorry, outcome=Outcome.OPTED_OUT, note="asked not to be called again")

    def _wrong_person(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        sorry = "I'm sorry, I must have the wrong number."
        return talk, self.close(talk, sorry, outcome=Outcome.WRONG_PERSON, note="wrong person or number")

    def _not_here(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        # Whoever has heard what it is about and goes on talking of "her" means somebody else.
        if talk.put and "message" not in meaning.words:
            return None
        # The matter is nobody else's business, so no message is left with them.
        when = _phrased(meaning.times[-1]) if meaning.times else ""
        thanks = sentence(f"Thanks for letting me know, we'll try again {when or 'another time'}")
        note = f"the person was not there{f', expected {when}' if when else ''}"
        return talk, self.close(talk, thanks, outcome=Outcome.CALL_BACK, note=note)

    def _human(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        return talk, self.close(talk, "Of course, someone will call you back.", note="wants to talk to a person")

    def _busy(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        excuse = Intent.NO in meaning and talk.put > talk.settled
        if excuse or (talk.outcome and not self._goal(talk)):
            return None
        if meaning.times or meaning.refused or "call you back" in meaning.words or talk.asked is Asked.CALLBACK:
            return talk, self._call_back(talk, meaning)
        return replace(talk, asked=Asked.CALLBACK), Reply(("No problem.", CALLBACK))

    def _call_back(self, talk: Talk, meaning: Meaning) -> Reply:
        if "call you back" in meaning.words:
            return self.close(talk, "All right, thank you.", outcome=Outcome.CALL_BACK, note="will call back")
        # "I can't talk now, ring me tomorrow" refuses no time, though nothing parts the two.
        when = " or ".join(time.text for time in meaning.times or meaning.refused)
        said = sentence(f"All right, I'll note that: {when}") if when else "All right, we'll try again another time."
        return self.close(talk, said, outcome=Outcome.CALL_BACK, note=f"call back {when or 'another time'}")

    def _robot(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        return talk, Reply((f"Yes, I'm {self.caller}.", self._again(talk) if talk.put else GO_ON))

    def _who(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        me = f"This is {self.brief.agent_name}, {self.caller}."
        if talk.put or not self.goals:
            return talk, Reply((me, self._again(talk)))
        if Intent.WHY in meaning and self.known(talk):
            return self._onward(talk, (me,))
        return self._asking(talk, me) if self.name else (talk, Reply((me, MOMENT)))

    def _hold(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        if meaning.times or meaning.questions:
            return None
        # Whoever comes back to the phone may be somebody else, and their "yes" is no answer to who they are.
        asked = Asked.MOMENT if talk.asked is Asked.IDENTITY else talk.asked
        return replace(talk, asked=asked), Reply(("Sure, take your time.",))

    def _repeat(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        if not talk.put and self.goals:
            return talk, Reply((f"This is {self.brief.agent_name}, {self.caller}.", MOMENT))
        return talk, Reply(retrieval.sentences(talk.last)[-3:] or (ANYTHING_ELSE,))

    def _why(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        goal = self._goal(talk)
        return (talk, Reply(self._pitch(goal, talk))) if goal and talk.put > talk.settled else None

    # --- going on --------------------------------------------------------------------------------------------

    def _onward(self, talk: Talk, sentences: tuple[str, ...], meaning: Meaning | None = None) -> tuple[Talk, Reply]:
        """After these sentences: the next thing to ask, or goodbye."""
        goal = self._goal(talk)
        if goal and talk.put <= talk.settled:
            return talk, Reply((*sentences, *self._pitch(goal, talk)))
        if goal:
            waits = sentences[-1:] == (agreement.GO_AHEAD,)
            again = () if waits else (self._again(talk),)
            return talk, Reply((*(said for said in sentences if said not in again), *again))
        leaving = meaning and not meaning.questions and meaning.intents & {Intent.GOODBYE, Intent.NOTHING_ELSE}
        if talk.curious and not leaving:
            return replace(talk, asked=Asked.ELSE), Reply((*sentences, ANYTHING_ELSE))
        return talk, self.close(talk, *sentences)

    def go_on(self, talk: Talk) -> Reply:
        """Take up again what was cut off without a word from the callee."""
        return self._onward(talk, ())[1] if talk.said or talk.put else Reply((MOMENT,))

    def _pitch(self, goal: Goal, talk: Talk) -> tuple[str, ...]:
        """A goal put for the first time."""
        first = talk.settled == 0
        statement = goal.statement or ("I'm calling with a short question." if first else "")
        if not first:
            statement = statement.replace("I'm calling", "I'm also calling", 1)
        question = goal.question or (self._offer(self.offers[:3]) if self.offers else WHICH)
        return (*retrieval.sentences(statement), question)

    def _again(self, talk: Talk) -> str:
        """The open question, asked once more."""
        goal = self._goal(talk)
        if goal is None:
            return ANYTHING_ELSE
        if talk.asked is Asked.OFFER and talk.offered:
            return self._offer(talk.offered)
        if talk.asked is Asked.SURE:
            return SURE
        return WHICH if talk.asked is Asked.WHEN or not goal.again else goal.again

    def _offer(self, offered: tuple[When, ...]) -> str:
        return f"Would {' or '.join(time.text for time in offered)} work for you?"


def _phrased(when: When) -> str:
    """A time after "try again": "at six", "on Friday", "after seven"."""
    if (
        when.clock is not None
        and not (when.day or when.date)
        and not re.match(r"(?:after|before|around|about) ", when.text)
    ):
        return f"at {when.text}"
    return f"on {when.text}" if re.match("|".join(WEEKDAYS), when.text, re.IGNORECASE) else when.text
