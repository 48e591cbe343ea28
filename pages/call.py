"""Place a call: who, what for, and what the agent may say."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import Any

import _again
import _money
import _number
import _rehearsal
import _templates
import _ui
import streamlit as st

from backend.answers import Persona, Setup
from backend.client import ServerDown, ServerError
from backend.models import Brief, Call, Direction, LineKind
from backend.storage.store import Search
from backend.templates import BLANK

# Seconds in which the same call placed again is a double click: a person's phone must not ring twice for it.
_AGAIN = 10.0

_EXAMPLE = Brief(
    to="+1 202 555 0143",
    callee_name="John Smith",
    action="Confirm John's check-up with Dr. Lee on Tuesday, March 3 at 10:30 in the morning, or find another time.",
    context=(
        "The visit is a routine check-up and cleaning; it takes about 45 minutes.\n"
        "If Tuesday does not suit, these are free: Wednesday, March 4 at 2 in the afternoon, "
        "or Friday, March 6 at 9 in the morning.\n"
        "The clinic is at 12 Garden Street, second floor, with parking behind the building.\n"
        "Please bring the insurance card and arrive ten minutes early.\n"
        "The visit is covered by most insurance plans; without insurance it costs 120 dollars.\n"
        "To cancel without a fee, tell us a day ahead."
    ),
    agent_name="Alex",
    organization="Brightside Dental",
)
_THEIRS = ("to", "callee_name", "action", "context")
"""The fields that are about whoever is called; what one person's call is about is nothing for the next one's."""
_FIELDS = (*_THEIRS, "agent_name", "organization", "line", "persona")


def _first_brief() -> Brief:
    """Nobody to call yet, and the caller and the line of the newest call; on the first start the example."""
    placed = Search(direction=Direction.OUTBOUND)
    newest: list[Call] = _ui.read(lambda archive: archive.calls(placed, limit=1), [])
    return next((replace(call.brief, to="", callee_name="", action="", context="") for call in newest), _EXAMPLE)


def _begin() -> None:
    """Fill the form in: for the call that is to be placed again, or for the first time."""
    if again := st.query_params.get("again"):
        # Else a reload would take away what was changed since.
        del st.query_params["again"]
        if earlier := _ui.read(lambda archive: archive.call(again), None):
            _templates.clear()
            _fill(_again.form(earlier.brief))
        else:
            _ui.unknown_call()
    if "call_to" not in st.session_state:
        _fill(_first_brief())


def _fill(brief: Brief) -> None:
    for field in _FIELDS:
        st.session_state[f"call_{field}"] = getattr(brief, field)


def _typed() -> Brief:
    typed: dict[str, Any] = {field: st.session_state.get(f"call_{field}") or "" for field in _FIELDS}
    return Brief(**typed)


def _form() -> Brief:
    """The call as the agent would get it."""
    return _templates.complete(_typed())


def _clear() -> None:
    """For the next person: the caller and the line stay."""
    for field in _THEIRS:
        st.session_state[f"call_{field}"] = ""
    _templates.clear()


@dataclass
class _Placed:
    """The call wished for last. Streamlit may break off a callback whenever it touches the session's state, for the
    second click of two; what was done is noted in this object, where it does not.
    """

    brief: Brief | None = None
    request: str = ""
    """The wish's own name: asked for again by it, the server gives the same call, and no phone rings twice."""
    call_id: str = ""
    """Empty: it is not known whether there is one."""
    at: float = 0.0

    def means(self, brief: Brief) -> bool:
        """Whether this is the same wish still: the second click of two, or another try where no answer came."""
        if brief != self.brief:
            return False
        return not self.call_id or (time.monotonic() - self.at < _AGAIN and not _over(self.call_id))


def _over(call_id: str) -> bool:
    """A line that was busy is to be tried again at once, if somebody wishes so."""
    call = _ui.read(lambda archive: archive.call(call_id), None)
    return call is None or call.status.final


def _place() -> None:
    """Dial, for the page to go on to the live page; a refusal is shown, and every field keeps its text."""
    state, brief = st.session_state, _form()
    if unready := _unready(brief):
        state["call_refused"] = unready
        return
    if "call_placed" not in state:
        state["call_placed"] = _Placed()
    placed: _Placed = state["call_placed"]
    if not placed.means(brief):
        placed.brief, placed.request, placed.call_id = brief, secrets.token_urlsafe(9), ""
    if not placed.call_id:
        try:
            placed.call_id = _dial(brief, placed.request)
        except ServerError as error:
            if not isinstance(error, ServerDown):
                # Nobody was called: pressed again, it is another wish.
                placed.brief = None
            state["call_refused"] = str(error)
            return
        placed.at = time.monotonic()
    state["call_to_watch"] = placed.call_id


def _unready(brief: Brief) -> str:
    """What has to be done before anybody is called; empty: nothing."""
    blank = f"Fill in the blanks ({BLANK}) first, or take those lines out." if BLANK in _texts(brief) else ""
    return _templates.missing(brief) or blank


def _texts(brief: Brief) -> str:
    return f"{brief.action}\n{brief.context}"


def _dial(brief: Brief, request: str) -> str:
    """The id of the call that was placed."""
    placed = _ui.client().place(
        brief.to,
        brief.action,
        brief.context,
        callee_name=brief.callee_name,
        agent_name=brief.agent_name,
        organization=brief.organization,
        line=brief.line or None,
        persona=brief.persona,
        any_hour=_number.any_hour(),
        request=request,
    )
    return placed.id


def _who() -> None:
    left, right = st.columns(2)
    with left:
        _number.field()
    with right:
        st.text_input("Name", key="call_callee_name", max_chars=200, placeholder="John Smith", persist_state="session")
        st.caption("The agent greets by the first name.")


def _what() -> None:
    _templates.chooser()
    _templates.fields(_typed())
    st.text_area(
        "What to get done",
        key="call_action",
        height=84,
        max_chars=2000,
        placeholder="Confirm the visit on Tuesday at 10:30, or find another time.",
        persist_state="session",
    )
    if not st.session_state["call_action"].strip():
        st.caption(":orange[:material/edit:] Write in one sentence what the call is for.")
    st.text_area(
        _rehearsal.FACTS,
        key="call_context",
        height=190,
        max_chars=20_000,
        placeholder="Facts, one a line: place, price, other times that would do…",
        help="The agent knows nothing else. Asked for more, it says that someone will follow up.",
        persist_state="session",
    )
    if BLANK in _texts(_typed()):
        st.caption(":orange[:material/edit:] Fill in the blanks, or take those lines out: the agent would read them.")


def _caller() -> None:
    left, right = st.columns(2)
    left.text_input("Agent's name", key="call_agent_name", max_chars=200, persist_state="session")
    right.text_input(
        "Calls for", key="call_organization", max_chars=200, persist_state="session", placeholder="Your organisation"
    )


def _keep_to(setup: Setup) -> None:
    """The line of another call may not be there any more; before anything is drawn that goes by it."""
    if st.session_state.get("call_line") not in setup.lines:
        st.session_state["call_line"] = setup.default_line if setup.default_line in setup.lines else None


def _line(setup: Setup) -> None:
    """Where the call goes; on the practice line also who picks up."""
    if not setup.lines:
        st.warning("There is no line to call on: Settings says what is missing.", icon=":material/phone_disabled:")
        return
    st.segmented_control(
        "Line", setup.lines, format_func=_ui.LINES.__getitem__, key="call_line", required=True, persist_state="session"
    )
    if LineKind.PHONE not in setup.lines:
        st.caption("No phone rings for a practice call. Settings says how to call real phones.")
    if st.session_state["call_line"] is LineKind.PRACTICE:
        _persona({persona.key: persona for persona in setup.personas})


def _persona(personas: dict[str, Persona]) -> None:
    if st.session_state.get("call_persona") not in personas:
        st.session_state["call_persona"] = next(iter(personas))
    chosen = st.selectbox(
        "Who picks up",
        list(personas),
        format_func=lambda key: personas[key].title,
        key="call_persona",
        persist_state="session",
    )
    st.caption(_ui.plain(personas[chosen].description))


def _parts(setup: Setup) -> None:
    """Who hears, thinks and speaks in this call."""
    for part in setup.parts:
        if part.name in _ui.PARTS.values():
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                served = _ui.plain(part.serves or part.advice)
                st.markdown(f"**{part.name}**  \n:small[:gray[{served}]]", width="content")
                _ui.part_badge(part)


if to_watch := st.session_state.pop("call_to_watch", ""):
    st.switch_page("live.py", query_params={"call": to_watch})

st.title("Place a call")
_begin()
setup = _ui.setup()
if setup:
    _keep_to(setup)
wide, side = st.columns([5, 3], gap="large")
with wide:
    _who()
    _what()
    _caller()
with side:
    if setup:
        with st.container(border=True):
            _line(setup)
    if refused := st.session_state.pop("call_refused", None):
        st.error(_ui.sentence(refused), icon=":material/block:")
    with st.container(horizontal=True):
        st.button("Call", on_click=_place, type="primary", icon=":material/call:", width="stretch", key="call_button")
        _rehearsal.button(_form)
    _money.forecast(_form())
    st.button("Clear the form", on_click=_clear, key="call_clear", type="tertiary", icon=":material/ink_eraser:")
    if setup:
        with st.container(border=True):
            _parts(setup)
_rehearsal.results(_form())
