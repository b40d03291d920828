"""Sessions."""

from __future__ import annotations

from typing import Any

from .moments import CLAIMED_AT, EXPIRES_AT, POSTED_AT

SESSION: dict[str, Any] = {
    "id": "3f0a1a0e-6c3b-4a86-9b3f-0d3c7a4a2b11",
    "name": "review",
    "state": {"article": 17, "page": 3},
    "created_at": POSTED_AT,
    "updated_at": CLAIMED_AT,
    "expires_at": EXPIRES_AT,
}
SESSIONS: dict[str, Any] = {"data": [SESSION]}
DELETED: dict[str, Any] = {"status": "deleted"}
