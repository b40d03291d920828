"""Which of the tasks awaited in one call are looked at, and when: those that rang, and after a gap all that are open."""

from __future__ import annotations

import asyncio

import pytest

from bus import Bus, Caller

from .verbs import LONG, held, told
from .worlds import SOON, World

pytestmark = pytest.mark.anyio


async def test_what_was_not_heard_of_is_found_after_a_gap(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Notifications come at most once: after a re-subscription every open task is looked at, not only those that ring."""
    claims = [await held(bus, ann, bob, channel) for _ in range(2)]
    unheard = world.keys.result(channel, claims[0].id.rpartition(":")[2])
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(told(bus, ann, [claim.id for claim in claims]))
        await world.parked()
        world.engine.store.notifications.unwatch(unheard)
        async with asyncio.timeout(SOON):
            while (await world.redis("PUBSUB", "NUMSUB", f"__keyspace@0__:{unheard}"))[1]:  # noqa: ASYNC110 - unsubscribing tells no event
                await asyncio.sleep(0.002)
        for number, claim in enumerate(claims):
            await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=number)
        await world.parked()
        assert not waiting.done()
        world.engine.bell.lost_track()
    assert [m.outcome and m.outcome.result for m in waiting.result()] == [0, 1]


async def test_fifty_at_once_cost_the_store_no_more_than_fifty_alone(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """An outcome makes only the task looked at whose it is, not all that are still open."""
    if not world.name.endswith("-redis") or world.name.startswith("memory"):
        pytest.skip("counted by the server, with nobody between")

    async def cost(alone: bool) -> int:
        claims = [await held(bus, ann, bob, channel) for _ in range(50)]
        ids = [claim.id for claim in claims]
        before = await _scripts_run(world)
        async with asyncio.TaskGroup() as group:
            if alone:
                for message_id in ids:
                    group.create_task(bus.tasks.await_result(ann, message_id, wait=LONG))
            else:
                group.create_task(told(bus, ann, ids))
            await world.parked(50 if alone else 1)
            for claim in claims:
                await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
        return await _scripts_run(world) - before

    alone, at_once = await cost(True), await cost(False)
    assert at_once <= alone


async def _scripts_run(world: World) -> int:
    stats: str = await world.redis("INFO", "commandstats")
    line = next(line for line in stats.splitlines() if line.startswith("cmdstat_evalsha:"))
    return int(line.partition("calls=")[2].partition(",")[0])
