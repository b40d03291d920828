"""One example of each answer, for OpenAPI; tests check them against the shapes."""

from __future__ import annotations

from typing import Any

_POSTED = "2026-11-22T15:31:43.332000+00:00"
_EXPIRES = "2026-11-23T15:31:43.332000+00:00"
_CLAIMED = "2026-11-22T15:31:50.120000+00:00"
_LEASE = "2026-11-22T15:46:50.120000+00:00"
_FINISHED = "2026-11-22T15:40:02.501000+00:00"
_BOB = {"id": "bob", "name": "bob"}

WAITING: dict[str, Any] = {
    "id": "writers:1795361503332-0",
    "channel_id": "writers",
    "actor": None,
    "actor_label": "ann",
    "key_id": "bck_kHdU2jC7RKve",
    "content": "Write about leases",
    "metadata": {"words": 800},
    "created_at": _POSTED,
    "expires_at": _EXPIRES,
    "status": "unclaimed",
    "state": "waiting",
    "available_at": None,
    "delivery": 0,
    "deliveries": 0,
    "claimed_by": None,
    "claimed_by_key_id": None,
    "claimed_at": None,
    "lease_expires_at": None,
    "cancel_requested": False,
    "outcome": None,
    "result_withheld": False,
    "acknowledged_by": [],
    "mentions": [],
    "active": True,
    "archived": False,
}
HELD: dict[str, Any] = WAITING | {
    "status": "claimed",
    "state": "in_flight",
    "delivery": 1,
    "deliveries": 1,
    "claimed_by": _BOB,
    "claimed_by_key_id": "bck_9sLwQ0aTzX1m",
    "claimed_at": _CLAIMED,
    "lease_expires_at": _LEASE,
}
DONE: dict[str, Any] = HELD | {
    "status": "acknowledged",
    "state": "done",
    "lease_expires_at": None,
    "outcome": {
        "state": "done",
        "result": {"article": "Leases are …"},
        "reason": None,
        "actor": "bob",
        "key_id": "bck_9sLwQ0aTzX1m",
        "delivery": 1,
        "claimed_at": _CLAIMED,
        "finished_at": _FINISHED,
    },
    "acknowledged_by": [_BOB | {"occurred_at": _FINISHED}],
}
CANCELLED: dict[str, Any] = WAITING | {
    "status": "acknowledged",
    "state": "cancelled",
    "active": False,
    "outcome": DONE["outcome"]
    | {"state": "cancelled", "result": None, "reason": "no longer needed", "actor": None, "delivery": 0, "claimed_at": None},
}
NEWS: dict[str, Any] = WAITING | {
    "id": "news:1795361503332-0",
    "channel_id": "news",
    "content": "Version 2 is out",
    "metadata": {},
    "state": None,
}
_HOLD = {"actor": "bob", "claim_token": "1~bob", "lease_expires_at": _LEASE, "delivery": 1}
POSTED: dict[str, Any] = {
    "message": WAITING,
    "channel": "writers",
    "channel_created": False,
    "next_cursor": "1795361503332-0",
}
BROADCAST: dict[str, Any] = POSTED | {"message": NEWS, "channel": "news", "next_cursor": "1795361503332-0~57"}
PAGE: dict[str, Any] = {"data": [WAITING], "limit": 50, "next_cursor": "1795361503332-0", "missed": 0}
CLAIM: dict[str, Any] = {"status": "claimed", "message": HELD, **_HOLD}
CLAIMED_TASK: dict[str, Any] = {"claimed": HELD, "note": None, **_HOLD}
HEARTBEAT: dict[str, Any] = {"message": HELD, **_HOLD}
ACKNOWLEDGED: dict[str, Any] = {"status": "acknowledged", "message": DONE}
RELEASED: dict[str, Any] = {"status": "released", "message": WAITING}
FAILED: dict[str, Any] = {"status": "failed", "message": WAITING | {"state": "delayed", "available_at": _LEASE}}
CANCEL: dict[str, Any] = {"status": "cancelled", "message": CANCELLED}
RESULT: dict[str, Any] = {
    "task_id": DONE["id"],
    "status": "done",
    "result": {"article": "Leases are …"},
    "reason": None,
    "message": DONE,
}
COUNTS: dict[str, Any] = {
    "channel_id": "writers",
    "total": 13,
    "waiting": 7,
    "delayed": 1,
    "in_flight": 3,
    "done": 2,
    "dead": 0,
    "next_available_at": _LEASE,
}
CHANNEL: dict[str, Any] = {
    "id": "writers",
    "owner_id": "ann",
    "created_by_key_id": "bck_kHdU2jC7RKve",
    "name": "Writers",
    "mode": "claimable",
    "access": "open",
    "discoverable": True,
    "description": "Articles to write",
    "metadata_schema": {},
    "pinned_message": None,
    "ttl_seconds": 86_400,
    "retention_days": 7,
    "lease_seconds": 900.0,
    "max_deliveries": 3,
    "max_messages": None,
    "max_writes_per_minute": None,
    "paused": False,
    "aliases": [],
    "related_channels": [],
    "created_at": _POSTED,
    "updated_at": _POSTED,
}
CHANNELS: dict[str, Any] = {
    "data": [
        {
            **{name: CHANNEL[name] for name in ("id", "name", "mode", "access", "description", "created_at")},
            "is_member": True,
            "counts": {name: value for name, value in COUNTS.items() if name != "channel_id"},
        }
    ],
    "limit": 50,
    "next_cursor": None,
}
ISSUED_KEY: dict[str, Any] = {
    "key": "bck_kHdU2jC7RKve.…",
    "key_id": "bck_kHdU2jC7RKve",
    "agent_label": "ann",
    "created_at": _POSTED,
    "expires_at": None,
    "rate_limit": 0,
    "rate_limit_window_seconds": 60,
}
KEY: dict[str, Any] = {
    "key_id": "bck_kHdU2jC7RKve",
    "owner_id": "ann",
    "plan": "free",
    "active": True,
    "scopes": None,
    "rate_limit": 0,
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
    "created_at": _POSTED,
    "updated_at": _POSTED,
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
    "created_at": _POSTED,
}
ACCESS_REQUESTS: dict[str, Any] = {"data": [ACCESS_REQUEST]}
APPROVED: dict[str, Any] = ACCESS_REQUEST | {"status": "approved", "request_id": "b8S3kQ"}
DENIED: dict[str, Any] = APPROVED | {"status": "denied"}
DEAD_LETTERS: dict[str, Any] = {
    "data": [
        {
            "id": "writers:1795361904410-0",
            "message": WAITING | {"status": "acknowledged", "state": "dead", "deliveries": 3, "delivery": 3, "active": False},
            "reason": "dead",
            "died_at": _FINISHED,
            "deliveries": [
                {
                    "number": 3,
                    "actor": "bob",
                    "key_id": "bck_9sLwQ0aTzX1m",
                    "claimed_at": _CLAIMED,
                    "ended": "failed",
                    "reason": "the source did not answer",
                }
            ],
        }
    ],
    "limit": 50,
    "next_cursor": None,
}
REDRIVEN: dict[str, Any] = {
    "redriven": [{"dead_letter_id": "writers:1795361904410-0", "message_id": "writers:1795362000000-0"}]
}
HEALTH: dict[str, Any] = {
    "status": "ok",
    "api_version": "1.0",
    "version": "1.0.0",
    "instance_kind": "self-hosted",
    "db_latency_ms": 0.21,
    "store": "embedded",
    "notifications": "keyspace",
    "public_minting_enabled": True,
    "status_url": "/ready",
}
READY: dict[str, Any] = {"status": "ready", "store": "embedded", "server": "Valkey 9.1.2", "notifications": "keyspace"}
