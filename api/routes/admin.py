"""Administration over HTTP, behind the admin token: API keys, minting, pausing channels, the audit trail."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.admin import MintingSwitch, NewScopes, Rotation
from api.bodies.fields import AnyLimitQuery, ChannelPath, CursorQuery, KeyPath
from api.bodies.keys import NewKey
from api.deps import bus_of
from api.examples import admin as admin_examples
from api.examples import callers as caller_examples
from api.examples import channels as channel_examples
from api.replies import reply
from api.routes.keys import AUDITED, AuditLimit, audit_limit
from api.routing import admin
from api.seen import seen
from api.shapes import admin as admin_shapes
from api.shapes import callers as caller_shapes
from api.shapes import channels as channel_shapes
from api.wire import admin as admin_wire
from api.wire import callers as caller_wire
from api.wire import channels as channel_wire
from bus.models import Channel

router = admin("admin")


@router.post(
    "/v1/admin/keys",
    operation_id="admin_issue_key",
    status_code=201,
    summary="Issue an API key",
    responses={
        **docs.success(201, caller_wire.IssuedKeyJson, caller_examples.ISSUED_KEY, "The key, shown this once."),
        **docs.fails(*docs.ADMIN, "label_in_use", "missing_field", "invalid_string", body=True, keyed=False),
    },
)
async def issue_key(request: Request, body: NewKey) -> Response:
    """Also while minting is closed, and without a limit."""
    bus = bus_of(request)
    issued = await bus.admin.issue_key(body.agent_label, address=_address(request))
    return reply(caller_shapes.issued_key(issued, bus.settings), 201)


@router.get(
    "/v1/admin/keys",
    operation_id="admin_list_keys",
    summary="List API keys",
    responses={
        **docs.success(200, admin_wire.KeyPageJson, admin_examples.KEYS, "Newest first; `next_cursor` null: no more."),
        **docs.fails(*docs.ADMIN, "invalid_limit", "invalid_cursor", keyed=False),
    },
)
async def list_keys(request: Request, limit: AnyLimitQuery = 50, cursor: CursorQuery = None) -> Response:
    """Active and revoked ones, without their secrets."""
    page = await bus_of(request).admin.list_keys(limit=limit, cursor=cursor)
    return reply(admin_shapes.key_page(page, limit))


@router.post(
    "/v1/admin/keys/{key_id}/rotate",
    operation_id="admin_rotate_key",
    summary="Give an API key a new secret",
    responses={
        **docs.success(
            200, caller_wire.IssuedKeyJson, caller_examples.ISSUED_KEY, "The key with its new secret, shown this once."
        ),
        **docs.fails(*docs.ADMIN, "key_not_found", "invalid_overlap_seconds", body=True, keyed=False),
    },
)
async def rotate_key(request: Request, key_id: KeyPath, body: Rotation) -> Response:
    """The key keeps its id and all that it owns. Both secrets are good for `overlap_seconds`; rotating again ends that."""
    bus = bus_of(request)
    overlap = timedelta(seconds=body.overlap_seconds)
    issued = await bus.admin.rotate_key(key_id, overlap=overlap, address=_address(request))
    return reply(caller_shapes.issued_key(issued, bus.settings))


@router.delete("/v1/admin/keys/{key_id}", include_in_schema=False)  # the same by another name: a verb has one
@router.post(
    "/v1/admin/keys/{key_id}/revoke",
    operation_id="admin_revoke_key",
    summary="End an API key",
    responses={
        **docs.success(200, admin_wire.KeyRecordJson, admin_examples.REVOKED, "It is over."),
        **docs.fails(*docs.ADMIN, "key_not_found", keyed=False),
    },
)
async def revoke_key(request: Request, key_id: KeyPath) -> Response:
    """At once and on every replica; its label is free again. Doing it twice changes nothing."""
    return reply(admin_shapes.key_record(await bus_of(request).admin.revoke_key(key_id, address=_address(request))))


@router.put(
    "/v1/admin/keys/{key_id}/scopes",
    operation_id="admin_set_key_scopes",
    summary="Set what an API key may do",
    responses={
        **docs.success(200, admin_wire.KeyRecordJson, admin_examples.KEY_RECORD, "What it may do from now on."),
        **docs.fails(*docs.ADMIN, "key_not_found", "missing_field", "invalid_scopes", "invalid_scope", body=True, keyed=False),
    },
)
async def set_key_scopes(request: Request, key_id: KeyPath, body: NewScopes) -> Response:
    """More or less than before; null: everything."""
    record = await bus_of(request).admin.set_key_scopes(key_id, body.scopes, address=_address(request))
    return reply(admin_shapes.key_record(record))


@router.post(
    "/v1/admin/minting",
    operation_id="admin_set_public_minting",
    summary="Open or close minting",
    responses={
        **docs.success(200, admin_wire.MintingJson, admin_examples.MINTING, "How it is from now on."),
        **docs.fails(*docs.ADMIN, "invalid_field", body=True, keyed=False),
    },
)
async def set_public_minting(request: Request, body: MintingSwitch) -> Response:
    """Whether POST /v1/keys gives an API key to whoever asks: on every replica at once, and after a restart."""
    enabled = await bus_of(request).admin.set_public_minting(body.enabled, address=_address(request))
    return reply({"public_minting_enabled": enabled})


@router.post(
    "/v1/admin/channels/{channel}/pause",
    operation_id="admin_pause_channel",
    summary="Let a channel take no messages",
    responses={
        **docs.success(200, channel_wire.ChannelJson, channel_examples.CHANNEL | {"paused": True}, "The channel."),
        **docs.fails(*docs.ADMIN, "channel_not_found", "invalid_channel_name", keyed=False),
    },
)
async def pause_channel(request: Request, channel: ChannelPath) -> Response:
    """Posting gets 503 `channel_paused` until the channel is resumed; claiming and finishing go on."""
    return _channel(await bus_of(request).admin.pause_channel(channel, address=_address(request)))


@router.post(
    "/v1/admin/channels/{channel}/resume",
    operation_id="admin_resume_channel",
    summary="Let a paused channel take messages again",
    responses={
        **docs.success(200, channel_wire.ChannelJson, channel_examples.CHANNEL, "The channel."),
        **docs.fails(*docs.ADMIN, "channel_not_found", "invalid_channel_name", keyed=False),
    },
)
async def resume_channel(request: Request, channel: ChannelPath) -> Response:
    """Doing it twice changes nothing."""
    return _channel(await bus_of(request).admin.resume_channel(channel, address=_address(request)))


@router.get(
    "/v1/admin/audit",
    operation_id="admin_audit",
    summary="See what was done on the bus",
    responses={
        **docs.success(200, caller_wire.AuditJson, admin_examples.AUDIT, "Newest first."),
        **docs.fails(*docs.ADMIN, keyed=False),
    },
)
async def audit(request: Request, limit: AuditLimit = str(AUDITED)) -> Response:
    """The newest acts on API keys and on the bus as a whole."""
    return reply(caller_shapes.audit(await bus_of(request).admin.audit(limit=audit_limit(limit))))


def _address(request: Request) -> str | None:
    return seen(request.scope).client


def _channel(channel: Channel) -> Response:
    return reply(channel_shapes.channel(channel))
