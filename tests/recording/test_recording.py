"""Recordings: two sides in one file that can be played at any time, whatever happens to the disk or the server."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import wave
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import Buffer

from backend import audio
from backend.call.tap import Pair, Tap
from backend.models import Brief, Call
from backend.recording import recording
from backend.recording.names import begins, call_of, name_of
from backend.recording.recorder import Recorder, mend
from backend.recording.recording import Recording
from backend.recording.wave import HEADER, header, interleaved, levels, repaired
from backend.storage.store import Store

START = 1_795_000_000.0
LOUD, SOFT = b"\x00", b"\x7a"


def sides(path: Path) -> tuple[bytes, bytes]:
    """As any program reads them that knows the format."""
    content = path.read_bytes()
    assert content[:4] == b"RIFF" and content[8:16] == b"WAVEfmt "
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert int.from_bytes(content[HEADER - 4 : HEADER], "little") == len(content) - HEADER
    return content[HEADER::2], content[HEADER + 1 :: 2]


@dataclass
class Desk:
    """What a recording tells, and its clock."""

    names: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    now: float = START


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def pen() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
async def made(tmp_path: Path, desk: Desk, pen: ThreadPoolExecutor) -> AsyncIterator[Recording]:
    made = Recording(tmp_path / "new", "call-1", pen, desk.names.append, desk.troubles.append, lambda: desk.now)
    yield made
    await _written(pen)


async def _written(pen: ThreadPoolExecutor) -> None:
    """The thread has done all it was given, and what it had to tell was told."""
    await asyncio.wrap_future(pen.submit(lambda: None))
    await asyncio.sleep(0)


def hear(made: Recording, frames: int) -> None:
    for _ in range(frames):
        made.hear(Pair(LOUD * 160, SOFT * 160))


async def test_both_sides_are_written_a_second_at_a_time(
    made: Recording, desk: Desk, pen: ThreadPoolExecutor, tmp_path: Path
) -> None:
    hear(made, 125)
    await _written(pen)
    (path,) = (tmp_path / "new").iterdir()
    assert sides(path) == (LOUD * 16_000, SOFT * 16_000), "two whole seconds of two and a half, while the call goes on"
    made.close()
    await _written(pen)
    assert sides(path) == (LOUD * 20_000, SOFT * 20_000)
    assert desk.names == [path.name]
    assert desk.troubles == []
    assert path.stat().st_mode & 0o777 == 0o600, "nobody else on this machine may listen"


@pytest.mark.parametrize("late", [0.0, 0.3, 0.8])
async def test_it_is_named_by_when_its_first_sound_began(made: Recording, desk: Desk, late: float) -> None:
    """Also where that had to wait until somebody could take it, and the rest came in a rush."""
    for frame in range(1, 60):
        desk.now = START + max(late, frame * 0.02)
        hear(made, 1)
    assert [begins(name) for name in desk.names] == [pytest.approx(START, abs=0.001)]
    made.close()


@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.floats(1e9, 4e9))
def test_a_name_tells_its_call_and_its_beginning(call_id: str, at: float) -> None:
    name = name_of(call_id, at)
    assert call_of(name) == call_id
    assert begins(name) == pytest.approx(at, abs=0.001)


@given(st.text(max_size=60))
def test_other_names_tell_nothing(name: str) -> None:
    assert (begins(name), call_of(name)) == (None, "")


async def test_a_callee_who_objects_leaves_nothing_behind(
    made: Recording, desk: Desk, pen: ThreadPoolExecutor, tmp_path: Path
) -> None:
    hear(made, 120)
    made.forget()
    hear(made, 120)
    made.close()
    await _written(pen)
    assert list((tmp_path / "new").iterdir()) == []
    assert desk.names[-1] == ""
    assert desk.troubles == []


async def test_who_objects_before_the_first_sound_is_not_recorded_either(made: Recording, tmp_path: Path) -> None:
    made.forget()
    hear(made, 100)
    made.close()
    assert not (tmp_path / "new").exists()


async def test_a_full_disk_ends_the_recording_and_leaves_what_there_is(
    made: Recording, desk: Desk, pen: ThreadPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(io.FileIO):
        def write(self, content: Buffer, /) -> int:
            return super().write(bytes(content)[: max(0, HEADER + 20_000 - self.tell())])

    monkeypatch.setattr(recording, "FileIO", Small)
    hear(made, 200)
    made.close()
    await _written(pen)
    assert desk.troubles == ["The recording ends early: no space left on device."]
    (path,) = (tmp_path / "new").iterdir()
    assert sides(path) == (LOUD * 8000, SOFT * 8000)
    assert desk.names == [path.name], "what there is can be played"


async def test_a_folder_that_cannot_be_written_is_a_trouble_and_no_recording(
    tmp_path: Path, desk: Desk, pen: ThreadPoolExecutor
) -> None:
    (tmp_path / "new").write_text("a file where the folder should be")
    made = Recording(tmp_path / "new", "call-1", pen, desk.names.append, desk.troubles.append, lambda: START)
    hear(made, 60)
    await _written(pen)
    made.close()
    await _written(pen)
    await _written(pen)
    assert len(desk.troubles) == 1 and desk.troubles[0].startswith("The recording ends early: ")
    assert desk.names[-1] == ""


async def test_a_disk_that_is_too_slow_costs_the_recording_and_no_memory(
    made: Recording, desk: Desk, pen: ThreadPoolExecutor
) -> None:
    busy = threading.Event()
    pen.submit(busy.wait)
    hear(made, 50 * 31 + 10)
    assert desk.troubles == ["The recording ends early: the disk is too slow."]
    busy.set()


# --- the format -----------------------------------------------------------------------------------------------


@given(st.binary(max_size=500), st.binary(max_size=500))
def test_both_sides_can_be_told_apart_again(callee: bytes, agent: bytes) -> None:
    length = min(len(callee), len(agent))
    both = interleaved(callee[:length], agent[:length])
    assert (both[0::2], both[1::2]) == (callee[:length], agent[:length])


def test_python_knows_the_format_as_wave() -> None:
    # The standard library reads PCM only; that it gets as far as the format's number shows that the rest is right.
    with pytest.raises(wave.Error, match="unknown format: 7"):
        wave.open(io.BytesIO(header(10) + bytes(20)))  # noqa: SIM115


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 1))
def test_a_header_is_mended_to_what_the_file_holds(counted: int, there: int, half: int) -> None:
    right = repaired(header(counted), HEADER + 2 * there + half)
    assert (right or header(counted)) == header(there)


@given(st.binary(max_size=100), st.integers(0, 10_000))
def test_what_is_no_recording_is_left_alone(start: bytes, size: int) -> None:
    assert repaired(start, size) is None


def test_a_level_is_given_for_each_20_ms_of_each_side() -> None:
    quiet, loud = audio.SILENCE * 160, audio.encode(np.full(160, 0.9, np.float32))
    callee, agent = levels(interleaved(quiet + loud + quiet[:50], quiet + quiet + loud[:50]))
    assert (len(callee), len(agent)) == (2, 2)
    assert callee[0] == agent[0] == agent[1] == 0
    assert callee[1] > 240


# --- the folder -----------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "calls.db") as opened:
        yield opened


async def test_a_crash_leaves_a_file_that_the_next_start_makes_whole(tmp_path: Path, store: Store) -> None:
    path = tmp_path / name_of("call-1", START)
    path.write_bytes(header(10) + LOUD * 4001)
    async with Recorder(tmp_path, 30, store, lambda: START + 10) as recorder:
        await recorder.tidy()
    assert path.read_bytes()[:HEADER] == header(2000)
    assert not mend(path), "there is nothing to be done any more"


async def test_recordings_are_deleted_after_their_days_and_nothing_else_is(tmp_path: Path, store: Store) -> None:
    now = START + 100 * 86_400
    ages = {"old": 31, "new": 29}
    for call_id, days in ages.items():
        name = name_of(call_id, now - days * 86_400)
        (tmp_path / name).write_bytes(header(0))
        store.add(Call(call_id, Brief("+12025550143", "Ask."), recording=name))
    (tmp_path / "mine.wav").write_bytes(b"somebody else's")
    async with Recorder(tmp_path, 30, store, lambda: now) as recorder:
        await recorder.tidy()
    assert {name for name in os.listdir(tmp_path) if name.endswith(".wav")} == {
        "mine.wav",
        name_of("new", now - 29 * 86_400),
    }
    rows = {call.id: call.recording for call in store.calls()}
    assert rows == {"old": "", "new": name_of("new", now - 29 * 86_400)}


async def test_a_tap_is_recorded_until_its_call_is_over(tmp_path: Path, store: Store) -> None:
    store.add(Call("call-1", Brief("+12025550143", "Ask.")))
    tap, troubles = Tap(), list[str]()
    async with Recorder(tmp_path, 30, store, lambda: START) as recorder:
        with recorder.recording("call-1", tap, troubles.append):
            for hears in tap.hears:
                hears(Pair(LOUD * 160, SOFT * 160))
        assert tap.hears == ()
    call = store.call("call-1")
    assert call and sides(tmp_path / call.recording) == (LOUD * 160, SOFT * 160)
    assert troubles == []
