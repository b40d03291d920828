"""The JSON of webhooks and of what they were never told."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class WebhookJson(TypedDict):
    actor_id: str
    url: str
    has_secret: bool
    updated_at: str


class DeletedWebhookJson(TypedDict):
    deleted: bool


class WebhookAttemptJson(TypedDict):
    """`answer`: the HTTP status, or why there was none."""

    at: str
    answer: str


class WebhookFailureJson(TypedDict):
    """`id` is what the receiver would have seen as X-Backchannel-Delivery; `url` is without its query, and empty for
    a mention: an actor's webhook is known to its own API key only."""

    id: str
    channel_id: str
    event: Literal["message.posted", "message.mentioned", "member.approved"]
    url: str
    message_id: str | None
    failed_at: str
    attempts: list[WebhookAttemptJson]


class WebhookFailurePageJson(TypedDict):
    data: list[WebhookFailureJson]
    limit: int
    next_cursor: str | None
