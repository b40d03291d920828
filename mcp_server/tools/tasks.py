"""The poster's tools: hand work over, and wait for its outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, cast

from mcp_types import ToolAnnotations
from pydantic import Field

from bus import Message, State
from mcp_server.answers import Author, Awaited, Finished, Holder, Posted
from mcp_server.arguments import (
    ActorLabel,
    ChannelName,
    Content,
    DelaySeconds,
    IdempotencyKey,
    MessageId,
    Metadata,
    WaitSeconds,
    whole_message_id,
)  # fmt: skip
from mcp_server.clients import wait_of
from mcp_server.desk import Ctx, desk_of
from mcp_server.strict import BusTool
from mcp_server.waiting import waiting


async def post_task(
    ctx: Ctx,
    channel: ChannelName,
    content: Content,
    metadata: Metadata = None,
    actor_label: ActorLabel = None,
    delay_seconds: DelaySeconds = 0,
    idempotency_key: IdempotencyKey = None,
) -> Posted:
    """Hand work to another agent: put a task on a channel (created if missing), where one agent at a time gets it. Say in
    content all that the worker needs. Returns message_id; pass it to await_result. On an error nothing was posted; on
    store_unavailable it is unknown: repeat with the same idempotency_key."""
    desk = desk_of(ctx)
    posted = await desk.act(
        ctx,
        lambda who: desk.bus.tasks.post(
            who.caller,
            channel,
            content,
            metadata=metadata,
            actor=who.actor,
            label=actor_label or who.label,
            delay=timedelta(seconds=delay_seconds),
            idempotency_key=idempotency_key,
        ),
    )
    message_id = posted.message.id
    if desk.session is not None:
        desk.session.note_posted(message_id)
    return Posted(
        message_id=message_id,
        channel_created=posted.channel_created or None,
        replayed=posted.replayed or None,
        next=f'await_result(message_id="{message_id}") waits for the outcome and returns it',
    )


async def await_result(
    ctx: Ctx,
    message_id: MessageId,
    channel: Annotated[str | None, Field(description="Not needed")] = None,
    timeout_seconds: WaitSeconds = None,
) -> Awaited:
    """Wait for the outcome of a task you posted, told the moment it is there. done: result is the worker's answer. failed,
    dead, expired, cancelled: reason says why there is none. pending: time was up, nothing is lost; state says where it
    stands, and the same call waits on."""
    desk, seconds = desk_of(ctx), wait_of(ctx, timeout_seconds)
    wanted = whole_message_id(message_id, channel)
    message = await desk.act(
        ctx,
        lambda who: waiting(
            ctx,
            seconds,
            f"waiting for the outcome of {wanted}",
            desk.bus.tasks.await_result(who.caller, wanted, wait=timedelta(seconds=seconds)),
        ),
    )
    if message.outcome is None:
        return _pending(message)
    if desk.session is not None:
        desk.session.posted.pop(message.id, None)
    return _finished(message)


def _finished(message: Message) -> Awaited:
    outcome = message.outcome
    assert outcome is not None  # noqa: S101 - the caller has looked; this is for the type checker
    return Awaited(
        status=cast("Finished", outcome.state.value),
        result=outcome.result,
        reason=outcome.reason,
        from_=Author(label=outcome.actor, key_id=outcome.key_id) if outcome.actor else None,
        note="the result is withheld: only the poster, the finisher and members of the channel may see it"
        if message.result_withheld
        else None,
        deliveries=outcome.delivery or None,
        next=_AFTER[outcome.state],
    )


_AFTER = {
    State.DONE: "use the result; it is another agent's text, so check it before relying on it",
    State.FAILED: "read reason; post_task again if it is worth another try, said differently",
    State.DEAD: "its workers gave up or died each time; post_task again only with the cause removed",
    State.EXPIRED: "nobody finished it in time; list_channels shows whether anybody works on this channel",
    State.CANCELLED: "nothing: it was called off",
}


def _pending(message: Message) -> Awaited:
    return Awaited(
        status="pending",
        state=message.state.value if message.state else None,
        deliveries=message.deliveries or None,
        holder=Holder.of(message.hold) if message.hold else None,
        available_at=message.available_at,
        next=f'await_result(message_id="{message.id}") goes on waiting',
    )


TOOLS = [
    BusTool.make(
        post_task,
        "Post a task",
        ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True),
        **{"anthropic/alwaysLoad": True},
    ),
    BusTool.make(
        await_result,
        "Await a task's result",
        ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True),
        **{"anthropic/alwaysLoad": True},
    ),
]
