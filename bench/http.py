"""Over HTTP: how soon an ack reaches its poster, and each verb beside an empty route: `python -m bench.http`."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bus import Settings, connect
from bus.streams.connecting import connect_engine

from .figures import Goal, median, median_ratio, quantile, say_where, table, verdict
from .processes import cpu_seconds
from .requests import Connection, packed, rate
from .servers import running
from .verbs import VERBS, Desk

CONNECTIONS = 16
SHARE = Goal(least=0.5)
P50_MS, P99_MS = Goal(most=5.0), Goal(most=25.0)


@dataclass(slots=True)
class Side:
    """One of the two servers, and what was measured of it: rates per second, and CPU seconds of its process."""

    process_id: int
    connections: list[Connection]
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @classmethod
    async def of(cls, base_url: str, process_id: int) -> Side:
        return cls(process_id, [await Connection.open(base_url) for _ in range(CONNECTIONS)])

    async def measure(self, name: str, requests: list[bytes], *, count: bool) -> None:
        before = cpu_seconds(self.process_id)
        per_second = await rate(self.connections, requests)
        if count:
            self.cpu[name] += cpu_seconds(self.process_id) - before
            self.rates[name].append(per_second)


async def verbs(api: tuple[str, int], empty: tuple[str, int], desk: Desk, count: int, rounds: int) -> list[list[str]]:
    """A row per verb: its rate beside the empty route's, in turn, asked by as many clients; then the servers' CPU time."""
    mine, floor = await Side.of(*api), await Side.of(*empty)
    nothing = [packed("GET", "/")] * count
    for number in range(rounds + 1):
        for name, prepare in VERBS.items():
            requests = await prepare(desk, count)
            await mine.measure(name, requests, count=number > 0)  # the first round warms up
            await floor.measure(name, nothing, count=number > 0)
    for connection in (*mine.connections, *floor.connections):
        connection.close()
    rows: list[list[str]] = []
    for name in VERBS:
        ratio = median_ratio(mine.rates[name], floor.rates[name])
        cpu = floor.cpu[name] / mine.cpu[name] if mine.cpu[name] else 0.0
        rates = [f"{median(side.rates[name]):.0f}" for side in (mine, floor)]
        rows.append([name, *rates, f"{ratio:.0%}", f"{cpu:.0%}", f">= {SHARE.least:.0%}", verdict(SHARE, ratio)])
    return rows


async def awaits(api_url: str, desk: Desk, settings: Settings, count: int) -> list[float]:
    """Milliseconds from the answer to an ack until the poster's waiting request has its own; below zero when it was first."""
    poster, worker = await Connection.open(api_url), await Connection.open(api_url)
    found: list[float] = []

    async def timed(connection: Connection, request: bytes) -> tuple[float, Any]:
        answer = await connection.ask(request)
        return time.perf_counter(), json.loads(answer)

    async with connect_engine(settings) as engine:
        for _ in range(count):
            (held,) = await desk.held("await", 1)
            channel, _, stream_id = held.id.rpartition(":")
            key = f"__keyspace@0__:{engine.keys.result(channel, stream_id)}"
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(timed(poster, packed("GET", f"/v1/tasks/{held.id}/result?wait=30", desk.api_key)))
                while (await engine.store.command("PUBSUB", "NUMSUB", key))[1] == 0:
                    pass
                answered, _ = await timed(worker, desk.act(held, "ack", {"result": "ok"}))
            returned, outcome = waiting.result()
            if outcome["status"] != "done":
                raise RuntimeError(f"await_result answered {outcome['status']!r}")
            found.append((returned - answered) * 1000)
    poster.close()
    worker.close()
    return found


async def measure(*, quick: bool) -> None:
    count, rounds, waits = (32, 1, 5) if quick else (400, 11, 500)
    with tempfile.TemporaryDirectory(prefix="bcbench-", dir="/tmp") as folder:
        settings = Settings(data_dir=Path(folder), redis_url=None, base_url=None)
        async with connect(settings) as bus:
            say_where(await bus.ping())
            api_key = (await bus.credentials.issue("bench")).api_key
            desk = Desk(bus, await bus.credentials.verify(api_key), api_key)
            with running("api", Path(folder)) as api, running("empty", Path(folder)) as empty:
                show_awaits(await awaits(api[0], desk, settings, waits))
                rows = await verbs(api, empty, desk, count, rounds)
        columns = ["verb", "ours /s", "empty route /s", "ratio", "by CPU time", "goal", ""]
        table(f"Requests, {CONNECTIONS} connections", columns, rows)


def show_awaits(waited: list[float]) -> None:
    rows = [
        [name, f"{quantile(waited, share):.2f} ms", f"<= {goal.most:g} ms", verdict(goal, quantile(waited, share))]
        for name, share, goal in (("p50", 0.5, P50_MS), ("p99", 0.99, P99_MS))
    ]
    table("Ack answered -> the poster's waiting request answered", [f"of {len(waited)}", "latency", "goal", ""], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.http", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few requests: shows that it runs, measures nothing")
    uvloop.run(measure(quick=parser.parse_args().quick))


if __name__ == "__main__":
    main()
