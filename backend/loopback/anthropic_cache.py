"""What Anthropic bills a request for having read: anew, into the prompt cache or out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_LIFE = 300.0
"""Seconds an entry is kept; each use begins them anew."""
_LEAST = {"claude-haiku-4-5": 4096, "claude-sonnet-4-6": 1024}
"""Tokens below which nothing is cached, and nobody is told."""
_LEAST_OF_OTHERS = 512
_CHARACTERS_A_TOKEN = 4


class PromptCache:
    """The prefixes of requests that are known, up to each block with `cache_control`; tools come before the system."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def read(self, body: dict[str, Any], now: float) -> dict[str, int]:
        """The tokens of this request as the vendor's `usage` tells them, each in just one of the three."""
        whole = _tokens("".join(text for text, _ in _blocks(body)))
        ends = [end for end in _ends(body) if _tokens(end) >= _LEAST.get(body["model"], _LEAST_OF_OTHERS)]
        known = [end for end in ends if self._until.get(body["model"] + end, 0.0) > now]
        self._until |= {body["model"] + end: now + _LIFE for end in ends}
        read, cached = (_tokens(found[-1]) if found else 0 for found in (known, ends))
        return {
            "input_tokens": whole - cached,
            "cache_creation_input_tokens": cached - read,
            "cache_read_input_tokens": read,
        }


def _ends(body: dict[str, Any]) -> Iterator[str]:
    """Each prefix that is to be cached, the shortest first."""
    before = ""
    for text, marked in _blocks(body):
        before += text
        if marked:
            yield before


def _blocks(body: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """The request in the order of the cache, piece by piece, and whether a piece is marked to be its end."""
    system = body.get("system") or []
    said = [block for message in body["messages"] for block in _list(message["content"])]
    for block in (*(body.get("tools") or []), *_list(system), *said):
        bare = {name: value for name, value in block.items() if name != "cache_control"}
        yield json.dumps(bare), "cache_control" in block


def _list(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _tokens(text: str) -> int:
    return len(text) // _CHARACTERS_A_TOKEN
