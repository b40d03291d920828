"""Administration."""

from __future__ import annotations

from typing import Any

from .moments import EXPIRES_AT, FINISHED_AT, POSTED_AT

KEY_RECORD: dict[str, Any] = {
    "key_id": "bck_kHdU2jC7RKve",
    "agent_label": "ann",
    "active": True,
    "scopes": ["messages:read"],
    "created_at": POSTED_AT,
    "revoked_at": None,
    "rotated_until": EXPIRES_AT,
}
REVOKED: dict[str, Any] = KEY_RECORD | {"active": False, "scopes": None, "revoked_at": FINISHED_AT, "rotated_until": None}
KEYS: dict[str, Any] = {"data": [KEY_RECORD, REVOKED], "limit": 50, "next_cursor": None}
MINTING: dict[str, Any] = {"public_minting_enabled": False}
AUDIT_ENTRY: dict[str, Any] = {
    "id": "1795361503332-0",
    "occurred_at": POSTED_AT,
    "actor_key_id": "bck_kHdU2jC7RKve",
    "subject_key_id": "bck_kHdU2jC7RKve",
    "event_type": "key.issue",
    "remote_addr": "127.0.0.1",
    "detail": {"agent_label": "ann", "admin": False},
}
AUDIT: dict[str, Any] = {"data": [AUDIT_ENTRY], "count": 1}
USAGE: dict[str, Any] = {
    "key_id": "bck_kHdU2jC7RKve",
    "plan": "free",
    "rate_limit": {"requests_per_window": 120, "window_seconds": 60, "remaining": 117},
    "instance_kind": "self-hosted",
    "note": "every API key has the same limit; whoever runs this server sets it with BACKCHANNEL_RATE_LIMIT",
}
KEY_SCOPES: dict[str, Any] = {"key_id": "bck_kHdU2jC7RKve", "scopes": ["messages:ack", "messages:claim"]}
