"""Every server behind `redis_url`: how to reach each, and what is only true of all of them together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from ..keys import Keys
from ..store.cluster_map import SlotMap, slot_map
from ..store.link import Connect, ask, connector
from ..store.many_hosts import Address, ManyHosts, many_hosts
from ..store.sentinel import Sentinels
from ..store.url import target
from ..streams.schema_version import FIELD, SCHEMA, refusal
from . import server
from .facts import ANSWER_SECONDS, facts
from .finding import Finding, fail, ok, warn

_REACH_FIX: Final = (
    "check that it runs, that BACKCHANNEL_REDIS_URL names it with its user and password, and the network between"
)


async def of_redis(url: str, prefix: str) -> AsyncGenerator[Finding]:
    """One server. Raises ValueError for a URL that is none."""
    async for finding in of_server(connector(target(url)), kind="redis", prefix=prefix):
        yield finding


async def of_server(connect: Connect, *, kind: str, prefix: str | None) -> AsyncGenerator[Finding]:
    """What there is to say of one; `prefix` None: the schema is looked for elsewhere."""
    try:
        connection = await connect()
    except (RedisError, OSError) as why:
        yield fail("reachable", str(why) or type(why).__name__, _REACH_FIX)
        return
    try:
        yield ok("reachable", "it answers")
        for finding in server.checks(await facts(connection), kind=kind):
            yield finding
        if prefix is not None:
            yield await _schema(connection, prefix)
    except (RedisError, OSError) as why:
        yield fail("reachable", f"the connection was lost: {str(why) or 'it went silent'}", _REACH_FIX)
    finally:
        await connection.disconnect(nowait=True)


async def _schema(connection: AbstractConnection, prefix: str) -> Finding:
    async with asyncio.timeout(ANSWER_SECONDS):
        try:
            found = await ask(connection, "HGET", Keys(prefix).config, FIELD)
        except ResponseError as refused:
            return fail("schema", str(refused), f"let the user of BACKCHANNEL_REDIS_URL use the keys {prefix}*")
    if found is None:
        return ok("schema", f"no bus with the prefix {prefix} yet")
    if why := refusal(found):
        return fail("schema", why, "run the newer version, or restore a backup made before the upgrade")
    return ok("schema", f"{found}; this version writes {SCHEMA}")


def _at(address: Address, finding: Finding) -> Finding:
    return replace(finding, where=f"{address[0]}:{address[1]}")


async def of_sentinel(url: str, prefix: str) -> AsyncGenerator[Finding]:
    """Each sentinel, and the primary that they name."""
    hosts = many_hosts(url)
    for address in hosts.seeds:
        yield _at(address, await _quorum(hosts, address))
    sentinels = Sentinels(hosts)
    try:
        primary = await sentinels.primary()
    except RedisError as none:
        yield fail("primary", str(none), "see the sentinels' logs; SENTINEL MONITOR names the servers to them")
        return
    finally:
        await sentinels.close()
    yield ok("primary", f"{primary[0]}:{primary[1]}")
    async for finding in of_server(connector(hosts.data_node(primary)), kind="sentinel", prefix=prefix):
        yield _at(primary, finding)


async def _quorum(hosts: ManyHosts, address: Address) -> Finding:
    told = await _asked(connector(hosts.sentinel(address)), "SENTINEL", "CKQUORUM", hosts.service)
    if isinstance(told, NoPermissionError):
        return warn("sentinel", f"it does not tell of its quorum: {told}", "ACL SETUSER <user> +sentinel|ckquorum there")
    if isinstance(told, ResponseError):
        return fail(
            "sentinel", str(told), "a failover needs the quorum and a majority of the sentinels: start the missing ones"
        )
    if isinstance(told, Exception):
        return warn("sentinel", f"it cannot be reached: {str(told) or 'no answer'}", "start it, or take it out of the URL")
    return ok("sentinel", str(told))


async def of_cluster(url: str, prefix: str) -> AsyncGenerator[Finding]:
    """The cluster as its first node that answers has it, then each node."""
    hosts = many_hosts(url)
    found: SlotMap | None = None
    for address in hosts.seeds:
        connect = connector(hosts.data_node(address))
        rows = await _asked(connect, "CLUSTER", "SLOTS")
        if isinstance(rows, Exception):
            yield _at(address, warn("cluster", f"this node does not tell of it: {str(rows) or 'no answer'}", _REACH_FIX))
            continue
        found = slot_map(rows, address)
        yield _at(address, _cluster(await _asked(connect, "CLUSTER", "INFO"), found))
        break
    if found is None:
        yield fail("cluster", "no node that the URL names tells of its cluster", _REACH_FIX)
        return
    first = Keys(prefix).config
    for address in sorted(found.primaries | found.replicas):
        owns = found.owners[_slot(first)] == address
        async for finding in of_server(connector(hosts.data_node(address)), kind="cluster", prefix=prefix if owns else None):
            yield _at(address, finding)


def _slot(redis_key: str) -> int:
    from redis.crc import key_slot

    return key_slot(redis_key.encode())


def _cluster(info: Any, found: SlotMap) -> Finding:
    """`info`: the reply to CLUSTER INFO, or why there is none."""
    told = {} if isinstance(info, Exception) else dict(line.split(":", 1) for line in str(info).splitlines() if ":" in line)
    state, missing = told.get("cluster_state", "unknown"), sum(owner is None for owner in found.owners)
    if state == "fail" or missing:
        fix = "bring the nodes back, or give their slots to others (redis-cli --cluster fix)"
        return fail("cluster", f"state {state}, {missing} slots without a node", fix)
    served = f"all slots are served, by {len(found.primaries)} primaries"
    if state == "unknown":
        return warn("cluster", f"{served}; its state is unknown", "ACL SETUSER <user> +cluster|info")
    return ok("cluster", served)


async def _asked(connect: Connect, *args: str) -> Any:
    """The reply, or the exception in its place."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            connection = await connect()
            try:
                return await ask(connection, *args)
            finally:
                await connection.disconnect(nowait=True)
    except (RedisError, OSError) as why:
        return why
