"""The tools to ask back: a worker asks the poster of its task, who answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from mcp_types import ToolAnnotations
from pydantic import Field

from bus import Claim, State
from bus.errors import InvalidInput
from bus.models import Question
from mcp_server.answers import Answered, Author, Settled
from mcp_server.arguments import Actor, ClaimToken, MessageId, WaitSeconds, whole_message_id
from mcp_server.clients import wait_of
from mcp_server.desk import Ctx, Desk, desk_of
from mcp_server.holding import Grip, with_grip
from mcp_server.previews import Preview, whole
from mcp_server.strict import BusTool
from mcp_server.waiting import OutOfReach, waiting
from mcp_server.who import Who


async def ask(
    ctx: Ctx,
    message_id: MessageId,
    question: Annotated[str | None, Field(description="Leave out to wait on")] = None,
    wait_seconds: WaitSeconds = None,
    actor: Actor = None,
    claim_token: ClaimToken = None,
) -> Answered:
    """Ask the poster of a task you claimed what you cannot decide, and wait for the answer. The task stays yours and its
    lease is parked meanwhile. answered: go on with it. pending: nobody answered yet, the same call without question waits on.
    task_cancelled: stop."""
    desk, seconds, task = desk_of(ctx), wait_of(ctx, wait_seconds), whole_message_id(message_id)
    if question is not None and not question.strip():
        raise InvalidInput(
            "question must not be empty: say what you need to know, or leave it out to wait on", field="question"
        )

    async def put(who: Who, grip: Grip) -> Claim:
        tasks = desk.bus.tasks
        if question is not None and not await _answered_before(desk, who, task, grip, question):
            asked = await tasks.ask(who.caller, task, question, actor=grip.actor, claim_token=grip.claim_token)
            desk.memory(ctx).hold(asked, who)
        answered = tasks.await_answer(
            who.caller, task, actor=grip.actor, claim_token=grip.claim_token, wait=timedelta(seconds=seconds)
        )
        return await waiting(ctx, seconds, f"waiting for the poster's answer on {task}", answered)

    try:
        claim = await with_grip(desk, ctx, task, Grip(actor, claim_token), put)
    except OutOfReach as away:
        return _pending(task, str(away))
    if claim.message.state is State.INPUT_REQUIRED:
        return _pending(claim.id)
    answered = next((each for each in reversed(claim.message.questions) if each.answer is not None), None)
    if answered is None:
        raise InvalidInput("question is missing: nothing has been asked about this task yet", field="question")
    return _answered(claim.id, answered)


async def _answered_before(desk: Desk, who: Who, message_id: str, grip: Grip, question: str) -> bool:
    """A client that cut the call may repeat it as it was: the poster is not asked twice, and the answer is not lost."""
    known = await desk.bus.tasks.await_answer(who.caller, message_id, actor=grip.actor, claim_token=grip.claim_token)
    last = known.message.questions[-1] if known.message.questions else None
    return last is not None and last.text == question and last.answer is not None


def _pending(message_id: str, note: str | None = None) -> Answered:
    return Answered(
        status="pending",
        note=note,
        next=f'ask(message_id="{message_id}") goes on waiting; ack_task or release_task end it without an answer',
    )


def _answered(message_id: str, question: Question) -> Answered:
    answer = Preview.of(question.answer)
    read_on = f"{whole(message_id, 'answer')} reads on; " if answer.characters else ""
    return Answered(
        status="answered",
        answer=answer.shown,
        answer_characters=answer.characters,
        from_=Author(label=question.answered_by, key_id=question.answered_by_key_id),
        next=f'{read_on}go on with the task, then ack_task(message_id="{message_id}", result=…)',
    )


async def answer(ctx: Ctx, message_id: MessageId, answer: str) -> Settled:
    """Answer what the worker of a task you posted asked (await_result said input_required). Its work goes on with that.
    not_asked: nothing is open any more."""
    desk, task = desk_of(ctx), whole_message_id(message_id)
    message = await desk.act(ctx, lambda who: desk.bus.tasks.answer(who.caller, task, answer, label=who.label))
    desk.memory(ctx).seen(message)
    assert message.state is not None  # noqa: S101 - the bus refuses this verb on what is no task; for the type checker
    return Settled(state=message.state.value, next=f'await_result(message_id="{message.id}") waits for the outcome')


_HINTS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)

TOOLS = [BusTool.make(ask, "Ask the poster", _HINTS), BusTool.make(answer, "Answer the worker", _HINTS)]
