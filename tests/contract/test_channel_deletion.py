"""Deleting a channel: gone for everybody at once, whoever waits is told, and nothing of it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bus import Access, Bus, Caller, Mode, NewChannel, errors
from bus.streams import bus_over
from bus.streams.channel_index import ChannelIndex
from bus.streams.scripts import script
from bus.streams.sweeper import Sweeper

from .verbs import LONG, claimed, held, made, posted, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def _keys_of(world: World, channel: str) -> list[str]:
    return sorted(await world.redis("KEYS", f"{world.keys.channel(channel)}*"))


async def _full(bus: Bus, ann: Caller, bob: Caller, channel: str) -> dict[str, str]:
    """A restricted channel with something under every key of it; message ids by state."""
    await made(bus, ann, channel, access=Access.RESTRICTED, discoverable=True, max_deliveries=1, max_writes_per_minute=100)
    asked = await bus.access.request_access(bob, channel)
    assert asked.request_id is not None
    await bus.access.approve_access_request(ann, channel, asked.request_id)
    ids: dict[str, str] = {}
    done = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, done.id, result="secret of the first")
    dead = await held(bus, ann, bob, channel)
    await bus.tasks.fail(bob, dead.id)
    ids |= {"done": done.id, "dead": dead.id, "held": (await held(bus, ann, bob, channel)).id}
    ids["retracted"] = (await posted(bus, ann, channel)).id
    await bus.messages.retract(ann, ids["retracted"])
    ids["waiting"] = (await posted(bus, ann, channel, idempotency_key="once")).id
    return ids


async def test_a_deleted_channel_is_gone(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By every verb, on every replica, and out of the list; no key of it stays but what tells that it is gone."""
    ids = await _full(bus, ann, bob, channel)
    other = bus_over(world.other)
    await other.channels.get(ann, channel)  # known there
    await bus.channels.delete(ann, channel)
    for side in (bus, other):
        for verb in (side.channels.get, side.channels.counts, side.channels.history, side.tasks.claim, side.messages.subscribe):
            with pytest.raises(errors.ChannelNotFound):
                await verb(ann, channel)
        for message_id in ids.values():
            with pytest.raises(errors.MessageNotFound):
                await side.messages.get(ann, message_id)
        for verb in (side.tasks.ack, side.tasks.heartbeat, side.tasks.release):
            with pytest.raises(errors.MessageNotFound):
                await verb(bob, ids["held"])
        with pytest.raises(errors.ChannelNotFound):
            await side.channels.delete(ann, channel)
    assert channel not in {c.id for c in (await bus.channels.list(ann, limit=100)).items}
    left = await _keys_of(world, channel)
    assert [key for key in left if ":once:" not in key and ":" in key.partition("}")[2]] == [world.keys.gone(channel)]
    assert await world.redis("ZCARD", world.keys.deletions) == 0
    assert await world.redis("ZSCORE", world.keys.channels, channel) is None
    assert await world.redis("ZSCORE", world.keys.owned(ann.key_id), channel) is None


async def test_made_again_at_once_it_is_another_channel(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Empty, its new owner's, without the members, results and idempotency keys of the old one."""
    ids = await _full(bus, ann, bob, channel)
    result = world.keys.result(channel, ids["done"].rpartition(":")[2])
    kept = await world.redis("GET", result)
    await bus.channels.delete(ann, channel)
    await world.passed(1)
    await world.redis("SET", result, kept)  # one that fell off the history was not found to be cleared away
    created = await bus.channels.create(eve, NewChannel(name=channel))
    assert (created.new, created.channel.owner_key_id) == (True, eve.key_id)
    assert (await bus.channels.counts(eve, channel)).total == 0
    assert not (await bus.channels.history(eve, channel)).items
    assert not (await bus.tasks.dead_letters(eve, channel)).items
    for message_id in ids.values():
        for verb in (bus.messages.get, bus.tasks.claim_message, bus.tasks.cancel, bus.messages.retract, bus.tasks.ack):
            with pytest.raises(errors.MessageNotFound):
                await verb(eve, message_id)
    again = await bus.tasks.post(ann, channel, "do it", idempotency_key="once")
    assert (again.replayed, await state(bus, ann, again.message.id)) == (False, "waiting")
    with pytest.raises(errors.Forbidden):
        await bus.channels.delete(ann, channel)
    assert channel in {c.id for c in (await bus.channels.list(bob, limit=100)).items}
    assert (await claimed(bus, bob, channel)).id == again.message.id


@pytest.mark.parametrize("where", ["here", "on another replica"])
async def test_whoever_waits_is_told(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str, where: str
) -> None:
    """Claims in line, awaiters of results and readers of news: each ends with its not-found error, and promptly."""
    news = await made(bus, ann, f"{channel}-news", mode=Mode.BROADCAST)
    await made(bus, ann, channel)
    task = await held(bus, ann, bob, channel)
    waits: list[tuple[type[errors.BusError], Callable[[], Awaitable[object]]]] = [
        *[(errors.ChannelNotFound, lambda: bus.tasks.claim(bob, channel, wait=LONG))] * 4,
        (errors.ChannelNotFound, lambda: bus.tasks.claim(eve, [news.removesuffix("-news"), channel], wait=LONG)),
        (errors.ChannelNotFound, lambda: bus.messages.subscribe(eve, channel, since=task.id, wait=LONG)),
        (errors.MessageNotFound, lambda: bus.tasks.await_result(ann, task.id, wait=LONG)),
        *[(errors.ChannelNotFound, lambda: bus.messages.subscribe(bob, news, wait=LONG))] * 2,
    ]

    async def told(kind: type[errors.BusError], wait: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(kind):
            await wait()

    deleter = bus if where == "here" else bus_over(world.other)
    async with asyncio.timeout(LONG.total_seconds() / 2), asyncio.TaskGroup() as group:
        for kind, wait in waits:
            group.create_task(told(kind, wait))
        await world.parked(len(waits))
        await deleter.channels.delete(ann, channel)
        await deleter.channels.delete(ann, news)


async def test_who_waits_across_a_new_beginning_gets_the_new_work(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """A claim that is woken finds the channel made again, or learns that the old one is gone: it never hangs."""
    await made(bus, ann, channel)
    other = bus_over(world.other)
    async with asyncio.TaskGroup() as group:
        claiming = group.create_task(_claim_or_gone(bus, bob, channel))
        await world.parked()
        await other.channels.delete(ann, channel)
        await other.tasks.post(eve, channel, "new")
    assert claiming.result() in ("new", "gone")
    assert not await world.redis("EXISTS", world.keys.gone(channel))


async def _claim_or_gone(bus: Bus, caller: Caller, channel: str) -> str:
    try:
        claim = await bus.tasks.claim(caller, channel, wait=LONG)
    except errors.ChannelNotFound:
        return "gone"
    return "nothing" if claim is None else claim.content


async def test_many_deletions_and_creations_at_once_leave_the_index_true(
    world: World, bus: Bus, ann: Caller, channel: str
) -> None:
    """Whoever comes last, the channel is listed if and only if it exists."""
    other = bus_over(world.other)

    async def delete(side: Bus) -> None:
        try:
            await side.channels.delete(ann, channel)
        except errors.ChannelNotFound:
            return

    for _ in range(15):
        await asyncio.gather(*(work for side in (bus, other) for work in (delete(side), _create(side, ann, channel))))
        exists = bool(await world.redis("EXISTS", world.keys.channel(channel)))
        for index in (world.keys.channels, world.keys.discoverable, world.keys.owned(ann.key_id)):
            assert bool(await world.redis("ZSCORE", index, channel)) is exists


async def test_who_settles_the_indexes_by_an_older_look_does_not_win(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A channel that goes while its indexes are being written is in none of them afterwards, and the other way round."""
    here, there = ChannelIndex(world.engine), ChannelIndex(world.other)
    await made(bus, ann, channel)
    settings = await world.redis("HGETALL", world.keys.channel(channel))
    indexes = (world.keys.channels, world.keys.discoverable, world.keys.owned(ann.key_id))

    async def go() -> None:
        await world.redis("DEL", world.keys.channel(channel))
        await there.settle(channel, owner_before=ann.key_id)

    async def come() -> None:
        await world.redis("HSET", world.keys.channel(channel), *settings)
        await there.settle(channel)

    for _ in range(10):
        await asyncio.gather(here.settle(channel, owner_before=ann.key_id), go())
        assert [await world.redis("ZSCORE", index, channel) for index in indexes] == [None] * 3
        await asyncio.gather(here.settle(channel, owner_before=ann.key_id), come())
        assert None not in [await world.redis("ZSCORE", index, channel) for index in indexes]


async def _create(side: Bus, caller: Caller, channel: str) -> None:
    await side.channels.create(caller, NewChannel(name=channel))


async def test_a_deletion_that_was_cut_short_is_finished_by_the_sweeper(
    world: World, bus: Bus, ann: Caller, channel: str
) -> None:
    """After a crash right behind the one script: aliases, indexes and results are seen to."""
    await made(bus, ann, channel)
    await bus.channels.add_alias(ann, channel, f"{channel}-alias")
    done = await held(bus, ann, ann, channel)
    await bus.tasks.ack(ann, done.id, result=1)
    keys = world.keys
    await world.redis("ZADD", keys.deletions, 1, f"token {ann.key_id} {channel}")
    deleting = (*keys.of_channel(channel), keys.gone(channel), keys.put_aside(channel, "token"))
    await world.store.run(script("delete_channel", world.store.publish_prefix), deleting, (ann.key_id, 1000))
    await world.redis("DEL", keys.sweeper)
    await Sweeper(world.other).sweep_once()
    await world.redis("DEL", keys.sweeper)
    fading = keys.once(channel, "", "", "").removesuffix("::")  # idempotency records end by themselves
    assert not [key for key in await _keys_of(world, channel) if key != keys.gone(channel) and not key.startswith(fading)]
    assert await world.redis("ZCARD", keys.deletions) == 0
    assert await world.redis("ZSCORE", keys.channels, channel) is None
    assert await world.redis("ZSCORE", keys.owned(ann.key_id), channel) is None
    assert await world.redis("HGET", keys.aliases, f"{channel}-alias") is None


async def test_what_a_large_channel_left_is_cleared_away_in_steps(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The channel is gone at once; the sweeper clears the rest, and what was posted meanwhile under its name stays."""
    await made(bus, ann, channel)
    await asyncio.gather(*(posted(bus, ann, channel, str(n)) for n in range(700)))
    done = await claimed(bus, bob, channel)
    await bus.tasks.ack(bob, done.id, result=1)
    await bus.channels.delete(ann, channel)
    message = await posted(bus, bob, channel, "new")
    assert await world.redis("ZCARD", world.keys.deletions) == 1
    await world.redis("DEL", world.keys.sweeper)
    await Sweeper(world.other).sweep_once()
    await world.redis("DEL", world.keys.sweeper)
    assert await world.redis("ZCARD", world.keys.deletions) == 0
    assert [key for key in await _keys_of(world, channel) if ":deleted:" in key or ":result:" in key] == []
    assert (await claimed(bus, bob, channel)).id == message.id


async def test_two_deletions_at_once_are_one(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """The other learns that there is no such channel."""
    await made(bus, ann, channel)
    found = await asyncio.gather(
        bus.channels.delete(ann, channel), bus_over(world.other).channels.delete(ann, channel), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in found) == ["ChannelNotFound", "NoneType"]
    assert await world.redis("ZCARD", world.keys.deletions) == 0
