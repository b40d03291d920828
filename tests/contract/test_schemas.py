"""Channels with a metadata_schema: what does not fit it is not stored, however the schema changes meanwhile."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from bus import Access, Bus, Caller, Mode, NewChannel, errors
from bus.streams import bus_over

from .worlds import World

pytestmark = pytest.mark.anyio

SEVERITY = {"type": "object", "required": ["severity"], "properties": {"severity": {"enum": ["low", "high"]}}}
NUMBER = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


async def made(bus: Bus, owner: Caller, channel: str, schema: dict[str, Any] | None, mode: Mode = Mode.CLAIMABLE) -> None:
    await bus.channels.create(owner, NewChannel(channel, mode=mode, metadata_schema=schema))


async def unfit(bus: Bus, caller: Caller, channel: str, metadata: dict[str, Any] | None, **more: Any) -> list[dict[str, str]]:
    """The violations for which a post was refused."""
    with pytest.raises(errors.MetadataInvalid) as found:
        await bus.messages.post(caller, channel, "x", metadata=metadata, **more)
    return found.value.details["violations"]


@pytest.mark.parametrize("mode", [Mode.CLAIMABLE, Mode.BROADCAST])
async def test_what_does_not_fit_is_not_stored(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, mode: Mode
) -> None:
    """Each violation names its field, and nothing was written; what fits is posted as ever."""
    await made(bus, ann, channel, SEVERITY, mode)
    before = await world.everything()
    assert await unfit(bus, bob, channel, {"severity": "urgent"}) == [
        {"field": "metadata.severity", "issue": 'is not one of "low" or "high"'}
    ]
    assert await unfit(bus, bob, channel, None) == [{"field": "metadata.severity", "issue": "is required"}]
    assert await world.everything() == before
    posted = await bus.messages.post(bob, channel, "x", metadata={"severity": "high", "more": [1]})
    assert posted.message.metadata == {"severity": "high", "more": [1]}
    assert await unfit(bus, bob, channel, {}) != []


async def test_every_way_to_post_is_checked(bus: Bus, ann: Caller, channel: str) -> None:
    """Tasks, broadcasts, and what makes its channel when there is none."""
    await made(bus, ann, channel, SEVERITY)
    await made(bus, ann, f"{channel}-news", SEVERITY, Mode.BROADCAST)
    with pytest.raises(errors.MetadataInvalid):
        await bus.tasks.post(ann, channel, "x", metadata={})
    with pytest.raises(errors.MetadataInvalid):
        await bus.broadcasts.broadcast(ann, f"{channel}-news", "x", metadata={})
    assert await unfit(bus, ann, channel, {}, create=True) != []


async def test_a_note_of_fields_refuses_nothing(bus: Bus, ann: Caller, channel: str) -> None:
    """A schema without keywords is shown again as it was given."""
    await made(bus, ann, channel, {"severity": "string"})
    assert (await bus.messages.post(ann, channel, "x", metadata={"severity": 1})).message.metadata == {"severity": 1}
    assert (await bus.channels.get(ann, channel)).metadata_schema == {"severity": "string"}


async def test_a_schema_that_cannot_be_taken_makes_no_channel(bus: Bus, ann: Caller, channel: str) -> None:
    """Malformed, or one that would cost the bus too much."""
    for schema in ({"type": "strng"}, {"not": {"$ref": "#"}}, {"properties": {"a": {"pattern": "(?=a)b"}}}):
        with pytest.raises(errors.InvalidInput) as found:
            await made(bus, ann, channel, schema)
        assert errors.code_of(found.value) == "invalid_metadata_schema"
    with pytest.raises(errors.ChannelNotFound):
        await bus.channels.get(ann, channel)


async def test_a_changed_schema_holds_at_once_on_every_replica(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Another process that knew the schema of before does not go by it, to refuse or to store."""
    other = bus_over(world.other)
    await made(bus, ann, channel, SEVERITY)
    for one in (bus, other):
        await one.messages.post(ann, channel, "x", metadata={"severity": "low"})
    await other.channels.update(ann, channel, {"metadata_schema": NUMBER})
    assert await unfit(bus, ann, channel, {"severity": "low"}) == [{"field": "metadata.n", "issue": "is required"}]
    await bus.messages.post(ann, channel, "x", metadata={"n": 1})
    await bus.channels.update(ann, channel, {"metadata_schema": None})
    for one in (bus, other):
        await one.messages.post(ann, channel, "x", metadata={"any": "thing"})
    await bus.channels.update(ann, channel, {"metadata_schema": SEVERITY})
    assert await unfit(other, ann, channel, {"any": "thing"}) != []


async def test_no_post_slips_past_a_change(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """While the schema goes to and fro, each message that was stored fits one of the two, and none is lost or doubled."""
    other = bus_over(world.other)
    await made(bus, ann, channel, SEVERITY)

    async def change() -> None:
        for n in range(10):
            await other.channels.update(ann, channel, {"metadata_schema": SEVERITY if n % 2 else NUMBER})

    async def post(metadata: dict[str, Any]) -> int:
        try:
            await bus.messages.post(ann, channel, "x", metadata=metadata)
        except errors.MetadataInvalid:
            return 0
        return 1

    sent = [{"severity": "low"}, {"n": 1}, {"neither": True}] * 10
    stored, _ = await asyncio.gather(asyncio.gather(*map(post, sent)), change())
    assert not any(stored[2::3])
    assert (await bus.channels.counts(ann, channel)).total == sum(stored)


async def test_a_replay_is_not_checked_again(bus: Bus, ann: Caller, channel: str) -> None:
    """The message is there; a schema that came later does not make it undone."""
    await made(bus, ann, channel, NUMBER)
    first = await bus.messages.post(ann, channel, "x", metadata={"n": 1}, idempotency_key="k")
    await bus.channels.update(ann, channel, {"metadata_schema": SEVERITY})
    again = await bus.messages.post(ann, channel, "x", metadata={"n": 1}, idempotency_key="k")
    assert (again.message.id, again.replayed) == (first.message.id, True)
    with pytest.raises(errors.IdempotencyConflict):
        await bus.messages.post(ann, channel, "x", metadata={"n": 2}, idempotency_key="k")
    assert await unfit(bus, ann, channel, {"n": 1}, idempotency_key="l") != []


async def test_a_refused_post_leaves_its_key_free(bus: Bus, ann: Caller, channel: str) -> None:
    """Nothing was stored, so nothing is remembered."""
    await made(bus, ann, channel, NUMBER)
    assert await unfit(bus, ann, channel, {"n": "x"}, idempotency_key="k") != []
    posted = await bus.messages.post(ann, channel, "x", metadata={"n": 1}, idempotency_key="k")
    assert not posted.replayed


async def test_access_comes_before_the_schema(bus: Bus, ann: Caller, eve: Caller, channel: str) -> None:
    """Who may not post does not learn what would have fitted; nor does a paused or full channel speak of metadata."""
    await bus.channels.create(ann, NewChannel(channel, access=Access.RESTRICTED, metadata_schema=NUMBER))
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.messages.post(eve, channel, "x", metadata={})
    await bus.channels.update(ann, channel, {"paused": True})
    with pytest.raises(errors.ChannelPaused):
        await bus.messages.post(ann, channel, "x", metadata={})


async def test_what_does_not_fit_costs_no_write(bus: Bus, ann: Caller, channel: str) -> None:
    """The channel's writes a minute are for what is stored."""
    await bus.channels.create(ann, NewChannel(channel, metadata_schema=NUMBER, max_writes_per_minute=1))
    for _ in range(3):
        assert await unfit(bus, ann, channel, {}) != []
    await bus.messages.post(ann, channel, "x", metadata={"n": 1})
    with pytest.raises(errors.ChannelWriteRateExceeded):
        await bus.messages.post(ann, channel, "x", metadata={"n": 1})


async def test_a_schema_costs_a_round_trip_once(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """After the first post on it, a channel with a schema takes as many scripts as one without."""
    if world.name.startswith(("memory", "cluster")):
        pytest.skip("fakeredis counts no commands, and each node of a cluster its own")
    await made(bus, ann, channel, NUMBER)
    await made(bus, ann, f"{channel}-plain", None)

    async def scripts_of_a_post(name: str) -> int:
        before = await scripts(world)
        await bus.messages.post(ann, name, "x", metadata={"n": 1})
        return await scripts(world) - before

    plain, first, second = [await scripts_of_a_post(name) for name in (f"{channel}-plain", channel, channel)]
    assert (first, second) == (plain + 1, plain)


async def scripts(world: World) -> int:
    """How many the server has run."""
    stats: str = await world.redis("INFO", "commandstats")
    return sum(int(calls) for calls in re.findall(r"cmdstat_evalsha:calls=(\d+)", str(stats)))
