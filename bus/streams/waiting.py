"""The loop of every wait: look; subscribe; look again, and wait for a ring or for the time at which looking pays."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from ..errors import BusError, StoreUnavailable
from ..models import Caller
from .bell import Ear
from .credentials import RedisCredentials
from .engine import Engine

T = TypeVar("T")
A_LITTLE_LATER = 0.05
"""Seconds after something was to happen by itself at which a look finds that it has."""
_RETRY_SECONDS = 1.0
_CONFIRM_SECONDS = 1.0
"""The store may take that long to confirm a subscription, also when the wait is shorter: a short wait is no outage."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What a look found. `enough` ends the wait; else looking pays again after `look_in` seconds at the latest."""

    value: T
    enough: bool
    look_in: float = math.inf


async def until(
    engine: Engine,
    credentials: RedisCredentials,
    caller: Caller,
    look: Callable[[], Awaitable[Seen[T]]],
    wait: timedelta,
    *,
    shared: tuple[str, ...] = (),
    in_line: tuple[str, ...] = (),
    worth: Callable[[], Awaitable[bool]] | None = None,
) -> T:
    """What `look` finds once it is enough, or what it saw last when `wait` has passed.

    `worth`: whether it is worth to look before subscribing, where that is cheaper to learn than to look.
    A store that goes away while waiting is waited for; it is an error only at the end of the wait. Raises
    StoreUnavailable, Unauthorized (the API key was revoked meanwhile), and what `look` raises.
    """
    left, revoked = wait.total_seconds(), engine.keys.revoked(caller.key_id)
    seen = None
    # Where others wait already, subscribing costs nothing, and the look that follows it is the only one needed.
    early = left <= 0 or engine.bell.draining or not engine.bell.hears((*shared, *in_line, revoked))
    if early and (left <= 0 or worth is None or await worth()):
        seen = await look()
        if seen.enough or left <= 0 or engine.bell.draining:
            return seen.value
    deadline = asyncio.get_running_loop().time() + left
    ear = engine.bell.listen(shared=(*shared, revoked), in_line=in_line)
    try:
        async with asyncio.timeout(max(left, _CONFIRM_SECONDS)):
            await ear.open()
    except TimeoutError:
        raise StoreUnavailable("the store did not confirm the subscription in time; try again", retry_after=1) from None
    try:
        return await _listen(ear, credentials, caller, look, deadline, revoked, seen)
    finally:
        ear.close()


async def _listen(
    ear: Ear,
    credentials: RedisCredentials,
    caller: Caller,
    look: Callable[[], Awaitable[Seen[T]]],
    deadline: float,
    revoked: str,
    seen: Seen[T] | None,
) -> T:
    loop = asyncio.get_running_loop()
    revocations = ear.mark_of(revoked)
    while True:
        mark, outage = ear.mark(), None
        try:
            if ear.mark_of(revoked) != revocations:
                revocations = ear.mark_of(revoked)
                await credentials.confirm(caller)
            seen = await look()
        except StoreUnavailable as why:
            if seen is None:
                raise
            outage = why
        except BusError:  # it may not wait here any more, but others may
            ear.pass_on()
            raise
        left = deadline - loop.time()
        if outage is None and (seen.enough or left <= 0 or ear.draining):
            return seen.value
        if outage is not None and (left <= 0 or ear.draining):
            raise outage
        await ear.wait(mark, min(left, _RETRY_SECONDS if outage else seen.look_in))
        if ear.draining and outage is None:
            return seen.value  # thousands may wait: the process has a second, not time for all to look again
