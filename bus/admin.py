"""What whoever runs the bus may do: API keys, minting, pausing channels.

In process that is whoever holds the store; over HTTP, whoever holds the admin token (BACKCHANNEL_ADMIN_TOKEN).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from .models import AuditEntry, Channel, IssuedKey, KeyRecord, Page

OVERLAP = timedelta(days=1)


class Admin(Protocol):
    """Over HTTP, every verb also raises AdminDisabled and AdminUnauthorized. `address`: where it is asked from, for the
    audit trail; over HTTP the server sees for itself."""

    async def admit(self, *, right: bool, address: str | None) -> None:
        """For who serves others, once it has compared the admin token that was shown: a wrong one counts against its
        source address. After 10 wrong ones in 60 s the right one is let in no more either, until there is room for another.
        Over HTTP it does nothing, because the server counts. Raises RateLimitExceeded.
        """
        ...

    async def issue_key(self, label: str, *, address: str | None = None) -> IssuedKey:
        """Mint an API key, also while minting is closed and without a limit. Raises LabelInUse, InvalidInput."""
        ...

    async def list_keys(self, *, limit: int = 50, cursor: str | None = None) -> Page[KeyRecord]:
        """API keys, active and revoked, newest first, 1..100 a page. `next_cursor` None: no more. Raises InvalidInput."""
        ...

    async def rotate_key(self, key_id: str, *, overlap: timedelta = OVERLAP, address: str | None = None) -> IssuedKey:
        """A new secret for an API key, which keeps its id and so all that it owns. The replaced secret stays good for
        `overlap` (0..30 d), so that its users can move over; rotating again ends it.

        Raises KeyNotFound (or revoked), InvalidInput.
        """
        ...

    async def revoke_key(self, key_id: str, *, address: str | None = None) -> KeyRecord:
        """End an API key at once and everywhere, and free its label. Again changes nothing. Raises KeyNotFound."""
        ...

    async def set_key_scopes(self, key_id: str, scopes: Sequence[str] | None, *, address: str | None = None) -> KeyRecord:
        """What an API key may do; None: everything. Raises KeyNotFound (or revoked), InvalidInput."""
        ...

    async def set_public_minting(self, enabled: bool, *, address: str | None = None) -> bool:
        """Open or close minting for whoever asks, on every replica and over restarts. Raises InvalidInput."""
        ...

    async def public_minting(self) -> bool:
        """Whether minting is open: as it was set last, else as BACKCHANNEL_PUBLIC_MINTING has it."""
        ...

    async def pause_channel(self, channel: str, *, address: str | None = None) -> Channel:
        """Let a channel take no messages until it is resumed; claiming and finishing go on. What an administrator paused its
        owner can neither resume nor delete. Raises ChannelNotFound.
        """
        ...

    async def resume_channel(self, channel: str, *, address: str | None = None) -> Channel:
        """Let a paused channel take messages again, whoever paused it. Raises ChannelNotFound."""
        ...

    async def audit(self, *, limit: int = 100) -> Sequence[AuditEntry]:
        """The newest acts on the bus, newest first, 1..500. Raises InvalidInput."""
        ...
