"""Members of a restricted channel: who they are, and what happened to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .models import Caller, Member, MembershipEvent, Page


class Members(Protocol):
    """For the channel's owner. Every verb raises Forbidden, ChannelNotFound and InsufficientScope (channels:manage)."""

    async def list(self, caller: Caller, channel: str) -> Sequence[Member]:
        """The members, oldest first; the owner is the first."""
        ...

    async def add(self, caller: Caller, channel: str, key_id: str) -> Member:
        """Let an API key in, or return the member it is. A channel has at most 10,000. Raises InvalidInput."""
        ...

    async def remove(self, caller: Caller, channel: str, key_id: str) -> None:
        """Shut an API key out; no member before is fine. Where it waits it learns that at once; what it holds it may
        still finish. An invitation that it has lets it in again, unless that is revoked. Raises CannotRemoveOwner,
        InvalidInput.
        """
        ...

    async def events(self, caller: Caller, channel: str, *, since: str | None = None, limit: int = 50) -> Page[MembershipEvent]:
        """What happened to the membership in the last 24 h, oldest first, 1..100 a page; an empty page repeats `since`.

        Raises InvalidInput.
        """
        ...
