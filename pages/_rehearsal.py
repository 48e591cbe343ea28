"""The rehearsal beside the form: read by a thread of its own, so that the form can be typed in meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

import _ui
import streamlit as st

from backend.answers import Findings, Persona, RehearsalBegun, RehearsalNews, RehearsalTurn, Rehearsed
from backend.client import ServerDown, ServerError
from backend.models import Brief, Speaker

# Seconds between two looks at a rehearsal that is under way.
_POLL = 0.5
FACTS = "What the agent may say about it"
"""The label of the form's field for the context."""
_MOST = 20_000
"""Characters that fit into the field."""


class _Rehearsal:
    """One rehearsal under way, or over. Only its thread writes, and what it writes is replaced whole."""

    def __init__(self, brief: Brief, news: Generator[RehearsalNews, None, None]) -> None:
        self.brief = brief
        self.personas: list[Persona] = []
        self.turns: dict[str, int] = {}
        self.calls: dict[str, Rehearsed] = {}
        self.found: Findings | None = None
        self.trouble: ServerError | None = None
        self._news = news
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="rehearsal", daemon=True)
        self._thread.start()

    @property
    def under_way(self) -> bool:
        return self._thread.is_alive() and not self._stopped.is_set()

    def stop(self) -> None:
        """Leave with the next news, which the server takes for the end."""
        self._stopped.set()

    def _read(self) -> None:
        with closing(self._news) as news:
            try:
                for one in news:
                    if self._stopped.is_set():
                        return
                    self._take(one)
            except ServerError as error:
                self.trouble = error

    def _take(self, one: RehearsalNews) -> None:
        match one:
            case RehearsalBegun(personas):
                self.personas = personas
            case RehearsalTurn(persona, turns):
                self.turns = self.turns | {persona: turns}
            case Rehearsed():
                self.calls = self.calls | {one.persona.key: one}
            case Findings():
                self.found = one


def button(form: Callable[[], Brief]) -> None:
    """Begins a rehearsal of what the form says; while one is under way, stops it."""
    current = _current()
    running = current is not None and current.under_way
    label, icon = ("Stop", "stop_circle") if running else ("Rehearse", "theater_comedy")
    st.button(
        label,
        on_click=_toggle,
        args=(form,),
        key="call_rehearse",
        icon=f":material/{icon}:",
        width="stretch",
        help="Holds this call in text with everybody who might pick up. No phone rings.",
    )


def results(brief: Brief) -> None:
    """How far the rehearsal is, and then what it showed. `brief`: what the form says now."""
    current = _current()
    if current is None:
        return
    st.divider()
    if current.under_way:
        st.fragment(run_every=_POLL)(_progress)(current)
    elif current.trouble:
        _trouble(current.trouble)
    elif current.found:
        _findings(current, current.found, brief)
    else:
        st.caption("The rehearsal was stopped.")


def _current() -> _Rehearsal | None:
    current: _Rehearsal | None = st.session_state.get("rehearsal")
    return current


def _toggle(form: Callable[[], Brief]) -> None:
    current = _current()
    if current and current.under_way:
        current.stop()
        return
    brief = form()
    news = _ui.client().rehearse(
        brief.action,
        brief.context,
        callee_name=brief.callee_name,
        agent_name=brief.agent_name,
        organization=brief.organization,
        line=brief.line or None,
    )
    st.session_state["rehearsal"] = _Rehearsal(brief, news)


# --- while it runs ----------------------------------------------------------------------------------------------


def _progress(current: _Rehearsal) -> None:
    """Drawn again and again; its end changes the whole page."""
    if not current.under_way:
        st.rerun()
    over, everybody = current.calls, current.personas
    text = f"Rehearsing: {len(over)} of {len(everybody)} calls are over" if everybody else "Rehearsing…"
    st.progress(len(over) / max(1, len(everybody)), text=text)
    talking = [one.title for one in everybody if one.key in current.turns and one.key not in over]
    st.caption(f"On the line: {', '.join(talking)}" if talking else "You can go on writing meanwhile.")


def _trouble(error: ServerError) -> None:
    if isinstance(error, ServerDown):
        _ui.server_trouble(error)
    else:
        st.error(_ui.sentence(str(error)), icon=":material/block:")


# --- what it showed ---------------------------------------------------------------------------------------------


def _findings(current: _Rehearsal, found: Findings, brief: Brief) -> None:
    calls = [current.calls[one.key] for one in current.personas]
    st.subheader("Rehearsal")
    changed = (current.brief.action, current.brief.context) != (brief.action, brief.context)
    again = " The form has changed since: rehearse it again." if changed else ""
    st.caption(f"{sum(call.fine for call in calls)} of {len(calls)} calls went well.{again}")
    wide, side = st.columns([5, 3], gap="large")
    with wide:
        for call in calls:
            _row(call)
    with side:
        if found.questions:
            _questions(found)
        _broken(calls)
        if not (found.questions or found.broken):
            st.markdown(":green[:material/check_circle:] Every question was answered, and no rule was broken.")


def _row(call: Rehearsed) -> None:
    """Who picked up, what came of it, and whether that is fine; inside, every word."""
    mark = ":green[:material/check_circle:]" if call.fine else ":orange[:material/error:]"
    outcome = call.outcome.words if call.outcome else "No end"
    with st.expander(f"{mark} **{call.persona.title}** · {outcome}"):
        st.caption(_ui.plain(" ".join(filter(None, [call.persona.description, call.should]))))
        for trouble in call.troubles:
            st.markdown(f":orange[:material/warning:] :small[{_ui.plain(trouble)}]")
        for line in call.lines:
            icon = _ICONS[line.speaker]
            st.markdown(f":gray[:material/{icon}:] {_ui.plain(line.text)}")


_ICONS = {Speaker.AGENT: "support_agent", Speaker.CALLEE: "person", Speaker.NOTE: "sticky_note_2"}


def _questions(found: Findings) -> None:
    st.markdown(f"**Not answered under “{FACTS}”**")
    st.markdown("\n".join(f"- {_ui.plain(question)}" for question in found.questions))
    if not found.addition:
        st.caption("It is spoken of there, but the agent did not find it: try other words.")
        return
    st.markdown("**Suggested addition**")
    st.code(found.addition, language=None, wrap_lines=True)
    st.button("Add it there", on_click=_add, args=(found.addition,), key="rehearsal_add", icon=":material/add:")


def _add(addition: str) -> None:
    """Append what is not there yet, for the operator to fill in."""
    context: str = st.session_state.get("call_context") or ""
    lines = [line for line in addition.splitlines() if line not in context]
    added = "\n".join(filter(None, [context.rstrip(), *lines]))
    if len(added) > _MOST:
        st.toast(f"“{FACTS}” has no room for it: shorten it first.", icon=":material/block:")
        return
    st.session_state["call_context"] = added
    st.toast("Fill in the blanks before you call.", icon=":material/edit:")


def _broken(calls: Sequence[Rehearsed]) -> None:
    rules = [(call.persona.title, one) for call in calls for one in call.broken]
    if rules:
        st.markdown("**Rules broken**")
    for who, one in rules:
        said = _ui.plain(_ui.short(one.said, 200))
        st.markdown(f":red[:material/gavel:] {_ui.plain(one.rule)}: “{said}”  \n:small[:gray[{_ui.plain(who)}]]")
