"""Several tasks awaited in one call: all of them or any, on any channels, by the rules of awaiting one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bus import Access, Bus, Caller, Claim, Message, State, errors
from bus.streams import bus_over

from .verbs import claimed, held, made, posted, refusal, told
from .worlds import SOON, World

pytestmark = pytest.mark.anyio
SHORT = timedelta(milliseconds=60)


async def _held(bus: Bus, poster: Caller, holder: Caller, channel: str, many: int) -> list[Claim]:
    return [await held(bus, poster, holder, channel) for _ in range(many)]


async def _ack(bus: Bus, holder: Caller, claim: Claim, result: Any = None) -> None:
    await bus.tasks.ack(holder, claim.id, claim_token=claim.claim_token, result=result)


def _results(found: Sequence[Message]) -> list[Any]:
    return [message.outcome.result if message.outcome else message.state for message in found]


async def test_all_of_them_end_the_wait_with_the_last(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """In the order in which they were named, whichever came first; and not before the last."""
    claims = await _held(bus, ann, bob, channel, 3)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(told(bus, ann, [claim.id for claim in claims]))
        for number in (1, 2, 0):
            await world.parked()
            assert not waiting.done()
            await _ack(bus, bob, claims[number], number)
    assert _results(waiting.result()) == [0, 1, 2]


async def test_any_of_them_ends_the_wait_with_the_first(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The others are told as they stand by then, not as they stood when the wait began."""
    claims = await _held(bus, ann, bob, channel, 2)
    late = await posted(bus, ann, channel)
    ids = [claims[0].id, claims[1].id, late.id]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(told(bus, ann, ids, need="any"))
        await world.parked()
        await claimed(bus, bob, channel)
        await _ack(bus, bob, claims[1], "first")
    assert _results(waiting.result()) == [State.IN_FLIGHT, "first", State.IN_FLIGHT]
    assert waiting.result()[2].hold is not None


async def test_what_is_finished_already_is_told_at_once(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """With `any`, one is enough; with `all`, each must be."""
    claims = await _held(bus, ann, bob, channel, 2)
    await _ack(bus, bob, claims[0], "x")
    ids = [claim.id for claim in claims]
    assert _results(await told(bus, ann, ids, need="any")) == ["x", State.IN_FLIGHT]
    await _ack(bus, bob, claims[1], "y")
    assert _results(await told(bus, ann, ids)) == ["x", "y"]


async def test_they_may_be_on_many_channels_and_finish_on_another_replica(
    world: World, bus: Bus, ann: Caller, bob: Caller
) -> None:
    """Each channel lies where it lies; whoever waits hears of all of them."""
    channels = [f"{uuid4().hex[:10]}-{number}" for number in range(12)]
    claims = [await held(bus, ann, bob, channel) for channel in channels]
    elsewhere = bus_over(world.other)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(told(bus, ann, [claim.id for claim in claims]))
        await world.parked()
        for number, claim in enumerate(claims):
            await _ack(elsewhere, bob, claim, number)
    assert _results(waiting.result()) == list(range(12))


async def test_a_task_named_twice_is_told_at_both_places(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Also where its id was written in another way."""
    one, two = await _held(bus, ann, bob, channel, 2)
    await _ack(bus, bob, one, 1)
    await _ack(bus, bob, two, 2)
    ids = [one.id, two.id, one.id, one.id.upper(), f" {two.id} "]
    assert _results(await told(bus, ann, ids)) == [1, 2, 1, 1, 2]


async def test_a_wait_that_runs_out_gives_each_as_it_stands(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Not finished yet is an answer: for some of them, or for all."""
    done, going = await _held(bus, ann, bob, channel, 2)
    waiting = await posted(bus, ann, channel)
    await _ack(bus, bob, done, "x")
    ids = [waiting.id, done.id, going.id]
    for wait in (timedelta(0), SHORT):
        found = await bus.tasks.await_results(ann, ids, wait=wait)
        assert _results(found) == [State.WAITING, "x", State.IN_FLIGHT]
    await claimed(bus, bob, channel)
    assert _results(await bus.tasks.await_results(ann, ids)) == [State.IN_FLIGHT, "x", State.IN_FLIGHT]


@pytest.mark.parametrize("need", ["all", "any"])
async def test_a_question_ends_the_wait(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, need: Any) -> None:
    """The work hangs on an answer that only who waits may have; so it is told, whatever else is missing."""
    claims = await _held(bus, ann, bob, channel, 2)
    ids = [claim.id for claim in claims]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(told(bus, ann, ids, need=need))
        await world.parked()
        await bus.tasks.ask(bob, ids[1], "Which colour?", claim_token=claims[1].claim_token)
    found = waiting.result()
    assert [message.state for message in found] == [State.IN_FLIGHT, State.INPUT_REQUIRED]
    assert [question.text for question in found[1].questions] == ["Which colour?"]
    await bus.tasks.answer(ann, ids[1], "blue")
    assert [m.state for m in await bus.tasks.await_results(ann, ids, wait=SHORT)] == [State.IN_FLIGHT] * 2


async def test_a_note_of_progress_does_not_end_the_wait(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """It rings, and is no outcome; it is seen when the wait is over."""
    claims = await _held(bus, ann, bob, channel, 2)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(told(bus, ann, [claim.id for claim in claims], need="any"))
        await world.parked()
        await bus.tasks.heartbeat(bob, claims[0].id, claim_token=claims[0].claim_token, note="half way")
        await world.parked()
        assert not waiting.done()
        await _ack(bus, bob, claims[1], "x")
    hold = waiting.result()[0].hold
    assert hold is not None
    assert hold.progress is not None
    assert hold.progress.note == "half way"


async def test_time_alone_ends_the_wait(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A lease that runs out on the last delivery, and a time to live: nobody claims or sweeps."""
    await made(bus, ann, channel, max_deliveries=1)
    await posted(bus, ann, channel)
    dying = await claimed(bus, bob, channel, lease=timedelta(seconds=1))
    await world.let_messages_live(channel, 400)
    expiring = await posted(bus, ann, channel)
    found = await told(bus, ann, [dying.id, expiring.id])
    assert [message.state for message in found] == [State.DEAD, State.EXPIRED]


@pytest.mark.parametrize("given", [[], ["x:1-0"] * 51, "x:1-0"], ids=["none", "too many", "a text"])
async def test_one_to_fifty_may_be_named(bus: Bus, ann: Caller, given: Any) -> None:
    """Anything else is malformed, and says so."""
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.tasks.await_results(ann, given)
    assert refused.value.details["field"] == "message_ids"
    assert refused.value.reason_code == "invalid_message_ids"


async def test_all_or_any_is_what_may_be_needed(bus: Bus, ann: Caller, channel: str) -> None:
    """Nothing else."""
    message = await posted(bus, ann, channel)
    wrong: Any = "most"
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.tasks.await_results(ann, [message.id], need=wrong)
    assert refused.value.reason_code == "invalid_need"


async def test_one_that_is_refused_refuses_all_before_waiting(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """As awaiting it alone does; the first named counts."""
    message = await posted(bus, ann, channel)
    closed = f"{channel}-closed"
    await made(bus, bob, closed, access=Access.RESTRICTED)
    hidden = await posted(bus, bob, closed)
    for unknown in (f"{channel}:1-0", "nowhere:1-0", "no id at all"):
        with pytest.raises(errors.MessageNotFound):
            await told(bus, ann, [message.id, unknown], need="any")
    with pytest.raises(errors.ChannelAccessDenied):
        await told(bus, ann, [message.id, hidden.id, f"{channel}:1-0"])
    claim = await claimed(bus, bob, channel)
    await _ack(bus, bob, claim, "secret")
    with pytest.raises(errors.Forbidden):
        await told(bus, eve, [claim.id, hidden.id])


async def test_reading_is_what_it_takes(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """An API key without `messages:read` awaits nothing."""
    message = await posted(bus, ann, channel)
    await world.redis("HSET", world.keys.api_key(ann.key_id), "scopes", '["messages:write"]')
    narrowed = await bus.credentials.verify(ann.api_key or "")
    with pytest.raises(errors.InsufficientScope):
        await bus.tasks.await_results(narrowed, [message.id])


async def test_another_s_result_refuses_the_wait_when_it_comes(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Waiting long enough for it among others is no way around it."""
    claim = await held(bus, ann, bob, channel)
    own = await posted(bus, eve, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refusal(told(bus, eve, [own.id, claim.id])))
        await world.parked()
        await _ack(bus, bob, claim, "secret")
    assert isinstance(waiting.result(), errors.Forbidden)


async def test_who_waits_learns_that_a_channel_is_deleted(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """What was there is gone, and with it the wait for the rest."""
    claim = await held(bus, ann, bob, channel)
    other = f"{channel}-other"
    mine = await posted(bus, ann, other)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refusal(told(bus, ann, [claim.id, mine.id])))
        await world.parked()
        await bus.channels.delete(ann, other)
    assert isinstance(waiting.result(), errors.MessageNotFound)


async def test_a_revoked_key_ends_the_wait(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """At once, as every blocked call."""
    ids = [(await posted(bus, ann, channel)).id for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refusal(told(bus, ann, ids)))
        await world.parked()
        await bus.credentials.revoke(ann)
    assert isinstance(waiting.result(), errors.Unauthorized)


async def test_a_cancelled_caller_leaves_nobody_waiting(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Nor anything that is listened to in its name."""
    claims = await _held(bus, ann, bob, channel, 3)
    waiting = asyncio.ensure_future(told(bus, ann, [claim.id for claim in claims]))
    await world.parked()
    lines = [world.keys.result(channel, claim.id.rpartition(":")[2]) for claim in claims]
    assert world.engine.bell.hears(lines)
    waiting.cancel()
    await asyncio.wait({waiting})
    async with asyncio.timeout(SOON):
        while any(world.engine.bell.hears([line]) for line in lines):  # noqa: ASYNC110 - over HTTP the server sees it later
            await asyncio.sleep(0.002)
    assert waiting.cancelled()
