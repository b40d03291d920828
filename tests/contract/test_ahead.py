"""How many tasks are handed out before the one that is awaited, as long as it waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bus import Bus, Caller, State

from .verbs import claimed, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


async def _ahead(bus: Bus, caller: Caller, *message_ids: str) -> list[int | None]:
    return [message.ahead for message in await bus.tasks.await_results(caller, message_ids)]


async def test_a_task_waits_behind_those_posted_before_it(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """On a channel where nothing was ever claimed, and on one that is being worked off."""
    ids = [(await posted(bus, ann, channel)).id for _ in range(4)]
    assert await _ahead(bus, ann, *ids) == [0, 1, 2, 3]
    await claimed(bus, bob, channel)
    assert await _ahead(bus, ann, *ids) == [None, 0, 1, 2]
    assert [(await bus.tasks.await_result(ann, each)).ahead for each in reversed(ids)] == [2, 1, 0, None]


async def test_it_is_counted_when_the_wait_is_over(bus: Bus, ann: Caller, channel: str) -> None:
    """As the task stands then."""
    for _ in range(3):
        last = await posted(bus, ann, channel)
    assert (await bus.tasks.await_result(ann, last.id, wait=timedelta(milliseconds=60))).ahead == 2


async def test_the_order_of_asking_makes_no_difference(bus: Bus, ann: Caller, channel: str) -> None:
    """Nor do other channels, whose tasks are in nobody's way here."""
    other = f"{channel}-other"
    for _ in range(2):
        await posted(bus, ann, other)
    ids = [(await posted(bus, ann, channel)).id for _ in range(3)]
    theirs = (await posted(bus, ann, other)).id
    assert await _ahead(bus, ann, ids[2], theirs, ids[0], ids[2], ids[1]) == [2, 2, 0, 2, 1]


async def test_only_what_can_be_claimed_is_in_the_way(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Not what is held, delayed, finished, cancelled or past its time to live."""
    await made(bus, ann, channel)
    done = await posted(bus, ann, channel)
    await posted(bus, ann, channel, delay=HOUR)
    held, cancelled = await posted(bus, ann, channel), await posted(bus, ann, channel)
    await world.let_messages_live(channel, 1)
    await posted(bus, ann, channel)
    await world.let_messages_live(channel, 86_400_000)
    in_the_way, last = await posted(bus, ann, channel), await posted(bus, ann, channel)
    claim = await bus.tasks.claim_message(bob, done.id)
    await bus.tasks.ack(bob, done.id, claim_token=claim.claim_token)
    await bus.tasks.claim_message(bob, held.id)
    await bus.tasks.cancel(ann, cancelled.id)
    await world.passed(5)
    assert await _ahead(bus, ann, in_the_way.id, last.id) == [0, 1]


async def test_what_came_back_goes_first(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Given back, or left by a lease that ran out: it is handed out again before what is new, in the order of its time."""
    ids = [(await posted(bus, ann, channel)).id for _ in range(4)]
    claims = [await claimed(bus, bob, channel) for _ in range(3)]
    await world.expire(ids[1])
    await bus.tasks.release(bob, ids[0], claim_token=claims[0].claim_token)
    assert await _ahead(bus, ann, *ids) == [1, 0, None, 2]
    assert [(await claimed(bus, bob, channel)).id for _ in range(3)] == [ids[1], ids[0], ids[3]]


async def test_it_is_the_order_in_which_they_are_handed_out(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Claims by id and delays leave holes, and the count leaves them out."""
    ids = [(await posted(bus, ann, channel, delay=HOUR if n % 3 == 1 else timedelta(0))).id for n in range(12)]
    for n in (2, 3):
        await bus.tasks.claim_message(bob, ids[n])
    counts = dict(zip(ids, await _ahead(bus, ann, *ids), strict=True))
    expected = {claim.id: n for n in range(6) if (claim := await bus.tasks.claim(bob, channel))}
    assert {each: count for each, count in counts.items() if count is not None} == expected


async def test_it_is_counted_to_fifty(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Further on it says fifty: enough to know that it will take a while."""
    ids = [(await posted(bus, ann, channel)).id for _ in range(60)]
    assert await _ahead(bus, ann, ids[48], ids[49], ids[50], ids[51], ids[59]) == [48, 49, 50, 50, 50]
    for _ in range(9):
        await claimed(bus, bob, channel)
    assert await _ahead(bus, ann, ids[57], ids[58], ids[59]) == [48, 49, 50]


async def test_many_that_are_claimed_by_id_are_no_obstacle(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Whoever never claims the next one leaves hundreds of held tasks before those that wait."""
    for _ in range(300):
        await bus.tasks.claim_message(bob, (await posted(bus, ann, channel)).id)
    first, second = await posted(bus, ann, channel), await posted(bus, ann, channel)
    assert await _ahead(bus, ann, first.id, second.id) == [0, 1]
    assert (await claimed(bus, bob, channel)).id == first.id


async def test_it_is_told_only_of_tasks_that_wait(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A delayed one, a held one and a finished one have nobody ahead that counts; and looking or listing does not count."""
    await posted(bus, ann, channel)
    delayed = await posted(bus, ann, channel, delay=HOUR)
    claim = await claimed(bus, bob, channel)
    waiting = await posted(bus, ann, channel)
    found = await bus.tasks.await_results(ann, [delayed.id, claim.id, waiting.id])
    assert [(m.state, m.ahead) for m in found] == [(State.DELAYED, None), (State.IN_FLIGHT, None), (State.WAITING, 0)]
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    assert (await bus.tasks.await_result(ann, claim.id)).ahead is None
    assert (await bus.messages.get(ann, waiting.id)).ahead is None
    assert [message.ahead for message in (await bus.messages.subscribe(ann, channel, since="0")).items] == [None] * 3
