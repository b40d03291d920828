"""Waits that tell the client that they are alive, so that it neither gives up nor looks dead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

from bus.errors import BusError

from .desk import Ctx

T = TypeVar("T")
_EVERY_SECONDS: Final = 10.0


async def waiting(ctx: Ctx, seconds: float, what: str, wait: Awaitable[T]) -> T:
    """Await it, reporting progress at once and every 10 s. Raises what it raises."""
    if not seconds:
        return await wait
    failed: BusError
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(_tell(ctx, seconds, what))
        try:
            return await wait
        except BusError as error:  # kept as a value: a TaskGroup would wrap it
            failed = error
        finally:
            telling.cancel()
    raise failed


async def _tell(ctx: Ctx, seconds: float, what: str) -> None:
    started = time.monotonic()
    while True:
        waited = time.monotonic() - started
        await ctx.report_progress(round(waited, 1), seconds, f"{what}: {waited:.0f} of {seconds:.0f} s")
        await asyncio.sleep(_EVERY_SECONDS)
