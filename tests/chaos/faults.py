"""The faults that a chaos run injects, what each is allowed to undo, and on what it plays."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from bus import Settings, connect
from bus.keys import Keys
from tests.fleets import until
from tests.servers import Server

from .actors import CHANNEL
from .stage import LEASE_SECONDS, Process, Shape, Stage

Strike = Callable[[Stage, random.Random], Awaitable[None]]
EVERYTHING: Final = float("inf")


@dataclass(frozen=True)
class Fault:
    """`strike` injects it and ends it. `undoes_seconds`: what was acknowledged so long before it struck, or until
    `settles_seconds` after it was over, may be undone (None: nothing may). `allowed`: the same in words."""

    name: str
    strike: Strike
    shape: Shape = "one"
    times: int = 3
    options: Sequence[str] = ()
    undoes_seconds: float | None = None
    settles_seconds: float = 0.0
    allowed: str = "nothing"


async def nothing(stage: Stage, dice: random.Random) -> None:
    await asyncio.sleep(1)


async def _replace(process: Process, dice: random.Random) -> None:
    await process.kill()
    await asyncio.sleep(dice.uniform(0, 0.5))
    process.start()


async def kill_a_worker(stage: Stage, dice: random.Random) -> None:
    await _replace(dice.choice(stage.workers), dice)


async def stop_a_worker(stage: Stage, dice: random.Random) -> None:
    """For longer than its leases last: it wakes up as the holder of what is another's by now."""
    await _pause(dice.choice(stage.workers), LEASE_SECONDS + 1)


async def _pause(process: Process, seconds: float) -> None:
    process.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.send(signal.SIGCONT)


async def kill_those_who_wait(stage: Stage, dice: random.Random) -> None:
    """A poster and an awaiter: both go on from what they have in writing."""
    await asyncio.gather(_replace(dice.choice(stage.posters), dice), _replace(dice.choice(stage.awaiters), dice))


async def kill_a_replica(stage: Stage, dice: random.Random) -> None:
    which = dice.randrange(len(stage.replicas))
    await _replace(stage.replicas[which], dice)
    await stage.ready(which)


async def stop_a_replica(stage: Stage, dice: random.Random) -> None:
    await _pause(dice.choice(stage.replicas), dice.uniform(2, 4))


async def roll_the_replicas(stage: Stage, dice: random.Random) -> None:
    for which, replica in enumerate(stage.replicas):
        replica.send(signal.SIGTERM)
        code = await replica.ended()
        assert code == 0, f"{replica.name} ended with {code}"
        replica.start()
        await stage.ready(which)


async def kill_the_store(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    await _restart(stage.server)


async def _restart(server: Server) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def stop_the_store(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    stage.server.pause()
    await asyncio.sleep(dice.uniform(1, 6))
    stage.server.resume()


async def break_the_connections(stage: Stage, dice: random.Random) -> None:
    """All at once, and the scripts are forgotten."""
    assert stage.server is not None
    with stage.server.client() as client:
        client.script_flush()
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


async def cut_the_line(stage: Stage, dice: random.Random) -> None:
    assert stage.line is not None
    stage.line.set_weather("cut")
    await asyncio.sleep(dice.uniform(0.2, 3))
    stage.line.set_weather("fair")


async def swallow_everything(stage: Stage, dice: random.Random) -> None:
    assert stage.line is not None
    stage.line.set_weather("silent")
    await asyncio.sleep(dice.uniform(1, 3))
    stage.line.set_weather("fair")


async def slow_the_line(stage: Stage, dice: random.Random) -> None:
    assert stage.line is not None
    stage.line.delay_seconds = 0.2
    await asyncio.sleep(4)
    stage.line.delay_seconds = 0.0


async def jump_the_clocks(stage: Stage, dice: random.Random) -> None:
    """An hour or a day ahead, an hour back."""
    for offset in (dice.choice([3600, 86_400]), -3600, 0):
        stage.clock.write_text(str(offset))
        await asyncio.sleep(1)


async def fill_the_disk(stage: Stage, dice: random.Random) -> None:
    """The files of the store cannot grow any more; later they can again. A store that gave up is started again."""
    server = stage.server
    assert server is not None
    largest = max(path.stat().st_size for path in Path(server.directory).rglob("*.aof"))
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + dice.randrange(10, 5000), resource.RLIM_INFINITY))
    await asyncio.sleep(2)
    try:
        with server.client() as client:
            client.ping()
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except redis.RedisError:  # with appendfsync always it ends rather than break its word
        await _restart(server)


async def empty_the_store(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    with stage.server.client() as client:
        client.flushall()
    await give_new_key(stage)


async def give_new_key(stage: Stage) -> None:
    """As its users would after all was lost."""
    async with connect(Settings(redis_url=stage.direct_url)) as bus:
        stage.give_key((await bus.credentials.issue("chaos")).api_key)


async def restart_everything(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    everything = [*stage.processes]
    dice.shuffle(everything)
    await asyncio.gather(*(process.kill() for process in everything))
    await _restart(stage.server)
    for process in everything:
        process.start()
    await asyncio.gather(*(stage.ready(n) for n in range(len(stage.replicas))))


async def anything(stage: Stage, dice: random.Random) -> None:
    """One after the other, and some at once."""
    several = [
        kill_a_worker, stop_a_worker, kill_a_replica, stop_a_replica, kill_the_store, break_the_connections,
        kill_those_who_wait, jump_the_clocks,
    ]  # fmt: skip
    await asyncio.gather(*(strike(stage, dice) for strike in dice.sample(several, 3)))


async def fail_over(stage: Stage, dice: random.Random) -> None:
    assert stage.watched is not None
    await asyncio.to_thread(until, stage.watched.agreed, "the sentinels see a replica")
    await asyncio.to_thread(stage.watched.failover)


async def kill_the_primary(stage: Stage, dice: random.Random) -> None:
    await _lose_the_primary(stage, "kill")


async def stop_the_primary(stage: Stage, dice: random.Random) -> None:
    await _lose_the_primary(stage, "pause")


async def _lose_the_primary(stage: Stage, how: str) -> None:
    pair = stage.watched
    assert pair is not None
    await asyncio.to_thread(until, pair.agreed, "the sentinels see a replica")
    primary = pair.primary()
    getattr(primary, how)()
    try:
        await asyncio.to_thread(until, lambda: pair.primary() is not primary, "another server is the primary")
    finally:
        await asyncio.to_thread(primary.start if how == "kill" else primary.resume)
    await asyncio.to_thread(until, lambda: _role(primary) == "slave", "the old primary is a replica")


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
    await asyncio.to_thread(until, lambda: _role(replica) == "master" and _role(primary) == "slave", "the replica is the primary")
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
    await asyncio.to_thread(until, lambda: _role(primary) == "slave" and fleet.well(), "the cluster is well")


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


UNREPLICATED = "what had not reached the replica, and what the old primary took before it knew"
EVERYSEC, ALWAYS = ("--appendfsync", "everysec"), ("--appendfsync", "always")
FAULTS: Final = (
    Fault("none", nothing),
    Fault("SIGKILL of workers", kill_a_worker, times=6),
    Fault("SIGSTOP of workers past their leases", stop_a_worker, times=3),
    Fault("SIGKILL of posters and awaiters", kill_those_who_wait, times=4),
    Fault("SIGKILL of API replicas", kill_a_replica, times=4),
    Fault("SIGSTOP of API replicas", stop_a_replica, times=3),
    Fault("rolling restart of API replicas", roll_the_replicas, times=2),
    Fault("SIGKILL of Redis, appendfsync always", kill_the_store, times=5),
    Fault("SIGKILL of Redis, appendfsync everysec", kill_the_store, times=5, options=EVERYSEC, undoes_seconds=2,
          allowed="the 2 s before it"),
    Fault("SIGSTOP of Redis", stop_the_store, times=3),
    Fault("all connections killed, SCRIPT FLUSH", break_the_connections, times=10),
    Fault("network cut", cut_the_line, shape="proxied", times=4),
    Fault("network silent, connections forgotten", swallow_everything, shape="proxied", times=2),
    Fault("network 200 ms slower each way", slow_the_line, shape="proxied", times=2),
    Fault("clients' clocks jump an hour or a day", jump_the_clocks, times=3),
    Fault("disk full, appendfsync everysec", fill_the_disk, options=EVERYSEC, times=3),
    Fault("disk full, appendfsync always", fill_the_disk, options=ALWAYS, times=3),
    Fault("FLUSHALL", empty_the_store, times=2, undoes_seconds=EVERYTHING, settles_seconds=1, allowed="all before it"),
    Fault("restart of everything", restart_everything, times=2),
    Fault("three of these at once, on one Redis", anything, times=3),
    Fault("Sentinel failover, asked for", fail_over, shape="sentinel", times=2, undoes_seconds=2, settles_seconds=3,
          allowed=UNREPLICATED),
    Fault("Sentinel: SIGKILL of the primary", kill_the_primary, shape="sentinel", times=2, undoes_seconds=2,
          settles_seconds=3, allowed=UNREPLICATED),
    Fault("Sentinel: SIGSTOP of the primary", stop_the_primary, shape="sentinel", times=2, undoes_seconds=2,
          settles_seconds=3, allowed=UNREPLICATED),
    Fault("cluster: the channel's slot moves", move_the_slot, shape="cluster", times=6),
    Fault("cluster failover, asked for", cluster_takes_over, shape="cluster", times=3),
    Fault("cluster: SIGKILL of the primary", kill_a_cluster_primary, shape="cluster", times=2, undoes_seconds=2,
          settles_seconds=2, allowed=UNREPLICATED),
)  # fmt: skip
