"""Loudness: speech switches it on within a few frames; clicks, a noisy line and our own echo do not."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import audio
from backend.call.sound.loudness import Change, Loudness

SILENT = audio.SILENCE * audio.FRAME

Changes = list[tuple[int, Change]]


def noise(level: float, frames: int, seed: int = 1) -> list[bytes]:
    """White noise at this many dB below full scale."""
    samples = np.random.default_rng(seed).normal(0, 10 ** (level / 20), frames * audio.FRAME).astype(np.float32)
    sound = audio.encode(samples)
    return [sound[at : at + audio.FRAME] for at in range(0, len(sound), audio.FRAME)]


def words(level: float, seconds: float, seed: int = 1) -> list[bytes]:
    """Noise that swells and pauses as speech does."""
    random = np.random.default_rng(seed)
    sound: list[bytes] = []
    while len(sound) < seconds * 50:
        sound += noise(level + random.uniform(-6, 3), int(random.integers(5, 15)), int(random.integers(1000)))
        sound += [SILENT] * int(random.integers(1, 6))
    return sound[: round(seconds * 50)]


def echo(ours: list[bytes], frames: int, gain: float) -> list[bytes]:
    """The same so many frames later and quieter."""
    scale = np.float32(10 ** (gain / 20))
    return [SILENT] * frames + [audio.encode(audio.decode(frame) * scale) for frame in ours[: len(ours) - frames]]


def both(first: list[bytes], second: list[bytes]) -> list[bytes]:
    return [audio.encode(audio.decode(a) + audio.decode(b)) for a, b in zip(first, second, strict=True)]


def changes(theirs: list[bytes], ours: list[bytes] | None = None, loudness: Loudness | None = None) -> Changes:
    """Which frame changed what."""
    loudness = loudness or Loudness()
    pairs = zip(theirs, ours or [b""] * len(theirs), strict=True)
    return [(at, change) for at, (frame, our) in enumerate(pairs) if (change := loudness.feed(frame, our))]


# --- an ordinary line -------------------------------------------------------------------------------------------


def test_speech_is_noticed_within_three_frames_and_its_end_after_a_pause() -> None:
    quiet, speech = [SILENT] * 25, noise(-20, 25)
    assert changes(quiet + speech + quiet) == [(27, Change.ON), (61, Change.OFF)]


def test_how_long_a_pause_ends_speech_can_be_chosen() -> None:
    quiet, speech = [SILENT] * 25, noise(-20, 25)
    patient = Loudness(release=0.4)
    assert changes(quiet + speech + quiet, loudness=patient) == [(27, Change.ON), (69, Change.OFF)]


def test_a_gap_between_words_does_not_end_speech() -> None:
    gap = [SILENT] * 10
    assert changes(noise(-20, 20) + gap + noise(-20, 20)) == [(2, Change.ON)]


def test_words_may_fade_before_they_end() -> None:
    assert changes([SILENT] * 25 + noise(-30, 20) + noise(-47, 20)) == [(27, Change.ON)]


def test_a_click_is_not_speech() -> None:
    quiet = [SILENT] * 10
    assert changes(quiet + noise(-10, 2) + quiet) == []


def test_typing_is_not_speech() -> None:
    key = noise(-15, 1) + [SILENT] * 4
    assert changes(key * 20) == []


def test_a_single_quiet_frame_does_not_delay_the_notice_of_speech_by_all_that_came_before() -> None:
    assert changes([SILENT] * 25 + noise(-20, 2) + [SILENT] + noise(-20, 5)) == [(29, Change.ON)]


def test_a_hissing_line_is_not_speech_but_speech_over_it_is() -> None:
    hiss = noise(-48, 200)
    assert changes(hiss) == []
    assert changes(hiss + noise(-20, 20)) == [(202, Change.ON)]


def test_a_loud_but_steady_line_becomes_quiet_again() -> None:
    seen = changes(noise(-36, 600))
    assert [change for _, change in seen] == [Change.ON, Change.OFF]


def test_speech_is_noticed_soon_after_a_loud_line_became_quiet() -> None:
    seen = changes(noise(-36, 300) + noise(-65, 100) + noise(-30, 20))
    assert seen[-1] == (402, Change.ON)


def test_it_knows_how_long_it_has_been_quiet() -> None:
    loudness = Loudness()
    for frame in [*noise(-20, 10), *[SILENT] * 5]:
        loudness.feed(frame)
    assert round(loudness.quiet, 3) == 0.1


# --- over the agent ---------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(3, 24),
    st.floats(-40, -12, allow_nan=False),
)
def test_an_echo_is_never_the_callee_whatever_its_delay_and_from_the_first_word_on(
    seed: int, frames: int, gain: float
) -> None:
    ours = words(-20, 12, seed)
    assert changes(echo(ours, frames, gain), ours) == []


def test_without_an_echo_the_callee_is_noticed_over_the_agent_as_soon_as_else() -> None:
    ours = words(-20, 8)
    assert changes([SILENT] * 300 + noise(-30, 100), ours) == [(302, Change.ON)]


def test_over_an_echo_that_is_known_a_callee_who_is_louder_is_noticed() -> None:
    ours = words(-20, 8)
    returned = echo(ours, 12, -22)
    assert changes(both(returned, [SILENT] * 300 + noise(-24, 100)), ours) == [(302, Change.ON)]


def test_in_the_first_word_only_a_callee_who_is_louder_than_any_echo_is_noticed() -> None:
    ours = noise(-20, 40)
    assert changes([SILENT] * 10 + noise(-33, 10) + [SILENT] * 20, ours) == []
    assert changes([SILENT] * 10 + noise(-20, 10) + [SILENT] * 2, ours[:22]) == [(12, Change.ON)]


def test_an_echo_still_under_way_when_the_agent_fell_silent_is_not_the_callee() -> None:
    ours = words(-20, 6) + noise(-18, 20) + [b""] * 60
    returned = echo([our or SILENT for our in ours], 20, -14)
    assert changes(returned, ours) == []


def test_our_echo_does_not_count_against_the_callee_s_silence() -> None:
    loudness, ours = Loudness(), words(-20, 4)
    for theirs, our in zip(echo(ours, 8, -15), ours, strict=True):
        loudness.feed(theirs, our)
    assert loudness.quiet == float("inf"), "nobody was heard yet"


def test_a_phone_whose_echo_is_louder_than_any_is_taken_for_the_callee_only_at_first() -> None:
    ours = words(-20, 40)
    seen = changes(echo(ours, 10, -3), ours)
    assert seen
    assert all(at < 1000 for at, _ in seen)


def test_a_callee_who_turns_the_speaker_on_in_the_middle_is_learned_anew_within_seconds() -> None:
    ours = words(-20, 40)
    seen = changes([SILENT] * 1000 + echo(ours[1000:], 10, -15), ours)
    assert all(at < 1300 for at, _ in seen)
    assert len(seen) <= 8


# --- any sound, in any pieces -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=8000), st.lists(st.integers(1, 700), min_size=1), st.integers(0, 8000))
def test_the_pieces_that_sound_comes_in_make_no_difference(sound: bytes, sizes: list[int], spoken: int) -> None:
    ours, whole, pieces, at = words(-20, 1), Loudness(), Loudness(), 0
    our = b"".join(ours)[:spoken]
    usual = [whole.feed(sound[at : at + 160], our[at : at + 160]) for at in range(0, len(sound) // 160 * 160, 160)]
    found: list[Change | None] = []
    while at < len(sound):
        size = sizes[len(found) % len(sizes)]
        found.append(pieces.feed(sound[at : at + size], our[at : at + size]))
        at += size
    assert round(pieces.quiet, 3) == round(whole.quiet, 3)
    assert [change for change in found if change][-1:] == [change for change in usual if change][-1:]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-70, 0, allow_nan=False), st.integers(1, 40), st.booleans()), max_size=12))
def test_on_and_off_take_turns_and_silence_always_ends_it(stretches: list[tuple[float, int, bool]]) -> None:
    frames = [(frame, spoken) for level, count, spoken in stretches for frame in noise(level, count)]
    theirs = [frame for frame, _ in frames] + [SILENT] * 20
    ours = [SILENT[:80] + frame[80:] if spoken else b"" for frame, spoken in frames] + [b""] * 20
    kinds = [change for _, change in changes(theirs, ours)]
    assert kinds == [Change.ON, Change.OFF] * (len(kinds) // 2)
