"""Messages over HTTP: post on a channel, read it by cursor, look at one, call it off or take it back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import ChannelPath, CursorQuery, LimitQuery, MessagePath, SinceQuery, WaitQuery
from api.bodies.messages import CancelBody, NewMessage
from api.deps import bus_of, caller_of, capped, chain_or_none, posted, seconds, until_gone
from api.examples import messages as examples
from api.replies import reply
from api.routing import keyed
from api.seen import seen
from api.shapes import messages as shapes
from api.wire import messages as wire
from bus.errors import InvalidInput
from bus.models import Mode
from bus.names import timestamp

router = keyed("messages")
_SINCE_IS_OLD = {"Deprecation": "true", "Sunset": "2027-01-01"}


@router.post(
    "/v1/channels/{channel}/messages",
    operation_id="post_message",
    status_code=201,
    summary="Post on a channel",
    responses={
        **docs.success(201, wire.PostedJson, examples.POSTED, "The message, and the cursor that reads on after it."),
        **docs.fails(
            *docs.POSTING,
            *docs.CHAINED,
            "invalid_delay_seconds",
            "invalid_mentions",
            "invalid_mode",
            "invalid_create",
            "channel_not_claimable",
            "channel_not_broadcast",
            body=True,
        ),
    },
)
async def post_message(request: Request, channel: ChannelPath, body: NewMessage) -> Response:
    """Post a task or a broadcast, whichever the channel is for. Send `Idempotency-Key` to make a repeat safe."""
    return posted(
        await bus_of(request).messages.post(
            caller_of(request),
            channel,
            body.content,
            mode=None if body.mode is None else Mode(body.mode),
            create=body.create,
            metadata=body.metadata,
            actor=body.actor,
            label=body.actor_label,
            delay=seconds(body.delay_seconds),
            mentions=body.mentions or (),
            chain=chain_or_none(body.chain),
            idempotency_key=seen(request.scope).idempotency_key,
        )
    )


@router.get(
    "/v1/channels/{channel}/messages",
    operation_id="subscribe",
    summary="Read a channel",
    responses={
        **docs.success(200, wire.MessagePageJson, examples.PAGE, "Oldest first; resend `next_cursor` to read on."),
        **docs.fails(
            *docs.CHANNEL, *docs.ACTING, "invalid_limit", "invalid_status", "invalid_cursor", "invalid_expiring_before",
            "invalid_wait",
        ),
    },
)  # fmt: skip
async def subscribe(
    request: Request,
    channel: ChannelPath,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
    since: SinceQuery = None,
    status: Annotated[Literal["unclaimed", "claimed"] | None, Query(description="Only these.")] = None,
    expiring_before: Annotated[str | None, Query(description="Only what expires before this ISO 8601 timestamp.")] = None,
    wait: WaitQuery = 0,
    actor: Annotated[str | None, Query(description="On a broadcast channel: keep this reader's place.")] = None,
) -> Response:
    """Messages after the cursor. Without one, a claimable channel shows what matters now and a broadcast channel its oldest."""
    bus = bus_of(request)
    hold = capped(bus, wait)
    page = await until_gone(
        request,
        bus.messages.subscribe(
            caller_of(request),
            channel,
            since=since if cursor is None else cursor,
            limit=limit,
            status=status,
            expiring_before=_moment(expiring_before),
            actor=actor,
            wait=hold,
        ),
        waits=hold,
    )
    return reply(shapes.message_page(page, limit), headers=_SINCE_IS_OLD if since is not None and cursor is None else None)


def _moment(given: str | None) -> datetime | None:
    if given is None:
        return None
    if moment := timestamp(given):
        return moment
    told = "expiring_before must be an ISO 8601 timestamp"
    raise InvalidInput(told, field="expiring_before", code="invalid_expiring_before")


@router.get(
    "/v1/messages/{message_id}",
    operation_id="get_message",
    summary="Look at a message",
    responses={
        **docs.success(200, wire.MessageJson, examples.DONE, "It as it stands."),
        **docs.fails(*docs.MESSAGE, "message_expired"),
    },
)
async def get_message(request: Request, message_id: MessagePath) -> Response:
    """One message: for a task its state, holder or outcome."""
    return reply(shapes.message(await bus_of(request).messages.get(caller_of(request), message_id)))


@router.post(
    "/v1/messages/{message_id}/cancel",
    operation_id="cancel_task",
    summary="Call a task off",
    responses={
        **docs.success(200, wire.StatusJson, examples.CANCEL, "Cancelled, or noted for its holder to learn."),
        **docs.fails(*docs.MESSAGE, "forbidden", "already_finished", "channel_not_claimable", "invalid_string", body=True),
    },
)
async def cancel_task(request: Request, message_id: MessagePath, body: CancelBody) -> Response:
    """Call a task off; for the key that posted it and the channel's owner. In flight, its holder learns it next."""
    message = await bus_of(request).tasks.cancel(caller_of(request), message_id, reason=body.reason)
    return reply(shapes.status("cancelled" if message.outcome is not None else "cancel_requested", message))


@router.delete(
    "/v1/messages/{message_id}",
    operation_id="retract",
    summary="Take a message back",
    responses={
        **docs.success(200, wire.StatusJson, examples.RETRACTED, "It left the channel; its history has it."),
        **docs.fails(
            *docs.MESSAGE, "forbidden", "message_claimed", "already_finished", "message_expired", "insufficient_scope"
        ),
    },
)
async def retract(request: Request, message_id: MessagePath) -> Response:
    """Take a message back; for the key that posted it and the channel's owner. A task that nobody holds ends as cancelled."""
    answer = shapes.status("retracted", await bus_of(request).messages.retract(caller_of(request), message_id))
    answer["message"]["active"] = False
    return reply(answer)
