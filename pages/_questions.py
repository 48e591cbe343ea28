"""What the agent could not answer: a card for each, to answer it while the call runs, or to tick it off after."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import _ui
import streamlit as st

from backend.client import ServerError
from backend.models import Question


def cards(questions: Sequence[Question], running: bool) -> None:
    """Those that are not settled; while the call runs its agent tells the callee what is answered."""
    refusal()
    for question in questions:
        if question.settled is None:
            _card(question, running)


def waiting() -> str:
    """How many are open, to be put behind a page's title; empty when none are."""
    number = _ui.read(lambda archive: archive.count_open_questions(), 0)
    return f" · {number}" if number else ""


def refusal() -> None:
    """Say once why the last answer was not taken, if it was not."""
    if refused := st.session_state.pop("question_refused", None):
        st.error(_ui.sentence(refused), icon=":material/block:")


def _card(question: Question, running: bool) -> None:
    left = 0.0 if question.until is None else question.until - time.time()
    waits = running and left > 0
    with st.container(border=True, gap="xsmall", key=f"question_{question.id}"):
        heading = "The agent asks you" if waits else "To follow up"
        st.markdown(f":material/contact_support: **{heading}:** {_ui.plain(question.text)}")
        # One element or the other: else the form below would change its place, and for a moment be at both.
        if waits and question.until is not None:
            whole = question.until - question.asked
            st.progress(min(1.0, left / whole), text=f"The callee waits for {max(1, round(left))} s more.")
        elif running:
            st.caption("The callee waits no longer. The agent still tells them your answer.")
        if running:
            _answering(question)
        else:
            settling(question)


def settling(question: Question) -> None:
    """To tick it off when the call is over, with what there is to say about it, if anything."""
    key = f"settle_{question.id}"
    with (
        st.form(f"{key}_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"),
    ):
        st.text_input(
            "Answer, if there is one",
            key=f"{key}_answer",
            max_chars=1000,
            placeholder="What you told them, or found out",
        )
        st.form_submit_button(
            "Followed up", key=key, icon=":material/check:", on_click=_settle, args=(question.id, f"{key}_answer")
        )


def _answering(question: Question) -> None:
    """A form, so that a redraw takes no half-typed words."""
    key = f"answer_{question.id}"
    with (
        st.form(f"{key}_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"),
    ):
        st.text_input("Your answer", key=key, max_chars=1000, placeholder="The agent tells it in its own words")
        st.form_submit_button("Answer", key=f"{key}_button", on_click=_answer, args=(question.id, key), type="primary")


def _answer(question: int, key: str) -> None:
    text = (st.session_state[key] or "").strip()
    if text:
        _try(lambda: _ui.client().answer(question, text))


def _settle(question: int, key: str) -> None:
    """An answer settles it too."""
    text = (st.session_state[key] or "").strip()
    _try(lambda: _ui.client().answer(question, text) if text else _ui.client().settle(question))


def _try(order: Callable[[], None]) -> None:
    try:
        order()
    except ServerError as error:
        st.session_state["question_refused"] = str(error)
