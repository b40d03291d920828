"""Claiming by id, by hand and by many at once: nothing is handed out twice, and nothing is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from bus import Bus, Caller, State

from .verbs import LONG, claimed, drained, posted, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_task_claimed_by_id_ahead_of_the_others_is_not_handed_out_again(
    bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """One holder: the third of five is claimed by id, finished, and then each of the others comes once."""
    ids = [(await posted(bus, ann, channel, str(n))).id for n in range(5)]
    claim = await bus.tasks.claim_message(bob, ids[2])
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    assert await drained(bus, ann, channel) == ["0", "1", "3", "4"]


async def test_a_task_held_ahead_of_the_others_stays_with_its_holder(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The same while it is still held: everybody else passes it by."""
    ids = [(await posted(bus, ann, channel, str(n))).id for n in range(5)]
    third = await bus.tasks.claim_message(bob, ids[2])
    last = await bus.tasks.claim_message(bob, ids[4])
    assert await drained(bus, ann, channel) == ["0", "1", "3"]
    await posted(bus, ann, channel, "5")
    assert await drained(bus, ann, channel) == ["5"]
    for claim in (third, last):
        assert (await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)).message.deliveries == 1


async def test_what_was_claimed_ahead_and_has_fallen_off_is_not_missed_or_repeated(
    bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Tasks finished before the group's cursor came to them leave the stream without confusing it."""
    ids = [(await posted(bus, ann, channel, str(n))).id for n in range(130)]
    for message_id in ids[5:125]:
        await bus.tasks.claim_message(bob, message_id)
        await bus.tasks.ack(bob, message_id)
    assert await drained(bus, ann, channel) == [str(n) for n in (*range(5), *range(125, 130))]
    counts = await bus.channels.counts(ann, channel)
    assert (counts.waiting, counts.in_flight) == (0, 0)
    assert 100 <= counts.done == counts.total < 116  # they leave sixteen at a time


async def test_many_claimers_at_once_share_the_work_without_overlap(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """One holder, under a crowd."""
    for number in range(60):
        await posted(bus, ann, channel, str(number))
    taken = await asyncio.gather(*(bus.tasks.claim(bob, channel, actor=f"{bob.label}-{n % 7}") for n in range(70)))
    contents = [claim.content for claim in taken if claim]
    assert sorted(contents, key=int) == [str(n) for n in range(60)]


async def test_racing_claims_of_one_task_have_one_winner(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Claim by id and claim of the next, all at once: one holder."""
    for _ in range(5):
        message = await posted(bus, ann, channel)
        calls = [bus.tasks.claim_message(bob, message.id, actor=f"{bob.label}-{n}") for n in range(5)]
        calls += [bus.tasks.claim(ann, channel, actor=f"{ann.label}-{n}") for n in range(5)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        winners = [a for a in answers if a is not None and not isinstance(a, BaseException)]
        assert len(winners) == 1
        assert [type(a).__name__ for a in answers if isinstance(a, BaseException)] in (
            ["AlreadyClaimed"] * 4,
            ["AlreadyClaimed"] * 5,
        )


async def test_a_destroyed_group_is_made_again_and_nobody_loses_a_task(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """XGROUP DESTROY forgets holders: what they held comes back when its lease is over, what is finished does not."""
    for number in range(6):
        await posted(bus, ann, channel, str(number))
    finished, held = await claimed(bus, bob, channel), await claimed(bus, bob, channel)
    await bus.tasks.ack(bob, finished.id)
    await world.redis("XGROUP", "DESTROY", world.keys.stream(channel), "workers")
    assert await drained(bus, ann, channel) == ["2", "3", "4", "5"]
    await world.expire(held.id)
    assert await drained(bus, ann, channel) == ["1"]


async def test_a_task_acknowledged_by_hand_is_not_lost(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """XACK gives no outcome, so the task comes back when its lease is over, with the next delivery number."""
    await posted(bus, ann, channel)
    claim = await claimed(bus, bob, channel)
    await world.redis("XACK", world.keys.stream(channel), "workers", claim.id.rsplit(":", 1)[1])
    await world.expire(claim.id)
    again = await claimed(bus, ann, channel)
    assert (again.id, again.delivery) == (claim.id, 2)


async def test_a_task_deleted_by_hand_does_not_stop_the_others(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """XDEL of a held and of a waiting task: the indexes heal, and the counts with them."""
    for number in range(4):
        await posted(bus, ann, channel, str(number))
    held = await claimed(bus, bob, channel)
    waiting = (await bus.messages.subscribe(ann, channel, status="unclaimed")).items[0]
    for message_id in (held.id, waiting.id):
        await world.redis("XDEL", world.keys.stream(channel), message_id.rsplit(":", 1)[1])
    await world.expire(held.id)
    assert await drained(bus, ann, channel) == ["2", "3"]
    counts = await bus.channels.counts(ann, channel)
    assert (counts.total, counts.waiting, counts.in_flight, counts.done) == (2, 0, 0, 2)


async def test_a_task_read_by_hand_gets_a_lease_and_comes_back(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """XREADGROUP by hand is nobody's claim: the sweeper gives it a lease, and then the task is handed out again."""
    message = await posted(bus, ann, channel)
    stream = world.keys.stream(channel)
    await world.redis("XREADGROUP", "GROUP", "workers", "somebody", "COUNT", 1, "STREAMS", stream, ">")
    assert await bus.tasks.claim(ann, channel) is None
    await world.sweep(channel)
    assert await state(bus, ann, message.id) is State.IN_FLIGHT
    await world.expire(message.id)
    assert (await claimed(bus, ann, channel)).id == message.id


async def test_a_task_added_by_hand_is_a_task(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """XADD with redis-cli wakes a waiting claimer like any post."""
    await bus.tasks.post(ann, channel, "first")
    await drained(bus, ann, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(bob, channel, wait=LONG))
        await world.parked()
        await world.redis("XADD", world.keys.stream(channel), "*", "content", "by hand")
    claim = waiting.result()
    assert claim is not None
    assert (claim.content, claim.message.metadata) == ("by hand", {})
    assert (await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)).message.state is State.DONE


async def test_after_everything_was_flushed_posting_works_at_once(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """FLUSHALL, or a failover to an empty replica: channels and groups are made again as they are needed."""
    await posted(bus, ann, channel)
    await world.redis("FLUSHALL")
    new = await bus.credentials.verify((await bus.credentials.issue(ann.label)).api_key)
    await posted(bus, new, channel, "after")
    assert await drained(bus, new, channel) == ["after"]
    await world.redis("DEL", world.keys.stream(channel))
    await world.passed(1)  # a new stream gives the ids of this millisecond again
    await posted(bus, new, channel, "after the stream was deleted")
    assert await drained(bus, new, channel) == ["after the stream was deleted"]
