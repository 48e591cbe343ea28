"""What a call with Claude is charged for: as the vendor tells it, also for requests that were thrown away."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from backend.call.hedge import Budget, Pace
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.llm.claude import Claude, connect
from backend.llm.report import ClaudeReports
from backend.loopback.anthropic import HttpError, LoopbackAnthropic, Received, Reply, Script, StreamError, Tool
from backend.models import Brief, Call, Claim, Conversation, Outcome, ProviderError, Speaker, Turn, TurnState
from backend.money.tally import Tally, Unit, key

MODEL = "claude-haiku-5-5"
LONG = "The visit is on Thursday at half past two in the old building. " * 60
CONVERSATION = Conversation(Brief("+12025550143", "Confirm the visit", LONG)).plus(Speaker.CALLEE, "Hello?")
FIELDS = {
    "input_tokens": Unit.INPUT,
    "cache_read_input_tokens": Unit.CACHE_READ,
    "cache_creation_input_tokens": Unit.CACHE_WRITE,
    "output_tokens": Unit.OUTPUT,
}


@asynccontextmanager
async def a_model(
    script: Script, tokens_per_second: float = 0
) -> AsyncIterator[tuple[LoopbackAnthropic, Claude, Tally]]:
    tally = Tally()
    async with LoopbackAnthropic(script, first_token=0, tokens_per_second=tokens_per_second) as server:
        client = connect("test-key", server.url)
        try:
            yield server, Claude(client, MODEL, tally=tally), tally
        finally:
            await client.close()


def billed(*requests: Received) -> Counter[str]:
    """What the vendor bills these for, by our keys."""
    total = Counter[str]()
    for request in requests:
        for name, amount in request.usage.items():
            total[key(FIELDS[name], request.body["model"])] += amount
    return +total


async def said(claude: Claude, conversation: Conversation = CONVERSATION) -> None:
    async for _ in claude.answer(conversation):
        pass


async def test_whole_answers_are_charged_to_the_token_cached_ones_apart() -> None:
    script = [Reply("Good."), Reply("Thursday it is. Goodbye!", (Tool("end_call", {"outcome": "confirmed"}),))]
    async with a_model(script) as (server, claude, tally):
        await claude.warm(CONVERSATION)
        await said(claude)
        await said(claude, CONVERSATION.plus(Speaker.AGENT, "Good.").plus(Speaker.CALLEE, "Thursday?"))
        assert tally.used == billed(*server.requests)
        assert tally.wasted == Counter()
        written, read = (tally.used[key(unit, MODEL)] for unit in (Unit.CACHE_WRITE, Unit.CACHE_READ))
        assert written > 512 and read == 2 * written


async def test_an_answer_that_is_interrupted_costs_what_was_read_and_about_what_was_written() -> None:
    async with a_model([Reply(LONG)], tokens_per_second=200) as (server, claude, tally):
        async with aclosing(claude.answer(CONVERSATION)) as pieces:
            for _ in range(30):
                await anext(pieces)
        await server.disconnected()
        bill, out = billed(*server.requests), key(Unit.OUTPUT, MODEL)
        assert {name: n for name, n in tally.used.items() if name != out} == {
            name: n for name, n in bill.items() if name != out
        }
        assert 0.6 * bill[out] <= tally.used[out] <= 1.4 * bill[out]
        assert +tally.wasted == Counter(), "somebody heard it"


async def test_a_request_left_before_it_told_anything_costs_what_the_one_before_did_and_is_waste() -> None:
    script = [Reply("Good."), Reply("Never read.", first_token=5.0)]
    async with a_model(script) as (server, claude, tally):
        await said(claude)
        before = tally.mark()
        waiting = asyncio.create_task(said(claude))
        while len(server.requests) < 2:
            await asyncio.sleep(0.005)
        waiting.cancel()
        await asyncio.wait([waiting])
        spent = tally.used - before.used
        assert spent == billed(server.requests[1]) and spent[key(Unit.CACHE_READ, MODEL)] > 512
        assert tally.wasted == spent


async def test_the_very_first_request_left_early_is_estimated_from_its_length() -> None:
    async with a_model([Reply("Never read.", first_token=5.0)]) as (server, claude, tally):
        waiting = asyncio.create_task(said(claude))
        while not server.requests:
            await asyncio.sleep(0.005)
        waiting.cancel()
        await asyncio.wait([waiting])
        told = sum(billed(*server.requests).values())
        assert 0.8 * told <= tally.used[key(Unit.INPUT, MODEL)] <= 1.3 * told


@pytest.mark.parametrize("fault", [HttpError(529), HttpError(429, retry_after=3)])
async def test_what_is_refused_costs_nothing(fault: HttpError) -> None:
    async with a_model([Reply(fault=fault)]) as (_, claude, tally):
        with pytest.raises(ProviderError):
            await said(claude)
        assert tally.counts == {}


async def test_an_answer_that_fails_on_its_way_costs_what_was_told() -> None:
    async with a_model([Reply(LONG, fault=StreamError(after=8))]) as (server, claude, tally):
        with pytest.raises(ProviderError):
            await said(claude)
        assert tally.used[key(Unit.INPUT, MODEL)] == billed(*server.requests)[key(Unit.INPUT, MODEL)]
        assert 4 <= tally.used[key(Unit.OUTPUT, MODEL)] <= 12
        assert +tally.wasted == Counter()


async def test_the_slower_of_two_requests_is_charged_as_waste() -> None:
    script = [Reply("Too late.", first_token=5.0), Reply("Hello, this is Alex.")]
    pace = Pace(Budget(100))
    for _ in range(60):
        pace.answered(0.02)
    async with a_model(script) as (server, claude, tally), Mind([claude], Manners(), [pace]) as mind:
        async with aclosing(mind.answer(CONVERSATION)) as pieces:
            words = [piece async for piece in pieces]
        assert words and mind.counts["hedges won"] == 1
        loser, winner = server.requests
        assert sum(tally.wasted.values()) > 0
        assert tally.used - tally.wasted == billed(winner)
        assert abs(sum(tally.wasted.values()) / sum(billed(loser).values()) - 1) < 0.3


async def test_a_fallback_model_is_charged_under_its_own_name() -> None:
    script = [Reply("Good day."), Reply("And good bye.")]
    tally = Tally()
    async with LoopbackAnthropic(script, first_token=0, tokens_per_second=0) as server:
        client = connect("test-key", server.url)
        for model in (MODEL, "claude-haiku-4-5"):
            await said(Claude(client, model, tally=tally))
        await client.close()
        assert tally.used == billed(*server.requests)
        assert {name.partition(": ")[2] for name in tally.used} == {MODEL, "claude-haiku-4-5"}


async def test_a_report_is_charged_also_when_it_cannot_be_used() -> None:
    call = Call("call", CONVERSATION.brief, outcome=Outcome.CONFIRMED)
    turn = Turn(1, Speaker.CALLEE, "Yes.", "Yes.", TurnState.DONE, 1.0)
    claim = Claim("Confirmed.", (1,), 0.9)
    good = {"outcome": "confirmed", "result": {"text": claim.text, "turns": [1], "confidence": 0.9}}
    lists: dict[str, object] = {"summary": [], "agreed": [], "questions": []}
    script = [Reply("I had rather not."), Reply(tools=(Tool("report_call", good | lists),))]
    tally = Tally()
    async with LoopbackAnthropic(script, first_token=0, tokens_per_second=0) as server:
        client = connect("test-key", server.url)
        writer = ClaudeReports(client, MODEL)
        with pytest.raises(ProviderError):
            await writer.write(call, [turn], tally)
        assert (await writer.write(call, [turn], tally)).result == claim
        await client.close()
        assert tally.used == billed(*server.requests)
