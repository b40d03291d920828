"""What does not grow: a claim with a long backlog; a wake-up, and what a waiter costs, with many: `python -m bench.scale`."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from bus import Bus, Settings, connect
from bus.models import Caller

from .figures import Goal, median, say_where, table, verdict
from .verbs import CONTENT, Desk

BACKLOG = Goal(most=1.3)
FLAT = Goal(most=1.5)
BUS_KIB, HTTP_KIB = Goal(most=10.0), Goal(most=80.0)
IDLE = Goal(most=0.05)
CROWDS = (100, 1000, 5000)
KINDS = {"claim": "claims on one channel", "await": "awaits of as many tasks", "http": "claims over HTTP"}


async def timed_claims(bus: Bus, caller: Caller, channel: str, count: int) -> list[float]:
    """Microseconds of each claim; a task is posted before each, so that the backlog stays as long as it is."""
    found: list[float] = []
    for _ in range(count):
        await bus.tasks.post(caller, channel, CONTENT)
        start = time.perf_counter()
        claim = await bus.tasks.claim(caller, channel)
        found.append((time.perf_counter() - start) * 1e6)
        if claim is None:
            raise RuntimeError(f"'{channel}' is used by somebody else")
        await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token)
    return found


async def backlog(waiting: int, count: int, rounds: int) -> list[str]:
    """A claim's median with so many tasks waiting, and with none but the one that is claimed, in turn."""
    with tempfile.TemporaryDirectory(prefix="bcbench-", dir="/tmp") as folder:
        async with connect(Settings(data_dir=Path(folder), redis_url=None, base_url=None)) as bus:
            say_where(await bus.ping())
            api_key = (await bus.credentials.issue("bench")).api_key
            caller = await bus.credentials.verify(api_key)
            await Desk(bus, caller, api_key).post("full", waiting)
            full: list[float] = []
            empty: list[float] = []
            for _ in range(rounds):
                full += await timed_claims(bus, caller, "full", count)
                empty += await timed_claims(bus, caller, "empty", count)
    ratio = median(full) / median(empty)
    name = f"claim with {waiting:,} tasks waiting"
    return [
        name,
        f"{median(full):.0f} us",
        f"{median(empty):.0f} us",
        f"{ratio:.2f}",
        f"<= {BACKLOG.most:g}",
        verdict(BACKLOG, ratio),
    ]


def crowd(kind: str, waiting: int, wakes: int, idle_seconds: float) -> dict[str, Any]:
    """One crowd of waiters, measured in a process of its own: see bench/crowd.py."""
    command = [sys.executable, "-m", "bench.crowd", kind, str(waiting), str(wakes), str(idle_seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def show_crowds(found: dict[str, list[dict[str, Any]]]) -> None:
    """Wake-ups beside those of the smallest crowd; memory of a waiter in the largest, where the process' own is spread thin."""
    rows: list[list[str]] = []
    for kind, crowds in found.items():
        smallest = crowds[0]["wake_ms"]
        for each in crowds:
            ratio = each["wake_ms"] / smallest
            goal = HTTP_KIB if kind == "http" else BUS_KIB
            last = each is crowds[-1]
            rows.append(
                [
                    f"{each['waiting']:,} {KINDS[kind]}", f"{each['wake_ms']:.2f} ms", f"{ratio:.2f} {verdict(FLAT, ratio)}",
                    f"{each['kib']:.1f} KiB" + (f" {verdict(goal, each['kib'])}" if last else ""),
                    f"{each['idle']:.1%} {verdict(IDLE, each['idle'])}", str(each["pubsub"]),
                ]
            )  # fmt: skip
    columns = ["waiting", "wake-up p50", f"of {CROWDS[0]}'s", "memory each", "idle CPU", "pubsub connections"]
    table("Waiters in one process (goals: 1.5, 10 KiB or 80 KiB over HTTP, 5 %, 1)", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small crowds: shows that it runs, measures nothing")
    parser.add_argument("--crowds", nargs="*", choices=KINDS, default=list(KINDS), help="only these")
    given = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * CROWDS[-1])), hard))
    waiting, count, rounds = (500, 10, 2) if given.quick else (100_000, 200, 10)
    row = uvloop.run(backlog(waiting, count, rounds))
    table("A long backlog", ["", "full", "empty", "ratio", "goal", ""], [row])
    sizes = (20,) if given.quick else CROWDS
    wakes, idle = (5, 0.2) if given.quick else (100, 5.0)
    show_crowds({kind: [crowd(kind, size, wakes, idle) for size in sizes] for kind in given.crowds})


if __name__ == "__main__":
    main()
