"""The offline brain's manners: what to say next, given what was said so far. Pure, and without memory.

The state of a call is recomputed from its lines for every answer, so an interruption, or a sentence that the operator
spoke, changes it as it should.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from backend.brain import agreement, retrieval
from backend.brain.errand import Goal, goals, sentence
from backend.brain.intents import Intent, Meaning, understand
from backend.brain.talk import Asked, Talk
from backend.brain.times import When
from backend.models import Brief, Conversation, Direction, Outcome, Speaker

MOMENT = "Do you have a moment?"
GO_ON = "Is it all right if I go on?"
WHICH = "Which day and time would suit you?"
SURE = "Shall I note that as a yes?"
CALLBACK = "When would be a good time to call back?"
ANYTHING_ELSE = "Is there anything else I can help with?"
WHAT = "What would you like to know?"
NOT_KNOWN = "I don't have that information, but someone will follow up with you."
PARDON = "Sorry, I didn't catch that. Could you say it again?"
GOODBYE = "Have a good day. Goodbye."


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say, sentence by sentence; with an outcome the call ends after it."""

    sentences: tuple[str, ...]
    outcome: Outcome | None = None
    note: str = ""


@dataclass(frozen=True)
class Dialogue:
    """One call's rules of conversation, made from its brief."""

    brief: Brief

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """An incoming call has none: there the caller has the goals."""
        if self.brief.direction is Direction.INBOUND:
            return ()
        return goals(self.brief.action, self.brief.first_name)

    @cached_property
    def offers(self) -> tuple[When, ...]:
        return retrieval.offers(self.brief.context)

    # --- the state, from the lines ---------------------------------------------------------------------------

    def replay(self, conversation: Conversation) -> tuple[Talk, str]:
        """The state before the callee's latest turn, and that turn's words; none if the agent spoke last."""
        talk, words = Talk(), ""
        for line in conversation.lines:
            if line.speaker is Speaker.CALLEE:
                words = f"{words}. {line.text}" if words else line.text
                continue
            if words:
                talk, words = self.respond(talk, words)[0], ""
            talk = talk.hearing(line.text, self._goal(talk))
        return talk, words

    def _goal(self, talk: Talk) -> Goal | None:
        return self.goals[talk.settled] if talk.settled < len(self.goals) else None

    # --- one answer ------------------------------------------------------------------------------------------

    def respond(self, talk: Talk, words: str, known: str = "") -> tuple[Talk, Reply]:
        """The state after the callee's words, and what to say to them; `known` is what the operator adds as fact."""
        meaning = understand(words)
        after, reply = self._about_call(talk, meaning) or self._about_matter(talk, meaning, known)
        led = (after.asked, after.settled, after.put) != (talk.asked, talk.settled, talk.put)
        stalled = talk.stalled + (meaning.words in talk.said and not led)
        after = replace(after, stalled=stalled, said=talk.said | {meaning.words})
        # Somebody who keeps saying the same thing would otherwise keep the line open for ever.
        if stalled >= 3 and reply.outcome is None:
            return after, self.close(after, "I'm afraid I can't help any further, but someone will follow up with you.")
        return after, reply

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

    def _about_call(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        """What concerns the call itself rather than its matter."""
        for intent, answer in (
            (Intent.STOP, self._opt_out),
            (Intent.WRONG_PERSON, self._wrong_person),
            (Intent.NOT_HERE, self._not_here),
            (Intent.HUMAN, self._human),
            (Intent.BUSY, self._busy),
            (Intent.ROBOT, self._robot),
            (Intent.WHO, self._who),
            (Intent.HOLD, self._hold),
            (Intent.REPEAT, self._repeat),
            (Intent.WHY, self._why),
        ):
            if intent in meaning and (answered := answer(talk, meaning)):
                return answered
        return None

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
        thanks = "Thanks for letting me know, we'll try again another time."
        return talk, self.close(talk, thanks, outcome=Outcome.CALL_BACK, note="the person was not there")

    def _human(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        return talk, self.close(talk, "Of course, someone will call you back.", note="wants to talk to a person")

    def _busy(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        excuse = Intent.NO in meaning and talk.put > talk.settled
        if excuse or (talk.outcome and not self._goal(talk)):
            return None
        if meaning.times or "call you back" in meaning.words or talk.asked is Asked.CALLBACK:
            return talk, self._call_back(talk, meaning)
        return replace(talk, asked=Asked.CALLBACK), Reply(("No problem.", CALLBACK))

    def _call_back(self, talk: Talk, meaning: Meaning) -> Reply:
        if "call you back" in meaning.words:
            return self.close(talk, "All right, thank you.", outcome=Outcome.CALL_BACK, note="will call back")
        when = " or ".join(time.text for time in meaning.times)
        said = sentence(f"All right, I'll note that: {when}") if when else "All right, we'll try again another time."
        return self.close(talk, said, outcome=Outcome.CALL_BACK, note=f"call back {when or 'another time'}")

    def _robot(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        return talk, Reply((f"Yes, I'm {self.caller}.", self._again(talk) if talk.put else GO_ON))

    def _who(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        me = f"This is {self.brief.agent_name}, {self.caller}."
        if talk.put or not self.goals:
            return talk, Reply((me, self._again(talk)))
        if Intent.WHY in meaning:
            return self._onward(talk, (me,))
        name = self.brief.first_name
        return talk, Reply((me, f"Am I speaking with {name}?" if name else MOMENT))

    def _hold(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        return None if meaning.times or meaning.questions else (talk, Reply(("Sure, take your time.",)))

    def _repeat(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        if not talk.put and self.goals:
            return talk, Reply((f"This is {self.brief.agent_name}, {self.caller}.", MOMENT))
        return talk, Reply(retrieval.sentences(talk.last)[-3:] or (ANYTHING_ELSE,))

    def _why(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply] | None:
        goal = self._goal(talk)
        return (talk, Reply(self._pitch(goal, talk))) if goal and talk.put > talk.settled else None

    # --- the matter ------------------------------------------------------------------------------------------

    def _about_matter(self, talk: Talk, meaning: Meaning, known: str) -> tuple[Talk, Reply]:
        if talk.asked is Asked.CALLBACK:
            return talk, self._call_back(talk, meaning)
        if talk.put == 0 and self.goals:
            return self._opened(talk, meaning)
        before = self._reopened(talk, meaning)
        goal = self._goal(before)
        after, sentences = (
            agreement.settle(before, goal, meaning, self.offers) if goal else self._remark(before, meaning)
        )
        after, answers = self._answers(after, meaning, known)
        if not sentences and not answers:
            return self._left_open(after, meaning)
        return self._onward(replace(after, puzzled=0), (*sentences, *answers), meaning)

    def _opened(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        """The callee's first words, before anything was said about the matter."""
        refused = Intent.NO in meaning and Intent.YES not in meaning
        if refused and talk.asked is Asked.IDENTITY:
            return self._wrong_person(talk, meaning)
        if refused:
            return replace(talk, asked=Asked.CALLBACK), Reply(("No problem.", CALLBACK))
        if Intent.GOODBYE in meaning:
            return talk, self.close(talk, note="said goodbye before hearing the reason")
        return self._onward(talk, ("It only takes a minute.",) if Intent.BRIEFLY in meaning else ())

    def _reopened(self, talk: Talk, meaning: Meaning) -> Talk:
        """A change of mind opens what was settled last."""
        changed = {Intent.CHANGE, Intent.CANCEL} & meaning.intents or meaning.refused
        if self._goal(talk) or not self.goals or not changed or not self.goals[-1].movable:
            return talk
        kept = tuple(note for note in talk.notes if "not known" in note)
        return replace(talk, settled=talk.settled - 1, outcome=None, notes=kept, asked=Asked.GOAL)

    def _remark(self, talk: Talk, meaning: Meaning) -> tuple[Talk, tuple[str, ...]]:
        """Something said when nothing is left to settle: a wish is passed on, a courtesy needs no words."""
        if meaning.questions or not agreement.telling(meaning):
            return talk, ()
        outcome = talk.outcome or Outcome.FOLLOW_UP
        told = replace(talk, outcome=outcome, curious=talk.curious or not self.goals)
        return told.noting(agreement.said(meaning)), (agreement.PASS_ON,)

    def _answers(self, talk: Talk, meaning: Meaning, known: str) -> tuple[Talk, tuple[str, ...]]:
        """The callee's questions answered from what may be said, or honestly not."""
        found: list[str] = []
        for question in meaning.questions[:2]:
            # What the call is for is told already; it answers only what the context leaves open.
            texts = (f"{known}\n{self._facts}", "\n".join(goal.statement for goal in self.goals))
            answer = next(filter(None, (retrieval.answer(question, text, self._topic) for text in texts)), "")
            if not answer:
                talk = talk.noting(f"asked: {question}, not known")
            found.append(sentence(answer) if answer else NOT_KNOWN)
        return replace(talk, curious=talk.curious or bool(meaning.questions)), tuple(dict.fromkeys(found))

    @cached_property
    def _facts(self) -> str:
        return "\n".join((self.brief.context, *(f"It's {goal.when.text}." for goal in self.goals if goal.when)))

    @cached_property
    def _topic(self) -> str:
        return " ".join((self.brief.organization, *(goal.topic for goal in self.goals)))

    def _left_open(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        """The words neither settled nor asked anything."""
        if self._goal(talk) is None:
            return self._idle(talk, meaning)
        if Intent.GOODBYE in meaning:
            return talk, self.close(talk, "Thank you for your time.", note="said goodbye before answering")
        for intent, said in ((Intent.THANKS, "You're welcome."), (Intent.GREETING, "Hello, I'm here.")):
            if intent in meaning:
                return talk, Reply((said, self._again(talk)))
        if talk.puzzled:
            sorry = "I'm sorry, I still didn't get that, but someone will follow up with you."
            return talk, self.close(talk, sorry, note="could not be understood")
        return replace(talk, puzzled=1), Reply((PARDON,))

    def _idle(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        """Nothing is left to settle, and no question was asked."""
        invited = talk.asked is Asked.ELSE and meaning.only(Intent.YES) and not meaning.firm
        if (invited and len(meaning.words.split()) <= 3) or (not self.goals and Intent.GREETING in meaning):
            return replace(talk, asked=Asked.ELSE, curious=True), Reply((WHAT,))
        return talk, self.close(talk, "Thank you for your time.")

    # --- going on --------------------------------------------------------------------------------------------

    def _onward(self, talk: Talk, sentences: tuple[str, ...], meaning: Meaning | None = None) -> tuple[Talk, Reply]:
        """After these sentences: the next thing to ask, or goodbye."""
        goal = self._goal(talk)
        if goal and talk.put <= talk.settled:
            return talk, Reply((*sentences, *self._pitch(goal, talk)))
        if goal:
            waits = sentences[-1:] == (agreement.GO_AHEAD,)
            return talk, Reply(sentences if waits else (*sentences, self._again(talk)))
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
