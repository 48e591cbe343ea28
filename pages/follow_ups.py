"""What agents could not answer, in all calls: a list to work off."""

from __future__ import annotations

import _questions
import _ui
import streamlit as st

from backend.models import Call, Question
from backend.storage.store import Archive

_A_PAGE = 20


def _list() -> None:
    st.title("Follow-ups")
    _questions.refusal()
    found = _ui.read(lambda archive: archive.count_open_questions(), 0)
    if not found:
        st.markdown(":material/task_alt: Nothing to follow up.")
        st.caption("What an agent cannot answer during a call stands here until somebody has dealt with it.")
        return
    st.caption(f"{found:,} open question{'' if found == 1 else 's'}, newest first")
    slot = st.container()
    pages = -(-found // _A_PAGE)
    page = st.pagination(pages, key="follow_up_page") if pages > 1 else 1

    def a_page(archive: Archive) -> list[tuple[Question, Call | None]]:
        questions = archive.open_questions(_A_PAGE, (page - 1) * _A_PAGE)
        return [(question, archive.call(question.call_id)) for question in questions]

    with slot:
        for question, call in _ui.read(a_page, list[tuple[Question, Call | None]]()):
            _row(question, call)


def _row(question: Question, call: Call | None) -> None:
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


_list()
