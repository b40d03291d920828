"""Channels as values: what they are made with, what they are, how many messages stand where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


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
    ttl: timedelta | None = None
    retention: timedelta | None = None
    lease: timedelta | None = None
    max_deliveries: int | None = None
    max_messages: int | None = None
    max_writes_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is. `id` is its canonical name, `name` as its creator wrote it."""

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
