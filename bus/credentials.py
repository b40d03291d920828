"""API keys: `bck_<id>.<secret>`, stored as SHA-256, revoked everywhere at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from .errors import InsufficientScope
from .models import Allowance, AuditEntry, Caller, IssuedKey

READ: Final = "messages:read"
WRITE: Final = "messages:write"
CLAIM: Final = "messages:claim"
ACK: Final = "messages:ack"
CHANNELS_READ: Final = "channels:read"
CHANNELS_WRITE: Final = "channels:write"
CHANNELS_MANAGE: Final = "channels:manage"
SCOPES: Final = frozenset({READ, WRITE, CLAIM, ACK, CHANNELS_READ, CHANNELS_WRITE, CHANNELS_MANAGE})
ANY: Final = (CHANNELS_READ, *sorted(SCOPES - {CHANNELS_READ}))
"""For what goes along with every other verb: a name to act under, a look at the channel that one acts in."""
NONE: Final[tuple[str, ...]] = ()

SCOPE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "access.approve_access_request": (CHANNELS_MANAGE,),
    "access.deny_access_request": (CHANNELS_MANAGE,),
    "access.list_access_requests": (CHANNELS_MANAGE,),
    "access.request_access": (CHANNELS_READ,),
    "actors.add_alias": ANY,
    "actors.create": ANY,
    "actors.get": NONE,
    "actors.mentions": (READ,),
    "broadcasts.broadcast": (WRITE,),
    "broadcasts.mark_read": (ACK,),
    "channels.add_alias": (CHANNELS_MANAGE,),
    "channels.counts": ANY,
    "channels.create": (CHANNELS_WRITE,),
    "channels.delete": (CHANNELS_MANAGE,),
    "channels.get": ANY,
    "channels.history": (READ,),
    "channels.list": (CHANNELS_READ,),
    "channels.metrics": (CHANNELS_READ,),
    "channels.owned": (CHANNELS_READ,),
    "channels.update": (CHANNELS_MANAGE,),
    "credentials.audit": NONE,
    "credentials.confirm": NONE,
    "credentials.revoke": NONE,
    "credentials.set_scopes": NONE,
    "credentials.usage": NONE,
    "idempotency.begin": NONE,
    "idempotency.forget": NONE,
    "idempotency.keep": NONE,
    "invitations.accept": (CHANNELS_READ,),
    "invitations.create": (CHANNELS_MANAGE,),
    "invitations.get": (CHANNELS_READ,),
    "invitations.revoke": (CHANNELS_MANAGE,),
    "members.add": (CHANNELS_MANAGE,),
    "members.events": (CHANNELS_MANAGE,),
    "members.list": (CHANNELS_MANAGE,),
    "members.remove": (CHANNELS_MANAGE,),
    "messages.get": (READ,),
    "messages.post": (WRITE,),
    "messages.retract": (WRITE,),
    "messages.subscribe": (READ,),
    "sessions.create": NONE,
    "sessions.delete": NONE,
    "sessions.get": NONE,
    "sessions.list": NONE,
    "sessions.update": NONE,
    "tasks.ack": (ACK,),
    "tasks.answer": (WRITE,),
    "tasks.ask": (ACK,),
    "tasks.await_answer": (ACK,),
    "tasks.await_result": (READ,),
    "tasks.await_results": (READ,),
    "tasks.cancel": (WRITE,),
    "tasks.claim": (CLAIM,),
    "tasks.claim_message": (CLAIM,),
    "tasks.dead_letters": (READ,),
    "tasks.fail": (ACK,),
    "tasks.heartbeat": (ACK,),
    "tasks.post": (WRITE,),
    "tasks.redrive": (ACK,),
    "tasks.release": (ACK,),
    "webhooks.delete": (READ,),
    "webhooks.failures": (CHANNELS_MANAGE,),
    "webhooks.get": (READ,),
    "webhooks.set": (READ,),
}
"""What each verb asks of the API key: one of these scopes. None at all: what concerns nobody but the key itself, and
whose an actor's name is. Posting to a channel that is not there makes it, which asks for channels:write as well."""


class Credentials(Protocol):
    async def issue(self, label: str, *, address: str | None = None) -> IssuedKey:
        """Mint an API key. The secret is in the answer only; an actor named after the label comes with it if that
        name is free. `address`: who asks, counted against the limit of keys per address.

        Raises MintingClosed, LabelInUse (an active key has it), RateLimitExceeded, InvalidInput.
        """
        ...

    async def verify(self, api_key: str) -> Caller:
        """Who this raw API key is, compared in constant time. Raises Unauthorized."""
        ...

    async def admit(self, api_key: str, *, address: str | None = None) -> tuple[Caller, Allowance]:
        """`verify` for one request, which counts against the key's rate limit. The allowance says what is left of it;
        the call is over the limit when its `retry_after` is not 0, and then did not count. Raises Unauthorized; over
        HTTP, where the server admits, RateLimitExceeded.
        """
        ...

    async def confirm(self, caller: Caller) -> None:
        """For who keeps a verified caller for longer than one request: raises Unauthorized when the API key was revoked
        since. Over HTTP it asks nobody, because the server verifies the key of each request.
        """
        ...

    async def revoke(self, caller: Caller) -> None:
        """End the caller's own API key, at once and on every replica: its blocked calls end with Unauthorized."""
        ...

    async def set_scopes(self, caller: Caller, scopes: Sequence[str]) -> Caller:
        """Narrow what the caller's own API key may do, for good: only an administrator widens it again.

        Raises InvalidInput (an unknown scope), InsufficientScope (one that the key does not have).
        """
        ...

    async def usage(self, caller: Caller) -> Allowance:
        """How much of its rate limit the API key has left, without counting this call (over HTTP the request counts)."""
        ...

    async def audit(self, caller: Caller, *, limit: int = 100) -> Sequence[AuditEntry]:
        """The newest acts that name the caller's API key, newest first, 1..500, out of the newest 500 of the bus.

        Raises InvalidInput.
        """
        ...


def require(caller: Caller, *scopes: str) -> None:
    """Raises InsufficientScope unless the API key has one of the scopes (None: it has all)."""
    if caller.scopes is not None and caller.scopes.isdisjoint(scopes):
        granted = sorted(caller.scopes)
        raise InsufficientScope(
            f"this API key lacks the scope {' or '.join(scopes)} (it has: {', '.join(granted) or 'none'}); use another key",
            required_scope=scopes[0],
            granted_scopes=granted,
        )
