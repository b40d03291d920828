"""The store under the bus: where commands and scripts go, and where notifications come from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Arg = str | bytes | int | float
"""What a command or script takes."""
Reply = Any
"""What comes back, as RESP2 with text decoded as UTF-8: str, int, None, or a list of replies."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script: one transition. `source` is complete (includes resolved), `sha` its SHA-1 in hex."""

    name: str
    source: str
    sha: str


class Notifications(Protocol):
    """Keyspace notifications of single keys, over one connection of the process.

    At most once: what happens while the connection is down is not told. `on_lost_track` (given when the store is
    opened) is called after every re-subscription, so that everybody checks for themselves.
    """

    def watch(self, redis_key: str) -> asyncio.Future[None]:
        """Ask to be told of this key's events. The future is done when the server has confirmed; it waits through a
        reconnect. Watching a watched key is a no-op."""
        ...

    def unwatch(self, redis_key: str) -> None:
        """No more of this key."""
        ...


class Store(Protocol):
    """One Redis or Valkey. Everything a process sends shares one multiplexed connection; nothing sent ever blocks.

    A future that is cancelled leaves the connection intact: its reply is dropped. Futures raise StoreUnavailable
    when the connection is lost (whether the command took effect is unknown then; it is never sent twice) or the
    store does not answer within 5 s, StoreFull on OOM, and redis.exceptions.ResponseError for any other error reply.
    """

    kind: str
    where: str
    look: str | None
    notifications: Notifications
    publish_prefix: str | None
    """None: the server sends keyspace notifications. Else it may not be told to, and scripts PUBLISH the same
    payload (the event's name) to this prefix + key themselves."""
    notify_mode: str
    """`keyspace`, `publish`: for humans."""

    def command(self, *args: Arg) -> asyncio.Future[Reply]:
        """Send one command."""
        ...

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        """Run a script: EVALSHA, and EVAL when the server does not know it yet (NOSCRIPT means that nothing ran)."""
        ...

    def run_confirmed(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        """`run`, answered only when what was written is as safe as BACKCHANNEL_DURABILITY asks for. Raises Unconfirmed
        when it is not known to be."""
        ...

    async def server(self) -> str:
        """`Valkey 9.1.2` or the like. Raises StoreUnavailable."""
        ...


Heard = Callable[[str, str], None]
"""Called with the Redis key that something happened to and the event's name (`xadd`, `set`, ...)."""


from .opening import open_store  # noqa: E402 - it needs the names above

__all__ = ["Arg", "Heard", "Notifications", "Reply", "Script", "Store", "open_store"]
