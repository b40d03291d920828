"""The JSON of messages, claims, results and dead letters."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on

from bus.message_json import MessageJson


class WorkersJson(TypedDict):
    """Actors that wait for a task of the channel now, and that took or asked for one within 15 minutes (those who wait among
    them); `last_seen_at` is null when nobody ever did."""

    waiting: int
    recent: int
    last_seen_at: str | None


class PostedJson(TypedDict):
    """`workers`: of a new task. `nearest`: where the channel was created for it, the names of channels most like it."""

    message: MessageJson
    channel: str
    channel_created: bool
    next_cursor: str
    workers: WorkersJson | None
    nearest: list[str]


class MessagePageJson(TypedDict):
    """`missed`: messages that were trimmed before the reader's cursor came by (broadcasts)."""

    data: list[MessageJson]
    limit: int
    next_cursor: str | None
    missed: int


class ClaimJson(TypedDict):
    """`claim_token` is good for this delivery only; show it to heartbeat, ack, fail and release.

    `already_claimed`: the actor held the task before, and this is that claim.
    """

    status: Literal["claimed", "already_claimed"]
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


class AckedJson(TypedDict):
    """`already_acknowledged`: the actor had done so before, and nothing was changed."""

    status: Literal["acknowledged", "already_acknowledged"]
    message: MessageJson


class LeaseHeartbeatJson(TypedDict):
    """`lease_token` stands for this delivery of the task. Whoever shows it needs the holder's API key all the same."""

    lease_token: str
    expires_at: str


class LeaseJson(LeaseHeartbeatJson):
    message: MessageJson


class HeartbeatJson(TypedDict):
    message: MessageJson
    actor: str
    claim_token: str
    lease_expires_at: str
    delivery: int


class ResultJson(TypedDict):
    """`status` is `pending` until the task has its outcome, or `input_required` while its holder waits for an answer."""

    task_id: str
    status: Literal["pending", "input_required", "done", "failed", "dead", "expired", "cancelled"]
    result: Any
    reason: str | None
    message: MessageJson


class ResultsJson(TypedDict):
    """`finished`: those that were needed have their outcome. `input_required`: the holder of one waits for an answer.
    `pending`: neither, so ask again.
    """

    status: Literal["pending", "input_required", "finished"]
    results: list[ResultJson]


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
