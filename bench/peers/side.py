"""One side of a hand-over, in a process of its own: `python -m bench.peers.side <system> worker|client <seconds>`.

Runs under the Python of the system's own environment, so it needs nothing but uvloop and that system.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import uvloop

AT_ONCE = 50
POLL_SECONDS = 0.005
URL = "BENCH_URL"
"""Environment variable with the server's address: some systems want it when their module is imported."""
HandOver = Callable[[], Awaitable[Any]]
"""Enqueues a task and returns its result."""
Ready = Callable[[], None]


def ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


async def handed_over(hand_over: HandOver, deep: int, seconds: float) -> tuple[float, list[float]]:
    """Tasks per second with `deep` in flight, and the ms that each took."""
    latencies: list[float] = []
    start = time.perf_counter()

    async def one_after_the_other() -> None:
        while time.perf_counter() - start < seconds:
            before = time.perf_counter()
            if await hand_over() != "ok":
                raise RuntimeError("a task came back with another result")
            latencies.append((time.perf_counter() - before) * 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(deep):
            group.create_task(one_after_the_other())
    return len(latencies) / (time.perf_counter() - start), latencies


async def client(connected: AbstractAsyncContextManager[HandOver], seconds: float) -> None:
    """Prints JSON: `alone` and `crowd`, each a rate and latencies."""
    async with connected as hand_over:
        await handed_over(hand_over, AT_ONCE, 0)  # one each, to warm up
        alone = await handed_over(hand_over, 1, seconds)
        crowd = await handed_over(hand_over, AT_ONCE, seconds)
    sys.stdout.write(json.dumps({"alone": alone, "crowd": crowd}) + "\n")


def main() -> None:
    system, role, url = importlib.import_module(f"bench.peers.{sys.argv[1]}"), sys.argv[2], os.environ[URL]
    if role == "worker":
        uvloop.run(system.worker(url, ready))
    else:
        uvloop.run(client(system.client(url), float(sys.argv[3])))


if __name__ == "__main__":
    main()
