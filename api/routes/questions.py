"""Questions over HTTP: the holder of a task asks its poster, waits for the answer, and is given it."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import MessagePath
from api.bodies.messages import AnswerBody, AskBody, AwaitAnswerBody
from api.deps import bus_of, caller_of, capped, until_gone
from api.examples import messages as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import messages as shapes
from api.wire import messages as wire

router = keyed("messages")


@router.post(
    "/v1/messages/{message_id}/ask",
    operation_id="ask",
    summary="Ask the poster of a held task",
    responses={
        **docs.success(200, wire.HeartbeatJson, examples.ASKED, "The claim; the task is `input_required`."),
        **docs.fails(*docs.HELD, "missing_field", "content_too_large", body=True),
    },
)
async def ask(request: Request, message_id: MessagePath, body: AskBody) -> Response:
    """Ask what the work hangs on. The lease is parked until the task's time to live ends; who awaits the result is told at
    once. The same question again changes nothing, another one takes its place.
    """
    claim = await bus_of(request).tasks.ask(
        caller_of(request), message_id, body.question, actor=body.actor, claim_token=body.claim_token
    )
    return reply(shapes.heartbeat(claim))


@router.post(
    "/v1/messages/{message_id}/await-answer",
    operation_id="await_answer",
    summary="Wait for the answer to a question",
    responses={
        **docs.success(200, wire.HeartbeatJson, examples.ANSWERED_CLAIM, "The claim, answered or as it stands."),
        **docs.fails(*docs.HELD, "invalid_wait", body=True),
    },
)
async def await_answer(request: Request, message_id: MessagePath, body: AwaitAnswerBody) -> Response:
    """The claim once its question is answered: the last of `message.questions` has the answer. While `message.state` is
    `input_required`, ask again.
    """
    bus = bus_of(request)
    hold = capped(bus, body.wait)
    waiting = bus.tasks.await_answer(caller_of(request), message_id, actor=body.actor, claim_token=body.claim_token, wait=hold)
    return reply(shapes.heartbeat(await until_gone(request, waiting, waits=hold)))


@router.post(
    "/v1/messages/{message_id}/answer",
    operation_id="answer_task",
    summary="Answer the question of a task's holder",
    responses={
        **docs.success(200, wire.StatusJson, examples.ANSWERED, "The holder goes on."),
        **docs.fails(
            *docs.MESSAGE, "forbidden", "channel_not_claimable", "already_finished", "not_asked", "missing_field",
            "content_too_large", body=True,
        ),
    },
)  # fmt: skip
async def answer_task(request: Request, message_id: MessagePath, body: AnswerBody) -> Response:
    """For the API key that posted the task and the channel's owner. The holder is told at once, with a new lease."""
    message = await bus_of(request).tasks.answer(caller_of(request), message_id, body.answer, label=body.actor_label)
    return reply(shapes.status("answered", message))
