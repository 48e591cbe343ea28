"""The loopback Messages API, proven with the vendor's own SDK: what it answers, refuses and breaks is read as real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpx2
import pytest
from starlette.applications import Starlette

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
from backend.serving import serve

HELLO: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
}
END = Tool("end_call", {"outcome": "confirmed", "note": "She comes on Thursday."})


@asynccontextmanager
async def talking(script: Script, **options: Any) -> AsyncIterator[tuple[LoopbackAnthropic, anthropic.AsyncAnthropic]]:
    async with (
        LoopbackAnthropic(script, first_token=0, tokens_per_second=0) as server,
        anthropic.AsyncAnthropic(
            **{"api_key": "test-key", "base_url": server.url, "max_retries": 0, "timeout": 5, **options}
        ) as client,
    ):
        yield server, client


async def test_the_streaming_helper_reads_thinking_words_and_tools() -> None:
    script = [Reply("Goodbye, Maria, see you then.", (END,), thinking="They said yes, so the task is done.")]
    async with talking(script) as (server, client), client.messages.stream(**HELLO) as stream:
        pieces = [text async for text in stream.text_stream]
        message = await stream.get_final_message()
    assert len(pieces) > 2
    assert "".join(pieces) == "Goodbye, Maria, see you then."
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert message.content[2].model_dump()["input"] == END.input
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens > len(pieces)
    assert server.disconnects == []


async def test_an_answer_can_come_whole() -> None:
    async with talking([Reply("Hi.", (END,), thinking="Hm.")]) as (_, client):
        message = await client.messages.create(**HELLO)
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert message.stop_reason == "tool_use"


async def test_a_long_answer_ends_where_max_tokens_says_thinking_included() -> None:
    script = [Reply("One two three four."), Reply("Never said.", thinking="I think and think and think.")]
    async with talking(script) as (_, client):
        cut = await client.messages.create(**{**HELLO, "max_tokens": 2})
        silent = await client.messages.create(**{**HELLO, "max_tokens": 3})
    assert (cut.content[0].model_dump()["text"], cut.stop_reason) == ("One two", "max_tokens")
    assert [block.type for block in silent.content] == ["thinking"]


async def test_a_warm_up_takes_no_reply_from_the_script() -> None:
    async with talking([Reply("First.")]) as (server, client):
        warm = await client.messages.create(**{**HELLO, "max_tokens": 0})
        first = await client.messages.create(**HELLO)
    assert warm.content == []
    assert first.content[0].model_dump()["text"] == "First."
    assert [received.body["max_tokens"] for received in server.requests] == [0, 100]


async def test_a_function_may_be_the_script() -> None:
    def echo(received: Received) -> Reply:
        return Reply(f"You said {received.body['messages'][-1]['content']}")

    async with talking(echo) as (_, client):
        message = await client.messages.create(**HELLO)
    assert message.content[0].model_dump()["text"] == "You said Hello"


async def test_both_spellings_of_the_key_are_taken() -> None:
    async with talking([Reply("a"), Reply("b")]) as (server, _), httpx2.AsyncClient(trust_env=False) as http:
        for header in ({"authorization": "Bearer test-key"}, {"x-api-key": "test-key"}):
            answer = await http.post(
                f"{server.url}/v1/messages", json=HELLO, headers={**header, "anthropic-version": "2023-06-01"}
            )
            assert answer.status_code == 200


async def test_a_wrong_key_is_refused() -> None:
    async with talking([], api_key="other") as (_, client):
        with pytest.raises(anthropic.AuthenticationError):
            await client.messages.create(**HELLO)


SCHEMA: dict[str, Any] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
COUNTED = {"many": {"type": "array", "items": {"type": "integer", "maximum": 3}}}
STRICT: dict[str, Any] = {"name": "report", "description": "Report.", "strict": True, "input_schema": SCHEMA}
ASKED = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "end_call", "input": {}}]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"extra_body": {"temperature": 1.0}}, "sampling parameters"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "user", "content": ""}]}, "must be non-empty"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "non-whitespace"),
        ({"system": [{"type": "text", "text": ""}]}, "must be non-empty"),
        ({"messages": [*HELLO["messages"], {"role": "assistant", "content": "Hi"}]}, "must end with a user message"),
        ({"messages": [*HELLO["messages"], ASKED, {"role": "user", "content": "So?"}]}, "without `tool_result`"),
        ({"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}}, "does not support 'disabled'"),
        ({"model": "claude-opus-5-5", "thinking": {"type": "disabled"}}, "does not support 'disabled'"),
        ({"model": "claude-fable-5-2", "thinking": {"type": "disabled"}}, "does not support 'disabled'"),
        ({"model": "claude-sonnet-5-5", "tool_choice": {"type": "any"}}, "forced tool use"),
        ({"max_tokens": anthropic.omit}, "max_tokens: Field required"),
        ({"tool_choice": {"type": "tool", "name": "nobody"}}, "'nobody' not found in provided tools"),
        ({"model": "claude-opus-5-5", "tool_choice": {"type": "any"}}, "Thinking may not be enabled"),
        ({"tools": [{**STRICT, "input_schema": {"type": "object"}}]}, "'additionalProperties' must be set to false"),
        ({"tools": [{**STRICT, "input_schema": {**SCHEMA, "properties": COUNTED}}]}, "'maximum' is not supported"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            "'additionalProperties' must be set to false",
        ),
    ],
)
async def test_what_the_vendor_refuses_is_refused(change: dict[str, Any], complaint: str) -> None:
    async with talking([Reply("Should not be reached.")]) as (_, client):
        with pytest.raises(anthropic.BadRequestError, match=complaint):
            await client.messages.create(**{**HELLO, **change})


async def test_a_tool_that_got_its_result_is_accepted() -> None:
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "done"}]}
    async with talking([Reply("Fine.")]) as (_, client):
        message = await client.messages.create(**{**HELLO, "messages": [*HELLO["messages"], ASKED, result]})
    assert message.stop_reason == "end_turn"


async def test_a_forced_strict_tool_and_a_schema_for_the_answer_are_accepted() -> None:
    forced: dict[str, Any] = {"tools": [STRICT], "tool_choice": {"type": "tool", "name": "report"}}
    form: dict[str, Any] = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    async with talking([Reply(tools=(Tool("report", {}),)), Reply("{}")]) as (_, client):
        used = await client.messages.create(**{**HELLO, **forced, "thinking": {"type": "disabled"}})
        written = await client.messages.create(**{**HELLO, **form, "model": "claude-sonnet-5-5"})
    assert (used.content[0].type, used.stop_reason) == ("tool_use", "tool_use")
    assert written.content[0].model_dump()["text"] == "{}"


async def test_a_retired_model_is_not_found() -> None:
    async with talking([]) as (_, client):
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.create(**{**HELLO, "model": "claude-haiku-1-0"})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.InternalServerError),
    ],
)
async def test_an_http_error_is_the_sdks_own_kind(status: int, kind: type[anthropic.APIStatusError]) -> None:
    async with talking([Reply(fault=HttpError(status, retry_after=6))]) as (_, client):
        with pytest.raises(kind) as caught:
            await client.messages.create(**HELLO)
    assert caught.value.status_code == status
    assert caught.value.response.headers["retry-after"] == "6"


async def test_a_request_beyond_the_script_is_an_error() -> None:
    async with talking([]) as (_, client):
        with pytest.raises(anthropic.InternalServerError):
            await client.messages.create(**HELLO)


async def test_an_error_inside_a_stream_has_status_200() -> None:
    async with talking([Reply("One two three", fault=StreamError(after=2))]) as (_, client):
        with pytest.raises(anthropic.APIStatusError) as caught:
            async with client.messages.stream(**HELLO) as stream:
                await stream.get_final_message()
    assert stream.current_message_snapshot.content[0].model_dump()["text"] == "One two"
    assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")


async def test_a_stall_runs_into_the_clients_read_timeout() -> None:
    script = [Reply("One two three", fault=Stall(after=1))]
    async with talking(script, timeout=0.2) as (server, client):
        with pytest.raises(httpx2.ReadTimeout):
            async with client.messages.stream(**HELLO) as stream:
                await stream.get_final_message()
        await server.disconnected()


async def test_pings_keep_a_stalled_stream_from_timing_out() -> None:
    script = [Reply("One two three", fault=Stall(after=1, ping_every=0.05))]
    async with talking(script, timeout=0.4) as (_, client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), client.messages.stream(**HELLO) as stream:
                await stream.get_final_message()


async def test_a_cut_connection_is_a_protocol_error() -> None:
    async with talking([Reply("One two three", fault=Break(after=2))]) as (server, client):
        with pytest.raises(httpx2.RemoteProtocolError):
            async with client.messages.stream(**HELLO) as stream:
                await stream.get_final_message()
    assert server.disconnects == []


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_client_that_goes_away_is_noticed(streamed: bool) -> None:
    asked = asyncio.Event()

    def stall(_: Received) -> Reply:
        asked.set()
        return Reply("One two three", fault=Stall())

    async with talking(stall) as (server, client):
        asking = asyncio.create_task(client.messages.create(**HELLO, stream=streamed))
        await asked.wait()
        if streamed:
            stream: Any = await asking
            await stream.close()
        asking.cancel()
        await server.disconnected()
        assert server.disconnects == server.requests
        await asyncio.wait([asking])


async def test_one_answer_may_be_slower_than_the_others() -> None:
    """None comes before its own time; the server's own is for those that have none."""
    now = asyncio.get_running_loop().time
    script = [Reply("Slow.", first_token=0.2), Reply("Quick.", first_token=0), Reply("As ever.")]
    async with (
        LoopbackAnthropic(script, first_token=0.1, tokens_per_second=0) as server,
        anthropic.AsyncAnthropic(api_key="test-key", base_url=server.url) as client,
    ):
        for least in (0.2, 0, 0.1):
            asked = now()
            async with client.messages.stream(**HELLO) as stream:
                await stream.get_final_message()
            assert now() - asked >= least - 0.005
        answered = [received.sent[0] for received in server.requests]
    assert answered == sorted(answered)


async def test_an_error_may_take_its_time_too() -> None:
    now = asyncio.get_running_loop().time
    async with talking([Reply(fault=HttpError(529), first_token=0.1)]) as (_, client):
        asked = now()
        with pytest.raises(anthropic.InternalServerError):
            await client.messages.create(**HELLO)
        assert now() - asked >= 0.095


async def test_a_client_that_goes_away_before_the_first_word_is_counted() -> None:
    async with talking([Reply("Never said.", first_token=30), Reply("Hi.")]) as (server, client):
        stream = await client.messages.create(**HELLO, stream=True)
        assert server.cancelled == 0
        await stream.close()
        await server.disconnected()
        assert server.cancelled == 1
        await client.messages.create(**HELLO)
        assert server.cancelled == 1
    assert server.requests[0].sent == []


async def test_the_answer_keeps_its_pace() -> None:
    """No token comes before its time; on a busy machine any may come later."""
    now = asyncio.get_running_loop().time
    async with (
        LoopbackAnthropic([Reply("One two three four")], first_token=0.1, tokens_per_second=20) as server,
        anthropic.AsyncAnthropic(api_key="test-key", base_url=server.url) as client,
    ):
        asked = now()
        async with client.messages.stream(**HELLO) as stream:
            when = [now() - asked async for _ in stream.text_stream]
    assert [at >= due - 0.005 for at, due in zip(when, (0.1, 0.15, 0.2, 0.25), strict=True)] == [True] * 4


async def test_nothing_is_left_running_when_a_server_has_stopped() -> None:
    before = asyncio.all_tasks()
    async with serve(Starlette()) as port, httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"http://127.0.0.1:{port}/")).status_code == 404
    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_failing_block_stops_the_server_and_shows_its_own_error() -> None:
    with pytest.raises(KeyError, match="mine"):
        async with serve(Starlette()) as port:
            raise KeyError("mine")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_taken_port_is_refused_as_any_socket_is() -> None:
    async with serve(Starlette()) as port:
        with pytest.raises(OSError, match="in use"):
            async with serve(Starlette(), port=port):
                raise AssertionError("two servers on one port")


async def test_an_app_that_cannot_start_is_an_error_and_not_an_exit() -> None:
    @asynccontextmanager
    async def broken(app: Starlette) -> AsyncIterator[None]:
        if app:
            raise ValueError("no")
        yield

    with pytest.raises(RuntimeError, match="failed while starting"):
        async with serve(Starlette(lifespan=broken)):
            raise AssertionError("it started")
