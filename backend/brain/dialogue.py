"""The offline brain's manners: what to say next, given what was said so far. Pure, and without memory.

The state of a call is recomputed from its lines for every answer, so an interruption, or a sentence that the operator
spoke, changes it as it should.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from backend.brain import agreement, privacy
from backend.brain.conduct import (
    CALLBACK,
    NOT_KNOWN,
    PARDON,
    WHAT,
    Conduct,
    Reply,
)
from backend.brain.errand import sentence
from backend.brain.intents import Intent, Meaning, understand
from backend.brain.talk import Asked, Talk
from backend.models import Conversation, Outcome, Speaker


@dataclass(frozen=True)
class Dialogue(Conduct):
    """One call's rules of conversation, made from its brief."""

    # --- the state, from the lines ---------------------------------------------------------------------------

    def replay(self, conversation: Conversation) -> tuple[Talk, str]:
        """The state before the callee's latest turn, and that turn's words; none if the agent spoke last."""
        talk, words = Talk(), ""
        for line in conversation.lines:
            if line.speaker is Speaker.NOTE:
                continue
            if line.speaker is Speaker.CALLEE:
                words = f"{words}. {line.text}" if words else line.text
                continue
            if words:
                talk, words = self.respond(talk, words)[0], ""
            talk = talk.hearing(line.text, self._goal(talk), colleague=line.speaker is Speaker.OPERATOR)
        return talk, words

    # --- one answer ------------------------------------------------------------------------------------------

    def respond(self, talk: Talk, words: str, known: str = "") -> tuple[Talk, Reply]:
        """The state after the callee's words, and what to say to them; `known` is what the operator adds as fact."""
        meaning = self._read(talk, words)
        if talk.aside:
            talk = replace(talk, aside=False)
            if not (meaning.questions or meaning.times or meaning.intents & _MATTERS):
                return talk, self._taken_up(talk, meaning)
        talk = replace(talk, known=talk.known or self._identified(talk, meaning))
        after, reply = self._about_call(talk, meaning) or self._about_matter(talk, meaning, known)
        after = replace(after, question=meaning.questions[-1] if meaning.questions else "")
        been = talk.been | {talk.place}
        stalled = talk.stalled + (meaning.words in talk.said and after.place in been)
        after = replace(after, stalled=stalled, said=talk.said | {meaning.words}, been=been)
        # Somebody who keeps saying the same thing would otherwise keep the line open for ever.
        if stalled >= 3 and reply.outcome is None:
            return after, self.close(after, "I'm afraid I can't help any further, but someone will follow up with you.")
        return after, reply

    def _taken_up(self, talk: Talk, meaning: Meaning) -> Reply:
        """A colleague has talked to the callee: a yes or no after that settles nothing of the matter itself."""
        if Intent.NO in meaning and Intent.YES not in meaning:
            return self.close(talk, "All right, thank you for your time.", note="the operator has talked with them")
        return self.go_on(talk)

    def _read(self, talk: Talk, words: str) -> Meaning:
        """The words as meant after what was asked before them."""
        meaning = understand(words)
        goal = self._goal(talk)
        choosing = bool(goal and goal.movable) or talk.asked in {Asked.OFFER, Asked.WHEN, Asked.CALLBACK}
        if question := self.knowledge.leaning(meaning, talk.question, talk.last, choosing):
            meant = meaning.intents - {Intent.YES, Intent.NO, Intent.CHANGE}
            return replace(meaning, intents=meant, questions=(question,), times=(), refused=(), firm=False)
        return meaning

    def _identified(self, talk: Talk, meaning: Meaning) -> bool:
        asked = talk.asked is Asked.IDENTITY and Intent.YES in meaning and privacy.affirms(meaning)
        return asked or privacy.names_itself(meaning, self.brief.callee_name)

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
        following = self._goal(after)
        if goal and following and after.settled > before.settled and agreement.answers_when(following, meaning):
            # "I'll pay it on Friday" need not be asked when.
            after, sentences = agreement.settle(after, following, meaning, self.offers)
        if goal and meaning.intents & {Intent.CANCEL, Intent.REFUSAL}:
            # Whoever wants nothing of it is not asked the rest.
            after = replace(after, settled=len(self.goals))
        after, answers = self._answers(after, meaning, known)
        if not sentences and not answers:
            return self._left_open(after, meaning)
        return self._onward(replace(after, puzzled=0), (*sentences, *answers), meaning)

    def _opened(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        """The callee's first words, before anything was said about the matter."""
        refused = Intent.NO in meaning and Intent.YES not in meaning
        if refused and talk.asked is Asked.IDENTITY:
            return self._wrong_person(talk, meaning)
        if Intent.REFUSAL in meaning:
            return talk, self.close(talk, agreement.UNDERSTOOD, outcome=Outcome.DECLINED, note=agreement.said(meaning))
        if refused and not self.known(talk) and meaning.questions:
            return self._unidentified(talk, meaning)
        if refused:
            return replace(talk, asked=Asked.CALLBACK), Reply(("No problem.", CALLBACK))
        if Intent.GOODBYE in meaning:
            return talk, self.close(talk, note="said goodbye before hearing the reason")
        if not self.known(talk):
            return self._unidentified(talk, meaning)
        after, reply = self._onward(talk, ("It only takes a minute.",) if Intent.BRIEFLY in meaning else ())
        return after, reply

    def _unidentified(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        """A private matter waits until the callee has said who is speaking."""
        if talk.puzzled > 1:
            sorry = "I can only talk about it with them, so we'll try again another time."
            return talk, self.close(talk, sorry, outcome=Outcome.CALL_BACK, note="did not say who was speaking")
        pressed = meaning.questions or Intent.WHY in meaning or talk.asked is Asked.IDENTITY
        why = (f"It's a personal matter for {self.name}.",) if pressed else ()
        return self._asking(replace(talk, puzzled=talk.puzzled + 1), *why)

    def _reopened(self, talk: Talk, meaning: Meaning) -> Talk:
        """A change of mind opens what was settled last."""
        if Intent.CORRECTION in meaning:
            return talk.taken_back()
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
        """The callee's questions answered in their order from what may be said, or honestly not."""
        found: list[str] = []
        for question, answer in self.knowledge.answers(meaning.questions, talk.question, talk.last, known):
            if not answer:
                talk = talk.wondering(question)
            found.append(sentence(answer) if answer else NOT_KNOWN)
        return replace(talk, curious=talk.curious or bool(meaning.questions)), tuple(dict.fromkeys(found))

    def _left_open(self, talk: Talk, meaning: Meaning) -> tuple[Talk, Reply]:
        """The words neither settled nor asked anything."""
        if self._goal(talk) is None:
            return self._idle(talk, meaning)
        if Intent.GOODBYE in meaning:
            return talk, self.close(talk, "Thank you for your time.", note="said goodbye before answering")
        for intent, said in ((Intent.THANKS, "You're welcome."), (Intent.GREETING, "Hello, I'm here.")):
            if intent in meaning:
                return talk, Reply((said, self._again(talk)))
        if _STATES.match(meaning.words) and agreement.telling(meaning):
            # A plain statement that is neither yes nor no: somebody shall look at it.
            told = talk.done(Outcome.FOLLOW_UP, agreement.said(meaning))
            return self._onward(told, (agreement.UNDERSTOOD,), meaning)
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


_MATTERS = frozenset(
    {Intent.STOP, Intent.REFUSAL, Intent.CANCEL, Intent.CHANGE, Intent.WRONG_PERSON, Intent.NOT_HERE, Intent.GOODBYE}
)
"""What is to be heeded whoever it was said to."""
_STATES = re.compile(r"(?:(?:well|but|so|okay) )*(?:we|we're|i|i'm|there|there's|it's|my|our)(?: \S+){3,}")
