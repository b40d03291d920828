"""The values that the bus takes and gives: frozen, typed, the same over Redis and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Mode(StrEnum):
    CLAIMABLE = "claimable"
    BROADCAST = "broadcast"


class Access(StrEnum):
    OPEN = "open"
    RESTRICTED = "restricted"


class State(StrEnum):
    """Where a task stands. The last five are outcomes: exactly one of them is ever reached."""

    WAITING = "waiting"
    DELAYED = "delayed"
    IN_FLIGHT = "in_flight"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self not in (State.WAITING, State.DELAYED, State.IN_FLIGHT)


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key that has been verified: every verb is done in its name.

    `scopes` None means every scope. `api_key` is the raw key, needed where the bus is remote; it is never shown.
    """

    key_id: str
    label: str
    scopes: frozenset[str] | None = None
    api_key: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new API key. `api_key` is shown this once and stored nowhere but as its SHA-256."""

    key_id: str
    label: str
    api_key: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    name: str
    key_id: str
    description: str
    metadata: Mapping[str, Any]
    created_at: datetime


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


@dataclass(frozen=True, slots=True)
class Hold:
    """Who holds a task, and until when."""

    actor: str
    key_id: str
    delivery: int
    claimed_at: datetime
    lease_expires_at: datetime
    cancel_requested: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended. `result` is the holder's JSON value; `reason` says why it failed, died, expired or was cancelled.

    `actor` and `key_id` are those of whoever ended it: None when its time did.
    """

    state: State
    result: Any
    reason: str | None
    actor: str | None
    key_id: str | None
    delivery: int
    claimed_at: datetime | None
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """An actor says that it has read a broadcast message."""

    actor: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """An entry of a channel; on a claimable channel it is also called a task and has a `state`.

    `archived`: only the outcome is still kept; `content` is empty then and `metadata` too.
    `result_withheld`: the task has a result which this caller may not see.
    """

    id: str
    channel: str
    content: str
    metadata: Mapping[str, Any]
    posted_at: datetime
    expires_at: datetime
    label: str | None = None
    actor: str | None = None
    key_id: str | None = None
    state: State | None = None
    available_at: datetime | None = None
    deliveries: int = 0
    hold: Hold | None = None
    outcome: Outcome | None = None
    receipts: Sequence[Receipt] = ()
    archived: bool = False
    result_withheld: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted message. `replayed`: the idempotency key had been used for the same body and this is what it made then.

    `cursor` is the message's position, to read on after it.
    """

    message: Message
    cursor: str
    replayed: bool = False
    channel_created: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A task as held by the caller. `claim_token` fences: it is good for this delivery only."""

    message: Message
    actor: str
    claim_token: str
    delivery: int
    lease_expires_at: datetime

    @property
    def id(self) -> str:
        return self.message.id

    @property
    def content(self) -> str:
        return self.message.content


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list. `next_cursor` reads on after it; None means there is no more (for streams: none was given either).

    `missed`: how many messages were trimmed between the caller's cursor and this page (broadcasts only).
    """

    items: Sequence[T]
    next_cursor: str | None
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One handing-out of a task: to whom, when, and how it ended (None: it is the current one)."""

    number: int
    actor: str
    key_id: str
    claimed_at: datetime
    ended: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A task past its deliveries (`reason` dead) or its time (`reason` expired), kept to be looked at and redriven."""

    id: str
    message: Message
    reason: str
    died_at: datetime
    deliveries: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class Redriven:
    """A dead letter that was put back: it is a new task."""

    dead_letter_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """`status`: `open` (no access needed), `already_member`, or `pending` with the request's id."""

    status: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    id: str
    channel: str
    key_id: str
    label: str
    reason: str
    status: str
    created_at: datetime
