"""Who waits for a task is counted for whoever posts one: as long as the wait lasts, and not much longer if it is cut off."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Bus, Caller, errors
from bus.streams import bus_over

from .crew import MINUTE_MS, age, part, standing, until_standing, workers
from .verbs import LONG, made, posted
from .worlds import SOON, World, parked

pytestmark = pytest.mark.anyio


async def test_who_waits_is_counted_until_it_has_its_task(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The task that ends the wait still sees it; the next one does not, but that somebody was there."""
    await made(bus, ann, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(bob, channel, wait=LONG))
        await world.parked()
        first = await bus.tasks.post(ann, channel, "one")
    claim = waiting.result()
    assert claim is not None
    assert first.workers is not None
    assert (first.workers.waiting, first.workers.recent) == (1, 1)
    after = await workers(bus, ann, channel)
    assert (after.waiting, after.recent) == (0, 1)
    assert after.last_seen_at is not None
    assert abs(after.last_seen_at - claim.message.posted_at) < timedelta(seconds=SOON)


async def test_a_wait_that_ended_is_not_counted(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Its time was up: it went as it came."""
    await made(bus, ann, channel)
    assert await bus.tasks.claim(bob, channel, wait=timedelta(seconds=0.05)) is None
    await until_standing(world, channel, 0)
    found = await workers(bus, ann, channel)
    assert (found.waiting, found.recent) == (0, 1)


async def test_a_wait_that_was_cancelled_is_not_counted(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A caller that goes away takes itself out, without being kept for it."""
    await made(bus, ann, channel)
    waiting = asyncio.create_task(bus.tasks.claim(bob, channel, wait=LONG))
    await world.parked()
    assert await standing(world, channel)
    waiting.cancel()
    await asyncio.wait({waiting})
    await until_standing(world, channel, 0)
    assert (await workers(bus, ann, channel)).waiting == 0


async def test_a_wait_that_a_revocation_ends_is_not_counted(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Its key may not work any more, so nobody is told that it would."""
    await made(bus, ann, channel)
    waiting = asyncio.create_task(bus.tasks.claim(bob, channel, wait=LONG))
    await world.parked()
    await bus.credentials.revoke(bob)
    with pytest.raises(errors.Unauthorized):
        await waiting
    await until_standing(world, channel, 0)
    assert (await workers(bus, ann, channel)).waiting == 0


async def test_a_waiter_whose_process_died_fades(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """It was announced for a minute and some slack, and nobody renews that; then the sweeper forgets it."""
    await made(bus, ann, channel)
    waiting = asyncio.create_task(bus.tasks.claim(bob, channel, wait=timedelta(hours=1)))
    await world.parked()
    (consumer,) = await standing(world, channel)
    announced = float(await world.redis("ZSCORE", part(world, channel, ":claimers"), consumer))
    waiting.cancel()
    await asyncio.wait({waiting})
    await until_standing(world, channel, 0)
    await world.redis("ZADD", part(world, channel, ":claimers"), announced, consumer)  # it could not take itself out
    assert (await workers(bus, ann, channel)).waiting == 1
    await age(world, channel, ":claimers", MINUTE_MS - 10_000)
    assert (await workers(bus, ann, channel)).waiting == 1
    await age(world, channel, ":claimers", 12_500)
    assert (await workers(bus, ann, channel)).waiting == 0
    await world.sweep(channel)
    assert await standing(world, channel) == []


async def test_a_short_wait_is_announced_no_longer_than_it_lasts(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """And some slack: who asks for five seconds and dies is not counted for a minute."""
    await made(bus, ann, channel)
    waiting = asyncio.create_task(bus.tasks.claim(bob, channel, wait=timedelta(seconds=5)))
    await world.parked()
    await age(world, channel, ":claimers", 7_100)
    assert (await workers(bus, ann, channel)).waiting == 0
    await asyncio.wait({waiting})


async def test_actors_are_counted_not_their_calls(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Three waits of two actors of one key, and one of another key's: three wait. None takes another out too early."""
    await made(bus, ann, channel)
    names = [(bob, f"a-{bob.label}"), (bob, f"a-{bob.label}"), (bob, f"b-{bob.label}"), (eve, None)]
    waits = [asyncio.create_task(bus.tasks.claim(who, channel, actor=name, wait=LONG)) for who, name in names]
    await world.parked(4)
    assert len(await standing(world, channel)) == 3
    waits[0].cancel()
    await asyncio.wait({waits[0]})
    assert len(await standing(world, channel)) == 3
    waits[2].cancel()
    await asyncio.wait({waits[2]})
    await until_standing(world, channel, 2)
    left = await workers(bus, ann, channel)
    assert (left.waiting, left.recent) == (2, 3)
    for _ in range(2):
        await posted(bus, ann, channel)
    assert len([claim for claim in await asyncio.gather(waits[1], waits[3]) if claim]) == 2
    await until_standing(world, channel, 0)


async def test_a_wait_that_outlives_another_of_its_actor_goes_on_being_counted(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Also when the other one ended with a task."""
    await made(bus, ann, channel)
    waits = [asyncio.create_task(bus.tasks.claim(bob, channel, wait=LONG)) for _ in range(2)]
    await world.parked(2)
    await posted(bus, ann, channel)
    done, still = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    assert (await workers(bus, ann, channel)).waiting == 1
    await asyncio.wait(still)
    await until_standing(world, channel, 0)


async def test_who_waits_on_several_channels_is_counted_on_each(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """And leaves all of them with the task of one."""
    both = [await made(bus, ann, channel), await made(bus, ann, f"{channel}-2")]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(bob, both, wait=LONG))
        await world.parked()
        assert [len(await standing(world, each)) for each in both] == [1, 1]
        await posted(bus, ann, both[1])
    assert waiting.result() is not None
    for each in both:
        await until_standing(world, each, 0)


async def test_workers_of_every_replica_are_counted(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """What is counted is in the store. The end of a wait in one process leaves that of the same actor in another counted,
    once it has looked, to which the task wakes it."""
    await made(bus, ann, channel)
    other = bus_over(world.other)
    waits = {asyncio.create_task(bus.tasks.claim(bob, channel, wait=LONG)): "bob"}
    await world.parked()
    for who, name in ((bob, "bob"), (eve, "eve")):
        waits[asyncio.create_task(other.tasks.claim(who, channel, wait=LONG))] = name
    await parked(world.other, 2)
    for _ in range(3):
        left = {wait: name for wait, name in waits.items() if not wait.done()}
        await until_standing(world, channel, len(set(left.values())))
        assert (await workers(bus, ann, channel)).waiting == len(set(left.values()))
        await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
    assert all(wait.result() is not None for wait in waits)
    await until_standing(world, channel, 0)


async def test_a_long_wait_renews_its_announcement_when_it_looks(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """A ring that brings it nothing is a look like those of every 45 s: what had nearly faded stands for a minute again."""
    await made(bus, ann, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(bob, channel, wait=timedelta(minutes=5)))
        await world.parked()
        (consumer,) = await standing(world, channel)

        async def announced() -> float:
            return float(await world.redis("ZSCORE", part(world, channel, ":claimers"), consumer))

        before = await announced()
        await age(world, channel, ":claimers", 45_000)
        world.engine.bell.lost_track()
        async with asyncio.timeout(SOON):
            while await announced() < before:  # noqa: ASYNC110 - another connection's command tells no event
                await asyncio.sleep(0.002)
        await posted(bus, ann, channel)
    assert waiting.result() is not None
