"""Aliases of a channel: other names for it, each leading to one channel, good wherever a channel is named."""

from __future__ import annotations

import asyncio

import pytest

from bus import Bus, Caller, Mode, NewChannel, errors
from bus.streams import bus_over
from bus.streams.sweeper import Sweeper

from .verbs import drained, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_an_alias_is_good_wherever_a_channel_is_named(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """In any spelling, for every key; the channel's own name stays its id."""
    await made(bus, ann, channel)
    found = await bus.channels.add_alias(ann, channel, f" Second {channel.upper()} ")
    alias = f"second-{channel}"
    assert (found.id, list(found.aliases)) == (channel, [alias])
    message = await posted(bus, bob, alias)
    assert (message.channel, message.id.rpartition(":")[0]) == (channel, channel)
    assert (await bus.channels.get(bob, alias.upper())) == (await bus.channels.get(bob, channel))
    assert (await bus.channels.counts(bob, alias)).waiting == 1
    assert [m.id for m in (await bus.messages.subscribe(bob, alias)).items] == [message.id]
    assert (await bus.access.request_access(bob, alias)).status == "open"
    assert await drained(bus, bob, alias) == ["do it"]
    assert (await bus.channels.update(ann, alias, {"description": "d"})).id == channel


async def test_adding_it_again_changes_nothing(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A lost answer is asked for again."""
    await made(bus, ann, channel)
    first = await bus.channels.add_alias(ann, channel, f"{channel}-alias")
    before = await world.everything()
    assert await bus.channels.add_alias(ann, channel, f"{channel}-ALIAS") == first
    assert await world.everything() == before


async def test_a_name_leads_to_one_channel(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """An alias is no channel's name and no other channel's alias, and nothing changes by trying."""
    one, two = await made(bus, ann, f"{channel}-1"), await made(bus, bob, f"{channel}-2")
    await bus.channels.add_alias(ann, one, f"{channel}-alias")
    before = await world.everything()
    for taken in (f"{channel}-alias", one, two):
        with pytest.raises(errors.AliasConflict):
            await bus.channels.add_alias(bob, two, taken)
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.channels.add_alias(bob, two, "a{b}")
    assert errors.code_of(refused.value) == "invalid_channel_name"
    assert await world.everything() == before


async def test_a_channel_is_not_made_under_an_alias(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The error says whose alias it is; posting there needs no new channel, also where the kind of channel is meant."""
    await made(bus, ann, channel)
    await bus.channels.add_alias(ann, channel, f"{channel}-alias")
    before = await world.everything()
    for mode in Mode:
        with pytest.raises(errors.AliasConflict) as refused:
            await bus.channels.create(bob, NewChannel(name=f"{channel}-Alias", mode=mode))
        assert f"'{channel}'" in refused.value.message
    with pytest.raises(errors.ChannelNotBroadcast):
        await bus.broadcasts.broadcast(bob, f"{channel}-alias", "x")
    assert await world.everything() == before


async def test_a_channel_has_so_many_aliases(bus: Bus, ann: Caller, channel: str) -> None:
    """Twenty; one of them again is fine."""
    await made(bus, ann, channel)
    for n in range(20):
        await bus.channels.add_alias(ann, channel, f"{channel}-{n}")
    assert len((await bus.channels.add_alias(ann, channel, f"{channel}-0")).aliases) == 20
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.channels.add_alias(ann, channel, f"{channel}-20")
    assert errors.code_of(refused.value) == "too_many_aliases"
    with pytest.raises(errors.ChannelNotFound):
        await bus.channels.get(ann, f"{channel}-20")


async def test_of_two_owners_one_gets_the_alias(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Or one the alias and the other the channel of that name: never both."""
    other = bus_over(world.other)
    one, two = await made(bus, ann, f"{channel}-1"), await made(bus, bob, f"{channel}-2")
    for n in range(10):
        name = f"{channel}-race-{n}"
        found = await asyncio.gather(
            bus.channels.add_alias(ann, one, name), other.channels.add_alias(bob, two, name), return_exceptions=True
        )
        (lost,) = [each for each in found if isinstance(each, BaseException)]
        assert isinstance(lost, errors.AliasConflict)
        leads_to = (await bus.channels.get(ann, name)).id
        assert leads_to == (one if isinstance(found[1], BaseException) else two)


async def test_a_name_becomes_an_alias_or_a_channel(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Made and named at once, at most one of the two succeeds, and what the name leads to is what succeeded."""
    other = bus_over(world.other)
    await made(bus, ann, channel)
    for n in range(10):
        name = f"{channel}-race-{n}"
        found = await asyncio.gather(
            bus.channels.add_alias(ann, channel, name),
            other.channels.create(bob, NewChannel(name=name)),
            return_exceptions=True,
        )
        refused = [each for each in found if isinstance(each, BaseException)]
        assert refused
        assert all(isinstance(each, errors.AliasConflict) for each in refused)
        if not isinstance(found[0], BaseException):
            assert (await bus.channels.get(bob, name)).id == channel
        elif not isinstance(found[1], BaseException):
            assert (await bus.channels.get(bob, name)).id == name


async def test_a_deleted_channel_frees_its_aliases(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """For another channel's alias or a channel of that name, on every replica."""
    other = bus_over(world.other)
    one, two = await made(bus, ann, f"{channel}-1"), await made(bus, bob, f"{channel}-2")
    for alias in ("a", "b"):
        await bus.channels.add_alias(ann, one, f"{channel}-{alias}")
    assert (await other.channels.get(bob, f"{channel}-a")).id == one
    await bus.channels.delete(ann, f"{channel}-a")
    for side in (bus, other):
        with pytest.raises(errors.ChannelNotFound):
            await side.channels.get(bob, f"{channel}-a")
    await other.channels.add_alias(bob, two, f"{channel}-a")
    assert (await bus.channels.get(ann, f"{channel}-a")).id == two
    assert (await bus.channels.create(ann, NewChannel(name=f"{channel}-b"))).new
    assert not (await bus.channels.create(ann, NewChannel(name=one))).channel.aliases


async def test_an_alias_that_a_crash_left_half_made_is_mended(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """One that leads to a channel is put into its list; one that leads nowhere is freed, so is one that hides a channel."""
    await made(bus, ann, channel)
    hidden = await made(bus, ann, f"{channel}-hidden")
    aliases, sweeper = world.keys.aliases, world.keys.sweeper
    for alias, leads_to in ((f"{channel}-a", channel), (f"{channel}-b", f"{channel}-none"), (hidden, channel)):
        await world.redis("HSET", aliases, alias, leads_to)
    await world.redis("DEL", sweeper)
    await Sweeper(world.other).sweep_once()
    await world.redis("DEL", sweeper)
    assert await world.redis("HMGET", aliases, f"{channel}-a", f"{channel}-b", hidden) == [channel, None, None]
    assert list((await bus.channels.get(ann, channel)).aliases) == [f"{channel}-a"]
