"""What servers say when they cannot just now, each said by a real one: nothing was done, so the bus goes on when they can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest
from redis.exceptions import ResponseError

from bus import Bus
from bus.errors import StoreUnavailable
from tests.contract.stores import opened
from tests.fleets import Cluster, cluster
from tests.servers import Server, free_port, server
from tests.topologies.conftest import LONG, LONG_FORM, PROMPTLY, handed_over, once_back, opens, said, somebody, until_said

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with server(tmp_path_factory.mktemp("one"), tcp=True) as running:
        yield running


@pytest.fixture(scope="module")
def three() -> Generator[Cluster]:
    with cluster() as found:
        yield found


@pytest.fixture
async def bus(three: Cluster) -> AsyncGenerator[Bus]:
    async with opens(three.url)() as one_more:
        yield one_more


def slot_of(three: Cluster, channel: str) -> tuple[int, Server, Server]:
    """The channel's slot, who owns it, and who does not."""
    with three.primaries[0].client() as client:
        slot = int(client.execute_command("CLUSTER", "KEYSLOT", f"t:{{{channel}}}"))
    owner = three.owner(f"t:{{{channel}}}")
    return slot, owner, next(each for each in three.primaries if each is not owner)


def ask(where: Server, *command: str | int) -> None:
    with where.client() as client:
        client.execute_command(*command)


@pytest.mark.parametrize("stale", ["yes", "no"])
async def test_a_server_that_was_made_a_replica_is_used_again_once_it_is_none(one: Server, stale: str) -> None:
    """READONLY, and MASTERDOWN from one that does not answer without its primary: a clear error meanwhile."""
    async with opens(one.url)() as bus:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        await handed_over(bus, ann, bob, "work")
        ask(one, "CONFIG", "SET", "replica-serve-stale-data", stale)
        ask(one, "REPLICAOF", "127.0.0.1", free_port())
        try:
            with pytest.raises(StoreUnavailable, match="nothing was"):
                await bus.tasks.post(ann, "work", "into the gap")
            assert said(one, "READONLY" if stale == "yes" else "MASTERDOWN") > 0
        finally:
            ask(one, "REPLICAOF", "NO", "ONE")
        await once_back(lambda: handed_over(bus, ann, bob, "work"))


async def test_a_group_that_is_gone_is_made_again(one: Server) -> None:
    """NOGROUP, after a failover to a replica that was behind: the tasks are there and are handed out."""
    async with opens(one.url)() as bus:
        ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
        posted = await bus.tasks.post(ann, "groupless", "x")
        ask(one, "XGROUP", "DESTROY", "t:{groupless}:stream", "workers")
        claim = await bus.tasks.claim(bob, "groupless")
        assert claim is not None
        assert claim.id == posted.message.id


async def test_a_cluster_named_as_one_server_is_told_apart(three: Cluster) -> None:
    """redis:// to a node of a cluster: the error says what to write instead."""
    _, _, other = slot_of(three, "elsewhere")
    async with opened(other.url) as store:
        with pytest.raises(ResponseError, match=r"redis\+cluster://"):
            await store.command("GET", "t:{elsewhere}")


@LONG_FORM
async def test_one_server_named_as_a_cluster_is_told_apart(one: Server) -> None:
    """redis+cluster:// to a single server: calls fail with what it says."""
    async with opens(f"redis+cluster://127.0.0.1:{one.port}")() as bus:
        with pytest.raises(StoreUnavailable, match="cluster support disabled"):
            await bus.ping()


async def test_scripts_that_a_node_has_forgotten_are_sent_again(three: Cluster, bus: Bus) -> None:
    """NOSCRIPT on each node: nobody notices."""
    ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
    await handed_over(bus, ann, bob, "forgetful")
    _, owner, _ = slot_of(three, "forgetful")
    ask(owner, "SCRIPT", "FLUSH")
    before = said(owner, "NOSCRIPT")
    await handed_over(bus, ann, bob, "forgetful")
    assert said(owner, "NOSCRIPT") > before


async def test_a_slot_that_nobody_serves_is_waited_for(three: Cluster, bus: Bus) -> None:
    """CLUSTERDOWN: a call goes on as soon as the slot is served again."""
    ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
    await handed_over(bus, ann, bob, "unserved")
    slot, owner, _ = slot_of(three, "unserved")
    before = said(owner, "CLUSTERDOWN")
    ask(owner, "CLUSTER", "DELSLOTS", slot)
    posting = asyncio.create_task(bus.tasks.post(ann, "unserved", "x"))
    await until_said(owner, "CLUSTERDOWN", before)
    ask(owner, "CLUSTER", "ADDSLOTS", slot)
    async with asyncio.timeout(PROMPTLY):
        await posting
    await handed_over(bus, ann, bob, "served-again")
    assert (await bus.channels.counts(ann, "unserved")).waiting == 1


async def test_nodes_that_send_a_call_to_one_another_are_tried_on_until_they_agree(three: Cluster, bus: Bus) -> None:
    """MOVED in circles: it ends with the call done once, when one of them is right again."""
    ann = await somebody(bus, "ann")
    await bus.tasks.post(ann, "circles", "before")
    slot, owner, other = slot_of(three, "circles")
    before = said(owner, "MOVED")
    ask(owner, "CLUSTER", "DELSLOTS", slot)  # it hears from nobody that the slot is another's, so it may be told a lie
    ask(owner, "CLUSTER", "SETSLOT", slot, "NODE", three.node_id(other))
    posting = asyncio.create_task(bus.tasks.post(ann, "circles", "x"))
    await until_said(owner, "MOVED", before)
    ask(owner, "CLUSTER", "SETSLOT", slot, "NODE", three.node_id(owner))
    async with asyncio.timeout(PROMPTLY):
        await posting
    assert (await bus.channels.counts(ann, "circles")).waiting == 2


async def test_calls_that_are_given_up_while_a_slot_is_away_leave_nothing_behind(three: Cluster, bus: Bus) -> None:
    """What a cancelled claim takes later, because it is on its way, is given back; other calls go on."""
    ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
    await bus.tasks.post(ann, "given-up", "x")
    slot, owner, _ = slot_of(three, "given-up")
    before = said(owner, "CLUSTERDOWN")
    ask(owner, "CLUSTER", "DELSLOTS", slot)
    claiming = [asyncio.create_task(bus.tasks.claim(bob, "given-up")) for _ in range(200)]
    await until_said(owner, "CLUSTERDOWN", before)
    for each in claiming:
        each.cancel()
    await asyncio.gather(*claiming, return_exceptions=True)
    ask(owner, "CLUSTER", "ADDSLOTS", slot)
    claim = await once_back(lambda: bus.tasks.claim(bob, "given-up", wait=LONG))
    assert claim is not None
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    counts = await bus.channels.counts(ann, "given-up")
    assert (counts.waiting, counts.in_flight, counts.done) == (0, 0, 1)


async def test_closing_ends_calls_that_wait_for_a_slot(three: Cluster) -> None:
    """With an error, at once, and without a task left behind."""
    others = asyncio.all_tasks()
    async with opens(three.url)() as bus:
        ann = await somebody(bus, "ann")
        await bus.tasks.post(ann, "closing", "x")
        slot, owner, _ = slot_of(three, "closing")
        before = said(owner, "CLUSTERDOWN")
        ask(owner, "CLUSTER", "DELSLOTS", slot)
        posting = [asyncio.create_task(bus.tasks.post(ann, "closing", "x")) for _ in range(20)]
        await until_said(owner, "CLUSTERDOWN", before)
    async with asyncio.timeout(1):
        ends = await asyncio.gather(*posting, return_exceptions=True)
    ask(owner, "CLUSTER", "ADDSLOTS", slot)
    assert all(isinstance(each, StoreUnavailable) for each in ends)
    assert asyncio.all_tasks() <= others | set(posting)
