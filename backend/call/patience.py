"""Waiting for a stream with deadlines: a slow success is not an error to a provider, but dead air to a callee."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def patiently(stream: AsyncIterator[T], first: float, following: float) -> AsyncGenerator[T, None]:
    """Pass the stream on, and close it whatever happens.

    Only the waiting for the stream counts, not what is done with a piece.

    Args:
        first: seconds to wait for the first piece.
        following: seconds to wait for each later one.

    Raises:
        TimeoutError: a piece took longer; its text says how long was waited.
    """
    wait = first
    try:
        while True:
            try:
                async with asyncio.timeout(wait):
                    piece = await anext(stream, None)
            except TimeoutError:
                raise TimeoutError(f"{wait:g} seconds") from None
            if piece is None:
                return
            yield piece
            wait = following
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
