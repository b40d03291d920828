"""A Redis or Valkey Cluster as the store: each call goes to the node that owns its slot, and so does each watched key."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from redis.crc import key_slot
from redis.exceptions import RedisError

from bus.errors import StoreUnavailable

from . import Arg, Heard, Notifications, Reply, Script
from .background import background
from .cluster_calls import Call, ScriptCall
from .cluster_node import Node
from .cluster_watch import ClusterWatch
from .link import ask, connector
from .many_hosts import Address, ManyHosts
from .notify_mode import Mode
from .replies import Redirected, not_sent, version_of

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 10.0
"""How often the map of slots is asked for when nothing tells that it is wrong."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.5
PATIENCE_SECONDS: Final = 3.0
"""So long a call that had no effect is tried again: while slots move and primaries change."""
_SLOTS: Final = 16_384
_KEYLESS: Final = frozenset({"TIME", "INFO", "PING"})


class ClusterStore:
    """`Store` over a cluster. A reply that says that nothing was done (MOVED, ASK, TRYAGAIN, CLUSTERDOWN, a node that is a
    replica now or cannot be reached) is followed or tried again; a call whose fate is unknown is not."""

    kind = "cluster"

    def __init__(self, hosts: ManyHosts, *, prefix: str, heard: Heard, lost_track: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._hosts = hosts
        self._prefix = prefix
        self._heard = heard
        self._lost_track = lost_track
        self.where = hosts.where
        self.look: str | None = hosts.data_node(hosts.seeds[0]).look.replace("redis-cli ", "redis-cli -c ", 1)
        self.publish_prefix: str | None = None
        self.notify_mode: str = Mode.KEYSPACE.value
        self._nodes: dict[Address, Node] = {}
        self._owners: list[Address | None] = [None] * _SLOTS
        self._watch = ClusterWatch(self._node_of_key, lost_track)
        self.notifications: Notifications = self._watch
        self._stale = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._closed = False

    def command(self, *args: Arg) -> asyncio.Future[Reply]:
        slot = None if str(args[0]).upper() in _KEYLESS else key_slot(str(args[1]).encode())
        return self._start(Call(self._loop, slot, args, None, PATIENCE_SECONDS))

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        return self._start(Call(self._loop, key_slot(keys[0].encode()), (), ScriptCall(script, keys, args), PATIENCE_SECONDS))

    async def server(self) -> str:
        return version_of(await self.command("INFO", "server"))

    def _start(self, call: Call) -> asyncio.Future[Reply]:
        self._route(call)
        return call.future

    def _route(self, call: Call) -> None:
        if call.future.done():
            return
        if self._closed:
            call.future.set_exception(not_sent("this process has closed it"))
            return
        node = self._any_node() if call.slot is None else self._node_of_slot(call.slot)
        if node is None:
            self._later(call, not_sent("no node of the cluster is known to own the key"))
            return
        self._sent(call, node, call.send(node.wire))

    def _sent(self, call: Call, node: Node, sent: asyncio.Future[Reply]) -> None:
        sent.add_done_callback(partial(self._answered, call, node))

    def _answered(self, call: Call, node: Node, sent: asyncio.Future[Reply]) -> None:
        error = None if sent.cancelled() else sent.exception()
        if call.future.done():
            return
        if sent.cancelled():
            call.future.cancel()
        elif error is None:
            call.future.set_result(sent.result())
        elif isinstance(error, Redirected):
            self._redirected(call, node, error)
        elif isinstance(error, StoreUnavailable) and error.nothing_done:
            self._later(call, error)
        else:
            call.future.set_exception(error)

    def _redirected(self, call: Call, node: Node, to: Redirected) -> None:
        address = (to.host or node.address[0], to.port)
        if call.spent():
            call.future.set_exception(not_sent("the cluster sent the call from node to node"))
            return
        target = self._ensure(address)
        if to.asking:
            self._sent(call, target, call.send_asking(target.wire))
            return
        self._owners[to.slot] = address
        self._stale.set()
        self._sent(call, target, call.send(target.wire))

    def _later(self, call: Call, why: Exception) -> None:
        """Nothing was done: once more in a moment, by a newer map."""
        self._stale.set()
        if call.overdue():
            call.future.set_exception(why)
        else:
            self._loop.call_later(call.pause(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS), self._route, call)

    def _node_of_slot(self, slot: int) -> Node | None:
        owner = self._owners[slot]
        return None if owner is None else self._nodes.get(owner)

    def _node_of_key(self, redis_key: str) -> Node | None:
        return self._node_of_slot(key_slot(redis_key.encode()))

    def _any_node(self) -> Node | None:
        """The same one as long as it is there, so that one clock is asked for the time."""
        return self._nodes[min(self._nodes)] if self._nodes else None

    def _ensure(self, address: Address) -> Node:
        node = self._nodes.get(address)
        if node is None:
            assert self._group is not None  # noqa: S101 - calls are only answered inside `keep_nodes`; for the type checker
            connect = connector(self._hosts.data_node(address))
            node = Node(
                address, connect, prefix=self._prefix, heard=self._heard,
                lost_track=self._lost_track, mode_is=self._mode_is, lost=self._stale.set,
            )  # fmt: skip
            self._nodes[address] = node
            node.task = self._group.create_task(node.run())
        return node

    def _mode_is(self, mode: Mode) -> None:
        """One node that does not tell is enough for scripts to tell: a message published anywhere reaches every node."""
        if mode is Mode.PUBLISH:
            self.notify_mode = mode.value
            self.publish_prefix = "__keyspace@0__:"

    async def keep_nodes(self) -> None:
        """Know which node owns which slot, and stay connected to each, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            while True:
                self._stale.clear()
                try:
                    self._learn(await self._slots())
                except (RedisError, OSError, StoreUnavailable) as why:
                    log.warning("%s: no node tells who owns which slot: %s", self.where, why)
                    await asyncio.sleep(LONGEST_PAUSE_SECONDS)
                    continue
                await asyncio.sleep(random.uniform(0.5, 1) * FIRST_PAUSE_SECONDS * 5)  # noqa: S311 - jitter, no secret
                try:
                    async with asyncio.timeout(REFRESH_SECONDS):
                        await self._stale.wait()
                except TimeoutError:
                    continue

    async def _slots(self) -> list[Any]:
        """CLUSTER SLOTS from a node that answers. Raises what the last of them failed with."""
        known = [node.address for node in self._nodes.values() if node.wire.connected]
        random.shuffle(known)
        failure: Exception = not_sent("no node of the cluster is known")
        for address in [*known, *(seed for seed in self._hosts.seeds if seed not in known)]:
            try:
                rows = await self._ask_slots(address)
            except (RedisError, OSError, StoreUnavailable) as why:
                failure = why
                continue
            if rows:
                return [(row[0], row[1], (row[2][0] or address[0], row[2][1])) for row in rows]
            failure = not_sent(f"{address[0]}:{address[1]} knows no slots")
        raise failure

    async def _ask_slots(self, address: Address) -> Any:
        node = self._nodes.get(address)
        if node is not None and node.wire.connected:
            return await node.wire.command("CLUSTER", "SLOTS")
        connection = await connector(self._hosts.data_node(address))()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await ask(connection, "CLUSTER", "SLOTS")
        finally:
            await connection.disconnect(nowait=True)

    def _learn(self, rows: Sequence[tuple[int, int, Address]]) -> None:
        owners: list[Address | None] = [None] * _SLOTS
        for first, last, address in rows:
            owners[first : last + 1] = [address] * (last + 1 - first)
        primaries = {address for _, _, address in rows}
        for address in primaries:
            self._ensure(address)
        self._owners = owners
        for address in [each for each in self._nodes if each not in primaries]:
            self._nodes.pop(address).stop()
        self._watch.follow()

    async def close(self) -> None:
        self._closed = True
        for node in self._nodes.values():
            await node.wire.close()


@asynccontextmanager
async def cluster_store(
    hosts: ManyHosts, *, prefix: str, heard: Heard, lost_track: Callable[[], None]
) -> AsyncGenerator[ClusterStore, None]:
    """The cluster, kept connected inside the `async with`."""
    store = ClusterStore(hosts, prefix=prefix, heard=heard, lost_track=lost_track)
    try:
        async with background(store.keep_nodes):
            yield store
    finally:
        await store.close()
