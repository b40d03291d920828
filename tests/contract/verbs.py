"""What the contract's tests say often: post one, hold one, bring one to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any

from bus import Bus, Caller, Claim, Message, NewChannel, State, errors
from bus.awaiting import Need

from .worlds import SOON

LONG = timedelta(seconds=SOON)
"""A wait that is meant to be ended by an event."""


async def posted(bus: Bus, caller: Caller, channel: str, content: str = "do it", **options: Any) -> Message:
    """A new task."""
    return (await bus.tasks.post(caller, channel, content, **options)).message


async def claimed(bus: Bus, caller: Caller, channel: str, **options: Any) -> Claim:
    """The next task of the channel, held by the caller."""
    claim = await bus.tasks.claim(caller, channel, **options)
    assert claim is not None, f"{channel} has nothing to claim"
    return claim


async def held(bus: Bus, poster: Caller, holder: Caller, channel: str, **options: Any) -> Claim:
    """A task posted by one and held by another."""
    await posted(bus, poster, channel)
    return await claimed(bus, holder, channel, **options)


async def drained(bus: Bus, caller: Caller, channel: str) -> list[str]:
    """The contents of all that can be claimed, in the order of claiming; each is acked."""
    found: list[str] = []
    while claim := await bus.tasks.claim(caller, channel):
        found.append(claim.content)
        await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token)
    return found


async def made(bus: Bus, owner: Caller, name: str, **settings: Any) -> str:
    """A channel with these settings; its name."""
    return (await bus.channels.create(owner, NewChannel(name=name, **settings))).channel.id


async def state(bus: Bus, caller: Caller, message_id: str) -> State | None:
    return (await bus.messages.get(caller, message_id)).state


async def refusal(call: Awaitable[object]) -> object:
    """What the call came to, be it an error of the bus."""
    try:
        return await call
    except errors.BusError as refused:
        return refused


async def told(bus: Bus, caller: Caller, message_ids: Sequence[str], need: Need = "all") -> Sequence[Message]:
    """What ends the wait for these tasks, soon: nothing but an event, or a time that comes, can have done it."""
    async with asyncio.timeout(SOON):
        return await bus.tasks.await_results(caller, message_ids, need=need, wait=timedelta(hours=1))
