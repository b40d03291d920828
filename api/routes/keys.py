"""API keys over HTTP: issue one, look at one's own, end it."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs, examples, shapes, wire
from api.bodies.keys import NewKey
from api.deps import bus_of, caller_of
from api.errors import Refused
from api.replies import reply
from api.routing import keyed, public
from api.seen import seen

public_router = public("keys")
router = keyed("keys")


@public_router.post(
    "/v1/keys",
    operation_id="issue_key",
    status_code=201,
    summary="Get an API key",
    responses={
        **docs.success(201, wire.IssuedKeyJson, examples.ISSUED_KEY, "The key, shown this once."),
        **docs.fails("minting_closed", "origin_not_allowed", "label_in_use", "missing_field", body=True, keyed=False),
    },
)
async def issue_key(request: Request, body: NewKey) -> Response:
    """Issue an API key to whoever asks, unless the operator closed that. Keep `key`: it is stored as a hash only."""
    if not seen(request.scope).own_origin:
        raise Refused(
            "origin_not_allowed",
            "web pages of another origin get no API key here; issue it from a shell, or allow the host name "
            "with BACKCHANNEL_ALLOWED_HOSTS",
        )
    return reply(shapes.issued_key(await bus_of(request).credentials.issue(body.agent_label)), 201)


@router.get(
    "/v1/keys/me",
    operation_id="verify_key",
    summary="Look at one's own API key",
    responses={**docs.success(200, wire.KeyJson, examples.KEY, "The key that was used."), **docs.fails()},
)
async def verify_key(request: Request) -> Response:
    """Who the key speaks for and what it may do (`scopes` null: everything)."""
    return reply(shapes.key(caller_of(request)))


@router.delete(
    "/v1/keys/me",
    operation_id="revoke_key",
    summary="End one's own API key",
    responses={**docs.success(200, wire.RevokedKeyJson, examples.REVOKED_KEY, "It is over."), **docs.fails()},
)
async def revoke_key(request: Request) -> Response:
    """End the key at once and on every replica; its blocked calls end with `unauthorized`."""
    caller = caller_of(request)
    await bus_of(request).credentials.revoke(caller)
    return reply({"key_id": caller.key_id, "revoked": True})
