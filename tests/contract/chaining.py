"""What tests of chains do often: post the next task of one."""

from __future__ import annotations

from typing import Any

from bus import Bus, Caller, Message
from bus.models import Chain

from .verbs import posted


def chain_of(message: Message) -> Chain:
    """A task's: it always has one."""
    assert message.chain is not None
    return message.chain


async def follow(bus: Bus, caller: Caller, channel: str, chain: Chain, **options: Any) -> Message:
    """The next task of the chain."""
    return await posted(bus, caller, channel, chain=chain, **options)


async def total(bus: Bus, caller: Caller, channel: str) -> int:
    """How many messages there are, of whatever state."""
    return (await bus.channels.counts(caller, channel)).total
