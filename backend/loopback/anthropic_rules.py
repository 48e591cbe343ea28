"""What Anthropic's Messages API refuses, as far as a phone agent can get it wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MODELS = frozenset(
    {"claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5", "claude-sonnet-4-6"}
)
"""Models that are still served; any other name is 404, as for a retired model."""


def refused(body: dict[str, Any], headers: dict[str, str], key: str) -> tuple[int, str] | None:
    """HTTP status and message of what the vendor would say no to; None if it would answer."""
    sent = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if sent != key:
        return 401, "invalid x-api-key"
    missing = [name for name in ("model", "max_tokens", "messages") if name not in body]
    if missing:
        return 400, f"{missing[0]}: Field required"
    if body["model"] not in MODELS:
        return 404, f"model: {body['model']}"
    problem = next(_problems(body, headers), None)
    return (400, problem) if problem else None


def _problems(body: dict[str, Any], headers: dict[str, str]) -> Iterator[str]:
    if "anthropic-version" not in headers:
        yield "anthropic-version: header is required"
    for name in {"temperature", "top_p", "top_k"} & body.keys():
        yield f"{name}: sampling parameters are not supported"
    if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 0:
        yield "max_tokens: must be a whole number, zero or more"
    if body["model"] == "claude-sonnet-5-5":
        if (body.get("thinking") or {}).get("type") == "disabled":
            yield "thinking.type: this model does not support 'disabled'"
        if (body.get("tool_choice") or {}).get("type") in {"any", "tool"}:
            yield "tool_choice: this model does not support forced tool use"
    yield from _text_problems("system", body.get("system", []))
    yield from _message_problems(body["messages"])


def _message_problems(messages: list[dict[str, Any]]) -> Iterator[str]:
    if not messages:
        yield "messages: at least one message is required"
        return
    for number, (message, following) in enumerate(zip(messages, [*messages[1:], {}], strict=True)):
        if message["role"] not in {"user", "assistant"}:
            yield f"messages.{number}.role: must be 'user' or 'assistant'"
        yield from _text_problems(f"messages.{number}", message["content"])
        asked = {block["id"] for block in _content(message) if block["type"] == "tool_use"}
        if asked - {block.get("tool_use_id") for block in _content(following) if block["type"] == "tool_result"}:
            yield f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after"
    if messages[-1]["role"] != "user":
        yield "This model does not support assistant message prefill. The conversation must end with a user message."


def _text_problems(where: str, content: str | list[dict[str, Any]]) -> Iterator[str]:
    for block in _content({"content": content}):
        if block["type"] == "text" and not block["text"]:
            yield f"{where}: text content blocks must be non-empty"
        elif block["type"] == "text" and not block["text"].strip():
            yield f"{where}: text content blocks must contain non-whitespace text"


def _content(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message's blocks; a plain string is one block of text."""
    content = message.get("content", [])
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
