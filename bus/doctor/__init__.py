"""Looks at everything a bus stands on, and says what is wrong with it and how to mend it: `backchannel doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from ..errors import StoreUnavailable
from ..settings import Settings
from .finding import Finding, Level, fail, warn, worst

__all__ = ["Finding", "Level", "examine", "worst"]


async def examine(settings: Settings) -> AsyncGenerator[Finding]:
    """One finding after the other, for the server of `base_url`, else the store of `redis_url`, else the embedded store
    (which is started if its directory is in order, and left again).

    Writes nothing to the bus. Raises ValueError for a URL of an unknown kind.
    """
    if settings.base_url:
        from .http import of_base_url

        async for finding in of_base_url(settings):
            yield finding
        return
    async for finding in _store(settings):
        yield finding
    from .http import of_local_server

    async for finding in of_local_server(settings):
        yield finding


async def _store(settings: Settings) -> AsyncGenerator[Finding]:
    from . import stores

    url = settings.redis_url
    if url is None:
        found = _embedded(settings)
    elif url.startswith("memory:"):
        yield warn("store", "memory://: everything is lost when the process ends", "use it for tests only")
        return
    elif "+sentinel:" in url:
        found = stores.of_sentinel(url, settings.prefix)
    elif "+cluster:" in url:
        found = stores.of_cluster(url, settings.prefix)
    else:
        found = stores.of_redis(url, settings.prefix)
    async for finding in found:
        yield finding


async def _embedded(settings: Settings) -> AsyncGenerator[Finding]:
    from ..store.embedded import Embedded
    from ..store.link import connector
    from ..store.url import unix_target
    from . import embedded, stores

    looked = await asyncio.to_thread(lambda: list(embedded.checks(settings.data_dir)))
    for finding in looked:
        yield finding
    if worst(looked) is Level.FAIL:
        return
    server = Embedded(settings.data_dir)
    try:
        await asyncio.to_thread(server.ensure_running)
        async for finding in stores.of_server(
            connector(unix_target(str(server.socket))), kind="embedded", prefix=settings.prefix
        ):
            yield finding
    except StoreUnavailable as why:
        yield fail("reachable", why.message, f"see {settings.data_dir}/server.log")
    finally:
        await asyncio.to_thread(server.leave)
