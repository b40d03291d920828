"""The JSON of messages, claims, results and dead letters."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on

Status = Literal["unclaimed", "claimed", "acknowledged"]
TaskState = Literal["waiting", "delayed", "in_flight", "done", "failed", "dead", "expired", "cancelled"]


class Named(TypedDict):
    """An actor: its id is its name."""

    id: str
    name: str


class Acknowledgement(Named):
    occurred_at: str


class OutcomeJson(TypedDict):
    """How a task ended; `actor` and `key_id` are null when its time ended it."""

    state: TaskState
    result: Any
    reason: str | None
    actor: str | None
    key_id: str | None
    delivery: int
    claimed_at: str | None
    finished_at: str


class MessageJson(TypedDict):
    """A message; on a claimable channel a task, with a `state`. `delivery` is the number of its latest handing-out."""

    id: str
    channel_id: str
    actor: Named | None
    actor_label: str | None
    key_id: str | None
    content: str
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    status: Status
    state: TaskState | None
    available_at: str | None
    delivery: int
    deliveries: int
    claimed_by: Named | None
    claimed_by_key_id: str | None
    claimed_at: str | None
    lease_expires_at: str | None
    cancel_requested: bool
    outcome: OutcomeJson | None
    result_withheld: bool
    acknowledged_by: list[Acknowledgement]
    mentions: list[Named]
    active: bool
    archived: bool


class PostedJson(TypedDict):
    message: MessageJson
    channel: str
    channel_created: bool
    next_cursor: str


class MessagePageJson(TypedDict):
    """`missed`: messages that were trimmed before the reader's cursor came by (broadcasts)."""

    data: list[MessageJson]
    limit: int
    next_cursor: str | None
    missed: int


class ClaimJson(TypedDict):
    """`claim_token` is good for this delivery only; show it to heartbeat, ack, fail and release."""

    status: Literal["claimed"]
    message: MessageJson
    actor: str
    claim_token: str
    lease_expires_at: str
    delivery: int


class ClaimedTaskJson(TypedDict):
    """`claimed` is null, and `note` says why, when there was nothing to claim."""

    claimed: MessageJson | None
    note: str | None
    actor: str | None
    claim_token: str | None
    lease_expires_at: str | None
    delivery: int | None


class StatusJson(TypedDict):
    status: str
    message: MessageJson


class HeartbeatJson(TypedDict):
    message: MessageJson
    actor: str
    claim_token: str
    lease_expires_at: str
    delivery: int


class ResultJson(TypedDict):
    """`status` is `pending` until the task has its outcome."""

    task_id: str
    status: Literal["pending", "done", "failed", "dead", "expired", "cancelled"]
    result: Any
    reason: str | None
    message: MessageJson


class DeliveryJson(TypedDict):
    number: int
    actor: str
    key_id: str
    claimed_at: str
    ended: str | None
    reason: str | None


class DeadLetterJson(TypedDict):
    id: str
    message: MessageJson
    reason: str
    died_at: str
    deliveries: list[DeliveryJson]


class DeadLetterPageJson(TypedDict):
    data: list[DeadLetterJson]
    limit: int
    next_cursor: str | None


class RedrivenItemJson(TypedDict):
    dead_letter_id: str
    message_id: str


class RedrivenJson(TypedDict):
    redriven: list[RedrivenItemJson]
