"""What Anthropic's Messages API refuses, as far as a phone agent can get it wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MODELS = frozenset(
    {
        "claude-haiku-5-5",
        "claude-sonnet-5-5",
        "claude-opus-5-5",
        "claude-fable-5-2",
        "claude-haiku-4-5",
        "claude-sonnet-4-6",
    }
)
"""Models that are still served; any other name is 404, as for a retired model."""

_THINKING = frozenset({"claude-opus-5-5", "claude-fable-5-2"})
"""Models that always think."""
_UNSUPPORTED = frozenset({"minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems"})


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
    sonnet = body["model"] == "claude-sonnet-5-5"
    if (sonnet or body["model"] in _THINKING) and (body.get("thinking") or {}).get("type") == "disabled":
        yield "thinking.type: this model does not support 'disabled'"
    if sonnet and _forced(body):
        yield "tool_choice: this model does not support forced tool use"
    yield from _schema_problems(body)
    yield from _text_problems("system", body.get("system", []))
    yield from _message_problems(body["messages"])


def _forced(body: dict[str, Any]) -> bool:
    return (body.get("tool_choice") or {}).get("type") in {"any", "tool"}


def _schema_problems(body: dict[str, Any]) -> Iterator[str]:
    tools = {tool["name"]: tool for tool in body.get("tools") or []}
    wanted = (body.get("tool_choice") or {}).get("name")
    if wanted and wanted not in tools:
        yield f"tool_choice: tool {wanted!r} not found in provided tools"
    if _forced(body) and (
        body["model"] in _THINKING or (body.get("thinking") or {}).get("type") in {"enabled", "adaptive"}
    ):
        yield "Thinking may not be enabled when tool_choice forces tool use."
    for name, tool in tools.items():
        if tool.get("strict"):
            yield from _strict_problems(f"tools.{name}.input_schema", tool["input_schema"])
    if form := (body.get("output_config") or {}).get("format"):
        yield from _strict_problems("output_config.format.schema", form["schema"])


def _strict_problems(where: str, schema: dict[str, Any]) -> Iterator[str]:
    """A schema that answers are held to says all of an object's fields, and counts and measures nothing."""
    for word in sorted(_UNSUPPORTED & schema.keys()):
        yield f"{where}: property '{word}' is not supported"
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            yield f"{where}: 'additionalProperties' must be set to false"
        for name, inner in schema.get("properties", {}).items():
            yield from _strict_problems(f"{where}.{name}", inner)
    if "items" in schema:
        yield from _strict_problems(f"{where}.items", schema["items"])


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
