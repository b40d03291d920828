"""Members of channels over HTTP, for the channel's owner: see, add, remove, and what happened."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import ChannelPath, CursorQuery, KeyPath, LimitQuery, SinceQuery
from api.bodies.members import NewMember
from api.deps import bus_of, caller_of
from api.examples import members as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import members as shapes
from api.wire import members as wire

router = keyed("members")
_OWNER = ("forbidden", "insufficient_scope", "channel_not_found", "invalid_channel_name")


@router.get(
    "/v1/channels/{channel}/members",
    operation_id="list_members",
    summary="See who may enter a channel",
    responses={
        **docs.success(200, wire.MembersJson, examples.MEMBERS, "The members, oldest first; the owner is the first."),
        **docs.fails(*_OWNER),
    },
)
async def list_members(request: Request, channel: ChannelPath) -> Response:
    """The API keys that may enter; for the channel's owner. An open channel can be entered without being a member."""
    found = await bus_of(request).members.list(caller_of(request), channel)
    return reply({"data": [shapes.member(each) for each in found]})


@router.post(
    "/v1/channels/{channel}/members",
    operation_id="add_member",
    status_code=201,
    summary="Let an API key into a channel",
    responses={
        **docs.success(201, wire.MemberJson, examples.MEMBER, "The member, new or as it was."),
        **docs.fails(*_OWNER, "missing_field", "invalid_string", "invalid_key_id", "too_many_members", body=True),
    },
)
async def add_member(request: Request, channel: ChannelPath, body: NewMember) -> Response:
    """Let an API key in, by its id; for the channel's owner."""
    return reply(shapes.member(await bus_of(request).members.add(caller_of(request), channel, body.key_id)), 201)


@router.delete(
    "/v1/channels/{channel}/members/{key_id}",
    operation_id="remove_member",
    summary="Shut an API key out of a channel",
    responses={
        **docs.success(200, wire.RemovedMemberJson, examples.REMOVED, "It is no member (any more)."),
        **docs.fails(*_OWNER, "cannot_remove_owner", "invalid_key_id"),
    },
)
async def remove_member(request: Request, channel: ChannelPath, key_id: KeyPath) -> Response:
    """Shut an API key out, at once; for the channel's owner. What it holds it may still finish."""
    await bus_of(request).members.remove(caller_of(request), channel, key_id)
    return reply({"status": "removed"})


@router.get(
    "/v1/channels/{channel}/events",
    operation_id="events",
    summary="See what happened to a channel's membership",
    responses={
        **docs.success(200, wire.MembershipEventPageJson, examples.EVENTS, "Oldest first; an empty page repeats the cursor."),
        **docs.fails(*_OWNER, "invalid_limit", "invalid_cursor"),
    },
)
async def events(
    request: Request, channel: ChannelPath, limit: LimitQuery = 50, cursor: CursorQuery = None, since: SinceQuery = None
) -> Response:
    """Who was let in or shut out in the last 24 hours, and which invitations were used or taken back; for the owner."""
    after = cursor if cursor is not None else since
    page = await bus_of(request).members.events(caller_of(request), channel, since=after, limit=limit)
    return reply(shapes.event_page(page, limit))
