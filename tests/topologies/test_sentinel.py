"""A real primary, its replica and three sentinels: the bus follows whoever is the primary."""

from __future__ import annotations

import asyncio

import pytest

from bus.errors import StoreUnavailable
from bus.models import State
from tests.fleets import Watched, until
from tests.servers import Server
from tests.topologies.conftest import LONG, LONG_FORM, PROMPTLY, handed_over, once_back, opens, parked, somebody

pytestmark = pytest.mark.anyio


def connected(server: Server) -> int:
    """Connections of ours: two of each bus."""
    with server.client() as client:
        return sum(each["name"] == "backchannel" for each in client.client_list())


async def test_a_failover_moves_work_waits_and_notifications(pair: Watched) -> None:
    """A planned failover: what was acknowledged is there, and a wait that began before it is woken after it."""
    async with opens(pair.url)() as bus, opens(pair.url)() as other:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        posted = await bus.tasks.post(ann, "moved", "before the failover")
        result = asyncio.create_task(bus.tasks.await_result(ann, posted.message.id, wait=LONG))
        await handed_over(bus, ann, bob, "moved-too")
        work = asyncio.create_task(bus.tasks.claim(bob, "moved-too", wait=LONG))
        before = pair.primary()
        key = f"t:{{moved}}:result:{posted.message.id.rpartition(':')[2]}"
        await parked(result, bus, ann, "moved", key, before)
        await parked(work, bus, bob, "moved-too", "t:{moved-too}:stream", before)
        await asyncio.to_thread(pair.failover)
        # What the old primary accepts until it is demoted is lost: that is Redis's way, and said in the guarantees.
        await asyncio.to_thread(until, lambda: connected(pair.primary()) == 4, "both buses have followed")
        claim = await once_back(lambda: other.tasks.claim(bob, "moved"))
        assert claim is not None
        assert claim.id == posted.message.id
        await once_back(lambda: other.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="done"))
        async with asyncio.timeout(PROMPTLY):
            assert (await result).state is State.DONE
        later = await once_back(lambda: other.tasks.post(ann, "moved-too", "after it"))
        async with asyncio.timeout(PROMPTLY):
            found = await work
        assert found is not None
        assert found.id == later.message.id
        assert pair.primary() is not before
        assert (await bus.ping()).store == "sentinel"


@LONG_FORM
@pytest.mark.parametrize("how", ["kill", "pause"])
async def test_a_primary_that_dies_or_falls_silent_is_replaced(pair: Watched, how: str) -> None:
    """Calls fail clearly while there is none, and go on as soon as the replica is promoted; replicated tasks are kept."""
    await asyncio.to_thread(pair.settled)
    async with opens(pair.url)() as bus:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        channel = f"kept-{how}"
        kept = {(await bus.tasks.post(ann, channel, f"task {n}")).message.id for n in range(20)}
        primary = pair.primary()
        with primary.client() as client:
            assert client.execute_command("WAIT", 1, 5000) == 1
        getattr(primary, how)()
        try:
            with pytest.raises(StoreUnavailable):
                await bus.tasks.post(ann, channel, "into the gap")
            await asyncio.to_thread(until, lambda: pair.primary() is not primary, "another server is the primary")
            found: set[str] = set()
            while claim := await once_back(lambda: bus.tasks.claim(bob, channel)):
                found.add(claim.id)
            assert found >= kept
        finally:
            await asyncio.to_thread(primary.start if how == "kill" else primary.resume)
            await asyncio.to_thread(pair.settled)
