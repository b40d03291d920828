"""The steps by which webhooks come to their receivers, taken one by one."""

from __future__ import annotations

from bus.streams.webhooks import HandOver, Sender
from bus.streams.webhooks.queue import NAME

from .worlds import World


async def forget_queue(world: World) -> None:
    """What other tests left on the queue, which all channels share."""
    await world.redis("DEL", *world.keys.of_channel(NAME))


async def deliver(world: World, channel: str, sender: Sender | None = None) -> int:
    """Hand on what the channel's outbox holds and send all that is due, as the background does. Returns how many were sent."""
    await HandOver(world.other).hand_on(channel)
    sender, sent = sender or Sender(world.other), 0
    while await sender.send_once():
        sent += 1
    return sent


async def make_due(world: World) -> int:
    """End every backoff and lease on the queue; how many there are."""
    due = world.keys.of_channel(NAME)[2]
    waiting = await world.redis("ZRANGE", due, 0, -1)
    for stream_id in waiting:
        await world.redis("ZADD", due, "XX", 1, stream_id)
    return len(waiting)
