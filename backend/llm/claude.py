"""Claude through Anthropic's SDK: one streamed request for each answer, and every failure as one plain sentence."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, TypeVar

import anthropic
import httpx2
from anthropic.types import ToolParam

from backend.llm import anthropic_wire as wire
from backend.llm import prompt
from backend.llm.bill import Account, Bill
from backend.models import Answered, Conversation, ProviderError, Said, ToolUse, Trouble
from backend.money.tally import Tally

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_TOKENS = 300
"""Some forty seconds of speech; the prompt asks for far less."""
_STALL, _TOTAL = 10.0, 20.0
"""Seconds one piece, and all pieces of an answer, may keep us waiting. The call itself loses patience much earlier."""
_IDLE = 240
"""Seconds an idle connection is kept. httpx2's own 5 s are shorter than most turns of a phone call, and every answer
would wait for a new TLS handshake."""


def connect(key: str, base_url: str) -> anthropic.AsyncAnthropic:
    """The one client of a process, with a pool of connections; its owner awaits `close()`.

    It never retries: the SDK obeys `retry-after` without a limit, and that would be dead air on the line.
    """
    timeout = httpx2.Timeout(connect=3, read=_STALL, write=5, pool=3)
    http = anthropic.DefaultAsyncHttpxClient(
        timeout=timeout,
        limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=20, keepalive_expiry=_IDLE),
        # A proxy from the environment is for the world outside, not for a server on this machine.
        mounts={"all://127.0.0.1": None, "all://localhost": None},
    )
    return anthropic.AsyncAnthropic(api_key=key, base_url=base_url, timeout=timeout, max_retries=0, http_client=http)


async def check(client: anthropic.AsyncAnthropic, model: str) -> None:
    """Find out before a call whether this key and this model answer, with one tiny request.

    Raises:
        ProviderError: they do not; the message says what to do.
    """
    hello = {"role": "user", "content": "Hello"}
    request: dict[str, Any] = {"model": model, "max_tokens": 1, "messages": [hello], **wire.manner(model)}
    with wire.plain_errors("Claude", model):
        await _soon(client.messages.create(**request))


class Claude:
    """A `seams.LanguageModel`. It holds nothing open between answers, so that entering and leaving cost nothing."""

    def __init__(
        self,
        client: anthropic.AsyncAnthropic,
        model: str,
        name: str = "Claude",
        tools: Sequence[ToolParam] = tuple(prompt.tools()),
        tally: Tally | None = None,
    ) -> None:
        """
        Args:
            name: how sentences about failures call this model, such as "Claude" or "the second model".
            tools: what it may have done.
            tally: where the call counts what it uses.
        """
        self._client = client
        self._model = model
        self._name = name
        self._tools = list(tools)
        self._account = Account(tally or Tally(), model)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        pass

    async def warm(self, conversation: Conversation) -> None:
        """Open a connection and fill the prompt cache: `max_tokens=0` writes the cache and generates nothing."""
        try:
            with wire.plain_errors(self._name, self._model):
                message = await _soon(self._client.messages.create(**self._request(conversation, "", 0)))
                self._account.charge(message)
        except ProviderError as error:
            # A cold start is slower, not wrong; what is really broken will show in the first answer.
            _LOG.warning("could not warm up: %s", error)

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncGenerator[Answered, None]:
        """See `seams.LanguageModel`. Closing or cancelling closes the HTTP response, and Anthropic stops generating."""
        events, patience = wire.Events(), _Patience()
        request = self._request(conversation, hint, _MAX_TOKENS)
        with self._account.bill(request) as bill, wire.plain_errors(self._name, self._model):
            reading = _Reading(self._name, self._model, bill)
            # The SDK's own events are a model of pydantic for each token, which costs more than all else about it.
            async with (
                await _soon(self._client.messages.create(**request, stream=True)) as stream,
                aclosing(stream.response.aiter_bytes()) as received,
            ):
                while data := await patience.wait(anext(received, b"")):
                    for event in events.take(data):
                        patience.rewarded()
                        for piece in reading.take(event):
                            yield piece
                            bill.taken = True
        for trouble in reading.end():
            yield trouble

    def _request(self, conversation: Conversation, hint: str, max_tokens: int) -> dict[str, Any]:
        """Everything but the messages is the same for a whole call: that is what the cache is keyed by."""
        told = prompt.system(conversation.brief, conversation.today)
        rules = {"type": "text", "text": told, "cache_control": {"type": "ephemeral"}}
        return {
            "model": self._model,
            "max_tokens": max_tokens,
            "system": [rules],
            "messages": prompt.messages(conversation, hint),
            "tools": self._tools,
            **wire.manner(self._model),
        }


_TOOLS = frozenset(tool["name"] for tool in prompt.tools())


class _Reading:
    """Reads one streamed answer: the vendor's events in, words and tools out, and at the end what was wrong with it.

    Only what is known is looked at, since newer models may send events that are not known here.
    """

    def __init__(self, name: str, model: str, bill: Bill) -> None:
        self._name = name
        self._model = model
        self._bill = bill
        self._said = False
        self._used = False
        self._tool = ""
        """The tool whose arguments are coming in."""
        self._json = ""
        self._stop: str | None = None

    def take(self, event: object) -> list[Answered]:
        """
        Raises:
            ProviderError: the event is an error, which ends the stream.
        """
        match event:
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}} if text:
                self._said = self._said or not text.isspace()
                self._bill.written += len(text)
                return [Said(text)]
            case {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": str(more)}}:
                self._json += more
            case {"type": "content_block_start", "content_block": {"type": "tool_use", "name": str(name)}}:
                self._tool, self._json = name, ""
            case {"type": "content_block_start", "content_block": {"type": "text"}} if self._said:
                # Two text blocks are two sentences; nothing else parts them.
                return [Said(" ")]
            case {"type": "content_block_stop"} if self._tool:
                name, self._tool = self._tool, ""
                return self._use(name)
            case {"type": "message_start", "message": {"usage": usage}}:
                self._bill.told(usage)
            case {"type": "message_delta", "delta": {"stop_reason": str(reason)}, **rest}:
                self._stop = reason
                self._bill.told(rest.get("usage"), complete=True)
            case {"type": "error", "error": dict(error)}:
                kind, said = str(error.get("type", "")), str(error.get("message", ""))
                raise ProviderError(wire.refusal(kind, "in the middle of an answer", said, self._model))
        return []

    def _use(self, name: str) -> list[Answered]:
        if name not in _TOOLS:
            return [Trouble(f"{self._name} asked for a tool that does not exist, {name!r}; it was ignored")]
        self._used = True
        try:
            # A tool without arguments sends no JSON at all.
            arguments = json.loads(self._json or "{}")
        except ValueError:
            arguments = None
        if isinstance(arguments, dict):
            return [ToolUse(name, arguments)]
        return [Trouble(f"{self._name} sent broken arguments for {name}; it was done without them"), ToolUse(name, {})]

    def end(self) -> list[Trouble]:
        """What to report of an answer that is over.

        Raises:
            ProviderError: it has nothing that a call could go on with, or it broke off.
        """
        name = self._name
        if self._stop is None:
            raise ProviderError(f"{name}'s answer broke off before its end")
        if self._stop == "refusal" and not self._said:
            raise ProviderError(f"{name} refused to answer")
        if not self._said and not self._used:
            raise ProviderError(f"{name} answered without any words")
        return [Trouble(f"{name} {_CUT[self._stop]}")] if self._stop in _CUT else []


_CUT = {
    "max_tokens": "reached its longest answer and was cut off",
    "model_context_window_exceeded": "was cut off because the conversation has become too long for it",
    "refusal": "refused to go on in the middle of an answer",
}
"""Stop reasons after which the last sentence may be unfinished."""


class _Patience:
    """Limits the time spent waiting for one answer. What the reader takes between two pieces is its own affair: a timer
    around a whole generator would count it, and would cancel the reader instead of the wait.

    It needs no timers: httpx2 ends a single wait in which nothing comes at all. This adds up those that brought
    something, but only pings, or too little.
    """

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._left = _TOTAL
        self._until_stalled = _STALL

    async def wait(self, coming: Awaitable[T]) -> T:
        """
        Raises:
            TimeoutError: it had to wait too long.
        """
        began = self._clock()
        came = await coming
        waited = self._clock() - began
        self._left, self._until_stalled = self._left - waited, self._until_stalled - waited
        if min(self._left, self._until_stalled) < 0:
            raise TimeoutError
        return came

    def rewarded(self) -> None:
        """What came was worth waiting for."""
        self._until_stalled = _STALL


async def _soon(coming: Awaitable[T]) -> T:
    async with asyncio.timeout(_STALL):
        return await coming
