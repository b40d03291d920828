"""Dead letters over HTTP: look at them, put them back."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import ChannelPath, CursorQuery, LimitQuery
from api.bodies.tasks import RedriveBody
from api.deps import bus_of, caller_of
from api.examples import messages as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import messages as shapes
from api.wire import messages as wire

router = keyed("dead letters")


@router.get(
    "/v1/channels/{channel}/dead-letters",
    operation_id="dead_letters",
    summary="List dead letters",
    responses={
        **docs.success(200, wire.DeadLetterPageJson, examples.DEAD_LETTERS, "Oldest first; `next_cursor` null: no more."),
        **docs.fails(*docs.CHANNEL, "invalid_limit", "invalid_cursor", "channel_not_claimable"),
    },
)
async def dead_letters(request: Request, channel: ChannelPath, limit: LimitQuery = 50, cursor: CursorQuery = None) -> Response:
    """Tasks past their deliveries or their time, each with who held it and how that ended."""
    page = await bus_of(request).tasks.dead_letters(caller_of(request), channel, limit=limit, cursor=cursor)
    return reply(shapes.dead_letter_page(page, limit))


@router.post(
    "/v1/channels/{channel}/redrive",
    operation_id="redrive",
    summary="Put dead letters back",
    responses={
        **docs.success(200, wire.RedrivenJson, examples.REDRIVEN, "Each is a new task now."),
        **docs.fails(
            *docs.CHANNEL,
            "dead_letter_not_found",
            "channel_not_claimable",
            "forbidden",
            "missing_field",
            "invalid_ids",
            "invalid_string",
            "invalid_message_id",
            body=True,
        ),
    },
)
async def redrive(request: Request, channel: ChannelPath, body: RedriveBody) -> Response:
    """Put dead letters back as new tasks, all or none; for the channel's owner and members."""
    put_back = await bus_of(request).tasks.redrive(caller_of(request), channel, body.ids)
    return reply({"redriven": [{"dead_letter_id": each.dead_letter_id, "message_id": each.message_id} for each in put_back]})
