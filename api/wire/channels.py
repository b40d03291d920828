"""The JSON of channels."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class ChannelJson(TypedDict):
    """A channel; `id` is its canonical name, under which every key finds it."""

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
    related_channels: list[dict[str, str]]
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
