"""The benchmark: its arithmetic, its judges with planted recordings, and one tiny run of the real thing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from backend import audio
from backend.bench import parts, report
from backend.bench.apart import run_apart
from backend.bench.delays import Delays, whole_frames
from backend.bench.figures import (
    Figure,
    Sheet,
    Target,
    first_loud,
    lateness,
    percentile,
    share,
    silence,
    single,
    spread,
)
from backend.bench.load import levels
from backend.bench.meter import Meter
from backend.bench.sounds.sounds import Clip, Kind, Part, Room
from backend.bench.stage import judges, manners, speed
from backend.bench.stage.guest import STUCK, Cue, Guest, Sounded
from backend.bench.stage.narrator import LONG, SHORT, reply_of, timed
from backend.bench.stage.readback import Earpiece, Piece, joint, played_words, words_of
from backend.bench.stage.sayings import Saying, of_clip, of_noise
from backend.cli import BenchPart
from backend.engines.installed import mute
from backend.loopback.elevenlabs_speech import Speech
from backend.loopback.told import Lexicon
from backend.models import Speaker, Turn, TurnState
from backend.running.launcher import CannotStart

FRAME, QUIET = audio.FRAME, audio.SILENCE * audio.FRAME


def noise(size: int, seed: int = 0) -> bytes:
    """Sound as loud as speech."""
    return audio.encode(np.random.default_rng(seed).uniform(-0.3, 0.3, size).astype(np.float32))


def speech(text: str, seed: int = 0, frames_each: int = 3) -> Speech:
    """A text whose characters take so many frames each."""
    return timed(text, noise(len(text) * frames_each * FRAME, seed), 0)


# --- figures ----------------------------------------------------------------------------------------------------


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, part) for part in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.5) is None


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_no_more_values_exceed_a_percentile_than_it_says(values: list[float], part: float) -> None:
    found = percentile(values, part)
    assert found in values
    assert sum(value <= (found or 0) for value in values) >= part * len(values) - 1e-6


def test_a_promise_is_kept_up_to_its_bound_and_not_beyond() -> None:
    line = spread("any", [0.010, 0.015, 0.041], Target(15), Target(40, column="p95"))
    assert (line.median, line.p95, line.kept) == (15, 41, False)
    assert replace(line, targets=(Target(15),)).kept
    assert not replace(line, targets=(Target(least=16),)).kept
    assert [str(target) for target in (Target(15), Target(least=30), Target(1300, 1100), Target(40, column="p95"))] == [
        "≤ 15",
        "≥ 30",
        "1100 to 1300",
        "p95 ≤ 40",
    ]


def test_what_was_not_measured_keeps_no_promise_and_breaks_none_where_there_is_none() -> None:
    assert spread("any", [], Target(15)).kept is False
    assert share("any", 0, 0).kept is None
    assert single("any", "MB", None, Target(2)).kept is False


def test_a_share_is_in_percent_of_how_often_it_could_have_been() -> None:
    assert share("any", 3, 200, Target(1.5)) == Figure("any", "%", 200, 1.5, targets=(Target(1.5),))


def test_pieces_that_come_when_they_are_due_are_not_late() -> None:
    # Three at once fill a lead of 0.2 s; then one each 0.1 s, the last of which comes 30 ms after its moment.
    arrivals = [(5.0, 800), (5.0, 800), (5.0, 800), (5.1, 800), (5.2, 800), (5.33, 800)]
    assert list(lateness(arrivals, lead=0.2)) == pytest.approx([0.0, 0.0, 0.03])


def test_pieces_that_fill_the_lead_as_fast_as_they_are_voiced_are_not_late() -> None:
    arrivals = [(5.0, 1600), (5.1, 800), (5.1, 800), (5.13, 1600), (5.13, 800), (5.23, 800)]
    assert list(lateness(arrivals, lead=0.5)) == pytest.approx([0.03])


def test_a_carrier_that_ran_dry_counts_the_next_piece_from_there() -> None:
    arrivals = [(5.0, 1600), (5.0, 800), (6.0, 800), (6.0, 800), (6.0, 800), (6.1, 800)]
    late = list(lateness(arrivals, lead=0.2))
    assert (late[0], late[-1]) == pytest.approx((0.9, 0.0))


def test_silence_counts_only_between_the_first_and_the_last_sound() -> None:
    loud = [False, True, True, False, False, True, False]
    frames = [(1 + place * 0.02, value) for place, value in enumerate(loud)]
    assert silence(frames, 0, 9) == pytest.approx(0.04)
    assert silence(frames, 0, 1.05) == 0
    assert first_loud(frames, 1.05) == pytest.approx(1.1)
    assert first_loud(frames, 2) is None


# --- delays -----------------------------------------------------------------------------------------------------


def test_without_speculation_the_earliest_reply_is_all_delays_in_a_row() -> None:
    # 260 + 350 + 8 tokens at 12.5 + 130 ms, and 20 ms of a soft beginning, make 860 ms: one token more begins a frame.
    assert Delays().reply(8, speculates=False) == pytest.approx(0.86)
    assert Delays().reply(9, speculates=False) == pytest.approx(0.88)


def test_with_speculation_thinking_begins_at_the_early_end_and_nothing_is_heard_before_the_real_one() -> None:
    assert Delays().reply(8, speculates=True) == pytest.approx(0.68)
    instant = Delays(first_token=0, first_byte=0, tokens_per_second=1e9)
    assert instant.reply(8, speculates=True) == pytest.approx(0.28)


def test_frames_are_counted_up_but_not_for_an_error_of_rounding() -> None:
    assert whole_frames(0.1 + 0.2) == pytest.approx(0.3)
    assert whole_frames(0.301) == pytest.approx(0.32)


@pytest.mark.parametrize("plan", [speed.Plan(), speed.QUICK])
def test_the_slow_tail_is_a_twentieth_and_holds_the_p95(plan: speed.Plan) -> None:
    turns = [(call, turn) for call in range(plan.tail_calls) for turn in range(1, plan.tail_turns + 1)]
    waits = [4.0 if speed.slow(call, turn, plan.tail_turns) else 1.0 for call, turn in turns]
    assert waits.count(4.0) == -(-len(turns) // 20)
    assert percentile(waits, 0.95) == 4.0


def test_answers_are_told_apart_by_their_first_clause() -> None:
    said = [speed.answer(call, turn) for call in range(20) for turn in range(1, 10)]
    assert len({text[:25] for text in said}) == len(said)
    assert len({speed.pieces_of(text.partition(",")[0]) for text in said}) > 2


# --- reading back -----------------------------------------------------------------------------------------------


def heard(earpiece: Earpiece, sound: bytes, now: float = 0.0) -> float:
    """Play this; returns when it is over."""
    for at in range(0, len(sound), FRAME):
        earpiece.hear(sound[at : at + FRAME].ljust(FRAME, audio.SILENCE), now)
        now += 0.02
    return now


def test_speech_that_breaks_off_and_goes_on_is_read_as_two_pieces_of_one_text() -> None:
    text = speech("one two three four")
    earpiece = Earpiece(lambda: [speech("some other text", 1), text])
    now = heard(earpiece, text.sound[: 30 * FRAME])
    now = heard(earpiece, 10 * QUIET, now)
    heard(earpiece, text.sound[24 * FRAME :], now)
    assert [(piece.speech.text, piece.start, piece.end) for piece in earpiece.pieces] == [
        (text.text, 0, 30 * FRAME),
        (text.text, 24 * FRAME, len(text.sound)),
    ]
    assert earpiece.pieces[0].loud_until == pytest.approx(0.6)
    assert earpiece.pieces[1].loud_from == pytest.approx(0.8)
    # Of frame 24 to 30 is the word "three", which begins with character 8.
    assert joint(earpiece.pieces[0], earpiece.pieces[1]) == (1, 0)
    assert played_words(earpiece.pieces) == ["one", "two", "three", "four"]


def test_sound_may_begin_in_the_middle_of_a_frame_and_of_a_text() -> None:
    text = speech("one two three four")
    earpiece = Earpiece(lambda: [text])
    heard(earpiece, audio.SILENCE * 70 + text.sound[1234:4321])
    piece = earpiece.pieces[0]
    assert (piece.start, piece.end, earpiece.unknown) == (1234, 4321, 0)
    assert piece.began == pytest.approx(70 / 8000)


def test_sound_that_the_voice_never_made_is_counted() -> None:
    earpiece = Earpiece(lambda: [speech("one two")])
    heard(earpiece, noise(5 * FRAME, seed=9))
    assert (earpiece.pieces, earpiece.unknown) == ([], 5)


@given(st.integers(0, 53), st.integers(1, 54))
def test_any_stretch_of_a_text_is_read_back_as_what_it_is(start: int, length: int) -> None:
    text = speech("one two three four")
    earpiece = Earpiece(lambda: [text])
    stretch = text.sound[start * FRAME : (start + length) * FRAME]
    heard(earpiece, QUIET + stretch + QUIET)
    assert [(piece.start, piece.end) for piece in earpiece.pieces] == [(start * FRAME, start * FRAME + len(stretch))]


def test_a_word_that_was_cut_was_not_heard() -> None:
    text = speech("one two three four")
    cut = Piece(text, 0, words_of(text)[2].end, 0, 1)
    assert played_words([cut]) == ["one", "two"]
    assert played_words([replace_end(cut, cut.end + 1)]) == ["one", "two", "three"]


def replace_end(piece: Piece, end: int) -> Piece:
    return Piece(piece.speech, piece.start, end, piece.began, piece.ended)


def test_words_that_are_skipped_are_lost_also_across_two_texts() -> None:
    first, second = speech("one two three"), speech("four five six", 1)
    words = words_of(first)
    assert joint(Piece(first, 0, words[0].end + 1, 0, 1), Piece(first, words[2].start, 9999, 1, 2)) == (0, 1)
    assert joint(Piece(first, 0, words[1].end + 1, 0, 1), Piece(second, 0, 9999, 1, 2)) == (0, 1)
    assert joint(Piece(first, 0, len(first.sound), 0, 1), Piece(second, 0, 9999, 1, 2)) == (0, 0)


def test_speech_that_goes_on_in_the_text_before_repeats_words_and_loses_none() -> None:
    first, second = speech("one two three"), speech("four five six", 1)
    begun, tip = words_of(second)[1].start + FRAME, FRAME
    again = Piece(first, words_of(first)[2].start, 9999, 1, 2)
    whole = Piece(first, 0, len(first.sound), 0, 1)
    assert judges.Answer("", (judges.Run((whole, Piece(second, 0, tip, 0, 1))),)).joint(
        Piece(second, 0, tip, 0, 1), again
    ) == (1, 0)
    assert joint(Piece(second, 0, begun + FRAME * 3, 0, 1), again, back=True) == (3, 0)


# --- judges: planted recordings -----------------------------------------------------------------------------------

TEXT = "This is what I wanted to tell you, and it takes a while to say all of it to you."
WHOLE = speech(TEXT)
SECONDS = len(WHOLE.sound) / 8000


def piece(start: float, end: float, at: float) -> Piece:
    """These seconds of the text, played from this moment on."""
    sounded = Piece(WHOLE, round(start * 8000), round(end * 8000), at, at + end - start)
    sounded.loud_from, sounded.loud_until = sounded.began, sounded.ended
    return sounded


def played(*pieces: Piece) -> list[judges.Answer]:
    return judges.answers(pieces, lambda text: text)


def sounded(began: float, ended: float, missed: bool = False) -> Sounded:
    return Sounded("backchannel: okay", began, ended, missed)


def test_an_agent_that_just_goes_on_was_not_stopped() -> None:
    (found,) = judges.overlaps([sounded(2.0, 2.4)], played(piece(0, SECONDS, 1.0)), until=20)
    assert (found.stopped, found.resumed, found.repeated, found.lost) == (False, None, 0, 0)


def test_an_agent_that_holds_and_goes_on_is_timed_and_its_words_are_compared() -> None:
    # Held at 1.2 s of the text, it goes on from 0.96 s, the beginning of the fourth word "I" or so.
    (found,) = judges.overlaps([sounded(2.0, 2.4)], played(piece(0, 1.2, 1.0), piece(0.9, SECONDS, 2.7)), until=20)
    assert not found.stopped
    assert found.resumed == pytest.approx(0.3)
    assert (found.repeated, found.lost) == (1, 0)


def test_an_agent_that_falls_silent_over_a_cough_was_stopped() -> None:
    (found,) = judges.overlaps([sounded(2.0, 2.4)], played(piece(0, 1.2, 1.0)), until=20)
    assert found.stopped and found.resumed is None


def test_only_the_last_sound_before_the_end_can_have_stopped_it() -> None:
    found = judges.overlaps([sounded(1.5, 1.7), sounded(2.0, 2.4)], played(piece(0, 1.2, 1.0)), until=20)
    assert [one.stopped for one in found] == [False, True]


def test_a_call_that_ended_meanwhile_did_not_stop_the_agent() -> None:
    (found,) = judges.overlaps([sounded(2.0, 2.4)], played(piece(0, 1.2, 1.0)), until=2.5)
    assert not found.stopped


def test_a_sound_that_fell_on_no_reply_is_not_judged() -> None:
    assert judges.overlaps([sounded(0.1, 0.4)], played(piece(0, 1.2, 1.0)), until=20) == []
    assert judges.overlaps([sounded(2.0, 2.4, missed=True)], played(piece(0, 3.0, 1.0)), until=20) == []


def turn(heard: str, text: str = TEXT) -> Turn:
    return Turn(3, Speaker.AGENT, text, heard, TurnState.CUT, 0.0)


def test_an_interruption_is_timed_to_the_last_of_the_agents_sound_and_its_words_are_counted() -> None:
    heard = " ".join(played_words([piece(0, 1.15, 1.0)]))
    found = judges.interruption(sounded(2.0, 3.0), played(piece(0, 1.15, 1.0)), [turn(heard)])
    assert found and found.yielded == pytest.approx(0.15)
    assert (found.returned, found.true, found.played) == (False, True, len(heard.split()))


def test_an_agent_that_comes_back_with_the_old_reply_is_caught() -> None:
    found = judges.interruption(sounded(2.0, 3.0), played(piece(0, 1.15, 1.0), piece(1.0, 1.3, 3.2)), [turn("This")])
    assert found and found.returned


def test_a_transcript_that_says_too_much_is_caught() -> None:
    found = judges.interruption(sounded(2.0, 3.0), played(piece(0, 1.15, 1.0)), [turn(TEXT)])
    assert found and not found.true
    unknown = judges.interruption(sounded(2.0, 3.0), played(piece(0, 1.15, 1.0)), [turn("", "Something else.")])
    assert unknown and unknown.heard is None and not unknown.true


def test_a_callee_who_pauses_is_talked_over_also_in_the_pause() -> None:
    over = sounded(2.0, 4.0)
    assert judges.talked_over(over, [piece(0, 0.5, 3.0)])
    assert not judges.talked_over(over, [piece(0, 0.5, 1.5), piece(0, 0.5, 4.0)])
    assert judges.answered(over, [piece(0, 0.5, 1.5), piece(0, 0.5, 4.6)], until=9) == pytest.approx(0.6)
    assert judges.answered(over, [piece(0, 0.5, 4.6)], until=4.5) is None


def test_every_sentence_of_the_model_is_of_one_answer_only() -> None:
    for reply in (*LONG, *SHORT):
        assert all(reply_of(part) == reply for part in reply.split(". "))
    assert reply_of("Hi, this is Alex. ") == "Hi, this is Alex."


# --- the callee ---------------------------------------------------------------------------------------------------


def test_the_words_of_a_clip_are_over_when_they_are_said_and_pauses_say_nothing() -> None:
    sound = noise(30 * FRAME) + 40 * QUIET + noise(30 * FRAME, 1)
    parts_ = (Part("my name is", 0.0, 0.6), Part("Ann", 1.4, 2.0))
    saying = of_clip(Clip(sound, "my name is Ann", Kind.HESITATING, "man", -20, parts_))
    assert " ".join(words for words in saying.words if words) == "My name is Ann."
    assert saying.words[29] == "is" and saying.words[99] == "Ann."
    assert set(saying.words[30:70]) == {None}
    assert (saying.onset, saying.ends) == (0.0, 2.0)


def test_a_word_whose_end_is_silent_is_over_with_the_last_sound_before() -> None:
    sound = noise(20 * FRAME) + 10 * QUIET
    saying = of_clip(Clip(sound, "Yes.", Kind.BACKCHANNEL, "man", -20, (Part("Yes.", 0.0, 0.6),)))
    assert saying.words[19] == "Yes."
    assert set(saying.words[20:]) == {None}


def test_a_noise_says_nothing() -> None:
    saying = of_clip(Clip(noise(10 * FRAME), "[cough]", Kind.NOISE, "", -20, (Part("[cough]", 0.0, 0.2),)))
    assert set(saying.words) == {None}


def live(guest: Guest, earpiece: list[bytes]) -> list[bytes | None]:
    return [guest.live(frame, place * 0.02) for place, frame in enumerate(earpiece)]


def test_a_guest_answers_when_the_agent_has_been_quiet_for_long_enough() -> None:
    said = of_noise("Yes, please.", 0.1, seed=5)
    agent = speech("Hello")
    guest = Guest([Cue(said, after=0.2)], Lexicon(), lambda: [agent], leaves=0.0)
    spoken = [agent.sound[at : at + FRAME] for at in range(0, len(agent.sound), FRAME)]
    microphone = live(guest, [*spoken, *15 * [QUIET]])
    assert microphone.index(said.frames[0]) == len(spoken) + 9
    assert guest.said[0].began == pytest.approx(0.02 * (len(spoken) + 9))
    assert not guest.said[0].missed
    assert "Yes," in [guest.lexicon.said(frame) for frame in said.frames]


def test_a_guest_whose_cue_never_comes_goes_on_and_says_so() -> None:
    guest = Guest([Cue(of_noise("Yes.", 0.1, seed=5), over=1.0)], Lexicon(), list)
    live(guest, round(STUCK / 0.02 + 10) * [QUIET])
    assert [said.missed for said in guest.said] == [True]


def test_a_guest_in_a_room_sends_the_echo_and_only_a_harsh_recogniser_has_words_for_it() -> None:
    agent = speech("The parts will be here tomorrow before noon, and so on. " * 2, frames_each=4)
    spoken = [agent.sound[at : at + FRAME] for at in range(0, len(agent.sound), FRAME)]
    understood = []
    for harsh in (False, True):
        room = Room(0.1, -20, np.random.default_rng(3))
        guest = Guest([], Lexicon(), lambda: [agent], leaves=9.0, room=room, harsh=harsh)
        microphone = [frame for frame in live(guest, spoken) if frame]
        assert audio.level(b"".join(microphone[10:])) > -45
        understood.append(" ".join(words for frame in microphone if (words := guest.lexicon.said(frame))))
    assert understood[0] == ""
    assert set(understood[1].split()) <= set(agent.text.split()) and understood[1]


# --- the report ---------------------------------------------------------------------------------------------------


def test_the_verdict_names_every_broken_promise() -> None:
    kept, broken = share("kept", 0, 9, Target(5)), share("  broken", 9, 9, Target(5))
    assert report.verdict([Sheet("Any", (kept,))]) == "All 1 promises were kept."
    assert report.verdict([Sheet("Any", (kept, broken))]) == "1 of 2 promises were not kept: broken."


def test_the_exit_code_says_whether_all_promises_were_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sheets = iter([Sheet("Speed", (share("any", 0, 9, Target(5)),)), Sheet("Speed", (share("any", 9, 9, Target(5)),))])
    part = parts.Part("speed", "nothing", lambda quick, show: next(sheets))
    monkeypatch.setitem(parts.PARTS, "speed", part)
    console = Console(file=(tmp_path / "out.txt").open("w"), width=120)
    with console.file:
        codes = [report.bench(["speed"], True, tmp_path / "bench.json", console) for _ in range(2)]
    assert codes == [0, 1]
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["parts"]["speed"]["lines"][0]["kept"] is False
    assert "1 of 1 promises were not kept: any." in (tmp_path / "out.txt").read_text()


def test_a_table_that_goes_into_a_file_is_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = share("  backchannels and noises: stopped by something", 0, 228, Target(5), Target(10, column="worst"))
    part = parts.Part("manners", "nothing", lambda quick, show: Sheet("Manners", (line,)))
    monkeypatch.setitem(parts.PARTS, "manners", part)
    with (tmp_path / "out.txt").open("w") as file:
        report.bench(["manners"], True, tmp_path / "bench.json", Console(file=file))
    shown = (tmp_path / "out.txt").read_text()
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert {line.name.strip(), "kept"} <= {part.strip() for part in shown.replace("\n", "  ").split("  ")}


def test_what_is_promised_of_the_load_stands_on_its_lines() -> None:
    level = levels.Level(100, 0.012, 0.001, 0.030, 5000, turns=200, missing=0, cpu=0.6, busy=0.7, memory=1.4)
    sheet = parts.load_sheet(levels.Load((level,), True), 100)
    # Of the generator's own clock nothing is promised.
    assert [line.kept for line in sheet.lines] == [True, True, None, True, True]
    slow = parts.load_sheet(levels.Load((replace(level, late=0.03, cpu=0.9, memory=2.5),), True), 100)
    assert [line.kept for line in slow.lines] == [False, False, None, False, False]


def test_what_a_call_costs_is_promised_as_measured_and_on_a_core_that_nobody_slows() -> None:
    level = levels.Level(25, 0.012, 0.001, 0.030, 5000, turns=200, missing=0, cpu=0.9, memory=1.4, slowed=1.4)
    kept = {line.name: line.kept for line in parts.load_sheet(levels.Load((level,), True), 25).lines}
    assert kept["CPU per call minute, 25 calls"] is False
    assert kept["- on an undisturbed core, 25 calls"] is True


# --- the real thing ---------------------------------------------------------------------------------------------


async def test_a_call_with_one_question_measures_speed() -> None:
    plan = speed.Plan(rings=0.2)
    run = await speed.run(plan, 1, speed.Answers(1), {}, list)
    lines = {line.name.strip(): line for line in speed.reply_lines(run, plan.delays)}
    assert (run.turns, run.requests, len(run.replies)) == (1, 1, 1)
    # The carrier's own frames come a little early or late.
    overhead = lines["overhead over that"].median
    assert overhead is not None and overhead > -20
    assert (lines["first voice byte"].median or 0) >= 129
    assert not run.held[0].record.errors
    assert (run.held[0].opening or 0) >= 1.19


@dataclass(frozen=True)
class Steps:
    total: int


async def count(plan: Steps, ended: Callable[[], object]) -> Sheet:
    for _ in range(plan.total):
        ended()
    return Sheet("Counted", (single("steps", "", plan.total),))


async def fail(plan: Steps, ended: Callable[[], object]) -> Sheet:
    raise CannotStart("There is nothing to measure.")


def test_a_part_runs_in_a_process_of_its_own_and_tells_of_its_steps() -> None:
    shown: list[tuple[int, int]] = []
    assert run_apart(count, Steps(3), lambda done, total: shown.append((done, total))).lines[0].median == 3
    assert shown == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(CannotStart, match="nothing to measure"):
        run_apart(fail, Steps(1), lambda done, total: None)


@pytest.mark.skipif(bool(mute()) and "CI" not in os.environ, reason="the speech engines are not installed")
async def test_a_few_calls_measure_manners() -> None:
    plan = manners.Plan(interruptions=1, overlaps=0, hesitations=0, greetings=1, silent=1)
    sheet = await manners.measure(plan, list)
    lines = {line.name.strip(): line for line in sheet.lines}
    assert lines["interrupted: silent after"].count == 1
    assert lines["greetings: talked over"].count == 1
    assert lines["opening where nobody speaks"].count == 1
    assert (lines["opening where nobody speaks"].median or 0) >= 1190
    assert not [problem for problem in sheet.problems if "nothing that the voice" in problem]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
async def test_a_process_is_weighed_from_the_moment_it_is_asked_for() -> None:
    async with Meter(os.getpid()) as meter:
        deadline = time.process_time() + 0.05
        while time.process_time() < deadline:
            pass
        assert 0.03 <= (meter.cpu() or 0) < 5
        assert (meter.grown() or 0) >= 0
        meter.reset()
        assert (meter.cpu() or 0) < 0.05


async def test_a_process_that_is_gone_costs_nothing_that_is_known() -> None:
    async with Meter(2**22 + 1) as meter:
        await asyncio.sleep(0)
        assert (meter.cpu(), meter.grown()) == (None, None)


def test_sayings_of_noise_never_repeat() -> None:
    one, other = (of_noise("Here I am.", 0.4, seed) for seed in (1, 2))
    assert not set(one.frames) & set(other.frames)
    assert isinstance(one, Saying) and len(one.words) == len(one.frames) == 20


def test_every_part_can_be_asked_for_by_name() -> None:
    assert [*BenchPart] == [*parts.PARTS]
