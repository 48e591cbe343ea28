"""Requests for the same answer that run at once until one of them has its first piece; the others are let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import AsyncExitStack
from typing import Self

from backend.models import Answered, ProviderError


class Request:
    """One request, made at once. Its first piece is waited for by a task of its own, and then kept."""

    def __init__(self, stream: AsyncIterator[Answered]) -> None:
        self.asked = asyncio.get_running_loop().time()
        self.failure = ""
        """Why nothing more can be hoped for from it."""
        self.stream = stream
        self.first = asyncio.create_task(_next(stream))
        """Its result is the first piece, or None when there is none at all."""
        self._leaving: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return not (self.failure or self.first.done())

    def has_begun(self) -> bool:
        """Whether the first piece is there; learns of a failure otherwise.

        Raises:
            Exception: any but a `ProviderError` is a mistake of ours, and nothing to recover from.
        """
        if self.failure or not self.first.done():
            return False
        try:
            self.first.result()
        except ProviderError as error:
            self.failure = str(error)
        return not self.failure

    def leave(self) -> asyncio.Task[None]:
        """Give it up now; the task is done when nothing of it is left, on the wire neither."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._left())
        return self._leaving

    async def _left(self) -> None:
        self.first.cancel()
        await asyncio.wait([self.first])
        if isinstance(self.stream, AsyncGenerator):
            await self.stream.aclose()
        error = None if self.first.cancelled() else self.first.exception()
        if error and not isinstance(error, ProviderError):
            raise error


class Race:
    """As a context manager: leaving it leaves every request, and waits until all of them are gone."""

    def __init__(self) -> None:
        self._requests: list[Request] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        async with AsyncExitStack() as stack:
            for request in self._requests:
                request.leave()
                stack.push_async_callback(_gone, request)

    def ask(self, stream: AsyncIterator[Answered]) -> Request:
        """Make one more request."""
        request = Request(stream)
        self._requests.append(request)
        return request


async def winner(requests: Collection[Request], until: float) -> Request | None:
    """The request that began first, the earlier one of two that began together.

    Args:
        until: how long to wait, in `loop.time()`.

    Returns:
        None when the time is up, or when every request has failed.
    """
    clock = asyncio.get_running_loop()
    while True:
        if begun := next((request for request in requests if request.has_begun()), None):
            return begun
        running = [request.first for request in requests if request.running]
        left = until - clock.time()
        if not running or left <= 0:
            return None
        await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)


async def _next(stream: AsyncIterator[Answered]) -> Answered | None:
    return await anext(stream, None)


async def _gone(request: Request) -> None:
    """Wait until it is gone, however often this is cancelled meanwhile: a request must not outlive its answer."""
    leaving, cancelled = request.leave(), None
    while not leaving.done():
        try:
            await asyncio.wait([leaving])
        except asyncio.CancelledError as again:
            cancelled = again
    if cancelled:
        raise cancelled
    leaving.result()
