"""Loops that run for as long as an `async with` body does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def background(*loops: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[None, None]:
    """Run the loops beside the body and cancel them when it ends. A loop that fails ends the body.

    The body's own exception comes out as it is, not wrapped in a group as a bare TaskGroup would.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop()) for loop in loops]
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again below, outside the group
            failure = error
        finally:
            for task in tasks:
                task.cancel()
    if failure is not None:
        raise failure
