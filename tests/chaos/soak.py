"""`make soak`: mixed load for half an hour, and a sample each minute of what may grow: memory, connections, keys, files."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis

from bus import Bus, Caller, Mode, NewChannel, Settings, connect
from bus.errors import BusError
from tests.servers import Server

from .stage import Size, Stage, stage

MINUTES = float(os.environ.get("BACKCHANNEL_SOAK_MINUTES", "30"))
SAMPLES = 10
CHANNELS, ACTORS = 5, 8
WAIT = timedelta(seconds=2)
SHORT = timedelta(seconds=300)
COLUMNS = ("minute", "tasks", "Redis MB", "replicas MB", "connections", "consumers", "keys", "files")
Sample = tuple[float, int, float, float, int, int, int, int]


class Load:
    """Posts, claims, acks, waits, broadcasts, delays and cancels at random, over HTTP and over Redis, without end."""

    def __init__(self, buses: Sequence[tuple[Bus, Caller]]) -> None:
        self._buses = buses
        self.tasks = 0

    async def act(self, number: int) -> None:
        dice = random.Random(number)
        bus, caller = self._buses[number % len(self._buses)]
        while True:
            channel = f"soak-{dice.randrange(CHANNELS)}"
            with suppress(BusError):
                await dice.choice([self._hand_over, self._hand_over, self._call_off, self._tell])(bus, caller, channel, dice)
            await asyncio.sleep(0.05)

    async def _hand_over(self, bus: Bus, caller: Caller, channel: str, dice: random.Random) -> None:
        posted = await bus.tasks.post(caller, channel, "x" * dice.randrange(2000))
        async with asyncio.TaskGroup() as group:
            group.create_task(bus.tasks.await_result(caller, posted.message.id, wait=WAIT))
            claim = await bus.tasks.claim(caller, channel, actor=f"a{dice.randrange(20)}", wait=WAIT)
            if claim is not None:
                await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result="y" * dice.randrange(500))
                self.tasks += 1

    async def _call_off(self, bus: Bus, caller: Caller, channel: str, dice: random.Random) -> None:
        posted = await bus.tasks.post(caller, channel, "never", delay=timedelta(seconds=60))
        await bus.tasks.cancel(caller, posted.message.id)
        self.tasks += 1

    async def _tell(self, bus: Bus, caller: Caller, channel: str, dice: random.Random) -> None:
        await bus.broadcasts.broadcast(caller, f"{channel}-news", "z" * dice.randrange(500))


def sample(server: Server, pids: Sequence[int], minute: float, tasks: int) -> Sample:
    with server.client() as client:
        info: Any = client.info()
        streams: list[str] = list(client.scan_iter("bc:{soak-*}:stream", count=1000))
        consumers = sum(_consumers(client, stream) for stream in streams)
        keys = client.dbsize()
    return (
        minute, tasks, info["used_memory"] / 2**20, sum(map(_resident_mb, pids)), info["connected_clients"], consumers,
        int(keys), sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids),  # noqa: PTH208 - /proc has no other use of it
    )  # fmt: skip


def _consumers(client: redis.Redis, stream: str) -> int:
    groups: Any = client.xinfo_groups(stream)
    return sum(int(group["consumers"]) for group in groups)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def row(found: Sample) -> str:
    return "| " + " | ".join(f"{each:.1f}" if isinstance(each, float) else str(each) for each in found) + " |"


async def soak(minutes: float) -> None:
    with tempfile.TemporaryDirectory(prefix="bcx-", dir="/tmp") as folder:
        async with stage(Path(folder), "one", Size(0, 1), 0, options=("--appendfsync", "everysec")) as scene:
            for replica in scene.replicas:
                replica.start()
            await asyncio.gather(*(scene.ready(n) for n in range(len(scene.replicas))))
            await under_load(scene, minutes)


async def under_load(scene: Stage, minutes: float) -> None:
    assert scene.server is not None
    assert scene.balancer is not None
    over_http = Settings(base_url=f"http://127.0.0.1:{scene.balancer.port}")
    async with connect(Settings(redis_url=scene.direct_url)) as direct, connect(over_http) as remote:
        issued = await direct.credentials.issue("soak")
        buses = [(bus, await bus.credentials.verify(issued.api_key)) for bus in (direct, remote)]
        for n in range(CHANNELS):
            for name, mode in ((f"soak-{n}", Mode.CLAIMABLE), (f"soak-{n}-news", Mode.BROADCAST)):
                await direct.channels.create(buses[0][1], NewChannel(name, mode=mode, ttl=SHORT))
        load = Load(buses)
        pids = [replica.pid for replica in scene.replicas]
        print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
        async with asyncio.TaskGroup() as group:
            actors = [group.create_task(load.act(n)) for n in range(ACTORS)]
            begun = time.monotonic()
            for n in range(SAMPLES + 1):
                await asyncio.sleep(max(begun + minutes * 60 * n / SAMPLES - time.monotonic(), 0))
                found = sample(scene.server, pids, minutes * n / SAMPLES, load.tasks)
                print(row(found), flush=True)
            for actor in actors:
                actor.cancel()


if __name__ == "__main__":
    asyncio.run(soak(MINUTES))
    sys.exit(0)
