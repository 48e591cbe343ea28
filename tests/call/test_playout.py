"""Playout: sound leaves a short lead ahead of time, and only words whose sound was confirmed were heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.sound.playout import REACH, Piece, Playout, Reach
from backend.models import LineKind, Spoken
from backend.practice.playback import Playback

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
    assert playout.due(5.0) == Piece(b"\x01" * 40, "1.0:40")


@pytest.mark.parametrize("reach", REACH.values())
def test_no_more_than_the_lead_is_ever_ahead_of_real_time(reach: Reach) -> None:
    playout = Playout(1, reach=reach)
    playout.add(spoken("one two three four five six seven"))
    now = 0.0
    sent = 0
    while now < 3:
        while piece := playout.due(now):
            sent += len(piece.sound)
        assert sent / 8000 <= now + playout.reach.lead + playout.piece + 1e-9
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
    done = [playout.done] + [playout.played(mark, 2.0) and playout.done for mark in marks]
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
    assert not playout.played("1.0:800", 2.0)
    assert not playout.played("2.0:999999", 2.0)
    assert not playout.played("2.1:800", 2.0)
    assert not playout.played("nonsense", 2.0)
    assert playout.heard == ""


def test_half_a_word_was_not_heard() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three"))
    play(playout, 2)
    playout.played("1.0:4000", 2.0)
    assert playout.heard == "one"
    playout.played("1.0:4800", 2.0)
    assert playout.heard == "one two"


def test_where_the_sound_so_far_ends_in_the_middle_of_a_word_that_word_is_not_heard() -> None:
    playout = Playout(1)
    playout.add(Spoken(bytes(8 * 600), "at two thi", tuple(range(0, 600, 60))))
    play(playout, 1.0)
    assert playout.played("1.0:4800", 1.1)
    assert playout.heard == "at two"
    assert playout.hold(1.1)
    playout.add(Spoken(bytes(8 * 180), "rty", (0, 60, 120)))
    playout.release()
    assert playout.left == "thirty"
    assert sum(len(piece.sound) for piece in play(playout, 2.0)) == 8 * (180 + 180), "the word comes again, whole"


def test_where_a_clause_is_over_so_is_its_last_word() -> None:
    playout = Playout(1)
    playout.add(spoken("at two"))
    playout.pause()
    play(playout, 1.0)
    assert playout.played("1.0:4800", 2.0)
    assert playout.heard == "at two"


def test_a_late_mark_takes_nothing_back() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three"))
    play(playout, 2)
    playout.played("1.0:4800", 2.0)
    playout.played("1.0:800", 2.0)
    assert playout.heard == "one two"


# --- the gate ---------------------------------------------------------------------------------------------------


class Wire:
    """A carrier that plays in real time, in frames of 20 ms, and returns the marks of what it has played."""

    def __init__(self, playout: Playout) -> None:
        self.playout = playout
        self.playback = Playback()
        self.now = 0.0
        self.heard = b""

    def carry(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            while piece := self.playout.due(self.now):
                self.playback.add(piece.sound)
                self._return(self.playback.mark(piece.mark))
            frame = self.playback.next_frame()
            self.now += 0.02
            self.heard += frame.sound[: frame.spoken]
            self._return(frame.marks)

    def hold(self) -> None:
        if self.playout.hold(self.now):
            self._return(self.playback.clear())

    def _return(self, marks: Sequence[str]) -> None:
        for mark in marks:
            self.playout.played(mark, self.now)


def test_nothing_leaves_before_the_gate_is_opened() -> None:
    playout = Playout(1, open=False)
    playout.add(spoken("one two"))
    assert (playout.due(5.0), playout.wake(), playout.begun) == (None, None, False)
    playout.release()
    assert playout.due(5.0) is not None


def test_a_held_reply_goes_on_with_the_word_that_was_not_heard_to_its_end() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three four five"))
    sent = play(playout, 0.5)
    playout.played(sent[3].mark, 0.5)  # 400 ms: in the middle of "two"
    assert playout.hold(0.5)
    assert (playout.heard, playout.left) == ("one", "two three four five")
    assert playout.due(0.6) is None
    playout.release()
    piece = playout.due(1.0)
    assert piece is not None
    assert piece.mark == f"1.1:{300 * 8 + len(piece.sound)}"


def test_a_word_heard_to_its_end_is_not_repeated() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three four five"))
    sent = play(playout, 0.5)
    playout.played(sent[2].mark, 0.5)  # 300 ms: "one" and its blank
    assert playout.hold(0.5)
    playout.release()
    piece = playout.due(1.0)
    assert piece is not None and piece.mark == f"1.1:{300 * 8 + len(piece.sound)}"


@pytest.mark.parametrize(("stopped", "place"), [(0.35, "in the pause"), (0.45, "in the quiet before the word's sound")])
def test_a_held_reply_goes_on_with_sound_and_not_with_the_pause_in_which_it_was_held(
    stopped: float, place: str
) -> None:
    """300 ms of "one," and 200 ms of quiet, of which the second half counts as the word's."""
    loud, quiet = b"\x80" * 2400, b"\xff" * 1600
    playout = Playout(1)
    playout.add(Spoken(loud + quiet + loud, "one, two", (0, 80, 160, 240, 300, 400, 550, 650)))
    for piece in play(playout, stopped):
        playout.played(piece.mark, stopped)
    playout.hold(stopped)
    playout.release()
    went_on = playout.due(1.0)
    assert went_on is not None, place
    assert went_on.sound[:161] == quiet[:160] + loud[:1], f"{place}: 20 ms stay for soft sounds"
    assert playout.heard == "one,"


def test_a_reply_held_in_its_last_quiet_is_still_played_to_its_end() -> None:
    wire = Wire(Playout(1))
    wire.playout.add(Spoken(b"\x80" * 2400 + b"\xff" * 4000, "one.", (0, 80, 160, 240)))
    wire.playout.finish()
    wire.carry(0.45)
    wire.hold()
    wire.carry(0.3)
    wire.playout.release()
    wire.carry(2)
    assert (wire.playout.done, wire.playout.heard) == (True, "one.")


def test_the_marks_of_sound_that_was_taken_back_count_for_nothing() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three four five"))
    sent = play(playout, 0.5)
    playout.hold(0.5)
    assert [playout.played(piece.mark, 2.0) for piece in sent] == [True] * 4 + [False] * (len(sent) - 4)
    assert playout.heard == "one"


def test_sound_that_was_played_but_not_yet_confirmed_is_not_repeated() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three four five"))
    sent = play(playout, 0.65)
    playout.played(sent[3].mark, 0.62)  # 380 ms; the marks of the next 200 ms are under way
    playout.hold(0.65)
    playout.release()
    piece = playout.due(1.0)
    assert piece is not None and piece.mark == f"1.1:{600 * 8 + len(piece.sound)}", "in the blank before three"
    assert playout.heard == "one", "what is not confirmed was not heard all the same"


def test_where_marks_do_not_come_nothing_counts_as_played() -> None:
    playout = Playout(1)
    playout.add(spoken("one two three four five"))
    play(playout, 0.95)
    playout.hold(0.95)
    playout.release()
    piece = playout.due(1.0)
    assert piece is not None and piece.mark == f"1.1:{len(piece.sound)}"


@pytest.mark.parametrize("reach", REACH.values())
@given(st.floats(0.0, 1.5))
def test_before_the_first_mark_has_come_nothing_counts_as_played(reach: Reach, stopped: float) -> None:
    """A carrier that returned no marks so far may begin to: what was played before that is never confirmed."""
    playout = Playout(1, reach=reach)
    speech = spoken("I am in two minds about it as ever", ms=100)
    playout.add(speech)
    play(playout, stopped)
    assert playout.hold(stopped)
    playout.release()
    again = play(playout, stopped + 5)
    assert b"".join(piece.sound for piece in again) == speech.sound


def test_the_last_moment_of_a_reply_is_not_worth_holding() -> None:
    playout = Playout(1)
    playout.add(spoken("one two"))
    playout.finish()
    play(playout, 0.4)
    assert not playout.hold(0.4)
    assert playout.open


def test_a_reply_that_was_held_is_played_to_its_end() -> None:
    wire = Wire(Playout(1))
    wire.playout.add(spoken("one two three four five"))
    wire.playout.finish()
    wire.carry(0.6)
    wire.hold()
    wire.carry(1)
    wire.playout.release()
    wire.carry(4)
    assert (wire.playout.done, wire.playout.heard, wire.playout.left) == (True, "one two three four five", "")


@given(st.lists(st.floats(min_value=0.05, max_value=1.5), max_size=5), st.sampled_from(list(REACH.values())))
def test_however_often_a_reply_is_held_no_word_is_lost_and_at_most_one_repeated_each_time(
    gaps: list[float], reach: Reach
) -> None:
    """Each word has a sound of its own, so what was heard tells which words were played."""
    names = "abcdefgh"
    wire = Wire(Playout(1, reach=reach))
    for name in names:
        wire.playout.add(Spoken(name.encode() * 2400, f"{name} ", (0, 280)))
    wire.playout.finish()
    for gap in gaps:
        wire.carry(gap)
        wire.hold()
        wire.carry(0.3)
        wire.playout.release()
    wire.carry(10)
    assert wire.playout.done and wire.playout.heard == " ".join(names)
    assert all(wire.heard.count(name.encode()) >= 2400 for name in names)
    assert len(wire.heard) <= 2400 * (len(names) + len(gaps))


def test_the_sound_that_is_being_played_is_known() -> None:
    playout = Playout(1)
    playout.add(Spoken(bytes(range(200)) * 40))
    play(playout, 0.5)
    assert playout.sounding(0.5, 0.02) == (bytes(range(200)) * 40)[4000 - 160 : 4000]
    assert playout.sounding(5.0, 0.02) == b""


def test_clauses_are_told_apart_by_a_blank() -> None:
    playout = Playout(1)
    playout.add(spoken("One."))
    playout.pause()
    playout.add(spoken("Two."))
    playout.finish()
    for piece in play(playout, 2):
        playout.played(piece.mark, 2.0)
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
        playout.played(piece.mark, 2.0)
    reached = sum(len(piece.sound) for piece in pieces[:confirmed])
    over = (reached // 8 + PAUSE_MS) // WORD_MS
    heard = len(playout.heard.split())
    assert over - 1 <= heard <= over
    assert " ".join(clauses).startswith(playout.heard)


# --- over a network ---------------------------------------------------------------------------------------------


class Network(Wire):
    """A carrier that is far away: what is sent takes its time both ways, and now and then the way stands still, as
    TCP does for a lost packet. Nothing overtakes."""

    def __init__(self, playout: Playout, delay: float, stalls: Sequence[tuple[float, float]] = ()) -> None:
        """`stalls`: from when until when nothing gets through, to the carrier."""
        super().__init__(playout)
        self.delay, self.stalls = delay, stalls
        self.gaps = 0
        """Frames of silence since the first sound."""
        self._there: deque[tuple[float, Piece | None]] = deque()
        """What is on its way, and when it arrives; nothing is a `clear`."""
        self._back: deque[tuple[float, str]] = deque()

    def carry(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            while piece := self.playout.due(self.now):
                self._send(piece)
            self._arrive()
            frame = self.playback.next_frame()
            self.now += 0.02
            self.heard += frame.sound[: frame.spoken]
            self.gaps += bool(self.heard) and not frame.spoken
            self._return(frame.marks)
            while self._back and self._back[0][0] <= self.now:
                self.playout.played(self._back.popleft()[1], self.now)

    def hold(self) -> None:
        if self.playout.hold(self.now):
            self._send(None)

    def _send(self, piece: Piece | None) -> None:
        free = max([self.now, *(until for since, until in self.stalls if since <= self.now < until)])
        self._there.append((free + self.delay, piece))

    def _arrive(self) -> None:
        while self._there and self._there[0][0] <= self.now:
            piece = self._there.popleft()[1]
            if piece is None:
                self._return(self.playback.clear())
            else:
                self.playback.add(piece.sound)
                self._return(self.playback.mark(piece.mark))

    def _return(self, marks: Sequence[str]) -> None:
        self._back.extend((self.now + self.delay, mark) for mark in marks)


SENTENCE = "we could offer you thursday at half past two or friday morning at ten"


@pytest.mark.parametrize(
    ("line", "stall", "whole"), [("phone", 0.35, True), ("phone", 0.45, True), ("practice", 0.35, False)]
)
def test_a_network_that_stands_still_for_a_moment_breaks_no_word_on_a_phone_line(
    line: str, stall: float, whole: bool
) -> None:
    wire = Network(Playout(1, reach=REACH[LineKind(line)]), 0.06, [(1.0, 1.0 + stall)])
    wire.playout.add(spoken(SENTENCE))
    wire.playout.finish()
    wire.carry(4.0)
    assert (wire.gaps == 0) is whole


@pytest.mark.parametrize("delay", [0.01, 0.05, 0.1, 0.2])
def test_a_far_away_carrier_is_given_each_word_once_and_goes_on_with_the_one_that_was_cut(delay: float) -> None:
    names = "abcdefgh"
    wire = Network(Playout(1, reach=REACH[LineKind.PHONE]), delay)
    for name in names:
        wire.playout.add(Spoken(name.encode() * 2400, f"{name} ", (0, 280)))
    wire.playout.finish()
    wire.carry(1.5)
    wire.hold()
    wire.carry(0.6)
    quiet = wire.heard
    wire.carry(1.0)
    assert wire.heard == quiet, "silent once the clear has arrived"
    wire.playout.release()
    wire.carry(5)
    assert wire.playout.done and wire.playout.heard == " ".join(names)
    assert all(wire.heard.count(name.encode()) >= 2400 - 80 for name in names)
    assert len(wire.heard) <= 2400 * (len(names) + 1)


def test_after_a_stall_that_breaks_words_no_word_is_lost_by_an_interruption() -> None:
    names = "abcdefgh"
    wire = Network(Playout(1, reach=REACH[LineKind.PHONE]), 0.05, [(0.5, 1.4)])
    for name in names:
        wire.playout.add(Spoken(name.encode() * 2400, f"{name} ", (0, 280)))
    wire.playout.finish()
    wire.carry(1.9)
    wire.hold()
    wire.carry(0.6)
    wire.playout.release()
    wire.carry(6)
    assert wire.playout.done
    assert all(wire.heard.count(name.encode()) >= 2400 - 400 for name in names)
