"""Time to live: what nobody finished in its time has the outcome `expired`, whether anybody asks or not."""

from __future__ import annotations

import asyncio

import pytest

from bus import Bus, Caller, State, errors
from bus.streams.sweeper import Sweeper

from .verbs import claimed, held, made, posted, state
from .worlds import SOON, World

pytestmark = pytest.mark.anyio

A_DAY = 86_400_000


async def _expired(world: World, bus: Bus, caller: Caller, channel: str, content: str = "late") -> str:
    """A waiting task whose time is up."""
    await world.let_messages_live(channel, 1)
    message = await posted(bus, caller, channel, content)
    await world.let_messages_live(channel, A_DAY)
    await world.passed(2)
    return message.id


async def test_an_expired_task_is_not_handed_out(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The claim takes the next one, and the expired one has its outcome."""
    await made(bus, ann, channel)
    late = await _expired(world, bus, ann, channel)
    fresh = await posted(bus, ann, channel)
    assert (await claimed(bus, bob, channel)).id == fresh.id
    ended = await bus.tasks.await_result(ann, late)
    assert ended.outcome is not None
    assert (ended.state, ended.outcome.actor, ended.outcome.delivery) == (State.EXPIRED, None, 0)
    with pytest.raises((errors.MessageExpired, errors.AlreadyFinished)):
        await bus.tasks.claim_message(bob, late)


async def test_an_expired_task_is_a_dead_letter(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """With the reason `expired`; it can be redriven like any other, and lives anew."""
    await made(bus, ann, channel)
    late = await _expired(world, bus, ann, channel)
    assert await bus.tasks.claim(bob, channel) is None
    [letter] = (await bus.tasks.dead_letters(ann, channel)).items
    assert (letter.reason, letter.message.id, letter.message.content, list(letter.deliveries)) == ("expired", late, "late", [])
    await bus.tasks.redrive(ann, channel, [letter.id])
    assert (await claimed(bus, bob, channel)).content == "late"


async def test_claiming_an_expired_task_by_id_says_so(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """And ends it, for who waits for it."""
    await made(bus, ann, channel)
    late = await _expired(world, bus, ann, channel)
    with pytest.raises(errors.MessageExpired):
        await bus.tasks.claim_message(bob, late)
    assert await state(bus, ann, late) is State.EXPIRED


async def test_looking_at_an_expired_task_shows_its_outcome(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """No sweep is needed for the truth."""
    await made(bus, ann, channel)
    late = await _expired(world, bus, ann, channel)
    assert await state(bus, ann, late) is State.EXPIRED
    assert (await bus.tasks.await_result(ann, late)).state is State.EXPIRED


async def test_an_expired_task_is_not_listed_as_waiting(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Neither with a cursor nor without, before any sweep."""
    await made(bus, ann, channel)
    await _expired(world, bus, ann, channel)
    fresh = await posted(bus, ann, channel)
    for since in (None, "0"):
        assert [m.id for m in (await bus.messages.subscribe(ann, channel, since=since)).items] == [fresh.id]


async def test_a_held_task_may_be_finished_after_its_time(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """A lease outlives the time to live: who holds it may still finish; without a holder it is not handed out again."""
    await made(bus, ann, channel)
    await world.let_messages_live(channel, 300)
    first, second = await held(bus, ann, bob, channel), await held(bus, ann, bob, channel)
    await world.let_messages_live(channel, A_DAY)
    await world.passed(301)
    assert (await bus.tasks.ack(bob, first.id, claim_token=first.claim_token)).message.state is State.DONE
    await world.expire(second.id)
    assert await bus.tasks.claim(ann, channel) is None
    assert await state(bus, ann, second.id) is State.EXPIRED
    [letter] = (await bus.tasks.dead_letters(ann, channel)).items
    assert [(d.number, d.ended) for d in letter.deliveries] == [(1, "lease_expired")]


async def test_the_sweeper_expires_what_nobody_asks_for(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Waiting, delayed-by-release and abandoned ones, without a claim or a look; what lives stays."""
    await made(bus, ann, channel)
    await world.let_messages_live(channel, 300)
    abandoned = await held(bus, ann, bob, channel)
    released = await held(bus, ann, bob, channel)
    await bus.tasks.release(bob, released.id, claim_token=released.claim_token)
    await world.let_messages_live(channel, A_DAY)
    waiting = await _expired(world, bus, ann, channel)
    fresh = await posted(bus, ann, channel)
    await world.expire(abandoned.id)
    await world.passed(301)
    assert await world.sweep(channel) == 3
    counts = await bus.channels.counts(ann, channel)
    assert (counts.total, counts.waiting, counts.in_flight, counts.delayed, counts.dead) == (1, 1, 0, 0, 3)
    for message_id in (abandoned.id, released.id, waiting):
        assert await state(bus, ann, message_id) is State.EXPIRED
    assert (await claimed(bus, bob, channel)).id == fresh.id


async def test_one_replica_sweeps_at_a_time(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """The right to sweep is a lease: another replica passes, and takes over once it has run out."""
    await made(bus, ann, channel)
    await world.redis("DEL", world.keys.sweeper)
    one, two = Sweeper(world.engine), Sweeper(world.other)
    await one.sweep_once()
    holder = await world.redis("GET", world.keys.sweeper)
    await two.sweep_once()
    assert await world.redis("GET", world.keys.sweeper) == holder
    assert await world.redis("PTTL", world.keys.sweeper) > 0
    await world.redis("DEL", world.keys.sweeper)
    late = await _expired(world, bus, ann, channel)
    async with asyncio.timeout(SOON):  # a round takes so many channels and the next one goes on from there
        while not await world.redis("EXISTS", world.keys.result(*late.rsplit(":", 1))):
            await two.sweep_once()
    assert await world.redis("GET", world.keys.sweeper) != holder


async def test_results_of_tasks_expired_long_ago_do_not_break_anything(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """A result whose own time is up, of a task still in the stream: it is done, and nothing more is known."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="r")
    await world.redis("DEL", world.keys.result(*claim.id.rsplit(":", 1)))
    seen = await bus.messages.get(ann, claim.id)
    assert (seen.state, seen.outcome) == (State.DONE, None)
    assert [m.id for m in (await bus.messages.subscribe(ann, channel)).items] == [claim.id]
    with pytest.raises(errors.AlreadyFinished):
        await bus.tasks.claim_message(bob, claim.id)
