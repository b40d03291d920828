"""Members and membership events."""

from __future__ import annotations

from typing import Any

from .moments import EXPIRES_AT, POSTED_AT

MEMBER: dict[str, Any] = {
    "id": "editors:bck_9sLwQ0aTzX1m",
    "channel_id": "editors",
    "key_id": "bck_9sLwQ0aTzX1m",
    "granted_at": POSTED_AT,
    "granted_via_invitation_id": None,
}
MEMBERS: dict[str, Any] = {"data": [MEMBER]}
REMOVED: dict[str, Any] = {"status": "removed"}
EVENT: dict[str, Any] = {
    "id": "editors:1795361503332-0",
    "channel_id": "editors",
    "event_type": "member_added",
    "actor_key_id": "bck_kHdU2jC7RKve",
    "subject_key_id": "bck_9sLwQ0aTzX1m",
    "invitation_id": None,
    "metadata": {},
    "created_at": POSTED_AT,
    "expires_at": EXPIRES_AT,
}
EVENTS: dict[str, Any] = {"data": [EVENT], "limit": 50, "next_cursor": "1795361503332-0"}
