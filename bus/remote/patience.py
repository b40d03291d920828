"""Waits that are longer than one request may be, and that outlive a server's restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic
from typing import Final, TypeVar

from bus.errors import StoreUnavailable

from .retrying import Pauses

T = TypeVar("T")
# A server that answers a wait sooner than this without news does not hold requests: it is asked again at intervals.
_HELD_SECONDS: Final = 0.5


class Patience:
    """The open waits of one bus, so that all of them can be ended."""

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()
        self._draining = False

    def drain(self) -> None:
        """End every wait as if its time were up, now and from now on."""
        self._draining = True
        for wait in self._open:
            wait.reschedule(0)

    async def until(self, ask: Callable[[float], Awaitable[T]], wait: timedelta, arrived: Callable[[T], bool]) -> T:
        """Ask, with the seconds left, until the answer has `arrived` or the wait is over; the last answer.

        Cutting an answer off must lose nothing. A server that is away is asked again until the wait is over, and no sooner
        than it says itself; raises StoreUnavailable when it never came back, or when nothing is waited for.
        """
        seconds = 0.0 if self._draining else wait.total_seconds()
        if seconds <= 0:
            return await ask(0)
        last: list[T | StoreUnavailable] = []
        try:
            async with asyncio.timeout(None) as scope:
                self._open.add(scope)
                try:
                    return await self._ask_on(ask, monotonic() + seconds, arrived, last)
                finally:
                    self._open.discard(scope)
        except TimeoutError:
            if not self._draining:
                raise
        return _given(last[-1]) if last else await ask(0)

    async def _ask_on(
        self,
        ask: Callable[[float], Awaitable[T]],
        deadline: float,
        arrived: Callable[[T], bool],
        last: list[T | StoreUnavailable],
    ) -> T:
        pauses = Pauses()
        while True:
            begun = monotonic()
            answer: T | StoreUnavailable
            try:
                answer = await ask(max(deadline - begun, 0))
                if arrived(answer):
                    return answer
            except StoreUnavailable as away:
                answer = away
            last[:] = [answer]
            now = monotonic()
            if now >= deadline:
                return _given(answer)
            away = answer if isinstance(answer, StoreUnavailable) else None
            if away is None and now - begun >= _HELD_SECONDS:
                pauses.start_over()
                continue
            await asyncio.sleep(min(pauses.next(away), deadline - now))


def _given(answer: T | StoreUnavailable) -> T:
    if isinstance(answer, StoreUnavailable):
        raise answer
    return answer
