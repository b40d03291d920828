"""The first Backchannel's verbs that are two of ours in one call, or one of ours in another shape."""

from __future__ import annotations

import secrets

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import MessagePath
from api.bodies.tasks import ClaimableSession, ClaimAndAck, NewResult, NewTask
from api.deps import bus_of, caller_of, chain_or_none, posted, seconds
from api.examples import combined as examples
from api.replies import reply
from api.routing import keyed
from api.seen import seen
from api.shapes import combined as shapes
from api.shapes.messages import status
from api.wire import combined as wire
from api.wire.messages import StatusJson
from bus.credentials import ACK, CHANNELS_MANAGE, require
from bus.models import Access, Mode, NewChannel

router = keyed("tasks")


@router.post(
    "/v1/tasks/claim-and-ack",
    operation_id="claim_and_ack",
    deprecated=True,
    summary="Take a task and finish it",
    responses={
        **docs.success(200, StatusJson, examples.CLAIMED_AND_ACKED, "The message with its outcome."),
        **docs.fails(
            *docs.HELD, *docs.CLAIMING, "missing_field", body=True,
        ),
    },
)  # fmt: skip
async def claim_and_ack(request: Request, body: ClaimAndAck) -> Response:
    """Claim one task and finish it without a result. A task that the actor holds already is finished too."""
    bus, caller = bus_of(request), caller_of(request)
    require(caller, ACK)  # before the claim: who may not go on would leave the task held
    claim = await bus.tasks.claim_message(caller, body.message_id, actor=body.actor)
    acked = await bus.tasks.ack(caller, claim.id, actor=claim.actor, claim_token=claim.claim_token)
    return reply(status("claimed_and_acked", acked.message))


@router.post(
    "/v1/tasks/create-claimable-session",
    operation_id="create_claimable_session",
    deprecated=True,
    status_code=201,
    summary="Make a channel for those who are invited",
    responses={
        **docs.success(201, wire.ClaimableSessionJson, examples.CLAIMABLE_SESSION, "The channel and an invitation to it."),
        **docs.fails(
            "channel_exists", "channel_access_denied", "alias_conflict", "forbidden", "insufficient_scope",
            "invalid_channel_name", "invalid_string", "too_many_invitations", body=True,
        ),
    },
)  # fmt: skip
async def create_claimable_session(request: Request, body: ClaimableSession) -> Response:
    """Create a restricted claimable channel, or take the caller's own of that name, and make an invitation to it."""
    bus, caller = bus_of(request), caller_of(request)
    require(caller, CHANNELS_MANAGE)  # before the channel: who may not invite would leave it behind
    name = body.name if body.name is not None else f"session-{secrets.token_hex(4)}"
    wanted = NewChannel(name, mode=Mode.CLAIMABLE, access=Access.RESTRICTED, description=body.description or "")
    channel = (await bus.channels.create(caller, wanted)).channel
    return reply(shapes.claimable_session(channel, await bus.invitations.create(caller, channel.id)), 201)


@router.post(
    "/v1/tasks/post-with-result",
    operation_id="post_with_result",
    deprecated=True,
    status_code=201,
    summary="Hand work over, and be told where its result will be",
    responses={
        **docs.success(201, wire.PostedWithResultJson, examples.POSTED_WITH_RESULT, "The task, waiting to be claimed."),
        **docs.fails(*docs.POSTING, *docs.CHAINED, "channel_not_claimable", "invalid_delay_seconds", body=True),
    },
)
async def post_with_result(request: Request, body: NewTask) -> Response:
    """`POST /v1/tasks/post`; read the result at `result_url`, with `?wait=20` to be told of it at once."""
    found = await bus_of(request).tasks.post(
        caller_of(request),
        body.channel,
        body.content,
        metadata=body.metadata,
        actor=body.actor,
        label=body.actor_label,
        delay=seconds(body.delay_seconds),
        chain=chain_or_none(body.chain),
        idempotency_key=seen(request.scope).idempotency_key,
    )
    return posted(found, shapes.posted_with_result)


@router.post(
    "/v1/tasks/{message_id}/result",
    operation_id="post_result",
    deprecated=True,
    status_code=201,
    summary="Finish a held task with a text",
    responses={
        **docs.success(201, wire.ResultPostedJson, examples.RESULT_POSTED, "The message with its outcome."),
        **docs.fails(
            *docs.HELD, "content_too_large", "channel_not_claimable", "missing_field", "invalid_object",
            body=True,
        ),
    },
)  # fmt: skip
async def post_result(request: Request, message_id: MessagePath, body: NewResult) -> Response:
    """Ack with a result made of `content`, `metadata` and `actor_label`. Only the task's holder can: nobody forges it."""
    acked = await bus_of(request).tasks.ack(
        caller_of(request),
        message_id,
        actor=body.actor,
        claim_token=body.claim_token,
        result={"content": body.content, "metadata": body.metadata or {}, "actor_label": body.actor_label},
    )
    return reply(shapes.result_posted(acked), 201)
