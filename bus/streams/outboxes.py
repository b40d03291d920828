"""Which channels' outboxes this process has written to: whoever hands on what they hold is woken."""

from __future__ import annotations

import asyncio


class Outboxes:
    """Names of channels, each once, in the order of writing. Those of a process that ends are found by the sweeper."""

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}
        self._any = asyncio.Event()

    def wrote(self, channel: str) -> None:
        """There may be something in this channel's outbox."""
        self._waiting[channel] = None
        self._any.set()

    async def next(self) -> str:
        """The next channel to look at; waits until there is one."""
        while not self._waiting:
            self._any.clear()
            await self._any.wait()
        channel = next(iter(self._waiting))
        del self._waiting[channel]
        return channel
