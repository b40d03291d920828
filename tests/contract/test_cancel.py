"""Cancelling: by the poster or the owner, at any time before the outcome, and the holder learns it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Bus, Caller, State, errors

from .verbs import LONG, claimed, held, made, posted, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_waiting_task_is_cancelled_at_once(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Nobody gets it any more, its awaiter is told, and it is not counted as work."""
    message = await posted(bus, ann, channel)
    other = await posted(bus, ann, channel, "other")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.await_result(ann, message.id, wait=LONG))
        await world.parked()
        cancelled = await bus.tasks.cancel(ann, message.id, reason="changed my mind")
    assert cancelled.outcome is not None
    assert (cancelled.state, cancelled.outcome.reason, cancelled.outcome.key_id) == (
        State.CANCELLED, "changed my mind", ann.key_id,
    )  # fmt: skip
    assert waiting.result().outcome == cancelled.outcome
    assert (await claimed(bus, bob, channel)).id == other.id
    assert await bus.tasks.claim(bob, channel) is None


async def test_a_delayed_task_is_cancelled_at_once(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """It never becomes claimable."""
    message = await posted(bus, ann, channel, delay=timedelta(hours=1))
    assert (await bus.tasks.cancel(ann, message.id)).state is State.CANCELLED
    await world.expire(message.id)
    assert await bus.tasks.claim(bob, channel) is None
    with pytest.raises(errors.AlreadyFinished):
        await bus.tasks.claim_message(bob, message.id)


@pytest.mark.parametrize("verb", ["heartbeat", "release", "fail", "ack"])
async def test_the_holder_learns_of_it_from_its_next_call(bus: Bus, ann: Caller, bob: Caller, channel: str, verb: str) -> None:
    """In flight, cancelling is a request: the holder's next call is refused, and the task is finished then. So is each call
    after it, because the first may have been a program's that only renews."""
    claim = await held(bus, ann, bob, channel)
    asked = await bus.tasks.cancel(ann, claim.id, reason="stop")
    assert asked.hold is not None
    assert (asked.state, asked.hold.cancel_requested) == (State.IN_FLIGHT, True)
    assert (await bus.messages.get(bob, claim.id)).hold == asked.hold
    with pytest.raises(errors.TaskCancelled) as told:
        await getattr(bus.tasks, verb)(bob, claim.id, claim_token=claim.claim_token)
    assert "stop" in told.value.message
    ended = await bus.messages.get(ann, claim.id)
    assert ended.outcome is not None
    assert (ended.state, ended.outcome.reason, ended.outcome.result) == (State.CANCELLED, "stop", None)
    with pytest.raises(errors.TaskCancelled):
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)


async def test_a_cancelled_task_whose_holder_is_gone_ends_with_its_lease(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """It is not handed out again: claiming finds nothing, and the outcome is `cancelled`. A holder that comes back is told."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.cancel(ann, claim.id)
    await world.expire(claim.id)
    assert await bus.tasks.claim(bob, channel) is None
    assert await state(bus, ann, claim.id) is State.CANCELLED
    with pytest.raises(errors.TaskCancelled):
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)


async def test_the_awaiter_is_told_when_the_lease_of_a_cancelled_task_ends(
    bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Time alone does it: nobody claims, nobody sweeps."""
    await posted(bus, ann, channel)
    claim = await claimed(bus, bob, channel, lease=timedelta(seconds=1))
    await bus.tasks.cancel(ann, claim.id)
    assert (await bus.tasks.await_result(ann, claim.id, wait=LONG)).state is State.CANCELLED


async def test_only_poster_and_owner_may_cancel(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """Others change nothing; the holder is one of the others."""
    await made(bus, eve, channel)
    first, second = await posted(bus, ann, channel), await posted(bus, ann, channel)
    await bus.tasks.claim_message(bob, first.id)
    for message in (first, second):
        with pytest.raises(errors.Forbidden):
            await bus.tasks.cancel(bob, message.id)
    assert (await bus.tasks.heartbeat(bob, first.id)).message.hold is not None
    assert await state(bus, ann, second.id) is State.WAITING
    assert (await bus.tasks.cancel(eve, second.id)).state is State.CANCELLED


async def test_cancelling_after_the_outcome_is_refused(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The outcome stands."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=1)
    with pytest.raises(errors.AlreadyFinished) as refused:
        await bus.tasks.cancel(ann, claim.id)
    assert refused.value.details["state"] == "done"
    assert await state(bus, ann, claim.id) is State.DONE


async def test_cancelling_twice_answers_the_same(bus: Bus, ann: Caller, channel: str) -> None:
    """A lost answer is asked for again."""
    message = await posted(bus, ann, channel)
    assert await bus.tasks.cancel(ann, message.id, reason="a") == await bus.tasks.cancel(ann, message.id, reason="b")


async def test_cancelling_ahead_of_the_cursor_leaves_the_others(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Cancelled ones in the middle are stepped over, once and for all."""
    ids = [(await posted(bus, ann, channel, str(n))).id for n in range(6)]
    for message_id in (ids[1], ids[2], ids[5]):
        await bus.tasks.cancel(ann, message_id)
    assert [(await claimed(bus, bob, channel)).content for _ in range(3)] == ["0", "3", "4"]
    assert await bus.tasks.claim(bob, channel) is None
