"""Opens the store that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial

from redis.asyncio.connection import AbstractConnection

from bus.settings import Settings

from . import Heard, Store
from .cluster import cluster_store
from .confirmed import Confirmation, confirmation
from .link import connector
from .many_hosts import ManyHosts, many_hosts
from .redis_store import RedisStore, running
from .sentinel import Purpose, Sentinels
from .url import target, unix_target


@asynccontextmanager
async def open_store(settings: Settings, heard: Heard, lost_track: Callable[[], None]) -> AsyncGenerator[Store, None]:
    """The store of `redis_url`, the embedded one when that is unset, kept connected inside the `async with`.

    `heard` is called with each watched key that changed, `lost_track` when notifications may have been missed. A store
    that is down does not fail here: calls raise StoreUnavailable until it is up. Raises ValueError for a URL of an
    unknown kind and for a durability that the store cannot give, and ImportError for memory:// without its extra.
    """
    confirmed = confirmation(settings)
    if confirmed is not None and not _replicates(settings.redis_url):
        raise ValueError("durability: replicated needs a redis://, rediss://, unix:// or redis+sentinel:// store with replicas")
    if settings.redis_url is None:
        opened = _embedded(settings, heard, lost_track)
    elif settings.redis_url.startswith("memory:"):
        from .memory import memory_store  # fakeredis is an extra

        opened = memory_store(settings.redis_url, heard)
    elif "+sentinel:" in settings.redis_url:
        opened = _sentinel(many_hosts(settings.redis_url), settings.prefix, heard, lost_track, confirmed)
    elif "+cluster:" in settings.redis_url:
        opened = cluster_store(many_hosts(settings.redis_url), prefix=settings.prefix, heard=heard, lost_track=lost_track)
    else:
        opened = _redis(settings.redis_url, settings.prefix, heard, lost_track, confirmed)
    async with opened as store:
        yield store


def _replicates(url: str | None) -> bool:
    """Whether the store can have replicas that a write can be waited for on; a cluster's cannot yet."""
    return url is not None and not url.startswith("memory:") and "+cluster:" not in url


@asynccontextmanager
async def _redis(
    url: str, prefix: str, heard: Heard, lost_track: Callable[[], None], confirmed: Confirmation | None
) -> AsyncGenerator[Store, None]:
    there = target(url)
    store = RedisStore(
        connector(there), kind="redis", where=there.where, look=there.look, db=there.db,
        prefix=prefix, heard=heard, lost_track=lost_track, confirmation=confirmed,
    )  # fmt: skip
    async with running(store):
        yield store


@asynccontextmanager
async def _sentinel(
    hosts: ManyHosts, prefix: str, heard: Heard, lost_track: Callable[[], None], confirmed: Confirmation | None
) -> AsyncGenerator[Store, None]:
    sentinels = Sentinels(hosts)
    there = hosts.data_node(hosts.seeds[0])  # for its database number
    store = RedisStore(
        partial(sentinels.connect, "commands"), connect_ear=partial(sentinels.connect, "notifications"),
        kind="sentinel", where=hosts.where, look=None, db=there.db, prefix=prefix, heard=heard, lost_track=lost_track,
        confirmation=confirmed,
    )  # fmt: skip

    def leave(purpose: Purpose, why: str) -> None:
        (store if purpose == "commands" else store.subscriptions).leave(why)

    try:
        async with running(store, partial(sentinels.keep_following, leave)):
            yield store
    finally:
        await sentinels.close()


@asynccontextmanager
async def _embedded(settings: Settings, heard: Heard, lost_track: Callable[[], None]) -> AsyncGenerator[Store, None]:
    from .embedded import Embedded  # file locks: not on every platform that reaches a redis:// URL

    embedded = Embedded(settings.data_dir)
    there = unix_target(str(embedded.socket))
    join = connector(there)

    async def connect() -> AbstractConnection:
        await asyncio.to_thread(embedded.ensure_running)
        return await join()

    store = RedisStore(
        connect, kind="embedded", where=str(embedded.socket), look=there.look, db=0,
        prefix=settings.prefix, heard=heard, lost_track=lost_track,
    )  # fmt: skip
    try:
        async with running(store):
            yield store
    finally:
        await asyncio.to_thread(embedded.leave)
