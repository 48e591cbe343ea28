"""A call that is recorded: it says so, keeps both sides, and stops and deletes when the callee does not want it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import httpx2
import pytest

from backend import tickets
from backend.audio import SILENCE
from backend.brain.advice import told
from backend.call import manners as known
from backend.call.events import (
    CalleeSays,
    Connected,
    Do,
    Held,
    Note,
    Reply,
    ReplyDone,
    SoundOn,
    Speaking,
    Stop,
    Tick,
    Tool,
)
from backend.call.manners import Manners
from backend.call.turns.floor import Floor
from backend.config import load
from backend.models import Brief, Direction, EagerEnd, Speaker, TurnEnd
from backend.recording.names import begins
from backend.recording.wave import HEADER, STEP
from tests.practice_world import Person
from tests.served import TOKEN, Served, until, world

NOTICE = "This call is recorded."
OBJECTION = "Please don't record this call."


# --- what is said -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("discloses", [True, False])
def test_the_first_words_say_that_the_call_is_recorded(direction: Direction, discloses: bool) -> None:
    brief = Brief("+12025550143", "Ask.", callee_name="John Smith", organization="Green Dental", direction=direction)
    told, untold = known.opening(brief, discloses, NOTICE), known.opening(brief, discloses)
    assert told.count(NOTICE) == 1
    assert told.replace(f" {NOTICE}", "") == untold
    assert told.endswith("?"), "the other side knows that it is their turn"


@pytest.mark.parametrize(
    ("written", "said"),
    [("", NOTICE), ("none", ""), ("None", ""), ("We record this call", "We record this call."), ("May I?", "May I?")],
)
def test_the_announcement_is_left_out_only_if_that_is_written(
    written: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDING_NOTICE", written)
    assert load().recording_notice == said


def answered(manners: Manners) -> Floor:
    """A call in which the agent has greeted and is listening."""
    floor = Floor(Brief("+12025550143", "Ask."), manners)
    floor.handle(Connected(), 0.0)
    (opening,) = (action for action in floor.handle(Tick(), 2.0) if isinstance(action, Reply))
    floor.handle(Speaking(opening.number), 2.1)
    floor.handle(ReplyDone(opening.number), 6.0)
    return floor


def test_who_objects_is_heard_whatever_the_model_does() -> None:
    floor = answered(Manners(records=True))
    actions = floor.handle(TurnEnd(OBJECTION), 8.0)
    assert Do(Tool.STOP_RECORDING) in actions
    assert any(isinstance(action, Note) and "stopped and deleted" in action.text for action in actions)
    assert Do(Tool.STOP_RECORDING) not in floor.handle(TurnEnd("I said, don't record this."), 9.0), "once"


def test_where_nothing_is_recorded_there_is_nothing_to_stop() -> None:
    assert Do(Tool.STOP_RECORDING) not in answered(Manners()).handle(TurnEnd(OBJECTION), 8.0)


def test_an_answer_that_was_prepared_without_knowing_of_it_is_not_given() -> None:
    floor = answered(Manners(records=True))
    prepared = floor.handle(EagerEnd(OBJECTION), 8.0)
    actions = floor.handle(TurnEnd(OBJECTION), 8.3)
    first = next(action for action in prepared if isinstance(action, Reply))
    assert Stop(first.number) in actions
    (reply,) = (action for action in actions if isinstance(action, Reply))
    assert reply.hint == known.UNRECORDED
    assert CalleeSays(OBJECTION, complete=True) in actions


def test_who_talks_over_the_announcement_is_told_again() -> None:
    floor = Floor(Brief("+12025550143", "Ask."), Manners(records=True, notice=NOTICE))
    floor.handle(Connected(), 0.0)
    (opening,) = (action for action in floor.handle(Tick(), 2.0) if isinstance(action, Reply))
    floor.handle(Speaking(opening.number), 2.1)
    floor.handle(SoundOn(), 2.6)
    floor.handle(Held(opening.number, "Hi, this is Alex, an AI assistant calling.", "This call is"), 2.7)
    actions = floor.handle(TurnEnd("Wait a second, who is this?"), 4.0)
    assert Stop(opening.number) in actions
    (reply,) = (action for action in actions if isinstance(action, Reply))
    assert reply.hint == known.UNANNOUNCED.format(notice=NOTICE)


def test_the_offline_brain_tells_them_so() -> None:
    assert told(known.UNRECORDED) == known.RECORDING_DELETED
    assert told(known.UNANNOUNCED.format(notice=NOTICE)) == NOTICE


# --- whole calls --------------------------------------------------------------------------------------------------


async def test_both_sides_are_on_the_disk_when_the_call_is_over(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(), record_calls=True) as server:
        call = await server.placed()
        await until(lambda: NOTICE in server.earpiece(call))
        await server.switchboard.hang_up(call)
        row = await server.over(call)
        path = server.settings.recordings_path / row.recording
        await until(lambda: path.exists() and path.stat().st_size > HEADER)
        first = next(turn for turn in server.store.turns(call) if turn.speaker is Speaker.AGENT)
        begun, played = begins(row.recording), bytes(server.record(call).played)
    content = path.read_bytes()
    agent = content[HEADER + 1 :: 2]
    kept, heard = agent.replace(SILENCE, b""), played.replace(SILENCE, b"")
    both = min(len(kept), len(heard))
    assert kept[:both] == heard[:both]
    assert abs(len(kept) - len(heard)) < 4000, "only what was on its way when the call was ended"
    assert begun is not None
    spoken_at = next(n for n, byte in enumerate(agent) if byte != SILENCE[0]) / 8000
    assert spoken_at == pytest.approx(first.started - begun, abs=0.1), "a turn's time is its place in the recording"


async def test_two_calls_are_recorded_apart(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(), record_calls=True) as server:
        calls = [await server.placed() for _ in range(2)]
        for call in calls:
            await until(lambda call=call: NOTICE in server.earpiece(call))  # type: ignore[misc]
            await server.switchboard.hang_up(call)
        rows = [await server.over(call) for call in calls]
    assert len({row.recording for row in rows}) == 2
    assert sorted(os.listdir(server.settings.recordings_path)) == sorted(row.recording for row in rows)


async def test_a_callee_who_objects_leaves_no_recording_and_goes_on_talking(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(), record_calls=True) as server:
        call = await server.placed()
        await until(lambda: bool(server.row(call).recording))
        await until(lambda: bool(server.handed(call, "ReplyDone")))
        server.providers.casts[0].ears.tell(TurnEnd(OBJECTION))
        await until(lambda: server.row(call).recording == "")
        await until(lambda: not os.listdir(server.settings.recordings_path))
        notes = [turn.text for turn in server.store.turns(call) if turn.speaker is Speaker.NOTE]
        assert "They do not want to be recorded: the recording was stopped and deleted." in notes
        assert server.switchboard.live == 1
        await server.switchboard.hang_up(call)
        assert (await server.over(call)).troubles == ()
    assert os.listdir(server.settings.recordings_path) == []


async def test_nothing_is_recorded_unless_it_is_wanted(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person()) as server:
        call = await server.placed()
        await until(lambda: bool(server.earpiece(call)))
        assert NOTICE not in server.earpiece(call)
        assert server.switchboard.tap(call).hears == ()
        await server.switchboard.hang_up(call)
        assert (await server.over(call)).recording == ""
    assert not server.settings.recordings_path.exists()


# --- hearing it again ---------------------------------------------------------------------------------------------


async def recorded(server: Served) -> str:
    """A call that is over and recorded; two seconds long."""
    call = await server.placed()
    await until(lambda: bool(server.row(call).recording))
    await server.switchboard.hang_up(call)
    await server.over(call)
    return call


def ticket(call: str, purpose: str = "recording") -> dict[str, str]:
    return {"ticket": tickets.issue(TOKEN, purpose, call, time.time())}


async def test_a_recording_is_for_those_who_have_a_ticket_for_it(tmp_path: Path) -> None:
    async with (
        world(tmp_path, lambda _: Person(), record_calls=True) as server,
        httpx2.AsyncClient(base_url=server.url, trust_env=False) as http,
    ):
        call = await recorded(server)
        for part in ("", "/sound", "/levels"):
            path = f"/recordings/{call}{part}"
            for given in ({}, {"ticket": "x"}, ticket("another"), ticket(call, "headset")):
                assert (await http.get(path, params=given)).status_code == 403
            assert (await http.get(path, params=ticket(call))).status_code == 200
        sound = await http.get(f"/recordings/{call}/sound", params=ticket(call), headers={"Range": "bytes=0-3"})
        assert (sound.status_code, sound.content, sound.headers["content-type"]) == (206, b"RIFF", "audio/wav")
        whole = (await http.get(f"/recordings/{call}/sound", params=ticket(call) | {"save": "1"})).headers
        assert whole["content-disposition"] == f'attachment; filename="call-{call}.wav"'
        levels = (await http.get(f"/recordings/{call}/levels", params=ticket(call))).content
        assert len(levels) == 2 * ((int(whole["content-length"]) - HEADER) // 2 // STEP)
        server.store.change(call, recording="../calls.db")
        gone = await http.get(f"/recordings/{call}/sound", params=ticket(call))
        assert (gone.status_code, gone.json()["detail"]) == (404, "There is no recording of this call any more.")
