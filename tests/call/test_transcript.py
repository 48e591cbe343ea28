"""The transcript: turns in the order they began, and a history made of heard words only."""

from __future__ import annotations

from backend.call.transcript import Transcript
from backend.models import Brief, Speaker, TurnState, Utterance

BRIEF = Brief(to="+12025550143", action="Confirm the visit")


def test_a_callees_turn_grows_until_it_is_complete_and_the_next_words_begin_another() -> None:
    transcript = Transcript(BRIEF)
    transcript.callee("Yes", complete=False, now=1)
    transcript.callee("Yes please", complete=True, now=2)
    transcript.callee("And", complete=False, now=3)
    assert [(turn.number, turn.text, turn.state) for turn in transcript.turns] == [
        (1, "Yes please", TurnState.DONE),
        (2, "And", TurnState.OPEN),
    ]


def test_both_may_have_an_open_turn_and_each_keeps_its_place() -> None:
    transcript = Transcript(BRIEF)
    transcript.agent("Hello there", "Hello", 1, {})
    transcript.callee("Wait", complete=False, now=2)
    transcript.agent_ends("Hello", cut=True, now=3)
    transcript.callee("Wait please", complete=True, now=4)
    assert [(turn.speaker, turn.heard, turn.state) for turn in transcript.turns] == [
        (Speaker.AGENT, "Hello", TurnState.CUT),
        (Speaker.CALLEE, "Wait please", TurnState.DONE),
    ]


def test_the_history_holds_only_heard_words_and_marks_what_was_cut() -> None:
    transcript = Transcript(BRIEF)
    transcript.agent("Hello there, how are you?", "", 1, {})
    transcript.agent_ends("Hello there,", cut=True, now=2)
    transcript.callee("Fine", complete=True, now=3)
    transcript.agent("Good to hear", "", 4, {})
    assert transcript.conversation().lines == (
        Utterance(Speaker.AGENT, "Hello there,", cut=True, turn=1),
        Utterance(Speaker.CALLEE, "Fine", turn=2),
    )


def test_a_note_has_its_place_among_the_turns_and_interrupts_none() -> None:
    transcript = Transcript(BRIEF)
    transcript.agent("Let me check", "", 1, {})
    note = transcript.note("Asked the operator: is there a lift?", 2)
    assert (note.number, note.speaker, note.state) == (2, Speaker.NOTE, TurnState.DONE)
    assert transcript.agent("Let me check that.", "Let me", 3, {}).number == 1
    assert transcript.conversation().lines[-1] == Utterance(Speaker.NOTE, note.text, turn=2)


def test_a_turn_of_the_agent_that_never_began_cannot_end() -> None:
    assert Transcript(BRIEF).agent_ends("", cut=True, now=1) is None
