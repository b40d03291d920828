"""Makes the bus that the settings lead to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .bus import Bus
from .settings import Settings


@asynccontextmanager
async def connect(settings: Settings) -> AsyncGenerator[Bus]:
    """The bus these settings lead to: over HTTP when `base_url` is set, else on the store of `redis_url`.

    Background work (reconnecting, notifications, sweeping) lives inside the `async with`. A store that is down does
    not fail here: verbs raise StoreUnavailable until it is back. Raises ValueError for a URL of an unknown kind, and
    SchemaTooNew (a ValueError) for data that a newer version wrote.
    """
    if settings.base_url:
        from .remote import connect_remote

        async with connect_remote(settings) as bus:
            yield bus
    else:
        from .streams import connect_streams

        async with connect_streams(settings) as bus:
            yield bus
