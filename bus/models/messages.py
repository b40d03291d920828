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
    INPUT_REQUIRED = "input_required"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether it is an outcome."""
        return self not in (State.WAITING, State.DELAYED, State.IN_FLIGHT, State.INPUT_REQUIRED)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a task's holder said last about how far it is."""

    note: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What a holder asked the task's poster while it worked; `answer` None: nobody has answered (yet).

    `actor` and `key_id` asked; `answered_by` (a label) and `answered_by_key_id` answered.
    """

    text: str
    actor: str
    key_id: str
    asked_at: datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_by_key_id: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Tasks that were posted while working on one another, so that a loop of agents can be stopped.

    `id`: the message id of the first. `hops`: how many tasks lie between that one and this one, 0 for the first.
    """

    id: str
    hops: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Who holds a task, and until when.

    `stale`: the lease is kept up, but its holder has not touched the task for half an hour (claimed it, noted progress,
    asked, or renewed the lease on purpose): perhaps it was forgotten.
    """

    actor: str
    key_id: str
    delivery: int
    claimed_at: datetime
    lease_expires_at: datetime
    cancel_requested: bool = False
    progress: Progress | None = None
    stale: bool = False


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
    `result_withheld`: the task has a result which this caller may not see; progress and questions are withheld likewise,
    and `questions` is what its holders asked so far, the latest last. `chain` None: it is no task, or no longer known.
    `ahead`: where it was counted, how many tasks are handed out before this waiting one, at most 50.
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
    questions: Sequence[Question] = ()
    chain: Chain | None = None
    ahead: int | None = None


@dataclass(frozen=True, slots=True)
class Workers:
    """Who is there to take tasks of a channel: actors that wait for one now, and that took or asked for one within the
    last 15 minutes (those who wait among them). `last_seen_at` None: nobody ever did, or not for 30 days."""

    waiting: int
    recent: int
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted message. `replayed`: the idempotency key had been used for the same body and this is what it made then.

    `cursor` is the message's position, to read on after it. `workers`: of a new task. `nearest`: where the channel was
    created for it, the names of others most like it, in case one of them was meant.
    """

    message: Message
    cursor: str
    replayed: bool = False
    channel_created: bool = False
    workers: Workers | None = None
    nearest: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Acked:
    """An acknowledged message. `repeated`: the actor had acknowledged it before, and nothing was changed."""

    message: Message
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A message in which an actor is mentioned. `cursor`: its place among the actor's mentions, to read on after it."""

    cursor: str
    message_id: str
    channel: str
    mentioned_at: datetime


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """A message that left the channel: finished long ago, expired, or taken back."""

    message: Message
    archived_at: datetime
