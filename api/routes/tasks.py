"""Tasks over HTTP by the verbs agents think in: post, broadcast, claim the next one, await its result, subscribe."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import DAY, MessagePath
from api.bodies.tasks import AwaitedTasks, ClaimNext, NewBroadcast, NewTask, Subscription
from api.deps import bus_of, caller_of, capped, chain_or_none, posted, put_back_if_gone, seconds, seconds_or_none, until_gone
from api.errors import Refused
from api.examples import messages as examples
from api.replies import reply
from api.routing import keyed
from api.seen import seen
from api.shapes import messages as shapes
from api.wire import messages as wire
from bus import reasons
from bus.bus import Bus
from bus.errors import InvalidInput, MessageNotFound
from bus.models import Caller, Message

router = keyed("tasks")


@router.post(
    "/v1/tasks/post",
    operation_id="post_task",
    status_code=201,
    summary="Hand work over",
    responses={
        **docs.success(201, wire.PostedJson, examples.POSTED, "The task, waiting to be claimed."),
        **docs.fails(*docs.POSTING, *docs.CHAINED, "channel_not_claimable", "invalid_delay_seconds", body=True),
    },
)
async def post_task(request: Request, body: NewTask) -> Response:
    """Post a task; the channel is created when there is none. Send `Idempotency-Key` to make a repeat safe."""
    return posted(
        await bus_of(request).tasks.post(
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
    )


@router.post(
    "/v1/tasks/broadcast",
    operation_id="broadcast",
    status_code=201,
    summary="Tell every reader",
    responses={
        **docs.success(201, wire.PostedJson, examples.BROADCAST, "The message."),
        **docs.fails(*docs.POSTING, "channel_not_broadcast", body=True),
    },
)
async def broadcast(request: Request, body: NewBroadcast) -> Response:
    """Post on a broadcast channel, which is created when there is none."""
    return posted(
        await bus_of(request).broadcasts.broadcast(
            caller_of(request),
            body.channel,
            body.content,
            metadata=body.metadata,
            actor=body.actor,
            label=body.actor_label,
            idempotency_key=seen(request.scope).idempotency_key,
        )
    )


@router.post(
    "/v1/tasks/claim",
    operation_id="claim_task",
    summary="Take the next task",
    responses={
        **docs.success(200, wire.ClaimedTaskJson, examples.CLAIMED_TASK, "The task, or null and why there is none."),
        **docs.fails(
            *docs.CHANNEL, *docs.ACTING, "channel_not_claimable", "missing_field", "invalid_wait", "invalid_lease_seconds",
            "invalid_channels", "invalid_object", body=True,
        ),
    },
)  # fmt: skip
async def claim_task(request: Request, body: ClaimNext) -> Response:
    """Take the oldest waiting task of a channel, waiting for one up to `wait` seconds. Finish it before the lease ends."""
    bus, caller = bus_of(request), caller_of(request)
    names = body.channels or ([body.channel] if body.channel is not None else [])
    if not names:
        raise InvalidInput("channel (or channels) is required", field="channel", code="missing_field")
    hold = capped(bus, body.wait)
    claim = await until_gone(
        request,
        bus.tasks.claim(caller, names, actor=body.actor, lease=seconds_or_none(body.lease_seconds), wait=hold),
        waits=hold,
    )
    if claim is None:
        seen(request.scope).had_no_effect = True
        return reply(shapes.claimed_task(None, await reasons.nothing_to_claim(bus.channels, caller, names)))
    await put_back_if_gone(request, bus, caller, claim)
    return reply(shapes.claimed_task(claim, None))


@router.get(
    "/v1/tasks/{message_id}/result",
    operation_id="await_result",
    summary="Wait for a task's result",
    responses={
        **docs.success(200, wire.ResultJson, examples.RESULT, "Its outcome, its holder's question, or `pending`."),
        **docs.fails(
            *docs.MESSAGE, "forbidden", "channel_not_claimable", "message_expired", "invalid_wait", "result_not_ready"
        ),
    },
)
async def await_result(
    request: Request,
    message_id: MessagePath,
    wait: Annotated[
        float | None,
        Query(ge=0, le=DAY, allow_inf_nan=False, description="Hold the request up to this many seconds; the server caps it."),
    ] = None,
) -> Response:
    """The outcome of a task, as soon as it has one; ask again while it is `pending`. While it is `input_required`, answer the
    last of `message.questions` first.

    Without `wait` (not even 0) it answers as first clients know it: 404 `result_not_ready` instead of `pending`.
    """
    bus, caller = bus_of(request), caller_of(request)
    if wait is None:
        return reply(shapes.result(await _ready(bus, caller, message_id)))
    hold = capped(bus, wait)
    message = await until_gone(request, bus.tasks.await_result(caller, message_id, wait=hold), waits=hold)
    return reply(shapes.result(message))


async def _ready(bus: Bus, caller: Caller, message_id: str) -> Message:
    """Raises Refused (result_not_ready) while there is no outcome, and where there is no such task."""
    try:
        message = await bus.tasks.await_result(caller, message_id)
    except MessageNotFound as missing:
        raise Refused("result_not_ready", f"there is no result: {missing.message}") from missing
    if message.state is None or not message.state.final:
        raise Refused("result_not_ready", "the task has no result yet; ask again later, or with ?wait=20 to be told at once")
    return message


@router.post(
    "/v1/tasks/results",
    operation_id="await_results",
    summary="Wait for the results of several tasks",
    responses={
        **docs.success(200, wire.ResultsJson, examples.RESULTS, "How each of them stands, in the order given."),
        **docs.fails(
            *docs.MESSAGE, "forbidden", "channel_not_claimable", "message_expired", "missing_field", "invalid_message_ids",
            "invalid_need", "invalid_wait", body=True,
        ),
    },
)  # fmt: skip
async def await_results(request: Request, body: AwaitedTasks) -> Response:
    """The outcomes of several tasks, as soon as all of them, or any, have one, or a holder asks something; ask again while
    `status` is `pending`. One id that is refused refuses the call.
    """
    bus = bus_of(request)
    hold = capped(bus, body.wait)
    found = await until_gone(
        request,
        bus.tasks.await_results(caller_of(request), body.message_ids, need=body.need, wait=hold),
        waits=hold,
    )
    return reply(shapes.results(found, body.need))


@router.post(
    "/v1/tasks/subscribe",
    operation_id="subscribe_messages",
    summary="Read a channel, asked by a body",
    responses={
        **docs.success(200, wire.MessagePageJson, examples.PAGE, "Oldest first; resend `next_cursor` to read on."),
        **docs.fails(
            *docs.CHANNEL, *docs.ACTING, "missing_field", "invalid_limit", "invalid_cursor", "invalid_wait", body=True
        ),
    },
)
async def subscribe_messages(request: Request, body: Subscription) -> Response:
    """The same as `GET /v1/channels/{channel}/messages`."""
    bus = bus_of(request)
    hold = capped(bus, body.wait)
    given = body.since if body.cursor is None else body.cursor
    since = None if given is None else str(given)
    page = await until_gone(
        request,
        bus.messages.subscribe(caller_of(request), body.channel, since=since, limit=body.limit, actor=body.actor, wait=hold),
        waits=hold,
    )
    return reply(shapes.message_page(page, body.limit))
