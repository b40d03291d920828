"""What a poster learns of who works a channel: nobody ever, or so many of late, and when the last one was seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bus import Access, Bus, Caller, Mode, errors
from bus.keys import Keys
from bus.models import Workers

from .crew import MINUTE_MS, age, pairs, part, workers
from .verbs import LONG, claimed, held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_channel_that_nobody_ever_worked_says_so(bus: Bus, ann: Caller, channel: str) -> None:
    """Nobody waits, nobody was seen: the task may lie there for ever."""
    assert await workers(bus, ann, channel) == Workers(0, 0, None)
    assert await workers(bus, ann, channel) == Workers(0, 0, None)


@pytest.mark.parametrize("verb", ["claim", "claim_message", "ask for one in vain"])
async def test_who_worked_is_recent_for_a_quarter_of_an_hour(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, verb: str
) -> None:
    """Then it was last seen at a time that is told, for 30 days; then nobody ever was."""
    await made(bus, ann, channel)
    if verb == "ask for one in vain":
        assert await bus.tasks.claim(bob, channel) is None
    else:
        task = await posted(bus, ann, channel)
        await (bus.tasks.claim(bob, channel) if verb == "claim" else bus.tasks.claim_message(bob, task.id))
    await age(world, channel, ":workers", 14 * MINUTE_MS)
    seen = await workers(bus, ann, channel)
    assert (seen.waiting, seen.recent) == (0, 1)
    await age(world, channel, ":workers", 2 * MINUTE_MS)
    late = await workers(bus, ann, channel)
    assert (late.waiting, late.recent) == (0, 0)
    assert seen.last_seen_at is not None
    assert late.last_seen_at == seen.last_seen_at - timedelta(minutes=2)
    await world.sweep(channel)
    assert (await workers(bus, ann, channel)).last_seen_at == late.last_seen_at
    await age(world, channel, ":workers", 30 * 24 * 60 * MINUTE_MS)
    await world.sweep(channel)
    assert await workers(bus, ann, channel) == Workers(0, 0, None)


async def test_a_released_task_that_is_claimed_again_shows_its_worker(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Handing out for the second time counts like the first, by either verb."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.release(bob, claim.id, claim_token=claim.claim_token)
    await world.redis("DEL", part(world, channel, ":workers"))
    again = await claimed(bus, bob, channel)
    assert (await workers(bus, ann, channel)).recent == 1
    await bus.tasks.release(bob, again.id, claim_token=again.claim_token)
    await bus.tasks.claim_message(eve, again.id)
    assert (await workers(bus, ann, channel)).recent == 2


async def test_the_newest_thousand_workers_are_kept(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """However many names a channel was worked under, what is kept of them is bounded."""
    await made(bus, ann, channel)
    seconds = int((await world.redis("TIME"))[0])
    crowd = [part for n in range(1_005) for part in ((seconds - 2_000 + n) * 1000, f"bck_x/worker-{n}")]
    await world.redis("ZADD", part(world, channel, ":workers"), *crowd)
    await world.sweep(channel)
    assert await world.redis("ZCARD", part(world, channel, ":workers")) == 1_000
    assert await world.redis("ZSCORE", part(world, channel, ":workers"), "bck_x/worker-4") is None


async def test_asking_on_end_writes_once_a_second(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A poller costs the store reads, not a growing log."""
    await made(bus, ann, channel)
    assert await bus.tasks.claim(bob, channel) is None
    key = part(world, channel, ":workers")
    ((consumer, first),) = pairs(await world.redis("ZRANGE", key, 0, -1, "WITHSCORES"))
    await world.passed(2)
    assert await bus.tasks.claim(bob, channel) is None
    assert float(await world.redis("ZSCORE", key, consumer)) == float(first)
    await age(world, channel, ":workers", 1_000)
    assert await bus.tasks.claim(bob, channel) is None
    assert float(await world.redis("ZSCORE", key, consumer)) > float(first)


async def test_who_may_not_work_a_channel_is_not_seen_there(bus: Bus, ann: Caller, eve: Caller, channel: str) -> None:
    """A refused claim leaves no trace that a poster could take for help."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    task = await posted(bus, ann, channel)
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.tasks.claim(eve, channel, wait=LONG)
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.tasks.claim_message(eve, task.id)
    assert await workers(bus, ann, channel) == Workers(0, 0, None)


async def test_a_deleted_channel_forgets_its_workers(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The name made anew begins with nobody."""
    await held(bus, ann, bob, channel)
    await bus.channels.delete(ann, channel)
    assert await world.redis("EXISTS", part(world, channel, ":workers"), part(world, channel, ":claimers")) == 0
    assert await workers(bus, ann, channel) == Workers(0, 0, None)


async def test_news_and_replays_tell_of_no_workers(bus: Bus, ann: Caller, channel: str) -> None:
    """Nobody takes news; and a replay tells what was, not who is there."""
    assert (await bus.broadcasts.broadcast(ann, channel, "news")).workers is None
    first = await bus.tasks.post(ann, f"{channel}-2", "x", idempotency_key="k")
    again = await bus.tasks.post(ann, f"{channel}-2", "x", idempotency_key="k")
    assert (first.workers, again.replayed, again.workers) == (Workers(0, 0, None), True, None)


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_post_that_makes_a_channel_names_those_most_like_it(bus: Bus, ann: Caller, channel: str, mode: Mode) -> None:
    """Where a name was misremembered, the poster sees so at once; a post on a channel that was there says nothing."""
    await made(bus, ann, channel, mode=mode)

    async def post(name: str) -> tuple[bool, list[str]]:
        verb = bus.tasks.post if mode is Mode.CLAIMABLE else bus.broadcasts.broadcast
        found = await verb(ann, name, "hello")
        return found.channel_created, list(found.nearest)

    assert await post(channel) == (False, [])
    created, nearest = await post(f"{channel}s")
    assert created
    assert nearest[0] == channel
    assert await post(f"{channel}s") == (False, [])


def test_the_keys_are_those_that_scripts_write() -> None:
    """The Python side takes waits out of the very key that the script announced them in."""
    assert Keys().claimers("x") in Keys().of_channel("x")
