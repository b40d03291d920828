"""Channels as values: what they are made with, what they are, how many messages stand where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypedDict


class Mode(StrEnum):
    CLAIMABLE = "claimable"
    BROADCAST = "broadcast"


class Access(StrEnum):
    OPEN = "open"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What a channel is created with. Durations have bounds: see `bus.channels`."""

    name: str
    mode: Mode = Mode.CLAIMABLE
    access: Access = Access.OPEN
    discoverable: bool | None = None  # None: open channels are, restricted ones are not
    description: str = ""
    pinned_message: str | None = None
    metadata_schema: Mapping[str, Any] | None = None
    related_channels: Sequence[str] = ()
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    ttl: timedelta | None = None
    retention: timedelta | None = None
    lease: timedelta | None = None
    max_deliveries: int | None = None
    max_messages: int | None = None
    max_writes_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class RelatedChannel:
    id: str
    name: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is. `id` is its canonical name (fit for a path: see `names.public_id`), `name` as its creator wrote it.

    `has_webhook`: its messages are also sent to a URL, which only its owner knows.
    """

    id: str
    name: str
    mode: Mode
    access: Access
    discoverable: bool
    owner_label: str
    owner_key_id: str
    description: str
    pinned_message: str | None
    ttl: timedelta
    retention: timedelta
    lease: timedelta
    max_deliveries: int
    max_messages: int | None
    max_writes_per_minute: int | None
    paused: bool
    created_at: datetime
    updated_at: datetime
    metadata_schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    aliases: Sequence[str] = ()
    related_channels: Sequence[RelatedChannel] = ()
    has_webhook: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages a channel holds, exact and O(1). A broadcast channel has only `total`.

    `next_available_at`: when the next delayed or leased task can be claimed, None when there is none.
    """

    total: int = 0
    waiting: int = 0
    delayed: int = 0
    in_flight: int = 0
    done: int = 0
    dead: int = 0
    next_available_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    id: str
    name: str
    mode: Mode
    access: Access
    description: str
    created_at: datetime
    is_member: bool
    counts: Counts


class ChannelChanges(TypedDict, total=False):
    """What of a channel is to change; what is absent stays. None clears a field that can be empty.

    `name` may only be another spelling of the same canonical name; `mode` changes only while nothing was ever posted.
    """

    name: str
    mode: Mode
    access: Access
    discoverable: bool
    description: str
    metadata_schema: Mapping[str, Any] | None
    pinned_message: str | None
    related_channels: Sequence[str]
    retention: timedelta
    lease: timedelta
    max_deliveries: int
    max_messages: int | None
    max_writes_per_minute: int | None
    paused: bool
    webhook_url: str | None
    webhook_secret: str | None


@dataclass(frozen=True, slots=True)
class ChannelMetrics:
    """`claim_to_ack`: the average over the newest finished tasks, None when there are none."""

    counts: Counts
    acknowledged: int
    claim_to_ack: timedelta | None
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class OwnedTotals:
    """What stands in the channels that an API key owns: at most its 1,000 newest are counted."""

    channels: int
    messages: int
    claimed: int
