"""Claims over HTTP, by the message's id: take this one task, keep it, finish it or give it back."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import MessagePath
from api.bodies.messages import AckBody, ClaimOne, FailBody, HeartbeatBody, ReleaseBody
from api.deps import bus_of, caller_of, seconds, seconds_or_none
from api.examples import messages as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import messages as shapes
from api.wire import messages as wire
from bus.bus import Bus
from bus.errors import AlreadyFinished, ChannelNotClaimable, InsufficientScope
from bus.models import Acked, Caller, Mode

router = keyed("messages")


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
        **docs.fails(*docs.HELD, "invalid_lease_seconds", "invalid_automatic", body=True),
    },
)
async def heartbeat(request: Request, message_id: MessagePath, body: HeartbeatBody) -> Response:
    """Keep a task: its lease ends `lease_seconds` (absent: the channel's) from now. While a question is open, it stays."""
    claim = await bus_of(request).tasks.heartbeat(
        caller_of(request),
        message_id,
        actor=body.actor,
        claim_token=body.claim_token,
        lease=seconds_or_none(body.lease_seconds),
        note=body.note,
        automatic=body.automatic,
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
            "message_expired",
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
