"""What tasks, API keys and channels take in the store's memory and in its file: `python -m bench.capacity`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from bus import Bus, Mode, NewChannel, Settings
from bus.models import Caller
from bus.store import Store
from bus.streams.connecting import bus_over, connect_engine

from .figures import say_where, table

SIZES = (200, 2_000, 20_000)
AT_ONCE = 50


async def used(store: Store) -> int:
    """Bytes of data, without what connections and the allocator take."""
    text = str(await store.command("INFO", "memory"))
    return int(next(line for line in text.splitlines() if line.startswith("used_memory_dataset:")).partition(":")[2])


async def logged(store: Store) -> int:
    text = str(await store.command("INFO", "persistence"))
    return int(next(line for line in text.splitlines() if line.startswith("aof_current_size:")).partition(":")[2])


async def each(count: int, act: Callable[[int], Awaitable[object]]) -> None:
    for start in range(0, count, AT_ONCE):
        await asyncio.gather(*(act(number) for number in range(start, min(start + AT_ONCE, count))))


class Scales:
    """Weighs what was added between two looks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.rows: list[list[str]] = []

    async def weigh(self, what: str, count: int, act: Callable[[int], Awaitable[object]]) -> None:
        memory, file = await used(self._store), await logged(self._store)
        await each(count, act)
        more = await used(self._store) - memory
        written = await logged(self._store) - file
        self.rows.append([what, f"{count:,}", f"{more / count:,.0f}", f"{written / count:,.0f}"])


async def weigh_tasks(scales: Scales, bus: Bus, caller: Caller, size: int, count: int) -> None:
    channel = f"size-{size}"
    await bus.channels.create(caller, NewChannel(channel))
    await bus.tasks.post(caller, channel, "the first one brings the channel's own keys")
    content = "x" * size

    async def post(_: int) -> None:
        await bus.tasks.post(caller, channel, content)

    async def finish(_: int) -> None:
        claim = await bus.tasks.claim(caller, channel)
        if claim is None:
            raise RuntimeError(f"'{channel}' is used by somebody else")
        await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result={"ok": True})

    await scales.weigh(f"waiting task of {size:,} bytes", count, post)
    await scales.weigh(f"  more once it is finished, {size:,} bytes", count, finish)


async def weigh_rest(scales: Scales, bus: Bus, caller: Caller, count: int) -> None:
    async def mint(number: int) -> None:
        await bus.admin.issue_key(f"agent-{number}")

    async def make(number: int) -> None:
        await bus.channels.create(caller, NewChannel(f"channel-{number}"))

    async def tell(_: int) -> None:
        await bus.broadcasts.broadcast(caller, "news", "x" * 200)

    await bus.channels.create(caller, NewChannel("news", mode=Mode.BROADCAST))
    await bus.broadcasts.broadcast(caller, "news", "first")
    await scales.weigh("API key with its agent's name", count, mint)
    await scales.weigh("channel without messages", count, make)
    await scales.weigh("broadcast of 200 bytes", count, tell)


async def measure(count: int) -> list[list[str]]:
    with tempfile.TemporaryDirectory(prefix="bccap-", dir="/tmp") as folder:
        async with connect_engine(Settings(data_dir=Path(folder), redis_url=None, base_url=None)) as engine:
            bus, store = bus_over(engine), engine.store
            say_where(await bus.ping())
            await store.command("CONFIG", "SET", "auto-aof-rewrite-percentage", "0")  # so that the file only grows
            caller = await bus.credentials.verify((await bus.admin.issue_key("bench")).api_key)
            scales = Scales(store)
            for size in SIZES:
                await weigh_tasks(scales, bus, caller, size, count)
            await weigh_rest(scales, bus, caller, count)
            return scales.rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few of each: shows that it runs, measures nothing")
    count = 50 if parser.parse_args().quick else 2000
    table("what one takes", ["one", "measured on", "bytes of memory", "bytes written to the AOF"], asyncio.run(measure(count)))


if __name__ == "__main__":
    main()
