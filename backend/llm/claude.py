"""Claude through Anthropic's SDK: one streamed request for each answer, and every failure as one plain sentence."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import anthropic
import httpx2
from anthropic.types import ToolParam

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
    request: dict[str, Any] = {"model": model, "max_tokens": 1, "messages": [hello], **_manner(model)}
    with _plain_errors("Claude", model):
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
            with _plain_errors(self._name, self._model):
                message = await _soon(self._client.messages.create(**self._request(conversation, "", 0)))
                self._account.charge(message)
        except ProviderError as error:
            # A cold start is slower, not wrong; what is really broken will show in the first answer.
            _LOG.warning("could not warm up: %s", error)

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncGenerator[Answered, None]:
        """See `seams.LanguageModel`. Closing or cancelling closes the HTTP response, and Anthropic stops generating."""
        events, patience = _Events(), _Patience()
        request = self._request(conversation, hint, _MAX_TOKENS)
        with self._account.bill(request) as bill, _plain_errors(self._name, self._model):
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
            **_manner(self._model),
        }


def _manner(model: str) -> dict[str, Any]:
    """What makes this model speak at once instead of thinking first; dates at the end of a name do not matter."""
    if model.startswith("claude-haiku-4-5"):
        return {}
    if model.startswith("claude-sonnet-5-5"):
        # It refuses `disabled`; this turns thinking off just the same.
        return {"thinking": {"type": "between_tools"}}
    if model.startswith(("claude-opus-5-5", "claude-fable", "claude-mythos")):
        # These always think. Little of it is the best they can do for a phone call.
        return {"output_config": {"effort": "low"}}
    return {"thinking": {"type": "disabled"}}


_TOOLS = frozenset(tool["name"] for tool in prompt.tools())


class _Events:
    """Cuts a streamed answer into its events (`text/event-stream`). Each is one line of JSON that names its own type,
    so the lines that name it again are passed over, and so are pings.
    """

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> list[object]:
        """The events that are complete by now.

        Raises:
            ValueError: one of them is no JSON.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        events = (json.loads(line[5:]) for line in lines if line.startswith(b"data:"))
        return [event for event in events if event != {"type": "ping"}]


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
                raise ProviderError(_refusal(kind, "in the middle of an answer", said, self._model))
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


@contextmanager
def _plain_errors(name: str, model: str) -> Iterator[None]:
    """Everything the network, the SDK and Anthropic raise, as `ProviderError`."""
    try:
        yield
    except (anthropic.APIError, httpx2.HTTPError, TimeoutError, json.JSONDecodeError) as error:
        raise ProviderError(_plain(error, name, model)) from error


def _plain(error: Exception, name: str, model: str) -> str:
    match error:
        case anthropic.APIStatusError(status_code=status):
            return _refusal(error.type or _TYPES.get(status, ""), f"HTTP {status}", error.api_message or "", model)
        # In a stream that has begun httpx2's own errors come through.
        case TimeoutError() | httpx2.TimeoutException() | anthropic.APITimeoutError():
            return (
                f"{name} kept us waiting too long, so the request was given up; check the network if this happens often"
            )
        case anthropic.APIConnectionError():
            url = error.request.url.host
            return f"Anthropic could not be reached at {url}: check the network and ANTHROPIC_BASE_URL in .env"
        case httpx2.HTTPError():
            return f"the connection to Anthropic broke in the middle of {name}'s answer"
    return f"Anthropic sent something that {name}'s client cannot read: check ANTHROPIC_BASE_URL in .env"


def _refusal(kind: str, where: str, said: str, model: str) -> str:
    """Anthropic's own error, by its type."""
    what = _REFUSALS.get(kind, "Anthropic failed ({where}): {said}")
    return what.format(where=where, model=model, said=said[:200] or "no reason given")


_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""For answers without Anthropic's own error body, such as a proxy's."""

_REFUSALS = {
    "invalid_request_error": "Anthropic did not accept the request for the model {model!r} ({where}): {said}",
    "authentication_error": "Anthropic refused the API key ({where}): check ANTHROPIC_API_KEY in .env",
    "billing_error": "Anthropic wants to be paid first ({where}): check the billing page of Anthropic's console",
    "permission_error": "The API key may not use the model {model!r} ({where}): allow it in Anthropic's console, or "
    "write another model into ANTHROPIC_MODEL in .env",
    "not_found_error": "Anthropic has no model {model!r} ({where}), it may have been retired: write a current one into "
    "ANTHROPIC_MODEL (or ANTHROPIC_FALLBACK_MODEL, if that names it) in .env",
    "rate_limit_error": "Anthropic's rate limit is reached ({where}): place fewer calls at once, or raise the limit in "
    "Anthropic's console",
    "timeout_error": "Anthropic took too long and gave up by itself ({where})",
    "overloaded_error": "Anthropic is overloaded ({where}): it usually passes within minutes",
}
