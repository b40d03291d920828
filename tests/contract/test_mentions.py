"""Mentions: who is meant, as far as they exist and may read; told through their webhook, not too often."""

from __future__ import annotations

from typing import Any

import pytest

from bus import Access, Bus, Caller, Mode, NewChannel, errors
from tests.receivers import Receiver, receiving

from .hooks import deliver, forget_queue
from .verbs import made
from .worlds import World

pytestmark = pytest.mark.anyio


async def _actor(bus: Bus, caller: Caller, name: str) -> str:
    """A name of the caller's that nobody else has."""
    return (await bus.actors.create(caller, f"{name}-{caller.label}")).name


async def _hooked(bus: Bus, caller: Caller, receiver: Receiver, name: str = "reviewer") -> str:
    """An actor whose webhook is the receiver."""
    actor = await _actor(bus, caller, name)
    await bus.webhooks.set(caller, actor, receiver.url(f"/{name}"), secret="hush")
    return actor


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_message_names_whom_it_mentions(bus: Bus, ann: Caller, bob: Caller, channel: str, mode: Mode) -> None:
    """In the order given, each once, by their names also where an alias was given; the unknown are left out."""
    await made(bus, ann, channel, mode=mode)
    one, two = await _actor(bus, bob, "one"), await _actor(bus, ann, "two")
    await bus.actors.add_alias(bob, one, f"the {one}")
    posted = await bus.messages.post(ann, channel, "look", mentions=[two, f"the {one}", "nobody-at-all", one, two, "\x00", ""])
    assert list(posted.message.mentions) == [two, one]
    page = await bus.messages.subscribe(bob, channel)
    assert [list(message.mentions) for message in page.items] == [[two, one]]
    assert list((await bus.messages.get(ann, posted.message.id)).mentions) == [two, one]


async def test_only_who_may_read_a_restricted_channel_is_mentioned(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """The owner and members; a stranger is left out without a word."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await bus.members.add(ann, channel, bob.key_id)
    mine, members, strangers = await _actor(bus, ann, "mine"), await _actor(bus, bob, "in"), await _actor(bus, eve, "out")
    posted = await bus.messages.post(ann, channel, "look", mentions=[strangers, members, mine])
    assert list(posted.message.mentions) == [members, mine]


@pytest.mark.parametrize("mentions", ["ann", {"ann": 1}, 7, ["ann", 7], [None], [["ann"]], ["ann"] * 51])
async def test_malformed_mentions_are_refused(bus: Bus, ann: Caller, channel: str, mentions: Any) -> None:
    """A list of up to 50 names; nothing is posted otherwise."""
    await made(bus, ann, channel)
    with pytest.raises(errors.InvalidInput) as caught:
        await bus.messages.post(ann, channel, "look", mentions=mentions)
    assert caught.value.reason_code == "invalid_mentions"
    assert caught.value.details["field"].startswith("mentions")
    assert (await bus.channels.counts(ann, channel)).total == 0


async def test_fifty_may_be_mentioned(bus: Bus, ann: Caller, channel: str) -> None:
    """The most there may be."""
    await made(bus, ann, channel)
    names = [await _actor(bus, ann, f"n{n}") for n in range(50)]
    assert list((await bus.messages.post(ann, channel, "all of you", mentions=names)).message.mentions) == names


async def test_mentions_belong_to_what_an_idempotency_key_stands_for(bus: Bus, ann: Caller, channel: str) -> None:
    """The same message again names the same; with other mentions it is another message."""
    await made(bus, ann, channel)
    actor = await _actor(bus, ann, "one")
    first = await bus.messages.post(ann, channel, "x", mentions=[actor], idempotency_key="k")
    again = await bus.messages.post(ann, channel, "x", mentions=[actor], idempotency_key="k")
    assert (again.replayed, again.message.id, list(again.message.mentions)) == (True, first.message.id, [actor])
    with pytest.raises(errors.IdempotencyConflict):
        await bus.messages.post(ann, channel, "x", idempotency_key="k")


async def test_a_mentioned_actor_is_told(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Its webhook gets the message and its own id, named `message.mentioned` and signed with its own secret."""
    await forget_queue(world)
    await made(bus, ann, channel)
    async with receiving() as receiver:
        actor = await _hooked(bus, bob, receiver)
        posted = (await bus.messages.post(ann, channel, "look", mentions=[actor])).message
        assert await deliver(world, channel) == 1
        told = await receiver.next()
    assert told.target == "/reviewer"
    assert told.headers["x-backchannel-event"] == "message.mentioned"
    assert told.headers["x-backchannel-signature"].startswith("sha256=")
    assert told.json["mentioned_actor_id"] == actor
    assert (told.json["message"]["id"], told.json["message"]["content"]) == (posted.id, "look")
    assert told.json["message"]["mentions"] == [{"id": actor, "name": actor}]


async def test_an_actor_is_told_once_a_minute_and_channel(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """More mentions in between are dropped, not queued; another channel, another actor and the next minute count anew."""
    await forget_queue(world)
    other = f"{channel}-other"
    for name in (channel, other):
        await made(bus, ann, name)
    async with receiving() as receiver:
        actor, second = await _hooked(bus, bob, receiver), await _hooked(bus, bob, receiver, "second")
        for _ in range(3):
            await bus.messages.post(ann, channel, "look", mentions=[actor])
        assert await deliver(world, channel) == 1
        await bus.messages.post(ann, other, "look", mentions=[actor])
        assert await deliver(world, other) == 1
        await bus.messages.post(ann, channel, "look", mentions=[actor, second])
        assert await deliver(world, channel) == 1
        told = world.keys.told(channel, actor)
        assert 0 < await world.redis("PTTL", told) <= 60_000
        await world.redis("DEL", told)
        await bus.messages.post(ann, channel, "look", mentions=[actor])
        assert await deliver(world, channel) == 1
        assert [each.target for each in receiver.all()] == ["/reviewer", "/reviewer", "/second", "/reviewer"]


async def test_who_may_no_longer_read_is_not_told(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Shut out of the channel, or its key without the scope or revoked, between the post and the sending."""
    await forget_queue(world)
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await bus.members.add(ann, channel, bob.key_id)
    async with receiving() as receiver:
        actor = await _hooked(bus, bob, receiver)
        posted = await bus.messages.post(ann, channel, "secret", mentions=[actor])
        assert list(posted.message.mentions) == [actor]
        await bus.members.remove(ann, channel, bob.key_id)
        assert await deliver(world, channel) == 1  # taken off the queue, told to nobody
        open_channel = f"{channel}-open"
        await made(bus, ann, open_channel)
        await world.redis("HSET", world.keys.api_key(bob.key_id), "scopes", '["messages:write"]')
        await bus.messages.post(ann, open_channel, "look", mentions=[actor])
        assert await deliver(world, open_channel) == 0
        await world.redis("HDEL", world.keys.api_key(bob.key_id), "scopes")
        await bus.credentials.revoke(bob)
        await bus.messages.post(ann, open_channel, "look", mentions=[actor])
        assert await deliver(world, open_channel) == 0
        assert receiver.connections == 0


async def test_a_removed_webhook_is_not_told_what_is_queued(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """What counts is the webhook at the moment of sending; one that was set anew gets it there."""
    await forget_queue(world)
    await bus.channels.create(ann, NewChannel(channel))
    async with receiving() as receiver:
        actor = await _hooked(bus, bob, receiver)
        await bus.messages.post(ann, channel, "look", mentions=[actor])
        await bus.webhooks.delete(bob, actor)
        assert await deliver(world, channel) == 0
        assert receiver.connections == 0
