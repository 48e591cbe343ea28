"""What is left to be done after the calls: questions that agents could not answer, and people to call again."""

from __future__ import annotations

import time

import _again
import _orders
import _questions
import _report
import _ui
import streamlit as st

from backend.models import Call, LineKind, Question
from backend.storage.call_backs import WITHIN
from backend.storage.store import Archive

_A_PAGE = 20
_PART = "call backs"


def _lists() -> None:
    st.title("Follow-ups")
    _questions.refusal()
    _orders.refusal(_PART)
    questions = _ui.read(lambda archive: archive.count_open_questions(), 0)
    calls = _ui.read(lambda archive: archive.count_to_call(time.time() - WITHIN), 0)
    if questions:
        _open_questions(questions)
    if calls:
        _call_backs(calls)
    if not (questions or calls):
        st.markdown(":material/task_alt: Nothing to follow up.")
        st.caption(
            "What an agent cannot answer during a call stands here, and who is to be called again, until somebody has "
            "dealt with it."
        )


def _paged(found: int, key: str) -> int:
    """How many entries stand on the pages before the one that is chosen; the choice stands where this is called."""
    pages = -(-found // _A_PAGE)
    return _A_PAGE * ((st.pagination(pages, key=key) if pages > 1 else 1) - 1)


# --- questions --------------------------------------------------------------------------------------------------


def _open_questions(found: int) -> None:
    st.subheader("Open questions")
    st.caption(f"{found:,} open question{'' if found == 1 else 's'}, newest first")
    slot = st.container()
    first = _paged(found, "follow_up_page")

    def a_page(archive: Archive) -> list[tuple[Question, Call | None]]:
        questions = archive.open_questions(_A_PAGE, first)
        return [(question, archive.call(question.call_id)) for question in questions]

    with slot:
        for question, call in _ui.read(a_page, list[tuple[Question, Call | None]]()):
            _question(question, call)


def _question(question: Question, call: Call | None) -> None:
    with st.container(border=True, gap="xsmall", key=f"follow_up_{question.id}"):
        st.markdown(f":material/contact_support: **{_ui.plain(question.text)}**")
        if call:
            _about(question, call)
        _questions.settling(question)


def _about(question: Question, call: Call) -> None:
    """Who asked, and the way to the place in the call."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        turn = {"turn": str(question.turn)} if question.turn else {}
        st.page_link(
            "record.py" if call.status.final else "live.py",
            label=_ui.plain(_ui.who(call)),
            icon=":material/chevron_right:",
            icon_position="right",
            query_params={"call": call.id} | turn,
            help="Read the call" if call.status.final else "This call is still running",
        )
        facts = [call.brief.to, _ui.when(question.asked), _ui.short(call.brief.action, 90)]
        st.caption(_ui.plain(" · ".join(facts)), width="content")
        if call.status.final:
            _again.link(call)


# --- people to call again ---------------------------------------------------------------------------------------


def _call_backs(found: int) -> None:
    st.subheader("To call back")
    st.caption(f"{found:,} call{'' if found == 1 else 's'} of the last 30 days, newest first")
    slot = st.container()
    first = _paged(found, "call_back_page")
    with slot:
        for call in _ui.read(lambda archive: archive.to_call(time.time() - WITHIN, _A_PAGE, first), list[Call]()):
            _call_back(call)


def _call_back(call: Call) -> None:
    with st.container(border=True, gap="xsmall", key=f"call_back_{call.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                "record.py",
                label=f"**{_ui.plain(_ui.who(call))}**",
                icon=":material/chevron_right:",
                icon_position="right",
                query_params={"call": call.id},
                help="Read the call",
            )
            _ui.outcome_badge(call)
            _ui.incoming_badge(call)
            if call.brief.line is LineKind.PRACTICE:
                _ui.line_badge(call)
        st.markdown(_ui.plain(_report.agreed(call)))
        facts = [call.brief.to, _ui.when(call.created), _ui.short(call.brief.action, 90)]
        st.caption(_ui.plain(" · ".join(facts)))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _again.link(call)
            st.button("Followed up", key=f"called_{call.id}", icon=":material/check:", on_click=_done, args=(call.id,))


def _done(call_id: str) -> None:
    _orders.give(_PART, lambda: _ui.client().follow_up(call_id), call_id)


_lists()
