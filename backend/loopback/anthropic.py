"""Anthropic's Messages API on loopback: it answers from a script, at a real pace, and refuses what the vendor refuses.

Tests, benchmarks and demonstrations share it. The wire format is API version 2026-10-21; version 2023-06-01 is served
alike.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from backend.loopback.anthropic_cache import PromptCache
from backend.loopback.anthropic_rules import refused
from backend.serving import serve

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The error type that goes with each HTTP status."""


@dataclass(frozen=True, slots=True)
class HttpError:
    """This HTTP error instead of an answer."""

    status: int
    retry_after: float | None = None
    """Seconds, for a 429."""


@dataclass(frozen=True, slots=True)
class StreamError:
    """An `error` event inside the stream, whose HTTP status was 200."""

    after: int = 0
    """Pieces of the answer sent before it; likewise below."""
    kind: str = "overloaded_error"


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing more, on a connection that stays open."""

    after: int = 0
    ping_every: float | None = None
    """Seconds between pings, which keep a client's read timeout from ever firing; None sends none."""


@dataclass(frozen=True, slots=True)
class Break:
    """The connection is cut."""

    after: int = 0


Fault = HttpError | StreamError | Stall | Break


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    input: dict[str, object] | str
    """The arguments, or their JSON as raw text, broken if it shall be."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: optional thinking, then words, then tools; empty by default, which the vendor sends at times too."""

    text: str = ""
    tools: tuple[Tool, ...] = ()
    thinking: str = ""
    stop_reason: str = ""
    """Empty for what follows from the content: `max_tokens`, `tool_use` or `end_turn`."""
    fault: Fault | None = None
    first_token: float | None = None
    """Seconds until this answer, or this HTTP error, comes; None for the server's own time, and for errors at once."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    body: dict[str, Any]
    headers: dict[str, str]
    """Names in lower case."""
    port: int
    """The client's; requests that share a connection share it."""
    came: float
    """When, in `loop.time()`."""
    usage: dict[str, int] = field(default_factory=dict)
    """What it is billed for by now, under the vendor's names; what is generated, as far as it was sent."""
    sent: list[float] = field(default_factory=list)
    """When each piece of the streamed answer was sent, in `loop.time()`."""


Script = Sequence[Reply] | Callable[[Received], Reply]
"""The replies in order, or a function that finds one for each request."""

Event = dict[str, Any]


class LoopbackAnthropic:
    """`async with LoopbackAnthropic(script) as server:` serves at `server.url` until the block is left."""

    def __init__(
        self, script: Script, *, key: str = "test-key", first_token: float = 0.35, tokens_per_second: float = 80.0
    ) -> None:
        """
        Args:
            first_token: seconds until an answer begins.
            tokens_per_second: its pace from there; 0 for all at once.
        """
        self.url = ""
        self.requests: list[Received] = []
        """Every request to the endpoint, also those that were refused."""
        self.disconnects: list[Received] = []
        """Requests whose client went away before the answer was complete."""
        self._script = script if callable(script) else _in_order(script)
        self._key = key
        self._first_token = first_token
        self._cache = PromptCache()
        self._pause = 1 / tokens_per_second if tokens_per_second else 0.0
        self._left = asyncio.Semaphore(0)
        self._open = AsyncExitStack()

    @property
    def app(self) -> Starlette:
        """What is served; for a test that wants no socket between."""
        return Starlette(routes=[Route("/v1/messages", self._messages, methods=["POST"])])

    async def __aenter__(self) -> Self:
        self.url = f"http://127.0.0.1:{await self._open.enter_async_context(serve(self.app))}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    @property
    def cancelled(self) -> int:
        """How many clients went away before their answer was complete."""
        return len(self.disconnects)

    async def disconnected(self) -> None:
        """Wait until one more request has been added to `disconnects`; each is waited for once."""
        await self._left.acquire()

    async def _messages(self, request: Request) -> Response:
        # What this server takes to read and judge a request is part of its delay, not added to it.
        came = asyncio.get_running_loop().time()
        try:
            body = await request.json()
        except ValueError:
            body = None
        port = request.client.port if request.client else 0
        received = Received(body if isinstance(body, dict) else {}, dict(request.headers), port, came)
        self.requests.append(received)
        if problem := refused(received.body, received.headers, self._key):
            return _error(*problem)
        received.usage.update(self._cache.read(received.body, asyncio.get_running_loop().time()), output_tokens=0)
        if received.body["max_tokens"] == 0:
            # A warm-up fills the cache and generates nothing, so that it takes no reply from the script.
            return JSONResponse(_message(received, Reply(stop_reason="max_tokens")))
        reply = _within(self._script(received), received.body["max_tokens"])
        if isinstance(reply.fault, HttpError):
            await asyncio.sleep(reply.first_token or 0)
            return _error(reply.fault.status, "scripted", reply.fault.retry_after)
        return self._respond(received, reply)

    def _respond(self, received: Received, reply: Reply) -> Response:
        streamed = bool(received.body.get("stream"))
        return _Watched(
            self._streamed(received, reply) if streamed else self._whole(received, reply),
            media_type="text/event-stream" if streamed else "application/json",
            headers={"request-id": f"req_{len(self.requests)}"},
            gone=lambda: self._gone(received),
        )

    def _gone(self, received: Received) -> None:
        self.disconnects.append(received)
        self._left.release()

    async def _streamed(self, received: Received, reply: Reply) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop()
        first = self._first(reply)
        due = received.came + first
        await asyncio.sleep(max(0, due - clock.time()))
        for event in _before(reply.fault, _events(received, reply)):
            if event["type"] == "content_block_delta":
                # By the clock, since sleeps overrun: otherwise a long answer would be slower than its pace.
                await asyncio.sleep(max(0, due - clock.time()))
                received.sent.append(clock.time())
                received.usage["output_tokens"] += 1
                due += self._pause
            yield _sse(event)
        match reply.fault:
            case StreamError(kind=kind):
                yield _sse({"type": "error", "error": {"type": kind, "message": "scripted"}})
            case Stall(ping_every=None):
                await asyncio.Event().wait()
            case Stall(ping_every=seconds):
                while True:
                    await asyncio.sleep(seconds or 0)
                    yield _sse({"type": "ping"})
            case Break():
                raise _Cut

    def _first(self, reply: Reply) -> float:
        return self._first_token if reply.first_token is None else reply.first_token

    async def _whole(self, received: Received, reply: Reply) -> AsyncIterator[str]:
        await asyncio.sleep(self._first(reply) + self._pause * len(_tokens(reply.text)))
        if isinstance(reply.fault, Stall):
            await asyncio.Event().wait()
        if isinstance(reply.fault, Break):
            raise _Cut
        received.usage["output_tokens"] = _generated(reply)
        yield json.dumps(_message(received, reply))


def _in_order(replies: Sequence[Reply]) -> Callable[[Received], Reply]:
    left = iter(replies)
    # Past its end the script answers with an error, so that a request too many is seen.
    return lambda _: next(left, Reply(fault=HttpError(500)))


class _Cut(Exception):
    """The connection is to be cut here."""


class _Watched(StreamingResponse):
    """A response that tells when its client went away first."""

    def __init__(self, content: AsyncIterator[str], *, gone: Callable[[], None], **options: Any) -> None:
        super().__init__(content, **options)
        self._gone = gone

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except _Cut:
            # Returning without the last chunk makes uvicorn cut the connection.
            return
        except asyncio.CancelledError:
            self._gone()
            raise


# --- what is sent -----------------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[str]:
    """About what a tokeniser makes of it: short pieces, spaces in front."""
    return re.findall(r"\s*\S{1,6}|\s+", text)


def _within(reply: Reply, limit: int) -> Reply:
    """The reply as far as the request's `max_tokens` goes, which counts thinking too, with its stop reason."""
    thinking, words = _tokens(reply.thinking), _tokens(reply.text)
    if len(thinking) + len(words) <= limit:
        return replace(reply, stop_reason=reply.stop_reason or ("tool_use" if reply.tools else "end_turn"))
    room = max(limit - len(thinking), 0)
    text = "".join(words[:room])
    return replace(reply, thinking="".join(thinking[:limit]), text=text, tools=(), stop_reason="max_tokens")


def _message(received: Received, reply: Reply) -> Event:
    """A whole answer."""
    content: list[Event] = []
    if reply.thinking:
        content.append({"type": "thinking", "thinking": reply.thinking, "signature": _SIGNATURE})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for number, tool in enumerate(reply.tools):
        content.append(_tool_block(number, tool, json.loads(_arguments(tool))))
    usage = {**received.usage, "output_tokens": _generated(reply)}
    return {**_started(received), "content": content, "stop_reason": reply.stop_reason, "usage": usage}


def _events(received: Received, reply: Reply) -> Iterator[Event]:
    """The same answer as a stream."""
    yield {"type": "message_start", "message": _started(received)}
    for index, (block, deltas) in enumerate(_blocks(reply)):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": reply.stop_reason, "stop_sequence": None}
    received.usage["output_tokens"] = _generated(reply)
    yield {"type": "message_delta", "delta": stop, "usage": dict(received.usage)}
    yield {"type": "message_stop"}


def _blocks(reply: Reply) -> Iterator[tuple[Event, list[Event]]]:
    """Each block as it starts, and what is then added to it."""
    if reply.thinking:
        pieces = [{"type": "thinking_delta", "thinking": piece} for piece in _tokens(reply.thinking)]
        signed = {"type": "signature_delta", "signature": _SIGNATURE}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*pieces, signed]
    if reply.text:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in _tokens(reply.text)]
    for number, tool in enumerate(reply.tools):
        # The first piece is empty, as the vendor's is.
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *_tokens(_arguments(tool))]]
        yield _tool_block(number, tool, {}), pieces


def _before(fault: Fault | None, events: Iterator[Event]) -> Iterator[Event]:
    """The events that still come before the fault."""
    pieces = 0
    for event in events:
        if event["type"] in {"content_block_delta", "message_delta"}:
            if fault and not isinstance(fault, HttpError) and pieces == fault.after:
                return
            pieces += 1
        yield event


_SIGNATURE = "c2lnbmF0dXJl"


def _started(received: Received) -> Event:
    model = received.body["model"]
    kind = {"id": "msg_loopback", "type": "message", "role": "assistant", "model": model, "content": []}
    # The vendor's first word counts the first token, too.
    usage = {**received.usage, "output_tokens": 1, "service_tier": "standard"}
    return {**kind, "stop_reason": None, "stop_sequence": None, "usage": usage}


def _generated(reply: Reply) -> int:
    """Tokens; a word or two of markup come with each tool."""
    used = [piece for tool in reply.tools for piece in _tokens(_arguments(tool))]
    return len(_tokens(reply.thinking)) + len(_tokens(reply.text)) + len(used) + 2 * len(reply.tools)


def _arguments(tool: Tool) -> str:
    return tool.input if isinstance(tool.input, str) else json.dumps(tool.input)


def _tool_block(number: int, tool: Tool, arguments: object) -> Event:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": tool.name, "input": arguments}


def _sse(event: Event) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def _error(status: int, message: str, retry_after: float | None = None) -> Response:
    headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    error = {"type": "error", "error": {"type": ERRORS[status], "message": message}}
    return JSONResponse(error, status, {"request-id": "req_refused", **headers})
