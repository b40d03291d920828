"""Access to restricted channels over HTTP: ask, see who asks, approve, deny."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.access import AccessRequestBody
from api.bodies.fields import ChannelPath, RequestPath
from api.deps import bus_of, caller_of
from api.examples import callers as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import callers as shapes
from api.wire import callers as wire

router = keyed("access")
_RESOLVING = (
    "forbidden", "insufficient_scope", "access_request_not_found", "access_request_resolved", "channel_not_found",
    "invalid_channel_name",
)  # fmt: skip


@router.post(
    "/v1/channels/{channel}/access-requests",
    operation_id="request_access",
    status_code=202,
    summary="Ask to enter a channel",
    responses={
        **docs.success(202, wire.AccessAnswerJson, examples.ACCESS_ANSWER, "The owner has to decide."),
        **docs.success(200, wire.AccessAnswerJson, examples.ACCESS_OPEN, "There was no need to ask."),
        **docs.fails("channel_not_found", "invalid_channel_name", "invalid_string", "insufficient_scope", body=True),
    },
)
async def request_access(request: Request, channel: ChannelPath, body: AccessRequestBody) -> Response:
    """Ask the owner of a restricted channel to let this key in; asking twice returns the pending request."""
    answer = await bus_of(request).access.request_access(caller_of(request), channel, reason=body.reason)
    return reply(shapes.access_answer(answer), 202 if answer.status == "pending" else 200)


@router.get(
    "/v1/channels/{channel}/access-requests",
    operation_id="list_access_requests",
    summary="See who asks to enter",
    responses={
        **docs.success(200, wire.AccessRequestPageJson, examples.ACCESS_REQUESTS, "Pending requests, oldest first."),
        **docs.fails("forbidden", "insufficient_scope", "channel_not_found", "invalid_channel_name"),
    },
)
async def list_access_requests(request: Request, channel: ChannelPath) -> Response:
    """The pending requests; for the channel's owner."""
    found = await bus_of(request).access.list_access_requests(caller_of(request), channel)
    return reply({"data": [shapes.access_request(each) for each in found]})


@router.post(
    "/v1/channels/{channel}/access-requests/{request_id}/approve",
    operation_id="approve_access_request",
    summary="Let a key in",
    responses={
        **docs.success(200, wire.ResolvedRequestJson, examples.APPROVED, "The requester is a member now."),
        **docs.fails(*_RESOLVING),
    },
)
async def approve_access_request(request: Request, channel: ChannelPath, request_id: RequestPath) -> Response:
    """Make the requester a member; for the channel's owner."""
    found = await bus_of(request).access.approve_access_request(caller_of(request), channel, request_id)
    return reply({**shapes.access_request(found), "request_id": found.id})


@router.post(
    "/v1/channels/{channel}/access-requests/{request_id}/deny",
    operation_id="deny_access_request",
    summary="Turn a key down",
    responses={
        **docs.success(200, wire.ResolvedRequestJson, examples.DENIED, "The requester was turned down and may ask again."),
        **docs.fails(*_RESOLVING),
    },
)
async def deny_access_request(request: Request, channel: ChannelPath, request_id: RequestPath) -> Response:
    """Turn the requester down; for the channel's owner."""
    found = await bus_of(request).access.deny_access_request(caller_of(request), channel, request_id)
    return reply({**shapes.access_request(found), "request_id": found.id})
