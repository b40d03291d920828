"""The bus as one record of its concepts, and `connect`, which makes it over Redis or over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .access import AccessControl
from .actors import Actors
from .broadcasts import Broadcasts
from .channels import Channels
from .credentials import Credentials
from .messages import Messages
from .settings import Settings
from .tasks import Tasks


@dataclass(frozen=True, slots=True)
class Health:
    """What the bus stands on. `store`: `embedded`, `redis`, `memory` or `http`; `where`: its address without credentials.

    `look`: a command line that shows the inside (redis-cli …), None where there is none.
    """

    store: str
    where: str
    look: str | None
    server: str
    notifications: str


@dataclass(frozen=True, slots=True)
class Bus:
    """Every verb of the bus, by concept. Which store or server is behind it makes no difference to who uses it."""

    channels: Channels
    messages: Messages
    tasks: Tasks
    broadcasts: Broadcasts
    credentials: Credentials
    actors: Actors
    access: AccessControl
    settings: Settings
    ping: Callable[[], Awaitable[Health]]
    """Raises StoreUnavailable when the store does not answer."""
    drain: Callable[[], None]
    """End every open wait as if its time were up, now and from now on: the process is about to stop."""


@asynccontextmanager
async def connect(settings: Settings) -> AsyncGenerator[Bus]:
    """The bus these settings lead to: over HTTP when `base_url` is set, else on the store of `redis_url`.

    Background work (reconnecting, notifications, sweeping) lives inside the `async with`. A store that is down does
    not fail here: verbs raise StoreUnavailable until it is back. Raises ValueError for a URL of an unknown kind.
    """
    if settings.base_url:
        from .remote import connect_remote

        async with connect_remote(settings) as bus:
            yield bus
    else:
        from .streams import connect_streams

        async with connect_streams(settings) as bus:
            yield bus
