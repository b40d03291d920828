"""Invitations: a link into a channel for whoever has it."""

from __future__ import annotations

from typing import Protocol

from .models import Caller, Invitation


class Invitations(Protocol):
    async def create(self, caller: Caller, channel: str) -> Invitation:
        """A new invitation, good for 24 h and any number of keys; for the channel's owner. Its id (24 url-safe
        characters) is the secret. Raises Forbidden, ChannelNotFound, InsufficientScope (channels:manage).
        """
        ...

    async def accept(self, caller: Caller, invitation_id: str, *, address: str | None = None) -> Invitation:
        """Become a member of the invitation's channel. `address`: who asks; wrong guesses are limited per address.

        Raises InvitationNotFound, InvitationRevoked, InvitationExpired, RateLimitExceeded.
        """
        ...

    async def revoke(self, caller: Caller, invitation_id: str) -> Invitation:
        """Take an invitation back; for the channel's owner and the key that made it. Again changes nothing.

        Raises Forbidden, InvitationNotFound.
        """
        ...
