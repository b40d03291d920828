"""Progress: a holder's note reaches who may see its result; a lease that is only kept up by a program is told apart."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bus import Bus, Caller, State, errors
from bus.models import Hold

from .verbs import claimed, held, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def hold_of(bus: Bus, caller: Caller, message_id: str) -> Hold:
    """How the task is held, as this caller sees it."""
    hold = (await bus.messages.get(caller, message_id)).hold
    assert hold is not None
    return hold


async def noted(bus: Bus, caller: Caller, message_id: str) -> str | None:
    progress = (await hold_of(bus, caller, message_id)).progress
    return None if progress is None else progress.note


async def age(world: World, message_id: str, by: timedelta) -> None:
    """Let whatever the holder has done with this task have been so much earlier."""
    channel, stream_id = message_id.rsplit(":", 1)
    deliveries, ms = world.keys.channel(channel) + ":deliveries", by.total_seconds() * 1000
    record: dict[str, Any] = json.loads(await world.redis("HGET", deliveries, stream_id))
    for moments in (record, *record["log"]):
        for name in {"touched", "at"} & moments.keys():
            moments[name] -= ms
    await world.redis("HSET", deliveries, stream_id, json.dumps(record))


async def test_a_note_is_seen_by_who_awaits_the_result(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The last one, with its time; by the poster and the holder alike."""
    claim = await held(bus, ann, bob, channel)
    assert await noted(bus, ann, claim.id) is None
    for note in ("1/3 fetching", "2/3 compiling\nwith warnings", "x" * 500):
        beat = await bus.tasks.heartbeat(bob, claim.id, claim_token=claim.claim_token, note=note)
        assert beat.message.hold is not None
        standing = await bus.tasks.await_result(ann, claim.id, wait=timedelta(milliseconds=30))
        assert standing.hold == beat.message.hold
        assert standing.hold.progress is not None
        assert (standing.state, standing.hold.progress.note) == (State.IN_FLIGHT, note)
        assert standing.hold.progress.noted_at >= claim.message.posted_at


async def test_a_note_lasts_until_the_next_one(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A heartbeat without one, a question and an answer leave it."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.heartbeat(bob, claim.id, note="half way")
    await bus.tasks.heartbeat(bob, claim.id)
    await bus.tasks.heartbeat(bob, claim.id, automatic=True)
    await bus.tasks.ask(bob, claim.id, "which?")
    assert await noted(bus, ann, claim.id) == "half way"
    await bus.tasks.answer(ann, claim.id, "that one")
    assert await noted(bus, bob, claim.id) == "half way"


@pytest.mark.parametrize("end", ["release", "fail", "lapse"])
async def test_a_note_ends_with_its_delivery(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str, end: str
) -> None:
    """The next holder begins without the words of the one before."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.heartbeat(bob, claim.id, note="half way")
    if end != "lapse":
        await getattr(bus.tasks, end)(bob, claim.id)
    await world.expire(claim.id)
    taken = await claimed(bus, eve, channel)
    assert taken.message.hold is not None
    assert taken.message.hold.progress is None
    assert await noted(bus, ann, claim.id) is None


async def test_nothing_is_left_of_a_note_when_the_task_ends(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """It goes with the outcome, and by itself where there never is one."""
    for end in ("ack", "cancel", "expire"):
        claim = await held(bus, ann, bob, channel)
        key = world.keys.progress(channel, claim.id.rpartition(":")[2])
        await bus.tasks.heartbeat(bob, claim.id, note="half way")
        assert 0 < await world.redis("PTTL", key) <= 86_400_000
        await bus.tasks.ask(bob, claim.id, "which?")
        if end == "ack":
            await bus.tasks.ack(bob, claim.id)
        elif end == "cancel":
            await bus.tasks.cancel(ann, claim.id)
        else:
            await world.expire(claim.id)
            await bus.tasks.ack(bob, (await claimed(bus, bob, channel)).id)
        assert await world.redis("EXISTS", key) == 0


async def test_a_deleted_channel_leaves_no_note(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """What a holder said is gone with the task it was said of."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.heartbeat(bob, claim.id, note="half way")
    await bus.channels.delete(ann, channel)
    assert await world.redis("EXISTS", world.keys.progress(channel, claim.id.rpartition(":")[2])) == 0


async def test_a_task_that_only_a_program_keeps_is_stale(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """After half an hour, however often it is renewed; whoever looks at the task sees it."""
    claim = await held(bus, ann, bob, channel)
    await age(world, claim.id, timedelta(minutes=29))
    assert not (await hold_of(bus, ann, claim.id)).stale
    await age(world, claim.id, timedelta(minutes=2))
    beat = await bus.tasks.heartbeat(bob, claim.id, automatic=True)
    assert beat.message.hold is not None
    assert beat.message.hold.stale
    assert (await hold_of(bus, ann, claim.id)).stale


@pytest.mark.parametrize("sign", ["heartbeat", "note", "question", "answer"])
async def test_a_holder_that_shows_itself_is_not_stale(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, sign: str
) -> None:
    """It renewed on purpose, noted, asked, or was answered just now; half an hour later it is stale again."""
    claim = await held(bus, ann, bob, channel)
    if sign == "answer":
        await bus.tasks.ask(bob, claim.id, "which?")
    await age(world, claim.id, timedelta(minutes=31))
    if sign == "heartbeat":
        await bus.tasks.heartbeat(bob, claim.id)
    elif sign == "note":
        await bus.tasks.heartbeat(bob, claim.id, note="at it", automatic=True)
    elif sign == "question":
        await bus.tasks.ask(bob, claim.id, "which?")
    else:
        await bus.tasks.answer(ann, claim.id, "that one")
    assert not (await hold_of(bus, ann, claim.id)).stale
    await age(world, claim.id, timedelta(minutes=31))
    assert (await hold_of(bus, ann, claim.id)).stale is (sign != "question")  # then it waits for the poster


async def test_the_next_holder_is_not_stale(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Each delivery counts for itself."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.heartbeat(bob, claim.id)
    await age(world, claim.id, timedelta(hours=1))
    await world.expire(claim.id)
    await claimed(bus, eve, channel)
    assert not (await hold_of(bus, ann, claim.id)).stale


async def test_an_automatic_heartbeat_writes_nothing_but_the_lease(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Every held task of every session is renewed by one, so it stays cheap."""
    claim = await held(bus, ann, bob, channel)
    before = await world.everything()
    beat = await bus.tasks.heartbeat(bob, claim.id, automatic=True, lease=timedelta(hours=1))
    after = await world.everything()
    assert {key.rpartition("}")[2] for key in after if after[key] != before.get(key)} == {":due"}
    assert beat.lease_expires_at > claim.lease_expires_at


@pytest.mark.parametrize("note", ["", "  ", "x" * 501, "\ud800"], ids=["empty", "blank", "long", "surrogate"])
async def test_what_is_no_note_is_refused(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, note: str) -> None:
    """The field is named, and the lease is not renewed."""
    await posted(bus, ann, channel)
    claim = await claimed(bus, bob, channel)
    before = await world.everything()
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.tasks.heartbeat(bob, claim.id, note=note)
    assert refused.value.details["field"] == "note"
    assert await world.everything() == before
