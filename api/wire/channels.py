"""The JSON of channels."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on

from bus.message_json import MessageJson


class RelatedChannelJson(TypedDict):
    id: str
    name: str
    mode: Literal["claimable", "broadcast"]


class ChannelJson(TypedDict):
    """A channel; `id` is its canonical name, under which every key finds it. `has_webhook`: a URL is told of its messages."""

    id: str
    owner_id: str
    created_by_key_id: str
    name: str
    mode: Literal["claimable", "broadcast"]
    access: Literal["open", "restricted"]
    discoverable: bool
    description: str
    metadata_schema: dict[str, Any]
    pinned_message: str | None
    ttl_seconds: int
    retention_days: int
    lease_seconds: float
    max_deliveries: int
    max_messages: int | None
    max_writes_per_minute: int | None
    paused: bool
    aliases: list[str]
    related_channels: list[RelatedChannelJson]
    has_webhook: bool
    created_at: str
    updated_at: str


class CountsJson(TypedDict):
    """How many messages stand where; a broadcast channel has only `total`."""

    total: int
    waiting: int
    delayed: int
    in_flight: int
    done: int
    dead: int
    next_available_at: str | None


class ChannelCountsJson(CountsJson):
    channel_id: str


class ChannelSummaryJson(TypedDict):
    id: str
    name: str
    mode: Literal["claimable", "broadcast"]
    access: Literal["open", "restricted"]
    description: str
    created_at: str
    is_member: bool
    counts: CountsJson


class ChannelPageJson(TypedDict):
    data: list[ChannelSummaryJson]
    limit: int
    next_cursor: str | None


class ArchivedMessageJson(MessageJson):
    """A message that left the channel; a task's result is shown to those who may see it."""

    archived_at: str


class HistoryPageJson(TypedDict):
    data: list[ArchivedMessageJson]
    limit: int
    next_cursor: str | None


class MessageCountsJson(TypedDict):
    total: int
    unclaimed: int
    claimed: int
    acknowledged: int


class ChannelMetricsJson(TypedDict):
    """`avg_claim_to_ack_ms`: over the newest finished tasks, null when there are none."""

    channel_id: str
    message_counts: MessageCountsJson
    counts: CountsJson
    avg_claim_to_ack_ms: int | None
    computed_at: str
