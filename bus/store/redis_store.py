"""A Redis or Valkey server as the store: one connection for commands, one for notifications."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from . import Heard, Notifications
from .background import background
from .link import Connect
from .notifications import Subscriptions
from .notify_mode import Mode
from .replies import version_of
from .wire import Wire


class RedisStore(Wire):
    """`Store` over the network or a unix socket."""

    def __init__(self, connect: Connect, *, kind: str, where: str, look: str | None, db: int, prefix: str,
                 heard: Heard, lost_track: Callable[[], None], connect_ear: Connect | None = None) -> None:  # fmt: skip
        """`connect_ear`: how the connection for notifications is made, where that is not the same."""
        super().__init__(connect, where)
        self.kind = kind
        self.where = where
        self.look = look
        self.publish_prefix: str | None = None
        self.notify_mode: str = Mode.KEYSPACE.value
        self._keyspace = f"__keyspace@{db}__:"
        self.subscriptions = Subscriptions(
            connect_ear or connect,
            db=db,
            probe_key=lambda: f"{prefix}probe:{secrets.token_hex(8)}",
            heard=heard,
            lost_track=lost_track,
            mode_is=self._mode_is,
        )
        self.notifications: Notifications = self.subscriptions

    def _mode_is(self, mode: Mode) -> None:
        self.notify_mode = mode.value
        self.publish_prefix = self._keyspace if mode is Mode.PUBLISH else None

    async def server(self) -> str:
        return version_of(await self.command("INFO", "server"))


@asynccontextmanager
async def running(store: RedisStore, *loops: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[RedisStore, None]:
    """Keeps the store connected inside the `async with`, beside these loops. Calls made before the first connection wait
    for it."""
    try:
        async with background(store.keep_connected, store.keep_watch, store.subscriptions.keep_listening, *loops):
            yield store
    finally:
        await store.close()
