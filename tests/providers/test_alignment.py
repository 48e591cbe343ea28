"""Sound comes out in whole words, and it is always known which characters came out and which are left to say."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from backend.models import Spoken
from backend.tts.alignment import Alignment, Letter


def letters(text: str, first: int = 0) -> list[Letter]:
    """Ten milliseconds each."""
    return [Letter(char, first + 10 * place, first + 10 * place + 10) for place, char in enumerate(text)]


def test_an_unfinished_word_is_held_back_and_is_what_is_left_to_say() -> None:
    clause = Alignment("Come on Thursday")
    piece = clause.take(b"s" * 80 * 11, letters("Come on Thu"))
    assert piece == Spoken(b"s" * 80 * 8, "Come on ", tuple(range(0, 80, 10)))
    assert clause.rest == "Thursday"


def test_a_leading_blank_of_the_voices_own_is_skipped() -> None:
    clause = Alignment("Yes")
    assert clause.take(b"s" * 320, letters(" Yes")) == Spoken(b"s" * 320, "Yes", (10, 20, 30))


def test_timings_sent_ahead_of_their_sound_wait_for_it() -> None:
    clause = Alignment("One two")
    first = clause.take(b"a" * 320, letters("One two"))
    second = clause.take(b"b" * 240, [])
    assert first == Spoken(b"a" * 320, "One ", (0, 10, 20, 30))
    assert second == Spoken(b"b" * 240, "two", (0, 10, 20))


def test_sound_without_timings_is_let_out_at_once_and_its_text_at_the_end() -> None:
    clause = Alignment("Hm")
    assert clause.take(b"s" * 500, []) == Spoken(b"s" * 500)
    assert clause.finish() == Spoken(b"", "Hm", (0, 0))


def test_text_without_blanks_is_not_held_back_for_long() -> None:
    clause = Alignment("x" * 200)
    pieces = [clause.take(b"s" * 80 * 40, letters("x" * 40)) for _ in range(3)]
    assert [piece.text if piece else "" for piece in pieces] == ["x" * 40, "", "x" * 80]
    clause.restart()
    assert clause.rest == "x" * 80


def test_a_first_word_cut_short_is_voiced_again_but_told_once() -> None:
    clause = Alignment("Thursday morning")
    early = clause.take(b"a" * 240, letters("Thu"))
    clause.restart()
    assert clause.rest == "Thursday morning"
    again = clause.take(b"b" * 720, letters("Thursday "))
    assert (early, again) == (
        Spoken(b"a" * 240, "Thu", (0, 10, 20)),
        Spoken(b"b" * 720, "rsday ", tuple(range(30, 90, 10))),
    )


def test_a_first_word_that_was_finished_is_not_voiced_again() -> None:
    clause = Alignment("Yes please")
    assert clause.take(b"s" * 240, letters("Yes"))
    clause.restart()
    assert clause.rest == " please"


texts = st.text(st.sampled_from("abc.,? \n"), max_size=40)


@given(texts, st.lists(st.integers(1, 400), min_size=1), st.integers(0, 40), st.sampled_from([str.strip, str]))
def test_nothing_is_lost_or_doubled_however_the_sound_is_cut(
    text: str, sizes: list[int], dies_at: int, as_voiced: Callable[[str], str]
) -> None:
    clause, out = Alignment(text), []
    for dies in (True, False):
        voiced = as_voiced(clause.rest)
        whole = bytes(range(256)) * 20
        at = 0
        for number, size in enumerate([*sizes, 80 * 40]):
            if dies and number == dies_at:
                break
            end = min(at + size * 8, len(voiced) * 80)
            first, last = -(-at // 80), -(-end // 80)
            timed = [Letter(voiced[i], i * 10 - at // 8, i * 10 - at // 8 + 10) for i in range(first, last)]
            out.append(clause.take(whole[at:end], timed))
            at = end
        clause.restart() if dies else out.append(clause.finish())
    pieces = [piece for piece in out if piece]
    assert "".join(piece.text for piece in pieces) == text
    assert all(0 <= start * 8 <= len(piece.sound) for piece in pieces for start in piece.starts)
    assert clause.rest == ""
