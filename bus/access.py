"""Who may enter a restricted channel: its members, by request and approval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .models import AccessAnswer, AccessRequest, Caller


class AccessControl(Protocol):
    """Every verb raises InsufficientScope (channels:manage; to ask to be let in: channels:read)."""

    async def request_access(self, caller: Caller, channel: str, *, reason: str | None = None) -> AccessAnswer:
        """Ask to become a member. A second request returns the pending one; after a denial one may ask again.

        Raises ChannelNotFound, InvalidInput (also when 1,000 others are waiting to be let in).
        """
        ...

    async def list_access_requests(self, caller: Caller, channel: str) -> Sequence[AccessRequest]:
        """Pending requests, oldest first; for the owner. Raises Forbidden, ChannelNotFound."""
        ...

    async def approve_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        """Let the requester in; for the owner. Only a key's newest request is remembered.

        Raises Forbidden, ChannelNotFound, AccessRequestNotFound, AccessRequestResolved, InvalidInput (too many members).
        """
        ...

    async def deny_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        """Turn the requester down; for the owner. Raises as approving does."""
        ...
