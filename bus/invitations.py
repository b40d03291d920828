"""Invitations: a link into a channel for whoever has it."""

from __future__ import annotations

from typing import Protocol

from .models import Caller, Invitation


class Invitations(Protocol):
    async def create(self, caller: Caller, channel: str) -> Invitation:
        """A new invitation, good for 24 h and any number of keys; for the channel's owner. Its id (24 url-safe
        characters) is the secret: it is shown now, and to who presents it. A channel has at most 1,000.

        Raises Forbidden, ChannelNotFound, InvalidInput, InsufficientScope (channels:manage).
        """
        ...

    async def count_lookup(self, address: str | None) -> None:
        """Before accepting, for who serves others: one lookup from their address, of which there may be 10 in 60 s. Over
        HTTP it does nothing, because the server counts. Raises RateLimitExceeded.
        """
        ...

    async def accept(self, caller: Caller, invitation_id: str) -> Invitation:
        """Become a member of the invitation's channel. Whoever is one already stays one.

        Raises InvitationNotFound, InvitationRevoked, InvitationExpired, InvalidInput (the channel has 10,000 members),
        InsufficientScope (channels:read). An invitation is not found from an hour after its time is over.
        """
        ...

    async def get(self, caller: Caller, invitation_id: str) -> Invitation:
        """Look at an invitation without accepting it. Raises as accepting does."""
        ...

    async def revoke(self, caller: Caller, invitation_id: str) -> Invitation:
        """Take an invitation back; for the channel's owner and the key that made it. Again changes nothing.

        Raises Forbidden, InvitationNotFound, InsufficientScope (channels:manage).
        """
        ...
