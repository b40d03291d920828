"""One crowd of waiters in one process: how soon one is woken, what one costs. Prints JSON for bench/scale.py."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

from bus import Settings
from bus.store import Store
from bus.store.background import background
from bus.streams.connecting import bus_over, connect_engine
from bus.streams.engine import Engine
from bus.streams.sweeper import Sweeper

from .figures import median
from .processes import cpu_seconds, resident_kib
from .requests import Connection
from .servers import running
from .verbs import Desk

WAIT = timedelta(minutes=10)
PARK_SECONDS = 60.0
_OPENING_AT_ONCE = 100
_QUIET_SECONDS = 0.3


async def pubsub_connections(store: Store) -> int:
    """Of everybody: one for each process that has a bus."""
    return len((await store.command("CLIENT", "LIST", "TYPE", "pubsub")).splitlines())


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PARK_SECONDS):
        while not await what():  # noqa: ASYNC110  # what another process does sets no event of ours
            await asyncio.sleep(0.02)


class Crowd:
    """Claims that wait on one channel. `park` adds one; `wake` ends one wait and gives the ms until it had ended."""

    def __init__(self, engine: Engine, desk: Desk, group: asyncio.TaskGroup) -> None:
        self.engine = engine
        self.desk = desk
        self._group = group
        self._tasks: list[asyncio.Task[None]] = []
        self._woken: asyncio.Queue[float] = asyncio.Queue()

    async def prepare(self, count: int) -> None:
        """What the waiters need, before memory is measured. The first claim of all makes what later ones share."""
        await self.desk.held("crowd", 1)

    def park(self) -> None:
        self._tasks.append(self._group.create_task(self._note()))

    async def _note(self) -> None:
        await self.wait()
        self._woken.put_nowait(time.perf_counter())

    async def wait(self) -> None:
        await self.desk.wait_for_task("crowd", WAIT)

    async def parked(self, count: int) -> None:
        """Returns once so many wait."""

        async def there() -> bool:
            return self.engine.bell.waiting() >= count

        await until(there)

    async def wake(self) -> float:
        start = time.perf_counter()
        await self.ring()
        return (await self._woken.get() - start) * 1000

    async def ring(self) -> None:
        await self.desk.post("crowd", 1)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Awaits(Crowd):
    """Awaits of as many tasks, all held."""

    async def prepare(self, count: int) -> None:
        self._held = await self.desk.held("crowd", count)
        self._awaited = iter(self._held)

    async def wait(self) -> None:
        await self.desk.wait_for_result(next(self._awaited).id, WAIT)

    async def ring(self) -> None:
        await self.desk.finish(self._held.pop())


class Requests(Crowd):
    """Claims over HTTP: each on a connection of its own, as agents' are."""

    def __init__(self, engine: Engine, desk: Desk, group: asyncio.TaskGroup, base_url: str) -> None:
        super().__init__(engine, desk, group)
        self._base_url = base_url
        self._opening = asyncio.Semaphore(_OPENING_AT_ONCE)
        self._request = desk.ask("POST", "/v1/tasks/claim", {"channel": "crowd", "wait": WAIT.total_seconds()})

    async def prepare(self, count: int) -> None:
        await self.desk.post("crowd", 1)
        await self.wait()
        self._calls = await self._script_calls()

    async def wait(self) -> None:
        async with self._opening:
            connection = await Connection.open(self._base_url)
        try:
            await connection.ask(self._request)
        finally:
            connection.close()

    async def _script_calls(self) -> int:
        info: str = await self.engine.store.command("INFO", "commandstats")
        return sum(
            int(line.partition("calls=")[2].partition(",")[0])
            for line in info.splitlines()
            if ":calls" in line and "eval" in line
        )

    async def end(self) -> None:
        """The server answers the last request once it has seen that the others' clients are gone."""
        await super().end()
        connection = await Connection.open(self._base_url)
        await connection.ask(self.desk.ask("GET", "/health"))
        connection.close()

    async def parked(self, count: int) -> None:
        """How many the server has parked is not ours to see: each has looked by then, and no more of them look."""
        previous = -1

        async def looked() -> bool:
            nonlocal previous
            before, previous = previous, await self._script_calls()
            await asyncio.sleep(_QUIET_SECONDS)
            return previous - self._calls >= count and before == previous

        await until(looked)


async def measure(crowd: Crowd, process_id: int, waiting: int, wakes: int, idle_seconds: float) -> dict[str, Any]:
    """More waiters than are counted, so that a wake-up never finds the crowd thinner than it should be."""
    await crowd.prepare(waiting + wakes)
    gc.collect()
    before = resident_kib(process_id)
    for _ in range(waiting + wakes):
        crowd.park()
    await crowd.parked(waiting + wakes)
    kib = (resident_kib(process_id) - before) / (waiting + wakes)
    cpu = cpu_seconds(process_id)
    await asyncio.sleep(idle_seconds)
    idle = (cpu_seconds(process_id) - cpu) / idle_seconds
    found: list[float] = []
    for _ in range(wakes):
        found.append(await crowd.wake())
    pubsub = await pubsub_connections(crowd.engine.store)
    await crowd.end()
    return {"waiting": waiting, "wake_ms": median(found), "kib": kib, "idle": idle, "pubsub": pubsub}


async def in_process(kind: str, waiting: int, wakes: int, idle_seconds: float) -> dict[str, Any]:
    """A crowd on the bus itself, with the background work that a bus has."""
    with tempfile.TemporaryDirectory(prefix="bcbench-", dir="/tmp") as folder:
        async with connect_engine(Settings(data_dir=Path(folder), redis_url=None, base_url=None)) as engine:

            async def recheck() -> None:
                await engine.bell.recheck_forever(engine.store)

            async with background(recheck, Sweeper(engine).sweep_forever), asyncio.TaskGroup() as group:
                crowd = (Awaits if kind == "await" else Crowd)(engine, await Desk.of(bus_over(engine)), group)
                return await measure(crowd, os.getpid(), waiting, wakes, idle_seconds)


async def over_http(waiting: int, wakes: int, idle_seconds: float) -> dict[str, Any]:
    """A crowd of clients of a server; memory, CPU and pubsub connections are the server's."""
    with tempfile.TemporaryDirectory(prefix="bcbench-", dir="/tmp") as folder:
        async with connect_engine(Settings(data_dir=Path(folder), redis_url=None, base_url=None)) as engine:
            desk = await Desk.of(bus_over(engine))
            with running("api", Path(folder), LONGPOLL_MAX_WAIT_SECONDS="3600") as (base_url, process_id):
                async with asyncio.TaskGroup() as group:
                    crowd = Requests(engine, desk, group, base_url)
                    found = await measure(crowd, process_id, waiting, wakes, idle_seconds)
            return found


def main() -> None:
    kind, waiting, wakes, idle_seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    if kind == "http":
        found = uvloop.run(over_http(waiting, wakes, idle_seconds))
    else:
        found = uvloop.run(in_process(kind, waiting, wakes, idle_seconds))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
