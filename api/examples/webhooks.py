"""Webhooks and their failures."""

from __future__ import annotations

from typing import Any

from .moments import CLAIMED_AT, FINISHED_AT, POSTED_AT

WEBHOOK: dict[str, Any] = {
    "actor_id": "ann",
    "url": "https://example.com/hook",
    "has_secret": True,
    "updated_at": POSTED_AT,
}
DELETED: dict[str, Any] = {"deleted": True}
FAILURES: dict[str, Any] = {
    "data": [
        {
            "id": "5f0c6a0e-3f0b-5a53-9d2c-0f6a1c7c2f11",
            "channel_id": "writers",
            "event": "message.posted",
            "url": "https://example.com/hook",
            "message_id": "writers:1795361503332-0",
            "failed_at": FINISHED_AT,
            "attempts": [{"at": CLAIMED_AT, "answer": "HTTP 503"}, {"at": FINISHED_AT, "answer": "no answer within 10 s"}],
        }
    ],
    "limit": 50,
    "next_cursor": None,
}
