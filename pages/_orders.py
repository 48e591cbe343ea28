"""What the operator orders of the server: each order is given once, and why one was refused can be read in peace."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import _ui
import streamlit as st

from backend.client import ServerError

_STAYS = 10.0
"""Seconds for which a refusal is shown, however often the page is drawn anew meanwhile."""
_AGAIN = 1.5
"""Seconds in which the same order, given again, is the second click of two."""


@dataclass
class _Given:
    """The last order of one part of a page. Streamlit may break off a callback whenever it touches the session's state,
    for the second click of two, and then runs that one's beside it; what was done is noted in this object.
    """

    what: str = ""
    done: float = float("-inf")
    refused: str = ""
    since: float = 0.0
    lock: Lock = field(default_factory=Lock)


def give(part: str, order: Callable[[], None], what: str = "") -> bool:
    """Have it done; if it is refused, this part of the page says why.

    Args:
        what: the order in words, to know it from another; empty for one that is meant again when it is given again.

    Returns:
        Whether the server took it, now or with the first click of two.
    """
    given = _given(part)
    with given.lock:
        if what and what == given.what and time.monotonic() - given.done < _AGAIN:
            return True
        given.what = given.refused = ""
        try:
            order()
        except ServerError as error:
            given.refused, given.since = str(error), time.monotonic()
            return False
        given.what, given.done = what, time.monotonic()
        return True


def refusal(part: str) -> None:
    """Why the last order was not taken, for a while; in a place that is always there, so that nothing else moves to
    another one, where half-typed words would lose the cursor.
    """
    given = _given(part)
    with st.container(gap=None):
        if given.refused and time.monotonic() - given.since < _STAYS:
            st.error(_ui.sentence(given.refused), icon=":material/block:")


def _given(part: str) -> _Given:
    given: _Given = st.session_state.setdefault(f"orders_{part}", _Given())
    return given
