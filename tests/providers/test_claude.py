"""Claude as a seam: what it yields, what it makes of what the vendor can do wrong, and that it lets go at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anthropic
import pytest

from backend.call.hedge import Budget, Pace
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.llm import claude, prompt
from backend.llm.claude import Claude, check, connect
from backend.loopback.anthropic import (
    Break,
    HttpError,
    LoopbackAnthropic,
    Received,
    Reply,
    Script,
    Stall,
    StreamError,
    Tool,
)
from backend.models import Answered, Brief, Conversation, ProviderError, Said, Speaker, ToolUse, Trouble
from backend.seams import LanguageModel

CONVERSATION = Conversation(Brief(to="+12025550143", action="Confirm the appointment")).plus(Speaker.CALLEE, "Hello?")
END = Tool("end_call", {"outcome": "confirmed", "note": "Thursday is fine."})


@asynccontextmanager
async def talking(
    script: Script, model: str = "claude-haiku-5-5", key: str = "test-key"
) -> AsyncIterator[tuple[LoopbackAnthropic, Claude]]:
    async with LoopbackAnthropic(script, first_token=0, tokens_per_second=0) as server:
        client = connect(key, server.url)
        try:
            async with Claude(client, model) as model_of_the_call:
                yield server, model_of_the_call
        finally:
            await client.close()


async def answer(reply: Reply, model: str = "claude-haiku-5-5") -> list[Answered]:
    async with talking([reply], model) as (_, llm):
        return [piece async for piece in llm.answer(CONVERSATION)]


async def failure(reply: Reply, key: str = "test-key", model: str = "claude-haiku-5-5") -> tuple[str, str]:
    """What was said before the failure, and the failure's sentence."""
    said = ""
    async with talking([reply], model, key) as (_, llm):
        with pytest.raises(ProviderError) as caught:
            async for piece in llm.answer(CONVERSATION):
                said += piece.text if isinstance(piece, Said) else ""
    return said, str(caught.value)


def words(pieces: list[Answered]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Said))


def rest(pieces: list[Answered]) -> list[Answered]:
    return [piece for piece in pieces if not isinstance(piece, Said)]


async def test_words_come_in_pieces_then_the_tool() -> None:
    pieces = await answer(Reply("Lovely, see you Thursday. Goodbye!", (END,)))
    assert words(pieces) == "Lovely, see you Thursday. Goodbye!"
    assert len(pieces) > 3
    assert rest(pieces) == pieces[-1:] == [ToolUse("end_call", {"outcome": "confirmed", "note": "Thursday is fine."})]


async def test_thinking_is_never_spoken() -> None:
    assert words(await answer(Reply("Yes.", thinking="The callee said hello, so I greet."))) == "Yes."


async def test_a_tool_without_words_is_an_answer() -> None:
    assert await answer(Reply(tools=(END,))) == [ToolUse("end_call", dict(END.input))]  # type: ignore[arg-type]


async def test_a_tool_without_arguments_gets_none() -> None:
    assert await answer(Reply(tools=(Tool("end_call", ""),))) == [ToolUse("end_call", {})]


@pytest.mark.parametrize("text", ["One moment.", ""], ids=["with words", "without words"])
@pytest.mark.parametrize("tool", prompt.tools(), ids=lambda tool: str(tool["name"]))
async def test_each_tool_arrives_as_it_was_sent(tool: Any, text: str) -> None:
    arguments: dict[str, object] = dict.fromkeys(tool["input_schema"]["properties"], "something")
    pieces = await answer(Reply(text, (Tool(tool["name"], arguments),)))
    assert (words(pieces), rest(pieces)) == (text, [ToolUse(tool["name"], arguments)])


async def test_several_tools_of_one_answer_all_count() -> None:
    question = Tool("note_follow_up", {"question": "Is there a lift?"})
    pieces = await answer(Reply("Someone will tell you. Goodbye.", (question, END)))
    assert rest(pieces) == [ToolUse("note_follow_up", {"question": "Is there a lift?"}), ToolUse("end_call", END.input)]  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", ['{"outcome": conf', '{"outcome": "confirmed"', "[1]", "\x00"])
async def test_broken_tool_arguments_still_end_the_call(broken: str) -> None:
    pieces = await answer(Reply("Goodbye.", (Tool("end_call", broken),)))
    assert words(pieces) == "Goodbye."
    trouble, tool = rest(pieces)
    assert trouble == Trouble("Claude sent broken arguments for end_call; it was done without them")
    assert tool == ToolUse("end_call", {})


async def test_an_unknown_tool_is_ignored_and_reported() -> None:
    (trouble,) = rest(await answer(Reply("One moment.", (Tool("order_pizza", {}),))))
    assert trouble == Trouble("Claude asked for a tool that does not exist, 'order_pizza'; it was ignored")


async def test_nothing_but_an_unknown_tool_is_no_answer() -> None:
    assert (await failure(Reply(tools=(Tool("order_pizza", {}),))))[1] == "Claude answered without any words"


@pytest.mark.parametrize("reply", [Reply(), Reply(" \n"), Reply(thinking="Hm. " * 300, text="Too late.")])
async def test_an_answer_without_words_is_a_failure(reply: Reply) -> None:
    assert (await failure(reply))[1] == "Claude answered without any words"


async def test_an_answer_that_is_cut_keeps_its_words_and_says_so() -> None:
    pieces = await answer(Reply("la " * 400))
    assert words(pieces).startswith("la la la")
    assert rest(pieces) == [Trouble("Claude reached its longest answer and was cut off")]


async def test_a_refusal_is_a_failure_when_nothing_was_said() -> None:
    assert (await failure(Reply(stop_reason="refusal")))[1] == "Claude refused to answer"


async def test_a_refusal_after_words_is_reported() -> None:
    pieces = await answer(Reply("Well, I", stop_reason="refusal"))
    assert rest(pieces) == [Trouble("Claude refused to go on in the middle of an answer")]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "did not accept the request for the model 'claude-haiku-5-5' (HTTP 400): scripted"),
        (401, "check ANTHROPIC_API_KEY in .env"),
        (402, "billing page"),
        (403, "allow it in Anthropic's console"),
        (404, "'claude-haiku-5-5' (HTTP 404), it may have been retired: write a current one into ANTHROPIC_MODEL"),
        (429, "place fewer calls at once"),
        (500, "Anthropic failed (HTTP 500): scripted"),
        (529, "Anthropic is overloaded (HTTP 529)"),
    ],
)
async def test_an_http_error_says_what_to_do(status: int, advice: str) -> None:
    said, sentence = await failure(Reply(fault=HttpError(status)))
    assert said == ""
    assert advice in sentence


async def test_a_wrong_key_is_named_by_its_setting_and_never_shown() -> None:
    _, sentence = await failure(Reply("Hi."), key="sk-secret")
    assert sentence == "Anthropic refused the API key (HTTP 401): check ANTHROPIC_API_KEY in .env"


async def test_a_retired_model_is_named() -> None:
    _, sentence = await failure(Reply("Hi."), model="claude-haiku-1-0")
    assert "no model 'claude-haiku-1-0'" in sentence


async def test_retry_after_is_not_waited_for() -> None:
    async with asyncio.timeout(3), talking([Reply(fault=HttpError(429, retry_after=30)), Reply("x")]) as (server, llm):
        with pytest.raises(ProviderError, match="rate limit"):
            await anext(aiter(llm.answer(CONVERSATION)))
        assert len(server.requests) == 1


async def test_an_error_inside_the_stream_is_told_by_its_type() -> None:
    said, sentence = await failure(Reply("One two three", fault=StreamError(after=2)))
    assert said == "One two"
    assert sentence.startswith("Anthropic is overloaded (in the middle of an answer)")


async def test_a_broken_connection_is_a_failure_after_the_words() -> None:
    said, sentence = await failure(Reply("One two three", fault=Break(after=2)))
    assert said == "One two"
    assert sentence == "the connection to Anthropic broke in the middle of Claude's answer"


@pytest.mark.parametrize("ping_every", [None, 0.02])
async def test_a_stall_ends_by_itself_with_or_without_pings(
    ping_every: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claude, "_STALL", 0.5)
    async with talking([Reply("One two three", fault=Stall(2, ping_every))]) as (server, llm):
        pieces = llm.answer(CONVERSATION)
        assert [await anext(pieces), await anext(pieces)] == [Said("One"), Said(" two")]
        with pytest.raises(ProviderError, match="Claude kept us waiting too long"):
            await anext(pieces)
        await server.disconnected()


async def test_an_answer_that_only_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude, "_TOTAL", 0.5)
    async with (
        LoopbackAnthropic([Reply("la " * 100)], first_token=0, tokens_per_second=10) as server,
        connect("test-key", server.url) as client,
    ):
        with pytest.raises(ProviderError, match="Claude kept us waiting too long"):
            async for piece in Claude(client, "claude-haiku-5-5").answer(CONVERSATION):
                assert isinstance(piece, Said)
        await server.disconnected()


async def test_the_clients_own_read_timeout_is_a_plain_sentence_too() -> None:
    async with (
        LoopbackAnthropic([Reply("One two", fault=Stall(1))], first_token=0) as server,
        connect("test-key", server.url).with_options(timeout=0.5) as client,
    ):
        pieces = Claude(client, "claude-haiku-5-5").answer(CONVERSATION)
        assert await anext(pieces) == Said("One")
        with pytest.raises(ProviderError, match="Claude kept us waiting too long"):
            await anext(pieces)


async def test_a_slow_reader_is_not_a_slow_claude(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude, "_STALL", 1)
    monkeypatch.setattr(claude, "_TOTAL", 1)
    async with talking([Reply("One two three four")]) as (_, llm):
        said = ""
        async for piece in llm.answer(CONVERSATION):
            assert isinstance(piece, Said)
            said += piece.text
            await asyncio.sleep(0.3)
    assert said == "One two three four"


async def test_an_unreachable_anthropic_is_a_plain_sentence() -> None:
    async with LoopbackAnthropic([]) as server:
        pass
    async with connect("test-key", server.url) as client:
        with pytest.raises(ProviderError, match=r"could not be reached at 127\.0\.0\.1: check the network"):
            await check(client, "claude-haiku-5-5")


async def test_closing_the_iterator_closes_the_response_at_once() -> None:
    async with talking([Reply("One two three", fault=Stall(2))]) as (server, llm):
        async with asyncio.timeout(3), aclosing(llm.answer(CONVERSATION)) as pieces:
            assert await anext(pieces) == Said("One")
        await server.disconnected()
        assert len(server.disconnects) == 1


async def test_cancelling_the_reader_closes_the_response_at_once() -> None:
    async with talking([Reply("One two three", fault=Stall(1))]) as (server, llm):
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in llm.answer(CONVERSATION):
                begun.set()

        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()
        async with asyncio.timeout(3):
            await asyncio.wait([reading])
            await server.disconnected()
        assert reading.cancelled()


async def test_nothing_is_left_running_after_an_answer_was_dropped() -> None:
    before = asyncio.all_tasks()
    async with talking([Reply("One two three", fault=Stall(2))]) as (_, llm):
        async for _piece in llm.answer(CONVERSATION):
            break
    assert asyncio.all_tasks() == before


# --- asked a second time, over the wire -----------------------------------------------------------------------------


@asynccontextmanager
async def hedging(script: Script, pace: Pace) -> AsyncIterator[tuple[LoopbackAnthropic, Mind]]:
    async with talking(script) as (server, llm), Mind([llm], Manners(first_words=20), [pace]) as mind:
        yield server, mind


def quick() -> Pace:
    """Of a model that has always answered within 20 ms, and may be asked a second time each time."""
    pace = Pace(Budget(100))
    for _ in range(50):
        pace.answered(0.02)
    return pace


async def test_a_stalled_request_is_overtaken_by_a_second_one_and_cancelled_on_the_wire() -> None:
    before = asyncio.all_tasks()
    script = [Reply("Never heard.", first_token=30), Reply("Here I am.", (END,))]
    async with hedging(script, quick()) as (server, mind):
        pieces = [piece async for piece in mind.answer(CONVERSATION)]
        async with asyncio.timeout(3):
            await server.disconnected()
        assert words(pieces) == "Here I am."
        assert [type(piece) for piece in rest(pieces)] == [ToolUse]
        assert mind.counts == Counter({"requests": 1, "hedges": 1, "hedges won": 1})
        stalled, answered = server.requests
        assert server.disconnects == [stalled] and server.cancelled == 1
        assert stalled.body == answered.body
        assert (len(stalled.sent), len(answered.sent) > 0) == (0, True)
    assert asyncio.all_tasks() == before


async def test_a_stalled_request_that_fails_in_the_end_is_no_failure_of_the_answer() -> None:
    script = [Reply(fault=HttpError(529), first_token=0.5), Reply("Here I am.", first_token=1)]
    async with hedging(script, quick()) as (server, mind):
        pieces = [piece async for piece in mind.answer(CONVERSATION)]
        assert (words(pieces), rest(pieces)) == ("Here I am.", [])
        assert (len(server.requests), server.cancelled) == (2, 0)


async def test_cancelling_an_answer_that_was_asked_for_twice_cancels_both_on_the_wire() -> None:
    both = asyncio.Event()
    asked: list[Received] = []

    def stall(received: Received) -> Reply:
        asked.append(received)
        if len(asked) == 2:
            both.set()
        return Reply("Never heard.", first_token=30)

    async with hedging(stall, quick()) as (server, mind):

        async def read() -> list[Answered]:
            return [piece async for piece in mind.answer(CONVERSATION)]

        reading = asyncio.create_task(read())
        await both.wait()
        reading.cancel()
        async with asyncio.timeout(3):
            await asyncio.wait([reading])
            await server.disconnected()
            await server.disconnected()
        assert reading.cancelled() and server.cancelled == 2


async def test_the_warm_connection_is_the_one_that_answers() -> None:
    async with talking([Reply("Hi."), Reply("Bye.")]) as (server, llm):
        await llm.warm(CONVERSATION)
        for expected in ("Hi.", "Bye."):
            assert words([piece async for piece in llm.answer(CONVERSATION)]) == expected
    assert len(server.requests) == 3
    assert len({received.port for received in server.requests}) == 1


async def test_a_proxy_in_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert words(await answer(Reply("Hi."))) == "Hi."


async def test_the_request_carries_rules_tool_and_conversation() -> None:
    async with talking([Reply("Hi.")]) as (server, llm):
        assert [piece async for piece in llm.answer(CONVERSATION, "be brief")] == [Said("Hi.")]
    body = server.requests[0].body
    assert body["system"] == [
        {"type": "text", "text": prompt.system(CONVERSATION.brief), "cache_control": {"type": "ephemeral"}}
    ]
    assert body["messages"] == prompt.messages(CONVERSATION, "be brief")
    assert body["tools"] == prompt.tools()
    names = {"end_call", "ask_operator", "note_follow_up", "press_keys", "transfer", "do_not_call"}
    assert {tool["name"] for tool in body["tools"]} == names
    assert body["max_tokens"] == 300


@pytest.mark.parametrize(
    ("model", "manner"),
    [
        ("claude-haiku-5-5", {"thinking": {"type": "disabled"}}),
        ("claude-sonnet-5-5", {"thinking": {"type": "between_tools"}}),
        ("claude-haiku-4-5", {}),
        ("claude-opus-5-5", {"output_config": {"effort": "low"}}),
    ],
)
async def test_each_model_is_told_not_to_think_in_its_own_way(model: str, manner: dict[str, object]) -> None:
    async with talking([Reply("Hi.")], model) as (server, llm):
        assert [piece async for piece in llm.answer(CONVERSATION)] == [Said("Hi.")]
    body = server.requests[0].body
    assert {key: body[key] for key in ("thinking", "output_config") if key in body} == manner


async def test_warming_writes_the_cache_that_answers_read() -> None:
    async with talking([Reply("Hi.")]) as (server, llm):
        await llm.warm(Conversation(CONVERSATION.brief))
        assert [piece async for piece in llm.answer(CONVERSATION)] == [Said("Hi.")]
    warm, real = (received.body for received in server.requests)
    assert warm["max_tokens"] == 0
    cached = ("model", "system", "tools", "thinking")
    assert [warm[key] for key in cached] == [real[key] for key in cached]


async def test_a_failed_warming_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with talking([], key="sk-secret") as (_, llm):
            await llm.warm(CONVERSATION)
    assert "could not warm up: Anthropic refused the API key" in caplog.text
    assert "sk-secret" not in caplog.text


async def test_the_check_is_one_tiny_request() -> None:
    reply = Reply("Hello there")
    async with LoopbackAnthropic([reply], first_token=0) as server, connect("test-key", server.url) as client:
        await check(client, "claude-haiku-5-5")
    assert [received.body["max_tokens"] for received in server.requests] == [1]


async def test_the_check_says_what_is_wrong() -> None:
    async with LoopbackAnthropic([], first_token=0) as server, connect("other", server.url) as client:
        with pytest.raises(ProviderError, match="check ANTHROPIC_API_KEY"):
            await check(client, "claude-haiku-5-5")


def test_claude_fits_the_seam() -> None:
    maker: Callable[[anthropic.AsyncAnthropic, str], LanguageModel] = Claude
    assert maker is Claude
