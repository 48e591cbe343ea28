"""Playout: sound leaves a short lead ahead of time, and only words whose sound was confirmed were heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.playout import Piece, Playout
from backend.models import Spoken

WORD_MS = 300
PAUSE_MS = 20


def spoken(text: str, ms: int = WORD_MS) -> Spoken:
    """Speech in which every word takes 300 ms, the last 20 of them the blank after it."""
    starts: list[int] = []
    words = text.split(" ")
    for place, word in enumerate(words):
        starts += [place * ms + letter * (ms - PAUSE_MS) // len(word) for letter in range(len(word))]
        starts += [(place + 1) * ms - PAUSE_MS] if place < len(words) - 1 else []
    return Spoken(b"\x00" * (len(words) * ms * 8), text, tuple(starts))


def play(playout: Playout, until: float) -> list[Piece]:
    """Send what is due until then on an exact clock."""
    sent, now = [], 0.0
    while now <= until:
        while piece := playout.due(now):
            sent.append(piece)
        now += 0.01
    return sent


def test_the_first_sound_is_due_at_once() -> None:
    playout = Playout(1)
    assert playout.due(5.0) is None
    playout.add(Spoken(b"\x01" * 40))
    assert playout.due(5.0) == Piece(b"\x01" * 40, "1:40")


def test_no_more_than_the_lead_is_ever_ahead_of_real_time() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three four five six seven"))
    now = 0.0
    sent = 0
    while now < 3:
        while piece := playout.due(now):
            sent += len(piece.sound)
        assert sent / 8000 <= now + playout.lead + playout.piece + 1e-9
        now += 0.013


def test_everything_added_is_sent_whole_and_in_order() -> None:
    playout = Playout(1)
    playout.add(Spoken(bytes(range(256)) * 20))
    playout.add(Spoken(b"\x07" * 333))
    assert b"".join(piece.sound for piece in play(playout, 2)) == bytes(range(256)) * 20 + b"\x07" * 333


def test_it_is_done_only_when_the_last_mark_has_come_back() -> None:
    playout = Playout(3)
    playout.add(spoken("one two"))
    playout.finish()
    marks = [piece.mark for piece in play(playout, 2)]
    done = [playout.done] + [playout.played(mark) and playout.done for mark in marks]
    assert done == [False] * len(marks) + [True]
    assert playout.heard == "one two"


def test_a_reply_without_sound_is_done_when_it_is_finished() -> None:
    before, after = Playout(1), Playout(1)
    after.finish()
    assert (before.done, after.done, after.heard) == (False, True, "")


def test_marks_of_another_reply_count_for_nothing() -> None:
    playout = Playout(2)
    playout.add(spoken("one two"))
    play(playout, 2)
    assert not playout.played("1:800")
    assert not playout.played("2:999999")
    assert not playout.played("nonsense")
    assert playout.heard == ""


def test_half_a_word_was_not_heard() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three"))
    play(playout, 2)
    playout.played("1:4000")
    assert playout.heard == "one"
    playout.played("1:4800")
    assert playout.heard == "one two"


def test_a_late_mark_takes_nothing_back() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three"))
    play(playout, 2)
    playout.played("1:4800")
    playout.played("1:800")
    assert playout.heard == "one two"


def test_clauses_are_told_apart_by_a_blank() -> None:
    playout = Playout(1)
    playout.add(spoken("One."))
    playout.pause()
    playout.add(spoken("Two."))
    playout.finish()
    for piece in play(playout, 2):
        playout.played(piece.mark)
    assert playout.heard == "One. Two."


def test_times_that_do_not_fit_the_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="2 characters came with 1 times"):
        Playout(1).add(Spoken(b"", "ab", (0,)))


@given(
    st.lists(st.lists(st.sampled_from(["a", "word", "longer"]), min_size=1, max_size=6).map(" ".join), max_size=5),
    st.integers(min_value=0, max_value=60),
)
def test_a_word_whose_sound_was_not_confirmed_is_never_heard(clauses: list[str], confirmed: int) -> None:
    """Each word takes 300 ms, so how many were over follows from the confirmed sound alone."""
    playout = Playout(1)
    for clause in clauses:
        playout.pause()
        playout.add(spoken(clause))
    pieces = play(playout, 12)
    for piece in pieces[:confirmed]:
        playout.played(piece.mark)
    reached = sum(len(piece.sound) for piece in pieces[:confirmed])
    over = (reached // 8 + PAUSE_MS) // WORD_MS
    heard = len(playout.heard.split())
    assert over - 1 <= heard <= over
    assert " ".join(clauses).startswith(playout.heard)
