"""A Redis or Valkey server as the store: one connection for commands, one for notifications."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from . import Arg, Heard, Notifications, Reply, Script
from .background import background
from .confirmed import Confirmation, ConfirmedWire
from .link import Connect
from .notifications import Subscriptions
from .notify_mode import Mode
from .replies import version_of
from .wire import Wire


class RedisStore(Wire):
    """`Store` over the network or a unix socket."""

    def __init__(self, connect: Connect, *, kind: str, where: str, look: str | None, db: int, prefix: str,
                 heard: Heard, lost_track: Callable[[], None], connect_ear: Connect | None = None,
                 confirmation: Confirmation | None = None) -> None:  # fmt: skip
        """`connect_ear`: how the connection for notifications is made, where that is not the same. `confirmation`: what
        `run_confirmed` waits for."""
        super().__init__(connect, where)
        self.kind = kind
        self.where = where
        self.look = look
        self.publish_prefix: str | None = None
        self.notify_mode: str = Mode.KEYSPACE.value
        self._keyspace = f"__keyspace@{db}__:"
        channel = f"{self._keyspace}{prefix}confirm"
        self.confirmed = None if confirmation is None else ConfirmedWire(connect, where, channel, confirmation)
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

    def run_confirmed(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        return (self.confirmed or self).run(script, keys, args)

    def leave(self, why: str) -> None:
        super().leave(why)
        if self.confirmed is not None:
            self.confirmed.leave(why)

    async def server(self) -> str:
        return version_of(await self.command("INFO", "server"))


@asynccontextmanager
async def running(store: RedisStore, *loops: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[RedisStore, None]:
    """Keeps the store connected inside the `async with`, beside these loops. Calls made before the first connection wait
    for it."""
    wires: list[Wire] = [store] if store.confirmed is None else [store, store.confirmed]
    own = [loop for wire in wires for loop in (wire.keep_connected, wire.keep_watch)]
    try:
        async with background(*own, store.subscriptions.keep_listening, *loops):
            yield store
    finally:
        for wire in wires:
            await wire.close()
