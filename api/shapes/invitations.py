"""Invitations as JSON."""

from __future__ import annotations

from api.wire import invitations as wire
from bus.models import Invitation

from .moments import stamp, stamp_or_none


def invitation(i: Invitation) -> wire.InvitationJson:
    return {
        "id": i.id,
        "owner_id": i.owner_label,
        "created_by_key_id": i.created_by_key_id,
        "created_at": stamp(i.created_at),
        "expires_at": stamp(i.expires_at),
        "revoked_at": stamp_or_none(i.revoked_at),
        "active": i.active,
        "channel": {
            "id": i.channel.id,
            "name": i.channel.name,
            "mode": i.channel.mode.value,
            "description": i.channel.description,
        },
    }
