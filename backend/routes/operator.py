"""Who gives an order: the dashboard says so with each request, for the call's log."""

from __future__ import annotations

from urllib.parse import unquote

from fastapi import Request

HEADER = "X-Operator"
"""Percent-encoded UTF-8. Whoever holds the control token is believed."""
_LONGEST = 80


def operator(request: Request) -> str:
    """The operator's name; empty where nobody signs in."""
    return " ".join(unquote(request.headers.get(HEADER, "")).split())[:_LONGEST]
