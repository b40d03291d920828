"""Members and membership events as JSON."""

from __future__ import annotations

from typing import cast

from api.wire import members as wire
from bus.models import Member, MembershipEvent, Page

from .moments import stamp


def member(m: Member) -> wire.MemberJson:
    return {
        "id": f"{m.channel}:{m.key_id}",
        "channel_id": m.channel,
        "key_id": m.key_id,
        "granted_at": stamp(m.granted_at),
        "granted_via_invitation_id": m.invitation_id,
    }


def event(e: MembershipEvent) -> wire.MembershipEventJson:
    return cast(
        wire.MembershipEventJson,
        {
            "id": e.id,
            "channel_id": e.channel,
            "event_type": e.event_type,
            "actor_key_id": e.actor_key_id,
            "subject_key_id": e.subject_key_id,
            "invitation_id": e.invitation_id,
            "metadata": {},
            "created_at": stamp(e.created_at),
            "expires_at": stamp(e.expires_at),
        },
    )


def event_page(page: Page[MembershipEvent], limit: int) -> wire.MembershipEventPageJson:
    return {"data": [event(each) for each in page.items], "limit": limit, "next_cursor": page.next_cursor}
