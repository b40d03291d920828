"""Webhooks over HTTP: an actor's own, and what could not be delivered for a channel."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import ActorPath, ChannelPath, CursorQuery, LimitQuery
from api.bodies.webhooks import NewWebhook
from api.deps import bus_of, caller_of
from api.examples import webhooks as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import webhooks as shapes
from api.wire import webhooks as wire

router = keyed("webhooks")
_OWN = ("actor_not_found", "actor_forbidden", "insufficient_scope", "invalid_actor_name")


@router.post(
    "/v1/actors/{actor:path}/webhook",  # a name may hold a slash
    operation_id="set_webhook",
    summary="Set an actor's webhook",
    responses={
        **docs.success(200, wire.WebhookJson, examples.WEBHOOK, "The webhook; its secret is not shown."),
        **docs.fails(*_OWN, "missing_field", "invalid_string", "invalid_webhook_url", "content_too_large", body=True),
    },
)
async def set_webhook(request: Request, actor: ActorPath, body: NewWebhook) -> Response:
    """Tell this URL whenever the actor is mentioned, at most once a minute and channel. Replaces what was set."""
    found = await bus_of(request).webhooks.set(caller_of(request), actor, body.url, secret=body.secret)
    return reply(shapes.webhook(found))


@router.get(
    "/v1/actors/{actor:path}/webhook",
    operation_id="get_webhook",
    summary="Look at an actor's webhook",
    responses={
        **docs.success(200, wire.WebhookJson, examples.WEBHOOK, "The webhook; its secret is not shown."),
        **docs.fails(*_OWN, "webhook_not_found"),
    },
)
async def get_webhook(request: Request, actor: ActorPath) -> Response:
    """The URL that is told when the actor is mentioned; for the key that the actor belongs to."""
    return reply(shapes.webhook(await bus_of(request).webhooks.get(caller_of(request), actor)))


@router.delete(
    "/v1/actors/{actor:path}/webhook",
    operation_id="delete_webhook",
    summary="Remove an actor's webhook",
    responses={
        **docs.success(200, wire.DeletedWebhookJson, examples.DELETED, "Nothing is sent any more."),
        **docs.fails(*_OWN),
    },
)
async def delete_webhook(request: Request, actor: ActorPath) -> Response:
    """Tell nobody any more; what is queued is not sent either. Doing it twice changes nothing."""
    await bus_of(request).webhooks.delete(caller_of(request), actor)
    return reply({"deleted": True})


@router.get(
    "/v1/channels/{channel}/webhook-failures",
    operation_id="failures",
    summary="See what was never delivered",
    responses={
        **docs.success(200, wire.WebhookFailurePageJson, examples.FAILURES, "Newest first; `next_cursor` null: no more."),
        **docs.fails("forbidden", "insufficient_scope", "channel_not_found", "invalid_channel_name", "invalid_limit",
                     "invalid_cursor"),
    },
)  # fmt: skip
async def failures(request: Request, channel: ChannelPath, limit: LimitQuery = 50, cursor: CursorQuery = None) -> Response:
    """Deliveries that were given up after their last attempt, with what each attempt met; for the channel's owner."""
    page = await bus_of(request).webhooks.failures(caller_of(request), channel, limit=limit, cursor=cursor)
    return reply(shapes.failure_page(page, limit))
