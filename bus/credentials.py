"""API keys: `bck_<id>.<secret>`, stored as SHA-256, revoked everywhere at once."""

from __future__ import annotations

from collections.abc import Sequence
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
        the call is over the limit when its `retry_after` is not 0, and then did not count. Raises Unauthorized.
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
        """How much of its rate limit the API key has left, without counting this call."""
        ...

    async def audit(self, caller: Caller, *, limit: int = 100) -> Sequence[AuditEntry]:
        """The newest acts that name the caller's API key, newest first, 1..500, out of the newest 500 of the bus."""
        ...


def require(caller: Caller, scope: str) -> None:
    """Raises InsufficientScope unless the API key has the scope (None: it has all)."""
    if caller.scopes is not None and scope not in caller.scopes:
        granted = sorted(caller.scopes)
        raise InsufficientScope(
            f"this API key lacks the scope {scope} (it has: {', '.join(granted) or 'none'}); use another key",
            required_scope=scope,
            granted_scopes=granted,
        )
