"""Webhooks: URLs that are told of messages at once, at least once, signed, with a visible end when they stay away.

A channel's webhook is one of its settings (`NewChannel.webhook_url`, `ChannelChanges`): told of every message and of
every approved member. An actor's is set here: told when the actor is mentioned, at most once a minute and channel.
"""

from __future__ import annotations

from typing import Protocol

from .models import Caller, Page, Webhook, WebhookFailure


class Webhooks(Protocol):
    """The verbs on an actor's webhook are for the key that the actor belongs to: ActorNotFound, ActorForbidden,
    InsufficientScope (messages:read)."""

    async def set(self, caller: Caller, actor: str, url: str, *, secret: str | None = None) -> Webhook:
        """Tell this URL, http or https; replaces what was set. With a `secret` what is sent is signed (HMAC-SHA256).

        Raises InvalidInput (`invalid_webhook_url`: malformed, with a user or password in it, or an address that
        BACKCHANNEL_WEBHOOK_ALLOW does not allow), ContentTooLarge (a secret of more than 512 bytes).
        """
        ...

    async def get(self, caller: Caller, actor: str) -> Webhook:
        """Raises WebhookNotFound."""
        ...

    async def delete(self, caller: Caller, actor: str) -> None:
        """Tell nobody any more, what is queued included. None set before is fine."""
        ...

    async def failures(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[WebhookFailure]:
        """Deliveries for a channel that were given up after 5 attempts, newest first, 1..100 a page; for its owner.

        Raises Forbidden, ChannelNotFound, InvalidInput, InsufficientScope (channels:manage).
        """
        ...
