"""A revoked API key's webhooks are over with it, whoever comes after."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bus import Access, Bus, Caller, NewChannel, errors
from tests.receivers import receiving

from .hooks import deliver, forget_queue
from .verbs import made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_channels_webhook_ends_with_its_owners_key(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Whoever stole a key and pointed a webhook at himself is told nothing more: there is no owner left to remove it."""
    await forget_queue(world)
    async with receiving() as receiver:
        await made(bus, ann, channel, webhook_url=receiver.url())
        await posted(bus, bob, channel)
        await deliver(world, channel)
        assert len(receiver.all()) == 1
        await bus.admin.revoke_key(ann.key_id)
        await posted(bus, bob, channel)
        await deliver(world, channel)
        assert receiver.all() == []


async def test_a_successor_of_the_actor_does_not_inherit_the_webhook(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """The name passes on, and with it what it may read: where the revoked key wanted that sent is no longer told."""
    await forget_queue(world)
    label = f"kim-{uuid4().hex[:8]}"
    before = await bus.credentials.verify((await bus.admin.issue_key(label)).api_key)
    async with receiving() as receiver:
        await bus.webhooks.set(before, label, receiver.url())
        await bus.admin.revoke_key(before.key_id)
        after = await bus.credentials.verify((await bus.admin.issue_key(label)).api_key)
        assert (await bus.actors.get(after, label)).key_id == after.key_id
        with pytest.raises(errors.WebhookNotFound):
            await bus.webhooks.get(after, label)
        await bus.channels.create(ann, NewChannel(channel, access=Access.RESTRICTED))
        await bus.members.add(ann, channel, after.key_id)
        await bus.messages.post(ann, channel, "for kim's eyes", mentions=[label])
        await deliver(world, channel)
        assert receiver.all() == []
        await bus.webhooks.set(after, label, receiver.url())
        await world.redis("DEL", world.keys.told(channel, label))
        await bus.messages.post(ann, channel, "again", mentions=[label])
        await deliver(world, channel)
        assert len(receiver.all()) == 1
