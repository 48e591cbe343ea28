"""Several things at once, until one of them is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def first(*runners: Coroutine[Any, Any, Result]) -> Result:
    """The result of whichever ends first (in the order given, if several do); the others are cancelled and awaited.

    Raises:
        ExceptionGroup: one of them failed.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(runner) for runner in runners]
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
    return next(task for task in tasks if task in done).result()
