"""What the tests of many servers share: a bus over them, a caller, and calls that go on until the store is back."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from bus import Bus, Caller, Settings, connect
from bus.errors import StoreUnavailable
from bus.models import State
from tests.fleets import Cluster, Watched, cluster, watched
from tests.servers import Server

T = TypeVar("T")
LONG_FORM = pytest.mark.skipif(os.environ.get("BACKCHANNEL_TEST_STORES") != "all", reason="takes long: make test-stores")
BACK_SECONDS = 20.0
LONG = timedelta(seconds=30)
AT_ONCE = 3.5
"""Seconds: less than until somebody who waits looks again."""
PROMPTLY = 10.0
"""A slot's move is told to nobody: who waits learns of it at the re-check."""
Opens = Callable[[], AbstractAsyncContextManager[Bus]]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def fleet() -> Generator[Cluster]:
    with cluster(replicas=True) as found:
        yield found


@pytest.fixture(scope="module")
def pair() -> Generator[Watched]:
    with watched() as found:
        yield found


def opens(url: str) -> Opens:
    """Each call opens one more bus over these servers, as another process would."""

    @asynccontextmanager
    async def open_one() -> AsyncGenerator[Bus]:
        async with connect(Settings(redis_url=url, prefix="t:", sweep_seconds=1)) as bus:
            yield bus

    return open_one


async def somebody(bus: Bus, name: str) -> Caller:
    issued = await bus.credentials.issue(f"{name}-{tempfile.mktemp(dir='', prefix='')[-6:]}")
    return await bus.credentials.verify(issued.api_key)


async def once_back(call: Callable[[], Awaitable[T]]) -> T:
    """The result of the first call that the store answers."""
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def parked(task: asyncio.Task[T], bus: Bus, caller: Caller, channel: str, redis_key: str, server: Server) -> None:
    """Until the call waits: the server tells it of that key, and it has looked once more since."""
    async with asyncio.timeout(BACK_SECONDS):
        with server.client() as client:
            while not client.pubsub_numsub(f"__keyspace@0__:{redis_key}")[0][1]:  # noqa: ASYNC110 - subscribing tells no event
                await asyncio.sleep(0.01)
    await bus.channels.counts(caller, channel)  # on the same connection, so after that look
    assert not task.done()


async def wakes(bus: Bus, other: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A wait on one bus is woken by work on another, long before it would look again by itself."""
    async with asyncio.timeout(AT_ONCE):
        waiting = asyncio.create_task(bus.tasks.claim(bob, channel, wait=LONG))
        await bus.channels.counts(ann, channel)
        posted = await other.tasks.post(ann, channel, "wake up")
        claim = await waiting
        assert claim is not None
        outcome = asyncio.create_task(other.tasks.await_result(ann, posted.message.id, wait=LONG))
        await other.channels.counts(ann, channel)
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="done")
        assert (await outcome).state is State.DONE


def said(where: Server, code: str) -> int:
    """How often that server has answered with this error."""
    with where.client() as client:
        counts: Any = client.info("errorstats")
    return int(counts.get(f"errorstat_{code}", {"count": 0})["count"])


async def until_said(where: Server, code: str, before: int = 0) -> None:
    async with asyncio.timeout(PROMPTLY):
        while said(where, code) <= before:  # noqa: ASYNC110 - a count of the server tells no event
            await asyncio.sleep(0.01)


async def handed_over(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    posted = await bus.tasks.post(ann, channel, "do it")
    outcome = asyncio.create_task(bus.tasks.await_result(ann, posted.message.id, wait=LONG))
    claim = await bus.tasks.claim(bob, channel)
    assert claim is not None
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="done")
    async with asyncio.timeout(PROMPTLY):
        assert (await outcome).state is State.DONE
