"""The post + claim + ack cycle through the bus, beside the same scripts in a bare loop: `python -m bench.bus`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from bus import Bus, Settings, connect
from bus.models import Caller

from .figures import Goal, median, median_ratio, say_where, table, verdict
from .floor import Bare, Cycle, noted

CONTENT = "x" * 200
GOAL = Goal(least=0.6)
IN_FLIGHT = 50
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


async def cycles(bus: Bus, caller: Caller, channel: str, count: int) -> None:
    """One after the other."""
    for _ in range(count):
        await bus.tasks.post(caller, channel, CONTENT)
        claim = await bus.tasks.claim(caller, channel)
        if claim is None:
            raise RuntimeError(f"'{channel}' is used by somebody else")
        await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result="ok")


async def ours(bus: Bus, caller: Caller, channel: str, count: int, deep: int) -> None:
    """`count` cycles, `deep` of them at a time."""
    async with asyncio.TaskGroup() as group:
        for _ in range(deep):
            group.create_task(cycles(bus, caller, channel, count // deep))


async def compared(bus: Bus, caller: Caller, bare: Bare, cycle: Cycle, deep: int, count: int, rounds: int) -> list[str]:
    """Rounds of the two in turn. Columns: rates per second, their ratio, the goal, whether it is met."""
    found: tuple[list[float], list[float]] = [], []
    for number in range(rounds + 1):
        start = time.perf_counter()
        await ours(bus, caller, "ours", count, deep)
        between = time.perf_counter()
        bare.cycles(cycle, count, deep)
        end = time.perf_counter()
        if number:  # the first round warms up
            found[0].append(count / (between - start))
            found[1].append(count / (end - between))
    ratio = median_ratio(*found)
    return [f"{median(found[0]):.0f}", f"{median(found[1]):.0f}", f"{ratio:.0%}", f">= {GOAL.least:.0%}", verdict(GOAL, ratio)]


async def measure(loop: str, count: int, rounds: int, *, say: bool) -> list[list[str]]:
    with tempfile.TemporaryDirectory(prefix="bcbench-", dir="/tmp") as folder:
        settings = Settings(data_dir=Path(folder), redis_url=None, base_url=None)
        async with connect(settings) as bus:
            health = await bus.ping()
            if say:
                say_where(health)
            caller = await bus.credentials.verify((await bus.credentials.issue("bench")).api_key)
            cycle = await noted(settings, caller, "floor", CONTENT)
            bare = Bare(health.where)
            try:
                return [
                    [f"{loop}, one after the other", *await compared(bus, caller, bare, cycle, 1, count, rounds)],
                    [f"{loop}, {IN_FLIGHT} in flight", *await compared(bus, caller, bare, cycle, IN_FLIGHT, count, rounds)],
                ]
            finally:
                bare.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bus", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few cycles: shows that it runs, measures nothing")
    quick = parser.parse_args().quick
    count, rounds = (IN_FLIGHT, 1) if quick else (1000, 9)
    rows: list[list[str]] = []
    for name, factory in LOOPS.items():
        with asyncio.Runner(loop_factory=factory) as runner:
            rows += runner.run(measure(name, count, rounds, say=not rows))
    table("post + claim + ack", ["loop, cycles", "bus /s", "floor /s", "ratio", "goal", ""], rows)


if __name__ == "__main__":
    main()
