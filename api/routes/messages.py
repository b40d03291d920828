"""Messages over HTTP: post on a channel, read it by cursor, look at one, and what a holder does with one by its id."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import ChannelPath, CursorQuery, LimitQuery, MessagePath, SinceQuery, WaitQuery
from api.bodies.messages import AckBody, CancelBody, ClaimOne, FailBody, HeartbeatBody, NewMessage, ReleaseBody
from api.deps import bus_of, caller_of, capped, posted, seconds, seconds_or_none, until_gone
from api.examples import messages as examples
from api.replies import reply
from api.routing import keyed
from api.seen import seen
from api.shapes import messages as shapes
from api.wire import messages as wire
from bus.bus import Bus
from bus.errors import AlreadyFinished, ChannelNotClaimable, InsufficientScope, InvalidInput
from bus.models import Acked, Caller, Mode
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
    responses={**docs.success(200, wire.MessageJson, examples.DONE, "It as it stands."), **docs.fails(*docs.MESSAGE)},
)
async def get_message(request: Request, message_id: MessagePath) -> Response:
    """One message: for a task its state, holder or outcome."""
    return reply(shapes.message(await bus_of(request).messages.get(caller_of(request), message_id)))


@router.post(
    "/v1/messages/{message_id}/claim",
    operation_id="claim_message",
    summary="Take this one task",
    responses={
        **docs.success(200, wire.ClaimJson | wire.AckedJson, examples.CLAIM, "It is the actor's until the lease ends."),
        **docs.fails(
            *docs.CLAIMING, "invalid_lease_seconds", body=True,
        ),
    },
)  # fmt: skip
async def claim_message(request: Request, message_id: MessagePath, body: ClaimOne) -> Response:
    """Take a given task; claiming what the same actor holds returns that claim again (`already_claimed`), and what it has
    finished the task with its outcome (`already_acknowledged`). `POST /v1/tasks/claim` picks one.
    """
    bus, caller = bus_of(request), caller_of(request)
    try:
        claim = await bus.tasks.claim_message(caller, message_id, actor=body.actor, lease=seconds_or_none(body.lease_seconds))
    except AlreadyFinished as finished:
        if not finished.details.get("by_caller"):
            raise
        try:
            message = await bus.messages.get(caller, message_id)
        except InsufficientScope:  # a key that may claim and not read: it is told what it may know
            raise finished from None
        return reply(shapes.acked(Acked(message, repeated=True)))
    return reply(shapes.claim(claim))


@router.post(
    "/v1/messages/{message_id}/heartbeat",
    operation_id="heartbeat",
    summary="Renew a claim's lease",
    responses={
        **docs.success(200, wire.HeartbeatJson, examples.HEARTBEAT, "The claim with its new end."),
        **docs.fails(*docs.HELD, "invalid_lease_seconds", body=True),
    },
)
async def heartbeat(request: Request, message_id: MessagePath, body: HeartbeatBody) -> Response:
    """Keep a task: its lease ends `lease_seconds` (absent: the channel's) from now."""
    claim = await bus_of(request).tasks.heartbeat(
        caller_of(request),
        message_id,
        actor=body.actor,
        claim_token=body.claim_token,
        lease=seconds_or_none(body.lease_seconds),
    )
    return reply(shapes.heartbeat(claim))


@router.post(
    "/v1/messages/{message_id}/ack",
    operation_id="ack_task",
    summary="Finish a task, or mark a broadcast as read",
    responses={
        **docs.success(200, wire.AckedJson, examples.ACKNOWLEDGED, "The message with its outcome."),
        **docs.fails(
            *docs.HELD,
            "channel_not_claimable",
            "channel_not_broadcast",
            "content_too_large",
            "invalid_object",
            "invalid_status",
            "invalid_mode",
            body=True,
        ),
    },
)
async def ack_task(request: Request, message_id: MessagePath, body: AckBody) -> Response:
    """Finish a held task with a result, which its poster's `await_result` gets. On a broadcast channel: a read receipt."""
    bus, caller = bus_of(request), caller_of(request)
    if body.mode != Mode.BROADCAST:
        try:
            return reply(shapes.acked(await _finish(bus, caller, message_id, body)))
        except ChannelNotClaimable:
            if body.mode is not None:
                raise
    return reply(shapes.acked(await bus.broadcasts.mark_read(caller, message_id, actor=body.actor)))


async def _finish(bus: Bus, caller: Caller, message_id: str, body: AckBody) -> Acked:
    return await bus.tasks.ack(
        caller,
        message_id,
        actor=body.actor,
        claim_token=body.claim_token,
        status=body.status,
        result=body.result,
        reason=body.reason,
    )


@router.post(
    "/v1/messages/{message_id}/release",
    operation_id="release_task",
    summary="Give a task back",
    responses={
        **docs.success(200, wire.StatusJson, examples.RELEASED, "It can be claimed again."),
        **docs.fails(*docs.HELD, "channel_not_claimable", "invalid_delay_seconds", body=True),
    },
)
async def release_task(request: Request, message_id: MessagePath, body: ReleaseBody) -> Response:
    """Give a held task back, not counted against its deliveries; claimable at once or after `delay_seconds`."""
    message = await bus_of(request).tasks.release(
        caller_of(request),
        message_id,
        actor=body.actor,
        claim_token=body.claim_token,
        delay=seconds(body.delay_seconds),
        reason=body.reason,
    )
    return reply(shapes.status("released", message))


@router.post(
    "/v1/messages/{message_id}/fail",
    operation_id="fail_task",
    summary="Say that a delivery failed",
    responses={
        **docs.success(200, wire.StatusJson, examples.FAILED, "It comes back later, or is a dead letter now."),
        **docs.fails(*docs.HELD, "channel_not_claimable", body=True),
    },
)
async def fail_task(request: Request, message_id: MessagePath, body: FailBody) -> Response:
    """This delivery failed: the task comes back after a backoff, or is a dead letter when it was the last allowed."""
    message = await bus_of(request).tasks.fail(
        caller_of(request), message_id, actor=body.actor, claim_token=body.claim_token, reason=body.reason
    )
    return reply(shapes.status("failed", message))


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
