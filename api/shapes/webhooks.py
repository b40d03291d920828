"""Webhooks and their failures as JSON."""

from __future__ import annotations

from typing import cast

from api.wire import webhooks as wire
from bus.models import Page, Webhook, WebhookFailure

from .moments import stamp


def webhook(w: Webhook) -> wire.WebhookJson:
    return {"actor_id": w.actor, "url": w.url, "has_secret": w.has_secret, "updated_at": stamp(w.updated_at)}


def failure(f: WebhookFailure) -> wire.WebhookFailureJson:
    return cast(
        wire.WebhookFailureJson,
        {
            "id": f.id,
            "channel_id": f.channel,
            "event": f.event,
            "url": f.url,
            "message_id": f.message_id,
            "failed_at": stamp(f.failed_at),
            "attempts": [{"at": stamp(each.at), "answer": each.answer} for each in f.attempts],
        },
    )


def failure_page(page: Page[WebhookFailure], limit: int) -> wire.WebhookFailurePageJson:
    return {"data": [failure(each) for each in page.items], "limit": limit, "next_cursor": page.next_cursor}
