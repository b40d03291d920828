"""API keys over HTTP: issue one, look at one's own, narrow it, end it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api import docs
from api.bodies.keys import NarrowerScopes, NewKey
from api.deps import bus_of, caller_of
from api.errors import Refused
from api.examples import admin as admin_examples
from api.examples import callers as caller_examples
from api.replies import reply
from api.routing import keyed, public
from api.seen import seen
from api.shapes import callers as shapes
from api.wire import callers as wire
from bus.checks import MAX_AUDITED

public_router = public("keys")
router = keyed("keys")
AUDITED = 100
AuditLimit = Annotated[str, Query(description="How many, taken as 1 to 500; what is no number is ignored.", examples=["100"])]


@public_router.post(
    "/v1/keys",
    operation_id="issue_key",
    status_code=201,
    summary="Get an API key",
    responses={
        **docs.success(201, wire.IssuedKeyJson, caller_examples.ISSUED_KEY, "The key, shown this once."),
        **docs.fails(
            "minting_closed", "origin_not_allowed", "rate_limit_exceeded", "label_in_use", "missing_field", "invalid_string",
            body=True, keyed=False,
        ),
    },
)  # fmt: skip
async def issue_key(request: Request, body: NewKey) -> Response:
    """Issue an API key to whoever asks, unless the operator closed that. Keep `key`: it is stored as a hash only."""
    found, bus = seen(request.scope), bus_of(request)
    if not found.own_origin:
        raise Refused(
            "origin_not_allowed",
            "web pages of another origin get no API key here; issue it from a shell, or allow the host name "
            "with BACKCHANNEL_ALLOWED_HOSTS",
        )
    issued = await bus.credentials.issue(body.agent_label, address=found.client)
    return reply(shapes.issued_key(issued, bus.settings), 201)


@router.get(
    "/v1/keys/me",
    operation_id="verify_key",
    summary="Look at one's own API key",
    responses={**docs.success(200, wire.KeyJson, caller_examples.KEY, "The key that was used."), **docs.fails()},
)
async def verify_key(request: Request) -> Response:
    """Who the key speaks for and what it may do (`scopes` null: everything)."""
    return reply(shapes.key(caller_of(request), bus_of(request).settings))


@router.delete(
    "/v1/keys/me",
    operation_id="revoke_key",
    summary="End one's own API key",
    responses={**docs.success(200, wire.RevokedKeyJson, caller_examples.REVOKED_KEY, "It is over."), **docs.fails()},
)
async def revoke_key(request: Request) -> Response:
    """End the key at once and on every replica; its blocked calls end with `unauthorized`."""
    caller = caller_of(request)
    await bus_of(request).credentials.revoke(caller)
    return reply({"key_id": caller.key_id, "revoked": True})


@router.put(
    "/v1/keys/me/scopes",
    operation_id="set_scopes",
    summary="Narrow one's own API key",
    responses={
        **docs.success(200, wire.KeyScopesJson, admin_examples.KEY_SCOPES, "What the key may do from now on."),
        **docs.fails("insufficient_scope", "invalid_scopes", "invalid_scope", body=True),
    },
)
async def set_scopes(request: Request, body: NarrowerScopes) -> Response:
    """Let the key do less, for good: before it is handed to somebody who needs no more. Only an administrator widens it."""
    caller = await bus_of(request).credentials.set_scopes(caller_of(request), body.scopes)
    return reply({"key_id": caller.key_id, "scopes": shapes.scopes(caller.scopes)})


@router.get(
    "/account/usage",
    operation_id="usage",
    summary="See what is left of the rate limit",
    responses={**docs.success(200, wire.UsageJson, admin_examples.USAGE, "After this request."), **docs.fails()},
)
async def usage(request: Request) -> Response:
    """The key's rate limit, and how many requests are left of it at this moment."""
    caller, bus = caller_of(request), bus_of(request)
    left = await bus.credentials.usage(caller)
    return reply(shapes.usage(caller.key_id, left, bus.settings.instance_kind))


@router.get(
    "/v1/security/audit",
    operation_id="audit",
    summary="See what was done with one's own API key",
    responses={**docs.success(200, wire.AuditJson, admin_examples.AUDIT, "Newest first."), **docs.fails()},
)
async def audit(request: Request, limit: AuditLimit = str(AUDITED)) -> Response:
    """The newest acts that name the key, such as `key.issue`, out of the newest 500 of the bus."""
    found = await bus_of(request).credentials.audit(caller_of(request), limit=audit_limit(limit))
    return reply(shapes.audit(found))


def audit_limit(text: str) -> int:
    """1 to 500, as near as can be to what was asked for; what is no whole number asks for nothing."""
    try:
        return min(max(int(text), 1), MAX_AUDITED)
    except ValueError:
        return AUDITED
