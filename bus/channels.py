"""Channels: the named places of the bus. A claimable one holds tasks, a broadcast one holds news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .models import (
    ArchivedMessage,
    Caller,
    Channel,
    ChannelChanges,
    ChannelMetrics,
    ChannelSummary,
    Counts,
    NewChannel,
    OwnedTotals,
    Page,
)


@dataclass(frozen=True, slots=True)
class Created:
    """`new` is False when the channel existed with the same mode and access: it is returned as it is."""

    channel: Channel
    new: bool


class Channels(Protocol):
    async def create(self, caller: Caller, channel: NewChannel) -> Created:
        """Create a channel, or return the one of that canonical name when mode and access agree.

        The caller's API key becomes its owner. A `metadata_schema` is JSON Schema (draft 2020-12), which the metadata
        of every message must fit; what is no keyword in it means nothing.

        Bounds: ttl 300 s..30 d, retention 1..365 d, lease 1 s..24 h,
        max_deliveries 1..1000, max_messages and max_writes_per_minute 1..1,000,000.
        Raises ChannelExists (mode or access differ), ChannelAccessDenied (it exists, for its members only), AliasConflict
        (the name is another channel's alias), ChannelNotFound (a related one), InvalidInput, InsufficientScope
        (channels:write).
        """
        ...

    async def update(self, caller: Caller, channel: str, changes: ChannelChanges) -> Channel:
        """Change a channel's settings; for its owner. Nothing is changed unless everything can be.

        Raises Forbidden, ChannelNotFound, ChannelNotEmpty (its mode), InvalidInput, InsufficientScope (channels:manage).
        """
        ...

    async def delete(self, caller: Caller, channel: str) -> None:
        """Delete a channel and all that is in it; for its owner. Whoever waits on it learns that it is gone.

        Raises Forbidden, ChannelNotFound, InsufficientScope (channels:manage).
        """
        ...

    async def add_alias(self, caller: Caller, channel: str, alias: str) -> Channel:
        """Another name for the channel, good wherever one is named; for its owner. Repeating it changes nothing.
        A channel has at most 20; they are freed when it is deleted.

        Raises AliasConflict (a channel, or another's alias), Forbidden, ChannelNotFound, InvalidInput,
        InsufficientScope (channels:manage).
        """
        ...

    async def history(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[ArchivedMessage]:
        """What left the channel and is still kept (finished long ago, expired, taken back), newest first, 1..100 a page.

        Raises ChannelNotFound, ChannelAccessDenied, InvalidInput, InsufficientScope (messages:read).
        """
        ...

    async def metrics(self, caller: Caller, channel: str) -> ChannelMetrics:
        """Counts, and how long the newest finished tasks took.

        Raises ChannelNotFound, ChannelAccessDenied, InsufficientScope (channels:read).
        """
        ...

    async def owned(self, caller: Caller) -> OwnedTotals:
        """What stands in the channels that the caller's API key owns, the 1,000 newest of them.

        Raises InsufficientScope (channels:read).
        """
        ...

    async def get(self, caller: Caller, channel: str) -> Channel:
        """The channel of that name. Raises ChannelNotFound (with the nearest names), ChannelAccessDenied,
        InsufficientScope (a key without any scope).
        """
        ...

    async def list(self, caller: Caller, *, limit: int = 50, cursor: str | None = None) -> Page[ChannelSummary]:
        """Discoverable channels, newest first, 1..100 a page. `next_cursor` None: no more. `cursor` may also be an ISO 8601
        timestamp: then those that were created before it.

        Raises InvalidInput, InsufficientScope (channels:read).
        """
        ...

    async def counts(self, caller: Caller, channel: str) -> Counts:
        """How many messages stand where, exact. Raises ChannelNotFound, ChannelAccessDenied, InsufficientScope (a key without
        any scope).
        """
        ...
