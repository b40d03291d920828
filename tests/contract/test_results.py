"""Results: whoever waits is told, on any replica; whoever it is not meant for is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Access, Bus, Caller, State, errors
from bus.streams import bus_over

from .verbs import LONG, claimed, held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_whoever_waits_is_told(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """An ack ends the wait for it, with the result."""
    claim = await held(bus, ann, bob, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.await_result(ann, claim.id, wait=LONG))
        await world.parked()
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=[1])
    told = waiting.result()
    assert told.outcome is not None
    assert (told.state, told.outcome.result) == (State.DONE, [1])


async def test_whoever_waits_is_told_of_what_another_replica_did(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """It makes no difference which process accepted the ack."""
    claim = await held(bus, ann, bob, channel)
    elsewhere = bus_over(world.other)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.await_result(ann, claim.id, wait=LONG))
        await world.parked()
        await elsewhere.tasks.ack(bob, claim.id, claim_token=claim.claim_token, status="failed", reason="no")
    assert waiting.result().state is State.FAILED


async def test_all_who_wait_for_one_task_are_told(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A result is not work: it wakes everybody."""
    claim = await held(bus, ann, bob, channel)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(bus.tasks.await_result(ann, claim.id, wait=LONG)) for _ in range(8)]
        await world.parked(8)
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="x")
    assert [w.result().state for w in waiting] == [State.DONE] * 8


async def test_a_wait_that_runs_out_gives_the_task_as_it_stands(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Not finished yet is an answer, without an outcome."""
    message = await posted(bus, ann, channel)
    for wait in (timedelta(0), timedelta(milliseconds=60)):
        assert (await bus.tasks.await_result(ann, message.id, wait=wait)).state is State.WAITING
    await claimed(bus, bob, channel)
    standing = await bus.tasks.await_result(ann, message.id)
    assert (standing.state, standing.outcome) == (State.IN_FLIGHT, None)


async def test_the_awaiter_of_a_task_that_dies_is_told(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """`dead` is an outcome like any other."""
    await made(bus, ann, channel, max_deliveries=1)
    claim = await held(bus, ann, bob, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.await_result(ann, claim.id, wait=LONG))
        await world.parked()
        await bus.tasks.fail(bob, claim.id, claim_token=claim.claim_token, reason="cannot parse")
    told = waiting.result()
    assert told.outcome is not None
    assert (told.state, told.outcome.reason) == (State.DEAD, "cannot parse")


async def test_the_awaiter_learns_of_a_lease_that_ran_out_on_the_last_delivery(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Time alone ends a task whose holder is gone: who waits is told then, although nobody claims or sweeps."""
    await made(bus, ann, channel, max_deliveries=1)
    await posted(bus, ann, channel)
    claim = await claimed(bus, bob, channel, lease=timedelta(seconds=1))
    told = await bus.tasks.await_result(ann, claim.id, wait=LONG)
    assert told.state is State.DEAD


async def test_the_awaiter_of_a_task_that_expires_is_told(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """`expired` comes by time alone, to whoever waits for it."""
    await made(bus, ann, channel)
    await world.let_messages_live(channel, 400)
    message = await posted(bus, ann, channel)
    await world.let_messages_live(channel, 86_400_000)
    told = await bus.tasks.await_result(ann, message.id, wait=LONG)
    assert told.outcome is not None
    assert (told.state, told.outcome.result, told.outcome.actor) == (State.EXPIRED, None, None)
    assert told.outcome.reason


async def test_a_result_is_for_poster_finisher_and_members(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """On an open channel anybody may look at the task, but not at what came of it."""
    owner = eve
    await made(bus, owner, channel)
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="secret", reason="private")
    for allowed in (ann, bob, owner):
        for seen in (await bus.messages.get(allowed, claim.id), await bus.tasks.await_result(allowed, claim.id)):
            assert seen.outcome is not None
            assert (seen.outcome.result, seen.outcome.reason, seen.result_withheld) == ("secret", "private", False)


async def test_a_result_is_withheld_from_others(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """They see that it is finished, and neither result nor reason, by any verb; awaiting it is forbidden."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="secret", reason="private")
    listed = (await bus.messages.subscribe(eve, channel)).items
    since = (await bus.messages.subscribe(eve, channel, since="0")).items
    for seen in (await bus.messages.get(eve, claim.id), *listed, *since):
        assert seen.outcome is not None
        assert (seen.state, seen.outcome.result, seen.outcome.reason, seen.result_withheld) == (State.DONE, None, None, True)
    with pytest.raises(errors.Forbidden):
        await bus.tasks.await_result(eve, claim.id, wait=LONG)
    with pytest.raises(errors.AlreadyFinished) as refused:
        await bus.tasks.ack(eve, claim.id)
    assert "secret" not in str(refused.value.details) + refused.value.message


async def test_who_waits_for_another_s_result_is_refused_when_it_comes(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Waiting long enough is no way around it."""
    claim = await held(bus, ann, bob, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_outcome_of(bus.tasks.await_result(eve, claim.id, wait=LONG)))
        await world.parked()
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="secret")
    assert isinstance(waiting.result(), errors.Forbidden)


async def _outcome_of(call: object) -> object:
    try:
        return await call  # the verb under test
    except errors.BusError as refused:
        return refused


async def test_members_of_a_restricted_channel_see_its_results(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """A member neither posted nor finished it, and sees it."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    for caller in (bob, eve):
        asked = await bus.access.request_access(caller, channel)
        assert asked.request_id is not None
        await bus.access.approve_access_request(ann, channel, asked.request_id)
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="ours")
    seen = await bus.tasks.await_result(eve, claim.id)
    assert seen.outcome is not None
    assert seen.outcome.result == "ours"


async def test_a_finished_task_outlives_its_place_in_the_stream(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A result is kept for the channel's time to live, although newer finished tasks pushed its task out."""
    first = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, first.id, claim_token=first.claim_token, result={"kept": True})
    for _ in range(115):
        claim = await held(bus, ann, bob, channel)
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    gone = await bus.messages.get(ann, first.id)
    assert gone.outcome is not None
    assert (gone.archived, gone.content, gone.state, gone.outcome.result) == (True, "", State.DONE, {"kept": True})
    assert (await bus.tasks.await_result(ann, first.id)).outcome == gone.outcome
    again = (await bus.tasks.ack(bob, first.id, claim_token=first.claim_token)).message
    assert again.outcome == gone.outcome


async def test_little_more_than_a_hundred_finished_tasks_stay_in_the_stream(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The stream is bounded by what is unfinished plus 100 to 115; the history has the rest, and counts are exact."""
    waiting = await posted(bus, ann, channel, delay=timedelta(hours=1))
    for number in range(150):
        await posted(bus, ann, channel, str(number))
    while claim := await bus.tasks.claim(bob, channel):
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    counts = await bus.channels.counts(ann, channel)
    assert (counts.total, counts.done, counts.delayed, counts.waiting, counts.in_flight) == (103, 102, 1, 0, 0)
    assert await world.redis("XLEN", world.keys.stream(channel)) == 103
    history = await world.redis("XRANGE", world.keys.history(channel), "-", "+")
    kept = [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in history]
    pages = [await bus.messages.subscribe(ann, channel, since="0", limit=100)]
    pages.append(await bus.messages.subscribe(ann, channel, since=pages[0].next_cursor, limit=100))
    left = [m.content for page in pages for m in page.items if m.id != waiting.id]
    assert (len(kept), len(left)) == (48, 102)
    assert {fields["content"] for fields in kept} | set(left) == {str(n) for n in range(150)}
    assert (await bus.messages.get(ann, waiting.id)).state is State.DELAYED
