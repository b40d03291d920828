"""What the tests of the store share: opening one, hearing what it tells, waiting for what no event tells."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bus.errors import StoreUnavailable
from bus.settings import Settings
from bus.store import Script, Store, open_store

SOON = 10.0
LOOPS = {
    "asyncio": ("asyncio", {"use_uvloop": False}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
}


class Ears:
    """What the store told: events in order, and how often it lost track."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.lost_track = asyncio.Event()

    def heard(self, redis_key: str, event: str) -> None:
        self.events.put_nowait((redis_key, event))

    async def next(self) -> tuple[str, str]:
        return await asyncio.wait_for(self.events.get(), SOON)


@asynccontextmanager
async def opened(url: str, ears: Ears | None = None) -> AsyncGenerator[Store, None]:
    ears = ears or Ears()
    async with open_store(Settings(redis_url=url), ears.heard, ears.lost_track.set) as store:
        yield store


async def recovered(store: Store, *command: str) -> object:
    """The reply of the first call that gets one again."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                return await store.command(*command or ("PING",))
            except StoreUnavailable:
                continue


async def eventually(check: Callable[[], bool]) -> None:
    """Poll, with a bound, for what no event tells."""
    deadline = time.monotonic() + SOON
    while not check():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.01)


def script(source: str) -> Script:
    return Script("test", source, hashlib.sha1(source.encode()).hexdigest())


COUNT = script("return redis.call('INCR', KEYS[1])")
