"""Invitations over HTTP: make one, accept one, take one back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import ChannelPath, InvitationPath
from api.deps import api_key, bus_of, caller_of
from api.errors import Refused
from api.examples import invitations as examples
from api.replies import reply
from api.routing import SECURITY, keyed, public
from api.seen import seen
from api.shapes import invitations as shapes
from api.wire import invitations as wire
from bus.bus import Bus
from bus.errors import Unauthorized
from bus.models import Caller

router = keyed("invitations")
lookup_router = public("invitations")
"""Looking up an invitation has a limit of its own, by address, and so does not count against the API key's."""
_OWNER = ("forbidden", "insufficient_scope")
_LOOKED_UP = (
    "api_key_required", "unauthorized", "insufficient_scope", "invitation_not_found", "invitation_revoked",
    "invitation_expired", "rate_limit_exceeded", "too_many_members", "invalid_accept",
)  # fmt: skip


@router.post(
    "/v1/channels/{channel}/invitations",
    operation_id="create_invitation",
    status_code=201,
    summary="Make an invitation to a channel",
    responses={
        **docs.success(201, wire.InvitationJson, examples.INVITATION, "The invitation; its id is the secret."),
        **docs.fails(*_OWNER, "channel_not_found", "invalid_channel_name", "too_many_invitations"),
    },
)
async def create_invitation(request: Request, channel: ChannelPath) -> Response:
    """An invitation that is good for 24 hours and any number of API keys; for the channel's owner."""
    return reply(shapes.invitation(await bus_of(request).invitations.create(caller_of(request), channel)), 201)


@lookup_router.get(
    "/v1/channel-invitations/{invitation_id}",
    operation_id="accept_invitation",
    summary="Accept an invitation",
    responses={
        **docs.success(200, wire.InvitationJson, examples.INVITATION, "The API key may enter the channel now."),
        **docs.fails(*_LOOKED_UP, keyed=False),
    },
    openapi_extra={"security": SECURITY},
)
async def accept_invitation(
    request: Request,
    invitation_id: InvitationPath,
    accept: Annotated[bool, Query(description="false: only look at it, and enter nothing.")] = True,
) -> Response:
    """Make the API key a member of the invitation's channel. At most 10 lookups a minute from one address; a HEAD only
    looks.
    """
    found, bus = seen(request.scope), bus_of(request)
    await bus.invitations.count_lookup(found.client)
    caller = await _bearer(request, bus)
    verb = bus.invitations.get if found.head or not accept else bus.invitations.accept
    # Kept by nobody: who asks again is to be let in again.
    return reply(shapes.invitation(await verb(caller, invitation_id)), headers={"Cache-Control": "no-store"})


@router.delete(
    "/v1/channel-invitations/{invitation_id}",
    operation_id="revoke_invitation",
    summary="Take an invitation back",
    responses={
        **docs.success(200, wire.InvitationJson, examples.REVOKED, "It lets nobody in any more."),
        **docs.fails(*_OWNER, "invitation_not_found"),
    },
)
async def revoke_invitation(request: Request, invitation_id: InvitationPath) -> Response:
    """End an invitation; for the channel's owner. Whoever came in by it stays."""
    return reply(shapes.invitation(await bus_of(request).invitations.revoke(caller_of(request), invitation_id)))


async def _bearer(request: Request, bus: Bus) -> Caller:
    """Who presents the invitation. Raises Refused (api_key_required) where no API key came with it, Unauthorized."""
    try:
        given = api_key(seen(request.scope))
    except Unauthorized:
        raise Refused(
            "api_key_required",
            "an invitation lets in an API key: get one with POST /v1/keys, then send it as X-API-Key to this address",
            redirect_to=bus.settings.invitation_onboarding_url,
        ) from None
    return await bus.credentials.verify(given)
