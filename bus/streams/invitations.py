"""Invitations on Redis: kept with their channel by the SHA-256 of their id, and found by it from anywhere."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from .. import names
from ..credentials import CHANNELS_MANAGE, CHANNELS_READ, require
from ..models import Caller, Invitation, InvitedChannel, Mode
from . import replies
from .engine import Engine, milliseconds
from .moments import moment, optional_moment
from .rates import Rates
from .refusals import REFUSALS

_LIFETIME = timedelta(hours=24)
_KEPT = _LIFETIME + timedelta(hours=1)
"""For an hour more it is said that it expired; then it is not found."""
_MOST = 1000
_LOOKUPS = (10, timedelta(seconds=60))


class RedisInvitations:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rates = Rates(engine)

    async def create(self, caller: Caller, channel: str) -> Invitation:
        require(caller, CHANNELS_MANAGE)
        name = await self._engine.channel(channel)
        invitation_id = secrets.token_urlsafe(18)
        hashed, kept_ms = _digest(invitation_id), milliseconds(_KEPT)
        args = (caller.key_id, hashed, milliseconds(_LIFETIME), kept_ms, _MOST)
        _, text, flat = await self._engine.run("create_invitation", name, *args)
        # A crash before this leaves an invitation that nobody was told of.
        await self._engine.store.command("SET", self._engine.keys.invitation(hashed), name, "PX", kept_ms)
        return _invitation(invitation_id, name, text, flat)

    async def count_lookup(self, address: str | None) -> None:
        await self._rates.spend("invitation", address, *_LOOKUPS)

    async def accept(self, caller: Caller, invitation_id: str) -> Invitation:
        return await self._present(caller, invitation_id, "accept")

    async def get(self, caller: Caller, invitation_id: str) -> Invitation:
        return await self._present(caller, invitation_id, "look")

    async def _present(self, caller: Caller, invitation_id: str, purpose: str) -> Invitation:
        require(caller, CHANNELS_READ)
        name, (_, text, flat) = await self._run("accept_invitation", caller, invitation_id, purpose)
        return _invitation(invitation_id, name, text, flat)

    async def revoke(self, caller: Caller, invitation_id: str) -> Invitation:
        require(caller, CHANNELS_MANAGE)
        name, (_, text, flat, now_ms) = await self._run("revoke_invitation", caller, invitation_id)
        return _invitation(invitation_id, name, text, flat, now=moment(now_ms))

    async def _run(self, script: str, caller: Caller, invitation_id: str, *args: str) -> tuple[str, list[str]]:
        """The channel that the invitation leads to, and what the script replies there."""
        hashed = _digest(invitation_id)
        name = await self._engine.store.command("GET", self._engine.keys.invitation(hashed))
        if name is None:
            raise REFUSALS["invitation_not_found"]("", [])
        return name, await self._engine.run(script, name, caller.key_id, hashed, *args)


def _digest(invitation_id: str) -> str:
    return hashlib.sha256(invitation_id.encode("utf-8", "surrogatepass")).hexdigest()


def _invitation(invitation_id: str, channel: str, text: str, flat: Sequence[str], *, now: datetime | None = None) -> Invitation:
    """`now`: None where the invitation is known to be good."""
    kept, settings = json.loads(text), replies.pairs(flat)
    expires_at, revoked_at = moment(kept["expires"]), optional_moment(kept.get("revoked"))
    return Invitation(
        id=invitation_id,
        channel=InvitedChannel(
            names.public_id(channel), settings.get("name", channel), Mode(settings["mode"]), settings.get("description", "")
        ),
        owner_label=settings.get("owner_label", ""),
        created_by_key_id=kept["by"],
        created_at=moment(kept["at"]),
        expires_at=expires_at,
        revoked_at=revoked_at,
        active=revoked_at is None and (now is None or now < expires_at),
    )
