"""Trimming: silence around a clause goes, every audible sample and every character stays where it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import audio
from backend.call.sound.trim import (
    AFTER_CLAUSE,
    AFTER_SENTENCE,
    AFTER_WORD,
    FAINT,
    LEAD,
    MOST,
    QUIET,
    Trim,
    quiet_before,
)
from backend.models import Spoken

QUIETLY = audio.encode(np.full(1, 10 ** ((QUIET - 2) / 20), np.float32))
LOUDLY = audio.encode(np.full(1, 10 ** ((QUIET + 2) / 20), np.float32))
MS = audio.RATE // 1000


def ms(quiet: float, loud: float = 0) -> bytes:
    return QUIETLY * round(quiet * MS) + LOUDLY * round(loud * MS)


def trimmed(pieces: list[Spoken], text: str = "Hi.") -> list[Spoken]:
    trim = Trim(text)
    out = [trim.take(piece) for piece in pieces] + [trim.finish()]
    return [piece for piece in out if piece is not None]


def sound(pieces: list[Spoken]) -> bytes:
    return b"".join(piece.sound for piece in pieces)


def letters(pieces: list[Spoken]) -> list[tuple[str, int]]:
    """All characters with the byte of the whole sound at which they begin."""
    base, found = 0, []
    for piece in pieces:
        found += [(char, base + start * MS) for char, start in zip(piece.text, piece.starts, strict=True)]
        base += len(piece.sound)
    return found


def test_the_silence_before_the_first_word_is_cut_to_a_breath() -> None:
    out = trimmed([Spoken(ms(300, 100), "Hi.", (300, 350, 400))])
    assert sound(out) == ms(1000 * LEAD, 100)
    assert letters(out) == [("H", 20 * MS), ("i", 70 * MS), (".", 120 * MS)]


def test_a_voice_that_begins_at_once_is_left_alone() -> None:
    piece = Spoken(ms(10, 100), "Hi", (0, 50))
    assert trimmed([piece]) == [piece]


def test_times_within_the_silence_that_was_cut_become_the_beginning() -> None:
    assert letters(trimmed([Spoken(ms(300, 100), "Hi", (0, 310))])) == [("H", 0), ("i", 30 * MS)]


def test_a_very_long_silence_is_cut_only_so_far() -> None:
    out = trimmed([Spoken(ms(700, 100))])
    assert sound(out) == ms(700 - 1000 * MOST, 100)


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("See you.", AFTER_SENTENCE),
        ('He said "no."', AFTER_SENTENCE),
        ("On Thursday,", AFTER_CLAUSE),
        ("On Thursday", AFTER_WORD),
    ],
)
def test_a_clause_is_followed_by_the_pause_its_end_deserves(text: str, pause: float) -> None:
    assert sound(trimmed([Spoken(LOUDLY * 800), Spoken(QUIETLY * 8000)], text)) == ms(0, 100) + ms(1000 * pause)
    assert sound(trimmed([Spoken(LOUDLY * 800), Spoken(QUIETLY * 80)], text)) == ms(0, 100) + ms(10)


def test_a_pause_within_a_clause_stays_as_long_as_it_was() -> None:
    pieces = [Spoken(ms(0, 100), "a", (0,)), Spoken(ms(600), "b", (590,)), Spoken(ms(100, 100), "c", (100,))]
    out = trimmed(pieces)
    assert sound(out) == sound(pieces)
    assert letters(out) == letters(pieces)


def test_sound_is_passed_on_at_once() -> None:
    trim = Trim("Hi.")
    for _ in range(20):
        piece = Spoken(ms(0, 20))
        assert trim.take(piece) == piece


def test_a_voice_that_only_is_silent_still_says_its_characters() -> None:
    assert trimmed([Spoken(ms(100), "Hi", (0, 50))]) == [Spoken(b"", "Hi", (0, 0))]


stretches = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 60)), max_size=6)
cuts = st.lists(st.integers(1, 4000), min_size=1, max_size=20)


def pieces_of(whole: bytes, sizes: list[int], each: int) -> list[Spoken]:
    """The sound in pieces of these sizes, with a character every so many milliseconds."""
    pieces, at, number = [], 0, 0
    while at < len(whole):
        piece = whole[at : at + sizes[number % len(sizes)] // MS * MS + MS]
        starts = [start for start in range(len(piece) // MS) if (at // MS + start) % each == 0]
        pieces.append(Spoken(piece, "".join(chr(97 + start % 26) for start in starts), tuple(starts)))
        at, number = at + len(piece), number + 1
    return pieces


@given(stretches, cuts, st.integers(1, 90))
def test_nothing_audible_is_lost_and_every_character_keeps_its_place(
    parts: list[tuple[int, int]], sizes: list[int], each: int
) -> None:
    whole = b"".join(ms(*part) for part in parts)
    pieces = pieces_of(whole, sizes, each)
    out = trimmed(pieces)
    kept = sound(out)
    assert kept.count(LOUDLY) == whole.count(LOUDLY)
    begin = whole.find(kept)
    assert begin <= MOST * audio.RATE if kept else begin == 0
    if LOUDLY in whole:
        begin = min(max(0, whole.index(LOUDLY) - round(LEAD * audio.RATE)), round(MOST * audio.RATE))
        assert whole[begin : begin + len(kept)] == kept
        expected = [(char, min(max(0, at - begin), len(kept))) for char, at in letters(pieces)]
        assert letters(out) == expected
    assert "".join(piece.text for piece in out) == "".join(piece.text for piece in pieces)
    starts = [start for _, start in letters(out)]
    assert starts == sorted(starts)


@given(stretches, cuts, cuts)
def test_how_the_sound_is_divided_makes_no_difference(
    parts: list[tuple[int, int]], one: list[int], other: list[int]
) -> None:
    whole = b"".join(ms(*part) for part in parts)
    assert sound(trimmed(pieces_of(whole, one, 50))) == sound(trimmed(pieces_of(whole, other, 50)))


@given(stretches, cuts)
def test_no_more_than_a_pause_is_ever_held_back_behind_a_sound(parts: list[tuple[int, int]], sizes: list[int]) -> None:
    trim, given_in, out = Trim("Hi."), b"", b""
    for piece in pieces_of(b"".join(ms(*part) for part in parts), sizes, 50):
        given_in += piece.sound
        spoken = trim.take(piece)
        out += spoken.sound if spoken else b""
        assert out.count(LOUDLY) == given_in.count(LOUDLY)


# --- where speech goes on ---------------------------------------------------------------------------------------


def hiss(db: float, seconds: float) -> bytes:
    random = np.random.default_rng(1)
    return audio.encode(random.normal(0, 10 ** (db / 20), round(seconds * audio.RATE)).astype(np.float32))


def test_the_rest_of_a_pause_goes_with_the_breath_in_it_but_not_the_consonant_after_it() -> None:
    breath, consonant = hiss(FAINT - 4, 0.3), hiss(FAINT + 4, 0.06)
    assert audio.decode(breath).max() > 10 ** (QUIET / 20), "some of its samples are loud ones"
    assert quiet_before(breath + consonant + ms(0, 200)) == len(breath) - round(LEAD * audio.RATE)
    assert quiet_before(consonant + ms(0, 200)) == 0


def test_where_nothing_follows_a_pause_it_stays() -> None:
    assert quiet_before(ms(MOST * 1000)) == quiet_before(b"") == 0
