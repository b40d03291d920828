"""A real cluster of six Valkeys: every key finds its node, also while slots move and primaries die."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

import pytest

from bus.errors import StoreUnavailable
from bus.models import State
from tests.fleets import Cluster, until
from tests.servers import Server
from tests.topologies.conftest import (
    LONG,
    LONG_FORM,
    PROMPTLY,
    handed_over,
    once_back,
    opens,
    parked,
    said,
    somebody,
    until_said,
)

pytestmark = pytest.mark.anyio


def slot_of(fleet: Cluster, channel: str) -> int:
    with fleet.primaries[0].client() as client:
        return int(client.execute_command("CLUSTER", "KEYSLOT", f"t:{{{channel}}}"))


async def test_every_verb_finds_its_node(fleet: Cluster) -> None:
    """Thirty channels lie on all three primaries; handing over, listing, keys and broadcasts work on each."""
    async with opens(fleet.url)() as bus:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        channels = [f"spread-{n}" for n in range(30)]
        await asyncio.gather(*(handed_over(bus, ann, bob, channel) for channel in channels))
        owners = {fleet.owner(f"t:{{{channel}}}") for channel in channels}
        assert owners == set(fleet.primaries)
        assert {item.id for item in (await bus.channels.list(ann, limit=100)).items} >= set(channels)
        told = await bus.broadcasts.broadcast(ann, "spread-news", "hello")
        page = await bus.messages.subscribe(bob, "spread-news", since="0")
        assert [message.id for message in page.items] == [told.message.id]
        health = await bus.ping()
        assert (health.store, health.where) == ("cluster", fleet.url)


async def test_a_redirection_is_followed_without_anybody_noticing(fleet: Cluster) -> None:
    """MOVED: a slot that another primary owns now is found there at the first call."""
    async with opens(fleet.url)() as bus:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        await handed_over(bus, ann, bob, "moving")
        owner = fleet.owner("t:{moving}")
        target = next(server for server in fleet.primaries if server is not owner)
        fleet.move_slot(slot_of(fleet, "moving"), owner, target)
        before = said(owner, "MOVED")
        await handed_over(bus, ann, bob, "moving")
        assert said(owner, "MOVED") > before
        assert fleet.owner("t:{moving}") is target


async def test_calls_in_the_middle_of_a_slots_move_wait_for_its_end(fleet: Cluster) -> None:
    """TRYAGAIN: a script whose keys are half here, half there has done nothing, and goes on when the slot has arrived."""
    async with opens(fleet.url)() as bus:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        await bus.tasks.post(ann, "halfway", "before")
        owner = fleet.owner("t:{halfway}")
        target = next(server for server in fleet.primaries if server is not owner)
        loop, before = asyncio.get_running_loop(), said(owner, "TRYAGAIN")
        calls: list[asyncio.Task[object]] = []

        async def meanwhile() -> None:
            calls.extend(asyncio.create_task(bus.tasks.post(ann, "halfway", f"during {n}")) for n in range(5))
            calls.append(asyncio.create_task(bus.tasks.claim(bob, "halfway", wait=LONG)))
            await until_said(owner, "TRYAGAIN", before)

        def half_way() -> None:
            asyncio.run_coroutine_threadsafe(meanwhile(), loop).result(10)

        await asyncio.to_thread(fleet.move_slot, slot_of(fleet, "halfway"), owner, target, half_way=half_way)
        async with asyncio.timeout(PROMPTLY):
            await asyncio.gather(*calls)
        counts = await bus.channels.counts(ann, "halfway")
        assert (counts.waiting, counts.in_flight) == (5, 1)


@pytest.mark.parametrize("told", [True, pytest.param(False, marks=LONG_FORM)])
async def test_a_waiting_worker_follows_its_channel_to_another_node(fleet: Cluster, told: bool) -> None:
    """Notifications come from the node that owns the key: a wait that began before the move is woken after it. A process
    that has no other calls to make there learns of the move at the next look."""
    async with opens(fleet.url)() as bus, opens(fleet.url)() as other:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        await handed_over(bus, ann, bob, "followed")
        waiting = asyncio.create_task(bus.tasks.claim(bob, "followed", wait=LONG))
        owner = fleet.owner("t:{followed}")
        await parked(waiting, bus, bob, "followed", "t:{followed}:stream", owner)
        target = next(server for server in fleet.primaries if server is not owner)
        await asyncio.to_thread(fleet.move_slot, slot_of(fleet, "followed"), owner, target)
        if told:
            await bus.channels.counts(ann, "followed")
            await parked(waiting, bus, bob, "followed", "t:{followed}:stream", target)
        posted = await other.tasks.post(ann, "followed", "after the move")
        async with asyncio.timeout(PROMPTLY):
            claim = await waiting
        assert claim is not None
        assert claim.id == posted.message.id


async def test_a_dead_primary_is_replaced_and_nothing_acknowledged_by_its_replica_is_lost(fleet: Cluster) -> None:
    """Failover: a post into the gap is tried on, or fails clearly; then work, waits and results go on at the replica."""
    async with opens(fleet.url)() as bus, opens(fleet.url)() as other:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        owner = fleet.owner("t:{bereft}")
        kept = [(await bus.tasks.post(ann, "bereft", f"task {n}")).message.id for n in range(20)]
        replica = await asyncio.to_thread(fleet.replica_of, owner)
        with owner.client() as client:
            assert client.execute_command("WAIT", 1, 5000) == 1
        waiting = asyncio.create_task(bus.tasks.await_result(ann, kept[0], wait=LONG))
        await parked(waiting, bus, ann, "bereft", f"t:{{bereft}}:result:{kept[0].rpartition(':')[2]}", owner)
        owner.kill()
        try:
            with suppress(StoreUnavailable):  # when it lasts longer than a call is tried again
                async with asyncio.timeout(PROMPTLY):
                    await other.tasks.post(ann, "bereft", "into the gap")
            done: set[str] = set()
            while claim := await once_back(lambda: other.tasks.claim(bob, "bereft")):
                await once_back(lambda c=claim: other.tasks.ack(bob, c.id, claim_token=c.claim_token, result="x"))
                done.add(claim.id)
            assert done >= set(kept)
            async with asyncio.timeout(PROMPTLY):
                assert (await waiting).state is State.DONE
            assert fleet.owner("t:{bereft}") is replica
        finally:
            await asyncio.to_thread(owner.start)
            await asyncio.to_thread(until, fleet.well, "the cluster is well again")


@LONG_FORM
async def test_nobody_stays_connected_to_a_node_that_owns_nothing_any_more(fleet: Cluster) -> None:
    """Nodes come and go; connections to those that went are given up after a while, and not at the first word of it."""
    replica, other = fleet.replicas[0], fleet.primaries[0]
    async with opens(fleet.url)() as bus:
        ann = await somebody(bus, "ann")
        await asyncio.gather(*(bus.tasks.post(ann, f"spread-{n}", "x") for n in range(30)))
        owners = {fleet.owner(f"t:{{spread-{n}}}") for n in range(30)}
        gone = next(each for each in owners if each is not other)
        heir = await asyncio.to_thread(fleet.replica_of, gone) if gone in fleet.primaries else replica
        with heir.client() as client:
            client.execute_command("CLUSTER", "FAILOVER")
        await asyncio.to_thread(until, lambda: fleet.well() and bool(connections(heir)), "the replica has taken over")
        await asyncio.gather(*(once_back(partial(bus.tasks.post, ann, f"spread-{n}", "x")) for n in range(30)))
        await asyncio.to_thread(until, lambda: not connections(gone), "the former primary is left alone")


def connections(server: Server) -> int:
    """Of ours."""
    with server.client() as client:
        return sum(each["name"] == "backchannel" for each in client.client_list())
