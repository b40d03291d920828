"""A Redis or Valkey Cluster as the store: each call goes to the node that owns its slot, and so does each watched key."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from redis.crc import key_slot
from redis.exceptions import RedisError

from bus.errors import StoreUnavailable

from . import Arg, Heard, Notifications, Reply, Script
from .background import background
from .cluster_calls import Call, ScriptCall, slot_of
from .cluster_map import EMPTY, SlotMap, reachable, slot_map
from .cluster_node import Node
from .cluster_watch import ClusterWatch
from .link import ask, connector
from .many_hosts import Address, ManyHosts
from .notify_mode import Mode
from .replies import Redirected, not_sent, version_of

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 10.0
"""How often the map of slots is asked for when nothing tells that it is wrong."""
SHORTEST_REFRESH_SECONDS, LONGEST_REFRESH_SECONDS = 0.05, 0.5
"""And between two times that something does: longer each time the map was right after all."""
ANSWER_SECONDS: Final = 1.0
RETIRE_SECONDS: Final = 10.0
"""A node that owns nothing is kept for so long: what was sent to it is answered by then, and an old map may have lied."""
PATIENCE_SECONDS: Final = 3.0
"""So long a call that had no effect is tried again: while slots move and primaries change."""


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
        self._map = EMPTY
        self._owners: list[Address | None] = list(EMPTY.owners)  # the map, and what redirections have told since
        self._watch = ClusterWatch(self._node_of_slot, heard)
        self.notifications: Notifications = self._watch
        self._stale = asyncio.Event()
        self._why = "not connected yet"
        self._group: asyncio.TaskGroup | None = None
        self._closed = False

    def command(self, *args: Arg) -> asyncio.Future[Reply]:
        return self._start(Call(self._loop, slot_of(args), args, None, PATIENCE_SECONDS))

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        return self._start(Call(self._loop, key_slot(keys[0].encode()), (), ScriptCall(script, keys, args), PATIENCE_SECONDS))

    def run_confirmed(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        return self.run(script, keys, args)

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
            why = self._why or "no primary has its slot"
            self._later(call, not_sent(f"no node of the cluster is known to own the key: {why}"))
        elif not node.wire.connected:  # it does not wait there, because the key may be another's soon
            self._later(call, not_sent(node.wire.why))
        else:
            try:
                self._sent(call, node, call.send(node.wire))
            except UnicodeEncodeError as unsendable:
                call.future.set_exception(unsendable)

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
        lost = address == node.address or not reachable(address)  # amid a failover nodes say so for a moment
        if self._closed or lost or call.spent():
            self._later(call, not_sent("the cluster sends the call from node to node"))
            return
        target = self._ensure(address)
        if not to.asking:
            self._owners[to.slot] = address
            self._stale.set()
            self._route(call)
        elif target.wire.connected:
            self._sent(call, target, call.send_asking(target.wire))
        else:
            self._later(call, not_sent(target.wire.why))

    def _later(self, call: Call, why: Exception) -> None:
        """Nothing was done: once more in a moment, by a newer map."""
        self._stale.set()
        if call.overdue():
            call.future.set_exception(why)
        else:
            self._loop.call_later(call.pause(), self._route, call)

    def _node_of_slot(self, slot: int) -> Node | None:
        owner = self._owners[slot]
        return None if owner is None else self._nodes.get(owner)

    def _any_node(self) -> Node | None:
        """The same one as long as it is there, so that one clock is asked for the time."""
        known = [address for address, node in self._nodes.items() if address in self._map.primaries and node.wire.connected]
        return self._nodes[min(known)] if known else None

    def _ensure(self, address: Address) -> Node:
        node = self._nodes.get(address)
        if node is None:
            assert self._group is not None  # noqa: S101 - calls are only answered inside `keep_nodes`; for the type checker
            node = Node(
                address, connector(self._hosts.data_node(address)), probe_key=partial(self._probe_key, address),
                heard=self._heard, lost_track=self._lost_track, mode_is=self._mode_is, lost=self._stale.set,
            )  # fmt: skip
            self._nodes[address] = node
            node.task = self._group.create_task(node.run())
        node.needed_at = self._loop.time()
        return node

    def _probe_key(self, address: Address) -> str:
        """A key of no use that lies on this node, when it owns any slots: one in a few does."""
        for _ in range(1000):
            redis_key = f"{self._prefix}probe:{random.getrandbits(64):x}"
            if self._owners[key_slot(redis_key.encode())] == address:
                return redis_key
        return f"{self._prefix}probe:"

    def _mode_is(self, mode: Mode) -> None:
        """One node that does not tell is enough for scripts to tell: a message published anywhere reaches every node."""
        if mode is Mode.PUBLISH:
            self.notify_mode = mode.value
            self.publish_prefix = "__keyspace@0__:"

    async def keep_nodes(self) -> None:
        """Know which node owns which slot, and stay connected to each, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._keep_map()
        finally:
            self._closed = True

    async def _keep_map(self) -> None:
        pause = SHORTEST_REFRESH_SECONDS
        while True:
            self._stale.clear()
            changed = await self._refresh()
            pause = SHORTEST_REFRESH_SECONDS if changed else min(pause * 2, LONGEST_REFRESH_SECONDS)
            await asyncio.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311 - jitter, no secret
            quiet = not self._stale.is_set()
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._stale.wait()
            if quiet:
                pause = SHORTEST_REFRESH_SECONDS / 2

    async def _refresh(self) -> bool:
        """Ask for the map; whether it is another one. Nobody tells it: it stays as it was."""
        try:
            found = await self._ask_all()
        except (RedisError, OSError, StoreUnavailable) as why:
            if str(why) != self._why:
                self._why = str(why)
                log.warning("%s: no node tells who owns which slot: %s", self.where, why)
            return False
        self._why = ""
        return self._learn(found)

    async def _ask_all(self) -> SlotMap:
        """The map of the first node that answers. Raises what the last of them failed with."""
        known = [node.address for node in self._nodes.values() if node.wire.connected]
        others = [*self._hosts.seeds, *self._map.replicas]
        random.shuffle(known)
        failure: Exception = not_sent("no node of the cluster is known")
        for address in dict.fromkeys([*known, *others]):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    found = slot_map(await self._ask(address), address)
            except TimeoutError:
                failure = not_sent(f"{address[0]}:{address[1]} does not answer")
            except (RedisError, OSError, StoreUnavailable) as why:
                failure = why
            else:
                if found.primaries:
                    return found
                failure = not_sent(f"{address[0]}:{address[1]} knows no slots")
        raise failure

    async def _ask(self, address: Address) -> Any:
        node = self._nodes.get(address)
        if node is not None and node.wire.connected:
            return await node.wire.command("CLUSTER", "SLOTS")
        connection = await connector(self._hosts.data_node(address))()
        try:
            return await ask(connection, "CLUSTER", "SLOTS")
        finally:
            await connection.disconnect(nowait=True)

    def _learn(self, found: SlotMap) -> bool:
        changed = found.owners != self._owners or found.owners != self._map.owners
        for address in found.primaries:
            self._ensure(address)
        self._map, self._owners = found, list(found.owners)
        now = self._loop.time()
        for address in [each for each, node in self._nodes.items() if now - node.needed_at > RETIRE_SECONDS]:
            self._nodes.pop(address).stop()
        if changed:
            self._watch.follow()
        return changed

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
