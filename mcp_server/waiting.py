"""Waits that tell the client that they are alive and what they wait for, so that it neither gives up nor looks dead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bus.errors import BusError, StoreUnavailable

from .desk import Ctx

T = TypeVar("T")
Look = Callable[[], Awaitable[str]]
"""Says in a few words how things stand now."""
_EVERY_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 1.0


class OutOfReach(Exception):
    """The bus was away when the time was up. The call has waited as it was asked to: its text is the answer's note."""

    def __init__(self, why: StoreUnavailable) -> None:
        super().__init__(
            "the bus is out of reach just now, so where things stand is not known, but nothing is lost; if it stays so, "
            f"tell your user ({why.message.rstrip('. ')})"
        )


async def waiting(ctx: Ctx, seconds: float, what: str, wait: Awaitable[T], look: Look | None = None) -> T:
    """Await it, reporting progress at once and every 10 s: what a look finds, or `what` when it fails. Raises what `wait`
    raises, but OutOfReach for a store that is away at the end; a look that fails ends nothing."""
    if not seconds:
        return await wait
    started = time.monotonic()
    failed: BusError
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(_tell(ctx, seconds, what, look))
        try:
            return await wait
        except BusError as error:  # kept as a value: a TaskGroup would wrap it
            failed = error
        finally:
            telling.cancel()
    if isinstance(failed, StoreUnavailable) and time.monotonic() - started >= seconds:
        raise OutOfReach(failed) from failed
    raise failed


async def _tell(ctx: Ctx, seconds: float, what: str, look: Look | None) -> None:
    started = time.monotonic()
    asked_for = "progress_token" in (ctx.request_context.meta or {})
    while True:
        waited = time.monotonic() - started
        words = await _looked(look, what) if look is not None and asked_for else what
        await ctx.report_progress(round(waited, 1), seconds, f"{words} ({waited:.0f} of {seconds:.0f} s)")
        await asyncio.sleep(_EVERY_SECONDS)


async def _looked(look: Look, otherwise: str) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await look()
    except (BusError, TimeoutError):
        return otherwise
