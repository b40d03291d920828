"""One primary of a cluster: a connection for commands, one for notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from . import Heard
from .background import background
from .link import Connect
from .many_hosts import Address
from .notifications import Subscriptions
from .notify_mode import Mode
from .wire import Wire


class Node:
    """`lost` is called whenever the connection for commands is gone: the slots may be another's then."""

    def __init__(
        self,
        address: Address,
        connect: Connect,
        *,
        probe_key: Callable[[], str],
        heard: Heard,
        lost_track: Callable[[], None],
        mode_is: Callable[[Mode], None],
        lost: Callable[[], None],
    ) -> None:
        self.address = address
        self.wire = Wire(connect, f"{address[0]}:{address[1]}", lost=lost)
        self.subscriptions = Subscriptions(
            connect, db=0, probe_key=probe_key, heard=heard, lost_track=lost_track, mode_is=mode_is
        )
        self.needed_at = 0.0
        """When it was last known to own a slot, or to take one over: on the loop's clock."""
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Stay connected until stopped."""
        try:
            async with background(self.wire.keep_connected, self.wire.keep_watch, self.subscriptions.keep_listening):
                await asyncio.get_running_loop().create_future()
        finally:
            await self.wire.close()

    def stop(self) -> None:
        """It owns no slots any more; what was not sent to it is told so, and goes to another."""
        if self.task is not None:
            self.task.cancel()
