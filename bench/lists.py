"""What a list costs: messages of a long channel, channels of a crowded bus: `python -m bench.lists`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import uvloop

from bus import Bus, Caller, Mode, NewChannel, Settings, connect, errors

from .figures import Goal, median, say_where, table, verdict
from .verbs import CONTENT

FLAT = Goal(most=1.3)
AT_ONCE = 200
HELD, DELAYED, DONE = 0.05, 0.01, 0.005
"""Shares of a channel's tasks beside those that wait, and at least a page of each."""
PAGE = 50
Look = Callable[[], Awaitable[object]]


async def crowd(count: int, each: Callable[[int], Awaitable[object]]) -> None:
    """`each` so many times, some at once."""
    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*(each(n) for n in range(first, min(first + AT_ONCE, count))))


async def fill(bus: Bus, caller: Caller, channel: str, tasks: int) -> str:
    """A channel with so many tasks in every state; a cursor in the middle of it."""
    cursors: list[str] = []

    async def post(_: int) -> None:
        cursors.append((await bus.tasks.post(caller, channel, CONTENT)).cursor)

    async def delay(_: int) -> None:
        await bus.tasks.post(caller, channel, CONTENT, delay=timedelta(hours=1))

    async def hold(_: int) -> None:
        await bus.tasks.claim(caller, channel, lease=timedelta(hours=1))

    async def finish(_: int) -> None:
        if claim := await bus.tasks.claim(caller, channel):
            await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token)

    held, delayed, done = (max(int(tasks * share), PAGE) for share in (HELD, DELAYED, DONE))
    await crowd(held, post)
    await crowd(held, hold)
    await crowd(done, post)
    await crowd(done, finish)
    await crowd(delayed, delay)
    await crowd(tasks, post)
    return sorted(cursors)[len(cursors) // 2]


async def told_apart(bus: Bus, caller: Caller) -> None:
    with suppress(errors.ChannelNotFound):
        await bus.channels.get(caller, "no-such-channel-as-this")


async def looks(bus: Bus, tasks: int, channels: int) -> dict[str, Look]:
    """What is asked, by the words of the table."""
    caller = await bus.credentials.verify((await bus.credentials.issue("bench")).api_key)
    middle = await fill(bus, caller, "long", tasks)
    await crowd(tasks, lambda _: bus.broadcasts.broadcast(caller, "news", CONTENT))
    await crowd(channels, lambda n: bus.channels.create(caller, NewChannel(name=f"channel-{n:05}", mode=Mode.CLAIMABLE)))
    first = await bus.channels.list(caller, limit=PAGE)
    page, listed = bus.messages.subscribe, bus.channels.list
    return {
        "messages, what matters now": lambda: page(caller, "long"),
        "messages, unclaimed": lambda: page(caller, "long", status="unclaimed"),
        "messages, claimed": lambda: page(caller, "long", status="claimed"),
        "messages, after a cursor": lambda: page(caller, "long", since=middle),
        "messages, broadcast": lambda: page(caller, "news", since="0"),
        "counts": lambda: bus.channels.counts(caller, "long"),
        "channels, first page": lambda: listed(caller, limit=PAGE),
        "channels, next page": lambda: listed(caller, limit=PAGE, cursor=first.next_cursor),
        "channel not found, with the nearest names": lambda: told_apart(bus, caller),
    }


async def measure(small: tuple[int, int], large: tuple[int, int], count: int, rounds: int) -> None:
    """Two buses on one server, so that what else it does touches both alike."""
    with tempfile.TemporaryDirectory(prefix="bcbench-", dir="/tmp") as folder:
        few_at, many_at = (
            Settings(data_dir=Path(folder), redis_url=None, base_url=None, prefix=name) for name in ("few:", "many:")
        )
        async with connect(few_at) as few, connect(many_at) as many:
            say_where(await few.ping())
            await compare(await looks(few, *small), await looks(many, *large), count, rounds, (large, small))


async def timed(look: Look, count: int) -> list[float]:
    """Microseconds of each."""
    found: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        await look()
        found.append((time.perf_counter() - start) * 1e6)
    return found


async def compare(
    few: dict[str, Look], many: dict[str, Look], count: int, rounds: int, sizes: tuple[tuple[int, int], ...]
) -> None:
    rows: list[list[str]] = []
    for name, of_a_few in few.items():
        of_few: list[float] = []
        of_many: list[float] = []
        for _ in range(rounds):
            of_few += await timed(of_a_few, count)
            of_many += await timed(many[name], count)
        ratio = median(of_many) / median(of_few)
        rows.append([name, f"{median(of_many):.0f} us", f"{median(of_few):.0f} us", f"{ratio:.2f}", verdict(FLAT, ratio)])
    columns = [f"{tasks:,} tasks, {channels:,} channels" for tasks, channels in sizes]
    table(f"Lists (goal: a ratio <= {FLAT.most:g})", [f"one page of {PAGE}", *columns, "ratio", ""], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short lists: shows that it runs, measures nothing")
    given = parser.parse_args()
    sizes = ((60, 60), (120, 120), 3, 1) if given.quick else ((100, 100), (100_000, 10_000), 50, 10)
    uvloop.run(measure(*sizes))


if __name__ == "__main__":
    main()
