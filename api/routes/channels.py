"""Channels over HTTP: create, list, look, change, delete, name otherwise, read what left one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.channels import AliasBody, ChannelChangesBody, NewChannelBody
from api.bodies.fields import AnyLimitQuery, ChannelPath, CursorQuery, LimitQuery, SinceQuery
from api.deps import bus_of, caller_of, seconds_or_none
from api.examples import channels as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import channels as shapes
from api.wire import channels as wire
from bus.models import Access, ChannelChanges, Mode, NewChannel

router = keyed("channels")
_SETTINGS = (
    "invalid_mode", "invalid_access", "invalid_discoverable", "invalid_retention_days", "invalid_lease_seconds",
    "invalid_max_deliveries", "invalid_max_messages", "invalid_max_writes_per_minute", "invalid_string", "invalid_object",
    "invalid_metadata_schema", "invalid_related_channels", "invalid_webhook_url",
)  # fmt: skip
_MANAGING = ("channel_not_found", "invalid_channel_name", "forbidden", "insufficient_scope")


@router.post(
    "/v1/channels",
    operation_id="create_channel",
    status_code=201,
    summary="Create a channel",
    responses={
        **docs.success(201, wire.ChannelJson, examples.CHANNEL, "The new channel."),
        **docs.success(200, wire.ChannelJson, examples.CHANNEL, "The channel of that name, which existed."),
        **docs.fails(
            "channel_exists", "channel_access_denied", "alias_conflict", "channel_not_found", "insufficient_scope",
            "missing_field", "invalid_ttl_seconds", "invalid_channel_name", *_SETTINGS, body=True,
        ),
    },
)  # fmt: skip
async def create_channel(request: Request, body: NewChannelBody) -> Response:
    """Create a channel, or get the one of that name when its mode and access agree; the key becomes its owner."""
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
            metadata_schema=body.metadata_schema,
            related_channels=body.related_channels or (),
            webhook_url=body.webhook_url,
            webhook_secret=body.webhook_secret,
        ),
    )
    return reply(shapes.channel(created.channel), 201 if created.new else 200)


@router.get(
    "/v1/channels",
    operation_id="list_channels",
    summary="List channels",
    responses={
        **docs.success(200, wire.ChannelPageJson, examples.CHANNELS, "Newest first; `next_cursor` null: no more."),
        **docs.fails("invalid_limit", "invalid_cursor", "insufficient_scope"),
    },
)
async def list_channels(
    request: Request,
    limit: AnyLimitQuery = 50,
    cursor: CursorQuery = None,
    since: SinceQuery = None,
) -> Response:
    """The discoverable channels of the bus, each with how many messages stand where."""
    page = await bus_of(request).channels.list(caller_of(request), limit=limit, cursor=cursor or since)
    return reply(shapes.channel_page(page, limit))


@router.get(
    "/v1/channels/{channel}",
    operation_id="get_channel",
    summary="Look at a channel",
    responses={**docs.success(200, wire.ChannelJson, examples.CHANNEL, "The channel."), **docs.fails(*docs.CHANNEL)},
)
async def get_channel(request: Request, channel: ChannelPath) -> Response:
    """The channel's settings."""
    return reply(shapes.channel(await bus_of(request).channels.get(caller_of(request), channel)))


@router.patch(
    "/v1/channels/{channel}",
    operation_id="update_channel",
    summary="Change a channel",
    responses={
        **docs.success(200, wire.ChannelJson, examples.CHANNEL, "The channel as it is now."),
        **docs.fails(
            *_MANAGING, *_SETTINGS, "channel_not_empty", "invalid_fields", "invalid_name", "invalid_paused", body=True
        ),
    },
)  # fmt: skip
async def update_channel(request: Request, channel: ChannelPath, body: ChannelChangesBody) -> Response:
    """Change settings, all that are given or none; for the channel's owner. What is left out stays."""
    found = await bus_of(request).channels.update(caller_of(request), channel, _changes(body))
    return reply(shapes.channel(found))


def _changes(body: ChannelChangesBody) -> ChannelChanges:
    """The bus's names and types for what was given; the values are checked by the bus."""
    changes: dict[str, Any] = dict(body)
    if "retention_days" in changes:
        changes["retention"] = timedelta(days=changes.pop("retention_days"))
    if "lease_seconds" in changes:
        changes["lease"] = timedelta(seconds=changes.pop("lease_seconds"))
    return cast("ChannelChanges", changes)


@router.delete(
    "/v1/channels/{channel}",
    operation_id="delete_channel",
    status_code=204,
    summary="Delete a channel",
    responses={204: {"description": "It is gone, and all that was in it."}, **docs.fails(*_MANAGING)},
)
async def delete_channel(request: Request, channel: ChannelPath) -> Response:
    """Delete the channel with its messages, history and members; for its owner. Whoever waits on it is told."""
    await bus_of(request).channels.delete(caller_of(request), channel)
    return Response(status_code=204)


@router.post(
    "/v1/channels/{channel}/aliases",
    operation_id="add_alias",
    status_code=201,
    summary="Give a channel another name",
    responses={
        **docs.success(201, wire.ChannelJson, {**examples.CHANNEL, "aliases": ["authors"]}, "The channel with its aliases."),
        **docs.fails(*_MANAGING, "alias_conflict", "too_many_aliases", "missing_field", "invalid_string", body=True),
    },
)
async def add_alias(request: Request, channel: ChannelPath, body: AliasBody) -> Response:
    """Another name, good wherever a channel is named; for the channel's owner. Repeating it changes nothing."""
    return reply(shapes.channel(await bus_of(request).channels.add_alias(caller_of(request), channel, body.alias)), 201)


@router.get(
    "/v1/channels/{channel}/history",
    operation_id="history",
    summary="Read what left a channel",
    responses={
        **docs.success(200, wire.HistoryPageJson, examples.HISTORY, "Newest first; `next_cursor` null: no more."),
        **docs.fails(*docs.CHANNEL, "invalid_limit", "invalid_cursor", "insufficient_scope"),
    },
)
async def history(request: Request, channel: ChannelPath, limit: LimitQuery = 50, cursor: CursorQuery = None) -> Response:
    """Messages that finished long ago, expired or were taken back, for as long as the channel keeps its history."""
    page = await bus_of(request).channels.history(caller_of(request), channel, limit=limit, cursor=cursor)
    return reply(shapes.history_page(page, limit))
