"""The turns of a call in the order they began, kept true to what was heard. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from backend.models import Brief, Conversation, Fact, Speaker, Turn, TurnState, Utterance


class Transcript:
    def __init__(self, brief: Brief, today: date | None = None) -> None:
        self._brief = brief
        self._today = today
        self._turns: list[Turn] = []

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(self._turns)

    def callee(self, text: str, complete: bool, now: float) -> Turn:
        """The callee's turn so far; one open turn at a time."""
        return self._said(Speaker.CALLEE, text, complete, now)

    def operator(self, text: str, complete: bool, now: float) -> Turn:
        """The operator's turn so far, in their own voice: the same."""
        return self._said(Speaker.OPERATOR, text, complete, now)

    def _said(self, speaker: Speaker, text: str, complete: bool, now: float) -> Turn:
        turn = self._open(speaker) or self._add(speaker, now)
        return self._put(
            replace(
                turn,
                text=text,
                heard=text,
                state=TurnState.DONE if complete else TurnState.OPEN,
                ended=now if complete else None,
            )
        )

    def agent(
        self, text: str, heard: str, now: float, timings: Mapping[str, float], facts: tuple[Fact, ...] = ()
    ) -> Turn:
        """The agent's turn under way: what is meant to be said so far, what of it was played, and what it rests on."""
        turn = self._open(Speaker.AGENT) or self._add(Speaker.AGENT, now)
        return self._put(replace(turn, text=text, heard=heard, timings=dict(timings), facts=facts))

    def note(self, text: str, now: float) -> Turn:
        """Something that was done and not said."""
        turn = self._add(Speaker.NOTE, now)
        return self._put(replace(turn, text=text, heard=text, state=TurnState.DONE, ended=now))

    def agent_ends(self, heard: str, cut: bool, now: float) -> Turn | None:
        """Close the agent's turn under way, if any of it was ever spoken."""
        turn = self._open(Speaker.AGENT)
        if turn is None:
            return None
        return self._put(replace(turn, heard=heard, state=TurnState.CUT if cut else TurnState.DONE, ended=now))

    def conversation(self) -> Conversation:
        """What a language model may know: of the agent's words only those that were heard."""
        said = (Utterance(turn.speaker, turn.heard, turn.state is TurnState.CUT, turn.number) for turn in self._turns)
        return Conversation(self._brief, tuple(line for line in said if line.text or line.cut), self._today)

    def _open(self, speaker: Speaker) -> Turn | None:
        of_speaker = (turn for turn in reversed(self._turns) if turn.speaker is speaker)
        last = next(of_speaker, None)
        return last if last and last.state is TurnState.OPEN else None

    def _add(self, speaker: Speaker, now: float) -> Turn:
        self._turns.append(Turn(len(self._turns) + 1, speaker, "", "", TurnState.OPEN, now))
        return self._turns[-1]

    def _put(self, turn: Turn) -> Turn:
        self._turns[turn.number - 1] = turn
        return turn
