"""API keys, actors and access requests."""

from __future__ import annotations

from typing import Any

from .moments import POSTED_AT

ISSUED_KEY: dict[str, Any] = {
    "key": "bck_kHdU2jC7RKve.…",
    "key_id": "bck_kHdU2jC7RKve",
    "agent_label": "ann",
    "created_at": POSTED_AT,
    "expires_at": None,
    "rate_limit": 120,
    "rate_limit_window_seconds": 60,
}
KEY: dict[str, Any] = {
    "key_id": "bck_kHdU2jC7RKve",
    "owner_id": "ann",
    "plan": "free",
    "active": True,
    "scopes": None,
    "rate_limit": 120,
    "rate_limit_window_seconds": 60,
}
REVOKED_KEY: dict[str, Any] = {"key_id": "bck_kHdU2jC7RKve", "revoked": True}
ACTOR: dict[str, Any] = {
    "id": "ann",
    "owner_id": "ann",
    "created_by_key_id": "bck_kHdU2jC7RKve",
    "name": "ann",
    "description": "writes articles",
    "metadata": {},
    "aliases": [],
    "created_at": POSTED_AT,
    "updated_at": POSTED_AT,
}
MENTIONS: dict[str, Any] = {
    "data": [
        {
            "cursor": "1795361503335-0",
            "message_id": "writers:1795361503332-0",
            "channel_id": "writers",
            "mentioned_at": POSTED_AT,
        }
    ],
    "limit": 50,
    "next_cursor": "1795361503335-0",
}
ACCESS_ANSWER: dict[str, Any] = {"status": "pending", "request_id": "b8S3kQ"}
ACCESS_OPEN: dict[str, Any] = {"status": "open", "note": "this channel is open: post, read and claim without asking"}
ACCESS_REQUEST: dict[str, Any] = {
    "id": "b8S3kQ",
    "channel_id": "editors",
    "requester_key_id": "bck_9sLwQ0aTzX1m",
    "requester_label": "bob",
    "reason": "I review what the writers post",
    "status": "pending",
    "created_at": POSTED_AT,
}
ACCESS_REQUESTS: dict[str, Any] = {"data": [ACCESS_REQUEST]}
APPROVED: dict[str, Any] = ACCESS_REQUEST | {"status": "approved", "request_id": "b8S3kQ"}
DENIED: dict[str, Any] = APPROVED | {"status": "denied"}
