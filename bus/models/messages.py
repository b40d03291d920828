"""Messages and tasks as values: where they stand, who holds them, how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


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

    `archived`: only the outcome is still kept; `content` is empty then and `metadata` too. `mentions`: actor names.
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
    mentions: Sequence[str] = ()


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
class Acked:
    """An acknowledged message. `repeated`: the actor had acknowledged it before, and nothing was changed."""

    message: Message
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """A message that left the channel: finished long ago, expired, or taken back."""

    message: Message
    archived_at: datetime
