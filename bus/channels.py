"""Channels: the named places of the bus. A claimable one holds tasks, a broadcast one holds news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .models import Caller, Channel, ChannelSummary, Counts, NewChannel, Page


@dataclass(frozen=True, slots=True)
class Created:
    """`new` is False when the channel existed with the same mode and access: it is returned as it is."""

    channel: Channel
    new: bool


class Channels(Protocol):
    async def create(self, caller: Caller, channel: NewChannel) -> Created:
        """Create a channel, or return the one of that canonical name when mode and access agree.

        The caller's API key becomes its owner. Bounds: ttl 300 s..30 d, retention 1..365 d, lease 1 s..24 h,
        max_deliveries 1..1000, max_messages and max_writes_per_minute 1..1,000,000.
        Raises ChannelExists (mode or access differ), InvalidInput, InsufficientScope (channels:write).
        """
        ...

    async def get(self, caller: Caller, channel: str) -> Channel:
        """The channel of that name. Raises ChannelNotFound (with the nearest names), ChannelAccessDenied."""
        ...

    async def list(self, caller: Caller, *, limit: int = 50, cursor: str | None = None) -> Page[ChannelSummary]:
        """Discoverable channels, newest first, 1..100 a page. `next_cursor` None: no more."""
        ...

    async def counts(self, caller: Caller, channel: str) -> Counts:
        """How many messages stand where, exact. Raises ChannelNotFound, ChannelAccessDenied."""
        ...
