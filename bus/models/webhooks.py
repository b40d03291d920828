"""URLs that are told of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """An actor's webhook: told when the actor is mentioned. Its secret is never shown."""

    actor: str
    url: str
    has_secret: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One try to send. `answer`: the HTTP status, or why there was none."""

    at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class WebhookFailure:
    """A delivery that was given up after its last attempt: the webhooks' dead letter.

    `event`: `message.posted`, `message.mentioned` or `member.approved`; `url` without its query, and empty for a mention:
    an actor's webhook is known to its own API key only.
    """

    id: str
    channel: str
    event: str
    url: str
    message_id: str | None
    failed_at: datetime
    attempts: Sequence[WebhookAttempt]
