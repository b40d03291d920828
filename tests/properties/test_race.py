"""Many claimers on one channel at once: every task reaches one of them, is acked once, and its poster is told."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bus import Bus, Caller, NewChannel, Settings, State, connect
from tests.servers import Server, server

from .workers import WAIT, Handed, work

pytestmark = pytest.mark.anyio

TASKS, CLAIMERS, SHARES = 500, 32, 4
CHANNEL = "race"
ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("BACKCHANNEL_SEED", "0")) or random.SystemRandom().getrandbits(32)


def patience(number: int) -> random.Random | None:
    """Every other claimer of a connection has little of it."""
    return random.Random(SEED + number) if number // SHARES % 2 else None


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store() -> Iterator[Server]:
    """A real server for one race, which never waits for the disk: a slow one would make the racers take turns, or time out."""
    print(f"BACKCHANNEL_SEED={SEED}")
    with (
        tempfile.TemporaryDirectory(prefix="bcr-", dir="/tmp") as folder,
        server(Path(folder), "--appendfsync", "no") as running,
    ):
        yield running


async def post_and_await(bus: Bus, caller: Caller) -> dict[str, tuple[str, str]]:
    """Post every task and wait for each: message id -> (content, who says it did it). Raises when one takes too long."""
    told: dict[str, tuple[str, str]] = {}

    async def one(number: int) -> None:
        posted = await bus.tasks.post(caller, CHANNEL, f"do {number}")
        ended = await bus.tasks.await_result(caller, posted.message.id, wait=WAIT)
        assert ended.outcome is not None, f"nobody finished {ended}"
        actor, content = ended.outcome.result
        assert (ended.state, content, actor) == (State.DONE, f"do {number}", ended.outcome.actor)
        told[posted.message.id] = (content, actor)

    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(one(number))
    return told


async def audit(bus: Bus, caller: Caller, told: dict[str, tuple[str, str]], handed: Sequence[Handed]) -> None:
    """What posters were told, what workers did and what the channel keeps are one story."""
    assert len(told) == TASKS
    assert [of for of, times in Counter(one.message_id for one in handed).items() if times > 1] == []
    assert {one.message_id: one.actor for one in handed} == {of: actor for of, (_, actor) in told.items()}
    for one in handed:
        kept = (await bus.messages.get(caller, one.message_id)).outcome
        assert kept is not None
        assert (kept.state, kept.actor, kept.delivery) == (State.DONE, one.actor, one.delivery)
    counts = await bus.channels.counts(caller, CHANNEL)
    assert (counts.waiting, counts.delayed, counts.in_flight, counts.dead) == (0, 0, 0, 0)


async def test_no_two_connections_get_the_same_task(store: Server) -> None:
    """32 claimers over 4 connections, half of them cut off again and again: 500 tasks, each handed out and acked once."""
    handed: list[Handed] = []
    async with AsyncExitStack() as stack:
        buses = [await stack.enter_async_context(connect(Settings(redis_url=store.url))) for _ in range(SHARES)]
        caller = await buses[0].credentials.verify((await buses[0].credentials.issue("race")).api_key)
        await buses[0].channels.create(caller, NewChannel(CHANNEL))
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            workers = [
                group.create_task(work(buses[n % SHARES], caller, CHANNEL, f"w{n}", patience(n), handed.append))
                for n in range(CLAIMERS)
            ]
            told = await post_and_await(buses[0], caller)
            for worker in workers:
                worker.cancel()
        await audit(buses[1], caller, told, handed)


@asynccontextmanager
async def a_process(store: Server, api_key: str, number: int) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process of claimers that is at work."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.properties.workers",
        f"p{number}", CHANNEL, str(CLAIMERS // SHARES), str(SEED + number * 1000),
        env={**environment, "BACKCHANNEL_REDIS_URL": store.url, "RACE_KEY": api_key, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1_000_000,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_no_two_processes_get_the_same_task(store: Server) -> None:
    """The same over 4 processes: the fence is in the store, not in a process."""
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(connect(Settings(redis_url=store.url)))
        issued = await bus.credentials.issue("race")
        caller = await bus.credentials.verify(issued.api_key)
        await bus.channels.create(caller, NewChannel(CHANNEL))
        async with asyncio.timeout(60):
            processes = [await stack.enter_async_context(a_process(store, issued.api_key, n)) for n in range(SHARES)]
            told = await post_and_await(bus, caller)
            reports = await asyncio.gather(*(process.communicate(b"") for process in processes))
        handed = [Handed(**one) for out, _ in reports for one in json.loads(out)]
        assert len({one.actor.partition("-")[0] for one in handed}) == SHARES, "a process got nothing: no race was run"
        await audit(bus, caller, told, handed)
