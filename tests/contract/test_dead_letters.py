"""Deliveries that fail: counted, backed off, buried after the last; and dead letters put back."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Bus, Caller, State, errors

from .verbs import LONG, claimed, drained, held, made, posted, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def _buried(bus: Bus, ann: Caller, bob: Caller, channel: str, content: str) -> str:
    """A task that died on its only delivery; the id of its dead letter."""
    await posted(bus, ann, channel, content, metadata={"n": 1})
    claim = await claimed(bus, bob, channel)
    await bus.tasks.fail(bob, claim.id, claim_token=claim.claim_token, reason="no")
    return (await bus.tasks.dead_letters(ann, channel, limit=100)).items[-1].id


async def test_a_failed_delivery_comes_back_after_a_growing_pause(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """1 s, 2 s, 4 s, with up to half of it taken off at random; meanwhile it is delayed."""
    await made(bus, ann, channel, max_deliveries=4)
    await posted(bus, ann, channel)
    for number in range(3):
        claim = await claimed(bus, bob, channel)
        before = await world.redis("TIME")
        failed = await bus.tasks.fail(bob, claim.id, claim_token=claim.claim_token)
        assert failed.state is State.DELAYED
        assert failed.available_at is not None
        pause = failed.available_at.timestamp() - int(before[0]) - int(before[1]) / 1e6
        assert 0.5 * 2**number - 0.01 <= pause <= 2**number + 1
        assert await bus.tasks.claim(bob, channel) is None
        await world.expire(claim.id)


async def test_the_last_failed_delivery_buries_the_task(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """At most `max_deliveries`: then it is a dead letter that tells how each delivery went."""
    await made(bus, ann, channel, max_deliveries=2)
    message = await posted(bus, ann, channel, "poison", metadata={"n": 1})
    first = await claimed(bus, bob, channel)
    await bus.tasks.fail(bob, first.id, claim_token=first.claim_token, reason="first")
    await world.expire(first.id)
    last = await claimed(bus, ann, channel)
    buried = await bus.tasks.fail(ann, last.id, claim_token=last.claim_token, reason="last")
    assert buried.state is State.DEAD
    [letter] = (await bus.tasks.dead_letters(ann, channel)).items
    assert (letter.reason, letter.message.id, letter.message.content, letter.message.metadata) == (
        "dead", message.id, "poison", {"n": 1},
    )  # fmt: skip
    assert [(d.number, d.actor, d.key_id, d.ended, d.reason) for d in letter.deliveries] == [
        (1, bob.label, bob.key_id, "failed", "first"),
        (2, ann.label, ann.key_id, "failed", "last"),
    ]
    assert await state(bus, ann, message.id) is State.DEAD
    assert await bus.tasks.claim(bob, channel) is None


async def test_a_task_abandoned_on_every_delivery_is_buried(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """At most `max_deliveries`, also when every holder just vanished; the next claim finds the task behind it."""
    await made(bus, ann, channel, max_deliveries=3)
    message, other = await posted(bus, ann, channel), await posted(bus, ann, channel, "other")
    for number in (1, 2, 3):
        claim = await claimed(bus, bob, channel)
        assert (claim.id, claim.delivery) == (message.id, number)
        await world.expire(message.id)
    assert (await claimed(bus, bob, channel)).id == other.id
    [letter] = (await bus.tasks.dead_letters(ann, channel)).items
    assert [d.ended for d in letter.deliveries] == ["lease_expired"] * 3
    ended = await bus.tasks.await_result(ann, message.id)
    assert ended.outcome is not None
    assert (ended.state, ended.outcome.actor, ended.outcome.delivery) == (State.DEAD, None, 3)


async def test_a_release_is_not_counted(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Giving back is no failure, however often; the delivery number still grows, because it is the fence."""
    await made(bus, ann, channel, max_deliveries=2)
    await posted(bus, ann, channel)
    for number in range(1, 6):
        claim = await claimed(bus, bob, channel)
        assert claim.delivery == number
        released = await bus.tasks.release(bob, claim.id, claim_token=claim.claim_token, reason="not mine")
        assert (released.state, released.hold) == (State.WAITING, None)
    for ended in (State.DELAYED, State.DEAD):
        claim = await claimed(bus, bob, channel)
        assert (await bus.tasks.fail(bob, claim.id, claim_token=claim.claim_token)).state is ended
        if ended is State.DELAYED:
            await world.expire(claim.id)


async def test_a_release_with_a_delay_hides_the_task_until_then(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Claimable again after `delay`, not before, also by id."""
    claim = await held(bus, ann, bob, channel)
    released = await bus.tasks.release(bob, claim.id, claim_token=claim.claim_token, delay=timedelta(minutes=5))
    assert released.state is State.DELAYED
    assert await bus.tasks.claim(bob, channel) is None
    with pytest.raises(errors.NotAvailableYet):
        await bus.tasks.claim_message(bob, claim.id)
    await world.expire(claim.id)
    assert (await claimed(bus, bob, channel)).delivery == 2


async def test_dead_letters_are_paged_oldest_first(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Every one comes once, and the last page says that it is the last."""
    await made(bus, ann, channel, max_deliveries=1)
    letters = [await _buried(bus, ann, bob, channel, str(n)) for n in range(5)]
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        page = await bus.tasks.dead_letters(ann, channel, limit=2, cursor=cursor)
        seen += [letter.id for letter in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == letters
    assert cursor is None


async def test_a_redriven_dead_letter_is_a_new_task(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """With its content, its deliveries counted anew; it wakes a claimer, and is a dead letter no more."""
    await made(bus, ann, channel, max_deliveries=1)
    old = await _buried(bus, ann, bob, channel, "again")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(bob, channel, wait=LONG))
        await world.parked()
        [redriven] = await bus.tasks.redrive(ann, channel, [old])
    claim = waiting.result()
    assert claim is not None
    assert (redriven.dead_letter_id, claim.id) == (old, redriven.message_id)
    assert (claim.content, claim.message.metadata, claim.message.key_id, claim.delivery) == ("again", {"n": 1}, ann.key_id, 1)
    assert not (await bus.tasks.dead_letters(ann, channel)).items


async def test_redriving_is_all_or_none(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """One that is not there, or named twice, and nothing happens."""
    await made(bus, ann, channel, max_deliveries=1)
    letters = [await _buried(bus, ann, bob, channel, str(n)) for n in range(2)]
    for ids in ([*letters, f"{channel}:1-1"], [letters[0], letters[0]]):
        with pytest.raises(errors.DeadLetterNotFound):
            await bus.tasks.redrive(ann, channel, ids)
    assert [letter.id for letter in (await bus.tasks.dead_letters(ann, channel)).items] == letters
    assert await bus.tasks.claim(bob, channel) is None
    assert len(await bus.tasks.redrive(ann, channel, letters)) == 2
    assert await drained(bus, bob, channel) == ["0", "1"]


async def test_only_owner_and_members_may_redrive(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Posting and claiming on an open channel is everybody's, administration is not."""
    await made(bus, ann, channel, max_deliveries=1)
    letter = await _buried(bus, ann, bob, channel, "x")
    with pytest.raises(errors.Forbidden):
        await bus.tasks.redrive(bob, channel, [letter])
    assert len((await bus.tasks.dead_letters(bob, channel)).items) == 1
