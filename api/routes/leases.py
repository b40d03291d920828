"""Claims as first clients lease them: one token that stands for task and delivery, renewed by itself."""

from __future__ import annotations

import base64

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import LeaseTokenPath, MessagePath
from api.bodies.messages import ClaimWithLease, LeaseHeartbeat
from api.deps import bus_of, caller_of, seconds
from api.errors import Refused
from api.examples import messages as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import messages as shapes
from api.shapes.moments import stamp
from api.wire import messages as wire
from bus.errors import AlreadyClaimed, AlreadyFinished, InvalidInput, LeaseLost, MessageNotFound, NotClaimed
from bus.models import Claim

router = keyed("leases")


@router.post(
    "/v1/messages/{message_id}/claim-with-lease",
    operation_id="claim_with_lease",
    summary="Take this one task for a given time",
    responses={
        **docs.success(200, wire.LeaseJson, examples.LEASE, "It is the actor's until `expires_at`."),
        **docs.fails(
            *docs.CLAIMING, "invalid_lease_seconds", body=True,
        ),
    },
)  # fmt: skip
async def claim_with_lease(request: Request, message_id: MessagePath, body: ClaimWithLease) -> Response:
    """`POST /v1/messages/{message_id}/claim` for clients that keep one token; refused to who holds the task already."""
    claim = await bus_of(request).tasks.claim_message(
        caller_of(request), message_id, actor=body.actor, lease=seconds(body.lease_seconds)
    )
    if claim.held_before:
        until = stamp(claim.lease_expires_at)
        told = f"'{claim.actor}' holds this task already, until {until}; renew that lease"
        raise AlreadyClaimed(told, holder=claim.actor, lease_expires_at=until)
    return reply(shapes.lease(claim, _token(claim)))


@router.post(
    "/v1/leases/{lease_token}/heartbeat",
    operation_id="heartbeat_lease",
    summary="Renew a lease by its token",
    responses={
        **docs.success(200, wire.LeaseHeartbeatJson, examples.LEASE_HEARTBEAT, "The same token with its new end."),
        **docs.fails(
            "lease_expired", "task_cancelled", "actor_forbidden", "channel_access_denied", "insufficient_scope",
            "invalid_lease_seconds", body=True,
        ),
    },
)  # fmt: skip
async def heartbeat_lease(request: Request, lease_token: LeaseTokenPath, body: LeaseHeartbeat) -> Response:
    """Keep a task that `claim-with-lease` gave: its lease ends `lease_seconds` from now."""
    message_id, claim_token = _held(lease_token)
    try:
        claim = await bus_of(request).tasks.heartbeat(
            caller_of(request), message_id, claim_token=claim_token, lease=seconds(body.lease_seconds)
        )
    except (LeaseLost, NotClaimed, AlreadyFinished, MessageNotFound, InvalidInput) as over:
        raise _expired(over.message) from over
    return reply(shapes.lease_heartbeat(claim, lease_token))


def _token(claim: Claim) -> str:
    """Url-safe. It only names what is held: the fence looks at the caller's API key."""
    return base64.urlsafe_b64encode(f"{claim.id}\n{claim.claim_token}".encode()).decode().rstrip("=")


def _held(lease_token: str) -> tuple[str, str]:
    """Message id and claim token. Raises Refused (lease_expired): what is no token of ours is no lease."""
    padded = lease_token + "=" * (-len(lease_token) % 4)
    try:
        message_id, _, claim_token = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("\n")
    except ValueError:
        raise _expired("no claim gave this lease_token") from None
    return message_id, claim_token


def _expired(why: str) -> Refused:
    return Refused("lease_expired", f"this lease is over: {why}")
