"""Each tool in a whole call, in the model's own protocol: what it does, and that the talk goes on after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anthropic
import httpx2
import pytest

from backend.bench.stand_ins import Model
from backend.bench.virtual_time import in_virtual_time
from backend.call import manners as known
from backend.call.events import OperatorAnswers, OperatorWatches
from backend.llm.claude import Claude
from backend.loopback.anthropic import LoopbackAnthropic, Reply, Tool
from backend.models import Outcome, Speaker
from tests.whole_call import OPENING, Stage, a_call

END = Tool("end_call", {"outcome": "confirmed", "note": "Thursday."})
BYE = Reply("Goodbye.", (END,))
LIFT: dict[str, object] = {"question": "Is there a lift?"}


@asynccontextmanager
async def talk(path: Path, *replies: Reply) -> AsyncIterator[tuple[Stage, LoopbackAnthropic]]:
    """A call past its opening, whose model answers in this order.

    The official SDK talks to the loopback server without a socket between, so that the call can run on virtual time;
    how Claude fares over real ones is in `test_claude`.
    """
    server = LoopbackAnthropic(list(replies), first_token=0, tokens_per_second=0)
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(server.app))
    client = anthropic.AsyncAnthropic(api_key="test-key", base_url="http://model", http_client=http, max_retries=0)
    async with client, a_call(path, cast(Model, Claude(client, "claude-haiku-5-5"))) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        yield call, server


async def answered(call: Stage, words: str, said: str) -> None:
    """The callee says this, and is answered with that."""
    await call.callee(words)
    await call.until_said(said, within=15)


def histories(server: LoopbackAnthropic) -> list[list[dict[str, Any]]]:
    return [received.body["messages"] for received in server.requests]


def assert_sound(server: LoopbackAnthropic) -> None:
    """Nothing empty, nothing unpaired: user and assistant in turn, in words alone."""
    for messages in histories(server):
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2) + ["user"]
        for message in messages:
            assert isinstance(message["content"], str) and message["content"].strip()


@in_virtual_time
async def test_the_call_ends_and_its_result_is_the_models(tmp_path: Path) -> None:
    async with talk(tmp_path, BYE) as (call, server):
        await call.callee("Thursday is fine.")
        ending = await call.over()
        assert (ending.outcome, ending.note) == (Outcome.CONFIRMED, "Thursday.")
        assert_sound(server)


@in_virtual_time
async def test_the_operator_is_asked_without_a_word_of_the_models(tmp_path: Path) -> None:
    async with talk(tmp_path, Reply(tools=(Tool("ask_operator", LIFT),)), Reply("Yes, there is."), BYE) as (
        call,
        server,
    ):
        call.session.post(OperatorWatches())
        await answered(call, "Is there a lift?", known.CHECKING)
        assert [question.text for question in call.store.questions("call")] == [LIFT["question"]]
        call.session.post(OperatorAnswers("Is there a lift?", "Yes."))
        await call.until_said("Yes, there is.")
        assert "The operator answers your question (Is there a lift?): Yes." in histories(server)[-1][-1]["content"]
        assert "[note: Asked the operator: Is there a lift?]" in str(histories(server)[-1])
        await call.callee("Thank you.")
        await call.over()
        assert_sound(server)


@in_virtual_time
async def test_two_tools_in_one_answer_both_count(tmp_path: Path) -> None:
    both = Reply("Someone will tell you. Goodbye.", (Tool("note_follow_up", LIFT), END))
    async with talk(tmp_path, both) as (call, server):
        await call.callee("Is there a lift?")
        assert (await call.over()).outcome is Outcome.CONFIRMED
        (question,) = call.store.questions("call")
        assert (question.text, question.until) == (LIFT["question"], None)
        assert_sound(server)


@in_virtual_time
async def test_keys_are_pressed_without_a_word(tmp_path: Path) -> None:
    async with talk(tmp_path, Reply(tools=(Tool("press_keys", {"digits": "2"}),)), BYE) as (call, server):
        await call.callee("For appointments, press two.")
        async with asyncio.timeout(10):
            while not any(turn.text == "Pressed 2" for turn in call.turns):
                await asyncio.sleep(0.02)
        await call.callee("Front desk, hello?")
        await call.over()
        assert_sound(server)
        assert "[note: Pressed 2]" in histories(server)[-1][-1]["content"]


@in_virtual_time
async def test_the_call_is_handed_over(tmp_path: Path) -> None:
    reply = Reply("I'll put you through.", (Tool("transfer", {"reason": "wants a person"}),))
    async with talk(tmp_path, reply) as (call, _):
        await call.callee("Can I talk to a person?")
        ending = await call.over()
        assert (ending.outcome, ending.note, call.phone.transferred) == (Outcome.TRANSFERRED, "wants a person", True)


@in_virtual_time
async def test_whoever_wants_no_more_calls_is_noted(tmp_path: Path) -> None:
    opted_out = Tool("end_call", {"outcome": "opted out", "note": "No more calls."})
    async with talk(tmp_path, Reply(tools=(Tool("do_not_call", ""), opted_out))) as (call, _):
        await call.callee("I have had enough of your calls.")
        assert (await call.over()).outcome is Outcome.OPTED_OUT
        assert call.said.endswith(known.NO_MORE_CALLS)
        assert any(turn.speaker is Speaker.NOTE for turn in call.turns)


@pytest.mark.parametrize(
    ("reply", "said", "trouble"),
    [
        (Reply("One moment.", (Tool("order_pizza", {}),)), "One moment.", "a tool that does not exist, 'order_pizza'"),
        (Reply("I'll ask.", (Tool("note_follow_up", '{"question": "Is'),)), "I'll ask.", "sent broken arguments"),
        (Reply("All is well. " + "la " * 400), "All is well.", "reached its longest answer"),
        (Reply("It is on Thursday.", stop_reason="refusal"), "It is on Thursday.", "refused to go on"),
    ],
    ids=["unknown tool", "broken arguments", "cut in mid-sentence", "refusal after words"],
)
@in_virtual_time
async def test_what_a_model_gets_wrong_is_noted_and_the_talk_goes_on(
    tmp_path: Path, reply: Reply, said: str, trouble: str
) -> None:
    async with talk(tmp_path, reply, BYE) as (call, server):
        await answered(call, "Yes, go on.", said)
        async with asyncio.timeout(90):
            while call.turns[-1].state == "open":
                await asyncio.sleep(0.02)
        assert any(trouble in what for what in call.troubles)
        call.session.post(OperatorWatches())
        await call.callee("Wait, stop. Thank you, that is all, goodbye.")
        assert (await call.over()).outcome is Outcome.CONFIRMED
        assert_sound(server)


@in_virtual_time
async def test_a_refusal_without_words_is_apologised_for(tmp_path: Path) -> None:
    async with talk(tmp_path, Reply(stop_reason="refusal")) as (call, server):
        await call.callee("Tell me something terrible.")
        assert (await call.over()).outcome is Outcome.FAILED
        assert call.said.endswith("Goodbye.")
        assert "Claude refused to answer" in call.troubles
        assert_sound(server)
