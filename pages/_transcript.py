"""What was said in a call and what happened meanwhile, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from itertools import groupby

import _player
import _ui
import streamlit as st

from backend.models import Call, Event, Fact, Speaker, Turn, TurnState
from backend.storage.measures import delays
from backend.storage.store import Archive

_LAST_TURNS = 60
"""How many turns are drawn while a call is polled; more would cost the browser and the server too much."""

_LOOKS = {
    Speaker.AGENT: ("assistant", ":material/support_agent:"),
    Speaker.CALLEE: ("user", ":material/person:"),
    Speaker.OPERATOR: ("operator", ":material/record_voice_over:"),
}
_NOTES = {
    "pressed": "dialpad",
    "asked the operator": "contact_support",
    "to be followed up": "assignment_late",
    "this number is on the list": "block",
    "they want no more calls": "block",
}
"""What notes of the agent's own doing begin with, and how they look."""


def latest(call_id: str) -> Callable[[Archive], list[Turn]]:
    return lambda archive: archive.turns(call_id, last=_LAST_TURNS)


def shown(
    call: Call,
    turns: Sequence[Turn],
    troubles: Sequence[Event] = (),
    opened: Container[int] = (),
    sources: Callable[[Sequence[Fact]], str] | None = None,
    recording: bool = False,
) -> None:
    """
    Args:
        turns: all of the call's, or the last ones.
        troubles: what went wrong, each in its place by time.
        opened: the numbers of the turns that stand out, because they prove something.
        sources: what to print below a turn that tells facts.
        recording: let each turn be heard, in the player on the same page.
    """
    if turns and turns[0].number > 1:
        st.caption(f"What was said before turn {turns[0].number} is shown when the call is over.")
    for entry in _by_time(turns, troubles):
        if isinstance(entry, Event):
            st.markdown(f":orange[:material/warning:] :small[{_ui.plain(str(entry.data.get('what', '')))}]")
        elif entry.speaker is Speaker.NOTE:
            _note(call, entry)
        else:
            with st.container(key=f"turn-{entry.number}", border=entry.number in opened, gap="xsmall"):
                if entry.number in opened:
                    st.badge("Proof", icon=":material/format_quote:", color="green")
                _spoken(call, entry, sources(entry.facts) if sources else "", recording)


def _by_time(turns: Sequence[Turn], troubles: Sequence[Event]) -> Iterable[Turn | Event]:
    """Turns stay in their order; a trouble stands before the first turn that began after it."""
    first = turns[0].started if turns and turns[0].number > 1 else float("-inf")
    # A provider that fails again and again says so each time: once in a row is enough.
    new = [next(same) for _, same in groupby(troubles, key=lambda event: event.data)]
    waiting = [event for event in new if event.at >= first]
    for turn in turns:
        while waiting and waiting[0].at < turn.started:
            yield waiting.pop(0)
        yield turn
    yield from waiting


def _note(call: Call, turn: Turn) -> None:
    """What was done and not said: by the agent, or by somebody at the desk."""
    said = turn.text.lower()
    icon = next((icon for start, icon in _NOTES.items() if said.startswith(start)), "front_hand")
    st.markdown(f":material/{icon}: :small[{_ui.plain(turn.text)} :gray[· {_moment(call, turn)}]]")


def _spoken(call: Call, turn: Turn, below: str, recording: bool) -> None:
    names = {Speaker.AGENT: call.brief.agent_name, Speaker.OPERATOR: "Operator"}
    name = names.get(turn.speaker) or _ui.who(call)
    role, avatar = _LOOKS[turn.speaker]
    margin = f":small[:gray[{_margin(call, turn, _ui.plain(name))}]]"
    lines = "  \n".join(filter(None, [_words(turn), margin, below]))
    with st.chat_message(role, avatar=avatar):
        if recording and _player.moment(call, turn) is not None:
            _playable(call, turn, lines)
        else:
            st.markdown(lines)


def _playable(call: Call, turn: Turn, lines: str) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", wrap=False):
        st.markdown(lines)
        st.button(
            "Play",
            key=f"play_{turn.number}",
            icon=":material/play_circle:",
            type="tertiary",
            on_click=_player.choose,
            args=(call, turn),
            help="Hear it from here",
        )


def unheard(turn: Turn) -> str:
    """What of an agent's turn the callee has not heard."""
    if turn.text.startswith(turn.heard):
        return turn.text[len(turn.heard) :].strip()
    # Spacing may differ between what was meant and what was timed; words do not.
    return " ".join(turn.text.split()[len(turn.heard.split()) :])


def _words(turn: Turn) -> str:
    """Heard words plainly; words still to come in italics, words never to come struck out, and both greyed."""
    if turn.speaker is not Speaker.AGENT:
        return _ui.plain(turn.text) + (" :gray[…]" if turn.state is TurnState.OPEN else "")
    rest = _ui.plain(unheard(turn))
    if rest:
        rest = f":gray[*{rest}*]" if turn.state is TurnState.OPEN else f":gray[~~{rest}~~]"
    return " ".join(filter(None, [_ui.plain(turn.heard), rest]))


def _margin(call: Call, turn: Turn, name: str) -> str:
    """Its number, who, when in the call, how fast, and what of it was not heard."""
    notes = [str(turn.number), name, _moment(call, turn)]
    notes += [f"answered in {ms / 1000:.1f} s" for ms in delays([turn]).values()]
    missed = turn.speaker is Speaker.AGENT and bool(unheard(turn))
    if turn.state is TurnState.OPEN:
        notes += ["saying it now"] if missed else []
    elif turn.state is TurnState.CUT:
        notes.append("cut off, the struck words were not heard" if missed else "cut off")
    elif missed:
        notes.append("the struck words were not heard")
    return " · ".join(notes)


def _moment(call: Call, turn: Turn) -> str:
    """When in the call it began."""
    return _ui.clock(turn.started - (call.answered or call.created))
