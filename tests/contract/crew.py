"""What tests of workers and of those who wait do often: see who is counted, and let time pass for them."""

from __future__ import annotations

import asyncio

from bus import Bus, Caller
from bus.models import Workers

from .worlds import SOON, World

MINUTE_MS = 60_000


async def workers(bus: Bus, caller: Caller, channel: str) -> Workers:
    """As a new task tells."""
    found = (await bus.tasks.post(caller, channel, "who is there?")).workers
    assert found is not None
    return found


def part(world: World, channel: str, name: str) -> str:
    """The Redis key of a part of the channel, such as `:workers`."""
    return world.keys.channel(channel) + name


async def age(world: World, channel: str, name: str, milliseconds: int) -> None:
    """As if everything in this part of the channel had been written so much earlier."""
    key = part(world, channel, name)
    for consumer, _ in pairs(await world.redis("ZRANGE", key, 0, -1, "WITHSCORES")):
        await world.redis("ZINCRBY", key, -milliseconds, consumer)


def pairs(flat: list[str]) -> list[tuple[str, str]]:
    """Members and scores, as Redis replies them."""
    return list(zip(flat[::2], flat[1::2], strict=True))


async def standing(world: World, channel: str) -> list[str]:
    """The consumers whose waits are announced."""
    return await world.redis("ZRANGE", part(world, channel, ":claimers"), 0, -1)


async def until_standing(world: World, channel: str, count: int) -> None:
    """Until so many actors are announced as waiting: taking out is waited for by nobody."""
    async with asyncio.timeout(SOON):
        while len(await standing(world, channel)) != count:  # noqa: ASYNC110 - another connection's command tells no event
            await asyncio.sleep(0.002)
