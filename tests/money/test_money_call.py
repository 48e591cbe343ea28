"""Whole calls and what they cost: counted where it is used, shown while it runs, and written down when it is over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import pairwise, repeat
from math import ceil, inf
from pathlib import Path

import pytest

from backend.bench.stand_ins import Model
from backend.bench.virtual_time import in_virtual_time
from backend.loopback.anthropic import Reply, Tool
from backend.loopback.deepgram import Fault as EarFault
from backend.loopback.deepgram import LoopbackDeepgram
from backend.loopback.elevenlabs import Die, LoopbackElevenLabs
from backend.models import (
    Answered,
    Call,
    Conversation,
    EagerEnd,
    Outcome,
    Partial,
    Resumed,
    Status,
    ToolUse,
    TurnEnd,
)
from backend.money.costs import cost
from backend.money.prices import read
from backend.money.tally import HANDED_OVER, Tally, Unit, key
from backend.stt.deepgram import Deepgram
from backend.tts.elevenlabs import ElevenLabs, Patience
from tests.loud_caller import Caller, Turn
from tests.practice_world import Person
from tests.providers.test_deepgram import QUICK, Line, heard_by, silence, speech
from tests.real_wire import World, real_wire
from tests.served import until, world
from tests.whole_call import OPENING, a_call

FLUX, FLASH, HAIKU = "flux-general-en", "eleven_flash_v2_5", "claude-haiku-5-5"
CLAIM = {"text": "Confirmed.", "turns": [2], "confidence": 0.9}
REPORT: dict[str, object] = {"outcome": "confirmed", "result": CLAIM, "summary": [], "agreed": [], "questions": []}
ANSWERS = [
    Reply("It is on Thursday at two thirty, in the old building. Does that still suit you?"),
    Reply("That is settled. Goodbye.", (Tool("end_call", {"outcome": "confirmed", "note": "coming"}),)),
    Reply(tools=(Tool("report_call", REPORT),)),
]


@pytest.fixture(autouse=True)
def no_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    for lost in ("deaf", "mute"):
        monkeypatch.setattr(f"backend.providers.{lost}", lambda: "Not installed here.")


async def until_it_says(world: World, call_id: str, unit: str, within: float = 20.0) -> Call:
    """The row, once something of this kind is counted on it."""
    async with asyncio.timeout(within):
        while True:
            call, _ = world.look(call_id)
            if any(name.startswith(unit) for name in call.counts):
                break
            await asyncio.sleep(0.05)
    return call


def sent_to_the_voice(world: World) -> int:
    messages = [message for connection in world.elevenlabs.connections for message in connection.messages]
    return sum(len(str(message.get("text", "")).strip()) for message in messages)


def billed_for_thinking(world: World) -> Counter[str]:
    total = Counter[str]()
    for request in world.anthropic.requests:
        total += Counter(request.usage)
    return total


async def test_a_call_costs_what_its_vendors_bill_report_included(tmp_path: Path) -> None:
    caller = Caller([Turn(1.2), Turn(1.2)])
    async with real_wire(tmp_path, caller, ["Yes, I have time.", "That works."], ANSWERS) as world:
        call_id = await world.place()
        running = await until_it_says(world, call_id, Unit.OUTPUT)
        assert not running.status.final, "what was used is on the row while the call runs"
        ended, _ = await world.ended(call_id)
        async with asyncio.timeout(10):
            while (call := world.look(call_id)[0]).report is None:
                await asyncio.sleep(0.05)
        assert call.report and call.report.author == "Claude"
        told = billed_for_thinking(world)
        assert {unit: call.counts.get(key(unit, HAIKU), 0) for unit in (Unit.INPUT, Unit.OUTPUT)} == {
            Unit.INPUT: told["input_tokens"],
            Unit.OUTPUT: told["output_tokens"],
        }
        assert call.counts[key(Unit.CHARACTERS, FLASH)] == sent_to_the_voice(world)
        [heard] = world.deepgram.connections
        assert abs(call.counts[key(Unit.SOUND, FLUX)] - heard.received / 8) <= 2
    assert call.answered and call.ended and call.cost
    minutes = ceil((call.ended - call.answered) / 60)
    carrier = minutes * (0.0140 + 0.0040) + 0.0075
    found = cost(call, read().prices, 0.0)
    assert found.by_provider["Twilio"] == pytest.approx(carrier)
    assert call.cost == found.total and call.cost > carrier
    assert ended.cost is None or ended.cost < call.cost, "the report was paid for after the call"


async def test_what_is_counted_on_a_running_call_only_grows(tmp_path: Path) -> None:
    caller = Caller([Turn(1.2)], leaves=4.0)
    long = Reply("There is a lot to say about this visit. " * 4)
    async with real_wire(tmp_path, caller, ["Tell me all."], [long, *ANSWERS[2:]]) as world:
        call_id = await world.place()
        seen: list[Call] = []
        async with asyncio.timeout(30):
            while not (call := world.look(call_id)[0]).status.final:
                seen.append(call)
                await asyncio.sleep(0.1)
        steps = [one.counts for one in [*seen, call]]
        assert all(before[name] <= after.get(name, 0) for before, after in pairwise(steps) for name in before)
        assert len({step.get(key(Unit.SOUND, FLUX), 0) for step in steps}) >= 3


async def test_a_call_that_was_handed_over_remembers_how_long_it_was_the_agents(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(), transfer_number="+12025550199") as server:
        call = await server.placed()
        await server.connected(call)
        cast = server.providers.casts[0]
        cast.model.plans = [("Of course. ", ToolUse("transfer", {"reason": "wants a person"}))]
        await until(lambda: bool(server.handed(call, "ReplyDone")))
        cast.ears.tell(TurnEnd("Can I talk to a person, please?"))
        row = await server.over(call)
        assert row.outcome is Outcome.TRANSFERRED
        assert 0 <= row.counts[HANDED_OVER] <= 30
        await until(lambda: server.row(call).cost is not None)


async def test_a_call_that_nobody_takes_costs_nothing_at_the_carrier(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Status.BUSY) as server:
        call = await server.placed(line="phone")
        await server.over(call)
        await until(lambda: server.row(call).cost is not None)
        assert server.row(call).cost == 0.0


# --- at the source ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [FLUX, "nova-3"])
async def test_all_sound_that_deepgram_gets_is_counted_under_its_model(model: str) -> None:
    tally = Tally()
    async with LoopbackDeepgram(["Yes."]) as server, Deepgram(server.url, server.key, model, (), QUICK, tally) as ears:
        await heard_by(ears, Line(speech(0.6) + silence(1.5)))
    [connection] = server.connections
    assert tally.used.keys() == {key(Unit.SOUND, model)}
    assert 0 <= connection.received / 8 - tally.used[key(Unit.SOUND, model)] < 2


async def test_sound_that_is_heard_again_on_a_new_socket_is_paid_for_again() -> None:
    tally, faults = Tally(), [EarFault(die=6400)]
    async with (
        LoopbackDeepgram(["Yes, Thursday works."], faults=faults) as server,
        Deepgram(server.url, server.key, FLUX, (), QUICK, tally) as ears,
    ):
        await heard_by(ears, Line(speech(0.9) + silence(1.5)))
    first, second = (connection.received for connection in server.connections)
    used = tally.used[key(Unit.SOUND, FLUX)] * 8
    # What was on its way to the first socket when that died, it never received.
    assert second + 6400 <= used + 16 and used - first - second < 16_000


async def test_all_text_that_elevenlabs_gets_is_counted_also_what_nobody_waits_for() -> None:
    tally = Tally()
    async with (
        LoopbackElevenLabs(first_byte=0, speed=inf) as server,
        ElevenLabs(server.url, server.key, server.voice, FLASH, tally=tally) as voice,
    ):
        async for _ in voice.say("Could you come on Thursday?"):
            pass
        async with aclosing(voice.say(" Never mind, then. ")) as left:
            await anext(left)
        async for _ in voice.say("  "):
            pass
        assert tally.used == {key(Unit.CHARACTERS, FLASH): len("Could you come on Thursday?Never mind, then.")}


async def test_text_that_is_asked_for_again_on_a_new_socket_is_paid_for_again() -> None:
    tally, text, haste = Tally(), "Could you come on Thursday, the ninth?", Patience(2, 2, 2, pauses=(0, 0.01))
    faults = [Die(after=4000), *repeat(None, 5)]
    async with (
        LoopbackElevenLabs(first_byte=0, speed=inf, faults=faults) as server,
        ElevenLabs(server.url, server.key, server.voice, FLASH, haste, tally) as voice,
    ):
        async for _ in voice.say(text):
            pass
        sent = [m.get("text", "").strip() for connection in server.connections for m in connection.messages]
        assert len(server.connections) == 2
        assert tally.used[key(Unit.CHARACTERS, FLASH)] == sum(map(len, sent)) > len(text)


# --- what was for nothing ---------------------------------------------------------------------------------------


@dataclass
class Paid(Model):
    """A model that has a price: so many tokens for each question and each piece of an answer."""

    tally: Tally = field(default_factory=Tally)

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        self.tally.use(Unit.INPUT, HAIKU, 100)
        async for piece in super().answer(conversation, hint):
            self.tally.use(Unit.OUTPUT, HAIKU, 7)
            yield piece


@in_virtual_time
async def test_a_reply_prepared_in_vain_is_waste_and_one_that_is_heard_is_not(tmp_path: Path) -> None:
    model = Paid([("Fine, Thursday it is then.",), ("Not Monday, then.",)])
    async with a_call(tmp_path, model) as call:
        model.tally = call.session._kit.tally
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.ears.tell(EagerEnd("Thursday."))
        await asyncio.sleep(0.3)
        model.tally.use(Unit.SOUND, FLUX, 300)
        call.ears.tell(Resumed(), Partial("Thursday. But not Monday"))
        await asyncio.sleep(0.1)
        call.ears.tell(EagerEnd("Thursday. But not Monday."), TurnEnd("Thursday. But not Monday."))
        await call.until_said("Not Monday, then.")
    counts = call.session.counts
    assert counts["prepared replies wasted"] == 1
    assert (counts["output tokens: claude-haiku-5-5"], counts["output tokens wasted: claude-haiku-5-5"]) == (14, 7)
    assert (counts["input tokens: claude-haiku-5-5"], counts["input tokens wasted: claude-haiku-5-5"]) == (200, 100)
    assert "milliseconds heard wasted: flux-general-en" not in counts


@in_virtual_time
async def test_an_answer_that_is_talked_over_is_no_waste(tmp_path: Path) -> None:
    long = "You have an appointment on Thursday at two thirty, and it will take about one hour in our old building."
    model = Paid([(long,), ("Of course.",)])
    async with a_call(tmp_path, model) as call:
        model.tally = call.session._kit.tally
        await call.until_said(OPENING)
        await call.callee("Go ahead.")
        await call.until_said("You have an appointment")
        call.phone.callee_sound(0.6)
        await asyncio.sleep(0.4)
        call.ears.tell(Partial("hold on"), TurnEnd("Hold on."))
        await call.until_said("Of course.")
    assert call.session.counts["output tokens: claude-haiku-5-5"] == 14
    assert not [name for name in call.session.counts if "tokens wasted:" in name]
