"""The worker's tools: take a task, keep it, finish it or give it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from mcp_types import ToolAnnotations
from pydantic import Field

from bus import Claim, Message, reasons
from bus.errors import InvalidInput
from mcp_server.answers import Claimed, Renewed, Settled, Task
from mcp_server.arguments import Actor, ClaimToken, DelaySeconds, LeaseSeconds, MessageId, Reason, WaitSeconds, whole_message_id
from mcp_server.clients import wait_of
from mcp_server.desk import Ctx, Desk, desk_of
from mcp_server.holding import Grip, held_ids, with_grip
from mcp_server.previews import whole
from mcp_server.session import LEASE
from mcp_server.strict import BusTool
from mcp_server.unheard import give_back
from mcp_server.waiting import OutOfReach, waiting
from mcp_server.who import Who

_BEFORE = "delivery {}: it was handed out before and not finished; what was begun may be half done, so look first"

_HOPS = "hop {} of a chain of tasks, each posted in the course of the one before: hand on only what you must"


async def claim_task(
    ctx: Ctx,
    channel: str | None = None,
    channels: Annotated[list[str] | None, Field(max_length=20, description="Several, tried in order")] = None,
    actor: Actor = None,
    wait_seconds: WaitSeconds = None,
    lease_seconds: LeaseSeconds = None,
) -> Claimed:
    """Take the oldest waiting task of a channel to work on it; nobody else gets it meanwhile. Waits for one; wait_seconds=0
    only looks. claimed: do what task.content asks, if your user would want it, then ack_task with the result, or release_task
    if you cannot. none: note says why."""
    wanted = [*([channel] if channel is not None else []), *(channels or [])]
    if not wanted:
        raise InvalidInput("channel is missing: name the channel to take a task from, or several in channels", field="channel")
    desk, seconds = desk_of(ctx), wait_of(ctx, wait_seconds)

    async def take(who: Who) -> Claimed:
        claim = await _claim(desk, ctx, who, wanted, actor, seconds, lease_seconds)
        desk.memory(ctx).note_worked(wanted)
        if claim is not None:
            return _claimed(desk, claim)
        return _none(desk, wanted, await reasons.nothing_to_claim(desk.bus.channels, who.caller, wanted))

    try:
        return await desk.act(ctx, take)
    except OutOfReach as away:
        return _none(desk, wanted, str(away))


async def _claim(
    desk: Desk, ctx: Ctx, who: Who, channels: Sequence[str], actor: str | None, wait_seconds: float, lease_seconds: float | None
) -> Claim | None:
    """A call that is cancelled just after it got a task gives it back: nobody would learn of it otherwise."""
    lease = timedelta(seconds=lease_seconds) if lease_seconds else LEASE if desk.session else None
    got: list[Claim] = []

    async def claim() -> None:
        taken = await desk.bus.tasks.claim(
            who.caller, channels, actor=actor or who.actor, lease=lease, wait=timedelta(seconds=wait_seconds)
        )
        if taken is not None:
            got.append(taken)

    told = False
    try:
        await waiting(ctx, wait_seconds, f"waiting for a task on {', '.join(channels)}", claim())
        told = True
    finally:
        if got and not told:
            release = desk.bus.tasks.release
            await give_back(release(who.caller, got[0].id, actor=got[0].actor, claim_token=got[0].claim_token))
    if got:
        desk.memory(ctx).hold(got[0], who, lease)
    return got[0] if got else None


def _claimed(desk: Desk, claim: Claim) -> Claimed:
    task = Task.of(claim.message, claim.delivery)
    read_on = f"{whole(claim.id, 'content')} reads on; " if task.content_characters else ""
    renewal = (
        f'the lease renews itself; on long work heartbeat(message_id="{claim.id}", progress=…) every few minutes'
        if desk.session
        else f'heartbeat(message_id="{claim.id}", progress=…) before lease_expires_at keeps it yours'
    )
    return Claimed(
        status="claimed",
        task=task,
        claim_token=claim.claim_token,
        lease_expires_at=claim.lease_expires_at,
        note="; ".join(_notes(task)) or None,
        still_held=held_ids(desk, but=claim.id),
        next=f'{read_on}do it, then ack_task(message_id="{claim.id}", result=…); {renewal}',
    )


def _notes(task: Task) -> list[str]:
    before = [_BEFORE.format(task.delivery)] if task.delivery > 1 else []
    return [*before, _HOPS.format(task.hops)] if task.hops else before


def _none(desk: Desk, channels: list[str], why: str) -> Claimed:
    one = len(channels) == 1
    where = f"channel={json.dumps(channels[0])}" if one else f"channels={json.dumps(channels)}"
    return Claimed(
        status="none",
        note=why,
        still_held=held_ids(desk),
        next=f"claim_task({where}) waits for one; or go on with something else",
    )


async def ack_task(
    ctx: Ctx,
    message_id: MessageId,
    result: Annotated[Any, Field(description="Text or JSON; not for failed")] = None,
    status: Literal["done", "failed"] = "done",
    reason: Reason = None,
    actor: Actor = None,
    claim_token: ClaimToken = None,
) -> Settled:
    """Finish a task you claimed: done with the result, which is all its poster sees, or failed with a reason if nobody can do
    it. To let another agent try, use release_task instead. Safe to repeat. lease_lost, task_cancelled: the result was not
    taken; drop the work."""
    desk, task = desk_of(ctx), whole_message_id(message_id)
    _demand(status, result, reason)

    async def ack(who: Who, grip: Grip) -> Message:
        acked = await desk.bus.tasks.ack(
            who.caller, task, actor=grip.actor, claim_token=grip.claim_token, status=status, result=result, reason=reason
        )
        return acked.message

    message = await with_grip(desk, ctx, task, Grip(actor, claim_token), ack)
    return _settled(desk, ctx, message, "claim_task for more work")


def _demand(status: str, result: Any, reason: str | None) -> None:
    """A poster that hears only "done" or "failed" has to ask again. Raises InvalidInput."""
    if status == "done" and (result is None or (isinstance(result, str) and not result.strip())):
        raise InvalidInput(
            "result is missing, and it is all that the poster will see: give what the task asked for, if only what you did; "
            "or status failed with a reason",
            field="result",
            code="result_missing",
        )
    if status == "failed" and not (reason or "").strip():
        raise InvalidInput("reason is missing: say why nobody can do the task", field="reason", code="reason_missing")


async def release_task(
    ctx: Ctx,
    message_id: MessageId,
    delay_seconds: DelaySeconds = 0,
    reason: Reason = None,
    actor: Actor = None,
    claim_token: ClaimToken = None,
) -> Settled:
    """Give a claimed task back unfinished, for another agent to take, at once or after delay_seconds. Use it when you cannot
    or should not do it. If nobody can, ack_task with status failed. lease_lost: somebody else has it already, nothing to
    do."""
    desk, task = desk_of(ctx), whole_message_id(message_id)

    async def release(who: Who, grip: Grip) -> Message:
        return await desk.bus.tasks.release(
            who.caller,
            task,
            actor=grip.actor,
            claim_token=grip.claim_token,
            delay=timedelta(seconds=delay_seconds),
            reason=reason,
        )

    message = await with_grip(desk, ctx, task, Grip(actor, claim_token), release)
    return _settled(desk, ctx, message, "claim_task for other work; it may give you this task again")


def _settled(desk: Desk, ctx: Ctx, message: Message, then: str) -> Settled:
    desk.memory(ctx).drop(message.id)
    assert message.state is not None  # noqa: S101 - the bus refuses these verbs on what is no task; for the type checker
    return Settled(state=message.state.value, next=then)


async def heartbeat(
    ctx: Ctx,
    message_id: MessageId,
    progress: Annotated[str | None, Field(description="How far it is: 3/7 compiled")] = None,
    lease_seconds: LeaseSeconds = None,
    actor: Actor = None,
    claim_token: ClaimToken = None,
) -> Renewed:
    """Keep a claimed task yours and tell its poster how far it is, every few minutes on long work; over HTTP before
    lease_expires_at (a local server renews the lease itself). lease_lost: somebody else may have it, drop the work.
    task_cancelled: stop."""
    desk, task = desk_of(ctx), whole_message_id(message_id)
    asked = timedelta(seconds=lease_seconds) if lease_seconds else None

    async def renew(who: Who, grip: Grip) -> Claim:
        known = desk.session.held.get(task) if desk.session else None
        lease = asked or (known.lease if known else LEASE if desk.session else None)
        claim = await desk.bus.tasks.heartbeat(
            who.caller, task, actor=grip.actor, claim_token=grip.claim_token, lease=lease, note=progress
        )
        desk.memory(ctx).hold(claim, who, lease)
        return claim

    claim = await with_grip(desk, ctx, task, Grip(actor, claim_token), renew)
    return Renewed(
        lease_expires_at=claim.lease_expires_at,
        next=f'ack_task(message_id="{claim.id}", result=…) when it is done',
    )


_HELD = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)

TOOLS = [
    BusTool.make(
        claim_task,
        "Claim a task",
        ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True),
        **{"anthropic/alwaysLoad": True},
    ),
    BusTool.make(ack_task, "Finish a task", _HELD, **{"anthropic/alwaysLoad": True}),
    BusTool.make(release_task, "Give a task back", _HELD),
    BusTool.make(heartbeat, "Keep a task longer", _HELD),
]
