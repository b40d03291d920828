"""What befalls stores of many servers in a chaos run: failovers, and slots that move."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from bus.keys import Keys
from tests.fleets import Watched, until
from tests.servers import Server

from .actors import CHANNEL
from .stage import Stage


async def fail_over(stage: Stage, dice: random.Random) -> None:
    assert stage.watched is not None
    await _two_that_agree(stage.watched)
    await asyncio.to_thread(stage.watched.failover)
    await _two_that_agree(stage.watched)


async def kill_the_primary(stage: Stage, dice: random.Random) -> None:
    await _lose_the_primary(stage, "kill")


async def stop_the_primary(stage: Stage, dice: random.Random) -> None:
    await _lose_the_primary(stage, "pause")


async def _lose_the_primary(stage: Stage, how: str) -> None:
    pair = stage.watched
    assert pair is not None
    await _two_that_agree(pair)
    primary = pair.primary()
    getattr(primary, how)()
    try:
        await asyncio.to_thread(until, lambda: pair.primary() is not primary, "another server is the primary")
    finally:
        await asyncio.to_thread(primary.start if how == "kill" else primary.resume)
    await _two_that_agree(pair)


async def _two_that_agree(pair: Watched) -> None:
    """A second failover, to a replica that has not caught up yet, would lose all since the first."""
    await asyncio.to_thread(
        until, lambda: pair.agreed() and sum(map(_caught_up, pair.servers)) == 1, "the replica has caught up"
    )


def _caught_up(server: Server) -> bool:
    with server.client(socket_timeout=1) as client:
        info: Any = client.info("replication")
        return info["role"] == "slave" and info["master_link_status"] == "up" and not info["master_sync_in_progress"]


def _role(server: Server) -> str:
    with server.client(socket_timeout=1) as client:
        info: Any = client.info("replication")
        return str(info["role"])


async def move_the_slot(stage: Stage, dice: random.Random) -> None:
    """The channel's, to another primary."""
    fleet = stage.cluster
    assert fleet is not None
    key = Keys().stream(CHANNEL)
    source = await asyncio.to_thread(fleet.owner, key)
    target = dice.choice([each for each in await asyncio.to_thread(_primaries, stage) if each is not source])
    with source.client() as client:
        slot = int(client.execute_command("CLUSTER", "KEYSLOT", key))
    await asyncio.to_thread(fleet.move_slot, slot, source, target)


def _primaries(stage: Stage) -> list[Server]:
    assert stage.cluster is not None
    return [server for server in stage.cluster.servers if _role(server) == "master"]


async def cluster_takes_over(stage: Stage, dice: random.Random) -> None:
    """Asked for: the replica waits until it has everything, so nothing is lost."""
    fleet = stage.cluster
    assert fleet is not None
    primary = await asyncio.to_thread(fleet.owner, Keys().stream(CHANNEL))
    replica = await asyncio.to_thread(_replica_of, stage, primary)
    with replica.client() as client:
        client.execute_command("CLUSTER", "FAILOVER")
    swapped = lambda: _role(replica) == "master" and _caught_up(primary)  # noqa: E731 - it is read where it is used
    await asyncio.to_thread(until, swapped, "the replica is the primary")
    await asyncio.to_thread(until, fleet.well, "the cluster is well")


async def kill_a_cluster_primary(stage: Stage, dice: random.Random) -> None:
    fleet = stage.cluster
    assert fleet is not None
    primary = await asyncio.to_thread(fleet.owner, Keys().stream(CHANNEL))
    replica = await asyncio.to_thread(_replica_of, stage, primary)
    primary.kill()
    try:
        await asyncio.to_thread(until, lambda: _role(replica) == "master", "the replica is the primary")
    finally:
        await asyncio.to_thread(primary.start)
    await asyncio.to_thread(until, lambda: _caught_up(primary) and fleet.well(), "the old primary has caught up")


def _replica_of(stage: Stage, primary: Server) -> Server:
    assert stage.cluster is not None
    master = stage.cluster.node_id(primary)
    for server in stage.cluster.servers:
        if server is not primary:
            with server.client() as client:
                mine = next(line for line in str(client.execute_command("CLUSTER", "NODES")).splitlines() if "myself" in line)
                if f"slave {master}" in mine:
                    return server
    raise AssertionError("it has no replica")
