"""What Anthropic's models are asked for, how their streams are cut into events, and what their refusals mean.

Shared by the answers of a call and its report.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2

from backend.models import ProviderError


def manner(model: str) -> dict[str, Any]:
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


class Events:
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


@contextmanager
def plain_errors(name: str, model: str) -> Iterator[None]:
    """Everything the network, the SDK and Anthropic raise, as `ProviderError`."""
    try:
        yield
    except (anthropic.APIError, httpx2.HTTPError, TimeoutError, json.JSONDecodeError) as error:
        raise ProviderError(_plain(error, name, model)) from error


def _plain(error: Exception, name: str, model: str) -> str:
    match error:
        case anthropic.APIStatusError(status_code=status):
            return refusal(error.type or _TYPES.get(status, ""), f"HTTP {status}", error.api_message or "", model)
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


def refusal(kind: str, where: str, said: str, model: str) -> str:
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
