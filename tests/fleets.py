"""Many real Valkeys that belong together: a cluster of primaries and replicas, or a primary watched by sentinels."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.servers import Server, free_port

READY_SECONDS = 30.0
SLOTS = 16_384
NODE_TIMEOUT_MS = 1000
PROMPT = ("--repl-diskless-sync-delay", "0")
"""A new replica is served at once: no other will come."""


def until(check: Callable[[], bool], what: str) -> None:
    """Poll, with a bound: servers that agree among themselves tell nobody."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            if check():
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < deadline, f"{what} never came true"
        time.sleep(0.02)


class Cluster:
    """Three primaries and, when asked for, a replica of each."""

    def __init__(self, primaries: Sequence[Server], replicas: Sequence[Server]) -> None:
        self.primaries = primaries
        self.replicas = replicas

    @property
    def servers(self) -> Sequence[Server]:
        return [*self.primaries, *self.replicas]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def node_id(self, server: Server) -> str:
        with server.client() as client:
            return str(client.execute_command("CLUSTER", "MYID"))

    def owner(self, redis_key: str) -> Server:
        """The primary that owns the key's slot now, as the first live server has it."""
        with self._live().client() as client:
            slot = int(client.execute_command("CLUSTER", "KEYSLOT", redis_key))
            for row in self._slots(client):
                if row[0] <= slot <= row[1]:
                    return next(server for server in self.servers if server.port == row[2])
        raise AssertionError(f"nobody owns the slot of {redis_key}")

    def replica_of(self, primary: Server) -> Server:
        master = self.node_id(primary)
        for server in self.replicas:
            with server.client() as client:
                if f"slave {master}" in str(client.execute_command("CLUSTER", "NODES")).split("myself,")[1].splitlines()[0]:
                    return server
        raise AssertionError("it has no replica")

    def move_slot(self, slot: int, source: Server, target: Server, *, half_way: Callable[[], None] = lambda: None) -> None:
        """Move one slot with all its keys, in the old way, in which clients see ASK and TRYAGAIN meanwhile."""
        from_id, to_id = self.node_id(source), self.node_id(target)
        with source.client() as old, target.client() as new:
            new.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", from_id)
            old.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", to_id)
            half_way()
            while found := old.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
                old.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *found)
            for client in (new, old):
                client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", to_id)

    def _live(self) -> Server:
        for server in self.servers:
            try:
                with server.client(socket_timeout=1) as client:
                    if "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")):
                        return server
            except redis.RedisError:
                continue
        raise redis.ConnectionError("no server of the cluster is well")

    def _slots(self, client: redis.Redis) -> list[tuple[int, int, int]]:
        rows: Any = client.execute_command("CLUSTER", "SHARDS")
        found: list[tuple[int, int, int]] = []
        for shard in rows:
            fields = dict(zip(shard[::2], shard[1::2], strict=True)) if isinstance(shard, list) else shard
            nodes = [dict(zip(n[::2], n[1::2], strict=True)) if isinstance(n, list) else n for n in fields["nodes"]]
            port = next((int(n["port"]) for n in nodes if n["role"] == "master" and n["health"] == "online"), 0)
            slots = [int(each) for each in fields["slots"]]
            found += [(first, last, port) for first, last in zip(slots[::2], slots[1::2], strict=True)]
        return found

    def well(self) -> bool:
        for server in self.servers:
            with server.client() as client:
                info = str(client.execute_command("CLUSTER", "INFO"))
                if "cluster_state:ok" not in info or f"cluster_known_nodes:{len(self.servers)}" not in info:
                    return False
        return True


@contextmanager
def cluster(*, replicas: bool = False) -> Generator[Cluster]:
    """A cluster on loopback ports; its servers end with it."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bcc-", dir="/tmp")))

        def started(name: str) -> Server:
            (home / name).mkdir()
            options = (
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                str(NODE_TIMEOUT_MS),
                "--cluster-port",
                str(free_port()),
            )
            server = Server(home / name, *options, "--cluster-replica-validity-factor", "0", *PROMPT, tcp=True)
            stack.callback(server.stop)
            server.start()
            return server

        primaries = [started(f"p{n}") for n in range(3)]
        others = [started(f"r{n}") for n in range(3)] if replicas else []
        found = Cluster(primaries, others)
        _join(found)
        yield found


def _join(fleet: Cluster) -> None:
    share = -(-SLOTS // len(fleet.primaries))
    ports = {server: _cluster_port(server) for server in fleet.servers}
    for n, server in enumerate(fleet.primaries):
        with server.client() as client:
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", n * share, min((n + 1) * share, SLOTS) - 1)
    for n, server in enumerate(fleet.replicas):
        with server.client() as client:
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", len(fleet.primaries) + n + 1)
    with fleet.primaries[0].client() as first:
        for server in fleet.servers[1:]:
            first.execute_command("CLUSTER", "MEET", "127.0.0.1", server.port, ports[server])
    until(lambda: all(_knows(server, len(fleet.servers)) for server in fleet.servers), "the nodes know one another")
    for primary, replica in zip(fleet.primaries, fleet.replicas, strict=False):
        with replica.client() as client:
            client.execute_command("CLUSTER", "REPLICATE", fleet.node_id(primary))
    until(fleet.well, "the cluster is well")
    until(lambda: all(_linked(server) for server in fleet.replicas), "the replicas are up to date")


def _cluster_port(server: Server) -> int:
    with server.client() as client:
        return int(client.config_get("cluster-port")["cluster-port"])


def _knows(server: Server, nodes: int) -> bool:
    with server.client() as client:
        return f"cluster_known_nodes:{nodes}" in str(client.execute_command("CLUSTER", "INFO"))


def _linked(server: Server) -> bool:
    with server.client() as client:
        info: Any = client.info("replication")
        return info.get("master_link_status") == "up"


class Watched:
    """A primary, replicas of it, and sentinels that watch them as `mymaster`."""

    name = "mymaster"

    def __init__(self, servers: Sequence[Server], sentinels: Sequence[Server]) -> None:
        self.servers = servers
        self.sentinels = sentinels

    @property
    def url(self) -> str:
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels) + f"/{self.name}"

    def primary(self) -> Server:
        """As the first sentinel has it."""
        with self.sentinels[0].client() as client:
            address: Any = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
        return next(server for server in self.servers if server.port == int(address[1]))

    def agreed(self) -> bool:
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                state: Any = client.execute_command("SENTINEL", "MASTER", self.name)
                fields = state if isinstance(state, dict) else dict(zip(state[::2], state[1::2], strict=True))
                if int(fields["num-other-sentinels"]) < len(self.sentinels) - 1:
                    return False
                if int(fields["num-slaves"]) < len(self.servers) - 1:
                    return False
        return True

    def settled(self) -> None:
        """Wait until the sentinels agree, and the replica follows the primary that they name."""
        until(self.agreed, "the sentinels know one another and a replica")
        until(self._followed, "the replica follows the primary")

    def _followed(self) -> bool:
        primary = self.primary()
        with primary.client() as client:
            info: Any = client.info("replication")
        replica = next(server for server in self.servers if server is not primary)
        return info["role"] == "master" and info["connected_slaves"] == 1 and _linked(replica)

    def failover(self) -> None:
        """Ask for one, and wait until the other server is the primary."""
        before = self.primary()
        with self.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", self.name)
        until(lambda: self.primary() is not before, "another server is the primary")


@contextmanager
def watched(*, replicas: int = 1, sentinels: int = 3) -> Generator[Watched]:
    """A primary, replicas and sentinels on loopback ports; they end with it."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bcs-", dir="/tmp")))

        def started(name: str, *options: str, sentinel: bool = False) -> Server:
            (home / name).mkdir()
            more = () if sentinel else ("--shutdown-timeout", "0", *PROMPT)
            server = Server(home / name, *options, *more, tcp=True, sentinel=sentinel)
            stack.callback(server.stop)
            server.start()
            return server

        primary = started("p")
        others = [started(f"r{n}", "--replicaof", f"127.0.0.1 {primary.port}") for n in range(replicas)]
        until(lambda: all(map(_linked, others)), "the replicas are up to date")
        watchers = [started(f"s{n}", sentinel=True) for n in range(sentinels)]
        fleet = Watched([primary, *others], watchers)
        for sentinel in watchers:
            with sentinel.client() as client:
                quorum = sentinels // 2 + 1
                client.execute_command("SENTINEL", "MONITOR", fleet.name, "127.0.0.1", primary.port, quorum)
                for option, value in (("down-after-milliseconds", 1000), ("failover-timeout", 1000)):
                    client.execute_command("SENTINEL", "SET", fleet.name, option, value)
        until(fleet.agreed, "the sentinels know one another")
        yield fleet
