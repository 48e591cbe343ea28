"""One rehearsed call, as far as it has come: pure, each step gives the call after it.

What the house does by itself in a call it does here too: it opens the call, it leaves the message on a machine, it asks
whether a silent callee is still there, and it says goodbye where a model ends a call without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from backend.call import manners
from backend.call.manners import Manners
from backend.models import Brief, Conversation, Outcome, Speaker, ToolUse, Utterance
from backend.rehearsal import callees
from backend.rehearsal.callees import Callee

UNATTENDED = "Nobody is at the desk to answer that. Say that someone will follow up, and go on."
"""What a model is told that asks the operator, whom a rehearsal does not have."""
USUAL = Manners()
"""Where no settings say otherwise."""


@dataclass(frozen=True)
class Held:
    callee: Callee
    conversation: Conversation
    today: date
    manners: Manners = USUAL
    """As in the call that would be made."""
    tools: tuple[ToolUse, ...] = ()
    """What the agent asked for, in order."""
    outcome: Outcome | None = None
    """None while it goes on, and where it never came to an end."""
    note: str = ""
    over: bool = False
    troubles: tuple[str, ...] = ()
    """What went wrong with the model, each a plain sentence."""

    @classmethod
    def begun(cls, callee: Callee, brief: Brief, today: date, conduct: Manners = USUAL) -> Self:
        """The phone was picked up, and the agent has said its first words."""
        call = cls(callee, Conversation(brief, today=today), today, conduct).heard(callees.hello(callee, brief))
        if callee.persona.machine:
            # The carrier tells people from machines; the message is the house's own.
            return call.spoken(manners.voicemail(brief, conduct.discloses, conduct.callback)).ended(Outcome.VOICEMAIL)
        return call.spoken(manners.opening(brief, conduct.discloses, conduct.notice))

    @property
    def brief(self) -> Brief:
        return self.conversation.brief

    @property
    def lines(self) -> tuple[Utterance, ...]:
        return self.conversation.lines

    @property
    def said(self) -> tuple[str, ...]:
        """The agent's turns."""
        return tuple(line.text for line in self.lines if line.speaker is Speaker.AGENT)

    @property
    def exchanges(self) -> Iterator[tuple[str, str]]:
        """The callee's words and what the agent said to them, one pair for each of the agent's turns."""
        words = ""
        for line in self.lines:
            match line.speaker:
                case Speaker.CALLEE:
                    words = line.text
                case Speaker.AGENT:
                    yield words, line.text

    @property
    def answers_due(self) -> bool:
        """Whether it is the agent's turn."""
        return not self.over and self.lines[-1].speaker is not Speaker.AGENT

    # --- one step -------------------------------------------------------------------------------------------

    def listened(self) -> Self:
        """After the callee's next words; where it keeps silent, after what the house says to that."""
        reply = callees.reply(self.callee, self.said)
        if reply.hangs_up:
            return self.heard(reply.words).ended(Outcome.HUNG_UP)
        if reply.words:
            return self.heard(reply.words)
        if self.said.count(manners.STILL_THERE) >= self.manners.check_ins:
            return self.spoken(manners.SILENT_GOODBYE).ended(Outcome.UNCLEAR)
        return self.spoken(manners.STILL_THERE)

    def answered(self, words: str, tools: tuple[ToolUse, ...]) -> Self:
        """After the agent's answer."""
        used = {tool.name: tool.arguments for tool in tools}
        if not (words or used):
            return self.troubled("The language model answered without words.")
        call = replace(self, tools=(*self.tools, *tools))
        if words or "end_call" in used:
            call = call.spoken(words or manners.GOODBYE)
        if "end_call" in used:
            said, note = str(used["end_call"].get("outcome", "")), str(used["end_call"].get("note", ""))
            return call.ended(Outcome(said) if said in set(Outcome) else Outcome.UNCLEAR, note)
        if "transfer" in used:
            return call.ended(Outcome.TRANSFERRED)
        return call.noted(UNATTENDED) if "ask_operator" in used else call

    def heard(self, words: str) -> Self:
        return replace(self, conversation=self.conversation.plus(Speaker.CALLEE, words))

    def spoken(self, words: str) -> Self:
        return replace(self, conversation=self.conversation.plus(Speaker.AGENT, words))

    def noted(self, words: str) -> Self:
        return replace(self, conversation=self.conversation.plus(Speaker.NOTE, words))

    def ended(self, outcome: Outcome | None, note: str = "") -> Self:
        return replace(self, outcome=outcome, note=note, over=True)

    def troubled(self, what: str) -> Self:
        """The model failed, and with it this call."""
        return replace(self, troubles=(*self.troubles, what), over=True)
