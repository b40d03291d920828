"""Channels and their counts."""

from __future__ import annotations

from typing import Any

from .messages import DONE
from .moments import FINISHED_AT, LEASE_ENDS, POSTED_AT

COUNTS: dict[str, Any] = {
    "channel_id": "writers",
    "total": 13,
    "waiting": 7,
    "delayed": 1,
    "in_flight": 3,
    "done": 2,
    "dead": 0,
    "next_available_at": LEASE_ENDS,
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
    "has_webhook": False,
    "created_at": POSTED_AT,
    "updated_at": POSTED_AT,
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
HISTORY: dict[str, Any] = {"data": [{**DONE, "active": False, "archived_at": FINISHED_AT}], "limit": 50, "next_cursor": None}
METRICS: dict[str, Any] = {
    "channel_id": "writers",
    "message_counts": {"total": 13, "unclaimed": 8, "claimed": 3, "acknowledged": 2},
    "counts": {name: value for name, value in COUNTS.items() if name != "channel_id"},
    "avg_claim_to_ack_ms": 41_250,
    "computed_at": FINISHED_AT,
}
