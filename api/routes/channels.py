"""Channels over HTTP: create, look, list, count."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api import docs, examples, shapes, wire
from api.bodies.channels import NewChannelBody
from api.bodies.fields import ChannelPath, CursorQuery, SinceQuery
from api.deps import bus_of, caller_of, seconds_or_none
from api.replies import reply
from api.routing import keyed
from bus.errors import InvalidInput
from bus.models import Access, Mode, NewChannel

router = keyed("channels")
MAX_PAGE = 100
_NOT_YET = ("metadata_schema", "related_channels", "webhook_url", "webhook_secret")


@router.post(
    "/v1/channels",
    operation_id="create_channel",
    status_code=201,
    summary="Create a channel",
    responses={
        **docs.success(201, wire.ChannelJson, examples.CHANNEL, "The new channel."),
        **docs.success(200, wire.ChannelJson, examples.CHANNEL, "The channel of that name, which existed."),
        **docs.fails(
            "channel_exists", "insufficient_scope", "missing_field", "invalid_string", "invalid_mode", "invalid_access",
            "invalid_ttl_seconds", "invalid_channel_name", "unsupported_field", body=True,
        ),
    },
)  # fmt: skip
async def create_channel(request: Request, body: NewChannelBody) -> Response:
    """Create a channel, or get the one of that name when its mode and access agree; the key becomes its owner."""
    for name in _NOT_YET:
        if getattr(body, name):
            raise InvalidInput(
                f"{name} is not supported by this server yet; leave it out", field=name, code="unsupported_field"
            )
    created = await bus_of(request).channels.create(
        caller_of(request),
        NewChannel(
            name=body.name,
            mode=Mode(body.mode),
            access=Access(body.access),
            discoverable=body.discoverable,
            description=body.description or "",
            pinned_message=body.pinned_message,
            ttl=seconds_or_none(body.ttl_seconds),
            retention=None if body.retention_days is None else timedelta(days=body.retention_days),
            lease=seconds_or_none(body.lease_seconds),
            max_deliveries=body.max_deliveries,
            max_messages=body.max_messages,
            max_writes_per_minute=body.max_writes_per_minute,
        ),
    )
    return reply(shapes.channel(created.channel), 201 if created.new else 200)


@router.get(
    "/v1/channels",
    operation_id="list_channels",
    summary="List channels",
    responses={
        **docs.success(200, wire.ChannelPageJson, examples.CHANNELS, "Newest first; `next_cursor` null: no more."),
        **docs.fails("invalid_limit", "invalid_cursor"),
    },
)
async def list_channels(
    request: Request,
    limit: Annotated[int, Query(description="Page size, taken as 1 to 100.")] = 50,
    cursor: CursorQuery = None,
    since: SinceQuery = None,
) -> Response:
    """The discoverable channels of the bus, each with how many messages stand where."""
    size = min(max(limit, 1), MAX_PAGE)
    page = await bus_of(request).channels.list(caller_of(request), limit=size, cursor=cursor or since)
    return reply(shapes.channel_page(page, size))


@router.get(
    "/v1/channels/{channel}",
    operation_id="get_channel",
    summary="Look at a channel",
    responses={**docs.success(200, wire.ChannelJson, examples.CHANNEL, "The channel."), **docs.fails(*docs.CHANNEL)},
)
async def get_channel(request: Request, channel: ChannelPath) -> Response:
    """The channel's settings."""
    return reply(shapes.channel(await bus_of(request).channels.get(caller_of(request), channel)))


@router.get(
    "/v1/channels/{channel}/counts",
    operation_id="counts",
    summary="Count a channel's messages",
    responses={
        **docs.success(200, wire.ChannelCountsJson, examples.COUNTS, "Exact counts."),
        **docs.fails(*docs.CHANNEL),
    },
)
async def counts(request: Request, channel: ChannelPath) -> Response:
    """How many messages are waiting, delayed, in flight, done and dead."""
    found = await bus_of(request).channels.counts(caller_of(request), channel)
    return reply({"channel_id": channel, **shapes.counts(found)})
