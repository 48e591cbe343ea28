"""Whole calls over the vendors' true protocols: webhooks, stream, turns, barge-in, goodbye, and how it can break."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from backend.call import manners as known
from backend.call.text import Clauses
from backend.loopback.anthropic import Fault, HttpError, Reply, Stall, StreamError, Tool
from backend.loopback.deepgram import Fault as EarFault
from backend.loopback.elevenlabs import Complain, Die, sound_of
from backend.loopback.elevenlabs import Stall as VoiceStall
from backend.models import Brief, Outcome, Speaker, Status, TurnState
from tests.loud_caller import Caller, Turn
from tests.real_wire import BRIEF, World, real_wire
from tests.served import until

_KNOWN = Brief(BRIEF["to"], "", callee_name=BRIEF["callee_name"], agent_name=BRIEF["agent_name"])
OPENING = known.opening(_KNOWN)
LONG = "You have an appointment on Thursday at two thirty, and it will take about one hour in our old building."
END = Tool("end_call", {"outcome": "confirmed", "note": "coming on Thursday"})
GOODBYE = Reply("That is settled. Goodbye.", (END,))


@pytest.fixture(autouse=True)
def no_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the offline engines: quicker to start, and nothing but the vendors can serve."""
    for lost in ("deaf", "mute"):
        monkeypatch.setattr(f"backend.providers.{lost}", lambda: "Not installed here.")


def sounds(*clauses: str) -> bytes:
    return b"".join(sound_of(f"{clause} ") for clause in clauses)


def first_sound_after(world: World, caller: Caller, turn: int) -> float:
    """Seconds from the end of the callee's sound in this turn until the first mark that came back."""
    ended = caller.spoke[turn][1]
    return next(when for _, when in world.record.marks if when > ended) - ended


async def test_a_call_runs_from_the_webhook_to_a_completed_row(tmp_path: Path) -> None:
    plan = [Turn(1.2), Turn(1.2, interrupts=2.0), Turn(1.2)]
    hears = ["Yes, I have time.", "Sorry, which day was that?", "Thank you, that works."]
    answers = [Reply(LONG), Reply("It is on Thursday."), GOODBYE]
    async with real_wire(tmp_path, Caller(plan), hears, answers) as world:
        call, turns = await world.ended(await world.place())
        assert (call.status, call.outcome, call.note) == (Status.COMPLETED, Outcome.CONFIRMED, "coming on Thursday")
        assert call.troubles == ()
        assert [(turn.speaker, turn.state) for turn in turns] == [
            (Speaker.AGENT, TurnState.DONE),
            (Speaker.CALLEE, TurnState.DONE),
            (Speaker.AGENT, TurnState.CUT),
            (Speaker.CALLEE, TurnState.DONE),
            (Speaker.AGENT, TurnState.DONE),
            (Speaker.CALLEE, TurnState.DONE),
            (Speaker.AGENT, TurnState.DONE),
        ]
        assert [turn.text for turn in turns if turn.speaker is Speaker.CALLEE] == hears
        cut = turns[2]
        assert LONG.startswith(cut.heard) and 5 < len(cut.heard) < len(LONG)
        whole = sounds(OPENING)
        played = bytes(world.record.played)
        assert played.startswith(whole), "not every byte of the opening was played"
        rest = sounds("It is on Thursday.") + sounds("That is settled.", "Goodbye.")
        assert played.endswith(rest), "not every byte of the last answers was played"
        between = played[len(whole) : -len(rest)]
        assert sounds(*Clauses().add(LONG + " ")).startswith(between), "something else was played than was cut off"
        assert list(world.record.errors) == []
        assert world.record.ending and len(world.record.clears) == 1
        assert world.record.statuses[-1] is Status.COMPLETED
    assert (world.deepgram.open_sockets, world.elevenlabs.open_sockets) == (0, 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_model_was_told_only_what_was_heard(tmp_path: Path) -> None:
    plan = [Turn(1.2), Turn(1.2, interrupts=2.0)]
    hears = ["Yes, I have time.", "Sorry, which day was that?"]
    async with real_wire(tmp_path, Caller(plan), hears, [Reply(LONG), GOODBYE]) as world:
        _, turns = await world.ended(await world.place())
        answers = [request.body for request in world.anthropic.requests if request.body.get("stream")]
        asked = answers[-1]
        said = [message["content"] for message in asked["messages"] if message["role"] == "assistant"]
        assert [str(turn) for turn in said][-1].endswith("[interrupted]")
        assert LONG not in str(asked["messages"])
        assert turns[2].heard in str(said)


async def test_the_callee_hears_the_opening_though_every_provider_is_slow(tmp_path: Path) -> None:
    """The opening was prepared while it rang, so what providers take after the pick-up does not count."""
    caller = Caller([], rings=2.5)
    async with real_wire(tmp_path, caller, [], [], first_token=1.5, first_byte=1.0) as world:
        call_id = await world.place()
        async with asyncio.timeout(10):
            while not (world.record.stream_started and world.record.first_media):
                await asyncio.sleep(0.02)
        waited = world.record.first_media - world.record.stream_started
        assert 1.15 < waited < 1.5
        (await world.api.post(f"/api/calls/{call_id}/hangup")).raise_for_status()
        call, _ = await world.ended(call_id)
        assert call.outcome is Outcome.STOPPED


async def test_flux_and_nova_both_serve(tmp_path: Path) -> None:
    caller = Caller([Turn()])
    async with real_wire(tmp_path, caller, ["Yes, I do."], [GOODBYE], deepgram_model="nova-3") as world:
        call, turns = await world.ended(await world.place())
        assert (call.outcome, turns[1].text) == (Outcome.CONFIRMED, "Yes, I do.")
        assert world.deepgram.connections[0].path.startswith("/v1/listen")


# --- every way it can break: the callee hears something within four seconds, and the row says what happened --------

MODEL_FAULTS: dict[str, tuple[Fault, str]] = {
    "retired model": (HttpError(404), "404"),
    "rate limit": (HttpError(429, retry_after=30), "429"),
    "overloaded": (HttpError(529), "overloaded"),
    "broken off": (StreamError(2), "overloaded"),
    "stalled": (Stall(), "no words for"),
}


@pytest.mark.parametrize("fault", MODEL_FAULTS)
async def test_a_failing_model_is_replaced_within_four_seconds(tmp_path: Path, fault: str) -> None:
    broken, said = MODEL_FAULTS[fault]
    caller = Caller([Turn()])
    answers = [Reply("Well, this", fault=broken) if fault == "broken off" else Reply(fault=broken), GOODBYE]
    async with real_wire(tmp_path, caller, ["Yes, I do."], answers) as world:
        call, _ = await world.ended(await world.place())
        assert first_sound_after(world, caller, 0) < 4
        assert call.outcome is Outcome.CONFIRMED
        assert any(said in trouble for trouble in call.troubles), call.troubles


async def test_without_any_model_the_callee_gets_an_apology(tmp_path: Path) -> None:
    caller = Caller([Turn()])
    async with real_wire(tmp_path, caller, ["Yes."], lambda _: Reply(fault=HttpError(529))) as world:
        call, turns = await world.ended(await world.place())
        assert first_sound_after(world, caller, 0) < 4
        assert turns[-1].heard == known.TROUBLE
        assert (call.status, call.outcome) == (Status.COMPLETED, Outcome.FAILED)
        assert "No language model answered." in call.troubles


async def test_ears_that_die_in_mid_turn_are_replaced_without_losing_a_word(tmp_path: Path) -> None:
    caller = Caller([Turn(speaks=2.4)])
    hears = ["Yes I would like to come on Thursday."]
    async with real_wire(tmp_path, caller, hears, [GOODBYE], ear_faults=[EarFault(die=80_000)]) as world:
        call, turns = await world.ended(await world.place())
        assert len(world.deepgram.connections) == 2
        assert [turn.text for turn in turns if turn.speaker is Speaker.CALLEE] == hears
        assert call.outcome is Outcome.CONFIRMED
        assert any("Deepgram" in trouble for trouble in call.troubles), call.troubles


async def test_ears_that_are_refused_keep_the_call_from_being_placed(tmp_path: Path) -> None:
    """Nobody's phone rings for an agent that cannot hear."""
    async with real_wire(tmp_path, Caller([]), [], [], ear_faults=[EarFault(refuse=401)] * 9) as world:
        answer = await world.api.post("/api/calls", json=BRIEF)
        assert (answer.status_code, "DEEPGRAM_API_KEY" in answer.json()["detail"]) == (502, True)
        (row,) = (await world.api.get("/api/calls")).json()
        assert (row["status"], row["outcome"]) == ("failed", "failed")
        assert "DEEPGRAM_API_KEY" in row["ending"]
        assert world.carrier.calls == {}


async def test_ears_that_are_lost_for_good_in_mid_call_end_it_with_an_apology(tmp_path: Path) -> None:
    faults = [EarFault(die=20_000), *[EarFault(refuse=401)] * 9]
    async with real_wire(tmp_path, Caller([]), [], [], ear_faults=faults) as world:
        call, turns = await world.ended(await world.place())
        assert turns[-1].heard == known.TROUBLE
        assert call.outcome is Outcome.FAILED
        assert any("DEEPGRAM_API_KEY" in trouble for trouble in call.troubles), call.troubles


@pytest.mark.parametrize("fault", [Die(after=0), VoiceStall(after=0)], ids=["dies", "stalls"])
async def test_a_voice_that_breaks_in_mid_call_speaks_on(tmp_path: Path, fault: Die | VoiceStall) -> None:
    """The socket on which the opening was prepared breaks at the first answer, and the next one carries on."""
    prepared = len(sounds(OPENING, *known.BY_HEART, known.handed_back(_KNOWN)))
    broken = type(fault)(after=prepared + 4000)
    caller = Caller([Turn()])
    async with real_wire(tmp_path, caller, ["Yes, I do."], [GOODBYE], voice_faults=[broken]) as world:
        call, turns = await world.ended(await world.place())
        assert first_sound_after(world, caller, 0) < 4
        assert (call.outcome, turns[-1].heard) == (Outcome.CONFIRMED, GOODBYE.text)
        assert any("ElevenLabs" in trouble for trouble in call.troubles), call.troubles


async def test_without_any_voice_the_carrier_itself_says_the_goodbye(tmp_path: Path) -> None:
    refused = [Complain("quota_exceeded")] * 100
    async with real_wire(tmp_path, Caller([]), [], [], voice_faults=refused) as world:
        call, _ = await world.ended(await world.place())
        assert call.outcome is Outcome.FAILED
        # The carrier says it by itself, after we have asked it to and gone.
        await until(lambda: bool(world.record.said))
        assert list(world.record.said) == [known.TROUBLE]
        assert any("ElevenLabs" in trouble for trouble in call.troubles), call.troubles
