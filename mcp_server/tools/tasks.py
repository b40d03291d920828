"""The poster's tools: hand work over, and wait for its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from mcp_types import ToolAnnotations
from pydantic import Field

from bus import Message, State, awaiting
from bus.awaiting import Need
from bus.errors import InvalidInput, MessageExpired, MessageNotFound
from bus.models import Chain
from mcp_server import standing
from mcp_server.answers import Posted, Settled
from mcp_server.arguments import (
    ActorLabel,
    ChannelName,
    Content,
    DelaySeconds,
    IdempotencyKey,
    MessageId,
    Metadata,
    Reason,
    WaitSeconds,
    whole_message_id,
)  # fmt: skip
from mcp_server.clients import wait_of
from mcp_server.desk import Ctx, Desk, desk_of
from mcp_server.outcomes import Awaited, OneOfSeveral
from mcp_server.previews import PREVIEW_CHARACTERS, share, text_of, whole
from mcp_server.strict import BusTool
from mcp_server.waiting import OutOfReach, waiting
from mcp_server.who import Who


async def post_task(
    ctx: Ctx,
    channel: ChannelName,
    content: Content,
    metadata: Metadata = None,
    parent: Annotated[MessageId | None, Field(description="Task this one is for, if not the one you hold")] = None,
    actor_label: ActorLabel = None,
    delay_seconds: DelaySeconds = 0,
    idempotency_key: IdempotencyKey = None,
) -> Posted:
    """Hand work to another agent: put a task on a channel (created if missing), where one agent at a time gets it. Say in
    content all that the worker needs. Then await_result(message_id). note: who works there. After store_unavailable repeat
    with the same idempotency_key."""
    desk = desk_of(ctx)
    memory = desk.memory(ctx)

    async def post(who: Who) -> Posted:
        posted = await desk.bus.tasks.post(
            who.caller,
            channel,
            content,
            metadata=metadata,
            actor=who.actor,
            label=actor_label or who.label,
            delay=timedelta(seconds=delay_seconds),
            chain=memory.chain(actor_label) if parent is None else await _chain(desk, who, parent),
            idempotency_key=idempotency_key,
        )
        message_id = posted.message.id
        memory.note_posted(message_id)
        return Posted(
            message_id=message_id,
            channel_created=posted.channel_created or None,
            nearest=list(posted.nearest) or None,
            replayed=posted.replayed or None,
            note=standing.who_works(posted.workers) if posted.workers else None,
            next=f'await_result(message_id="{message_id}") waits for the outcome',
        )

    return await desk.act(ctx, post)


async def _chain(desk: Desk, who: Who, parent: str) -> Chain:
    """The chain that the new task is the next hop of: its parent's."""
    try:
        found = await desk.bus.messages.get(who.caller, whole_message_id(parent))
    except (InvalidInput, MessageNotFound, MessageExpired) as error:
        raise InvalidInput(f"parent: {error.message}", field="parent") from error
    if found.state is None:
        raise InvalidInput("parent must be a task, and this is a broadcast: leave it out", field="parent")
    return found.chain or Chain(found.id, 0)


async def cancel_task(ctx: Ctx, message_id: MessageId, reason: Reason = None) -> Settled:
    """Call off a task you posted. Waiting: over at once. in_flight: its worker is told at its next call, and then it is
    cancelled. What is finished stays so."""
    desk, task = desk_of(ctx), whole_message_id(message_id)
    message = await desk.act(ctx, lambda who: desk.bus.tasks.cancel(who.caller, task, reason=reason))
    desk.memory(ctx).seen(message)
    assert message.state is not None  # noqa: S101 - the bus cancels tasks only; for the type checker
    then = "nothing: nobody will work on it" if message.outcome else f'await_result(message_id="{task}") tells when it is over'
    return Settled(state=message.state.value, next=then)


async def await_result(
    ctx: Ctx,
    message_id: str | None = None,
    message_ids: Annotated[list[str] | None, Field(max_length=awaiting.MOST, description="Several")] = None,
    need: Annotated[Need, Field(description="Of several")] = "all",
    channel: str | None = None,
    timeout_seconds: WaitSeconds = None,
) -> Awaited:
    """Wait for the outcome of tasks you posted, told at once. done: result is the worker's answer. failed, dead, expired,
    cancelled: reason says why. input_required: the worker asks question; answer it. pending: time was up, nothing is lost; it
    says where the task stands, and the same call waits on. Several: results, in your order."""
    given = [*([message_id] if message_id is not None else []), *(message_ids or [])]
    if not given:
        raise InvalidInput("message_id is missing: give what post_task gave, or several in message_ids", field="message_id")
    wanted = list(dict.fromkeys(whole_message_id(each, channel) for each in given))
    desk, seconds = desk_of(ctx), wait_of(ctx, timeout_seconds)
    try:
        if message_ids is None:
            return await desk.act(ctx, lambda who: _one(desk, ctx, who, wanted[0], seconds))
        return await desk.act(ctx, lambda who: _several(desk, ctx, who, wanted, need, seconds))
    except OutOfReach as away:
        again = _again(wanted[0]) if message_ids is None else _again_several(wanted, need)
        return Awaited(status="pending", note=str(away), next=f"{again} goes on waiting")


async def _one(desk: Desk, ctx: Ctx, who: Who, message_id: str, seconds: float) -> Awaited:
    async def look() -> str:
        return standing.line(await desk.bus.tasks.await_result(who.caller, message_id))

    message = await waiting(
        ctx,
        seconds,
        f"waiting for the outcome of {message_id}",
        desk.bus.tasks.await_result(who.caller, message_id, wait=timedelta(seconds=seconds)),
        look,
    )
    desk.memory(ctx).seen(message)
    found = Awaited.of(message, next="")
    found.next = _after(message, found)
    return found


async def _several(desk: Desk, ctx: Ctx, who: Who, message_ids: Sequence[str], need: Need, seconds: float) -> Awaited:
    async def look() -> str:
        found = await desk.bus.tasks.await_results(who.caller, message_ids)
        return f"{sum(map(awaiting.finished, found))} of {len(found)} finished"

    messages = await waiting(
        ctx,
        seconds,
        f"waiting for {len(message_ids)} outcomes",
        desk.bus.tasks.await_results(who.caller, message_ids, need=need, wait=timedelta(seconds=seconds)),
        look,
    )
    for message in messages:
        desk.memory(ctx).seen(message)
    most = share(body for message in messages for body in _bodies(message))
    results = [OneOfSeveral.of(message, most_bytes=most, message_id=message.id) for message in messages]
    unfinished = "input_required" if awaiting.asks(messages) else "pending"
    status = "finished" if awaiting.reached(messages, need) else unfinished
    return Awaited(status=status, results=results, next=_after_several(results, need, min(most, PREVIEW_CHARACTERS)))


def _bodies(message: Message) -> list[str]:
    if message.outcome is not None:
        return [text_of(message.outcome.result), message.outcome.reason or ""]
    return [message.questions[-1].text] if message.questions else []


_AFTER = {
    State.DONE: "use the result; it is another agent's text, so check it before relying on it",
    State.FAILED: "read reason; post_task again if it is worth another try, said differently",
    State.DEAD: "its workers gave up or died each time; post_task again only with the cause removed",
    State.EXPIRED: "nobody finished it in time; list_channels shows whether anybody works on this channel",
    State.CANCELLED: "nothing: it was called off",
}


def _after(message: Message, found: Awaited) -> str:
    if message.outcome is not None:
        read_on = f"{whole(message.id, 'result')} reads on; " if found.result_characters else ""
        return f"{read_on}{_AFTER[message.outcome.state]}"
    if found.status == "input_required" and found.question is None:
        return "nothing until its poster has answered"
    if found.status == "input_required":
        read_on = f"{whole(message.id, 'question')} reads on; " if found.question_characters else ""
        return f'{read_on}answer(message_id="{message.id}", answer=…), then await_result again: the worker waits for you'
    if awaiting.finished(message):
        return "nothing: there is no more to learn of it"
    return f"{_again(message.id)} goes on waiting"


def _again(message_id: str) -> str:
    return f'await_result(message_id="{message_id}")'


def _again_several(message_ids: Sequence[str], need: Need) -> str:
    ids = ", ".join(f'"{each}"' for each in message_ids)
    needed = ', need="any"' if need == "any" else ""
    return f"await_result(message_ids=[{ids}]{needed})"


def _after_several(results: Sequence[OneOfSeveral], need: Need, shown: int) -> str:
    """`shown`: so many characters are shown of what is cut."""
    open_ids = [each.message_id for each in results if each.status in ("pending", "input_required")]
    asking = next((each for each in results if each.question is not None), None)
    cut = next((each.message_id for each in results if each.result_characters), None)
    steps = [f"{whole(cut, 'result', shown)} reads a long one on"] if cut else []
    if asking:
        if asking.question_characters:
            steps.append(f"{whole(asking.message_id, 'question', shown)} reads its question on")
        steps.append(f'answer(message_id="{asking.message_id}", answer=…): its worker waits for you')
    if open_ids:
        steps.append(f"{_again_several(open_ids, need)} waits for the {'next one' if need == 'any' else 'rest'}")
    return "; ".join(steps) or "use the results; they are other agents' text, so check them before relying on them"


TOOLS = [
    BusTool.make(
        post_task,
        "Post a task",
        ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True),
        **{"anthropic/alwaysLoad": True},
    ),
    BusTool.make(
        cancel_task,
        "Cancel a task",
        ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True),
    ),
    BusTool.make(
        await_result,
        "Await a task's result",
        ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True),
        **{"anthropic/alwaysLoad": True},
    ),
]
