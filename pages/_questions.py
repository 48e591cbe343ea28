"""What the agent could not answer: a card for each, to answer it while the call runs, or to tick it off after."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import _orders
import _ui
import streamlit as st

from backend.models import Question
from backend.storage.call_backs import WITHIN

_PART = "questions"


def cards(questions: Sequence[Question], running: bool) -> None:
    """Those that are not settled; while the call runs its agent tells the callee what is answered."""
    refusal()
    for question in questions:
        if question.settled is None:
            _card(question, running)


def waiting() -> str:
    """How many are open, and how many people are to be called again, to be put behind a page's title."""
    since = time.time() - WITHIN
    number = _ui.read(lambda archive: archive.count_open_questions() + archive.count_to_call(since), 0)
    return f" · {number}" if number else ""


def refusal() -> None:
    """Say why the last answer was not taken, if it was not."""
    _orders.refusal(_PART)


def _card(question: Question, running: bool) -> None:
    left = 0.0 if question.until is None else question.until - time.time()
    waits = running and left > 0
    with st.container(border=True, gap="xsmall", key=f"question_{question.id}"):
        heading = "The agent asks you" if waits else "To follow up"
        st.markdown(f":material/contact_support: **{heading}:** {_ui.plain(question.text)}")
        # One element or another: else the form below would change its place, and for a moment be at both.
        if waits and question.until is not None:
            whole = question.until - question.asked
            st.progress(min(1.0, left / whole), text=f"They wait for {max(1, round(left))} s more.")
        elif running:
            st.caption("They wait no longer. The agent still tells them your answer.")
        else:
            st.caption("The call is over: call them back, and tick it off.")
        if running:
            _answering(question)
        else:
            settling(question)


def settling(question: Question) -> None:
    """To tick it off when the call is over, with what there is to say about it, if anything."""
    with _beside(question):
        _field(question, "Answer, if there is one", "What you told them, or found out")
        st.form_submit_button(
            "Followed up",
            key=f"settle_{question.id}",
            icon=":material/check:",
            on_click=_settle,
            args=(question.id, _key(question)),
        )


def _answering(question: Question) -> None:
    with _beside(question):
        _field(question, "Your answer", "The agent tells it in its own words")
        st.form_submit_button(
            "Answer",
            key=f"{_key(question)}_button",
            on_click=_answer,
            args=(question.id, _key(question)),
            type="primary",
        )


@contextmanager
def _beside(question: Question) -> Iterator[None]:
    """A field and its button. A form, so that a redraw takes no half-typed words."""
    with (
        st.form(f"{_key(question)}_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"),
    ):
        yield


def _field(question: Question, label: str, placeholder: str) -> None:
    """The same while the call runs and after it, so that the end of the call takes no half-typed words either."""
    st.text_input(label, key=_key(question), max_chars=1000, placeholder=placeholder)


def _key(question: Question) -> str:
    return f"answer_{question.id}"


def _answer(question: int, key: str) -> None:
    text = (st.session_state[key] or "").strip()
    if text:
        _orders.give(_PART, lambda: _ui.client().answer(question, text), f"{question} {text}")


def _settle(question: int, key: str) -> None:
    """An answer settles it too."""
    text = (st.session_state[key] or "").strip()
    server = _ui.client()
    _orders.give(
        _PART, lambda: server.answer(question, text) if text else server.settle(question), f"{question} {text}"
    )
